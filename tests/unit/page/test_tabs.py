"""The tabs of the page: each with figures, empty, refused and slow; links, marks, files, accessibility."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chromium import in_chromium
from gold_tables import DuckGold
from metrics_api import live_page
from metrics_api.callers import Caller, caller
from page_views import TODAY, day_before, keep, violations
from playwright.sync_api import Browser, Page, Route, expect
from telemetry import ad_spend, metric_model
from telemetry.ad_spend import Spend
from tools import games
from tools.progress import STILL_SECONDS

HISTORY = ("overview", "retention", "revenue", "economy", "stability", "experiments", "players")
TABS = ("", *live_page.VIEWS)
DAYS = 28
# What a cell without a figure shows.
NONE = "\u2013"
YESTERDAY = date.fromisoformat(day_before(1))


def fill(gold: DuckGold) -> None:
    """Write figures of every table that a panel shows, of each of the last days."""
    for platform in ("*", "ios", "android"):
        slices: dict[str, Any] = {"platform": platform}
        for table in ("daily", "stability"):
            keep(gold, table, DAYS, **slices)
        for number in (0, 1, 7):
            keep(gold, "retention", DAYS, day_number=number, retained_players=2, cohort_players=8, **slices)
        keep(gold, "revenue", DAYS, currency="EUR", gross_minor=1999, **slices)
    for version, country in (("1.4.0", "*"), ("*", "DE")):
        for table in ("daily", "stability"):
            keep(gold, table, DAYS, app_version=version, country=country)
        keep(gold, "revenue", DAYS, currency="EUR", app_version=version, country=country)
    keep(gold, "total_revenue", DAYS, currency="EUR")
    keep(gold, "ads", DAYS, network="admob", placement="end", format="banner", currency="EUR")
    for number in (0, 1, 7):
        keep(gold, "lifetime_value", DAYS, day_number=number, currency="EUR")
        names = {"install_source": "store", "campaign": "spring", "day_number": number}
        keep(gold, "acquisition", DAYS, cohort_date=TODAY, retained_players=1, cohort_players=4, **names)
        keep(gold, "acquisition_value", DAYS, cohort_date=TODAY, currency="EUR", **names)
        for variant in ("control", "b"):
            exposed = {"experiment": "gate", "variant": variant, "exposure_date": TODAY, "day_number": number}
            keep(
                gold, "experiments", DAYS, exposed_players=10, returned_players=4, exposed_payers=1, **exposed
            )
            keep(gold, "experiment_revenue", DAYS, currency="EUR", exposed_players=10, **exposed)
    for flow in ("source", "sink"):
        for reason in ("*", "quest"):
            keep(gold, "economy", DAYS, currency="gold", flow=flow, reason=reason)
    keep(gold, "progression", DAYS, level_1="forest", level_2="1", level_3="")
    keep(gold, "tutorial", DAYS, step="1")
    keep(gold, "matches", DAYS, mode="duel")
    keep(gold, "design", DAYS, depth="1", name="boss")
    for measure in ("fps", "latency_ms"):
        keep(gold, "performance", DAYS, measure=measure)


def costs(dynamodb: Any, *of: Spend) -> None:
    """Keep costs of advertising, one of yesterday unless others are given."""
    for one in of or [Spend(YESTERDAY, "store", "", "EUR", 5_000_000)]:
        dynamodb.Table("game_days").put_item(Item=ad_spend.item("skyforge", one))


def quality(dynamodb: Any, verdicts: dict[str, str]) -> None:
    checks = [
        {"name": name, "verdict": verdict, "message": f"{name} is {verdict}.", "value": 1, "bound": 2}
        for name, verdict in verdicts.items()
    ]
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:00:00Z}"
    item = {"game_id": "skyforge", "checked_at": at, "checks": json.dumps(checks), "expires_at": 2**31}
    dynamodb.Table("quality").put_item(Item=item)


@pytest.fixture
def wide(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages of a width and colour scheme."""
    opened: list[Page] = []

    def make(width: int, scheme: Any) -> Page:
        # axe-core is put into the page, which its policy forbids.
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-US", bypass_csp=True
        )
        page.set_default_timeout(1000 * STILL_SECONDS)
        opened.append(page)
        return page

    yield make
    for page in opened:
        page.close()


def settled(page: Page) -> None:
    """Wait until nothing on the page waits for an answer."""
    expect(page.locator("#view section:not([hidden])").first).to_be_visible()
    expect(page.locator("[aria-busy=true], .waiting, .waiting-answer")).to_have_count(0)


def test_the_server_knows_the_tabs_of_the_page() -> None:
    script = (live_page.FOLDER / "tabs.js").read_text()
    assert re.findall(r'\bname: "(\w+)", title:', script) == ["live", *live_page.VIEWS]


def test_the_tabs_name_tables_and_metrics_that_there_are() -> None:
    """A panel of a table that the API does not list is left out without a word."""
    script = (live_page.FOLDER / "tabs.js").read_text()
    tables = metric_model.tables()
    named = re.findall(r'table: "(\w+)"(?:, metrics?: \[?((?:"\w+"(?:, )?)+))?', script)
    assert len(named) > 60
    for table, metrics in named:
        assert set(re.findall(r"\w+", metrics)) <= set(tables[table].metrics), table
    for listed in re.findall(r"tables: \[([^\]]*)\]", script):
        assert set(re.findall(r"\w+", listed)) <= set(tables)


@in_chromium
def test_each_tab_shows_what_gold_has(address: str, page: Page, gold: DuckGold, dynamodb: Any) -> None:
    fill(gold)
    costs(dynamodb)
    page.goto(f"{address}/?game=skyforge")
    for name in HISTORY:
        page.locator(f'#tabs a[data-path="/{name}"]').click()
        settled(page)
        expect(page.locator("#heading")).to_be_focused()
        states = page.eval_on_selector_all(
            ".panel",
            "(all) => all.map((one) => `${one.id} ${one.innerText.slice(0, 20)}: ${one.dataset.state}`)",
        )
        assert len(states) >= 4
        assert [one for one in states if not one.endswith(": full")] == [], name
        assert page.locator(".hint").is_hidden()
    page.go_back()
    expect(page.locator("#heading")).to_have_text("Experiments")
    assert page.title() == "Experiments · Skyforge"


@in_chromium
def test_large_figures_are_those_of_the_range(address: str, page: Page, gold: DuckGold) -> None:
    """New players of a range are added up. Active players are those of its last day: they do not add up."""
    keep(gold, "daily", 60)
    keep(gold, "retention", 60, day_number=1, cohort_players=80)
    keep(gold, "revenue", 60, currency="EUR", gross_minor=1050)
    page.goto(f"{address}/overview?game=skyforge&from={day_before(7)}&to={day_before(1)}&compare=previous")
    tiles = page.locator(".tiles article")
    expect(tiles.nth(0)).to_contain_text("Active players1")
    # One player yesterday, eight a week earlier.
    expect(tiles.nth(0)).to_contain_text(f"on {day_before(1)}, -87.5% against the range before")
    expect(tiles.nth(1)).to_contain_text("New players28")
    # 28 of 77, which is 8 to 14.
    expect(tiles.nth(1)).to_contain_text("-63.6% against the range before")
    expect(tiles.nth(3)).to_contain_text("€73.50")
    # 28 of 560 players came back, and 77 in the week before: 5 and 13.75 percent. A share changes by points.
    expect(tiles.nth(4)).to_contain_text("Retention on day 15%")
    expect(tiles.nth(4)).to_contain_text("-8.8 pts against the range before")
    expect(page.locator("#preset")).to_have_value("7")


@in_chromium
def test_a_link_has_the_days_the_filters_and_the_groups(address: str, page: Page, gold: DuckGold) -> None:
    keep(gold, "daily", 60)
    for platform, players in (("ios", 7), ("android", 5)):
        keep(gold, "daily", 60, platform=platform, active_players=players, app_version="*")
    page.goto(f"{address}/overview?game=skyforge")
    figures = page.locator("#any .figures table")
    expect(figures.locator("tbody tr")).to_have_count(28)
    page.locator("#compare").check()
    # 31 players 31 days ago, 3 of them 3 days ago.
    expect(figures.locator("tr", has_text=day_before(3))).to_contain_text("331-90.3%")
    page.locator("#only input[name=platform]").focus()
    expect(page.locator("#values-platform option")).to_have_count(2)
    page.locator("#only input[name=platform]").fill("ios")
    page.locator("#only input[name=platform]").press("Tab")
    expect(figures.locator("tr", has_text=day_before(3)).locator(".chosen")).to_have_text("7")
    expect(page.locator("#gold-cost")).to_contain_text(
        "Gold was written at 2026-03-01 04:00 UTC. Days are UTC."
    )
    expect(page.locator("#gold-cost")).to_contain_text("MB and cost $0.000")
    link = page.url
    assert {"game=skyforge", "compare=previous", "platform=ios"} <= set(link.partition("?")[2].split("&"))
    with page.expect_download() as download:
        page.locator("#any .csv").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("range,from,to,active_players,")
    assert len(lines) == 1 + 2 * 28
    page.locator('#tabs a[data-path="/players"]').click()
    expect(page.locator("#only input[name=platform]")).to_have_value("ios")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#only input[name=platform]")).to_have_value("ios")
    expect(page.locator("#compare")).to_be_checked()
    expect(figures.locator("tr", has_text=day_before(3)).locator(".chosen")).to_have_text("7")
    page.locator("#only input[name=platform]").fill("")
    page.locator("#only input[name=platform]").press("Tab")
    page.locator("#group").select_option("platform")
    expect(page.locator(".panel").first.locator(".u-legend .u-series")).to_have_count(3)
    assert "group=platform" in page.url
    # Sixty days of ios, the other half of the question.
    page.locator("#preset").select_option("90")
    expect(page.locator("#from")).to_have_value(day_before(90))


@in_chromium
def test_a_custom_dimension_filters_what_gold_tells_apart_by_it(
    address: str, page: Page, gold: DuckGold, dynamodb: Any
) -> None:
    games.declare_dimension(dynamodb.Table("games"), "skyforge", 1, "class", "install", ["mage", "rogue"])
    keep(gold, "daily", 7, sessions=10)
    keep(gold, "daily", 7, platform="ios", sessions=6)
    for value, sessions in (("mage", 3), ("unknown", 7)):
        keep(gold, "daily", 7, custom_1=value, sessions=sessions)
    page.goto(f"{address}/overview?game=skyforge&custom_1=mage&from={day_before(7)}&to={day_before(1)}")
    tiles = page.locator(".tiles article")
    expect(tiles.nth(2)).to_contain_text("Sessions21")
    platforms = page.locator(".panel", has_text="Sessions by platform")
    expect(platforms.locator(".chart tbody tr")).to_contain_text("ios")
    expect(platforms.locator(".chart tbody tr")).to_contain_text("42")
    expect(platforms.locator(".note")).to_contain_text(
        "Not filtered by class: gold tells a custom dimension apart for all"
    )
    page.goto(f"{address}/overview?game=skyforge&group=custom_1&from={day_before(7)}&to={day_before(1)}")
    players = page.locator(".panel", has_text="Active players").first
    expect(players.locator(".u-legend .u-series")).to_have_count(3)


@in_chromium
def test_no_tab_asks_for_a_custom_dimension_and_a_place_at_once(
    address: str, page: Page, gold: DuckGold, dynamodb: Any
) -> None:
    """Gold has no rows of both, and the API refuses the question."""
    for slot, name in ((1, "class"), (2, "price")):
        games.declare_dimension(dynamodb.Table("games"), "skyforge", slot, name, "install", ["mage", "low"])
    keep(gold, "daily", 7, sessions=10)
    answers: list[tuple[int, str]] = []
    page.on("response", lambda one: answers.append((one.status, one.url)) if "/history/" in one.url else None)
    for asked in (
        "platform=ios&custom_1=mage&custom_2=low",
        "platform=ios&group=custom_1",
        "custom_2=low&group=custom_1",
        "custom_1=mage&group=platform",
    ):
        for tab in ("overview", "retention", "revenue", "economy", "stability"):
            page.goto(f"{address}/{tab}?game=skyforge&{asked}&from={day_before(7)}&to={day_before(1)}")
            page.wait_for_load_state("networkidle")
    assert len({url.partition("?")[0] for _, url in answers}) > 8
    assert [answer for answer in answers if answer[0] != 200] == []


@in_chromium
def test_money_is_drawn_in_one_currency_and_written_in_its_own(
    address: str, page: Page, gold: DuckGold
) -> None:
    keep(gold, "revenue", 7, currency="EUR", gross_minor=1999, active_players=5000, purchases=9)
    keep(gold, "revenue", 7, currency="JPY", gross_minor=300, purchases=1)
    page.goto(f"{address}/revenue?game=skyforge")
    tiles = page.locator(".tiles article")
    # The currency with the most purchases comes first.
    expect(page.locator("#choice-currency")).to_have_value("EUR")
    expect(tiles.first).to_contain_text("€139.93")
    # 19.99 of 5,000 players.
    expect(tiles.nth(3)).to_contain_text("€0.004")
    any_figure = page.locator("#any")
    expect(any_figure.locator("tr", has_text="JPY").first.locator(".chosen")).to_have_text("¥300")
    expect(any_figure.locator(".note").last).to_contain_text("EUR is drawn; the table has all.")
    page.locator("#choice-currency").select_option("JPY")
    expect(tiles.first).to_contain_text("¥2,100")
    assert "currency=JPY" in page.url
    page.locator('#tabs a[data-path="/overview"]').click()
    settled(page)
    assert "currency" not in page.url


@in_chromium
def test_amounts_of_virtual_currencies_are_drawn_one_at_a_time(
    address: str, page: Page, gold: DuckGold
) -> None:
    for currency, amount in (("gems", 3), ("gold", 5000)):
        keep(gold, "economy", 7, currency=currency, flow="source", economy_events=amount, amount=amount)
    page.goto(f"{address}/economy?game=skyforge")
    settled(page)
    any_figure = page.locator("#any")
    expect(any_figure.locator(".note").last).to_contain_text("gold is drawn; the table has all.")
    expect(any_figure.locator(".u-legend .u-series")).to_have_count(2)
    page.locator("#choice-currency").select_option("gems")
    expect(any_figure.locator(".note").last).to_contain_text("gems is drawn; the table has all.")


def installs(gold: DuckGold, source: str, campaign: str, players: int, micros: dict[int, int]) -> None:
    """Write what the players of one install day, 9 days ago, had brought by day N."""
    for number, value in micros.items():
        day = TODAY - timedelta(days=9 - number)
        row = dict.fromkeys(metric_model.tables()["acquisition_value"].types, 0) | dict.fromkeys(
            metric_model.tables()["acquisition_value"].with_totals, "*"
        )
        row |= {
            "game_id": "skyforge", "event_date": day, "cohort_date": TODAY - timedelta(days=9),
            "day_number": number, "install_source": source, "campaign": campaign, "currency": "EUR",
            "cohort_players": players, "lifetime_net_total_micros": value,
        }  # fmt: skip
        gold.fill("acquisition_value", [list(row.values())])


@in_chromium
def test_costs_of_advertising_stand_beside_what_they_brought(
    address: str, page: Page, gold: DuckGold, dynamodb: Any
) -> None:
    """20 EUR for 5 players, who brought 3 and 2 EUR at first and 24 and 6 by day 7: 25 % and 150 %."""
    installs(gold, "north", "<b>spring</b>", 4, {0: 3_000_000, 7: 24_000_000, 8: 24_000_000})
    installs(gold, "north", "autumn", 1, {0: 2_000_000, 7: 6_000_000, 8: 6_000_000})
    panel = page.locator("#ad-spend")
    page.goto(f"{address}/revenue?game=skyforge&platform=ios")
    expect(panel).to_have_attribute("data-state", "empty")
    expect(panel).to_contain_text("scripts/spend upload FILE --game skyforge keeps the costs of a CSV file.")
    expect(panel.locator("select, .csv")).to_have_count(2)
    assert not any(one.is_visible() for one in panel.locator("select, .csv").all())
    day = TODAY - timedelta(days=9)
    costs(
        dynamodb,
        Spend(day, "north", "<b>spring</b>", "EUR", 15_000_000),
        Spend(day, "north", "autumn", "EUR", 5_000_000),
        Spend(YESTERDAY, "south", "", "JPY", 700_000_000),
    )
    # A browser keeps an answer for five seconds: other days are another question.
    page.goto(f"{address}/revenue?game=skyforge&platform=ios&from={day_before(20)}&to={day_before(1)}")
    expect(panel).to_have_attribute("data-state", "full")
    rows = panel.locator("tbody tr")
    # Costs of one currency stand together: 700 yen are not more than 20 euros.
    expect(rows.nth(0)).to_have_text(f"north€20.0025%150%{NONE}5€4.00")
    expect(rows.nth(1)).to_have_text(f"south¥7000%{NONE * 2}0{NONE}")
    expect(panel.locator(".note")).to_contain_text("Not filtered by Platform: costs have no such column.")
    panel.locator("select").focus()
    panel.locator("select").select_option("campaign")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_have_text(f"north<b>spring</b>€15.0020%160%{NONE}4€3.75")
    expect(rows.nth(1)).to_have_text(f"northautumn€5.0040%120%{NONE}1€5.00")
    expect(panel.locator("select")).to_be_focused()
    assert "spend=campaign" in page.url
    page.reload()
    expect(rows).to_have_count(3)
    with page.expect_download() as download:
        panel.get_by_role("button", name="Download CSV: Return on ad spend").click()
    assert download.value.suggested_filename == (f"skyforge-ad-spend-{day_before(20)}-{day_before(1)}.csv")
    lines = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert lines[0] == {
        "install_source": "north", "campaign": "<b>spring</b>", "currency": "EUR",
        "spend_micros": "15000000", "cohort_players": "4", "cost_per_player_micros": "3750000.0",
        "return_on_ad_spend_D0": "0.2", "return_on_ad_spend_D7": "1.6", "return_on_ad_spend_D30": "",
    }  # fmt: skip
    page.route("**/ad-spend*", lambda route: route.fulfill(status=503, json={"detail": "Try again."}))
    panel.locator("select").select_option("source")
    expect(panel).to_have_attribute("data-state", "failed")
    page.unroute("**/ad-spend*")
    panel.get_by_role("button", name="Try again").click()
    expect(panel).to_have_attribute("data-state", "full")


@in_chromium
def test_verdicts_are_told_in_words(address: str, page: Page, gold: DuckGold, dynamodb: Any) -> None:
    """The published experiment of Cookie Cats: day 1 may be chance, day 7 is worse with the later gate."""
    for variant, players, first, seventh in (
        ("30", 44_700, 20_034, 8_502),
        ("<b>40</b>", 45_489, 20_119, 8_279),
    ):
        for number, back in ((0, players), (1, first), (7, seventh)):
            of_day = {"exposure_date": TODAY, "day_number": number, "exposed_players": players}
            keep(gold, "experiments", 1, experiment="gate", variant=variant, returned_players=back, **of_day)
    page.goto(f"{address}/experiments?game=skyforge")
    panel = page.locator("#verdicts")
    expect(panel).to_have_attribute("data-state", "full")
    rows = panel.locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("Retention after the exposure, day 1not conclusive")
    words = "<b>40</b> may differ from 30 by chance: 44.2% against 44.8%. The difference is between -"
    expect(rows.nth(0)).to_contain_text(words)
    expect(rows.nth(1)).to_contain_text(
        "day 7worse<b>40</b> has less than 30: 18.2% against 19%. The difference is"
    )
    assert re.search(r"between -[\d.]+ points and -[\d.]+ points\.", rows.nth(1).inner_text())
    expect(panel).to_contain_text(
        "Players on day 0: 30 44,700, <b>40</b> 45,489. These numbers fit equal shares."
    )
    dynamodb.Table("games").update_item(
        Key={"game_id": "skyforge"},
        UpdateExpression="SET experiment_shares = :shares",
        ExpressionAttributeValues={":shares": {"gate": {"30": 9, "<b>40</b>": 1}}},
    )
    # A browser keeps an answer for five seconds: another last day is another question.
    page.goto(f"{address}/experiments?game=skyforge&from={day_before(9)}&to={TODAY}")
    expect(panel).to_contain_text(
        "Unequal samples on day 0: 30 44,700 (share 9), <b>40</b> 45,489 (share 1)."
    )
    expect(rows.nth(0)).to_contain_text(
        "unequal samples<b>40</b> is not judged: on day 1 it has 45,489 players, and 30 has 44,700."
    )
    page.goto(f"{address}/experiments?game=skyforge&from={day_before(30)}&to={day_before(20)}")
    expect(panel).to_contain_text(f"No experiment from {day_before(30)} to {day_before(20)}.")
    page.route(
        re.compile(r"/verdicts\?"), lambda route: route.fulfill(status=503, json={"detail": "Try later."})
    )
    page.goto(f"{address}/experiments?game=skyforge")
    expect(panel).to_contain_text("Try later.")
    page.unroute(re.compile(r"/verdicts\?"))
    panel.get_by_role("button", name="Try again").click()
    expect(panel).to_have_attribute("data-state", "full")


@in_chromium
def test_a_question_that_has_no_right_answer_offers_one_that_has(
    address: str, page: Page, gold: DuckGold
) -> None:
    keep(gold, "daily", 7)
    page.goto(f"{address}/overview?game=skyforge&grain=week")
    panel = page.locator("#any")
    expect(panel).to_contain_text("Active players must not be added up over: days.")
    expect(panel.locator(".figures")).to_contain_text("New players")
    panel.get_by_role("button", name="Show a row for each day").click()
    expect(panel.locator(".figures tbody tr")).to_have_count(7)
    expect(page.locator("#range-grain")).to_have_value("day")


@in_chromium
def test_any_figure_of_a_tab_can_be_asked_for(address: str, page: Page, gold: DuckGold) -> None:
    fill(gold)
    page.goto(f"{address}/economy?game=skyforge")
    page.locator("#table").select_option("progression")
    page.locator("#metric").select_option("fails")
    page.locator("#any input[name=level_1]").fill("forest")
    page.locator("#any input[name=level_1]").press("Tab")
    page.locator("#by").select_option("level_2")
    expect(page.locator("#any h2")).to_have_text("Any figure: Failures")
    expect(page.locator("#any .figures tbody tr")).to_have_count(28)
    page.reload()
    expect(page.locator("#any input[name=level_1]")).to_have_value("forest")
    expect(page.locator("#by")).to_have_value("level_2")
    page.locator("#by").select_option("")
    expect(page.locator("#any .figures th")).not_to_contain_text(["Level"])
    page.locator("#any input[name=level_1]").fill("desert")
    page.locator("#any input[name=level_1]").press("Tab")
    expect(page.locator("#any")).to_contain_text("No figures from")


@in_chromium
def test_an_empty_game_is_told_what_to_do_in_each_tab(address: str, page: Page) -> None:
    for name in HISTORY:
        page.goto(f"{address}/{name}?game=empty&platform=ios")
        settled(page)
        expect(page.locator(".hint").first).to_contain_text("On your machine, scripts/batch run writes it.")
        assert page.locator(".panel:not([data-state=empty])").count() == 0
    page.get_by_role("button", name="Remove the filters").click()
    settled(page)
    assert "platform" not in page.url
    page.get_by_role("button", name="Show the last 90 days").click()
    expect(page.locator("#from")).to_have_value(day_before(90))
    page.goto(f"{address}/overview?game=nobodys")
    expect(page.locator("#notice")).to_contain_text("nobodys is not registered")


@in_chromium
def test_each_tab_says_that_it_waits_or_fails(address: str, page: Page, gold: DuckGold) -> None:
    fill(gold)
    answers = [
        {"status": 503, "json": {"detail": "The history cannot be read at the moment; try again."}},
        {"status": 202, "json": {"status": "running"}},
    ]
    page.route("**/history/*", lambda route: route.fulfill(**answers[0]))
    for name in HISTORY:
        page.goto(f"{address}/{name}?game=skyforge")
        panel = page.locator(".panel[data-state=failed]").first
        expect(panel).to_contain_text("cannot be read at the moment")
        assert page.locator(".panel[data-state=full]").count() == 0
    del answers[0]
    page.goto(f"{address}/overview?game=skyforge")
    # The currencies are asked for first: every panel waits for them.
    expect(page.locator(".panel").last).to_contain_text("The query still runs.")
    page.unroute("**/history/*")
    page.route("**/history/daily*", lambda route: route.abort())
    page.goto(f"{address}/overview?game=skyforge")
    panel = page.locator(".panel", has=page.get_by_role("heading", name="Stickiness"))
    expect(panel).to_contain_text("The API does not answer.")
    held: list[Route] = []
    page.unroute("**/history/daily*")
    page.route("**/history/daily*", lambda route: held.append(route))
    panel.get_by_role("button", name="Try again").click()
    expect(panel).to_contain_text("Reading the history…")
    while not held:
        page.wait_for_timeout(50)
    held[0].fulfill(**answers[0])
    expect(panel).to_contain_text("The query still runs. The page asks again until it is done.")
    page.unroute("**/history/daily*")
    expect(panel).to_have_attribute("data-state", "full")
    page.route("**/history", lambda route: route.abort())
    page.goto(f"{address}/retention?game=skyforge")
    expect(page.locator(".hint")).to_contain_text("Try again")


@in_chromium
def test_an_answer_to_an_older_question_is_dropped(address: str, page: Page, gold: DuckGold) -> None:
    keep(gold, "daily", 28)
    keep(gold, "daily", 28, platform="ios", new_players=500)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "platform=ios" in route.request.url:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile(r"/history/daily\?.*grain=range$"), hold)
    page.route(re.compile(r"/history/daily\?.*platform=ios"), hold)
    page.goto(f"{address}/overview?game=skyforge")
    while not held:
        page.wait_for_timeout(50)
    page.locator("#only input[name=platform]").fill("ios")
    page.locator("#only input[name=platform]").press("Tab")
    expect(page.locator(".tiles article").nth(1)).to_contain_text("14,000")
    for route in held:
        route.continue_()
    settled(page)
    expect(page.locator(".tiles article").nth(1)).to_contain_text("14,000")


@in_chromium
def test_releases_and_findings_are_marked(address: str, page: Page, gold: DuckGold, dynamodb: Any) -> None:
    keep(gold, "daily", 60)
    keep(gold, "daily", 60, app_version="1.0.0")
    keep(gold, "daily", 5, app_version="<b>2.0</b>")
    quality(dynamodb, {"freshness": "fail", "volume": "warn"})
    page.goto(f"{address}/overview?game=skyforge&from={day_before(20)}&to={TODAY}")
    marks = page.locator("#marks")
    expect(marks.locator("summary")).to_have_text(
        "Marked in the charts: 1 release, 1 day with findings on data quality"
    )
    marks.locator("summary").click()
    # The first version is as old as what gold has: when it was released is not known.
    expect(marks.locator("li")).to_have_text(
        [
            f"{day_before(5)}: Version <b>2.0</b> is first seen",
            f"{TODAY}: Data quality failed: freshness",
        ]
    )


@in_chromium
def test_a_producer_marks_a_day_and_takes_the_mark_away(
    app: Any, address: str, page: Page, gold: DuckGold, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(gold, "daily", 28)
    page.goto(f"{address}/overview?game=skyforge")
    marks = page.locator("#marks")
    marks.locator("summary").click()
    expect(marks.locator("summary")).to_have_text("Mark a day in the charts")
    for ago, text in ((9, "<b>Winter</b> event"), (4, "Version 2 in the store")):
        page.locator("#annotate-day").fill(day_before(ago))
        page.locator("#annotate-text").fill(text)
        page.get_by_role("button", name="Mark the day").click()
        expect(page.locator("#annotate-note")).to_have_text(f"Marked: {text}")
    expect(marks.locator("summary")).to_have_text("Marked in the charts: 2 annotations")
    expect(marks.locator("li > span")).to_have_text(
        [f"{day_before(9)}: <b>Winter</b> event", f"{day_before(4)}: Version 2 in the store"]
    )
    page.goto(f"{address}/retention?game=skyforge&from={day_before(5)}&to={day_before(1)}")
    expect(marks.locator("summary")).to_have_text("Marked in the charts: 1 annotation")
    # A change of the days asks for nothing of the old ones.
    page.locator("#from").fill(day_before(20))
    expect(marks.locator("summary")).to_have_text("Marked in the charts: 2 annotations")
    marks.locator("summary").click()
    page.get_by_role("button", name="Remove <b>Winter</b> event").click()
    expect(marks.locator("summary")).to_have_text("Marked in the charts: 1 annotation")
    expect(marks.locator("summary")).to_be_focused()
    page.route(
        "**/annotations", lambda route: route.abort() if route.request.method == "PUT" else route.continue_()
    )
    page.get_by_role("button", name="Remove Version 2").click()
    expect(page.locator("#annotate-note")).to_have_text("Not changed: the API does not answer.")
    expect(marks.locator("li")).to_have_count(1)
    monkeypatch.setitem(app.dependency_overrides, caller, lambda: Caller("rae", False, False))
    page.reload()
    marks.locator("summary").click()
    expect(marks.locator("li")).to_have_count(1)
    expect(page.locator("#annotate")).to_be_hidden()
    assert marks.get_by_role("button").count() == 0


@in_chromium
def test_samples_that_become_unequal_later_say_on_which_day(address: str, page: Page, gold: DuckGold) -> None:
    """As many players of both variants on day 0, and a third of one variant lost on the way to day 7."""
    for number, players in ((0, 3000), (7, 2000)):
        for variant, exposed in (("control", 3000), ("new", players)):
            of_day = {"exposure_date": TODAY, "day_number": number, "exposed_players": exposed}
            keep(gold, "experiments", 1, experiment="gate", variant=variant, returned_players=900, **of_day)
    page.goto(f"{address}/experiments?game=skyforge")
    panel = page.locator("#verdicts")
    expect(panel).to_contain_text(
        "Players on day 0: control 3,000, new 3,000. These numbers fit equal shares."
    )
    expect(panel.locator("tbody tr").first).to_contain_text(
        "new is not judged: on day 7 it has 2,000 players, and control has 3,000."
    )


@in_chromium
def test_annotations_of_one_game_never_appear_in_another(
    address: str, page: Page, gold: DuckGold, dynamodb: Any
) -> None:
    """Neither when the answer of the game before comes late, nor while somebody writes."""
    dynamodb.Table("games").put_item(
        Item={"game_id": "arena", "name": "Arena", "status": "active", "key_hashes": []}
    )
    keep(gold, "daily", 28)
    keep(gold, "daily", 28, game_id="arena")

    def write(text: str) -> None:
        page.locator("#annotate-day").fill(day_before(4))
        page.locator("#annotate-text").fill(text)
        page.get_by_role("button", name="Mark the day").click()

    def shown(texts: list[str]) -> None:
        expect(page.locator("#annotate")).to_be_visible()
        expect(marks.locator("li > span")).to_have_text([f"{day_before(4)}: {text}" for text in texts])

    marks = page.locator("#marks")
    page.goto(f"{address}/overview?game=skyforge")
    marks.locator("summary").click()
    write("Of skyforge")
    shown(["Of skyforge"])
    page.locator("#game").select_option("arena")
    shown([])
    write("Of arena")
    shown(["Of arena"])

    held: list[Route] = []
    page.route("**/skyforge/annotations", lambda route: held.append(route))
    with page.expect_request("**/skyforge/annotations"):
        page.locator("#game").select_option("skyforge")
    expect(page.locator("#annotate")).to_be_hidden()
    page.locator("#game").select_option("arena")
    shown(["Of arena"])
    with page.expect_response("**/skyforge/annotations"):
        held[0].continue_()
    page.unroute("**/skyforge/annotations")
    page.wait_for_timeout(300)
    shown(["Of arena"])

    # The game changes before what was written is answered.
    page.route("**/arena/annotations", lambda route: held.append(route))
    with page.expect_request("**/arena/annotations"):
        write("Late of arena")
    page.locator("#game").select_option("skyforge")
    shown(["Of skyforge"])
    with page.expect_response("**/arena/annotations"):
        held[-1].continue_()
    page.unroute("**/arena/annotations")
    page.wait_for_timeout(300)
    shown(["Of skyforge"])
    write("More of skyforge")
    shown(["More of skyforge", "Of skyforge"])
    page.locator("#game").select_option("arena")
    shown(["Late of arena", "Of arena"])


@in_chromium
def test_a_second_click_writes_nothing_until_the_first_one_is_written(
    address: str, page: Page, gold: DuckGold
) -> None:
    keep(gold, "daily", 28)
    puts: list[str] = []
    page.on("request", lambda one: puts.append(one.url) if one.method == "PUT" else None)
    page.goto(f"{address}/overview?game=skyforge")
    page.locator("#marks summary").click()
    page.locator("#annotate-day").fill(day_before(4))
    page.locator("#annotate-text").fill("A release")
    mark = page.get_by_role("button", name="Mark the day")
    mark.evaluate("(one) => { one.click(); one.click(); }")
    expect(page.locator("#annotate-note")).to_have_text("Marked: A release")
    expect(mark).to_be_enabled()
    page.goto(f"{address}/explore?game=skyforge")
    save = page.get_by_role("button", name="Save as new")
    expect(page.locator("#kind")).to_be_enabled()
    page.locator("#save-title").fill("Players")
    save.focus()
    save.evaluate("(one) => { one.click(); one.click(); }")
    expect(page.locator("#saved-note")).to_have_text("Saved: Players")
    expect(save).to_be_enabled()
    expect(save).to_be_focused()
    page.goto(f"{address}/dashboard?game=skyforge")
    page.locator("#add-question").select_option("players")
    expect(page.locator(".board [role=status]")).to_have_text("Added: Players")
    page.get_by_role("button", name="Arrange").click()
    mail = page.get_by_role("button", name="Mail weekly")
    mail.evaluate("(one) => { one.click(); one.click(); }")
    expect(mail).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".board [role=status]")).to_have_text("Mailed weekly: Players")
    assert [url.rsplit("/", 1)[-1] for url in puts] == ["annotations", "players", "dashboard", "dashboard"]


@in_chromium
def test_quality_shows_what_needs_somebody_and_folds_the_rest(
    address: str, page: Page, dynamodb: Any
) -> None:
    page.goto(f"{address}/quality?game=skyforge")
    expect(page.locator("#quality")).to_contain_text("Not judged yet")
    quality(dynamodb, {"freshness": "pass", "volume": "fail", "duplicates": "warn", "money": "unknown"})
    page.reload()
    expect(page.locator("#quality .verdict-line")).to_contain_text("2 of 4 checks need somebody. Judged at")
    expect(page.locator("#quality .findings li")).to_have_count(2)
    expect(page.locator("#quality .findings li").first).to_contain_text("✕ fail Volumevolume is fail.")
    expect(page.locator("#quality-hours tbody tr").first).to_contain_text("Volume10")
    folded = page.locator("#quality-passed")
    expect(folded.locator("tbody tr")).to_be_hidden()
    folded.locator("summary").click()
    expect(folded.locator("tbody tr")).to_be_visible()
    expect(page.locator("#quality-unknown")).to_contain_text("1 could not be judged")


@in_chromium
def test_a_table_is_saved_and_runs_nothing(address: str, page: Page, dynamodb: Any) -> None:
    quality(dynamodb, {"=HYPERLINK(1)": "fail", "freshness": "pass"})
    page.goto(f"{address}/quality?game=skyforge")
    section = page.locator("section", has=page.locator("#quality-hours"))
    with page.expect_download() as download:
        section.get_by_role("button", name="Download CSV: Last 7 days").click()
    assert download.value.suggested_filename == "skyforge-last-days.csv"
    rows = list(csv.reader(download.value.path().read_text().splitlines()))
    assert rows[0] == ["Check", "Hours failed", "Hours warned", "Last"]
    assert rows[1][:3] == ["'=HYPERLINK(1)", "1", "0"]


# What the keyboard must reach, and what of it the browser says is focused.
REACHABLE = """() => [...document.querySelectorAll('a[href], button, select, input, summary, [tabindex="0"]')]
  .filter((node) => node.checkVisibility() && !node.disabled)
  .map((node, n) => { node.dataset.place = n; return n; })"""


@in_chromium
def test_the_keyboard_reaches_everything(address: str, page: Page, gold: DuckGold) -> None:
    fill(gold)
    for name in ("", "overview", "explore", "events", "quality"):
        page.goto(f"{address}/{name}?game=skyforge")
        settled(page)
        places = page.evaluate(REACHABLE)
        assert len(places) > 12
        page.evaluate("document.activeElement.blur()")
        reached = set()
        # A date has three parts and a button, each with a stop of its own.
        for _ in range(len(places) + 20):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.dataset.place"))
        missing = [f'[data-place="{one}"]' for one in places if str(one) not in reached]
        # Live tables are drawn anew meanwhile.
        assert sum(page.locator(one).count() == 0 for one in missing) <= 2
        assert [page.locator(one).first.inner_html() for one in missing if page.locator(one).count()] == []


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tab_fits_a_phone_and_axe_finds_nothing(
    address: str, wide: Callable[..., Page], gold: DuckGold, dynamodb: Any, scheme: str
) -> None:
    fill(gold)
    costs(dynamodb)
    quality(dynamodb, {"freshness": "pass", "volume": "fail", "duplicates": "warn"})
    page = wide(390, scheme)
    for name in TABS:
        page.goto(f"{address}/{name}?game=skyforge&compare=previous")
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        assert violations(page) == [], name
    # The judge sees what it must refuse.
    page.evaluate("document.querySelector('#game').parentElement.firstChild.remove()")
    assert [rule for rule, _ in violations(page)] == ["select-name"]
