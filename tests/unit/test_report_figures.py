"""A report's figures, of counters that player_state wrote, and how they are rendered."""

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from player_events import happen, pay, write
from scheduled_reports import charts, formatting, plain_text, render, sections
from scheduled_reports.figures import (
    Figure,
    Notice,
    Period,
    cohorts,
    counted,
    figures,
    judged,
    retention,
    stability,
    unusual,
)
from scheduled_reports.report import Report
from scheduled_reports.report import report as read
from scheduled_reports.sections import Section, economy, funnel, levels, versions
from telemetry.anomaly import Anomaly
from telemetry.store import Store
from tools import CommandError, report

DAY = Period("day", date(2026, 3, 10))
NEXT_DAY = 24 * 60


@pytest.fixture
def store(metrics_app: Any) -> Store:
    from telemetry import store

    return store.store()


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
    assert found["payer_conversion"] == (0, 0.5)
    assert found["revenue_EUR"] == (0, 500)
    assert found["arpdau_EUR"] == (0, 250)
    assert found["arppu_EUR"] == (None, 500)


def test_a_week_counts_each_player_once_and_leaves_its_payers_open(store: Store) -> None:
    write(happen(), pay(1, 300), happen(minute=NEXT_DAY))
    found = named(figures(store, "skyforge", Period("week", date(2026, 3, 15))))
    assert found["active_players"] == (1, 0)
    assert found["session_starts"] == (2, 0)
    assert found["payers"] == (None, None)
    # Payer-days over player-days.
    assert found["payer_conversion"] == (0.5, None)


def test_cohorts_are_measured_on_the_day_they_become_due(store: Store) -> None:
    write(happen(), happen() | {"player_id": "p-2"}, happen(minute=NEXT_DAY))
    period = Period("day", date(2026, 3, 11))
    found = named(retention(cohorts(store, "skyforge", period.until(58)), period))
    assert found["D1 retention"] == (0.5, None)
    assert found["D7 retention"] == (None, None)


def test_a_report_holds_nothing_of_another_game(store: Store) -> None:
    write(happen() | {"game_id": "skyforge2"}, pay(1, 700) | {"game_id": "skyforge2"})
    found = named(figures(store, "skyforge", DAY))
    assert found["active_players"] == (0, 0)
    assert not any(name.startswith("revenue") for name in found)


def test_hostile_names_are_escaped() -> None:
    section = Section("Economy: <i>", "Reason", (("source", "count"),), [("=1<u>\n- forged", (1,))])
    made = Report("g", "<b>game\nx", DAY, [Figure("=cmd|<script>", "@x", 1, 2)], [], [section])
    page = render.html(made)
    assert not any(tag in page for tag in ("<script>", "<b>", "<i>", "<u>"))
    _, figure, row = csv.reader(io.StringIO(plain_text.table(made)))
    assert figure == ["Figures", "", "'=cmd|<script>", "'@x", "1", "2", ""]
    assert row[:3] == ["Economy: <i>", "'=1<u>\n- forged", "source"]
    for form in (plain_text.text, plain_text.brief):
        assert "\n- forged" not in form(made)
        assert form(made).startswith("<b>game x, ")


def test_what_is_not_available_says_so_and_more_crashes_are_worse() -> None:
    page = render.html(Report("g", "Game", DAY, [Figure("payers", "players", None, 3)]))
    assert formatting.NOT_AVAILABLE in page
    crashes = render.html(Report("g", "Game", DAY, [Figure("crash_events", "count", 3, 2)]))
    assert re.search('<span class="down" [^>]*>▲ [+]50.0%</span>', crashes)


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
    (found,) = unusual(counted(store, "skyforge", DAY), DAY)
    assert (found.day, found.name, found.change.lasting) == (last, "active_players", 1)
    week = Period("week", last)
    assert unusual(counted(store, "skyforge", week), week) == [found]
    for rendered in (render.html, plain_text.text, plain_text.brief):
        assert "Active players 200, usually" in rendered(Report("g", "Game", DAY, [], [found]))


def test_a_game_without_data_has_an_empty_report(store: Store) -> None:
    made = read(store, "skyforge", "Game", DAY)
    assert {figure.value for figure in made.figures} == {0, None}
    assert (made.notices, made.sections, made.pictures, made.judged) == ([], [], [], False)
    for form in (render.html, plain_text.text, plain_text.brief):
        assert "No event was counted" in form(made)
        assert "Not judged: too few days" in form(made)
        assert formatting.NOT_AVAILABLE in form(made)


def test_the_command_writes_both_files_of_a_registered_game(
    store: Store, dynamodb: Any, tmp_path: Path
) -> None:
    write(happen(), pay(1, 300))
    with pytest.raises(CommandError, match="not registered"):
        report.write(store, "skyforge", DAY, tmp_path)
    dynamodb.Table("games").put_item(Item={"game_id": "skyforge"})
    table, page = report.write(store, "skyforge", DAY, tmp_path)
    assert "10 March 2026 (UTC)" in page.read_text()
    assert "Figures,,revenue_EUR,EUR,3.00,0.00,0.00" in table.read_text()


def test_only_a_period_that_is_over_has_a_report() -> None:
    wednesday = date(2026, 3, 11)
    assert report.period_of("day", None, wednesday) == DAY
    assert report.period_of("week", None, wednesday) == Period("week", date(2026, 3, 8))
    with pytest.raises(CommandError, match="not over"):
        report.period_of("day", wednesday, wednesday)


def test_a_day_is_held_against_its_weekday_in_the_week_before_too(store: Store) -> None:
    write(happen(), happen() | {"player_id": "p-2"}, happen(minute=7 * NEXT_DAY))
    found = {one.name: one for one in figures(store, "skyforge", Period("day", date(2026, 3, 17)))}
    assert found["active_players"][2:] == (1, 0, 2)
    assert formatting.changes(found["active_players"]) == [None, -0.5]
    page = render.html(Report("g", "Game", Period("day", date(2026, 3, 17)), [found["active_players"]]))
    assert "vs Tue 10 Mar" in page
    week = figures(store, "skyforge", Period("week", date(2026, 3, 22)))
    assert {one.week_before for one in week} == {None}


def test_nothing_is_a_part_of_less_than_nothing() -> None:
    """More was paid back than paid the day before: 100 is no "-200 %" of -100."""
    assert formatting.changes(Figure("net_revenue_EUR", "EUR minor", 100, -100, 50)) == [None, 1]
    assert formatting.changes(Figure("net_revenue_EUR", "EUR minor", -100, 50, 0)) == [-3, None]


def test_sinks_and_sources_stand_by_reason_the_largest_of_each_first(store: Store) -> None:
    flows = {"quest": ("source", 50), "shop": ("sink", 40), "gift": ("source", 30), "repair": ("sink", 20)}
    for reason, (flow, amount) in flows.items():
        of = {"currency": "gold", "flow": flow, "amount": amount, "reason": reason, "balance_after": 1}
        write(happen("economy", **of))
    (gold,) = economy(store, "skyforge", DAY)
    assert gold.rows == [
        ("all reasons", (80, 60, 20)),
        ("quest", (50, 0, 50)),
        ("shop", (0, 40, -40)),
        ("gift", (30, 0, 30)),
        ("repair", (0, 20, -20)),
    ]


def test_a_currency_of_small_amounts_has_a_section_and_every_currency_its_sums(store: Store) -> None:
    for number in range(120):
        of = {"currency": "coins", "flow": "sink", "amount": 10_000, "reason": f"r{number:03}"}
        write(happen("economy", **of, balance_after=1))
    write(happen("economy", currency="gems", flow="source", amount=2, reason="gift", balance_after=1))
    coins, gems = economy(store, "skyforge", DAY)
    assert (gems.title, gems.rows) == (
        "Economy: gems", [("all reasons", (2, 0, 2)), ("gift", (2, 0, 2))],
    )  # fmt: skip
    assert coins.rows[0] == ("all reasons", (0, 1_200_000, -1_200_000))
    assert sum(values[1] for _, values in coins.rows[1:]) == 1_200_000
    assert len(coins.rows) == 1 + 99 + 1


def test_the_funnel_counts_players_and_each_levels_attempts(store: Store) -> None:
    write(
        happen(),
        happen() | {"player_id": "p-2"},
        *(happen("progression", status=status, level_1="forest") for status in ("start", "start", "fail")),
        happen("progression", status="complete", level_1="forest"),
    )
    assert [row for _, row in funnel(store, "skyforge", DAY).rows] == [(2, 1), (1, 0.5), (1, 0.5), (0, 0)]
    assert levels(store, "skyforge", DAY).rows == [("forest", (2, 1, 1, 0.5))]
    assert (
        funnel(store, "skyforge", Period("week", date(2026, 3, 15))).columns[0][0] == "players a day, summed"
    )


def test_each_version_tells_its_crashes_and_frames(store: Store) -> None:
    second, (one, two, three) = {"app_version": "1.1.0"}, (str(uuid4()) for _ in range(3))
    write(
        happen("crash", fatal=True, session=one),
        happen("session_start", session=two),
        happen("performance", session=two, fps=60),
        happen("session_start", session=three) | second,
    )
    first, other = versions(store, "skyforge", DAY).rows
    assert first == ("1.0.0", (2, 1, 0.5, pytest.approx(60, rel=0.025), pytest.approx(60, rel=0.025)))
    assert other == ("1.1.0", (1, 0, 1, None, None))
    assert stability(store, "skyforge", DAY)[2:] == (pytest.approx(2 / 3), None, None)


def test_pictures_can_be_opened_and_have_words_for_who_cannot_see_them(store: Store) -> None:
    write(happen(), happen() | {"player_id": "p-2"}, pay(1, 300), happen(minute=NEXT_DAY))
    made = read(store, "skyforge", "Game", Period("day", date(2026, 3, 11)))
    assert [picture.name for picture in made.pictures] == ["players", "revenue-EUR", "retention", "versions"]
    for picture in made.pictures:
        image = Image.open(io.BytesIO(picture.png))
        assert image.size[0] == 1136
        # Transparent, so that it lies on a dark page as on a white one.
        assert image.convert("RGBA").getpixel((1135, 0))[3] == 0
    alt = {picture.name: picture.alt for picture in made.pictures}
    assert alt["players"].endswith("28 days to 2026-03-11: 0 to 2, 1 on the last.")
    assert alt["revenue-EUR"].endswith("0.00 EUR to 3.00 EUR, 0.00 EUR on the last.")
    assert "D1 was 50% of the newest cohort" in alt["retention"]
    assert 'src="data:image/png;base64,' in render.html(made)


def test_the_period_is_what_stands_out_of_its_month() -> None:
    days = DAY.until(28)
    png = charts.bars(days, [5] * 28, {DAY.last}, str)
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    shades = [image.getpixel((4 + round((n + 0.5) * 1128 / 28), 200))[3] for n in range(28)]
    assert set(shades[:-1]) == {110}
    assert shades[-1] == 255


def test_essential_styles_stand_at_their_elements() -> None:
    """Mail clients that strip the style sheet lose the dark theme only."""
    notice = Notice(DAY.last, "session_starts", Anomaly(9, 1, 3, 1))
    page = render.html(Report("g", "Game", DAY, [Figure("session_starts", "count", 3, 2)], [notice]))
    body = page.partition("<body")[2]
    assert not re.findall(r"<(?:td|th|h1|h2|img)(?![^>]*style=)[^>]*>", body)
    sheet = set(re.findall(r"[.]([a-z]+)", page.partition("<style>")[2].partition("</style>")[0]))
    used = {name for names in re.findall('class="([^"]+)"', body) for name in names.split()}
    assert used - {"up", "down", "note"} <= sheet


def test_long_tables_go_on_in_the_csv() -> None:
    rows = [(f"level {n}", (n,)) for n in range(12)]
    made = Report("g", "Game", DAY, [], [], [Section("Levels", "Level", (("starts", "count"),), rows)])
    for form in (render.html, plain_text.text):
        assert "2 more in the CSV" in form(made)
        assert "level 11" not in form(made)
    assert "Levels,level 11,starts,count,11,," in plain_text.table(made)
    assert plain_text.brief(made).count("level ") == 3


def test_a_young_game_is_not_said_to_be_as_usual(store: Store) -> None:
    write(happen())
    assert not judged(counted(store, "skyforge", DAY), DAY)
    assert sections.sections(store, "skyforge", DAY)


def test_revenue_a_payer_has_the_payers_of_its_own_currency(store: Store) -> None:
    """EUR 40.00 of two payers, and six who pay in USD."""
    in_dollars = [pay(number, 500, "USD") | {"player_id": f"u-{number}"} for number in range(3, 9)]
    write(pay(1, 3000), pay(2, 1000) | {"player_id": "p-2"}, *in_dollars)
    found = named(figures(store, "skyforge", DAY))
    assert found["arppu_EUR"] == (2000, None)
    assert found["arppu_USD"] == (500, None)
    assert found["payers"] == (8, 0)


def test_the_share_of_revenue_that_only_clients_reported_is_in_the_report(store: Store) -> None:
    write(pay(1, 1500) | {"verified": True}, pay(2, 500) | {"verified": False}, pay(3, 800, "USD"))
    found = {figure.name: (figure.value, figure.unit) for figure in figures(store, "skyforge", DAY)}
    assert found["unverified_share_EUR"] == (0.25, "share")
    assert found["unverified_share_USD"] == (1, "share")
    made = read(store, "skyforge", "Game", DAY)
    for form in (render.html, plain_text.text):
        for words in ("Unverified share of revenue EUR", "25.0%"):
            assert words in form(made)
