"""Corrections in the history: what they take back leaves silver and never comes again. Bronze keeps it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from telemetry.corrections import APPLIED, PREFIX, Correction

from batch_analytics import bronze, gold, kept
from batch_analytics.tables import SILVER, Partition, Tables


@dataclass(frozen=True, slots=True)
class Corrections:
    """The corrections of a lake: all of them, and those that no published gold has yet."""

    spark: SparkSession
    lake: str
    all: tuple[Correction, ...]

    @classmethod
    def read(cls, spark: SparkSession, lake: str) -> "Corrections":
        """Return what the lake holds."""
        if not bronze.exists(spark, f"{lake}/{PREFIX}"):
            return cls(spark, lake, ())
        texts = spark.read.text(f"{lake}/{PREFIX}/*.json", wholetext=True).collect()
        return cls(spark, lake, tuple(Correction.read(row[0]) for row in texts))

    def kept(self, rows: DataFrame) -> DataFrame:
        """Return the lines of bronze that no correction takes back."""
        return rows.where(~f.coalesce(f.expr(predicate(self.all)), f.lit(False)))

    def pending(self) -> tuple[Correction, ...]:
        """Return those that published gold does not have."""
        return tuple(one for one in self.all if not bronze.exists(self.spark, self._mark(one)))

    def apply(self, tables: Tables) -> set[Partition]:
        """Take the events of pending corrections out of silver; return the games and days that change.

        A game that silver does not know has nothing to change.
        """
        pending = self.pending()
        if not pending:
            return set()
        where = predicate(pending)
        known = gold.Iceberg(self.spark, tables).held(sorted({one.game_id for one in pending}))
        events = tables.silver().where(where)
        days = events.select("game_id", f.col("event_date").cast("string")).distinct().collect()
        if days:
            self.spark.sql(f"DELETE FROM {tables.name(SILVER)} WHERE {where}")  # noqa: S608 - literals
        touched = {(row[0], row[1]) for row in days}
        return touched | {(one.game_id, day) for one in pending for day in one.days if one.game_id in known}

    def published(self, names: Iterable[str], games: Sequence[str]) -> None:
        """Note that the published gold of games has the corrections of these names."""
        wanted = set(names)
        for one in self.all:
            if one.name in wanted and one.game_id in games:
                bronze.write(self.spark, self._mark(one), one.corrected_at)

    def _mark(self, one: Correction) -> str:
        return f"{self.lake}/{APPLIED}/{one.name}"


def predicate(corrections: Iterable[Correction]) -> str:
    """Return the predicate of the events that corrections take back."""
    conditions = [
        (f"event_id IN ({', '.join(map(kept.literal, one.event_ids))})", one.game_id)
        if one.event_ids
        else (
            f"event_type = 'purchase' AND payload.store = {kept.literal(one.store)} "
            f"AND payload.transaction_id = {kept.literal(one.transaction_id)}",
            one.game_id,
        )
        for one in corrections
    ]
    return kept.either(conditions)
