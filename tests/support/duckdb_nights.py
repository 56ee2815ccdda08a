"""The kept tables and gold in DuckDB: runs of `batch_analytics.kept` without Spark, in milliseconds."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import duckdb
import sqlglot
from batch_analytics import kept
from tools import REPOSITORY

DECLARED = REPOSITORY / "infrastructure" / "modules" / "lake_tables" / "tables"
# The types of the payload's fields that are no texts.
TYPES = {
    **dict.fromkeys(
        (
            "amount_minor", "amount", "balance_after", "revenue_micros", "step", "duration_seconds",
            "queue_seconds", "tax_minor", "store_fee_minor",
        ),
        "BIGINT",
    ),
    **dict.fromkeys(
        ("fps", "frame_time_ms", "latency_ms", "load_time_ms", "memory_mb", "value"), "DOUBLE"
    ),
    **dict.fromkeys(("fatal", "completed", "sandbox"), "BOOLEAN"),
}  # fmt: skip
CUSTOM = ", ".join(f"{name} VARCHAR" for name in kept.CUSTOM)
PAYLOAD = ", ".join(f"{name} {TYPES.get(name, 'VARCHAR')}" for name in kept.PAYLOAD)
# What gold reads of silver, flat.
SILVER = (
    "event_id VARCHAR, event_type VARCHAR, game_id VARCHAR, player_id VARCHAR, session_id VARCHAR,"
    " event_date DATE, at_ms BIGINT, arrival_date DATE, verified BOOLEAN, platform VARCHAR, country VARCHAR,"
    f" app_version VARCHAR, {CUSTOM}, {PAYLOAD}, added_ms BIGINT"
)


class DuckDB:
    """A lake in memory."""

    def __init__(self, small: bool = True) -> None:
        """Make its tables, with the columns that Terraform declares."""
        self.database = duckdb.connect(config={"threads": 1})
        self.database.execute("SET TimeZone = 'UTC'")
        if small:
            # Planning would take most of the time.
            self.database.execute("PRAGMA disable_optimizer")
        self.database.execute("CREATE SCHEMA lake")
        self.database.execute(f"CREATE TABLE lake.silver ({SILVER})")
        self.database.execute("CREATE VIEW silver AS SELECT * FROM lake.silver")
        self._declare()

    def name(self, table: str) -> str:
        """Return a table's name."""
        return f"lake.{table}"

    def rows(self, query: str) -> Sequence[Sequence[Any]]:
        """Return the rows of a query."""
        return self.database.execute(translated(query)).fetchall()

    def columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns."""
        return [row[0] for row in self.database.execute(f"DESCRIBE lake.{table}").fetchall()]

    def view(self, name: str, query: str) -> None:
        """Name a query."""
        self.database.execute(f"DROP TABLE IF EXISTS shared_{name}")
        self.database.execute(f"CREATE OR REPLACE VIEW {name} AS {translated(query)}")

    def share(self, view: str) -> None:
        """Compute a view now, once."""
        self.database.execute(f"CREATE OR REPLACE TABLE shared_{view} AS SELECT * FROM {view}")
        self.database.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM shared_{view}")

    def append(self, table: str, query: str) -> None:
        """Add the rows of a query to a table."""
        self.database.execute(f"INSERT INTO lake.{table} BY NAME {translated(query)}")

    def delete(self, table: str, predicate: str) -> None:
        """Delete rows of a table."""
        self.database.execute(f"DELETE FROM lake.{table} WHERE {predicate}")

    def replace(self, table: str, predicate: str, query: str) -> None:
        """Put the rows of a query in the place of others."""
        self.delete(table, predicate)
        self.append(table, query)

    def held(self, games: Sequence[str]) -> Mapping[str, int]:
        """Return how many events silver holds of each game."""
        where = kept.among(games)
        return dict(self.rows(f"SELECT game_id, COUNT(*) FROM silver WHERE {where} GROUP BY game_id"))

    def change(self, table: str, change: kept.Change) -> None:
        """Put the new rows of a gold table in the place of those they replace."""
        self.database.execute(f"CREATE OR REPLACE TABLE staged AS {translated(change.query)}")
        self.delete(table, kept.on(change.replaced, change.column))
        self.database.execute(f"INSERT INTO lake.{table} BY NAME SELECT * FROM staged")

    def _declare(self) -> None:
        for file in ("kept", "gold"):
            for table, declared in json.loads((DECLARED / f"{file}.json").read_text()).items():
                named = (f"{column['name']} {_type(column['type'])}" for column in declared["columns"])
                columns = ", ".join(named)
                self.database.execute(f"CREATE TABLE lake.{table} ({columns})")


def flat(source: str) -> str:
    """Return a query of what gold reads of silver's rows."""
    own = ("event_id", "event_type", "game_id", "player_id", "session_id", "event_date", "added_ms")
    named = ("platform", "country", "app_version")
    dimensions = (f"coalesce({name}, 'unknown') AS {name}" for name in named)
    payload = (f"payload.{name}" for name in kept.PAYLOAD)
    return (
        f"SELECT {', '.join(own)}, epoch_ms(corrected_time) AS at_ms,"
        " CAST(received_at AS DATE) AS arrival_date, coalesce(verified, FALSE) AS verified,"
        f" {', '.join((*dimensions, *kept.CUSTOM, *payload))} FROM {source}"
    )


def _type(hive: str) -> str:
    inner = hive.removeprefix("array<").removesuffix(">")
    named = {"string": "VARCHAR"}.get(inner, inner.upper())
    return f"{named}[]" if hive.startswith("array<") else named


def translated(query: str) -> str:
    """Return a statement of Spark's SQL in DuckDB's; what the job writes itself needs no parser."""
    if "\n" not in query:
        return query.replace("FROM VALUES (", "FROM (VALUES (").replace(") AS given (", ")) AS given (")
    stamp = re.search(r"CAST\((-?\d+) AS BIGINT\) AS added_ms FROM", query)
    if stamp:
        return _transpiled(query.replace(stamp[1], "4711")).replace("4711", stamp[1])
    return _transpiled(query)


@cache
def _transpiled(statement: str) -> str:
    return "".join(sqlglot.transpile(statement, read="spark", write="duckdb"))
