"""The gold tables: the SQL of each, over the events of some games."""

from collections.abc import Iterator, Sequence

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from batch_analytics.bronze import resource

TABLES = (
    "daily", "revenue", "retention", "lifetime_value", "economy", "progression", "stability", "performance",
)  # fmt: skip
# Views that tables share: computed once, kept on disk, so that memory does not grow with the lake.
KEPT = ("purchases", "edges", "installs", "days", "last_day", "stays")
PAYLOAD = (
    "store", "transaction_id", "currency", "amount_minor", "flow", "reason", "amount", "balance_after",
    "status", "level_1", "level_2", "level_3", "fps", "frame_time_ms", "latency_ms", "load_time_ms",
    "memory_mb",
)  # fmt: skip


def sql(name: str) -> str:
    """Return a file of the folder gold."""
    return resource(f"gold/{name}.sql")


def views() -> list[str]:
    """Return the statements that make the views."""
    return [statement for statement in sql("_views").split(";\n") if statement.strip()]


def tables(spark: SparkSession, silver: DataFrame, games: Sequence[str]) -> Iterator[tuple[str, DataFrame]]:
    """Yield each table's name and rows, of the games' whole history."""
    flat(silver.where(f.col("game_id").isin(list(games)))).createOrReplaceTempView("events")
    for statement in views():
        spark.sql(statement)
    for view in KEPT:
        spark.catalog.cacheTable(view, StorageLevel.DISK_ONLY)
    for table in TABLES:
        yield table, spark.sql(sql(table))
    for view in KEPT:
        spark.catalog.uncacheTable(view)


def flat(silver: DataFrame) -> DataFrame:
    """Return events with the payload's fields and the moment in milliseconds as columns."""
    return silver.select(
        "event_id", "event_type", "game_id", "player_id", "session_id", "event_date",
        f.unix_millis("corrected_time").alias("at_ms"), f.to_date("received_at").alias("arrival_date"),
        *(f.coalesce(name, f.lit("unknown")).alias(name) for name in ("platform", "country", "app_version")),
        *(f.col(f"payload.{name}").alias(name) for name in PAYLOAD),
    )  # fmt: skip
