"""How many events a second the processor's own code takes on one core, beside what bounds and replaces it.

A record holds NDJSON, twelve events of a player; a batch is of 2,000 events, as Lambda hands it over, and
what is written of it is kept until its end. `processor` decodes, judges and encodes as the function does,
without AWS. `orjson` only parses and writes: nothing that handles JSON is faster; it is told with its results
kept, and dropped at once, for to keep them costs more here than to make them. The others parse, check against
the same schemas, and write, but enrich nothing.

`ajv` is in the AWS guidance's language, Node: its checks alone, and the whole of what its function does to an
event that is good (base64, parse, look the application up, check, add metadata, write, base64; read in
guidance-for-game-analytics-pipeline-on-aws, business-logic/events-processing). Without Node a run says so.
Each figure is the best of some rounds for each batch; of five such measurements the median and the spread.
"""

import base64
import gc
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import fastjsonschema
import jsonschema
import orjson
from measured import REPEATS, Spread, keep, spread
from processor.arrival import arrivals
from processor.triage import triage
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table
from telemetry import catalog
from telemetry.enrichment import timestamp
from tools.simulation import Game

EVENTS, TOGETHER, BATCH = 12_000, 12, 1_992
ROUNDS = 5
AJV = "8.17.1"
# jsonschema is slow enough for a share of the events to tell.
SLOW_SHARE = 20
AJV_ROWS = ("ajv in Node, the guidance's checks", "ajv in Node, all the guidance does")
NODE = """
const Ajv = require('ajv/dist/2020');
const lines = require('fs').readFileSync(process.argv[2], 'utf8').trim().split('\\n');
const text = { type: 'string', minLength: 1 };
const validate = new Ajv().compile({
  type: 'object', required: ['event', 'application_id'], additionalProperties: false,
  properties: { application_id: text, event: { type: 'object',
    required: ['event_id', 'event_type', 'event_name', 'event_timestamp', 'event_version',
      'app_version', 'event_data'],
    properties: { event_id: text, event_type: text, event_name: text, event_timestamp: { type: 'number' },
      event_version: text, app_version: text, event_data: { type: 'object' } } } } });
const applications = new Map([[JSON.parse(lines[0]).application_id, { application_name: 'A game' }]]);
const valid = async record => validate(record);
const application = async id => applications.get(id);
const checks = lines.map(line => async () => {
  const record = JSON.parse(line);
  if (!validate(record)) throw new Error(JSON.stringify(validate.errors));
  return JSON.stringify(record);
});
const whole = lines.map(line => Buffer.from(line).toString('base64')).map(data => async () => {
  const record = JSON.parse(Buffer.from(data, 'base64'));
  const metadata = { ingestion_id: 'request', processing_timestamp: Math.floor(Date.now() / 1000) };
  const known = await application(record.application_id);
  if (!known || !await valid(record)) throw new Error(JSON.stringify(validate.errors));
  const { event_id, event_type, event_name, event_version, event_timestamp, app_version, event_data } =
    record.event;
  metadata.processing_result = { status: 'ok' };
  const kept = { metadata, event_id: String(event_id), event_type: String(event_type),
    event_name: String(event_name), event_version: String(event_version),
    event_timestamp: Number(event_timestamp), app_version: String(app_version), event_data,
    application_name: String(known.application_name), application_id: String(record.application_id) };
  return Buffer.from(JSON.stringify(kept) + '\\n').toString('base64');
});
const rate = async steps => {
  let seconds = 0;
  for (let start = 0; start < steps.length; start += 1992) {
    let best = Infinity;
    for (let round = 0; round < 7; round++) {
      const results = [], began = process.cpuUsage();
      for (const step of steps.slice(start, start + 1992)) results.push(await step());
      const { user, system } = process.cpuUsage(began);
      best = Math.min(best, (user + system) / 1e6);
    }
    seconds += best;
  }
  return steps.length / seconds;
};
(async () => console.log(await rate(checks), await rate(whole)))();
"""


class Client(BaseModel):
    """As the envelope's schema has it, without its patterns."""

    model_config = ConfigDict(extra="forbid", strict=True)

    platform: str
    app_version: str


class Envelope(BaseModel):
    """The envelope alone: what a hand-written model would check of every event."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event_id: str
    event_type: str
    schema_version: Literal["1-0-0"]
    game_id: str
    player_id: str
    session_id: str
    sequence: int
    event_time: str
    sent_at: str
    client: Client
    payload: dict[str, Any]


class Registry:
    """Every game is registered."""

    def registered(self, games: set[str], remembered: bool = True) -> dict[str, Any]:
        return {game: {"status": "active"} for game in games}


def played(count: int) -> list[dict[str, Any]]:
    """Return events in the order they come: twelve of a player, then of the next."""
    now = datetime.now(UTC)
    game = Game("a-game-with-a-name", count // TOGETHER, 1, 1, now)
    events = []
    for number in range(count // TOGETHER):
        player = game.play_on(number)
        for step in range(TOGETHER):
            moment = timestamp(now - timedelta(seconds=8 * (TOGETHER - step)))
            events.append(next(player) | {"event_time": moment, "sent_at": timestamp(now)})
    return events


def records(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return them as Lambda hands records in: base64 of NDJSON."""
    packed = []
    for number in range(0, len(events), TOGETHER):
        data = b"\n".join(map(orjson.dumps, events[number : number + TOGETHER]))
        kinesis = {
            "data": base64.b64encode(data).decode(),
            "sequenceNumber": str(number),
            "approximateArrivalTimestamp": time.time(),
        }
        packed.append({"eventID": "shard-1:1", "kinesis": kinesis})
    return packed


def process(batch: Sequence[dict[str, Any]]) -> list[bytes]:
    """Decode, validate, enrich, encode: the processor between its reads and writes."""
    batch_arrivals = [arrival for record in batch for arrival in arrivals(record)]
    triage(batch_arrivals, Registry())  # type: ignore[arg-type]
    if wrong := [arrival.rejection for arrival in batch_arrivals if arrival.rejection]:
        raise SystemExit(f"every event of this run is valid, but: {wrong[0]}")
    return [arrival.line for arrival in batch_arrivals]


def checked(check: Callable[[Any], object], lines: Sequence[bytes]) -> list[bytes]:
    """Parse, check and write each line."""
    encoded = []
    for line in lines:
        event = orjson.loads(line)
        check(event)
        encoded.append(orjson.dumps(event))
    return encoded


def dropped(lines: Sequence[bytes]) -> None:
    """Parse and write each line, and keep nothing."""
    for line in lines:
        orjson.dumps(orjson.loads(line))


def schemas(compile_schema: Callable[[dict[str, Any]], Callable[[Any], object]]) -> Callable[[Any], object]:
    """Return a check by the schema of whole events of one type, compiled once each."""
    documents = catalog.documents()
    compiled = {kind: compile_schema(catalog.whole(*kind, documents)) for kind in catalog.event_types()}
    return lambda event: compiled[event["event_type"], event["schema_version"]](event)


def node_rates(events: Sequence[dict[str, Any]]) -> dict[str, Spread]:
    """Return events a second with ajv; nothing without Node or its registry."""
    if not (shutil.which("node") and shutil.which("npm")):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"ajv@{AJV}"]
        if subprocess.run(install, cwd=folder, capture_output=True, check=False).returncode:
            return {}
        lines = Path(folder, "events.ndjson")
        lines.write_text("\n".join(json.dumps(guidance_event(event)) for event in events))
        Path(folder, "run.js").write_text(NODE)
        run = ["node", "run.js", lines]
        answers = [
            subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True).stdout.split()
            for _ in range(REPEATS)
        ]
        return {
            name: spread([float(rate) for rate in rates])
            for name, rates in zip(AJV_ROWS, zip(*answers, strict=True), strict=True)
        }


def guidance_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event in the guidance's envelope, with as much in it: its data is what has no field there."""
    kept = {
        k: v for k, v in event.items() if k not in ("event_id", "event_type", "game_id", "schema_version")
    }
    return {
        "application_id": event["game_id"],
        "event": {
            "event_id": event["event_id"],
            "event_type": event["event_type"],
            "event_name": event["event_type"],
            "event_timestamp": int(time.time()),
            "event_version": event["schema_version"],
            "app_version": event["client"]["app_version"],
            "event_data": kept,
        },
    }


def rate(run: Callable[[Any], object], batches: Sequence[Any], events: int) -> float:
    """Return events a second of CPU time, each batch at its best."""
    seconds = 0.0
    for batch in batches:
        best = float("inf")
        for _ in range(ROUNDS):
            start = time.process_time()
            run(batch)
            best = min(best, time.process_time() - start)
        seconds += best
    return events / seconds


def in_batches(whole: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Return a sequence in parts."""
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def main() -> None:
    """Print the table of docs/performance.md."""
    gc.set_threshold(50_000)  # as the function does
    events = played(EVENTS)
    lines = [orjson.dumps(event) for event in events]
    batches, arrived = in_batches(lines, BATCH), in_batches(records(events), BATCH // TOGETHER)
    few = [lines[: EVENTS // SLOW_SHARE]]
    fast = schemas(fastjsonschema.compile)
    slow = schemas(lambda schema: jsonschema.Draft202012Validator(schema).validate)
    runs: dict[str, tuple[Sequence[Any], Callable[[Any], object]]] = {
        "processor": (arrived, process),
        "orjson, results kept": (batches, lambda part: checked(lambda event: None, part)),
        "orjson, results dropped": (batches, dropped),
        "pydantic, envelope only": (batches, lambda part: checked(Envelope.model_validate, part)),
        "fastjsonschema": (batches, lambda part: checked(fast, part)),
        "jsonschema": (few, lambda part: checked(slow, part)),
    }
    measured: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, (parts, run) in runs.items():
            measured[name].append(rate(run, parts, len(few[0]) if parts is few else EVENTS))
    rates = {name: spread(values) for name, values in measured.items()} | node_rates(events)
    if AJV_ROWS[0] not in rates:
        print("No Node or no npm registry: ajv is left out.", file=sys.stderr)
    table = Table("On one core", "Events a second", "processor ÷ it")
    for name, found in rates.items():
        table.add_row(name, found.text(), f"{rates['processor'].median / found.median:.2f}")
    console = Console(width=110)
    console.print(table)
    encoded = process(records(events))
    sent, kept = sum(map(len, lines)), sum(map(len, encoded))
    packed = len(gzip.compress(b"\n".join(encoded[:240]), 6)) / sum(map(len, encoded[:240]))
    console.print(
        f"{sent / EVENTS:.0f} bytes an event, enrichment adds {(kept - sent) / EVENTS:.0f}; ", end=""
    )
    console.print(f"240 events gzipped are {packed:.1%} of their bytes", highlight=False)
    keep("processor_speed", rates)


if __name__ == "__main__":
    main()
