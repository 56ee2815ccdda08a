"""A warehouse that has received the golden events, with gold of the same events in its external tables."""

import json
import re
from typing import Any

import duckdb
import golden_history as lake
from batch_analytics.kept import CUSTOM, PAYLOAD
from duckdb_gold import define
from emulated_lake import rows
from emulated_warehouse import Warehouse
from redshift_on_postgres import declared
from telemetry import metric_model

METRICS = metric_model.document()["tables"]
FACTS = (
    "dim_game", "dim_player", "fact_activity", "fact_economy", "fact_events", "fact_purchases",
    "fact_refunds", "fact_sessions",
)  # fmt: skip
LATER = "2026-02-10T01:00:00.000Z"
Rows = list[dict[str, Any]]


class History:
    """Gold and facts before and after the late events, under the names that the lake's tests ask for."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Receive the events in three refreshes of the stream, and publish gold twice."""
        self.warehouse = warehouse
        self.events = [made | {"received_at": lake.NIGHT} for made in [*lake.GOLDEN, *lake.played(1, 900)]]
        self.events += lake.RUNNING
        warehouse.receive([*self.events[::2], *lake.GOLDEN[:3], "not json"])
        warehouse.receive([*self.events[1::2], {"level": 1}, *lake.played(1, 20)])
        warehouse.refresh()
        self.before = self._published(self.events)
        self.facts = facts(warehouse)
        warehouse.refresh()
        self.again = facts(warehouse)
        late = lake.event(18, "session_start", lake.SECOND, "bob", received_at=LATER, **lake.ANDROID)
        self.late = [late, *lake.SAME_IDS]
        warehouse.receive(self.late)
        warehouse.refresh()
        self.after = self._published([*self.events, *self.late])

    def _published(self, events: list[lake.Event]) -> dict[str, Rows]:
        """Put gold of events into the external tables; return what the views show."""
        database = gold(events)
        self.gold = {table: rows(database, f"SELECT * FROM {table}") for table in METRICS}
        for table, found in self.gold.items():
            self.warehouse.publish(table, found)
        return {table: self.warehouse.rows(f"SELECT * FROM metrics.{table}") for table in METRICS}


def facts(warehouse: Warehouse) -> dict[str, Rows]:
    """Return the rows of every fact and dimension."""
    return {table: warehouse.rows(f"SELECT * FROM warehouse.{table}") for table in FACTS}


def gold(events: list[lake.Event]) -> duckdb.DuckDBPyConnection:
    """Return a database with the batch job's gold of events; the first of several with one id counts."""
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    payload = declared("silver")["events"]["payload"]
    types = {name: re.search(rf"[<,]{name}:(\w+)", payload)[1] for name in PAYLOAD}  # type: ignore[index]
    known = {(event["game_id"], event["event_id"]): event for event in reversed(events)}
    database.execute("CREATE TABLE raw (event JSON)")
    database.executemany("INSERT INTO raw VALUES (?)", [[json.dumps(event)] for event in known.values()])
    database.execute(
        "CREATE TABLE events AS SELECT event->>'event_id' AS event_id, event->>'event_type' AS event_type,"
        " event->>'game_id' AS game_id, event->>'player_id' AS player_id, event->>'session_id' AS session_id,"
        " CAST(event->>'event_date' AS DATE) AS event_date,"
        " epoch_ms(CAST(event->>'corrected_time' AS TIMESTAMPTZ)) AS at_ms,"
        " CAST(CAST(event->>'received_at' AS TIMESTAMPTZ) AS DATE) AS arrival_date,"
        " CAST(event->>'verified' AS BOOLEAN) AS verified, "
        + ", ".join(
            f"coalesce(event->>'{name}', 'unknown') AS {name}"
            for name in ("platform", "country", "app_version")
        )
        + ", "
        + ", ".join(f"event->>'{name}' AS {name}" for name in CUSTOM)
        + ", "
        + ", ".join(f"CAST(event->'payload'->>'{n}' AS {types[n]}) AS {n}" for n in PAYLOAD)
        + " FROM raw"
    )
    define(database)
    return database
