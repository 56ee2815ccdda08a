"""The Iceberg tables of the lake: silver grows by appends, gold is staged on a branch of each run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.errors.exceptions.base import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import (
    ArrayType,
    DataType,
    DecimalType,
    LongType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from batch_analytics import kept
from batch_analytics.bronze import columns

Partition = tuple[str, str]
SILVER = "events"
ADDED = StructField("added_ms", LongType())
MAIN = "main"
# A run that died leaves its branches; expiring snapshots removes them when they are older.
BRANCH_DAYS = 7


class RunError(Exception):
    """A run cannot go on; the message names the run, what is wrong and the next step."""


class ConflictError(Exception):
    """Another writer added rows since the table was read."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of a table."""

    id: int
    parent: int | None
    operation: str


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a Glue database as one run sees them; every write can be repeated."""

    spark: SparkSession
    database: str
    run: str

    def prepare(self) -> None:
        """Complete silver, the gold tables and the kept ones: partitions, silver's columns, a first snapshot.

        Terraform's provider declares no partitions, and a table without a snapshot takes no branch.
        Raises RunError for a table that is not there.
        """
        made: list[str] = []
        for table in (SILVER, *kept.GOLD, *kept.TABLES, kept.ACCOUNTS, kept.GAMES):
            known = self._metadata(table)
            has = [field.name() for field in known.spec().fields()]
            for field, transform in partitions(table).items():
                if field not in has:
                    self.spark.sql(f"ALTER TABLE {self.name(table)} ADD PARTITION FIELD {transform}")
            if not known.currentSnapshot():
                self._metadata(table).newAppend().commit()
                made.append(table)
        if made and not {SILVER, kept.GAMES} & set(made):
            # Somebody dropped tables and made them again: what is kept says that they are complete.
            self.spark.sql(f"DELETE FROM {self.name(kept.GAMES)}")  # noqa: S608 - an identifier
        self._widen(SILVER, StructType([*columns(), ADDED]))

    def silver(self, snapshot: int | None = None) -> DataFrame:
        """Return all events, of the newest or the given snapshot; their times have a zone in either case."""
        reader = self.spark.read
        reader = reader.option("snapshot-id", snapshot) if snapshot else reader
        return _zoned(reader.table(self.name(SILVER)))

    def size(self, snapshot: int, games: Sequence[str], first: date, last: date) -> dict[str, int]:
        """Return how many events of each game a snapshot of silver holds between two days, both included."""
        partitions = self.spark.read.option("snapshot-id", snapshot).table(f"{self.name(SILVER)}.partitions")
        where = f.col("partition.game_id").isin(list(games)) & f.col("partition.event_date").between(
            f.lit(first), f.lit(last)
        )
        rows = f.col("record_count") - f.col("position_delete_record_count")
        counted = partitions.where(where).groupBy("partition.game_id").agg(f.sum(rows))
        return {row[0]: int(row[1]) for row in counted.collect()}

    def newest(self, table: str) -> int:
        """Return the id of the newest snapshot."""
        return self._branches(table)[MAIN]

    def add(self, events: DataFrame, since: int) -> None:
        """Append events that silver did not hold in the snapshot `since`.

        Raises ConflictError where another writer has added rows since then, and adds nothing.
        """
        self._widen(SILVER, events.schema)
        # An overwrite of no rows: unlike an append it can be bound to the snapshot that was read.
        write = self._writer(SILVER, self.name(SILVER), events)
        write = write.option("isolation-level", "serializable").option("validate-from-snapshot-id", since)
        try:
            write.overwrite(f.lit(False))
        except Exception as error:
            if "conflicting" in str(error):
                raise ConflictError(str(error)) from error
            raise

    def append(self, table: str, rows: DataFrame) -> None:
        """Add rows to a table."""
        self._writer(table, self.name(table), rows).append()

    def overwrite(self, table: str, rows: DataFrame) -> None:
        """Make rows the table."""
        self._writer(table, self.name(table), rows).overwrite(f.lit(True))

    def stage(self, table: str, rows: DataFrame, replaced: str) -> None:
        """Replace the rows that the predicate names, whole partitions, on the run's branch of a table."""
        self._widen(table, rows.schema)
        known = self._metadata(table)
        change = known.manageSnapshots()
        begin = change.replaceBranch if self.run in self._branches(table) else change.createBranch
        begin(self.run, known.currentSnapshot().snapshotId())
        change.setMaxRefAgeMs(self.run, BRANCH_DAYS * 24 * 3600 * 1000).commit()
        self._writer(table, f"{self.name(table)}.`branch_{self.run}`", rows).overwrite(f.expr(replaced))

    def staged(self, table: str) -> DataFrame:
        """Return a table as the run's branch has it. Raises RunError where the run staged nothing."""
        if self.run not in self._branches(table):
            raise RunError(
                f"run {self.run}: {self.database}.{table} has no branch of this run, so that its gold is not "
                "complete. The published rows are unchanged: run the step gold of this run again"
            )
        return self.spark.read.option("branch", self.run).table(self.name(table))

    def publish(self, table: str, replaced: str, whole: bool) -> None:
        """Make the staged rows that the predicate names the published ones; `whole`: they are all it staged.

        Compaction may have rewritten the table meanwhile. Raises RunError where another run published.
        """
        staged = self.staged(table)
        branches, snapshots = self._branches(table), self._snapshots(table)
        ours, live = (list(_line(snapshots, branches[name])) for name in (self.run, MAIN))
        if branches[self.run] in live:
            return
        if whole and branches[MAIN] in ours:
            self._metadata(table).manageSnapshots().fastForwardBranch(MAIN, self.run).commit()
            return
        since = [one for one in live if one not in ours]
        common = len(since) < len(live)
        if not common or any(snapshots[one].operation != "replace" for one in since):
            raise RunError(
                f"run {self.run}: another run has published {self.database}.{table} since this run computed "
                "it. Nothing of this table is published: run gold, audit and publish of this run again"
            )
        self._writer(table, self.name(table), staged.where(replaced)).overwrite(f.expr(replaced))

    def discard(self, table: str) -> None:
        """Drop the run's branch of a table, where there is one."""
        if self.run in self._branches(table):
            self._metadata(table).manageSnapshots().removeBranch(self.run).commit()

    def name(self, table: str) -> str:
        """Return a table's name for SQL, quoted: one of gold's is a keyword of Iceberg's."""
        return f"`lake`.`{self.database}`.`{table}`"

    def _schema(self, table: str) -> StructType:
        return self.spark.table(self.name(table)).schema

    def _metadata(self, table: str) -> Any:
        """Return Iceberg's own object of a table: it answers what a query of Spark's would cost seconds for.

        Raises RunError where the table is not there, or is not Iceberg's.
        """
        iceberg = self.spark._jvm.org.apache.iceberg.spark.Spark3Util
        try:
            return iceberg.loadIcebergTable(self.spark._jsparkSession, self.name(table))
        except PySparkException as error:
            if "TABLE_OR_VIEW_NOT_FOUND" not in str(error) and "Not an iceberg table" not in str(error):
                raise
            raise RunError(
                f"run {self.run}: {self.database}.{table} is not there, or is not an Iceberg table. Bronze "
                "still has every event: create the table again as docs/runbooks/batch-analytics.md says, "
                "then start this run again"
            ) from error

    def _widen(self, table: str, schema: StructType) -> None:
        """Add the columns that a table lacks: those of new event types, and new metrics."""
        for column in lacking(schema, self._schema(table)):
            self.spark.sql(f"ALTER TABLE {self.name(table)} ADD COLUMN {column}")

    def _writer(self, table: str, target: str, rows: DataFrame) -> Any:
        fitted = fit(rows, self._schema(table), table)
        # Without it a task holds a file open for every partition that it meets: 500 days take 2 GB.
        write = fitted.writeTo(target).option("fanout-enabled", "false")
        return write.option("snapshot-property.run", self.run)

    def _branches(self, table: str) -> dict[str, int]:
        refs = self._metadata(table).refs()
        return {name: refs[name].snapshotId() for name in refs if refs[name].isBranch()}

    def _snapshots(self, table: str) -> dict[int, Snapshot]:
        found = (
            Snapshot(one.snapshotId(), one.parentId(), one.operation())
            for one in self._metadata(table).snapshots()
        )
        return {one.id: one for one in found}


def partitions(table: str) -> dict[str, str]:
    """Return the partition fields of a table: names and transforms.

    A night changes a day or a month of days of a table. Months keep the number of small files low.
    """
    if table == SILVER:
        return {"game_id": "`game_id`", "event_date": "`event_date`"}
    if table == kept.GAMES:
        return {}
    if table in ("kept_players", "kept_currencies", kept.LINKS, kept.ACCOUNTS):
        return {"game_id": "`game_id`"}
    day = kept.GOLD.get(table, "event_date")
    return {"game_id": "`game_id`", f"{day}_month": f"months(`{day}`)"}


def _line(snapshots: dict[int, Snapshot], newest: int | None) -> Iterator[int]:
    """Yield a snapshot and those before it, as far as they have not expired."""
    while newest in snapshots:
        yield newest
        newest = snapshots[newest].parent


def _zoned(rows: DataFrame) -> DataFrame:
    """Return rows whose times have a zone, UTC: Glue's own timestamp has none."""
    without = [field.name for field in rows.schema if isinstance(field.dataType, TimestampNTZType)]
    return rows.withColumns({name: f.col(name).cast("timestamp") for name in without})


def lacking(wanted: StructType, has: StructType, within: str = "") -> Iterator[str]:
    """Yield the columns of one schema that another lacks, with their types; fields of structs too."""
    for field in wanted.fields:
        name, kind = f"{within}`{field.name}`", field.dataType
        if field.name not in has.fieldNames():
            yield f"{name} {kind.simpleString()}"
        elif isinstance(kind, StructType):
            yield from lacking(kind, has[field.name].dataType, f"{name}.")


def fit(rows: DataFrame, schema: StructType, table: str) -> DataFrame:
    """Return rows with exactly a table's columns; one that they do not have is null, within structs too.

    Raises RunError for a column that the table cannot hold.
    """
    has = rows.schema
    return rows.select(
        *(
            _fit(f.col(f"`{one.name}`"), _type(has, one.name), one.dataType, f"{table}.{one.name}")
            .alias(one.name)
            for one in schema
        )
    )  # fmt: skip


def _fit(column: Column, has: DataType | None, wanted: DataType, where: str) -> Column:
    if has is None:
        return f.lit(None).cast(wanted)
    if isinstance(has, StructType) and isinstance(wanted, StructType):
        fields = [
            _fit(column[one.name], _type(has, one.name), one.dataType, f"{where}.{one.name}").alias(one.name)
            for one in wanted
        ]
        return f.when(column.isNotNull(), f.struct(*fields))
    if has == wanted:
        return column
    if _widens(has, wanted):
        return column.cast(wanted)
    raise RunError(f"{where} is {wanted.simpleString()} and cannot hold {has.simpleString()}")


def _widens(has: DataType, wanted: DataType) -> bool:
    times = (TimestampType, TimestampNTZType)
    if isinstance(has, ArrayType) and isinstance(wanted, ArrayType):
        return bool(has.elementType == wanted.elementType)
    if isinstance(wanted, DecimalType):
        whole = wanted.precision - wanted.scale
        if isinstance(has, DecimalType):
            return bool(whole >= has.precision - has.scale and wanted.scale >= has.scale)
        return isinstance(has, LongType) and bool(whole >= 19)
    return isinstance(has, times) and isinstance(wanted, times)


def _type(schema: StructType, name: str) -> DataType | None:
    return schema[name].dataType if name in schema.fieldNames() else None
