"""Real-time windows: the CPU seconds of the Flink job with one and two tasks, beside single-thread DuckDB.

CPU seconds are compared rather than seconds, so a busy machine changes them little. Beyond its start, the
job's CPU seconds grow with the events: the table shows how many events a CPU second then takes. State is in
RocksDB, as on AWS, and the events come as densely as a processing unit gets them.

--against compares with another version of the job, on the same files and in turns: it prints both versions'
CPU seconds, and fails where a window, a measure or an alert differs.
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
from typing import Any

import reference
from rich.console import Console
from rich.table import Table
from tools import realtime
from tools.engine import FLINK

HERE = Path(__file__).parent

Row = dict[str, Any]

TASKS = (1, 2)
SIZES = (300_000, 1_200_000)
EVENTS_A_SECOND = 1000
FUNCTIONS = realtime.REPOSITORY / "functions"
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
# Two hours have the incident, and the half hour before it that alerts compare with.
COMPARED_SECONDS = 2 * 3600
GAMES, PLAYERS = 5, 20_000
PLATFORMS = ["ios", "android", "web"]
VERSIONS = ["1.0.0", "1.1.0", "1.2.0"]
# In these minutes each game has few players, many crashes, no purchases, and no sinks of its currency.
INCIDENT = range(60, 70)
KINDS = ["session_heartbeat", "economy", "performance", "progression", "purchase", "session_start", "crash"]
CALM, WRONG = [47, 20, 12, 12, 4, 5, 0.1], [2, 20, 12, 12, 0, 5, 10]
ALERTS = {"players_drop", "crash_spike", "revenue_stop", "economy_inflation"}


@dataclass(frozen=True)
class Run:
    """CPU seconds of one run: of planning and starting the job, and of its work until the last event."""

    planning: float
    running: float


def write(directory: Path, events: int, files: int, duration: float) -> None:
    """Write events of a few games over so many seconds, spread over files by player, each file in order."""
    chance = random.Random(1)
    directory.mkdir(parents=True)
    handles = [(directory / f"{number}.ndjson").open("w") for number in range(files)]
    for number in range(events):
        seconds = number * duration / events
        wrong = seconds // 60 in INCIDENT
        moment = START + timedelta(seconds=seconds)
        text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
        player = chance.randrange(PLAYERS)
        kind = chance.choices(KINDS, WRONG if wrong else CALM)[0]
        flow = "source" if wrong or number % 2 else "sink"
        payload: dict[str, object] = {
            "economy": {"flow": flow, "currency": "gold", "amount": number % 100 + 1},
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


def flink(
    source: Path, output: Path, events: int, options: Sequence[str], functions: Path = FUNCTIONS
) -> Run:
    """Run the job over files, one a task. Raises SystemExit where it fails or does not count every event."""
    answer = subprocess.run(
        [FLINK.python, "-W", "ignore", HERE / "flink" / "windows.py", source, output, *options],
        env={**os.environ, "PYTHONPATH": str(functions)},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise SystemExit(answer.stderr[-3000:])
    if (found := counted(rows(output / "metrics"))) != events:
        raise SystemExit(f"{found:,} of {events:,} events are in windows: the run measures less work")
    planning, running = map(float, answer.stdout.split()[-2:])
    return Run(planning, running)


def rows(directory: Path) -> list[Row]:
    """Return what a sink of the job holds."""
    files = (file for file in directory.rglob("part-*"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def counted(windows: list[Row]) -> int:
    """Return the events of all windows of a minute of all platforms and versions."""
    total = 0
    for row in windows:
        if (row["kind"], row["platform"], row["app_version"]) == ("1m", "*", "*"):
            measures = json.loads(row["measures"]).items()
            total += sum(amount for name, amount in measures if name.startswith("events."))
    return total


def results(output: Path) -> list[Row]:
    """Return all windows and alerts in one order. Raises SystemExit where a kind of alert is missing."""
    alerts = rows(output / "raised")
    if missing := ALERTS - {alert["alert"] for alert in alerts}:
        raise SystemExit(f"no alert is {' or '.join(sorted(missing))}: the comparison would prove less")
    windows = [row | {"measures": json.loads(row["measures"])} for row in rows(output / "metrics")]
    return sorted(windows + alerts, key=lambda row: json.dumps(row, sort_keys=True))


def against(other: Path, sizes: Sequence[int], options: Sequence[str]) -> None:
    """Compare with another version of the job. Raises SystemExit where their results differ."""
    versions = {"other": other, "this": FUNCTIONS}
    table = Table(title=f"CPU seconds of the job in {other}, and of this one")
    for title in ("Tasks", "Events", "Rows", "start: other", "this", "ratio", "work: other", "this", "ratio"):
        table.add_column(title, justify="right")
    with tempfile.TemporaryDirectory() as name:
        for tasks in TASKS:
            for events in sizes:
                source = Path(name) / f"{events}-{tasks}"
                write(source, events, tasks, COMPARED_SECONDS)
                outputs = {version: Path(name) / f"{version}-{events}-{tasks}" for version in versions}
                before, now = (
                    flink(source, outputs[version], events, options, functions)
                    for version, functions in versions.items()
                )
                found = {version: results(output) for version, output in outputs.items()}
                if found["other"] != found["this"]:
                    differing = [row for row in found["this"] if row not in found["other"]]
                    raise SystemExit(f"{len(differing)} rows differ, such as {differing[:3]}")
                cells = [
                    cell
                    for old, new in ((before.planning, now.planning), (before.running, now.running))
                    for cell in (f"{old:.1f}", f"{new:.1f}", f"{new / old:.2f}")
                ]
                table.add_row(f"{tasks}", f"{events:,}", f"{len(found['this']):,}", *cells)
    Console(width=120).print(table)


def duck(directory: Path) -> float:
    """Return the CPU seconds DuckDB takes for the same windows, reading included."""
    began = time.process_time()
    reference.windows(reference.load(directory / "*.ndjson"))
    return time.process_time() - began


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("options", nargs="*", metavar="OPTION=VALUE", help="options of Flink to compare")
    parser.add_argument("--events", type=int, nargs=2, default=SIZES, help="sizes of the two inputs")
    parser.add_argument("--against", type=Path, help="functions/ of another version of the job")
    given = parser.parse_args()
    options, sizes = given.options, sorted(given.events)
    if missing := FLINK.why_missing():
        print(f"Not measured: {missing}")
        return
    if given.against:
        against(given.against.resolve(), sizes, options)
        return
    table = Table(title="CPU seconds of windows of 1 and 5 minutes in four groupings")
    for title in ("Events", "Flink, 1 task: start", "work", "Flink, 2 tasks: start", "work", "DuckDB"):
        table.add_column(title, justify="right")
    works: dict[int, list[float]] = {tasks: [] for tasks in TASKS}
    with tempfile.TemporaryDirectory() as name:
        for events in sizes:
            cells = []
            for tasks in works:
                source = Path(name) / f"{events}-{tasks}"
                write(source, events, tasks, events / EVENTS_A_SECOND)
                run = flink(source, Path(name) / f"windows-{events}-{tasks}", events, options)
                works[tasks].append(run.running)
                cells += [f"{run.planning:.1f}", f"{run.running:.1f}"]
            table.add_row(f"{events:,}", *cells, f"{duck(source):.1f}")
    console = Console(width=120)
    console.print(table)
    for tasks, (few, many) in works.items():
        rate = (sizes[1] - sizes[0]) / (many - few)
        console.print(f"{tasks} task(s): {rate:,.0f} events a CPU second beyond the start")


if __name__ == "__main__":
    main()
