"""The Spark job for real: a small lake with answers worked out by hand, a larger one against DuckDB."""

from typing import Any

import pytest
from duckdb_gold import TABLES, gold
from emulated_lake import Lake, Spark, event, rows
from golden_history import (
    ANDROID,
    ANSWERS,
    FIRST,
    GOLDEN,
    NIGHT,
    RUNNING,
    SAME_IDS,
    SECOND,
    THIRD,
    one,
    played,
    rounded,
)


class History:
    """The lake after each run."""

    def __init__(self, lake: Lake, spark: Spark) -> None:
        self.lake = lake
        arrived = [made | {"received_at": NIGHT} for made in [*GOLDEN, *GOLDEN[:3], *played(1, 900)]]
        lake.arrive("2026-02-10T00", [*arrived, *RUNNING, "not json", '{"event_id": "x"}', "7"])
        late = [event(18, "session_start", SECOND, "bob", received_at="2026-02-10T01:00:00.000Z", **ANDROID)]
        lake.arrive("2026-02-10T01", [*late, *SAME_IDS])
        with spark.saying() as self.said:
            self.answers = spark.drive(
                lake.steps("all", "first", "2026-02-10T00", "2026-02-10T01"),
                lake.steps("all", "again", "2026-02-10T00", "2026-02-10T01"),
            )
        self.before = {table: lake.table(table) for table in TABLES}
        self.later = spark.drive(
            lake.steps("all", "late", "2026-02-10T01", "2026-02-10T02"),
            lake.steps("all", "nothing", "2026-03-01T00", "2026-03-01T02"),
        )
        self.after = {table: lake.table(table) for table in TABLES}
        self.events = lake.iceberg("events").scan().to_arrow()


@pytest.fixture(scope="module")
def history(spark: Spark) -> History:
    """Run the job over the lake."""
    return History(spark.lake("history"), spark)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
def test_gold_has_the_answers_worked_out_by_hand(history: History, answer: Any) -> None:
    answer(history)


def test_bronze_is_silver_duplicates_and_what_cannot_be_read(history: History) -> None:
    report = history.lake.report("first", "silver")
    assert report["malformed"] == 3
    assert report["games"] == {
        game: {"lines": new + again, "distinct": new, "held": new, "duplicates": again, "new": new}
        for game, new, again in (("g", 19, 3), ("h", 900, 90), ("m", 2, 0))
    }


def test_a_run_again_changes_nothing(history: History) -> None:
    assert history.answers == [0, 0]
    golden = history.lake.report("again", "silver")["games"]["g"]
    assert golden == {"lines": 22, "distinct": 19, "held": 19, "duplicates": 22, "new": 0}


def test_refunds_without_a_purchase_are_counted_by_game(history: History) -> None:
    plain = """
        SELECT
          game_id, count(DISTINCT (transaction_id, refund_id)),
          count(DISTINCT (transaction_id, refund_id)) FILTER (WHERE (game_id, transaction_id) NOT IN (
            SELECT (game_id, transaction_id) FROM events WHERE event_type = 'purchase'
          ))
        FROM events WHERE event_type = 'refund' GROUP BY game_id"""
    expected = {game: counted for game, *counted in gold(history.events).execute(plain).fetchall()}
    # A run counts the games that it computes: the latest run of each game has all of its refunds.
    first, late = (history.lake.report(run, "audit")["games"] for run in ("first", "late"))
    games = first | late
    found = {
        game: [one["refunds"], one["unmatched_refunds"]] for game, one in games.items() if "refunds" in one
    }
    assert found == {game: expected[game] for game in found}
    assert found["h"][0] > found["h"][1] > 0


def test_late_events_restate_their_days(history: History) -> None:
    assert history.later == [0, 0]
    assert one(history.after["daily"], event_date=SECOND)["active_players"] == 2
    assert one(history.after["retention"], cohort_date=FIRST, day_number=1)["retained_players"] == 2
    # What nothing late touches stays as it was.
    others = lambda found: [row for row in found if row["game_id"] == "h"]  # noqa: E731
    assert all(others(history.after[table]) == others(history.before[table]) for table in TABLES)


def test_an_event_is_its_game_and_id_on_whatever_day(history: History) -> None:
    assert history.lake.report("late", "silver")["games"] == {
        "g": {"lines": 2, "distinct": 2, "held": 2, "duplicates": 1, "new": 1},
        "k": {"lines": 1, "distinct": 1, "held": 1, "duplicates": 0, "new": 1},
    }
    days = [str(row["event_date"]) for row in history.after["daily"] if row["game_id"] == "g"]
    assert THIRD not in days
    assert one(history.after["daily"], event_date=FIRST, game_id="k")["active_players"] == 1


def test_an_hour_of_arrival_is_counted_once_the_next_has_come(history: History) -> None:
    first, late = (history.lake.report(run, "audit") for run in ("first", "late"))
    assert (first["hour"], first["arrived"]) == ("2026-02-09T23", {})
    # Of ann's and cat's days the last one lies within 31 days before; m's events came at noon.
    assert late["hour"] == "2026-02-10T00"
    assert (late["arrived"]["g"], sorted(late["arrived"])) == (8, ["g", "h"])


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_gives_the_same_rows(history: History, table: str) -> None:
    expected = rows(gold(history.events), f"SELECT * FROM {table}")
    assert len(expected) > 20
    assert [rounded(row) for row in history.after[table]] == [rounded(row) for row in expected]


DIMENSIONS = ("platform", "country", "app_version")
TOTALS = ", ".join(f"coalesce({name}, '*')" for name in DIMENSIONS)
# What gold counts over rows of players and days, counted over events: table, columns, rest of the grain, how.
PLAIN = [
    ("daily", "active_players", "", "count(DISTINCT player_id)", "event_type <> 'refund'"),
    ("stability", "active_sessions, crashed_players", "",
     "count(DISTINCT (player_id, session_id)) FILTER (WHERE event_type <> 'purchase'),"
     " count(DISTINCT player_id) FILTER (WHERE event_type = 'crash' AND fatal)", "event_type <> 'refund'"),
    ("ads", "impressions, players, revenue_micros", "network, format,",
     "count(*), count(DISTINCT player_id), sum(coalesce(revenue_micros, 0))", "event_type = 'ad_impression'"),
    ("design", "design_events, players", "name,",
     "count(*), count(DISTINCT player_id)", "event_type = 'design'"),
    ("economy", "players, balance_after_median", "flow, reason,",
     "count(DISTINCT player_id), quantile_cont(balance_after, 0.5)", "event_type = 'economy'"),
    ("progression", "players, starts", "level_1,",
     "count(DISTINCT player_id), count(*) FILTER (WHERE status = 'start')", "event_type = 'progression'"),
    ("revenue", "currency_payers", "currency,", "count(DISTINCT player_id)",
     "event_id IN (SELECT min_by(event_id, (at_ms, event_id)) FROM events"
     " WHERE event_type = 'purchase' GROUP BY game_id, transaction_id)"
     " AND NOT coalesce(sandbox, FALSE) AND coalesce(purchase_kind, '') <> 'trial'"),
]  # fmt: skip


def of_all(row: dict[str, Any]) -> bool:
    """Tell a row of all values of the custom dimensions, which tests/batch/test_dimensions.py judges."""
    return all(row.get(name, "*") == "*" for name in ("custom_1", "custom_2"))


@pytest.mark.parametrize(("table", "columns", "grain", "figures", "where"), PLAIN)
def test_totals_are_what_a_count_of_all_events_gives(
    history: History, table: str, columns: str, grain: str, figures: str, where: str
) -> None:
    plain = f"""
        SELECT {grain} game_id, event_date, {TOTALS}, {figures} FROM events WHERE {where}
        GROUP BY {grain} game_id, event_date, CUBE (platform, country, app_version)"""
    names = [*grain.replace(",", " ").split(), "game_id", "event_date", *DIMENSIONS, *columns.split(", ")]
    expected = sorted(gold(history.events).execute(plain).fetchall(), key=str)
    # Totals of reasons, days without a payer and the first parts of a name are no groups of events.
    found = [
        tuple(row[name] for name in names)
        for row in history.after[table]
        if row.get("reason") != "*" and row.get("currency_payers") != 0 and row.get("depth") in (None, "2")
        if of_all(row)
    ]
    assert len(expected) > 20
    assert sorted(found, key=str) == expected


@pytest.mark.parametrize(("column", "days"), [("weekly_active_players", 7), ("monthly_active_players", 30)])
def test_weeks_and_months_are_what_a_count_of_all_events_gives(
    history: History, column: str, days: int
) -> None:
    plain = f"""
        SELECT e.game_id, d.event_date, {TOTALS}, count(DISTINCT player_id)
        FROM (SELECT * FROM events WHERE event_type <> 'refund') AS e
        JOIN (SELECT DISTINCT game_id, event_date FROM events) AS d
          ON d.game_id = e.game_id AND e.event_date BETWEEN d.event_date - {days - 1} AND d.event_date
        GROUP BY e.game_id, d.event_date, CUBE (platform, country, app_version)"""
    expected = {row[:-1]: row[-1] for row in gold(history.events).execute(plain).fetchall()}
    found = {
        tuple(row[name] for name in ("game_id", "event_date", *DIMENSIONS)): row[column]
        for row in history.after["daily"]
        if of_all(row)
    }
    assert found == {key: expected[key] for key in found}
