"""The steps of a run: silver, gold, audit, publish. Each can be run again, and changes nothing then."""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.window import Window
from telemetry.lateness import TOO_OLD_AFTER
from telemetry.silver import Lake, refused

from batch_analytics import audit, bronze, gold, kept, measure
from batch_analytics.corrections import Corrections
from batch_analytics.tables import SILVER, ConflictError, RunError, Tables

KEY = ("game_id", "event_id")
STEPS = ("silver", "gold", "audit", "publish")
REBUILD = "rebuild"
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")
# Another run that adds to silver at the same time makes this one look again what is new.
TRIES = 5
FILES_NAMED = 10
# What is counted of a game that a run touches without new events.
NOTHING = {"lines": 0, "distinct": 0, "held": 0, "duplicates": 0, "new": 0}
# The keys of so many events fit into each task's memory (100 bytes each): silver need not be sorted then.
BROADCAST_EVENTS = 1_000_000
RUNBOOK, SET_ASIDE_RUNBOOK = "docs/runbooks/batch-analytics.md", "docs/runbooks/batch-analytics-set-aside.md"


class Run:
    """One run over the lake: its id names what it keeps aside and reports."""

    def __init__(self, spark: SparkSession, database: str, lake: str, run_id: str) -> None:
        """Take the session, the Glue database, the lake's URI and the run's id."""
        self.spark, self.lake, self.id = spark, lake, run_id
        self.tables = Tables(spark, database, run_id)
        self.corrections = Corrections.read(spark, lake)

    def silver(self, start: datetime, end: datetime) -> None:
        """Add the events that arrived in [start, end) to silver; note which games and days they touch."""
        self._begin("silver")
        self.tables.prepare()
        corrected = self.corrections.apply(self.tables)
        empty = [f"{hour:{bronze.HOUR}}" for hour in bronze.missing(self.spark, self.lake, start, end)]
        if empty:
            self._say(
                f"bronze has no objects of {len(empty)} hours: {', '.join(empty)}. If the games were played "
                "then, see docs/runbooks/data-lake.md, and run these hours again once the objects are there"
            )
        rows, keys = self._arrived(start, end)
        bad = keys.where("NOT good").groupBy("file").count().collect()
        if bad:
            files = sorted(row["file"] for row in bad)[:FILES_NAMED]
            self._say(
                f"{sum(row['count'] for row in bad)} lines of bronze are no events. They stay in bronze and "
                f"are in no table; {RUNBOOK} says what to do: {', '.join(files)}"
            )
        once = keys.where("good AND nth = 1")
        days = once.select("game_id", f.col("event_date").cast("string")).distinct().collect()
        games = self._add(rows, keys, [date.fromisoformat(row[1]) for row in days])
        games = {game: NOTHING for game, _ in corrected} | games
        self.spark.catalog.clearCache()
        self._write("silver", {
            "from": start.strftime(bronze.HOUR), "to": end.strftime(bronze.HOUR), "empty_hours": empty,
            "malformed": sum(row["count"] for row in bad), "games": games,
            "touched": sorted({(row[0], row[1]) for row in days} | corrected),
            "corrections": [one.name for one in self.corrections.pending()],
        })  # fmt: skip

    def rebuild(self, games: Sequence[str]) -> None:
        """Drop what is kept of games, so that the step gold computes them from all of silver."""
        self._begin("silver")
        self.tables.prepare()
        kept.drop(gold.Iceberg(self.spark, self.tables), games)
        days = self.tables.silver().where(f.col("game_id").isin(list(games)))
        touched = days.select("game_id", f.col("event_date").cast("string")).distinct().collect()
        now = datetime.now(UTC).strftime(bronze.HOUR)
        self._write("silver", {
            "from": now, "to": now, "empty_hours": [], "malformed": 0,
            "games": {game: NOTHING for game, _ in touched},
            "touched": sorted((row[0], row[1]) for row in touched),
        })  # fmt: skip

    def gold(self) -> None:
        """Compute aside what new events change in the tables of the touched games; note what that is."""
        games = self._games()
        self._begin("gold")
        self._write("gold", gold.stage(self.spark, self.tables, games, self._say) if games else {})

    def audit(self) -> None:
        """Judge what is kept aside, and the silver it comes from; note what is wrong, by game."""
        report, games = self._read("silver"), self._games()
        self._begin("audit")
        changed: dict[str, dict[str, str]] = self._read("gold")
        staged = {
            table: self.tables.staged(table).where(" OR ".join(changed[table].values())) for table in changed
        }
        silver = self.tables.silver()
        store = gold.Iceberg(self.spark, self.tables)
        known = kept.read(store, games) if games else {}
        unseen = silver.where(kept.unseen(known, games)) if games else silver
        measured = measure.games(unseen, report["touched"]) if games else {}
        days = measure.days(staged, report["touched"]) if games else {}
        refunds = kept.refunds(store, games) if games else {}
        links = kept.links(store, known)
        counted = {
            game: report["games"][game] | measured.get(game, {}) | refunds.get(game, {}) | links.get(game, {})
            for game in games
        }
        faults: dict[str, list[str]] = {}
        for game, lake in counted.items():
            for words in refused(Lake(**lake)):
                faults.setdefault(game, []).append(words)
        for table in gold.TABLES if games else ():
            for game, words in audit.faults(table, staged[table], games):
                faults.setdefault(game, []).append(words)
        # Of the hour before the run's last one, all has come into the lake.
        hour = datetime.strptime(report["to"], bronze.HOUR) - timedelta(hours=2)
        self._write("audit", {
            "faults": faults, "hour": hour.strftime(bronze.HOUR), "arrived": measure.arrived(silver, hour),
            "games": {game: found | {"days": days.get(game, {})} for game, found in counted.items()},
        })  # fmt: skip

    def publish(self) -> None:
        """Make the staged rows the live ones, but for games with faults: these keep the rows they had."""
        faults = self._read("audit")["faults"]
        games = self._games()
        good = [game for game in games if game not in faults]
        for game, words in faults.items():
            self._say(
                f"SET ASIDE {game}: {'; '.join(words)}. Its published gold is unchanged. "
                f"What to do: {SET_ASIDE_RUNBOOK}"
            )
        if good and not self._has("publish"):
            for table, changed in self._read("gold").items():
                self.tables.publish(table, " OR ".join(changed[game] for game in good), whole=not faults)
            kept.published(gold.Iceberg(self.spark, self.tables), self.id, good)
            self.corrections.published(self._read("silver").get("corrections", ()), good)
        self._write("publish", {"published": good, "set_aside": faults})
        for table in gold.TABLES if games else ():
            self.tables.discard(table)

    def _add(self, rows: DataFrame, keys: DataFrame, days: Sequence[date]) -> dict[str, dict[str, int]]:
        """Add the lines, of the days given, that silver does not hold; return what was counted, by game.

        Raises RunError where other runs keep adding to silver.
        """
        once = keys.where("good AND nth = 1")
        lines, distinct = measure.counts(keys.where("good")), measure.counts(once)
        wanted = once.select(*KEY)
        if sum(distinct.values()) <= BROADCAST_EVENTS:
            wanted = f.broadcast(wanted)
        for _ in range(TRIES):
            since = self.tables.newest(SILVER)
            held = self._near(distinct, days, since).select(*KEY).join(wanted, list(KEY), "left_semi")
            # Taken before adding: a balance against what adding left would always be right.
            before = self._size(distinct, days, since)
            old = once.join(held, list(KEY), "left_semi").select("game_id", "row")
            known = measure.counts(old.persist(StorageLevel.DISK_ONLY))
            added_ms = time.time_ns() // 1_000_000
            try:
                if known != distinct:
                    stale = keys.where("NOT good OR nth > 1").select("row").union(old.select("row"))
                    new = rows.join(stale, "row", "left_anti").select(*bronze.columns().names)
                    self.tables.add(new.withColumn("added_ms", f.lit(added_ms)), since)
            except ConflictError:
                self._say("another writer added to silver meanwhile: looking again what is new")
                old.unpersist()
                continue
            # An append changes no row that was there: only the added ones are read again.
            added = self._near(distinct, days).where(f.col("added_ms") == added_ms)
            held_now = measure.counts(added.join(wanted, list(KEY), "left_semi"))
            size = self._size(distinct, days, self.tables.newest(SILVER))
            return {
                game: {
                    "lines": lines[game], "distinct": count,
                    "held": known.get(game, 0) + held_now.get(game, 0),
                    "duplicates": lines[game] - count + known.get(game, 0),
                    "new": size.get(game, 0) - before.get(game, 0),
                }
                for game, count in distinct.items()
            }  # fmt: skip
        raise RunError(
            f"run {self.id}: other runs kept adding to silver, and nothing of this run was added. Wait for "
            "them to end, then start this run again"
        )

    def _arrived(self, start: datetime, end: datetime) -> tuple[DataFrame, DataFrame]:
        """Return the lines that arrived, and their keys: which are good, and each event's nth copy.

        Both stay on disk, so that lines are parsed once and only keys are sorted and compared.
        """
        good = f.col(bronze.CORRUPT).isNull()
        rows = (
            self.corrections.kept(bronze.read(self.spark, self.lake, start, end))
            .withColumn("row", f.monotonically_increasing_id())
            .withColumn("file", f.when(~good, f.input_file_name()))
            .persist(StorageLevel.DISK_ONLY)
        )
        copies = Window.partitionBy(*KEY, f.when(~good, f.col("row")))
        nth = f.row_number().over(copies.orderBy("received_at", "processed_at", "row"))
        keys = rows.select(*KEY, "event_date", "row", "file", good.alias("good"), nth.alias("nth"))
        return rows, keys.persist(StorageLevel.DISK_ONLY)

    def _near(self, games: Iterable[str], days: Sequence[date], snapshot: int | None = None) -> DataFrame:
        """Return silver's events of games that can be copies of events of the days.

        A client's clock may be set between two sendings; the platform takes no event that is older than this.
        """
        first, last = _reach(days)
        near = f.col("event_date").between(f.lit(first), f.lit(last))
        return self.tables.silver(snapshot).where(f.col("game_id").isin(list(games)) & near)

    def _size(self, games: Iterable[str], days: Sequence[date], snapshot: int) -> dict[str, int]:
        """Return how many events `_near` has of each game, from the table's metadata."""
        return self.tables.size(snapshot, list(games), *_reach(days))

    def _games(self) -> list[str]:
        return sorted({game for game, _ in self._read("silver")["touched"]})

    def _begin(self, step: str) -> None:
        """Remove what an earlier attempt reported of this step and those after it."""
        for name in STEPS[STEPS.index(step) :]:
            bronze.delete(self.spark, self._report(name))

    def _write(self, name: str, report: dict[str, Any]) -> None:
        bronze.write(self.spark, self._report(name), json.dumps(report))

    def _has(self, name: str) -> bool:
        return bronze.exists(self.spark, self._report(name))

    def _read(self, name: str) -> dict[str, Any]:
        if not self._has(name):
            raise RunError(
                f"run {self.id}: its step {name} has not ended, for {self._report(name)} is not there. The "
                f"published gold is unchanged: run the step {name} of this run again, then those after it"
            )
        report: dict[str, Any] = json.loads(bronze.text(self.spark, self._report(name)))
        return report

    def _report(self, name: str) -> str:
        return f"{self.lake}/batch/runs/{self.id}/{name}.json"

    def _say(self, words: str) -> None:
        print(f"run {self.id}: {words}", flush=True)


def _reach(days: Sequence[date]) -> tuple[date, date]:
    """Return the first and the last day of copies: both are accepted, so they are no further apart."""
    first, last = (day(days, default=kept.NEVER) for day in (min, max))
    return first - TOO_OLD_AFTER, last + TOO_OLD_AFTER


def run(options: argparse.Namespace, spark: SparkSession) -> None:
    """Run the step, or all. Raises RunError where a step cannot go on."""
    this = Run(spark, options.database, options.lake.rstrip("/"), options.run_id)
    steps = {"all": STEPS, REBUILD: (REBUILD, *STEPS[1:])}
    for step in steps.get(options.step, (options.step,)):
        print(f"{step} of run {options.run_id}", flush=True)
        if step == "silver":
            this.silver(options.start, options.end)
        elif step == REBUILD:
            this.rebuild(options.game)
        else:
            getattr(this, step)()


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    hour = lambda text: datetime.strptime(text, bronze.HOUR)  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=[*STEPS, "all", REBUILD])
    parser.add_argument("--lake", required=True, help="s3://bucket")
    parser.add_argument("--database", required=True, help="Glue database of the tables")
    parser.add_argument("--run-id", required=True, help="letters, digits and _.:- (a branch has its name)")
    parser.add_argument("--from", dest="start", type=hour, help="first hour of arrival, 2026-01-30T00")
    parser.add_argument("--to", dest="end", type=hour, help="hour after the last")
    parser.add_argument("--game", action="append", default=[], help="game to rebuild; may be given again")
    options = parser.parse_args(given)
    if options.step in ("silver", "all") and not (options.start and options.end):
        parser.error("silver needs --from and --to")
    if options.step == REBUILD and not options.game:
        parser.error("rebuild needs --game")
    if not RUN_ID.fullmatch(options.run_id):
        parser.error(f"{options.run_id!r} cannot be a run's id")
    return options


def main() -> None:
    """Run what the command line says."""
    options = arguments()
    spark = SparkSession.builder.appName(f"batch_analytics {options.step}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        run(options, spark)
    except RunError as error:
        sys.exit(str(error))
