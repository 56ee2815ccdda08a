"""Facts of the stream: each event once, in whatever order it comes, and the same figures as gold."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import golden_history as lake
import pytest
from emulated_warehouse import VALUES, api, empty
from redshift_on_postgres import Server, execute
from warehouse.sql_files import refresh
from warehouse_history import History, facts

DAY = "game_id, event_date"
PLACE = "platform, country, app_version"
PLACES = "COALESCE(platform, '*'), COALESCE(country, '*'), COALESCE(app_version, '*')"
EVENTS = (
    "(SELECT game_id, event_date, player_id, session_id, event_type,"
    " COALESCE(platform, 'unknown') AS platform, COALESCE(country, 'unknown') AS country,"
    " COALESCE(app_version, 'unknown') AS app_version,"
    " f.payload.level_1::VARCHAR(256) AS level_1, f.payload.status::VARCHAR(256) AS status,"
    " f.payload.fatal::BOOLEAN AS fatal, f.payload.network::VARCHAR(256) AS network,"
    " f.payload.placement::VARCHAR(256) AS placement, f.payload.format::VARCHAR(256) AS format,"
    " COALESCE(f.payload.currency::VARCHAR(256), '') AS currency,"
    " COALESCE(f.payload.revenue_micros::BIGINT, 0) AS revenue_micros"
    " FROM warehouse.fact_events AS f WHERE event_type <> 'refund') AS events"
)
INSTALLS = (
    "(SELECT p.* FROM warehouse.dim_player AS p JOIN warehouse.dim_game AS g ON g.game_id = p.game_id"
    " WHERE p.cohort_date < g.last_arrival_date) AS installs"
)
SALES = "(SELECT * FROM warehouse.fact_purchases WHERE NOT sandbox AND purchase_kind <> 'trial') AS sales"
# What refunds pay back: of a transaction at most its amount.
REFUNDS = (
    "(SELECT * FROM (SELECT game_id, currency, platform, country, app_version,"
    " GREATEST(bought, returned) AS event_date,"
    " upto - LAG(upto, 1, 0::NUMERIC) OVER (PARTITION BY game_id, store, transaction_id"
    " ORDER BY corrected_time, event_id) AS amount FROM"
    " (SELECT p.game_id, p.store, p.transaction_id, p.currency, p.platform, p.country, p.app_version,"
    " p.event_date AS bought, r.event_date AS returned, r.corrected_time, r.event_id,"
    " LEAST(p.amount_minor, SUM(COALESCE(r.amount_minor, p.amount_minor)) OVER ("
    "PARTITION BY r.game_id, r.store, r.transaction_id ORDER BY r.corrected_time, r.event_id)) AS upto"
    " FROM warehouse.fact_refunds AS r JOIN warehouse.fact_purchases AS p ON p.game_id = r.game_id"
    " AND p.store = r.store AND p.transaction_id = r.transaction_id"
    " WHERE NOT p.sandbox AND p.purchase_kind <> 'trial') AS summed) AS found WHERE amount > 0) AS refunds"
)
# Facts know no custom dimensions.
OF_ALL = "custom_1 = '*' AND custom_2 = '*'"
# A figure of gold, and the same figure counted over facts: gold's table and columns, the grain without
# platform, country and version, rows of gold that have it, aggregates over facts, and the facts.
FIGURES = {
    "active": (
        "daily", "active_players", DAY, OF_ALL, "COUNT(DISTINCT player_id)", "warehouse.fact_activity",
    ),
    "sessions": (
        "daily", "sessions, playtime_seconds, session_seconds_median", DAY, f"sessions > 0 AND {OF_ALL}",
        "COUNT(*), SUM(seconds), PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY seconds)",
        "(SELECT * FROM warehouse.fact_sessions WHERE played_events > 0) AS sessions",
    ),
    "payers": ("daily", "payers", DAY, f"payers > 0 AND {OF_ALL}", "COUNT(DISTINCT player_id)", SALES),
    "revenue": (
        "revenue", "purchases, gross_minor, currency_payers", f"{DAY}, currency",
        f"purchases > 0 AND {OF_ALL}",
        "COUNT(*), SUM(amount_minor), COUNT(DISTINCT player_id)", SALES,
    ),
    "refunds": (
        "revenue", "refunds, refunded_minor", f"{DAY}, currency", f"refunds > 0 AND {OF_ALL}",
        "COUNT(*), SUM(amount)", REFUNDS,
    ),
    "economy": (
        "economy", "economy_events, amount, players", f"{DAY}, currency, flow, reason",
        f"reason <> '*' AND {OF_ALL}",
        "COUNT(*), SUM(amount), COUNT(DISTINCT player_id)", "warehouse.fact_economy",
    ),
    "installs": (
        "retention", "cohort_players", "game_id, cohort_date", f"day_number = 0 AND {OF_ALL}", "COUNT(*)",
        INSTALLS,
    ),
    "stability": (
        "stability", "active_sessions, crashes", DAY, OF_ALL,
        "COUNT(DISTINCT CASE WHEN event_type <> 'purchase' THEN CONCAT(player_id, session_id) END),"
        " COUNT(CASE WHEN event_type = 'crash' AND fatal THEN 1 END)", EVENTS,
    ),
    "levels": (
        "progression", "starts, players", f"{DAY}, level_1", OF_ALL,
        "COUNT(CASE WHEN status = 'start' THEN 1 END), COUNT(DISTINCT player_id)",
        f"(SELECT * FROM {EVENTS} WHERE event_type = 'progression') AS levels",
    ),
    "ads": (
        "ads", "impressions, players, revenue_micros", f"{DAY}, network, placement, format, currency", OF_ALL,
        "COUNT(*), COUNT(DISTINCT player_id), SUM(revenue_micros)",
        f"(SELECT * FROM {EVENTS} WHERE event_type = 'ad_impression') AS ads",
    ),
}  # fmt: skip


def both(connection: Any, figure: str) -> list[list[tuple[str, ...]]]:
    """Return a figure by gold and by facts, for each place and for all of them."""
    table, columns, grain, present, aggregates, counted = FIGURES[figure]
    queries = (
        f"SELECT {grain}, {PLACE}, {columns} FROM metrics.{table} WHERE {present}",
        f"SELECT {grain}, {PLACES}, {aggregates} FROM {counted} GROUP BY {grain}, CUBE ({PLACE})",
    )
    answers = (execute(connection, query) for query in queries)
    return [sorted(tuple(_text(value) for value in row) for row in answer) for answer in answers]


def _text(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("figure", FIGURES)
def test_facts_have_the_figures_of_gold(history: History, figure: str) -> None:
    """Spark's SQL reads events of the lake, the warehouse's the stream: they share no statement."""
    with history.warehouse.connect() as connection:
        by_gold, by_facts = both(connection, figure)
    assert len(by_gold) > 20
    assert by_facts == by_gold


@pytest.mark.parametrize(
    ("fact", "which", "figure"),
    [
        ("dim_player", "TRUE", "installs"), ("fact_activity", "TRUE", "active"),
        ("fact_economy", "TRUE", "economy"), ("fact_events", "event_type = 'crash'", "stability"),
        ("fact_purchases", "NOT sandbox AND purchase_kind <> 'trial'", "revenue"),
        ("fact_refunds", f"transaction_id IN (SELECT transaction_id FROM {SALES})", "refunds"),
        ("fact_sessions", "TRUE", "sessions"),
    ],
)  # fmt: skip
def test_a_fact_that_is_missing_would_be_seen(history: History, fact: str, which: str, figure: str) -> None:
    with history.warehouse.connect() as connection, connection.transaction(force_rollback=True):
        one = f"SELECT MIN(ctid) FROM warehouse.{fact} WHERE {which}"
        connection.execute(f"DELETE FROM warehouse.{fact} WHERE ctid = ({one})")  # type: ignore[arg-type]
        by_gold, by_facts = both(connection, figure)
    assert by_facts != by_gold


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
    assert sessions["events"] == len({e["event_id"] for e in events if e["event_type"] != "refund"})
