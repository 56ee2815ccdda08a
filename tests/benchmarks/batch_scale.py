"""The Spark job on the emulator's Iceberg tables: a first run, a night, late events, everything again.

batch_scale.py [EVENTS ...] (default: 100000 1000000)
    lakes of thirty days: the night brings a day, and 1 % of its events belong to the 31 days before. The
    late events are 2 % of all, of one old day. `rebuild` computes gold from all events, and so does DuckDB.
batch_scale.py --history DAYS ... [--day EVENTS] [--duckdb]
    a night on lakes that are older and older, with as many events a day (default: 20000); in Spark, or the
    same steps in DuckDB, which has no start to pay for

Each run is a process of its own, whose CPU and memory are counted; the emulator's are not. At the end no row
of gold may differ from DuckDB's, but in floating points beyond ten digits, and silver must hold every event.
"""

import argparse
import gzip
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import duckdb
import psutil
from batch_analytics import kept
from duckdb_nights import PAYLOAD, DuckDB, flat
from emulated_lake import Lake
from tools import REPOSITORY, batch, jars
from tools.emulator import Emulator, free_port
from tools.engine import SPARK

DAYS, LATE_DAYS, AGES = 30, 31, 150
FIRST = date(2026, 1, 1)
# What a new player a day makes of events in thirty days, measured.
EVENTS_A_PLAYER = 10_200
LATE_SHARE, FLOOD_SHARE = 0.01, 0.02
MAKE = Path(__file__).with_name("batch_events.sql").read_text()
TEXTS = (
    "event_id", "event_type", "game_id", "player_id", "session_id", "platform", "country", "app_version",
    *kept.CUSTOM,
)  # fmt: skip
BRONZE = ", ".join(
    [
        *(f"{name}: 'VARCHAR'" for name in TEXTS),
        *(f"{name}: 'TIMESTAMP'" for name in ("corrected_time", "received_at")),
        "event_date: 'DATE'",
        "verified: 'BOOLEAN'",
        f"payload: 'STRUCT({PAYLOAD})'",
    ]
)
MAIN = REPOSITORY / "functions" / "batch_analytics" / "main.py"
RULES = json.loads(MAIN.with_name("audit.json").read_text())


class Cost(NamedTuple):
    """What a run took."""

    seconds: float
    cpu: float
    memory: int
    written: int


class Bench:
    """A lake on an emulator, and the events that were sent to it."""

    def __init__(self, emulator: Emulator, new_players: int, directory: Path) -> None:
        """Make a lake."""
        self.emulator, self.new_players, self.directory = emulator, new_players, directory
        self.lake = Lake("lake-bench")
        self.lake.create()
        self.sent = self.runs = 0

    def play(self, first: date, last: date, arrival: date, share: float = 1.0) -> int:
        """Let the events of days arrive on another; return how many they are."""
        folder = f"bronze/{arrival:%Y/%m/%d}/00"
        count = 0
        self.runs += 1
        with duckdb.connect() as database:
            # As Firehose does: many objects, for one of gzip is one task of Spark's.
            for part in range(8):
                path = self.directory / f"{part}.json.gz"
                write(database, path, self.new_players, first, last, arrival, share, self.runs, part)
                with gzip.open(path) as lines:
                    count += sum(1 for _ in lines)
                key = f"{folder}/{self.runs}-{part}.json.gz"
                boto3.client("s3").upload_file(str(path), self.lake.bucket, key)
        self.sent += count
        return count

    def night(self, arrival: date) -> Cost:
        """Run the job over what arrived in the first hour of a day."""
        span = (f"{arrival}T00", f"{arrival}T01")
        return self.job(self.lake.steps("all", f"night-{arrival}", *span))

    def rebuild(self) -> Cost:
        """Compute everything again from silver."""
        games = [part for number in range(5) for part in ("--game", f"game-{number}")]
        return self.job([*self.lake.steps("rebuild", "rebuild"), *games])

    def job(self, arguments: list[str]) -> Cost:
        """Run the job; raises where it fails."""
        held = self.size()
        environment = {**os.environ, **batch.environment(self.emulator.endpoint, self.lake.bucket)}
        began, log = time.monotonic(), self.directory / "spark.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                [SPARK.python, MAIN, *arguments], env=environment, stdout=said, stderr=said
            )
            with watched(process.pid) as used:
                status = process.wait()
        assert status == 0, log.read_text()[-4000:]
        assert "SET ASIDE" not in log.read_text(), "gold of a game was not published"
        return Cost(time.monotonic() - began, used[0], int(used[1]), self.size() - held)

    def size(self) -> int:
        """Return the bytes of all objects."""
        pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.lake.bucket)
        return sum(found["Size"] for page in pages for found in page.get("Contents", []))

    def judge(self) -> str:
        """Compute gold in DuckDB from silver; return its CPU and how many rows differ, and fail if any do."""
        # Through S3: the emulator does not keep an object that came in parts under its own name.
        folder = Path(tempfile.mkdtemp(dir=self.directory))
        for number, task in enumerate(self.lake.iceberg("events").scan().plan_files()):
            bucket, key = task.file.file_path.removeprefix("s3://").split("/", 1)
            boto3.client("s3").download_file(bucket, key, str(folder / f"{number}.parquet"))
        store = DuckDB(small=False)
        names = f"'{folder}/*.parquet'"
        store.database.execute(
            f"CREATE OR REPLACE VIEW silver AS {flat(f'read_parquet({names}, union_by_name = true)')}"
        )
        began = time.process_time()
        night = kept.Night(store, "duckdb", print)
        for table, change in night.changes([f"game-{number}" for number in range(5)]):
            store.change(table, change)
        cpu = time.process_time() - began
        held = sum(game.events for game in night.games.values())
        assert held == self.sent, f"silver holds {held} of {self.sent} events"
        rows = 0
        for table in kept.GOLD:
            store.database.register("published", self.lake.iceberg(table).scan().to_arrow())
            columns = ", ".join(name for name, *_ in store.rows(f"DESCRIBE lake.{table}"))
            differing = [
                store.rows(f"SELECT {columns} FROM {one} EXCEPT ALL SELECT {columns} FROM {other}")
                for one, other in ((f"lake.{table}", "published"), ("published", f"lake.{table}"))
            ]
            ours, theirs = (sorted(map(_rounded, found)) for found in differing)
            assert len(ours) == len(theirs), f"{table}: {ours[:3]} and {theirs[:3]}"
            for one, other in zip(ours, theirs, strict=True):
                assert all(map(_is_close, one[1], other[1])), f"{table}: {one} and {other}"
            held = store.rows(f"SELECT COUNT(*) FROM lake.{table}")[0][0]
            assert held, f"{table} has no rows"
            rows += held
        return f"DuckDB {cpu:.1f} s of CPU; 0 of {rows:,} rows differ"


def _rounded(row: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Return a row behind what sorts it: its values, where sums of floating points have few digits."""
    return repr([f"{value:.4g}" if isinstance(value, float) else value for value in row]), row


def _is_close(one: object, other: object) -> bool:
    """Compare values: the order of its parts changes the last digits of a sum of floating points."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other


def write(
    database: duckdb.DuckDBPyConnection, path: Path, new: int, first: date, last: date, arrival: date,
    share: float, salt: int, part: int,
) -> None:  # fmt: skip
    """Write an eighth of a share of the events of days, as another day brings them."""
    players, arrived = new * (60 + (last - FIRST).days + 1), f"{arrival}T00:30:00.000Z"
    names = {"first": first, "last": last, "begin": FIRST, "new": new, "part": part, "share": share}
    database.execute(MAKE.format(**names, players=players, salt=salt, arrived=arrived, path=path))


@contextmanager
def watched(pid: int) -> Iterator[list[float]]:
    """Yield the CPU seconds and the most bytes that a process and its children use in the block."""
    used, ended = [0.0, 0.0], threading.Event()

    def watch() -> None:
        seconds: dict[int, float] = {}
        while not ended.wait(0.5):
            memory = 0
            for process in _family(pid):
                try:
                    with process.oneshot():
                        times = process.cpu_times()
                        seconds[process.pid] = times.user + times.system
                        memory += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            used[0], used[1] = sum(seconds.values()), max(used[1], memory)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield used
    finally:
        ended.set()
        watcher.join()


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


@contextmanager
def bench(new_players: int) -> Iterator[Bench]:
    """Yield a lake on an emulator of its own."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Emulator(free_port(), Path(directory) / "emulator") as emulator,
    ):
        os.environ.update(emulator.environment)
        yield Bench(emulator, new_players, Path(directory))


def sizes(events: int) -> None:
    """Print a row a run, and what DuckDB says."""
    with bench(max(events // EVENTS_A_PLAYER, 2)) as made:
        today = FIRST + timedelta(DAYS)
        rows: list[tuple[str, int, Cost]] = []

        def run(name: str, count: int, cost: Cost) -> None:
            rows.append((name, count, cost))
            print(f"  {name}: {count:,} events, {cost.cpu:.0f} s of CPU", file=sys.stderr, flush=True)

        run("First run", made.play(FIRST, today - timedelta(1), today), made.night(today))
        brought = made.play(today, today, today + timedelta(1))
        brought += made.play(
            today - timedelta(LATE_DAYS), today - timedelta(1), today + timedelta(1), LATE_SHARE / 31
        )
        run("A night later", brought, made.night(today + timedelta(1)))
        old = today + timedelta(2 - LATE_DAYS)
        flood = made.play(old, old, today + timedelta(2), FLOOD_SHARE * DAYS)
        run("Late events", flood, made.night(today + timedelta(2)))
        judged = made.judge()
        run("Everything again", made.sent, made.rebuild())
        again = made.judge()
    full = rows[-1][2].cpu
    for name, count, cost in rows:
        print(
            f"| {events:,} | {name} | {count:,} | {cost.seconds:.0f} s | {cost.cpu:.0f} s"
            f" | {cost.cpu / full:.2f} | {cost.memory / 1e9:.1f} GB | {cost.written / 1e6:.1f} MB |"
        )
    print(f"\n{events:,} events: {judged}; after everything again: {again}\n", flush=True)


def histories(days: list[int], a_day: int) -> None:
    """Print a row a history: what its second night takes."""
    for count in days:
        with bench(max(a_day * DAYS // EVENTS_A_PLAYER, 2)) as made:
            today = FIRST + timedelta(count)
            made.play(FIRST, today - timedelta(1), today)
            first, nights = made.night(today), []
            for _ in range(2):
                made.play(today, today, today + timedelta(1))
                made.play(
                    today - timedelta(LATE_DAYS), today - timedelta(1), today + timedelta(1), LATE_SHARE / 31
                )
                today += timedelta(1)
                nights.append(made.night(today))
            cost, judged = nights[-1], made.judge()
            print(
                f"| {count} days | {made.sent:,} | {first.cpu:.0f} s | {cost.cpu:.0f} s"
                f" | {cost.seconds:.0f} s | {cost.memory / 1e9:.1f} GB | {cost.written / 1e6:.1f} MB"
                f" | {judged} |",
                flush=True,
            )


def in_duckdb(count: int, a_day: int) -> None:
    """Print what a history's second night takes in DuckDB, and what everything again takes."""
    new = max(a_day * DAYS // EVENTS_A_PLAYER, 2)
    with tempfile.TemporaryDirectory() as directory:
        store, runs = DuckDB(small=False), 0
        store.database.execute("DROP VIEW silver; DROP TABLE lake.silver")

        def play(first: date, last: date, arrival: date, share: float = 1.0) -> None:
            nonlocal runs
            runs += 1
            for part in range(8):
                path = Path(directory) / f"{runs}-{part}.json.gz"
                write(store.database, path, new, first, last, arrival, share, runs, part)
                added = f"(SELECT *, {runs} AS added_ms FROM read_json('{path}', columns = {{{BRONZE}}}))"
                made = (
                    "CREATE TABLE lake.silver AS"
                    if (runs, part) == (1, 0)
                    else "INSERT INTO lake.silver BY NAME"
                )
                store.database.execute(f"{made} {flat(added)}")
                path.unlink()
            store.database.execute("CREATE OR REPLACE VIEW silver AS SELECT * FROM lake.silver")

        def run() -> float:
            games = [f"game-{number}" for number in range(5)]
            night, began = kept.Night(store, f"night-{runs}", print), time.process_time()
            for table, change in night.changes(games):
                store.change(table, change)
            night.end()
            kept.published(store, night.run_id, games)
            return time.process_time() - began

        today = FIRST + timedelta(count)
        play(FIRST, today - timedelta(1), today)
        first, night = run(), 0.0
        for _ in range(2):
            play(today, today, today + timedelta(1))
            play(today - timedelta(LATE_DAYS), today - timedelta(1), today + timedelta(1), LATE_SHARE / 31)
            today += timedelta(1)
            night = run()
        sent = store.rows("SELECT COUNT(*) FROM silver")[0][0]
        before = {table: store.rows(f"SELECT * FROM lake.{table}") for table in kept.GOLD}
        kept.drop(store, [f"game-{number}" for number in range(5)])
        again = run()
        for table, rows in before.items():
            now = store.rows(f"SELECT * FROM lake.{table}")
            assert rows
            faults = f"SELECT COUNT(*) FROM lake.{table} WHERE ({') OR ('.join(RULES[table]['wrong_where'])})"
            assert store.rows(faults) == [(0,)], f"the job would set {table} aside"
            assert Counter(map(rounded, now)) == Counter(map(rounded, rows)), table
        print(f"| {count} days | {sent:,} | {first:.1f} s | {night:.1f} s | {again:.1f} s |", flush=True)


def rounded(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row whose floats are rounded to nine digits."""
    return tuple(float(f"{value:.9g}") if isinstance(value, float) else value for value in row)


def main() -> None:
    """Measure what is asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("events", nargs="*", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--history", nargs="+", type=int, metavar="DAYS")
    parser.add_argument("--day", type=int, default=20_000, metavar="EVENTS")
    parser.add_argument("--duckdb", action="store_true")
    options = parser.parse_args()
    if options.history and options.duckdb:
        print(
            "| History | Events | First run: CPU | A night: CPU | Everything again: CPU |",
            "|---|---|---|---|---|",
            sep="\n",
        )
        for count in options.history:
            in_duckdb(count, options.day)
        return
    missing = SPARK.why_missing()
    if missing:
        sys.exit(missing)
    jars.resolve(jars.ICEBERG)
    if options.history:
        names = (
            "History",
            "Events",
            "First run: CPU",
            "A night: CPU",
            "Time",
            "Memory",
            "Written",
            "Judged by",
        )
    else:
        names = ("Lake", "Run", "Events", "Time", "CPU", "CPU ÷ everything again", "Memory", "Written")
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}", flush=True)
    if options.history:
        histories(options.history, options.day)
    else:
        for events in options.events:
            sizes(events)


if __name__ == "__main__":
    main()
