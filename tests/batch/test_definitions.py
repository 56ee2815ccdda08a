"""The smallest cases of figures that are easily computed wrong, with answers worked out by hand.

Each reader of gold answers: the tables, the saved queries of Athena, and QuickSight's calculated fields.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import duckdb
import pytest
import sqlglot
from batch_analytics import kept
from duckdb_nights import DuckDB
from enriched_stream import feed
from fake_aws import Tables
from player_state.players import PlayerStore
from sqlglot import exp
from telemetry import histogram, metric_model
from telemetry.enrichment import timestamp
from telemetry.money import MINOR_UNIT_IS_1000TH, NO_MINOR_UNIT, minor_digits
from tools import REPOSITORY

Event = dict[str, Any]
MODULES = REPOSITORY / "infrastructure" / "modules"
QUERIES = MODULES / "lake_tables" / "queries"
# The saved queries look back from today.
FIRST = datetime.now(UTC).date() - timedelta(20)
TODAY = datetime.now(UTC).date()
ALL = "platform = '*' AND country = '*' AND app_version = '*'"
numbers = count(1)


def event(kind: str, player: str, day: int, **fields: Any) -> Event:
    """Return an event at noon of a day of the game, of one session a day."""
    happened = FIRST + timedelta(day)
    noon = datetime(happened.year, happened.month, happened.day, 12, tzinfo=UTC)
    return {
        "event_id": f"{next(numbers):08}", "event_type": kind, "game_id": "g", "player_id": player,
        "session_id": f"{player}-{day}", "event_date": happened, "at_ms": int(noon.timestamp() * 1000),
        "arrival_date": TODAY, "platform": "ios", "country": "DE", "app_version": "1.0.0", "added_ms": 1000,
    } | fields  # fmt: skip


def paid(player: str, day: int, amount: int, currency: str = "EUR", **fields: Any) -> Event:
    """Return a purchase."""
    money = {"store": "web", "transaction_id": f"t-{next(numbers)}", "currency": currency}
    return event("purchase", player, day, **money | {"amount_minor": amount} | fields)


class Gold:
    """The gold of a few events."""

    def __init__(self, events: Sequence[Event]) -> None:
        """Compute every table."""
        store = DuckDB()
        for one in events:
            marks = ", ".join("?" * len(one))
            store.database.execute(
                f"INSERT INTO lake.silver ({', '.join(one)}) VALUES ({marks})", list(one.values())
            )
        night = kept.Night(store, "run", print)
        for table, change in night.changes(["g"]):
            store.change(table, change)
        self.database: duckdb.DuckDBPyConnection = store.database
        self.database.execute("USE lake")

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query in DuckDB's own SQL."""
        found = self.database.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def one(self, query: str) -> dict[str, Any]:
        """Return the only row of a query."""
        (row,) = self.rows(query)
        return row

    def saved(self, name: str) -> list[dict[str, Any]]:
        """Return what a saved query of Athena answers for the game."""
        text = (QUERIES / f"{name}.sql").read_text().replace("?", "'g'")
        return self.rows("".join(sqlglot.transpile(text, read="athena", write="duckdb")))

    def shown(self, table: str, field: str, where: str = ALL) -> float | None:
        """Return what QuickSight calculates over all rows that it shows."""
        (expression,) = [
            one["Expression"]
            for one in json.loads((MODULES / "quicksight" / "definition.json").read_text())[
                "CalculatedFields"
            ]
            if (one["DataSetIdentifier"], one["Name"]) == (table, field)
        ]
        sql = re.sub(r"\{(\w+)\}", r"\1", expression)
        value: float | None = self.one(f"SELECT {sql} AS value FROM {table} WHERE {where}")["value"]
        return value


@pytest.fixture(scope="module")
def money() -> Gold:
    """A pays 100 on its first day, B comes a day later and pays 100 on day 3, nine more pay nothing."""
    return Gold(
        [
            event("session_start", "A", 0),
            paid("A", 0, 100),
            event("session_start", "B", 1),
            paid("B", 3, 100),
            *(event("session_start", f"C{number}", 2) for number in range(9)),
        ]
    )


def test_lifetime_value_divides_by_the_players_of_every_cohort(money: Gold) -> None:
    by_day = {row["day_number"]: row for row in money.saved("lifetime_value")}
    assert by_day[0]["players"] == 11
    assert by_day[0]["ltv_minor"] == pytest.approx(100 / 11)
    assert by_day[2]["ltv_minor"] == pytest.approx(200 / 11)
    assert money.shown("lifetime_value", "ltv_minor", f"{ALL} AND day_number = 0") == pytest.approx(100 / 11)


def test_revenue_an_active_player_counts_the_days_without_a_sale(money: Gold) -> None:
    # Player-days: A's first, B's two, nine of one day each.
    assert money.shown("revenue", "arpdau_minor") == pytest.approx(200 / 12)
    weeks = money.saved("monetisation")
    assert sum(week["gross_minor"] for week in weeks) == 200
    assert all(
        week["arpdau_minor"] == pytest.approx(float(week["gross_minor"]) / players)
        for week, players in zip(weeks, _player_days(money), strict=True)
    )


def _player_days(gold: Gold) -> Iterator[int]:
    for row in gold.rows(
        f"SELECT date_trunc('week', event_date) AS week, sum(active_players) AS days FROM daily WHERE {ALL} "
        "GROUP BY 1 ORDER BY 1"
    ):
        yield row["days"]


def test_revenue_a_payer_has_payers_of_its_own_currency() -> None:
    gold = Gold([paid("A", 0, 3000), paid("B", 0, 1000), *(paid(f"U{n}", 0, 500, "USD") for n in range(6))])
    assert gold.shown("revenue", "arppu_minor", f"{ALL} AND currency = 'EUR'") == 2000
    assert {row["currency"]: row["arppu_minor"] for row in gold.saved("monetisation")} == {
        "EUR": 2000,
        "USD": 500,
    }


def test_a_first_time_payer_counts_once_where_the_first_purchase_was_made() -> None:
    later = {"platform": "web", "at_ms": event("purchase", "A", 0)["at_ms"] + 60_000}
    gold = Gold([event("session_start", "A", 0), paid("A", 0, 100), paid("A", 0, 100, **later)])
    by_platform = {
        row["platform"]: row["first_time_payers"]
        for row in gold.rows(
            "SELECT platform, first_time_payers FROM daily WHERE country = '*' AND app_version = '*'"
        )
    }
    assert by_platform == {"*": 1, "ios": 1, "web": 0}


def test_a_refund_whose_purchase_nobody_reported_is_listed_and_subtracted_nowhere() -> None:
    def back(transaction: str, refund: str, **fields: Any) -> Event:
        named = {"transaction_id": transaction, "refund_id": refund, "refund_kind": "refund"}
        return event("refund", "A", 1, store="web", **named, **fields)

    gold = Gold(
        [
            paid("A", 0, 500, transaction_id="known"),
            event("session_start", "A", 1),
            back("known", "r-1", amount_minor=200),
            back("unknown", "r-1", amount_minor=300),
            back("unknown", "r-2"),
        ]
    )
    listed = [
        (one["transaction_id"], one["refund_id"], one["amount_minor"])
        for one in gold.saved("unmatched_refunds")
    ]
    assert listed == [("unknown", "r-1", 300), ("unknown", "r-2", None)]
    money = gold.one(f"SELECT sum(refunds) AS refunds, sum(net_minor) AS net FROM revenue WHERE {ALL}")
    assert (money["refunds"], money["net"]) == (1, 300)


def test_a_purchase_that_a_server_sends_is_no_session() -> None:
    start = event("session_start", "A", 0)
    gold = Gold(
        [
            start,
            event("session_end", "A", 0, at_ms=start["at_ms"] + 600_000),
            paid("A", 0, 100, session_id="server"),
        ]
    )
    assert gold.one(f"SELECT active_players, sessions, session_seconds_median FROM daily WHERE {ALL}") == {
        "active_players": 1,
        "sessions": 1,
        "session_seconds_median": 600,
    }
    assert gold.one(f"SELECT active_sessions FROM stability WHERE {ALL}") == {"active_sessions": 1}


def test_the_slow_tail_of_frames_is_at_the_low_end() -> None:
    gold = Gold([event("performance", "A", 0, fps=float(fps), latency_ms=float(fps)) for fps in range(101)])
    assert gold.one(f"SELECT p1, p5, slow_5, slow_1 FROM performance WHERE measure = 'fps' AND {ALL}") == {
        "p1": 1,
        "p5": 5,
        "slow_5": 5,
        "slow_1": 1,
    }
    assert gold.one(
        f"SELECT p1, p5, slow_5, slow_1 FROM performance WHERE measure = 'latency_ms' AND {ALL}"
    ) == {"p1": 1, "p5": 5, "slow_5": 95, "slow_1": 99}


def test_completion_is_at_most_one_in_every_reader() -> None:
    steps = [("start", 25), ("complete", 91)]
    gold = Gold(
        [
            event("progression", "A", 0, status=status, level_1="forest")
            for status, times in steps
            for _ in range(times)
        ]
    )
    assert gold.one(f"SELECT completion FROM progression WHERE {ALL}") == {"completion": 1}
    assert [row["completion"] for row in gold.saved("progression_funnel")] == [1]
    expression = "ifelse(sum({completes}) > sum({starts}), 1, sum({completes}) / sum({starts}))"
    definition = (MODULES / "quicksight" / "definition.json").read_text()
    assert json.dumps(expression) in definition


def test_a_crash_that_the_process_survives_crashes_no_session() -> None:
    gold = Gold(
        [
            event("crash", "A", 0, fatal=False),
            event("crash", "B", 0, fatal=True),
            event("session_start", "C", 0),
        ]
    )
    assert gold.one(
        f"SELECT crashes, nonfatal_crashes, crashed_sessions, crash_free_players FROM stability WHERE {ALL}"
    ) == {
        "crashes": 1,
        "nonfatal_crashes": 1,
        "crashed_sessions": 1,
        "crash_free_players": pytest.approx(2 / 3),
    }


def test_a_design_event_counts_for_each_part_of_its_name() -> None:
    gold = Gold(
        [
            event("design", "A", 10, name="boss:dragon:killed", value=3.0),
            event("design", "A", 10, name="boss:dragon:killed", value=5.0),
            event("design", "B", 10, name="boss:giant"),
            event("design", "B", 10, name="shop"),
        ]
    )
    found = gold.rows(f"SELECT depth, name, design_events, players, value_mean FROM design WHERE {ALL}")
    assert {row["name"]: tuple(row.values())[2:] for row in found if row["depth"] == "1"} == {
        "boss": (3, 2, 4),
        "shop": (1, 1, None),
    }
    assert {row["name"]: tuple(row.values())[2:] for row in found if row["depth"] > "1"} == {
        "boss:dragon": (2, 1, 4),
        "boss:dragon:killed": (2, 1, 4),
        "boss:giant": (1, 1, None),
    }
    answered = {row["name"]: (row["design_events"], row["value_mean"]) for row in gold.saved("design_events")}
    assert answered["boss"] == (3, 4)


def test_ecpm_is_the_revenue_of_a_thousand_impressions() -> None:
    """USD 0.02 of four impressions in two days are USD 5.00 a thousand."""
    ad = {"network": "n", "placement": "shop", "format": "rewarded", "currency": "USD"}
    gold = Gold(
        [
            event("ad_impression", "A", 0, **ad, revenue_micros=20_000, completed=True),
            *(event("ad_impression", f"B{n}", 1, **ad, revenue_micros=0, completed=False) for n in range(3)),
        ]
    )
    (row,) = gold.saved("ad_revenue")
    assert (row["impressions"], row["completed_share"], row["ecpm_micros"]) == (4, 0.25, 5_000_000)
    assert gold.shown("ads", "ecpm_micros") == 5_000_000


def test_a_player_counts_once_a_step_of_the_tutorial() -> None:
    """A repeats the first step on the next day; B needs a minute for the second, and never completes it."""
    start = event("tutorial_step", "B", 0, step=1, status="complete")
    gold = Gold(
        [
            event("tutorial_step", "A", 0, step=1, status="start"),
            event("tutorial_step", "A", 1, step=1, status="complete"),
            start,
            event("tutorial_step", "B", 0, step=2, status="start", at_ms=start["at_ms"] + 60_000),
        ]
    )
    first, second = gold.saved("tutorial_funnel")
    assert (first["reached_players"], first["completed_players"], first["step_completion"]) == (2, 2, 1)
    assert (first["timed_players"], first["step_seconds_mean"]) == (0, None)
    assert (second["reached_players"], second["completed_players"], second["step_completion"]) == (1, 0, 0)
    assert (second["step_seconds_mean"], second["within_60_seconds"], second["within_30_seconds"]) == (
        60,
        1,
        0,
    )


def test_a_source_has_all_its_players_below_the_line() -> None:
    """A and B come from north, C from an unknown source; only A pays, on day 2. B is back on day 1."""
    gold = Gold(
        [
            event("session_start", "A", 0, install_source="north"),
            event("player_registered", "A", 0, campaign="spring"),
            event("session_start", "B", 1, install_source="north"),
            event("session_start", "B", 1, install_source="south", at_ms=event("", "B", 1)["at_ms"] + 1),
            event("session_start", "C", 1),
            event("session_start", "B", 2),
            event("session_start", "C", 2, install_source="south"),
            paid("A", 2, 900),
        ]
    )
    retention = {
        (row["install_source"], row["campaign"], row["day_number"]): (
            row["cohort_players"], row["retained_players"],
        )
        for row in gold.saved("acquisition_retention")
    }  # fmt: skip
    assert retention["north", "spring", 0] == (1, 1)
    assert retention["north", "unknown", 1] == (1, 1)
    assert retention["north", "spring", 1] == (1, 0)
    assert retention["unknown", "unknown", 1] == (1, 1)
    (north,) = gold.rows(
        "SELECT sum(lifetime_gross_minor) / sum(cohort_players) AS value FROM acquisition_value "
        f"WHERE {ALL} AND install_source = 'north' AND day_number = 2"
    )
    assert north == {"value": 450}


def test_unique_players_of_any_days_are_counted_from_player_days() -> None:
    """A plays on two days and platforms, B on the second day: two players, where days add up to three."""
    gold = Gold(
        [
            event("session_start", "A", 10),
            event("session_start", "A", 11, platform="web"),
            event("session_start", "B", 11, country="US"),
        ]
    )
    assert gold.one(f"SELECT sum(active_players) AS players FROM daily WHERE {ALL}") == {"players": 3}
    assert {
        (row["platform"], row["country"], row["app_version"]): row["players"]
        for row in gold.saved("unique_players")
    } == {
        ("*", "*", "*"): 2, ("ios", "*", "*"): 2, ("web", "*", "*"): 1, ("*", "DE", "*"): 1,
        ("*", "US", "*"): 1, ("*", "*", "1.0.0"): 2,
    }  # fmt: skip


def test_percentiles_of_several_days_come_from_added_bins() -> None:
    """A day of few samples and a day of many: the mean of the two medians is nobody's median."""
    values = [(0, 60.0)] * 100 + [(1, 20.0)] * 300
    gold = Gold([event("performance", "A", day, fps=fps) for day, fps in values])
    medians = [row["p50"] for row in gold.rows(f"SELECT p50 FROM performance WHERE {ALL}")]
    bins = {
        str(row["bin"]): int(row["samples"])
        for row in gold.rows(
            "SELECT bin, sum(binned_samples) AS samples FROM performance_bins "
            f"WHERE {ALL} AND measure = 'fps' GROUP BY bin"
        )
    }
    found = histogram.percentiles(bins)
    assert found is not None
    assert (found["p50"], found["p95"]) == (pytest.approx(20, rel=0.025), pytest.approx(60, rel=0.025))
    assert sum(medians) / 2 == 40


def test_total_revenue_adds_purchases_and_ads_in_millionths() -> None:
    """EUR 5.00 of a purchase and EUR 0.25 of ads are EUR 1.75 for each of three players, before refunds."""
    back = {
        "store": "web",
        "transaction_id": "t",
        "refund_id": "r",
        "refund_kind": "refund",
        "amount_minor": 300,
    }
    ad = {"network": "n", "placement": "shop", "format": "rewarded", "currency": "EUR"}
    gold = Gold(
        [
            paid("A", 0, 500, transaction_id="t"),
            event("refund", "A", 1, **back),
            event("ad_impression", "B", 0, **ad, revenue_micros=250_000),
            event("session_start", "C", 0),
            event("session_start", "D", 1),
        ]
    )
    columns = (
        "purchase_micros, ad_revenue_micros, total_micros, net_total_micros, total_arpdau_micros, "
        "ad_arpdau_micros"
    )
    assert gold.one(f"SELECT {columns} FROM total_revenue WHERE {ALL} AND event_date = DATE '{FIRST}'") == {
        "purchase_micros": 5_000_000,
        "ad_revenue_micros": 250_000,
        "total_micros": 5_250_000,
        "net_total_micros": 5_250_000,
        "total_arpdau_micros": 1_750_000,
        "ad_arpdau_micros": pytest.approx(250_000 / 3),
    }
    (row,) = gold.saved("total_revenue")
    assert (row["total_micros"], row["total_arpdau_micros"]) == (5_250_000, 5_250_000 / 4)
    # The refund of EUR 3.00 comes a day later.
    assert row["refunded_micros"] == 3_000_000
    assert (row["net_total_micros"], row["net_total_arpdau_micros"]) == (2_250_000, 2_250_000 / 4)
    assert gold.one(
        "SELECT sum(lifetime_total_micros) / sum(cohort_players) AS ltv, "
        "sum(lifetime_net_total_micros) / sum(cohort_players) AS net_ltv FROM acquisition_value "
        f"WHERE {ALL} AND cohort_date = DATE '{FIRST}' AND day_number = 1"
    ) == {"ltv": 1_750_000, "net_ltv": 750_000}


def test_millionths_of_a_minor_unit_are_those_of_the_currency() -> None:
    unusual = sorted(NO_MINOR_UNIT | MINOR_UNIT_IS_1000TH)
    gold = Gold([paid("A", 0, 1, currency) for currency in ["EUR", *unusual]])
    found = {
        row["currency"]: row["purchase_micros"]
        for row in gold.rows(f"SELECT currency, purchase_micros FROM total_revenue WHERE {ALL}")
    }
    assert found == {currency: 10 ** (6 - minor_digits(currency)) for currency in ["EUR", *unusual]}


def test_a_match_counts_once_for_all_its_players() -> None:
    duel = {"match_id": "m", "mode": "duel"}
    end = {"result": "win", "duration_seconds": 90}
    gold = Gold(
        [
            event("match_start", "A", 0, **duel, queue_seconds=20),
            event("match_start", "A", 0, **duel),
            event("match_start", "B", 0, **duel, platform="web"),
            event("match_end", "A", 0, **duel, **end),
            event("match_end", "B", 0, **duel, **end | {"result": "loss", "duration_seconds": 60}),
        ]
    )
    (row,) = gold.saved("matches_by_mode")
    assert (row["matches"], row["match_entries"], row["players_per_match"]) == (1, 2, 2)
    assert (row["win_share"], row["match_seconds_mean"], row["queue_seconds_mean"]) == (0.5, 75, 20)


def _by_hand(text: str) -> list[str]:
    """Return the figures of a query that divide, and are not what the model says of their name."""
    query = sqlglot.parse_one(text.replace("?", "'g'"), read="athena")
    named = [table.name for table in query.find_all(exp.Table)]
    tables = metric_model.tables()
    # Costs are no table of gold: their metrics compare them with one.
    known = (
        metric_model.ad_spend()
        if "ad_spend" in named
        else tables[named[0]].metrics
        if named[0] in tables
        else {}
    )
    wrong = []
    for column in query.selects:
        if not any(column.find_all(exp.Div)):
            continue
        metric = known.get(column.alias)
        wanted = sqlglot.parse_one(metric.sql(), read="athena") if metric else None
        if column.unalias() != wanted:
            wrong.append(column.sql())
    return wrong


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_a_saved_query_computes_no_ratio_by_hand(path: Any) -> None:
    assert _by_hand(path.read_text()) == []


@pytest.mark.parametrize(
    "ratio",
    [
        "avg(gross_minor) / sum(payers) AS arppu_minor",
        "CAST(sum(gross_minor) AS double) / nullif(sum(active_players), 0) AS arppu_minor",
        "sum(gross_minor) / sum(payers) AS mean_receipt",
    ],
)
def test_a_ratio_that_is_computed_by_hand_is_seen(ratio: str) -> None:
    assert _by_hand(f"SELECT currency, {ratio} FROM revenue GROUP BY currency")


def test_each_day_of_each_cohort_has_every_currency() -> None:
    gold = Gold([event("session_start", "A", 0), paid("A", 1, 5, "USD"), paid("B", 3, 7)])
    days = (TODAY - FIRST).days
    for currency in ("EUR", "USD"):
        rows = gold.rows(
            f"SELECT cohort_date, day_number FROM lifetime_value WHERE {ALL} AND currency = '{currency}'"
        )
        assert len(rows) == days + (days - 3)
        assert {row["cohort_date"] for row in rows} == {FIRST, FIRST + timedelta(3)}


def test_a_transaction_of_two_players_counts_for_each_in_live_figures_and_once_in_the_history() -> None:
    """A player's item knows its own transactions. One that two players report is shared, or copied."""
    sold = [("A", 0, "t-1"), ("B", 0, "t-1"), ("A", 1, "t-2"), ("A", 1, "t-2")]
    history = Gold(
        [
            paid(player, day, 100, transaction_id=name, at_ms=at(day) + n)
            for n, (player, day, name) in enumerate(sold)
        ]
    )
    assert [
        (row["purchases"], row["currency_payers"], row["gross_minor"])
        for row in history.rows(f"SELECT * FROM revenue WHERE {ALL} ORDER BY event_date")
    ] == [(1, 1, 100), (1, 1, 100)]
    tables = Tables()
    live = [reported(player, day, name, n) for n, (player, day, name) in enumerate(sold)]
    assert feed(PlayerStore(tables, "players", "game_days"), live).lost == []
    counted = {row["game_day"]: row for row in tables.rows("game_days")}
    days = [counted[f"g#{FIRST + timedelta(day)}"] for day in (0, 1)]
    assert [(row["purchases"], row["payers"], row["revenue_EUR"]) for row in days] == [
        (2, 2, 200),
        (1, 1, 100),
    ]


def at(day: int) -> int:
    """Return noon of a day in milliseconds since 1970."""
    happened = FIRST + timedelta(day)
    return int(datetime(happened.year, happened.month, happened.day, 12, tzinfo=UTC).timestamp() * 1000)


def reported(player: str, day: int, transaction: str, millisecond: int) -> Event:
    """Return a purchase as player_state reads it."""
    moment = datetime.fromtimestamp(at(day) / 1000, UTC) + timedelta(milliseconds=millisecond)
    return {
        "event_id": str(UUID(int=millisecond)), "event_type": "purchase", "game_id": "g", "player_id": player,
        "session_id": str(UUID(int=7)), "event_date": timestamp(moment)[:10], "country": "DE",
        "corrected_time": timestamp(moment), "received_at": timestamp(moment), "platform": "ios",
        "app_version": "1.0.0", "late": True,
        "payload": {
            "store": "web", "transaction_id": transaction, "currency": "EUR", "amount_minor": 100,
        },
    }  # fmt: skip
