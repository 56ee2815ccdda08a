"""The lake's Iceberg tables on the emulator, whose Glue makes plain ones where Terraform declares them."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IcebergType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
)

# Those that Terraform declares as Iceberg's are below these prefixes of the bucket.
PREFIXES = ("silver/", "gold/", "kept/")
PARTITIONS = ("game_id", "event_date")
SILVER, KEPT_GAMES = "events", "kept_games"
SIMPLE: Mapping[str, IcebergType] = {
    "bigint": LongType(),
    "boolean": BooleanType(),
    "date": DateType(),
    "double": DoubleType(),
    "string": StringType(),
    "timestamp": TimestampType(),
    "timestamptz": TimestamptzType(),
}


def catalog() -> Catalog:
    """Return Glue's catalogue, of the account that the environment's credentials and endpoint name."""
    return GlueCatalog("lake", **_properties())


def _properties() -> dict[str, str]:
    region = os.environ.get("AWS_REGION") or boto3.Session().region_name or ""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    found = {"client.region": region, "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}
    if endpoint:
        found |= {"glue.endpoint": endpoint, "s3.endpoint": endpoint, "s3.force-virtual-addressing": "false"}
    return found


def create(database: str) -> Iterator[str]:
    """Make partitioned Iceberg tables of a database's plain ones; yield the names of those that were made."""
    glue, tables = boto3.client("glue"), catalog()
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    for table in (table for page in pages for table in page["TableList"]):
        location = table.get("StorageDescriptor", {}).get("Location", "")
        below = location.removeprefix("s3://").partition("/")[2]
        if below.startswith(PREFIXES) and "metadata_location" not in table.get("Parameters", {}):
            glue.delete_table(DatabaseName=database, Name=table["Name"])
            _create(tables, database, table["Name"], location, table["StorageDescriptor"]["Columns"])
            yield table["Name"]


def _create(tables: Catalog, database: str, name: str, location: str, columns: list[Any]) -> None:
    schema = schema_of({column["Name"]: column["Type"] for column in columns})
    # The job adds the other fields of gold and of what it keeps.
    fields = PARTITIONS if name == SILVER else PARTITIONS[:1] if name != KEPT_GAMES else ()
    spec = PartitionSpec(
        *(
            PartitionField(schema.find_field(field).field_id, 1000 + index, IdentityTransform(), field)
            for index, field in enumerate(fields)
        )
    )
    tables.create_table((database, name), schema, location, spec, properties={"format-version": "2"})


def schema_of(columns: Mapping[str, str], *, zoned: bool = False) -> Schema:
    """Return the Iceberg schema of Glue's columns: their types by name.

    Glue's timestamp has no zone; `zoned` gives it one, as engines that write the table first do.
    """
    numbers = iter(range(1, 10_000))
    if zoned:
        columns = {name: "timestamptz" if kind == "timestamp" else kind for name, kind in columns.items()}
    return Schema(*(_field(next(numbers), name, kind, numbers) for name, kind in columns.items()))


def _field(number: int, name: str, kind: str, numbers: Iterator[int]) -> NestedField:
    return NestedField(number, name, _type(kind, numbers), required=False)


def _type(kind: str, numbers: Iterator[int]) -> IcebergType:
    outer, _, rest = kind.partition("<")
    if outer == "struct":
        parts = (part.split(":", 1) for part in _split(rest[:-1]))
        return StructType(*(_field(next(numbers), name, inner, numbers) for name, inner in parts))
    if outer == "array":
        return ListType(next(numbers), _type(rest[:-1], numbers), element_required=False)
    if outer == "map":
        key, value = _split(rest[:-1])
        key_id, value_id = next(numbers), next(numbers)
        return MapType(key_id, _type(key, numbers), value_id, _type(value, numbers), value_required=False)
    if kind.startswith("decimal("):
        precision, scale = kind[len("decimal(") : -1].split(",")
        return DecimalType(int(precision), int(scale))
    return SIMPLE[kind]


def _split(text: str) -> list[str]:
    """Return the parts between commas that are within no brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
