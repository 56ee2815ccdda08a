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
    columns = [*dimensions, *kept.CUSTOM, *(f"payload.{name}" for name in kept.PAYLOAD)]
    database.execute(
        "CREATE TABLE events AS SELECT event_id, event_type, game_id, player_id, session_id, event_date,"
        " epoch_ms(corrected_time) AS at_ms, CAST(received_at AS DATE) AS arrival_date,"
        " coalesce(verified, FALSE) AS verified,"
        f" {', '.join(columns)} FROM silver"
    )
    define(database)
    return database


# The account of each guest, from the definition in docs/metrics.md, with a recursion for chains.
ACCOUNTS = """
WITH RECURSIVE born AS (
  SELECT game_id, player_id, min(event_date) AS day FROM sent WHERE event_type <> 'refund' GROUP BY ALL
),
links AS (
  SELECT DISTINCT ON (game_id, previous_player_id) game_id, previous_player_id AS guest, player_id AS account,
    event_date AS day, at_ms, event_id
  FROM sent WHERE event_type = 'identify' AND previous_player_id <> player_id
  ORDER BY game_id, previous_player_id, at_ms, event_id
),
fresh AS (
  SELECT l.*, row_number() OVER (PARTITION BY l.game_id, l.account ORDER BY l.at_ms, l.event_id) AS nth
  FROM links AS l
  LEFT JOIN born AS g ON g.game_id = l.game_id AND g.player_id = l.guest
  WHERE coalesce(g.day, l.day) >= l.day - 30 OR NOT EXISTS (
    FROM born AS b WHERE b.game_id = l.game_id AND b.day < l.day - 30 AND (b.player_id = l.account OR EXISTS (
      FROM links AS e WHERE e.game_id = l.game_id AND e.account = l.account AND e.guest = b.player_id
        AND (e.at_ms, e.event_id) < (l.at_ms, l.event_id)
    ))
  )
),
counted AS (SELECT game_id, guest, account FROM fresh WHERE nth <= 100),
chains AS (
  SELECT game_id, guest, account, 1 AS links FROM counted
  UNION ALL
  SELECT c.game_id, c.guest, n.account, c.links + 1
  FROM chains AS c JOIN counted AS n ON n.game_id = c.game_id AND n.guest = c.account WHERE c.links < 3
)
SELECT game_id, guest, account FROM chains AS c
WHERE NOT EXISTS (FROM counted AS n WHERE n.game_id = c.game_id AND n.guest = c.account)
"""


def define(database: duckdb.DuckDBPyConnection) -> None:
    """Make each gold table a view of the database's `events`, as a first run computes them."""
    database.execute("ALTER TABLE events RENAME TO sent")
    database.execute(f"CREATE TABLE accounts AS {ACCOUNTS}")
    database.execute(
        "CREATE VIEW events AS SELECT sent.* REPLACE (coalesce(account, player_id) AS player_id),"
        " count(coalesce(custom_1, install_1, custom_2, install_2)) OVER (PARTITION BY sent.game_id) > 0"
        " AS by_player FROM sent"
        " LEFT JOIN accounts ON accounts.game_id = sent.game_id AND guest = player_id"
    )
    view = lambda name, query: database.execute(f"CREATE VIEW {name} AS {_translated(query)}")  # noqa: E731
    nothing = "SELECT {} FROM events WHERE FALSE"
    view("old_purchases", nothing.format("*"))
    view("old_refunds", nothing.format("*"))
    view("old_steps", nothing.format("*, name AS outcome"))
    view("old_exposures", nothing.format("*"))
    view("old_links", nothing.format("*"))
    first = "at_ms AS first_ms, event_id AS first_id, event_date AS first_date"
    view("old_players", nothing.format(f"game_id, player_id, {first}"))
    for table in kept.TABLES:
        if table == "kept_players":
            view("new_presence", "SELECT * FROM kept_presence")
        touched = "SELECT *, TRUE AS touched FROM ({})" if table == "kept_designs" else "{}"
        view(table, touched.format(kept.sql(f"kept/{table}")))
    view("all_purchases", "SELECT * FROM kept_purchases")
    view("touched_presence", "SELECT * FROM kept_presence")
    never = kept.literal(kept.NEVER)
    view(
        "bounds",
        f"SELECT game_id, {never} AS since, {never} AS floor, DATE_SUB(MAX(arrival_date), 1) AS last_day,"
        " SIGN(COUNT(COALESCE(custom_1, install_1))) AS slot_1,"
        " SIGN(COUNT(COALESCE(custom_2, install_2))) AS slot_2 FROM events GROUP BY game_id",
    )
    key = "game_id, platform, country, app_version, custom_1, custom_2"
    key = f"{key}, event_date AS cohort_date, at_ms AS day_number"
    view("published_retention", nothing.format(f"{key}, at_ms AS retained_players"))
    minor = ", ".join(
        f"at_ms AS lifetime_{name}_minor" for name in ("gross", "unverified", "refunded", "net")
    )
    paid = f"currency, at_ms AS cohort_players, {minor}, fps AS ltv_minor, fps AS net_ltv_minor"
    view("kept_values", "SELECT * FROM kept_sources WHERE kind IN ('custom_1', 'custom_2')")
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
