// The TypeScript client by itself: it never throws, honours a player's choices, and mends its queue.
// CLIENT is the folder of the compiled client.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(`${process.env.CLIENT}/dist/${name}.js`).href);
const { browserStore, Client, memoryStore } = await load("index");
const { judged, retryDelay } = await load("transport");
const { Queue } = await load("queue");
const { DEFAULTS } = await load("settings");

const DEVICE = { platform: "web", app_version: "1.4.2", device_model: "M1", locale: "de", country: "DE" };

/** A store whose content a test reads. */
function shown() {
  const store = memoryStore();
  const segments = new Map();
  return {
    ...store,
    segments,
    append: (n, lines) => (segments.set(n, (segments.get(n) ?? "") + lines), store.append(n, lines)),
    events: () => [...segments.values()].join("").split("\n").filter(Boolean).map((line) => JSON.parse(line)),
  };
}

function game(settings = {}) {
  const problems = [];
  const store = shown();
  const client = new Client("http://127.0.0.1:9", "skyforge.secret", DEVICE, {
    store,
    onProblem: (problem) => problems.push(problem),
    firstRetrySeconds: 60,
    longestRetrySeconds: 60,
    ...settings,
  });
  return { client, problems, store };
}

const cyclic = {};
cyclic.itself = cyclic;
let deep = {};
for (let n = 0; n < 100_000; n++) deep = { deep };

for (const [name, type, payload, reason] of [
  ["cycle", "design", cyclic, "malformed_json"],
  ["bigint", "design", { name: "a", value: 1n }, "malformed_json"],
  ["deep", "design", deep, "malformed_json"],
  ["surrogate", "design", { name: "half \ud800" }, "malformed_json"],
  ["large", "design", { name: "x".repeat(70_000) }, "too_large"],
  ["type", "telepathy", {}, "unknown_schema"],
  ["prototype", "constructor", {}, "unknown_schema"],
]) {
  test(`what cannot be sent is reported and never thrown: ${name}`, async () => {
    const { client, problems, store } = game();
    const session = client.startSession("p-1");
    session.track(type, payload);
    session.track("design", { name: "after" });
    assert.ok(await client.pause(180));
    assert.deepEqual(store.events().map((event) => event.sequence), [0, 1]);
    assert.deepEqual([client.stats.invalid, client.stats.tracked], [1, 3]);
    assert.ok(problems.some((problem) => problem.includes(`was not sent: ${reason}`)), problems.join());
    await client.close(0.05);
  });
}

test("a mistake in the game's own callback stops nothing", async () => {
  const fail = (problem) => {
    throw new Error(problem);
  };
  const { client, store } = game({ onProblem: fail });
  const session = client.startSession("p-1");
  session.track("telepathy", {});
  session.track("design", { name: "after" });
  assert.ok(await client.pause(180));
  assert.equal(store.events().length, 2);
  await client.close(0.05);
});

test("without consent an event names nobody and leaves no gap", async () => {
  const { client, store } = game();
  const session = client.startSession("p-1");
  session.setPrivacy({ analytics_storage: "denied" });
  session.track("design", { name: "without", extra: { diary: "b" } });
  session.setPrivacy({ analytics_storage: "granted" });
  session.track("design", { name: "after" });
  assert.ok(await client.pause(180));
  const [first, without, after] = store.events();
  assert.deepEqual([first.sequence, after.sequence], [0, 1]);
  assert.deepEqual(without.privacy, { analytics_storage: "denied" });
  assert.ok(!JSON.stringify(without).includes("p-1"));
  assert.notEqual(without.session_id, session.sessionId);
  assert.deepEqual(without.payload, { name: "without" });
  assert.deepEqual(Object.keys(without.client), ["sdk", "platform", "app_version", "country"]);
  await client.close(0.05);
});

test("a dimension goes with each event from now on", async () => {
  const problems = [];
  const { client, store } = game({ onProblem: (problem) => problems.push(problem) });
  const session = client.startSession("p-1");
  for (const [name, value] of [["class", "mage"], ["shard", "Żuk"], ["class", "rogue"]]) session.setDimension(name, value);
  session.track("design", { name: "both" });
  const wrong = [["Class", "a"], ["class", ""], ["class", "x".repeat(129)], ["class", 7], ["a\n", "b"], ["class", null]];
  for (const [name, value] of wrong) session.setDimension(name, value);
  assert.equal(problems.filter((one) => one.includes("the dimension was not set")).length, 6);
  session.track("design", { name: "same" });
  session.setDimension("shard", undefined);
  session.setPrivacy({ analytics_storage: "granted", age_group: "child" });
  session.track("design", { name: "child" });
  session.setPrivacy(undefined);
  session.track("design", { name: "one" });
  assert.ok(await client.pause(180));
  const both = { class: "rogue", shard: "Żuk" };
  assert.deepEqual(store.events().slice(1).map((event) => event.dimensions), [both, both, undefined, { class: "rogue" }]);
  await client.close(0.05);
});

test("of a child device and free fields stay here", async () => {
  const { client, store } = game();
  const session = client.startSession("p-1", { privacy: { age_group: "child" } });
  session.track("design", { name: "a", extra: { diary: "b" } });
  assert.ok(await client.pause(180));
  const [start, event] = store.events();
  assert.deepEqual([start.player_id, event.sequence, event.payload], ["p-1", 1, { name: "a" }]);
  assert.deepEqual(Object.keys(event.client), ["sdk", "platform", "app_version", "country"]);
  await client.close(0.05);
});

test("heartbeats stop at pause and end", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let now = 1_800_000_000_000;
  const { client, store } = game({ clock: () => now });
  const session = client.startSession("p-1");
  const beats = async () => {
    t.mock.timers.tick(1000);
    client.resume();
    assert.ok(await client.pause(180));
    return store.events().filter((event) => event.event_type === "session_heartbeat").map((e) => e.payload.elapsed_seconds);
  };
  client.pause(0);
  now += 61_000;
  assert.deepEqual(await beats(), []);
  client.resume();
  assert.deepEqual(await beats(), [61]);
  session.end();
  now += 61_000;
  client.resume();
  assert.deepEqual(await beats(), [61]);
  const last = store.events().at(-1);
  assert.deepEqual(last.payload, { duration_seconds: 61, end_reason: "exit" });
  await client.close(0.05);
});

test("what comes faster than it can be stored is dropped and counted", async () => {
  const { client } = game({ memoryBytes: 10_000 });
  const session = client.startSession("p-1");
  for (let n = 0; n < 200; n++) session.track("design", { name: "a" });
  assert.ok(client.stats.dropped > 170 && client.stats.dropped < 200);
  await client.close(0.05);
});

/** localStorage as browsers have it. */
class LocalStorage {
  constructor(quota = Infinity) {
    Object.defineProperty(this, "quota", { value: quota, enumerable: false, writable: true });
  }
  getItem(key) {
    return Object.hasOwn(this, key) ? this[key] : null;
  }
  setItem(key, value) {
    if (value.length > this.quota) throw new DOMException("full", "QuotaExceededError");
    this[key] = value;
  }
  removeItem(key) {
    delete this[key];
  }
}

test("the next page sends what a closed page left, in order, and without its torn lines", async () => {
  const storage = new LocalStorage();
  const { client } = game({ store: browserStore("events", storage), batchEvents: 2 });
  const session = client.startSession("p-1");
  for (let n = 0; n < 24; n++) session.track("design", { name: "a", value: n });
  assert.ok(await client.pause(180));
  const keys = Object.keys(storage);
  assert.equal(keys.length, 13);
  storage[keys[12]] += '{"cut": ';
  const report = () => undefined;
  const next = new Queue(browserStore("events", storage), { queueBytes: 1e6, segmentEvents: 2, segmentBytes: 1e6 }, report);
  await next.open();
  assert.deepEqual([next.events, next.dropped], [25, 1]);
  const found = [];
  for (let head = await next.head(); head; head = await next.head()) {
    found.push(...head[1].map((line) => JSON.parse(line).sequence));
    await next.settle(head[0], []);
  }
  assert.deepEqual(found, [...Array(25).keys()]);
  assert.deepEqual(Object.keys(storage), []);
  await client.close(0.05);
});

test("events wait in memory where localStorage is full", async () => {
  const storage = new LocalStorage();
  const { client, problems } = game({ store: browserStore("events", storage) });
  const session = client.startSession("p-1");
  assert.ok(await client.pause(180));
  storage.quota = 10;
  session.track("design", { name: "a" });
  assert.ok(await client.pause(180));
  assert.equal(client.stats.queued, 2);
  assert.ok(problems.some((problem) => problem.includes("the queue on disk fails")));
  await client.close(0.05);
});

test("retries wait longer each time and never less than asked", () => {
  const settings = { ...DEFAULTS, firstRetrySeconds: 1, longestRetrySeconds: 30 };
  [1, 2, 4, 8, 16, 30, 30].forEach((most, attempt) => {
    const delays = Array.from({ length: 500 }, () => retryDelay(attempt, 0, settings));
    assert.ok(Math.max(...delays) <= most && Math.max(...delays) > most * 0.9);
    assert.ok(Math.min(...delays) < most * 0.1);
  });
  assert.ok(retryDelay(0, 7, settings) >= 7);
  assert.ok(retryDelay(10_000, 0, settings) <= 30);
});

for (const [status, body] of [
  [200, '{"accepted": 2, "rejected": 0, "results": []}'],
  [202, "<html>"],
  [202, "[]"],
  [202, '{"accepted": 1, "rejected": 0, "results": []}'],
  [207, '{"accepted": 1, "rejected": 1, "results": [{"index": 2, "status": "rejected"}]}'],
  [207, '{"accepted": 1, "rejected": 1, "results": [{"status": "rejected"}]}'],
  [207, '{"accepted": 1, "results": 3}'],
  [207, '{"accepted": null, "results": []}'],
  [302, ""],
  [403, '{"error": "text"}'],
  [500, '{"error": {"code": 3}}'],
  [503, ""],
]) {
  test(`an answer that says nothing of the events keeps them: ${status} ${body}`, () => {
    const answer = judged(status, "", body, 2);
    assert.deepEqual([answer.retry, answer.accepted, answer.rejected.size], [[0, 1], 0, 0]);
    assert.ok(answer.problem.startsWith(`the REST API answered ${status}`));
  });
}

test("Retry-After may be a date and is bounded", () => {
  const soon = judged(429, new Date(Date.now() + 50_000).toUTCString(), "", 1).retryAfter;
  assert.ok(soon > 40 && soon <= 50);
  for (const [text, seconds] of [["3", 3], ["", 0], ["-3", 0], ["nan", 0], ["x", 0], ["1000000000", 86_400]]) {
    assert.equal(judged(429, text, "", 1).retryAfter, seconds, text);
  }
});
