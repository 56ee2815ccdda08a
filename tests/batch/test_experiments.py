"""A published experiment from its events to the report, by the SQL that Spark runs: Cookie Cats."""

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest
from batch_analytics import kept
from duckdb_nights import DuckDB
from scheduled_reports.figures import Period
from scheduled_reports.sections import Section
from tools import gold, report_history

DAY = date(2026, 3, 2)
# Of 90,189 players: how many had each gate, and were back on day 1 and on day 7.
PUBLISHED = {"gate_30": (44_700, 20_034, 8_502), "gate_40": (45_489, 20_119, 8_279)}


@pytest.fixture(scope="module")
def store() -> DuckDB:
    """Return gold of the experiment: an exposure of each player, who is then back or not."""
    store = DuckDB(small=False)
    began = int(datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC).timestamp() * 1000)
    for variant, (players, *back) in PUBLISHED.items():
        for number, count in zip((0, 1, 7), (players, *back), strict=True):
            kind = "session_start" if number else "experiment_exposure"
            store.database.execute(
                f"""INSERT INTO lake.silver (
                  event_id, event_type, game_id, player_id, session_id, event_date, at_ms, arrival_date,
                  platform, country, app_version, added_ms, experiment, variant
                )
                SELECT
                  '{variant}-{number}-' || n, '{kind}', 'cats', '{variant}-' || n, '{variant}-{number}-' || n,
                  DATE '{DAY}' + {number}, {began + 86_400_000 * number}, DATE '{DAY}' + 10,
                  'ios', 'DE', '1.0.0', 1000, CASE WHEN {number} = 0 THEN 'gate' END,
                  CASE WHEN {number} = 0 THEN '{variant}' END
                FROM range({count}) AS numbers (n)"""
            )
        # One player of fifty pays, some of them in the other currency too.
        store.database.execute(
            f"""INSERT INTO lake.silver (
              event_id, event_type, game_id, player_id, session_id, event_date, at_ms, arrival_date, platform,
              country, app_version, added_ms, store, transaction_id, currency, amount_minor, verified
            )
            SELECT
              '{variant}-' || c || n, 'purchase', 'cats', '{variant}-' || n, '{variant}-0-' || n,
              DATE '{DAY}', {began + 1}, DATE '{DAY}' + 10, 'ios', 'DE', '1.0.0', 1000,
              'web', '{variant}-' || c || n, c, 100 + n % 900, n % 100 = 0
            FROM range({players}) AS numbers (n), (VALUES ('EUR', 50), ('USD', 200)) AS currencies (c, every)
            WHERE n % every = 0"""
        )
    # Players of the later gate die more often: 60 of a hundred, where 40 did. Few send another event.
    store.database.execute(
        f"""INSERT INTO lake.silver (
          event_id, event_type, game_id, player_id, session_id, event_date, at_ms, arrival_date, platform,
          country, app_version, added_ms, name, value
        )
        SELECT
          v || name || n, 'design', 'cats', v || '-' || n, v || '-0-' || n, DATE '{DAY}', {began + 2},
          DATE '{DAY}' + 10, 'ios', 'DE', '1.0.0', 1000, name, value
        FROM range(44700) AS numbers (n), (VALUES
          ('gate_30', 'boss:died', 40, 100, 2.0), ('gate_40', 'boss:died', 60, 100, 2.0),
          ('gate_40', 'rare', 1, 10000, NULL)
        ) AS sent (v, name, part, every, value)
        WHERE n * 7 % every < part"""
    )
    for table, change in kept.Night(store, "run", print).changes(["cats"]):
        if table.startswith("experiment"):
            store.change(table, change)
    store.database.execute("USE lake")
    return store


@pytest.fixture
def found(store: DuckDB, monkeypatch: pytest.MonkeyPatch) -> dict[str, Section]:
    """Return the report's sections of experiments by title."""

    def sql(query: str, *values: Any) -> pd.DataFrame:
        return store.database.execute(query, list(values)).df()

    monkeypatch.setattr(gold, "sql", sql)
    every = report_history.sections("cats", Period("day", date(2026, 3, 11)))
    return {section.title: section for section in every if section.title.startswith("Experiments")}


def test_the_published_retention_and_its_verdict(found: dict[str, Section]) -> None:
    first, seventh = (found[f"Experiments, day {day}: Retention after the exposure"] for day in (1, 7))
    assert [name for name, _ in first.rows] == ["gate gate_30: control", "gate gate_40: not conclusive"]
    assert [name for name, _ in seventh.rows] == ["gate gate_30: control", "gate gate_40: worse"]
    shown = [[f"{value:.2%}" for _, (_, value, *_) in section.rows] for section in (first, seventh)]
    assert shown == [["44.82%", "44.23%"], ["19.02%", "18.20%"]]
    assert [values[0] for _, values in seventh.rows] == [44_700, 45_489]
    _, (_, _, difference, low, high) = seventh.rows[1]
    assert None not in (difference, low, high)
    assert low < difference < high < 0  # type: ignore[operator]


def test_an_experiment_is_compared_by_payers_sessions_and_money_too(found: dict[str, Section]) -> None:
    assert list(found) == [
        "Experiments, day 1: Retention after the exposure",
        "Experiments, day 7: Retention after the exposure",
        "Experiments, day 7: Payers among exposed players",
        "Experiments, day 7: Sessions an exposed player",
        "Experiments, day 7: Net revenue an exposed player, EUR",
        "Experiments, day 7: Net revenue an exposed player, USD",
        "Experiments, day 7: Senders among exposed players",
        "Experiments, day 7: Design events an exposed player",
        "Experiments, day 7: Sum of values an exposed player",
    ]
    paid = found["Experiments, day 7: Net revenue an exposed player, EUR"]
    assert paid.columns[1] == ("Net revenue an exposed player", "EUR minor")
    for variant, (_, (players, mean, *_)) in zip(PUBLISHED, paid.rows, strict=True):
        amounts = [100 + n % 900 for n in range(0, PUBLISHED[variant][0], 50)]
        assert (players, mean) == (PUBLISHED[variant][0], pytest.approx(sum(amounts) / players))
        assert paid.columns[-1] == ("Unverified share of revenue by day N", "share")
        unverified = sum(100 + n % 900 for n in range(50, PUBLISHED[variant][0], 100))
        assert paid.rows[list(PUBLISHED).index(variant)][1][-1] == pytest.approx(unverified / sum(amounts))
    payers = found["Experiments, day 7: Payers among exposed players"]
    assert [values[1] for _, values in payers.rows] == [894 / 44_700, 910 / 45_489]


def test_design_events_are_compared_by_their_first_part(found: dict[str, Section]) -> None:
    senders = found["Experiments, day 7: Senders among exposed players"]
    assert senders.subject == "experiment, event, variant"
    assert [name for name, _ in senders.rows] == [
        "gate boss gate_30: control",
        "gate boss gate_40: better",
        "gate rare gate_30: control",
        "gate rare gate_40: too few players",
    ]
    died = {"gate_30": 40 * 447 / 44_700, "gate_40": 60 * 447 / 45_489}
    assert [values[1] for _, values in senders.rows[:2]] == [pytest.approx(share) for share in died.values()]
    summed = found["Experiments, day 7: Sum of values an exposed player"]
    # An event without a value has no figures here.
    assert [name for name, _ in summed.rows] == ["gate boss gate_30: control", "gate boss gate_40: better"]
    assert summed.columns[-1] == ("Mean value of an event", "measure")
    for (_, (_, mean, *_, of_event)), share in zip(summed.rows, died.values(), strict=True):
        assert (mean, of_event) == (pytest.approx(2 * share), 2)


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ({"gate": {"gate_30": 1, "gate_40": 1}}, "worse"),
        ({"gate": {"gate_30": 447, "gate_40": 455}}, "worse"),
        ({"gate": {"gate_30": 9, "gate_40": 1}}, "unequal samples"),
        ({"gate": {"gate_30": 1, "gate_50": 1}}, "unequal samples"),
        ({"shop": {"gate_30": 9, "gate_40": 1}}, "worse"),
    ],
)
def test_the_numbers_of_players_are_held_against_the_intended_shares(
    store: DuckDB, monkeypatch: pytest.MonkeyPatch, shares: dict[str, dict[str, int]], verdict: str
) -> None:
    monkeypatch.setattr(gold, "sql", lambda query, *values: store.database.execute(query, list(values)).df())
    every = report_history.sections("cats", Period("day", date(2026, 3, 11)), shares)
    (seventh,) = (s for s in every if s.title == "Experiments, day 7: Retention after the exposure")
    assert [name for name, _ in seventh.rows] == ["gate gate_30: control", f"gate gate_40: {verdict}"]


def test_a_report_shows_what_its_period_knew(store: DuckDB, monkeypatch: pytest.MonkeyPatch) -> None:
    def sql(query: str, *values: Any) -> pd.DataFrame:
        return store.database.execute(query, list(values)).df()

    monkeypatch.setattr(gold, "sql", sql)
    early = report_history.sections("cats", Period("day", date(2026, 3, 4)))
    assert [section.title for section in early] == ["Experiments, day 1: Retention after the exposure"]
    # The last exposures are more than 38 days old.
    assert report_history.sections("cats", Period("day", date(2026, 4, 9))) == []
    assert report_history.sections("cats", Period("day", date(2026, 4, 8))) != []
