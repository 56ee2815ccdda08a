"""Bronze as rows: each line of the lake's raw hours, typed, with what cannot be read set apart."""

import pkgutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import StringType, StructField, StructType, _parse_datatype_string

CORRUPT = "_corrupt"
HOUR = "%Y-%m-%dT%H"


def resource(name: str) -> str:
    """Return a file of the package, which EMR hands over as a zip."""
    return cast(bytes, pkgutil.get_data("batch_analytics", name)).decode()


def columns() -> StructType:
    """Return silver's columns, generated from the event schemas: one a line of events.ddl."""
    text = resource("events.ddl").strip().replace("\n", ", ")
    return cast(StructType, _parse_datatype_string(text))


def hours(start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the hours of [start, end)."""
    while start < end:
        yield start
        start += timedelta(hours=1)


def missing(spark: SparkSession, lake: str, start: datetime, end: datetime) -> list[datetime]:
    """Return the hours of which bronze has no objects."""
    return [hour for hour in hours(start, end) if not exists(spark, _folder(lake, hour))]


def _folder(lake: str, hour: datetime) -> str:
    return f"{lake}/bronze/{hour:%Y/%m/%d/%H}"


def read(spark: SparkSession, lake: str, start: datetime, end: datetime) -> DataFrame:
    """Return the events that arrived in the hours, and the text of the lines that are none in `_corrupt`."""
    gone = set(missing(spark, lake, start, end))
    present = [_folder(lake, hour) for hour in hours(start, end) if hour not in gone]
    schema = StructType([*columns().fields, StructField(CORRUPT, StringType())])
    if not present:
        return spark.createDataFrame([], schema)
    lines = spark.read.schema(schema).option("columnNameOfCorruptRecord", CORRUPT)
    return lines.option("recursiveFileLookup", "true").json(present).withColumn(
        CORRUPT,
        f.when(f.col("event_id").isNull() | f.col("event_date").isNull() | f.col("game_id").isNull(),
               f.coalesce(f.col(CORRUPT), f.lit("no event")))
        .otherwise(f.col(CORRUPT)),
    )  # fmt: skip


def write(spark: SparkSession, path: str, text: str) -> None:
    """Write a text file, in the place of the one there was."""
    system, where = _located(spark, path)
    stream = system.create(where, True)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()


def text(spark: SparkSession, path: str) -> str:
    """Return what a text file holds."""
    system, where = _located(spark, path)
    stream = system.open(where)
    try:
        return str(spark.sparkContext._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
    finally:
        stream.close()


def exists(spark: SparkSession, path: str) -> bool:
    """Tell whether a path is there."""
    system, where = _located(spark, path)
    return bool(system.exists(where))


def delete(spark: SparkSession, path: str) -> None:
    """Delete a file, where it is there."""
    system, where = _located(spark, path)
    system.delete(where, False)


def _located(spark: SparkSession, path: str) -> tuple[Any, Any]:
    where = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(path)
    return where.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), where
