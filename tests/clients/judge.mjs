// Prints, for each event that comes as a line of JSON, the JSON that the client would send and what it says of it.
// A line with a name is an event type that the catalogue does not have. The argument is the folder of the client.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { problem, unknown } = await import(pathToFileURL(`${process.argv[2]}/dist/validation.js`).href);

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const event = JSON.parse(line);
  const said = "name" in event ? unknown(event.name) : problem(event);
  console.log(JSON.stringify([JSON.stringify(event), said ?? null]));
}
