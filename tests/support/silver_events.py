"""Silver in memory: the table `events` in DuckDB, with the columns that Terraform declares."""

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from sqlglot import exp

Event = dict[str, Any]
REPOSITORY = Path(__file__).parents[2]
COLUMNS: list[dict[str, str]] = json.loads(
    (REPOSITORY / "infrastructure/modules/lake_tables/tables/events.json").read_text()
)
TYPES = {column["name"]: column["type"] for column in COLUMNS}


def create(database: duckdb.DuckDBPyConnection) -> None:
    """Make the table, empty."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in _duckdb().items())
    database.execute(f"CREATE TABLE events ({columns})")


def fill(database: duckdb.DuckDBPyConnection, lines: Iterable[Event]) -> None:
    """Add lines of bronze."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "events.ndjson"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        load(database, path)


def load(database: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Add the lines of a file of bronze."""
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _duckdb().items())
    database.execute(
        f"INSERT INTO events SELECT * FROM read_json('{path}', format = 'nd', columns = {{{columns}}})"
    )


def _duckdb() -> dict[str, str]:
    kinds = {name: exp.DataType.build(kind, dialect="hive") for name, kind in TYPES.items()}
    return {name: kind.sql(dialect="duckdb", identify=True) for name, kind in kinds.items()}
