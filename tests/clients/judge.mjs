// Prints, for each event that comes as a line of JSON, the JSON that the client would send and what it says of it.
// Its argument is the folder of the compiled client.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { firstProblem } = await import(pathToFileURL(`${process.argv[2]}/dist/index.js`).href);

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const event = JSON.parse(line);
  console.log(JSON.stringify([JSON.stringify(event), firstProblem(event) ?? null]));
}
