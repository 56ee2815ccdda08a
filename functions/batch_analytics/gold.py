"""The gold tables on Spark: what a run changes of them, from what is kept between runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from batch_analytics import kept
from batch_analytics.tables import SILVER, Tables

TABLES = tuple(kept.GOLD)


@dataclass(frozen=True, slots=True)
class Iceberg:
    """The kept tables in the lake's Iceberg tables."""

    spark: SparkSession
    tables: Tables

    def name(self, table: str) -> str:
        """Return a table's name for SQL."""
        return self.tables.name(table)

    def rows(self, query: str) -> Sequence[Sequence[Any]]:
        """Return the rows of a query."""
        return [tuple(row) for row in self.spark.sql(query).collect()]

    def columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns."""
        return [str(name) for name in self.spark.table(self.name(table)).columns]

    def view(self, name: str, query: str) -> None:
        """Name a query."""
        self.spark.sql(query).createOrReplaceTempView(name)

    def share(self, view: str) -> None:
        """Compute a view once, when it is first read, and keep it on disk."""
        self.spark.catalog.cacheTable(view, StorageLevel.DISK_ONLY)

    def append(self, table: str, query: str) -> None:
        """Add the rows of a query to a table."""
        self.tables.append(table, self.spark.sql(query))

    def delete(self, table: str, predicate: str) -> None:
        """Delete rows of a table."""
        self.spark.sql(f"DELETE FROM {self.name(table)} WHERE {predicate}")

    def replace(self, table: str, predicate: str, query: str) -> None:
        """Put the rows of a query in the place of others, at once; the table is small."""
        others = self.spark.table(self.name(table)).where(f"NOT ({predicate})")
        self.tables.overwrite(table, self.spark.sql(query).unionByName(others))

    def held(self, games: Sequence[str]) -> Mapping[str, int]:
        """Return how many events silver holds of each game, from the table's metadata."""
        rows = self.rows(
            "SELECT partition.game_id, SUM(record_count - position_delete_record_count) "
            f"FROM {self.name(SILVER)}.partitions WHERE partition.{kept.among(games)} "
            "GROUP BY partition.game_id"
        )
        return {row[0]: int(row[1]) for row in rows}


def stage(
    spark: SparkSession, tables: Tables, games: Sequence[str], say: Callable[[str], None]
) -> dict[str, dict[str, str]]:
    """Keep what the new events of games add, and stage the gold that changes.

    Returns the predicate of the partitions that were staged of each table and game.
    """
    flat(tables.silver()).createOrReplaceTempView("silver")
    night = kept.Night(Iceberg(spark, tables), tables.run, say)
    staged: dict[str, dict[str, str]] = {}
    for table, change in night.changes(games):
        if table not in TABLES:
            continue
        rows, staged[table] = whole_months(spark, tables, table, change)
        tables.stage(table, rows, " OR ".join(staged[table].values()))
    night.end()
    spark.catalog.clearCache()
    return staged


def whole_months(
    spark: SparkSession, tables: Tables, table: str, change: kept.Change
) -> tuple[DataFrame, dict[str, str]]:
    """Return the new content of the partitions that a change touches, and their predicate by game."""
    months: dict[str, str] = {}
    for game, days in change.replaced.items():
        months[game] = (
            kept.among([game]) if days is None else kept.either([(_months(change.column, days), game)])
        )
    rows = spark.sql(change.query)
    others = {game: days for game, days in change.replaced.items() if days is not None}
    if others:
        published = spark.table(tables.name(table)).where(" OR ".join(months[game] for game in others))
        unchanged = published.where(f"NOT ({kept.on(others, change.column)})")
        rows = rows.unionByName(unchanged, allowMissingColumns=True)
    return rows, months


def _months(column: str, days: set[date]) -> str:
    firsts = sorted({day.replace(day=1) for day in days})
    following = [date(day.year + day.month // 12, day.month % 12 + 1, 1) for day in firsts]
    return " OR ".join(_spans(column, list(zip(firsts, following, strict=True)))) or "FALSE"


def _spans(column: str, months: list[tuple[date, date]]) -> Iterator[str]:
    """Yield the predicates of months, those next to each other as one."""
    for index, (first, last) in enumerate(months):
        if index and months[index - 1][1] == first:
            continue
        end = last
        for start, following in months[index + 1 :]:
            if start == end:
                end = following
        yield f"({column} >= {kept.literal(first)} AND {column} < {kept.literal(end)})"


def flat(silver: DataFrame) -> DataFrame:
    """Return events with the payload's fields and the moment in milliseconds as columns."""
    return silver.select(
        "event_id", "event_type", "game_id", "player_id", "session_id", "event_date", "added_ms",
        f.coalesce("verified", f.lit(False)).alias("verified"),
        f.unix_millis("corrected_time").alias("at_ms"), f.to_date("received_at").alias("arrival_date"),
        *(f.coalesce(name, f.lit("unknown")).alias(name) for name in ("platform", "country", "app_version")),
        *kept.CUSTOM,
        *(f.col(f"payload.{name}").alias(name) for name in kept.PAYLOAD),
    )  # fmt: skip
