"""What scripts/report and scripts/quality read of gold, against figures computed from the events alone."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import duckdb
import pandas as pd
import pytest
from batch_analytics import kept
from duckdb_nights import DuckDB
from scheduled_reports.figures import Period
from scheduled_reports.sections import Section
from telemetry.dimensions import NOTHING
from tools import CommandError, gold, report, report_history

Event = dict[str, Any]
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 8)
ARRIVED = date(2026, 3, 20)
numbers = count(1)


def event(kind: str, player: str, day: int, **fields: Any) -> Event:
    """Return an event at noon of a day of the week, of one session a day."""
    happened = FIRST + timedelta(day)
    noon = datetime(happened.year, happened.month, happened.day, 12, tzinfo=UTC)
    return {
        "event_id": f"{next(numbers):08}", "event_type": kind, "game_id": "g", "player_id": player,
        "session_id": f"{player}-{day}", "event_date": happened, "at_ms": int(noon.timestamp() * 1000),
        "arrival_date": ARRIVED, "platform": "ios", "country": "DE", "app_version": "1.0.0", "added_ms": 1000,
    } | fields  # fmt: skip


def paid(player: str, day: int, amount: int, currency: str) -> Event:
    """Return a purchase."""
    money = {"store": "web", "transaction_id": f"t-{next(numbers)}", "currency": currency}
    return event("purchase", player, day, **money, amount_minor=amount)


def ad(player: str, day: int, network: str, **fields: Any) -> Event:
    """Return an impression."""
    shown = {"network": network, "placement": "shop", "format": "banner", "completed": True, **fields}
    return event("ad_impression", player, day, **shown)


EVENTS = [
    *(event("session_start", f"p{n}", day) for n in range(6) for day in range(7) if (n + day) % 3),
    paid("p1", 1, 500, "EUR"), paid("p1", 3, 250, "EUR"), paid("p2", 3, 999, "USD"),
    ad("p1", 1, "admob", currency="USD", revenue_micros=7_000),
    ad("p2", 1, "admob", currency="USD", revenue_micros=2_000, completed=False),
    ad("p2", 4, "admob"),
    *(ad("p1", 4, f"n{n:02}", currency="USD", revenue_micros=100 * n) for n in range(25)),
    event("design", "p1", 1, name="boss:dragon", value=2.5),
    event("design", "p2", 1, name="boss:giant", value=-1.0),
    event("design", "p2", 4, name="boss"),
    *(event("design", "p1", 4, name=f"e{n:02}:x", value=float(n)) for n in range(25)),
]  # fmt: skip


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    """Gold of the events, by the SQL that Spark runs."""
    store = DuckDB()
    for one in EVENTS:
        columns, marks = ", ".join(one), ", ".join("?" * len(one))
        store.database.execute(f"INSERT INTO lake.silver ({columns}) VALUES ({marks})", list(one.values()))
    for table, change in kept.Night(store, "run", print).changes(["g"]):
        store.change(table, change)
    made: duckdb.DuckDBPyConnection = store.database
    made.execute("USE lake")
    return made


@pytest.fixture(autouse=True)
def reader(database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reader find the tables in the database."""

    def table(name: str, game: str, **equal: str) -> pd.DataFrame:
        where = " AND ".join(f"{column} = '{value}'" for column, value in {"game_id": game, **equal}.items())
        rows: pd.DataFrame = database.execute(f"SELECT * FROM {name} WHERE {where}").df()
        return rows.assign(event_date=rows["event_date"].dt.date)

    monkeypatch.setattr(gold, "sql", lambda query, *values: database.execute(query, list(values)).df())
    monkeypatch.setattr(gold, "table", table)


def titled(sections: Sequence[Section]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return each figure by title, row and label."""
    return {
        section.title: {
            name: dict(zip((label for label, _ in section.columns), values, strict=True))
            for name, values in section.rows
        }
        for section in sections
    }


def of_day(day: date, kind: str = "") -> list[Event]:
    return [one for one in EVENTS if one["event_date"] == day and kind in ("", one["event_type"])]


WEEK = Period("week", LAST)


def days() -> Iterator[tuple[date, list[Event]]]:
    for number in range(7):
        day = FIRST + timedelta(number)
        yield day, of_day(day)


def test_players_and_payers_of_each_day() -> None:
    found, seen = titled(report_history.sections("g", WEEK)), set[str]()
    for day, events in days():
        row = found["History of players"][str(day)]
        active = {one["player_id"] for one in events}
        payers = {one["player_id"] for one in events if one["event_type"] == "purchase"}
        assert row["Active players"] == len(active)
        assert row["New players"] == len(active - seen)
        assert found["History of payers"][str(day)]["Payers"] == len(payers)
        assert found["History of payers"][str(day)]["Payers among active players"] == len(payers) / len(
            active
        )
        seen |= active


def test_revenue_and_lifetime_value_of_each_currency() -> None:
    found = titled(report_history.sections("g", WEEK))
    installed: dict[str, date] = {}
    for day, events in days():
        for one in events:
            installed.setdefault(one["player_id"], day)
    for currency in ("EUR", "USD"):
        for day, events in days():
            amounts = [
                one["amount_minor"]
                for one in events
                if one.get("currency") == currency and "amount_minor" in one
            ]
            row = found[f"History of revenue: {currency}"][str(day)]
            assert row["Gross revenue"] == sum(amounts)
            assert row["ARPDAU"] == pytest.approx(sum(amounts) / len({one["player_id"] for one in events}))
        for number in (0, 1, 7):
            gross = sum(
                one["amount_minor"]
                for one in EVENTS
                if one["event_type"] == "purchase" and one["currency"] == currency
                and (one["event_date"] - installed[one["player_id"]]).days <= number
            )  # fmt: skip
            assert found[f"Lifetime value: {currency}"][f"D{number}"]["Lifetime value"] == pytest.approx(
                gross / len(installed)
            )
    assert "D30" not in found["Lifetime value: EUR"]


def of_ads(events: Sequence[Event]) -> dict[str, float]:
    micros = sum(one["revenue_micros"] for one in events)
    return {
        "Ad impressions": len(events),
        "Ad completion rate": sum(one["completed"] for one in events) / len(events),
        "Ad revenue": micros,
        "Ad eCPM": 1000 * micros / len(events),
    }


def test_ads_of_the_largest_networks_and_of_all_others() -> None:
    found = titled(report_history.sections("g", WEEK))
    priced = [one for one in EVENTS if one["event_type"] == "ad_impression" and "currency" in one]
    by_network: dict[str, list[Event]] = defaultdict(list)
    for one in priced:
        by_network[one["network"]].append(one)
    largest = sorted(by_network, key=lambda name: (-len(by_network[name]), name))
    rows = found["History of ads: USD"]
    assert list(rows) == [*largest[: report_history.SHOWN], "other"]
    for name in largest[: report_history.SHOWN]:
        assert rows[name] == pytest.approx(of_ads(by_network[name]))
    rest = [one for name in largest[report_history.SHOWN :] for one in by_network[name]]
    assert rows["other"] == pytest.approx(of_ads(rest))
    # Without a currency there is no money.
    assert found["History of ads"] == {"admob": {"Ad impressions": 1, "Ad completion rate": 1}}


@pytest.mark.parametrize("period", [WEEK, Period("day", FIRST + timedelta(4))], ids=lambda one: one.kind)
def test_design_events_have_players_on_a_day_and_not_over_a_week(period: Period) -> None:
    rows = titled(report_history.sections("g", period))["History of design events"]
    by_name: dict[str, list[Event]] = defaultdict(list)
    for one in (one for day in period.days for one in of_day(day, "design")):
        by_name[one["name"].split(":")[0]].append(one)
    largest = sorted(by_name, key=lambda name: (-len(by_name[name]), name))
    assert list(rows) == [*largest[: report_history.SHOWN], "other"]
    rest = [one for name in largest[report_history.SHOWN :] for one in by_name[name]]
    for name, events in [
        *((name, by_name[name]) for name in largest[: report_history.SHOWN]),
        ("other", rest),
    ]:
        values = [one["value"] for one in events if "value" in one]
        assert rows[name]["Design events"] == len(events)
        # Values of different names may have different units.
        known = bool(values) and name != "other"
        assert rows[name]["Sum of values"] == (sum(values) if known or name == "boss" else None)
        assert rows[name]["Mean value"] == (pytest.approx(sum(values) / len(values)) if known else None)
        # Unique players add up neither over days nor over names.
        players = len({one["player_id"] for one in events}) if name != "other" else None
        assert rows[name].get("Players") == (players if period.kind == "day" else None)


def test_golds_days_are_named_as_the_stream_names_them() -> None:
    found = report_history.days("g", FIRST + timedelta(1))
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    seen: set[str] = set()
    for day, events in days():
        counts = expected[str(day)]
        active = {one["player_id"] for one in events}
        counts.update(active_players=len(active), new_players=len(active - seen))
        seen |= active
        for one in events:
            if one["event_type"] in ("ad_impression", "design"):
                counts[f"events_{one['event_type']}"] += 1
            if one["event_type"] == "purchase":
                counts[f"revenue_{one['currency']}"] += one["amount_minor"]
    del expected[str(FIRST)]
    until = {day: counts for day, counts in found.items() if day <= str(LAST)}
    assert {day: +Counter(counts) for day, counts in until.items()} == {
        day: +counts for day, counts in expected.items()
    }


def test_a_lake_without_tables_costs_the_report_its_history_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: Any) -> Any:
        raise CommandError("lake.daily is not there")

    monkeypatch.setattr(gold, "sql", missing)
    monkeypatch.setattr(gold, "shares", lambda _: {})
    tables = SimpleNamespace(ad_spend=lambda *_: [], dimensions=lambda _: NOTHING)
    monkeypatch.setattr(report, "store", lambda: tables)
    assert report._history("g", WEEK) == []
    assert capsys.readouterr().err == "The report has no history: lake.daily is not there\n"


def test_guests_who_became_accounts_in_the_period(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [LAST + timedelta(1), LAST, FIRST, FIRST - timedelta(1)]
    columns = ["event_date", "links", "linked_guests", "linked_accounts", "ignored_links"]
    frame = pd.DataFrame([(pd.Timestamp(day), 9, n, 2, 4) for n, day in enumerate(days)], columns=columns)
    monkeypatch.setattr(gold, "answer", lambda question, game: {"links": frame}[question])
    assert titled(report_history.sections("g", WEEK))["Guests who became accounts"] == {
        str(FIRST): {"Guests": 2, "Accounts": 2, "Ignored links": 4},
        str(LAST): {"Guests": 1, "Accounts": 2, "Ignored links": 4},
    }
    monkeypatch.setattr(gold, "answer", lambda *_: frame[:0])
    assert "Guests who became accounts" not in titled(report_history.sections("g", WEEK))


def test_no_figure_is_not_a_number() -> None:
    for section in report_history.sections("g", WEEK):
        assert not any(
            value is not None and math.isnan(value) for _, values in section.rows for value in values
        )
