"""Gold by the same SQL in DuckDB: what Spark computes must be the same."""

from typing import Any

import duckdb
import sqlglot
from tools import REPOSITORY

SQL = REPOSITORY / "functions" / "batch_analytics" / "gold"
TABLES = tuple(sorted(file.stem for file in SQL.glob("[!_]*.sql")))
PAYLOAD = (
    "store", "transaction_id", "currency", "amount_minor", "flow", "reason", "amount", "balance_after",
    "status", "level_1", "level_2", "level_3", "fps", "frame_time_ms", "latency_ms", "load_time_ms",
    "memory_mb",
)  # fmt: skip


def gold(silver: Any) -> duckdb.DuckDBPyConnection:
    """Return a database with silver's `events` as gold reads them, and each gold table as a view.

    `silver` is an Arrow table, or another that DuckDB reads.
    """
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    database.register("silver", silver)
    dimensions = (f"coalesce({name}, 'unknown') AS {name}" for name in ("platform", "country", "app_version"))
    columns = [*dimensions, *(f"payload.{name}" for name in PAYLOAD)]
    database.execute(
        "CREATE TABLE events AS SELECT event_id, event_type, game_id, player_id, session_id, event_date,"
        " epoch_ms(corrected_time) AS at_ms, CAST(received_at AS DATE) AS arrival_date,"
        f" {', '.join(columns)} FROM silver"
    )
    define(database)
    return database


def define(database: duckdb.DuckDBPyConnection) -> None:
    """Make each gold table a view of the database's `events`."""
    for statement in (SQL / "_views.sql").read_text().split(";\n"):
        database.execute(_translated(statement))
    for table in TABLES:
        database.execute(f"CREATE VIEW {table} AS {_translated((SQL / f'{table}.sql').read_text())}")


def _translated(statement: str) -> str:
    return "".join(sqlglot.transpile(statement, read="spark", write="duckdb"))
