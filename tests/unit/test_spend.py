"""Costs of advertising that are kept, and their return, against what a person computes from the events."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from batch_analytics import kept
from duckdb_nights import DuckDB
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from scheduled_reports import sections
from telemetry import ad_spend, metric_model
from telemetry.ad_spend import Row, Spend
from tools import CommandError, spend
from tools import gold as lake_tables
from tools.gold import QUERIES

FIRST = date(2026, 3, 1)
TODAY = date(2026, 3, 13)
HEADER = "date,install_source,currency,amount\n"
CAMPAIGNS = "date,install_source,campaign,currency,amount\n"
numbers = count(1)


def event(kind: str, player: str, day: int, **fields: Any) -> dict[str, Any]:
    """Return an event at noon of a day; twelve days are over."""
    happened = FIRST + timedelta(day)
    noon = datetime(happened.year, happened.month, happened.day, 12, tzinfo=UTC)
    return {
        "event_id": f"{next(numbers):08}", "event_type": kind, "game_id": "go", "player_id": player,
        "session_id": f"{player}-{day}", "event_date": happened, "at_ms": int(noon.timestamp() * 1000),
        "arrival_date": FIRST + timedelta(12), "platform": "ios", "country": "DE", "app_version": "1",
        "added_ms": 1000,
    } | fields  # fmt: skip


def paid(player: str, day: int, amount: int, currency: str = "EUR") -> dict[str, Any]:
    """Return a purchase."""
    money = {"store": "web", "transaction_id": f"t-{player}-{day}", "currency": currency}
    return event("purchase", player, day, **money, amount_minor=amount)


def installed(player: str, day: int, source: str, campaign: str) -> Iterator[dict[str, Any]]:
    """Yield the events of a first day."""
    yield event("session_start", player, day, install_source=source)
    yield event("player_registered", player, day, campaign=campaign)


EVENTS = [
    *installed("a", 0, "north", "spring"), *installed("b", 0, "north", "autumn"),
    *installed("c", 5, "north", "spring"), *installed("d", 0, "south", "spring"),
    paid("a", 0, 300), paid("a", 3, 200), paid("a", 9, 100), paid("b", 7, 400),
    paid("c", 5, 50), paid("d", 0, 900, "USD"),
    event("ad_impression", "a", 1, network="n", placement="p", format="banner", currency="EUR",
          revenue_micros=250_000),
    event("refund", "a", 6, store="web", transaction_id="t-a-3", refund_id="r", refund_kind="refund",
          amount_minor=100),
]  # fmt: skip


@pytest.fixture(scope="module")
def store() -> DuckDB:
    """Return gold of the events, by the SQL that Spark runs."""
    store = DuckDB()
    for one in EVENTS:
        marks = ", ".join("?" * len(one))
        store.database.execute(
            f"INSERT INTO lake.silver ({', '.join(one)}) VALUES ({marks})", list(one.values())
        )
    for table, change in kept.Night(store, "run", print).changes(["go"]):
        if table.startswith("acquisition"):
            store.change(table, change)
    store.database.execute("USE lake")
    return store


@pytest.fixture(autouse=True)
def lake(store: DuckDB, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reader find gold."""
    monkeypatch.setattr(
        lake_tables, "sql", lambda query, *values: store.database.execute(query, list(values)).df()
    )


@pytest.fixture
def table(dynamodb: Any) -> Any:
    """Return the table that keeps the costs, with rows of something else."""
    found = dynamodb.Table("game_days")
    for key in ("go#2026-03#active", "go#2026-03-01", "ho#2026-03#spend"):
        found.put_item(Item={"game_day": key, "shard": "2026-03-01#EUR#north#", "micros": 7})
    return found


def uploaded(table: Any, tmp_path: Path, text: str) -> list[Spend]:
    """Upload a file, and return what is kept then."""
    path = tmp_path / "spend.csv"
    path.write_text(text)
    spend.upload(table, "go", spend.read(path, TODAY))
    return spend.kept(table, "go", date(2026, 1, 1), TODAY)


def rows(table: Any, tmp_path: Path, text: str, by_campaign: bool = False) -> dict[tuple[str, ...], Row]:
    """Return what a file's costs brought, by name."""
    found = spend.returns("go", uploaded(table, tmp_path, text), by_campaign)
    return {row[:3]: row for row in found}


def test_return_by_source(table: Any, tmp_path: Path) -> None:
    found = rows(
        table,
        tmp_path,
        f"{HEADER}2026-03-01,north,EUR,10\n2026-03-06,north,EUR,2.50\n2026-03-02,south,EUR,4\n"
        "2026-03-01,south,USD,3\n2026-03-01,south,JPY,3\n",
    )
    north = found["north", "", "EUR"]
    assert north[3:5] == (12_500_000, 3)
    assert north.cost_per_player_micros == pytest.approx(12_500_000 / 3)
    # By day 7: 3 + 2 - 1 of a, an ad of 0.25, 4 of b. Day 7 of 6 March is not over: its cost waits.
    assert north.returns == (pytest.approx(3.5 / 12.5), pytest.approx(8.25 / 10), None)
    # Nobody came that day, which is no reason to leave the cost out.
    assert found["south", "", "EUR"][3:] == (4_000_000, 0, None, (0, 0, None))
    assert found["south", "", "USD"].returns == (3, 3, None)
    # The game has sold nothing for yen, and its players still came.
    assert found["south", "", "JPY"][3:] == (3_000_000, 1, 3_000_000, (0, 0, None))


def test_return_by_campaign_and_of_several_lines(table: Any, tmp_path: Path) -> None:
    text = (
        "amount,date,install_source,currency,campaign\n4,2026-03-01,north,EUR,spring\n"
        "1,2026-03-01,north,EUR,spring\n5,2026-03-01,north,EUR,autumn\n3,2026-03-01,south,USD,\n"
    )
    found = rows(table, tmp_path, text, by_campaign=True)
    assert found["north", "spring", "EUR"][3:] == (
        5_000_000, 1, 5_000_000, (pytest.approx(0.6), pytest.approx(0.85), None),
    )  # fmt: skip
    assert found["north", "autumn", "EUR"].returns == (0, pytest.approx(0.8), None)
    # A cost without a campaign is one of the whole source.
    assert found["south", "", "USD"][3:] == (3_000_000, 1, 3_000_000, (3, 3, None))
    whole = rows(table, tmp_path, text)["north", "", "EUR"]
    assert (whole.spend_micros, whole.returns) == (10_000_000, (0.3, pytest.approx(8.25 / 10), None))


def test_costs_of_two_currencies_are_not_ranked_together(table: Any, tmp_path: Path) -> None:
    costs = uploaded(
        table,
        tmp_path,
        f"{CAMPAIGNS}2026-03-01,a,,JPY,900\n2026-03-01,b,,EUR,8\n2026-03-01,c,,EUR,9\n"
        "2026-03-02,a,,EUR,9\n2026-03-01,d,x,JPY,1000\n2026-03-01,d,y,JPY,1000\n",
    )
    found = spend.returns("go", costs, by_campaign=False)
    assert [(row.currency, row.install_source) for row in found] == [
        ("EUR", "a"), ("EUR", "c"), ("EUR", "b"), ("JPY", "d"), ("JPY", "a"),
    ]  # fmt: skip
    assert [row.install_source for row in spend.returns("go", costs, by_campaign=True)] == list("acbdda")


SOURCES = {"a": ("north", 0), "b": ("north", 0), "c": ("north", 5), "d": ("south", 0)}
QUERY = (QUERIES / "return_on_ad_spend.sql").read_text().replace("current_date", f"DATE '{TODAY}'")


def brought(player: str, currency: str, number: int) -> int:
    """Return the net revenue of a player by a day after the install, in millionths, from the events."""
    total = 0
    for one in EVENTS:
        if one["player_id"] != player or (one["event_date"] - FIRST).days - SOURCES[player][1] > number:
            continue
        # Player a alone was paid back, in euros.
        if one["event_type"] == "refund" and currency == "EUR":
            total -= 10_000 * one["amount_minor"]
        elif one.get("currency") == currency:
            total += 10_000 * one.get("amount_minor", 0) + one.get("revenue_micros", 0)
    return total


def test_the_saved_query_has_the_returns_of_the_definition(store: DuckDB) -> None:
    chance, last = random.Random(7), 11
    costs = {
        (day, source, campaign, currency): chance.randrange(0, 9_000_000)
        for day in range(last + 2)
        for source, campaigns in (("north", ("spring", "autumn")), ("south", ("",)), ("west", ("", )))
        for campaign in campaigns
        for currency in ("EUR", "USD", "JPY")
        if chance.random() < 0.4
    }  # fmt: skip
    made = "CREATE OR REPLACE TABLE lake.ad_spend (game_id VARCHAR, cohort_date DATE, install_source VARCHAR,"
    store.database.execute(f"{made} campaign VARCHAR, currency VARCHAR, spend_micros BIGINT)")
    rows = [("go", FIRST + timedelta(day), *names, micros) for (day, *names), micros in costs.items()]
    theirs = [("ho", FIRST, "north", "", "EUR", 5), ("go", FIRST - timedelta(90), "north", "", "EUR", 5)]
    store.database.executemany("INSERT INTO lake.ad_spend VALUES (?, ?, ?, ?, ?, ?)", [*rows, *theirs])
    expected = {}
    for currency in ("EUR", "USD", "JPY"):
        for source in ("north", "south", "west"):
            for number in ad_spend.NUMBERS:
                days = Counter[int]()
                for (day, one, _, code), micros in costs.items():
                    if (one, code) == (source, currency) and day + number <= last:
                        days[day] += micros
                if not days:
                    continue
                here = [name for name, (one, day) in SOURCES.items() if one == source and day in days]
                sums = days.total(), len(here), sum(brought(name, currency, number) for name in here)
                expected[currency, source, number] = (
                    *sums, sums[0] / sums[1] if sums[1] else None, sums[2] / sums[0] if sums[0] else None,
                )  # fmt: skip
    for sql in (QUERY, sqlglot.transpile(QUERY, read="athena", write="duckdb")[0]):
        answer = store.database.execute(sql, ["go"]).fetchall()
        found = {(currency, source, number): row for currency, source, number, *row in answer}
        assert found.keys() == expected.keys()
        for name, row in found.items():
            assert [None if one is None else float(one) for one in row] == pytest.approx(expected[name]), name
    assert len(expected) > 12
    spends = [Spend(row[1], row[2], row[3], row[4], row[5]) for row in rows]
    for row in spend.returns("go", spends, by_campaign=False):
        for number, share in zip(ad_spend.NUMBERS, row.returns, strict=True):
            known = expected.get((row.currency, row.install_source, number))
            assert share == (pytest.approx(known[-1]) if known and known[-1] is not None else None)


def test_a_second_upload_replaces_what_it_names_and_nothing_else(table: Any, tmp_path: Path) -> None:
    uploaded(
        table,
        tmp_path,
        f"{CAMPAIGNS}2026-02-28,north,a,EUR,1\n2026-03-01,north,a,EUR,2\n2026-03-01,north,b,EUR,3\n",
    )
    found = uploaded(
        table, tmp_path, f"{CAMPAIGNS}2026-03-01,north,a,EUR,2.000001\n2026-03-01,north,a,USD,0\n"
    )
    assert found == [
        Spend(date(2026, 2, 28), "north", "a", "EUR", 1_000_000),
        Spend(FIRST, "north", "a", "EUR", 2_000_001),
        Spend(FIRST, "north", "a", "USD", 0),
        Spend(FIRST, "north", "b", "EUR", 3_000_000),
    ]
    assert spend.listed(found).splitlines()[:3] == [
        "day         source  campaign     spend",
        "2026-02-28  north   a         1.00 EUR",
        "2026-03-01  north   a         2.00 EUR",
    ]
    assert spend.remove(table, "go", FIRST, FIRST, "south") == 0
    assert spend.remove(table, "go", FIRST, FIRST, "north") == 3
    assert spend.kept(table, "go", date(2026, 1, 1), TODAY) == found[:1]
    # Rows of other games and of other subjects are as they were.
    assert len(table.scan()["Items"]) == 4


def test_a_cost_expires_with_the_figures_of_its_day(table: Any, tmp_path: Path) -> None:
    uploaded(table, tmp_path, f"{HEADER}2026-03-01,north,EUR,1\n")
    (row,) = (one for one in table.scan()["Items"] if one.get("expires_at"))
    assert datetime.fromtimestamp(int(row["expires_at"]), UTC).date() == FIRST + timedelta(400)


def test_a_cost_that_would_count_twice_is_refused_and_nothing_is_kept(table: Any, tmp_path: Path) -> None:
    before = uploaded(table, tmp_path, f"{HEADER}2026-03-01,north,EUR,1\n")
    with pytest.raises(CommandError, match="2026-03-01 north EUR has costs with and without a campaign"):
        uploaded(table, tmp_path, f"{CAMPAIGNS}2026-03-02,south,a,EUR,1\n2026-03-01,north,a,EUR,1\n")
    assert spend.kept(table, "go", date(2026, 1, 1), TODAY) == before


def test_a_day_has_a_bound(table: Any, tmp_path: Path) -> None:
    lines = "".join(f"2026-03-01,n{n},EUR,1\n" for n in range(spend.MAX_NAMES_A_DAY))
    assert len(uploaded(table, tmp_path, HEADER + lines)) == spend.MAX_NAMES_A_DAY
    with pytest.raises(CommandError, match="2026-03-01 has 201 sources, campaigns and currencies"):
        uploaded(table, tmp_path, f"{HEADER}2026-03-01,more,EUR,1\n")


def test_the_table_is_readable(table: Any, tmp_path: Path) -> None:
    found = rows(table, tmp_path, f"{HEADER}2026-03-01,north,EUR,1000\n")
    assert spend.shown(found.values()).splitlines() == [
        "source  campaign         spend  players  a player    D0    D7  D30",
        "north   *         1,000.00 EUR        2    500.00  0.3%  0.8%    -",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,currency,amount\n", "has no column install_source"),
        (HEADER, "has no line of costs"),
        (f"{HEADER}1 March,n,EUR,1\n", "line 2: a date is 2026-01-31"),
        (f"{HEADER}20260301,n,EUR,1\n", "line 2: a date is 2026-01-31"),
        (f"{HEADER}2026-03-01,n,EUR,\n", "an amount is 12.50"),
        (f"{HEADER}2026-03-01\n", "line 2: a date is"),
        (f"{HEADER}2026-03-14,n,EUR,1\n", "2026-03-14 is later than today"),
        (f"{HEADER}2025-02-06,n,EUR,1\n", "400 days ago and more"),
        (f"{HEADER}2026-03-01,n,EUR,-1\n", "an amount is from 0"),
        (f"{HEADER}2026-03-01,n,EUR,NaN\n", "an amount is from 0"),
        (f"{HEADER}2026-03-01,n,EUR,1e30\n", "an amount is from 0"),
        (f"{HEADER}2026-03-01,n,EUR,0.0000001\n", "at most 6 decimals"),
        (f"{HEADER}2026-03-01,n,EURO,1\n", "'EURO' is no currency"),
        (f"{HEADER}2026-03-01,,EUR,1\n", "'' is no install_source"),
        (f"{HEADER}2026-03-01,a#b,EUR,1\n", "'a#b' is no install_source"),
        (f"{CAMPAIGNS}2026-03-01,n,{'c' * 65},EUR,1\n", "is no campaign: no event may have it"),
        (f"{CAMPAIGNS}2026-03-01,n,,EUR,1\n2026-03-01,n,c,EUR,1\n", "with and without a campaign"),
        (f"{HEADER}2026-03-01,n,EUR,1\nx,n,EUR,1\n2026-03-01,n,EUR,x\n", "line 3: .*line 4: "),
    ],
)
def test_a_file_that_cannot_be_kept_is_explained(table: Any, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        uploaded(table, tmp_path, text)
    assert spend.kept(table, "go", date(2026, 1, 1), TODAY) == []


def test_many_errors_are_named_up_to_ten(tmp_path: Path) -> None:
    path = tmp_path / "spend.csv"
    path.write_text(HEADER + "x,n,EUR,1\n" * 15)
    with pytest.raises(CommandError, match=r"line 11: .*; 5 more$"):
        spend.read(path, TODAY)
    with pytest.raises(CommandError, match="cannot be read"):
        spend.read(tmp_path / "none.csv", TODAY)


def test_the_report_has_a_section_for_each_currency(table: Any, tmp_path: Path) -> None:
    costs = uploaded(table, tmp_path, f"{CAMPAIGNS}2026-03-01,north,spring,EUR,5\n2026-03-01,south,,USD,3\n")
    known = spend.known("go", costs, by_campaign=True)
    found = {section.title: section for section in sections.ad_spend(costs, known)}
    assert list(found) == [
        "Return on ad spend by install source: EUR",
        "Return on ad spend by install source: USD",
        "Return on ad spend by install source, campaign: EUR",
        "Return on ad spend by install source, campaign: USD",
    ]
    section = found["Return on ad spend by install source, campaign: EUR"]
    assert [name for name, _ in section.columns] == [
        "Cost", "Players of the cohort", "Cost of a player", "Return by D0", "Return by D7", "Return by D30",
    ]  # fmt: skip
    assert section.rows == [
        ("north, spring", (5_000_000, 1, 5_000_000, pytest.approx(0.6), pytest.approx(0.85), None))
    ]
    assert sections.ad_spend([], known) == []
    (section, *_) = sections.ad_spend(costs, None)
    assert section.title == ("Return on ad spend (gold cannot be read, so costs only) by install source: EUR")
    assert (section.columns, section.rows) == ((("Cost", "EUR micros"),), [("north", (5_000_000,))])


@pytest.fixture
def client(metrics_app: Any, table: Any, dynamodb: Any, store: DuckDB, gold: DuckGold) -> TestClient:
    """Return the metrics API on the costs and on gold, whose SQL is also read as Athena reads it."""
    columns = ", ".join(metric_model.tables()["acquisition_value"].types)
    gold.fill("acquisition_value", store.rows(f"SELECT {columns} FROM lake.acquisition_value"))
    for game in ("go", "ho"):
        dynamodb.Table("games").put_item(
            Item={"game_id": game, "name": game, "status": "active", "key_hashes": []}
        )
    return TestClient(metrics_app)


def test_the_api_has_the_same_returns(client: TestClient, table: Any, tmp_path: Path) -> None:
    text = (
        f"{CAMPAIGNS}2026-03-01,north,spring,EUR,5\n2026-03-06,north,spring,EUR,2\n2026-03-01,south,,USD,3\n"
    )
    costs = uploaded(table, tmp_path, text)
    days = {"from": "2026-03-01", "to": "2026-03-12"}
    for by in ("source", "campaign"):
        answer = client.get("/v1/games/go/ad-spend", params={**days, "by": by}).json()
        wanted = spend.returns("go", costs, by == "campaign")
        assert [
            (row["install_source"], row["campaign"] or "", row["currency"], row["spend_micros"],
             row["cohort_players"], row["cost_per_player_micros"], tuple(row["returns"].values()))
            for row in answer["rows"]
        ] == wanted  # fmt: skip
        assert list(answer["rows"][0]["returns"]) == ["D0", "D7", "D30"]
    assert [one["name"] for one in answer["metrics"]] == list(metric_model.ad_spend())
    # Day 7 of 6 March is not over.
    assert answer["rows"][0]["returns"]["D7"] == pytest.approx(4.25 / 5)
    early = client.get("/v1/games/go/ad-spend", params={"from": "2026-03-02", "to": "2026-03-12"}).json()
    assert [row["spend_micros"] for row in early["rows"]] == [2_000_000]


def test_the_api_says_nothing_of_other_games_and_refuses_what_it_does_not_know(client: TestClient) -> None:
    days = {"from": "2026-03-01", "to": "2026-03-12"}
    assert client.get("/v1/games/go/ad-spend", params=days).json()["rows"] == []
    (row,) = client.get("/v1/games/ho/ad-spend", params=days).json()["rows"]
    assert (row["spend_micros"], row["cohort_players"], row["cost_per_player_micros"]) == (7, 0, None)
    assert client.get("/v1/games/nosuch/ad-spend", params=days).status_code == 404
    for wrong in ({"by": "country"}, {"from": "2026-03-13", "to": "2026-03-12"}, {"platform": "ios"}):
        assert client.get("/v1/games/go/ad-spend", params=days | wrong).status_code == 422


def test_a_notebook_has_units(table: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    costs = uploaded(table, tmp_path, f"{HEADER}2026-03-01,north,EUR,10\n2026-03-01,south,JPY,0\n")
    monkeypatch.setenv("GAME_DAYS_TABLE", "game_days")
    days = (datetime.now(UTC).date() - FIRST).days + 1
    rows = spend.answer("go", days=days).to_dict("records")
    assert [row["install_source"] for row in rows] == ["north", "south"]
    assert (rows[0]["spend"], rows[0]["players"], rows[0]["cost_per_player"]) == (10, 2, 5)
    assert (rows[0]["D0"], rows[0]["D7"], len(costs)) == (pytest.approx(0.3), pytest.approx(0.825), 2)


def test_gold_without_installs_has_players_of_none() -> None:
    (row,) = spend.returns("ko", [Spend(FIRST, "n", "", "EUR", 5)], by_campaign=False)
    assert row[3:] == (5, 0, None, (None, None, None))


def test_athena_answers_with_texts() -> None:
    known = ad_spend.history(
        [
            [("north", "spring", "2026-03-01", "2")],
            [("north", "spring", "EUR", "2026-03-01", "3000000", None, None)],
            [("2026-03-08",)],
        ]
    )
    (row,) = ad_spend.returns([Spend(FIRST, "north", "", "EUR", 1_500_000)], known, by_campaign=True)
    assert (row.cohort_players, row.cost_per_player_micros, row.returns) == (2, 750_000, (2, 0, None))
