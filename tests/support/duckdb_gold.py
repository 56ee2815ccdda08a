"""Gold by the same SQL in DuckDB: what Spark computes must be the same."""

from typing import Any

import duckdb
import sqlglot
from batch_analytics import kept

TABLES = tuple(sorted(kept.GOLD))


def gold(silver: Any) -> duckdb.DuckDBPyConnection:
    """Return a database with silver's `events` as gold reads them, and each gold table as a view.

    `silver` is an Arrow table, or another that DuckDB reads.
    """
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    database.register("silver", silver)
    dimensions = (f"coalesce({name}, 'unknown') AS {name}" for name in ("platform", "country", "app_version"))
    columns = [*dimensions, *(f"payload.{name}" for name in kept.PAYLOAD)]
    database.execute(
        "CREATE TABLE events AS SELECT event_id, event_type, game_id, player_id, session_id, event_date,"
        " epoch_ms(corrected_time) AS at_ms, CAST(received_at AS DATE) AS arrival_date,"
        " coalesce(verified, FALSE) AS verified,"
        f" {', '.join(columns)} FROM silver"
    )
    define(database)
    return database


def define(database: duckdb.DuckDBPyConnection) -> None:
    """Make each gold table a view of the database's `events`, as a first run computes them."""
    view = lambda name, query: database.execute(f"CREATE VIEW {name} AS {_translated(query)}")  # noqa: E731
    nothing = "SELECT {} FROM events WHERE FALSE"
    view("old_purchases", nothing.format("*"))
    view("old_refunds", nothing.format("*"))
    view("old_steps", nothing.format("*, name AS outcome"))
    view("old_exposures", nothing.format("*"))
    first = "at_ms AS first_ms, event_id AS first_id, event_date AS first_date"
    view("old_players", nothing.format(f"game_id, player_id, {first}"))
    for table in kept.TABLES:
        if table == "kept_players":
            view("new_presence", "SELECT * FROM kept_presence")
        view(table, kept.sql(f"kept/{table}"))
    view("all_purchases", "SELECT * FROM kept_purchases")
    view("touched_presence", "SELECT * FROM kept_presence")
    never = kept.literal(kept.NEVER)
    view(
        "bounds",
        f"SELECT game_id, {never} AS since, {never} AS floor, DATE_SUB(MAX(arrival_date), 1) AS last_day"
        " FROM events GROUP BY game_id",
    )
    key = "game_id, platform, country, app_version, event_date AS cohort_date, at_ms AS day_number"
    view("published_retention", nothing.format(f"{key}, at_ms AS retained_players"))
    minor = ", ".join(
        f"at_ms AS lifetime_{name}_minor" for name in ("gross", "unverified", "refunded", "net")
    )
    paid = f"currency, at_ms AS cohort_players, {minor}, fps AS ltv_minor, fps AS net_ltv_minor"
    view("recent_ads", "SELECT * FROM kept_ads")
    view("published_lifetime_value", nothing.format(f"{key}, {paid}"))
    key = f"{key}, event_date, event_type AS install_source, event_type AS campaign"
    key = f"{key}, at_ms AS lifetime_ad_micros"
    view("published_acquisition_value", nothing.format(f"{key}, {paid}"))
    for name, query in kept.views():
        view(name, query)
    for table in TABLES:
        view(table, kept.sql(f"gold/{table}"))


def _translated(statement: str) -> str:
    return "".join(sqlglot.transpile(statement, read="spark", write="duckdb"))
