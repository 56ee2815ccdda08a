"""How long an event takes from being sent to being seen, on an emulator of its own.

Sends new players' events through the REST API and to the stream at a small steady rate. Of each it notes
when it was taken, when the processor judged it (`processed_at`), when it lay in bronze, and when the metrics
API first told of its player. It asks every tenth of a second, so the figures are no finer than that.
An event before them all starts every function: how long it took is told apart.
"""

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from measured import keep
from rich.console import Console
from rich.table import Table
from telemetry import lake
from tools.smoke import smoke

sys.path.append(str(Path(__file__).resolve().parents[1]))

from conftest import Applied, own_platform

SECONDS, EVENTS_PER_SECOND = 40, 2
PATIENCE_SECONDS, PAUSE_SECONDS = 60, 0.1
STAGES = (
    "taken by the REST API or stream",
    "judged by the processor",
    "in bronze",
    "seen in the metrics API",
)
PERCENTS = (50, 95, 99)


@dataclass(slots=True)
class Sent:
    """An event under way: the clock's seconds at sending, and of each stage it has passed."""

    event: dict[str, Any]
    began: float
    at: dict[str, float] = field(default_factory=dict)


def send(applied: Applied, path: str) -> Sent:
    """Send one event of a new player; an event that is not taken ends the run."""
    event = applied.event()
    data, sent = json.dumps(event).encode(), Sent(event, time.time())
    if path == "REST":
        applied.post(data).raise_for_status()
    else:
        applied.put(data, f"{event['game_id']}/{event['player_id']}")
    sent.at[STAGES[0]] = time.time()
    return sent


def seen(applied: Applied, sent: Sent) -> bool:
    """Ask the metrics API for the player, and note the first time it knows it."""
    path = f"/v1/games/{sent.event['game_id']}/players/{sent.event['player_id']}"
    if applied.platform.api.get(path).is_success:
        sent.at[STAGES[3]] = time.time()
    return STAGES[3] in sent.at


def watch_bronze(bucket: str, found: dict[str, float]) -> None:
    """Note when each object of bronze was first listed."""
    for key in lake.keys(boto3.client("s3"), bucket, "bronze/"):
        found.setdefault(key, time.time())


def measure(applied: Applied, path: str) -> list[Sent]:
    """Return the events of a run with the times of all their stages."""
    bucket = applied.platform.outputs["lake_bucket"]
    objects: dict[str, float] = {}
    gone: list[Sent] = []
    pending: list[Sent] = []
    began = time.time()
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(watch_bronze, bucket, objects)
        while pending or len(gone) < SECONDS * EVENTS_PER_SECOND:
            due = min(SECONDS * EVENTS_PER_SECOND, int((time.time() - began) * EVENTS_PER_SECOND) + 1)
            while len(gone) < due:
                gone.append(send(applied, path))
                pending.append(gone[-1])
            pending = [sent for sent in pending if not seen(applied, sent)]
            if listing.done():
                listing = pool.submit(watch_bronze, bucket, objects)
            if pending and time.time() - pending[0].began > PATIENCE_SECONDS:
                raise SystemExit(f"an event was not seen within {PATIENCE_SECONDS} s")
            time.sleep(PAUSE_SECONDS)
        watch_bronze(bucket, objects)
    by_id = {sent.event["event_id"]: sent for sent in gone}
    for key, moment in objects.items():
        for line in lake.lines(boto3.client("s3"), bucket, key):
            if sent := by_id.get(line["event_id"]):
                sent.at[STAGES[1]] = datetime.fromisoformat(line["processed_at"]).timestamp()
                sent.at[STAGES[2]] = moment
    return gone


def percentiles(sent: list[Sent], stage: str) -> list[float]:
    """Return p50, p95 and p99 of the seconds from sending to a stage."""
    taken = sorted(one.at[stage] - one.began for one in sent)
    return [round(taken[min(len(taken) - 1, int(len(taken) * percent / 100))], 2) for percent in PERCENTS]


def main() -> None:
    """Print the table of docs/performance.md."""
    table = Table("Publisher", "Sent until", *(f"p{percent}, s" for percent in PERCENTS))
    results = {}
    with tempfile.TemporaryDirectory() as name, own_platform(Path(name)) as applied:
        first = smoke(applied.platform, applied.game_id, applied.key)
        for path in ("REST", "stream"):
            measured = measure(applied, path)
            results[path] = {stage: percentiles(measured, stage) for stage in STAGES}
            for stage, seconds in results[path].items():
                table.add_row(path, stage, *(f"{value:.2f}" for value in seconds))
    keep("latency", results)
    Console(width=100).print(table, f"The first event of all: {first:.1f} s")


if __name__ == "__main__":
    main()
