"""Real-time windows: the CPU seconds of the Flink job with one and two tasks, beside single-thread DuckDB.

CPU seconds are compared rather than seconds, so a busy machine changes them little. Beyond its start, the
job's CPU seconds grow with the events: the table shows how many events a CPU second then takes.
"""

import argparse
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import reference
from rich.console import Console
from rich.table import Table
from tools import realtime
from tools.engine import FLINK

HERE = Path(__file__).parent

SIZES = (200_000, 1_000_000)
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOURS = 2
GAMES, PLAYERS = 5, 20_000
PLATFORMS = ["ios", "android", "web"]
VERSIONS = ["1.0.0", "1.1.0", "1.2.0"]


@dataclass(frozen=True)
class Run:
    """CPU seconds of one run: of planning and starting the job, and of its work until the last event."""

    planning: float
    running: float


def write(directory: Path, events: int, files: int) -> None:
    """Write events of a few games over two hours, spread over files by player, each in order of time."""
    chance = random.Random(1)
    directory.mkdir(parents=True)
    handles = [(directory / f"{number}.ndjson").open("w") for number in range(files)]
    for number in range(events):
        moment = START + timedelta(seconds=number * HOURS * 3600 / events)
        text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
        player = chance.randrange(PLAYERS)
        kind = chance.choices(
            ["session_heartbeat", "economy", "performance", "progression", "purchase", "session_start"],
            [50, 20, 12, 12, 1, 5],
        )[0]
        payload: dict[str, object] = {
            "economy": {"flow": "source", "currency": "gold", "amount": number % 100 + 1},
            "performance": {"fps": 30.0 + number % 60, "latency_ms": 20.0 + number % 300},
            "progression": {"status": "complete"},
            "purchase": {
                "store": "web",
                "transaction_id": f"t-{number}",
                "currency": "USD",
                "amount_minor": 99,
            },
        }.get(kind, {})
        made = {
            "event_id": f"e-{number}",
            "event_type": kind,
            "game_id": f"game-{player % GAMES}",
            "player_id": f"p-{player}",
            "session_id": f"s-{player}",
            "corrected_time": text,
            "received_at": text,
            "platform": PLATFORMS[player % 3],
            "app_version": VERSIONS[player % 7 % 3],
            "late": False,
            "payload": payload,
        }
        handles[player % files].write(json.dumps(made, separators=(",", ":")) + "\n")
    for handle in handles:
        handle.close()


def flink(source: Path, output: Path, events: int, options: Sequence[str]) -> Run:
    """Run the job over files, one a task. Raises SystemExit where it fails or does not count every event."""
    answer = subprocess.run(
        [FLINK.python, "-W", "ignore", HERE / "flink" / "windows.py", source, output, *options],
        env={**os.environ, "PYTHONPATH": str(realtime.REPOSITORY / "functions")},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise SystemExit(answer.stderr[-3000:])
    if (found := counted(output)) != events:
        raise SystemExit(f"{found:,} of {events:,} events are in windows: the run measures less work")
    planning, running = map(float, answer.stdout.split()[-2:])
    return Run(planning, running)


def counted(output: Path) -> int:
    """Return the events of all windows of a minute of all platforms and versions."""
    total = 0
    for file in (output / "metrics").rglob("part-*"):
        for line in file.read_text().splitlines():
            row = json.loads(line)
            if (row["kind"], row["platform"], row["app_version"]) == ("1m", "*", "*"):
                measures = json.loads(row["measures"]).items()
                total += sum(amount for name, amount in measures if name.startswith("events."))
    return total


def duck(directory: Path) -> float:
    """Return the CPU seconds DuckDB takes for the same windows, reading included."""
    began = time.process_time()
    reference.windows(reference.load(directory / "*.ndjson"))
    return time.process_time() - began


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("options", nargs="*", metavar="OPTION=VALUE", help="options of Flink to compare")
    options = parser.parse_args().options
    if missing := FLINK.why_missing():
        print(f"Not measured: {missing}")
        return
    table = Table(title="CPU seconds of windows of 1 and 5 minutes in four groupings")
    for title in ("Events", "Flink, 1 task: start", "work", "Flink, 2 tasks: start", "work", "DuckDB"):
        table.add_column(title, justify="right")
    works: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as name:
        for events in SIZES:
            cells = []
            for tasks in works:
                source = Path(name) / f"{events}-{tasks}"
                write(source, events, files=tasks)
                run = flink(source, Path(name) / f"windows-{events}-{tasks}", events, options)
                works[tasks].append(run.running)
                cells += [f"{run.planning:.1f}", f"{run.running:.1f}"]
            table.add_row(f"{events:,}", *cells, f"{duck(source):.1f}")
    console = Console(width=120)
    console.print(table)
    for tasks, (few, many) in works.items():
        rate = (SIZES[1] - SIZES[0]) / (many - few)
        console.print(f"{tasks} task(s): {rate:,.0f} events a CPU second beyond the start")


if __name__ == "__main__":
    main()
