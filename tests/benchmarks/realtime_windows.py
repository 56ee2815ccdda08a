"""Real-time windows: the Flink job's SQL with one and two tasks, beside single-thread DuckDB."""

import json
import os
import random
import subprocess
import tempfile
import time
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


def write(directory: Path, events: int, files: int) -> None:
    """Write events of a few games over two hours, spread over files by player, each in order of time."""
    chance = random.Random(1)
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


def flink(directory: Path, parallelism: int) -> float:
    """Return the seconds from the job's submission to its end."""
    python, script = FLINK.python, HERE / "flink" / "windows.py"
    answer = subprocess.run(
        [python, "-W", "ignore", script, directory.as_uri(), str(parallelism)],
        env={**os.environ, "PYTHONPATH": str(realtime.REPOSITORY / "functions")},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise SystemExit(answer.stderr[-3000:])
    return float(answer.stdout.split()[-1])


def duck(directory: Path) -> float:
    """Return the seconds DuckDB takes for the same windows, reading included."""
    began = time.perf_counter()
    reference.windows(reference.load(directory / "*.ndjson"))
    return time.perf_counter() - began


def main() -> None:
    """Print one table."""
    if missing := FLINK.why_missing():
        print(f"Not measured: {missing}")
        return
    table = Table(title="Windows of 1 and 5 minutes in four groupings")
    for title in (
        "Events",
        "Flink, 1 task",
        "Flink, 2 tasks",
        "DuckDB, 1 thread",
        "1 ÷ 2 tasks",
        "Flink ÷ DuckDB",
    ):
        table.add_column(title, justify="right")
    for events in SIZES:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            write(directory, events, files=2)
            one, two, other = flink(directory, 1), flink(directory, 2), duck(directory)
        table.add_row(
            f"{events:,}",
            *(f"{seconds:.1f} s ({events / seconds:,.0f}/s)" for seconds in (one, two, other)),
            f"{one / two:.2f}",
            f"{two / other:.1f}",
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
