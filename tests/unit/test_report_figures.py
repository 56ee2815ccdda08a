"""A report's figures, of counters that player_state wrote, and how they are rendered."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from metrics_api.store import Store
from player_state.players import PlayerStore
from scheduled_reports import render
from scheduled_reports.figures import Figure, Period, figures, retention, unusual
from test_player_state import happen, pay
from tools import CommandError, report

DAY = Period("day", date(2026, 3, 10))
NEXT_DAY = 24 * 60


@pytest.fixture
def store(metrics_app: Any) -> Store:
    from metrics_api import store

    return store.store()


def write(*events: dict[str, Any]) -> None:
    players = PlayerStore(boto3.client("dynamodb"), "players", "game_days")
    assert players.apply(events, "shard-1")[1] == []


def named(found: list[Figure]) -> dict[str, tuple[float | None, float | None]]:
    return {figure.name: (figure.value, figure.before) for figure in found}


def test_a_day_is_told_beside_the_day_before(store: Store) -> None:
    write(
        happen(),
        pay(1, 300),
        pay(2, 200),
        happen() | {"player_id": "p-2"},
        happen(minute=NEXT_DAY),
    )
    found = named(figures(store, "skyforge", Period("day", date(2026, 3, 11))))
    assert found["active_players"] == (1, 2)
    assert found["weekly_active_players"] == (2, 2)
    assert found["stickiness"] == (0.5, 1)
    assert found["new_players"] == (0, 2)
    assert found["conversion"] == (0, 0.5)
    assert found["revenue_EUR"] == (0, 500)
    assert found["arpdau_EUR"] == (0, 250)
    assert found["arppu_EUR"] == (None, 500)


def test_a_week_counts_each_player_once_and_leaves_its_payers_open(store: Store) -> None:
    write(happen(), pay(1, 300), happen(minute=NEXT_DAY))
    found = named(figures(store, "skyforge", Period("week", date(2026, 3, 15))))
    assert found["active_players"] == (1, 0)
    assert found["sessions"] == (2, 0)
    assert found["payers"] == (None, None)
    assert found["conversion"] == (None, None)


def test_cohorts_are_measured_on_the_day_they_become_due(store: Store) -> None:
    write(happen(), happen() | {"player_id": "p-2"}, happen(minute=NEXT_DAY))
    found = named(retention(store, "skyforge", Period("day", date(2026, 3, 11))))
    assert found["D1 retention"] == (0.5, None)
    assert found["D7 retention"] == (None, None)


def test_a_report_holds_nothing_of_another_game(store: Store) -> None:
    write(happen() | {"game_id": "skyforge2"}, pay(1, 700) | {"game_id": "skyforge2"})
    found = named(figures(store, "skyforge", DAY))
    assert found["active_players"] == (0, 0)
    assert not any(name.startswith("revenue") for name in found)


def test_hostile_names_are_escaped() -> None:
    hostile = [Figure("=cmd|<script>", "@x", 1, 2)]
    assert "<script>" not in render.html("<b>game", DAY, hostile, [])
    assert "<b>" not in render.html("<b>game", DAY, hostile, [])
    (_, row) = csv.reader(io.StringIO(render.table(hostile)))
    assert row == ["'=cmd|<script>", "'@x", "1", "2"]


def test_what_is_not_available_says_so_and_more_crashes_are_worse() -> None:
    page = render.html("Game", DAY, [Figure("payers", "players", None, 3)], [])
    assert render.NOT_AVAILABLE in page
    crashes = render.html("Game", DAY, [Figure("events_crash", "count", 3, 2)], [])
    assert '<td class="down">▲ +50.0%</td>' in crashes


def test_a_day_is_judged_by_days_of_its_kind_since_the_first_event(store: Store, dynamodb: Any) -> None:
    last = date(2026, 3, 10)
    days = dynamodb.Table("game_days")
    for back in range(1, 22):
        day = last - timedelta(days=back)
        # Weekends are far busier: they must not widen the band of weekdays.
        players = 9000 if day.weekday() >= 5 else 100 + back % 3
        item = {"game_day": f"skyforge#{day}", "shard": "a", "events": 1, "active_players": players}
        days.put_item(Item=item)
    days.put_item(Item={"game_day": f"skyforge#{last}", "shard": "a", "events": 1, "active_players": 200})
    (found,) = unusual(store, "skyforge", DAY)
    assert (found.day, found.name, found.change.lasting) == (last, "active_players", 1)
    assert unusual(store, "skyforge", Period("week", last)) == [found]
    for rendered in (render.html, render.text):
        assert "active players 200, usually" in rendered("Game", DAY, [], [found])


def test_a_game_without_data_has_an_empty_report(store: Store) -> None:
    assert unusual(store, "skyforge", DAY) == []
    found = figures(store, "skyforge", DAY)
    assert {figure.value for figure in found} == {0, None}
    assert render.NOT_AVAILABLE in render.html("Game", DAY, found, [])


def test_the_command_writes_both_files_of_a_registered_game(
    store: Store, dynamodb: Any, tmp_path: Path
) -> None:
    write(happen(), pay(1, 300))
    with pytest.raises(CommandError, match="not registered"):
        report.write(store, "skyforge", DAY, tmp_path)
    dynamodb.Table("games").put_item(Item={"game_id": "skyforge"})
    page, table = report.write(store, "skyforge", DAY, tmp_path)
    assert "2026-03-10 (UTC)" in page.read_text()
    assert "revenue_EUR,EUR minor,300,0" in table.read_text()


def test_only_a_period_that_is_over_has_a_report() -> None:
    wednesday = date(2026, 3, 11)
    assert report.period_of("day", None, wednesday) == DAY
    assert report.period_of("week", None, wednesday) == Period("week", date(2026, 3, 8))
    with pytest.raises(CommandError, match="not over"):
        report.period_of("day", wednesday, wednesday)
