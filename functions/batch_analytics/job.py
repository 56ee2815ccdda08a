"""The steps of a run: silver, gold, audit, publish. Each can be run again, and changes nothing then."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.window import Window

from batch_analytics import audit, bronze, gold, measure
from batch_analytics.tables import Iceberg, Parquet, Tables

KEY = ("game_id", "event_id")
STEPS = ("silver", "gold", "audit", "publish")


class Run:
    """One run over the lake: its id names what it keeps aside and reports."""

    def __init__(self, spark: SparkSession, tables: Tables, lake: str, run_id: str) -> None:
        """Take the session, the tables, the lake's URI and the run's id."""
        self.spark, self.tables, self.lake, self.id = spark, tables, lake, run_id

    def silver(self, start: datetime, end: datetime) -> None:
        """Add the events that arrived in [start, end) to silver; note which games and days they touch."""
        rows, keys = self._arrived(start, end)
        once = keys.where("good AND nth = 1")
        lines, distinct = measure.counts(keys.where("good")), measure.counts(once)
        malformed = keys.where("NOT good").count()
        days = once.select("game_id", f.col("event_date").cast("string")).distinct().collect()
        touched = sorted((row[0], row[1]) for row in days)
        # Counted before adding: a balance against what adding left would always be right.
        before = measure.counts(self._of(distinct))
        old = once.join(self._of(distinct).select(*KEY), list(KEY), "left_semi").select("game_id", "row")
        known = measure.counts(old.persist(StorageLevel.DISK_ONLY))
        self.tables.prepare(gold.TABLES)
        if known != distinct:
            stale = keys.where("NOT good OR nth > 1").select("row").union(old.select("row"))
            new = rows.join(stale, "row", "left_anti").select(*bronze.columns().names)
            self.tables.add(new, touched)
        held = measure.counts(self._of(distinct).join(once.select(*KEY), list(KEY), "left_semi"))
        size = measure.counts(self._of(distinct))
        games = {
            game: {
                "lines": lines[game], "distinct": count, "held": held.get(game, 0),
                "duplicates": lines[game] - count + known.get(game, 0),
                "new": size.get(game, 0) - before.get(game, 0),
            }
            for game, count in distinct.items()
        }  # fmt: skip
        self.spark.catalog.clearCache()
        self._write("silver", {
            "from": start.strftime(bronze.HOUR), "to": end.strftime(bronze.HOUR),
            "malformed": malformed, "games": games, "touched": touched,
        })  # fmt: skip

    def gold(self) -> None:
        """Compute the touched games' tables aside: a late day can change any later, so all days."""
        games = self._games()
        for table, rows in gold.tables(self.spark, self.tables.silver(), games) if games else ():
            self.tables.stage(self.id, table, rows, games)

    def audit(self) -> list[str]:
        """Judge what is kept aside; return what is wrong."""
        report, games = self._read("silver"), self._games()
        faults = list(audit.balance(report["games"]))
        for table in gold.TABLES if games else ():
            faults += audit.faults(table, self.tables.staged(self.id, table), games)
        # Of the hour before the run's last one, all has come into the lake.
        hour = datetime.strptime(report["to"], bronze.HOUR) - timedelta(hours=2)
        silver = self.tables.silver()
        measured = measure.games(silver, report["touched"]) if games else {}
        daily, revenue = (self.tables.staged(self.id, table) for table in ("daily", "revenue"))
        days = measure.days(daily, revenue, report["touched"]) if games else {}
        self._write("audit", {
            "faults": faults, "hour": hour.strftime(bronze.HOUR), "arrived": measure.arrived(silver, hour),
            "games": {
                game: report["games"][game] | measured.get(game, {}) | {"days": days.get(game, {})}
                for game in games
            },
        })  # fmt: skip
        return faults

    def publish(self) -> None:
        """Make the staged rows the live ones. Raises ValueError where the audit found faults."""
        if faults := self._read("audit")["faults"]:
            raise ValueError(f"run {self.id} has faults: {faults[0]}")
        games = self._games()
        for table in gold.TABLES if games else ():
            self.tables.publish(self.id, table, games)

    def _arrived(self, start: datetime, end: datetime) -> tuple[DataFrame, DataFrame]:
        """Return the lines that arrived, and their keys: which are good, and each event's nth copy.

        Both stay on disk, so that lines are parsed once and only keys are sorted and compared.
        """
        rows = bronze.read(self.spark, self.lake, start, end).withColumn(
            "row", f.monotonically_increasing_id()
        )
        rows = rows.persist(StorageLevel.DISK_ONLY)
        good = f.col(bronze.CORRUPT).isNull()
        copies = Window.partitionBy(*KEY, f.when(~good, f.col("row")))
        nth = f.row_number().over(copies.orderBy("received_at", "processed_at", "row"))
        keys = rows.select(*KEY, "event_date", "row", good.alias("good"), nth.alias("nth"))
        return rows, keys.persist(StorageLevel.DISK_ONLY)

    def _of(self, games: Iterable[str]) -> DataFrame:
        return self.tables.silver().where(f.col("game_id").isin(list(games)))

    def _games(self) -> Sequence[str]:
        return sorted({game for game, _ in self._read("silver")["touched"]})

    def _write(self, name: str, report: dict[str, Any]) -> None:
        bronze.write(self.spark, self._report(name), json.dumps(report))

    def _read(self, name: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.spark.read.text(self._report(name)).head()[0])
        return report

    def _report(self, name: str) -> str:
        return f"{self.lake}/batch/runs/{self.id}/{name}.json"


def run(options: argparse.Namespace, spark: SparkSession) -> int:
    """Run the step, or all; return the exit status."""
    tables: Tables = (
        Iceberg(spark, options.database) if options.format == "iceberg" else Parquet(spark, options.lake)
    )
    this = Run(spark, tables, options.lake.rstrip("/"), options.run_id)
    for step in STEPS if options.step == "all" else [options.step]:
        print(f"{step} of run {options.run_id}", flush=True)
        if step == "silver":
            this.silver(options.start, options.end)
        elif faults := getattr(this, step)():
            print("\n".join(["The audit found faults; gold stays as it was:", *faults]), file=sys.stderr)
            return 1
    return 0


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    hour = lambda text: datetime.strptime(text, bronze.HOUR)  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=[*STEPS, "all"])
    parser.add_argument("--lake", required=True, help="s3://bucket, or file:///directory")
    parser.add_argument("--database", default="", help="Glue database of the Iceberg tables")
    parser.add_argument("--format", choices=["iceberg", "parquet"], default="iceberg")
    parser.add_argument("--run-id", required=True)
    parser.add_argument("--from", dest="start", type=hour, help="first hour of arrival, 2026-01-30T00")
    parser.add_argument("--to", dest="end", type=hour, help="hour after the last")
    options = parser.parse_args(given)
    if options.step in ("silver", "all") and not (options.start and options.end):
        parser.error("silver wants --from and --to")
    return options


def main() -> None:
    """Run what the command line says."""
    options = arguments()
    spark = SparkSession.builder.appName(f"batch_analytics {options.step}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    sys.exit(run(options, spark))
