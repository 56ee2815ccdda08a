"""The warehouse's metrics: the answers worked out by hand for the lake, and every row as DuckDB has it."""

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import test_history as lake
from duckdb_gold import PAYLOAD, define
from emulated_lake import rows
from redshift_on_postgres import Server
from warehouse import VALUES, Warehouse, api, empty
from warehouse_migrations.migrations import refresh

METRICS = json.loads((Path(__file__).parents[2] / "event-schemas" / "metrics.json").read_text())["tables"]
FACTS = (
    "dim_game", "dim_player", "fact_activity", "fact_economy", "fact_events", "fact_purchases",
    "fact_sessions",
)  # fmt: skip


class History:
    """The metrics before and after the late events, under the names that the lake's tests ask for."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.events = [made | {"received_at": lake.NIGHT} for made in [*lake.GOLDEN, *lake.played(1, 900)]]
        self.events += lake.RUNNING
        warehouse.receive([*self.events[::2], *lake.GOLDEN[:3], "not json"])
        warehouse.receive([*self.events[1::2], {"level": 1}, *lake.played(1, 20)])
        warehouse.refresh()
        self.before = metrics(warehouse)
        self.facts = facts(warehouse)
        warehouse.refresh()
        self.again = facts(warehouse)
        late = lake.event(18, "session_start", lake.SECOND, "bob", received_at=LATER, **lake.ANDROID)
        self.late = [late, *lake.SAME_IDS]
        warehouse.receive(self.late)
        warehouse.refresh()
        self.after = metrics(warehouse)


LATER = "2026-02-10T01:00:00.000Z"


def metrics(warehouse: Warehouse) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every view."""
    return {table: warehouse.rows(f"SELECT * FROM metrics.{table}") for table in METRICS}


def facts(warehouse: Warehouse) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every fact and dimension."""
    return {table: warehouse.rows(f"SELECT * FROM warehouse.{table}") for table in FACTS}


@pytest.fixture(scope="module")
def history(server: Server) -> Iterator[History]:
    """Fill a warehouse in three refreshes of the stream."""
    return History(empty(server))


@pytest.mark.parametrize(
    "answers",
    [
        lake.test_daily, lake.test_revenue, lake.test_retention, lake.test_lifetime_value, lake.test_economy,
        lake.test_progression_stability_performance, lake.test_retention_leaves_out_the_day_that_still_runs,
    ],
)  # fmt: skip
def test_the_lakes_answers_hold(history: History, answers: Any) -> None:
    answers(history)


@pytest.mark.parametrize("table", METRICS)
def test_views_have_the_columns_and_types_of_the_metrics(history: History, table: str) -> None:
    columns = history.warehouse.rows(
        "SELECT column_name, data_type FROM information_schema.columns"
        f" WHERE table_schema = 'metrics' AND table_name = '{table}'"
    )
    types = {"bigint": "bigint", "date": "date", "decimal(38,0)": "numeric", "double": "double precision"}
    expected = {name: types.get(column["type"], "text") for name, column in METRICS[table]["columns"].items()}
    found = {
        column["column_name"]: column["data_type"].replace("character varying", "text") for column in columns
    }
    assert found == expected


@pytest.mark.parametrize("table", METRICS)
@pytest.mark.parametrize("late", [False, True])
def test_every_row_is_the_lakes(history: History, table: str, late: bool) -> None:
    known = {(event["game_id"], event["event_id"]): event for event in reversed(history.late if late else [])}
    known |= {(event["game_id"], event["event_id"]): event for event in history.events}
    expected = rows(gold(list(known.values())), f"SELECT * FROM {table}")
    found = (history.after if late else history.before)[table]
    assert len(expected) > 20
    assert [lake.rounded(row) for row in found] == [lake.rounded(row) for row in expected]


def gold(events: list[lake.Event]) -> duckdb.DuckDBPyConnection:
    """Return a database that has the events as the lake's gold reads them, and its tables of them."""
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    types = {"amount_minor": "BIGINT", "amount": "BIGINT", "balance_after": "BIGINT"}
    types |= dict.fromkeys(PAYLOAD[12:], "DOUBLE")
    database.execute("CREATE TABLE raw (event JSON)")
    database.executemany("INSERT INTO raw VALUES (?)", [[json.dumps(event)] for event in events])
    database.execute(
        "CREATE TABLE events AS SELECT event->>'event_id' AS event_id, event->>'event_type' AS event_type,"
        " event->>'game_id' AS game_id, event->>'player_id' AS player_id, event->>'session_id' AS session_id,"
        " CAST(event->>'event_date' AS DATE) AS event_date,"
        " epoch_ms(CAST(event->>'corrected_time' AS TIMESTAMPTZ)) AS at_ms,"
        " CAST(CAST(event->>'received_at' AS TIMESTAMPTZ) AS DATE) AS arrival_date, "
        + ", ".join(
            f"coalesce(event->>'{name}', 'unknown') AS {name}"
            for name in ("platform", "country", "app_version")
        )
        + ", "
        + ", ".join(f"CAST(event->'payload'->>'{n}' AS {types.get(n, 'VARCHAR')}) AS {n}" for n in PAYLOAD)
        + " FROM raw"
    )
    define(database)
    return database


def test_an_event_counts_once(history: History) -> None:
    sent = {(event["game_id"], event["event_id"]) for event in history.events}
    assert len(history.facts["fact_events"]) == len(sent) < len(history.events)


def test_a_refresh_again_changes_nothing(history: History) -> None:
    assert history.again == history.facts


def test_records_that_are_no_event_are_counted(history: History) -> None:
    assert len(history.warehouse.rows("SELECT * FROM warehouse.unreadable_records")) == 2


def test_first_and_last_are_so_by_time_then_by_id(server: Server) -> None:
    warehouse = empty(server)
    bought = {"payload": lake.paid("t-1", 499)}
    noon, five, ten = "12:00:00", "12:05:00", "12:10:00"
    for number, time in ((3, ten), (4, noon), (5, five), (2, noon), (6, noon), (7, ten), (1, ten)):
        warehouse.receive([lake.event(number, "purchase", lake.FIRST, "ann", time=time, **bought)])
        warehouse.refresh()
    found = {
        table: [row[column][-1] for row in warehouse.rows(f"SELECT {column} FROM warehouse.{table}")]
        for table, column in (
            ("fact_purchases", "event_id"), ("dim_player", "first_event_id"),
            ("fact_sessions", "first_event_id"), ("fact_activity", "last_event_id"),
        )
    }  # fmt: skip
    assert found == {
        "fact_purchases": ["2"],
        "dim_player": ["2"],
        "fact_sessions": ["2"],
        "fact_activity": ["7"],
    }


def test_a_late_event_joins_two_sessions(server: Server) -> None:
    warehouse = empty(server)
    parts = lambda: [row["events"] for row in warehouse.rows("SELECT events FROM warehouse.fact_sessions")]  # noqa: E731
    warehouse.receive(
        [lake.event(n, "design", lake.FIRST, "ann", time=t) for n, t in ((1, "12:00:00"), (2, "13:00:00"))]
    )
    warehouse.refresh()
    assert parts() == [1, 1]
    warehouse.receive([lake.event(3, "design", lake.FIRST, "ann", time="12:30:00")])
    warehouse.refresh()
    assert parts() == [3]


def test_the_stream_keeps_a_week(server: Server) -> None:
    warehouse = empty(server)
    for days in (0, 8, 1):
        warehouse.refreshed += timedelta(days=days)
        warehouse.receive([lake.event(days + 1, "design", lake.FIRST, "ann")])
        warehouse.refresh()
    assert len(warehouse.rows("SELECT * FROM staging.enriched_events")) == 2
    assert len(warehouse.rows("SELECT * FROM warehouse.fact_events")) == 3


@pytest.mark.parametrize("seed", [1, 2])
def test_facts_do_not_depend_on_how_events_come(server: Server, seed: int) -> None:
    chance, events = random.Random(seed), lake.played(seed, 300)
    at_once, bit_by_bit = empty(server), empty(server)
    at_once.receive(events)
    at_once.refresh()
    shuffled = [*events, *chance.choices(events, k=30)]
    chance.shuffle(shuffled)
    while shuffled:
        size = chance.randrange(1, 120)
        bit_by_bit.receive(shuffled[:size])
        shuffled = shuffled[size:]
        if chance.random() < 0.7:
            bit_by_bit.refresh()
    bit_by_bit.refresh()
    expected = facts(at_once)
    assert len(expected["fact_sessions"]) > 100
    assert facts(bit_by_bit) == expected


def test_refreshes_at_the_same_time_count_once(server: Server) -> None:
    warehouse, events = empty(server), lake.played(3, 200)
    warehouse.receive(events)
    statements = refresh(VALUES)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(api(warehouse.client).run, statements, f"r-{number}") for number in range(4)]
        assert [future.result() for future in running] == [None] * 4
    known = {event["event_id"] for event in events}
    assert len(warehouse.rows("SELECT * FROM warehouse.fact_events")) == len(known)
    (sessions,) = warehouse.rows("SELECT SUM(events) AS events FROM warehouse.fact_sessions")
    assert sessions["events"] == len(known)
