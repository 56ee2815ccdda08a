"""The Spark job on lakes of growing size: a first run, and a flood of events that come a month late.

batch_scale.py [EVENTS ...] (default: 100000 1000000). Players are skewed: one sends a twentieth of all.
The flood has 2 % as many events, all of the day 31 days before; they change every later day of their players.
At the end DuckDB computes gold from silver too: no row may differ, but in floating points beyond nine digits.
"""

import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import psutil
from tools import batch
from tools.engine import SPARK

sys.path.append(str(Path(__file__).resolve().parents[1] / "batch"))

from duckdb_gold import TABLES, gold

DAYS, DAY_SECONDS, NOW = 30, 86_400, datetime(2026, 1, 31)
LATE_SHARE = 50
MAKE = Path(__file__).with_name("batch_events.sql").read_text()


def main() -> None:
    """Print a row a size: what the first run and the flood took, and what the lake holds."""
    missing = SPARK.why_missing()
    if missing:
        sys.exit(missing)
    columns = ("Events", "First run", "Events/s", "CPU", "Memory")
    columns += ("Flood", "CPU", "Memory", "Flood ÷ first", "Silver, gold", "Rows that differ")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for events in map(int, sys.argv[1:] or ["100000", "1000000"]):
        with tempfile.TemporaryDirectory() as directory:
            _measure(Path(directory) / "lake", events)


def _measure(lake: Path, events: int) -> None:
    _arrive(lake, 0, events, span=DAYS * DAY_SECONDS, age=0, hour=NOW)
    first, memory, busy = _run(lake, NOW)
    later = NOW + timedelta(hours=1)
    _arrive(lake, events, events + events // LATE_SHARE, span=DAY_SECONDS, age=DAYS * DAY_SECONDS, hour=later)
    flood, flooded, rest = _run(lake, later)
    silver, computed = (
        sum(file.stat().st_size for file in (lake / name).rglob("*.parquet")) / 1e6
        for name in ("silver", "gold")
    )
    print(
        f"| {events:,} | {first:.0f} s | {events / first:,.0f} | {busy:.0f} s | {memory / 1e9:.1f} GB"
        f" | {flood:.0f} s | {rest:.0f} s | {flooded / 1e9:.1f} GB | {flood / first:.2f}"
        f" | {silver:.0f} MB, {computed:.0f} MB | {_differing(lake)} |",
        flush=True,
    )


def _differing(lake: Path) -> str:
    """Compare each table with DuckDB's, as bags of rows, both ways."""
    differing = rows = 0
    with gold(lake) as database:
        for table in TABLES:
            database.execute(
                f"CREATE VIEW spark_{table} AS SELECT * FROM"
                f" read_parquet('{lake}/gold/{table}/*/*.parquet', hive_partitioning = true)"
            )
            columns = ", ".join(
                f"round({name}, 9)" if kind == "DOUBLE" else f"CAST({name} AS VARCHAR)"
                for name, kind, *_ in database.execute(f"DESCRIBE {table}").fetchall()
            )
            for one, other in ((table, f"spark_{table}"), (f"spark_{table}", table)):
                differing += _count(
                    database, f"SELECT {columns} FROM {one} EXCEPT ALL SELECT {columns} FROM {other}"
                )
            rows += _count(database, f"SELECT * FROM {table}")
    return f"{differing} of {rows:,}"


def _count(database: duckdb.DuckDBPyConnection, query: str) -> int:
    (count,) = database.execute(f"SELECT count(*) FROM ({query})").fetchall()[0]
    return int(count)


def _arrive(lake: Path, first: int, last: int, span: int, age: int, hour: datetime) -> None:
    """Write the events [first, last), which happened within `span` seconds, `age` seconds before NOW."""
    folder = lake / "bronze" / f"{hour:%Y/%m/%d/%H}"
    folder.mkdir(parents=True)
    # As Firehose does: many objects, for one of gzip is one task of Spark's.
    step = max((last - first) // 8, 1)
    with duckdb.connect() as database:
        for start in range(first, last, step):
            values = {"first": start, "last": min(start + step, last), "span": span, "age": age, "now": NOW}
            values |= {"players": max(last // 50, 100), "arrived": f"{hour:%Y-%m-%dT%H}:30:00.000Z"}
            database.execute(MAKE.format(path=folder / f"{start}.json.gz", **values))


def _run(lake: Path, hour: datetime) -> tuple[float, int, float]:
    """Return the seconds of a run, the most bytes its processes held at once, and their CPU seconds."""
    began, most, busy, ended = time.monotonic(), 0, 0.0, threading.Event()

    def watch() -> None:
        nonlocal most, busy
        while not ended.wait(1):
            used = [_used(process) for process in psutil.Process().children(recursive=True)]
            most = max(most, sum(memory for memory, _ in used))
            busy = max(busy, sum(seconds for _, seconds in used))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        batch.compute(lake, hour, hour + timedelta(hours=1))
    finally:
        ended.set()
        watcher.join()
    return time.monotonic() - began, most, busy


def _used(process: psutil.Process) -> tuple[int, float]:
    try:
        with process.oneshot():
            times = process.cpu_times()
            return process.memory_info().rss, times.user + times.system
    except psutil.NoSuchProcess:
        return 0, 0.0


if __name__ == "__main__":
    main()
