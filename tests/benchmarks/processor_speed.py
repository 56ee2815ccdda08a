"""How many events a second the processor's own code takes on one core, beside what bounds and replaces it.

A record holds NDJSON, twelve events of a player. `processor` decodes, judges and encodes them as the
function does, without AWS. `orjson` only parses and writes: nothing that handles JSON is faster. The
others parse, check against the same schemas, and write, but enrich nothing. `ajv` are the AWS guidance's
checks in its own language, Node; a run where there is none says so. Best of some rounds, taken in turn.
"""

import base64
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
from processor.arrival import arrivals
from processor.judgement import judge
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table
from telemetry import catalog
from telemetry.enrichment import timestamp
from tools.simulation import Game

EVENTS, TOGETHER, ROUNDS = 12_000, 12, 5
AJV = "8.17.1"
# jsonschema is slow enough for a share of the events to tell.
SLOW_SHARE = 20
NODE = """
const Ajv = require('ajv');
const lines = require('fs').readFileSync(process.argv[2], 'utf8').trim().split('\\n');
const text = { type: 'string', minLength: 1 };
const validate = new Ajv().compile({
  type: 'object', required: ['event', 'application_id'], additionalProperties: false,
  properties: { application_id: text, event: { type: 'object',
    required: ['event_id', 'event_type', 'event_name', 'event_timestamp', 'event_version',
      'app_version', 'event_data'],
    properties: { event_id: text, event_type: text, event_name: text, event_timestamp: { type: 'number' },
      event_version: text, app_version: text, event_data: { type: 'object' } } } } });
let best = Infinity;
for (let round = 0; round < 7; round++) {
  const start = process.hrtime.bigint();
  for (const line of lines) {
    const record = JSON.parse(line);
    if (!validate(record)) throw new Error(JSON.stringify(validate.errors));
    record.event.event_type = record.event.event_type.toLowerCase();
    record.event.processing_timestamp = Math.floor(Date.now() / 1000);
    record.event.validated = true;
    JSON.stringify(record);
  }
  best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
}
console.log(lines.length / best);
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

    def registered(self, games: set[str]) -> dict[str, Any]:
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
    judge(batch_arrivals, Registry())  # type: ignore[arg-type]
    if wrong := [arrival.rejection for arrival in batch_arrivals if arrival.rejection]:
        raise SystemExit(f"every event of this run is valid, but: {wrong[0]}")
    return [orjson.dumps(arrival.event) for arrival in batch_arrivals]


def checked(check: Callable[[Any], object], lines: Sequence[bytes]) -> list[bytes]:
    """Parse, check and write each line."""
    encoded = []
    for line in lines:
        event = orjson.loads(line)
        check(event)
        encoded.append(orjson.dumps(event))
    return encoded


def schemas(compile_schema: Callable[[dict[str, Any]], Callable[[Any], object]]) -> Callable[[Any], object]:
    """Return a check by an event's own schema, compiled once each."""
    compiled = {key: compile_schema(schema) for key, schema in bundles().items()}
    return lambda event: compiled[event["event_type"], event["schema_version"]](event)


def bundles() -> dict[tuple[str, str], dict[str, Any]]:
    """Return each event's schema with the envelope's written into it, for validators without a registry."""
    envelope = _plain(catalog.documents()["/envelope/1-0-0.json"])
    return {key: {"allOf": [envelope, _plain(schema)]} for key, schema in catalog.event_schemas().items()}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name not in ("$schema", "$id", "$ref")}


def node_rate(events: Sequence[dict[str, Any]]) -> float | None:
    """Return events a second of the guidance's checks with ajv; None without Node or its registry."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"ajv@{AJV}"]
        if subprocess.run(install, cwd=folder, capture_output=True, check=False).returncode:
            return None
        lines = Path(folder, "events.ndjson")
        lines.write_text("\n".join(json.dumps(guidance_event(event)) for event in events))
        Path(folder, "run.js").write_text(NODE)
        answer = subprocess.run(
            ["node", "run.js", lines], cwd=folder, capture_output=True, text=True, check=True
        )
        return float(answer.stdout)


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


def main() -> None:
    """Print the table of docs/performance.md."""
    events = played(EVENTS)
    lines, batch = [orjson.dumps(event) for event in events], records(events)
    few = lines[: EVENTS // SLOW_SHARE]
    fast = schemas(fastjsonschema.compile)
    slow = schemas(lambda schema: jsonschema.Draft202012Validator(schema).validate)
    runs: dict[str, tuple[int, Callable[[], object]]] = {
        "processor": (EVENTS, lambda: process(batch)),
        "orjson": (EVENTS, lambda: checked(lambda event: None, lines)),
        "pydantic, envelope only": (EVENTS, lambda: checked(Envelope.model_validate, lines)),
        "fastjsonschema": (EVENTS, lambda: checked(fast, lines)),
        "jsonschema": (len(few), lambda: checked(slow, few)),
    }
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, (_, run) in runs.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start)
    rates = {name: runs[name][0] / seconds for name, seconds in best.items()}
    if rate := node_rate(events):
        rates["ajv in Node, the guidance's checks"] = rate
    else:
        print("No Node or no npm registry: ajv is left out.", file=sys.stderr)
    table = Table("On one core", "Events a second", "processor ÷ it")
    for name, rate in rates.items():
        table.add_row(name, f"{rate:,.0f}", f"{rates['processor'] / rate:.2f}")
    console = Console(width=110)
    console.print(table)
    encoded = process(batch)
    sent, kept = sum(map(len, lines)), sum(map(len, encoded))
    packed = len(gzip.compress(b"\n".join(encoded[:240]), 6)) / sum(map(len, encoded[:240]))
    console.print(
        f"{sent / EVENTS:.0f} bytes an event, enrichment adds {(kept - sent) / EVENTS:.0f}; ", end=""
    )
    console.print(f"240 events gzipped are {packed:.1%} of their bytes", highlight=False)


if __name__ == "__main__":
    main()
