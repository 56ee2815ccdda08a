"""Where silver and gold live: Iceberg tables on AWS, plain Parquet where its jars cannot be had."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import StructType

from batch_analytics.bronze import columns, exists

Partition = tuple[str, str]
SILVER = "events"
PARTITIONS = ("game_id", "event_date")


class Tables(Protocol):
    """What the job needs of a table format; every write can be repeated."""

    def prepare(self, gold: Sequence[str]) -> None:
        """Partition silver and the gold tables named, where they are not yet."""

    def silver(self) -> DataFrame:
        """Return all events."""

    def add(self, events: DataFrame, touched: Sequence[Partition]) -> None:
        """Add events that silver does not hold; `touched` are their games and days."""

    def stage(self, run: str, table: str, rows: DataFrame, games: Sequence[str]) -> None:
        """Keep the new rows of games aside."""

    def staged(self, run: str, table: str) -> DataFrame | None:
        """Return what is kept aside, None where there are no rows."""

    def publish(self, run: str, table: str, games: Sequence[str]) -> None:
        """Put the games' rows in the place of those they had."""


class Parquet:
    """Directories partitioned by game; a partition is replaced by renaming its new content into its place."""

    def __init__(self, spark: SparkSession, lake: str) -> None:
        """Take the lake's URI."""
        self.spark, self.lake = spark, lake

    def prepare(self, gold: Sequence[str]) -> None:
        """Do nothing: the directories are the partitions."""

    def silver(self) -> DataFrame:
        """Return all events."""
        path = f"{self.lake}/silver/events"
        if not exists(self.spark, path):
            return self.spark.createDataFrame([], columns())
        return self.spark.read.schema(columns()).parquet(path)

    def add(self, events: DataFrame, touched: Sequence[Partition]) -> None:
        """Write each touched game and day anew: what it held, and what is new."""
        keys = self.spark.createDataFrame(list(touched), "game_id string, event_date string")
        keys = keys.withColumn("event_date", f.col("event_date").cast("date"))
        held = self.silver().join(f.broadcast(keys), ["game_id", "event_date"], "left_semi")
        aside = f"{self.lake}/batch/merging"
        whole = held.unionByName(events).repartition("game_id", "event_date")
        whole.write.mode("overwrite").partitionBy("game_id", "event_date").parquet(aside)
        for game, day in touched:
            part = f"game_id={game}/event_date={day}"
            if exists(self.spark, f"{aside}/{part}"):
                self._replace(f"{aside}/{part}", f"{self.lake}/silver/events/{part}")

    def stage(self, run: str, table: str, rows: DataFrame, games: Sequence[str]) -> None:
        """Write rows below the run's own directory."""
        whole = rows.repartition("game_id")
        whole.write.mode("overwrite").partitionBy("game_id").parquet(self._aside(run, table))

    def staged(self, run: str, table: str) -> DataFrame | None:
        """Read the run's rows."""
        aside = self._aside(run, table)
        found = self._fs(aside).globStatus(self._path(f"{aside}/game_id=*"))
        return self.spark.read.parquet(aside) if len(found) else None

    def publish(self, run: str, table: str, games: Sequence[str]) -> None:
        """Copy the run's partitions over the live ones, so that a run can be published again."""
        for game in games:
            source, target = (
                f"{self._aside(run, table)}/game_id={game}",
                f"{self.lake}/gold/{table}/game_id={game}",
            )
            if not exists(self.spark, source):
                self._delete(target)
                continue
            copy = f"{self.lake}/batch/publishing/{table}"
            self._delete(copy)
            path, fs, configuration = self._path(source), self._fs(source), self._configuration()
            util = self.spark.sparkContext._jvm.org.apache.hadoop.fs.FileUtil
            util.copy(fs, path, fs, self._path(copy), False, configuration)
            self._replace(copy, target)

    def _aside(self, run: str, table: str) -> str:
        return f"{self.lake}/batch/runs/{run}/gold/{table}"

    def _replace(self, source: str, target: str) -> None:
        self._delete(target)
        fs = self._fs(target)
        fs.mkdirs(self._path(target).getParent())
        if not fs.rename(self._path(source), self._path(target)):
            raise OSError(f"{source} cannot be moved to {target}")

    def _delete(self, target: str) -> None:
        self._fs(target).delete(self._path(target), True)

    def _path(self, path: str) -> Any:
        return self.spark.sparkContext._jvm.org.apache.hadoop.fs.Path(path)

    def _fs(self, path: str) -> Any:
        return self._path(path).getFileSystem(self._configuration())

    def _configuration(self) -> Any:
        return self.spark.sparkContext._jsc.hadoopConfiguration()


class Iceberg:
    """Tables of the Glue catalog: silver by appends, gold on a branch that publishing makes the table."""

    def __init__(self, spark: SparkSession, database: str) -> None:
        """Take the database's name."""
        self.spark, self.database = spark, database

    def prepare(self, gold: Sequence[str]) -> None:
        """Add the partition fields that a table lacks: Terraform's provider cannot declare them."""
        for table in (SILVER, *gold):
            name = self._name(table)
            made = self.spark.sql(f"SHOW CREATE TABLE {name}").head()[0]
            partitioned = re.search(r"PARTITIONED BY \((.*?)\)", made)
            has = re.findall(r"\w+", partitioned[1]) if partitioned else []
            for field in PARTITIONS if table == SILVER else PARTITIONS[:1]:
                if field not in has:
                    self.spark.sql(f"ALTER TABLE {name} ADD PARTITION FIELD {field}")

    def silver(self) -> DataFrame:
        """Return all events."""
        return self.spark.table(self._name(SILVER))

    def add(self, events: DataFrame, touched: Sequence[Partition]) -> None:
        """Append; silver's writers run one at a time, so what was new when it was read still is."""
        self._widen(self._name(SILVER), events.schema)
        events.writeTo(self._name(SILVER)).append()

    def stage(self, run: str, table: str, rows: DataFrame, games: Sequence[str]) -> None:
        """Replace the games' rows on a branch of the run."""
        name = self._name(table)
        self._widen(name, rows.schema)
        self.spark.sql(f"ALTER TABLE {name} CREATE OR REPLACE BRANCH `{run}`")
        rows.writeTo(f"{name}.`branch_{run}`").overwrite(f.col("game_id").isin(list(games)))

    def staged(self, run: str, table: str) -> DataFrame | None:
        """Read the run's branch."""
        return self.spark.read.option("branch", run).table(self._name(table))

    def publish(self, run: str, table: str, games: Sequence[str]) -> None:
        """Make the branch the table."""
        self.spark.sql(f"CALL lake.system.fast_forward('{self.database}.{table}', 'main', '{run}')")

    def _widen(self, name: str, schema: StructType) -> None:
        """Add the columns that a table lacks: those of new event types, and new metrics."""
        for column in lacking(schema, self.spark.table(name).schema):
            self.spark.sql(f"ALTER TABLE {name} ADD COLUMN {column}")

    def _name(self, table: str) -> str:
        return f"lake.{self.database}.{table}"


def lacking(wanted: StructType, has: StructType, within: str = "") -> Iterator[str]:
    """Yield the columns of one schema that another lacks, with their types; fields of structs too."""
    for field in wanted.fields:
        name, kind = f"{within}`{field.name}`", field.dataType
        if field.name not in has.fieldNames():
            yield f"{name} {kind.simpleString()}"
        elif isinstance(kind, StructType):
            yield from lacking(kind, has[field.name].dataType, f"{name}.")
