"""Return on ad spend, against what a person computes from the events."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from batch_analytics import kept
from duckdb_nights import DuckDB
from tools import CommandError, gold, spend

FIRST = date(2026, 3, 1)
numbers = count(1)


def event(kind: str, player: str, day: int, **fields: Any) -> dict[str, Any]:
    """Return an event at noon of a day; twelve days are over."""
    happened = FIRST + timedelta(day)
    noon = datetime(happened.year, happened.month, happened.day, 12, tzinfo=UTC)
    return {
        "event_id": f"{next(numbers):08}", "event_type": kind, "game_id": "g", "player_id": player,
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


@pytest.fixture(autouse=True)
def lake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reader find gold of the events, by the SQL that Spark runs."""
    store = DuckDB()
    for one in EVENTS:
        marks = ", ".join("?" * len(one))
        store.database.execute(
            f"INSERT INTO lake.silver ({', '.join(one)}) VALUES ({marks})", list(one.values())
        )
    for table, change in kept.Night(store, "run", print).changes(["g"]):
        if table.startswith("acquisition"):
            store.change(table, change)
    store.database.execute("USE lake")
    monkeypatch.setattr(gold, "sql", lambda query, *values: store.database.execute(query, list(values)).df())


def rows(tmp_path: Path, text: str) -> dict[spend.Name, spend.Row]:
    """Return the answer to a file by name."""
    path = tmp_path / "spend.csv"
    path.write_text(text)
    return {row.name: row for row in spend.returns("g", spend.read(path))}


def test_spend_by_source(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "date,install_source,currency,amount\n2026-03-01,north,EUR,10\n2026-03-06,north,EUR,2.50\n"
        "2026-03-02,south,EUR,4\n2026-03-01,south,USD,3\n",
    )
    north = found["north", "", "EUR"]
    assert (north.spend, north.players, north.cost_per_player) == (12.5, 3, pytest.approx(12.5 / 3))
    # By day 7: 3 + 2 - 1 of a, an ad of 0.25, 4 of b. Day 7 of 6 March is not over: its spend waits.
    assert north.returns == (pytest.approx(3.5 / 12.5), pytest.approx(8.25 / 10), None)
    # Nobody came that day, which is no reason to leave the spend out.
    assert found["south", "", "EUR"][1:] == (4, 0, None, (0, 0, None))
    assert found["south", "", "USD"].returns == (3, 3, None)


def test_spend_by_campaign_and_of_several_lines(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "amount,date,install_source,currency,campaign\n4,2026-03-01,north,EUR,spring\n"
        "1,2026-03-01,north,EUR,spring\n5,2026-03-01,north,EUR,autumn\n",
    )
    assert found["north", "spring", "EUR"][1:] == (5, 1, 5, (pytest.approx(0.6), pytest.approx(0.85), None))
    assert found["north", "autumn", "EUR"].returns == (0, pytest.approx(0.8), None)


def test_the_table_is_readable(tmp_path: Path) -> None:
    found = rows(tmp_path, "date,install_source,currency,amount\n2026-03-01,north,EUR,1000\n")
    assert spend.shown(found.values()).splitlines() == [
        "source  campaign         spend  players  a player    D0    D7  D30",
        "north   *         1,000.00 EUR        2    500.00  0.3%  0.8%    -",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,currency,amount\n", "has no column install_source"),
        ("date,install_source,currency,amount\n1 March,n,EUR,1\n", "line 2: a date is 2026-01-31"),
        ("date,install_source,currency,amount\n2026-03-01,n,EUR,\n", "an amount is 12.50"),
        ("date,install_source,currency,amount\n2026-03-01\n", "line 2: a date is"),
        ("date,install_source,currency,amount\n2026-03-01,n,EUR,-1\n", "no less than 0"),
        ("date,install_source,currency,amount\n2026-03-01,n,EUR,NaN\n", "no less than 0"),
        ("date,install_source,currency,amount\n2026-03-01,,EUR,1\n", "install_source or currency is empty"),
        (
            "date,install_source,campaign,currency,amount\n2026-03-01,n,,EUR,1\n2026-03-01,n,c,EUR,1\n",
            "make two files",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        rows(tmp_path, text)


def test_a_missing_file_and_a_game_without_installs_are_explained(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        spend.read(tmp_path / "none.csv")
    with pytest.raises(CommandError, match="gold has no installs of k"):
        spend.returns("k", [spend.Spend(FIRST, ("n", "", "EUR"), spend.Decimal(1))])
