// A game that uses the TypeScript client as the JSON in its last argument says; prints what the client counted.
// Its first argument is the folder of the compiled client.
import { pathToFileURL } from "node:url";

const [, , folder, given] = process.argv;
const { Client, directoryStore } = await import(pathToFileURL(`${folder}/dist/node.js`).href);

const task = JSON.parse(given);
const problems = [];
const { directory, ...settings } = task.settings;
const named = Object.entries(settings).map(([name, value]) => [
  name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()),
  value,
]);
const clockOff = (task.clock_off_seconds ?? 0) * 1000;
const client = new Client(task.url, task.key, { platform: "linux", app_version: "1.4.2" }, {
  onProblem: (problem) => problems.push(problem),
  clock: () => Date.now() + clockOff,
  heartbeatSeconds: 0,
  store: directory ? directoryStore(directory) : null,
  ...Object.fromEntries(named),
});
// What is kept: a process also holds what is garbage already.
const kept = () => {
  globalThis.gc();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
};
const before = kept();
let grown = 0;
const sessions = [];
for (let n = 0; n < (task.events ? task.players : 0); n++) sessions.push(client.startSession(`p-${n}`));
const extra = { padding: "x".repeat(250) };
for (let n = 0; n < (task.padding ?? 0); n++) extra[`padding_${n}`] = "x".repeat(250);
for (let number = 0; number < task.events; number++) {
  sessions[number % sessions.length].track("design", { name: task.name ?? "test:event", value: number, extra });
  if (number === task.flushes_after) await client.flush(task.flush_seconds);
  if (number % 10 === 9 && task.tells_stored) {
    if (await client.pause(300)) process.stdout.write(`stored ${number}\n`);
    client.resume();
  }
  if (number % 100 === 99) {
    await new Promise((resolve) => setImmediate(resolve));
    if (number % 1000 === 999) grown = Math.max(grown, kept() - before);
  }
}
if (task.exits) process.exit();
const isEmpty = await client.flush(task.flush_seconds);
await client.close(task.close_seconds ?? 2);
console.log(JSON.stringify({ stats: client.stats, is_empty: isEmpty, problems, grown_bytes: grown }));
