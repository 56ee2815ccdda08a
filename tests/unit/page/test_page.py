"""The live page: what it is made of, and what a producer sees of it in a real browser."""

import gzip
import hashlib
import json
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import boto3
import pytest
from chromium import in_chromium
from fake_aws import Streams, encode, processor, records, register
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from metrics_api import live_page
from metrics_api.callers import Caller, caller
from page_views import TODAY, day_before, keep, purchase, sent, violations
from playwright.sync_api import Browser, Page, Route, expect
from telemetry.enrichment import timestamp
from telemetry.ingest_batch import IngestBatch, pack
from telemetry.vendors import VENDORS
from tools import games
from tools.progress import STILL_SECONDS, wait_for

SHA256 = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
Send = Callable[..., None]


def play(send: Send) -> None:
    paid = {"transaction_id": "t", "quantity": 1, "store": "apple", "product_id": "p"}
    gold = {"currency": "gold", "item": "x", "balance_after": 1}
    send("session_start", "ada")
    send("session_start", "bob", ago=2 * 86400)
    send("session_start", "bob", ago=86400)
    send("purchase", "ada", currency="EUR", amount_minor=499, **paid)
    send("progression", "ada", status="start", level_1="forest")
    send("progression", "ada", status="complete", level_1="forest")
    send("economy", "ada", flow="source", amount=50, reason="quest", **gold)
    send("score_submitted", "ada", leaderboard="global", score=4711)
    send("performance", "ada", fps=60, latency_ms=40)
    shown = {"placement": "level_end", "format": "rewarded"}
    send(
        "ad_impression",
        "ada",
        network="admob",
        revenue_micros=12_500,
        currency="USD",
        completed=True,
        **shown,
    )
    send("ad_impression", "ada", network="unity", **shown)
    for number in range(9):
        send("design", "ada", name=f"event-{number}", value=1)
    for part, value in (("dragon:killed", 3), ("dragon:fled", 1.5), ("giant", -1)):
        send("design", "ada", name=f"boss:{part}", value=value)


def test_the_chart_library_is_the_one_that_was_chosen() -> None:
    vendor = live_page.FOLDER / "vendor"
    found = {name: hashlib.sha256((vendor / name).read_bytes()).hexdigest() for name in SHA256}
    assert found == SHA256
    assert (vendor / "uPlot.LICENSE").read_text().startswith("The MIT License")


def test_the_page_allows_and_names_no_other_host(app: Any) -> None:
    for path in ("/", *(f"/{view}" for view in live_page.VIEWS)):
        answer = TestClient(app).get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
    files = [one for one in live_page.FOLDER.iterdir() if one.is_file()]
    assert len(files) > 10
    for file in files:
        assert re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", file.read_text()) == []
        assert TestClient(app).get(f"/page/{file.name}").status_code == 200


def test_the_page_is_small() -> None:
    """docs/performance.md tells the size."""
    files = [*live_page.FOLDER.glob("*.*"), *(live_page.FOLDER / "vendor").glob("uPlot.*.*")]
    assert 20_000 < sum(len(gzip.compress(one.read_bytes())) for one in files) < 200_000


def test_the_browser_fetches_every_module_at_once() -> None:
    """A module that is not named in the page waits for the one that imports it."""
    text = (live_page.FOLDER / "index.html").read_text()
    modules = re.findall(r'modulepreload" href="/page/(\w+\.js)"', text)
    # It stands before all others, because it signs their requests.
    assert re.findall(r'<script defer src="/page/([\w./]+)"', text)[0] == "session.js"
    assert sorted([*modules, "session.js"]) == sorted(one.name for one in live_page.FOLDER.glob("*.js"))
    assert modules == sorted(modules)


def test_the_stream_says_what_live_says(app: Any, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page, "SECONDS_BETWEEN", 0)
    monkeypatch.setattr(live_page, "MAX_SECONDS", 0.2)
    send("session_start", "ada")
    answer = TestClient(app).get("/v1/games/skyforge/live/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    first = json.loads(answer.text.split("\n\n")[0].removeprefix("data: "))
    assert first["concurrent_players"] == 1
    assert TestClient(app).get("/v1/games/nobodys/live/stream").status_code == 404


def test_lambda_cannot_stream_and_says_so(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "metrics-api")
    assert TestClient(app).get("/v1/games/skyforge/live/stream").status_code == 501


@in_chromium
def test_a_producer_asks_about_events_and_shares_the_answer(address: str, page: Page, gold: DuckGold) -> None:
    for ago in range(1, 8):
        gold.fill_silver([sent("session_start", f"player-{n}", ago, n) for n in range(ago)])
        gold.fill_silver([purchase("player-0", ago, 30, 100 * ago), purchase("player-1", ago, 31, 300)])
    gold.fill_silver([sent("session_start", "other", 3, game_id="empty")])
    page.goto(f"{address}/overview?game=skyforge")
    page.get_by_role("link", name="Explore").click()
    page.locator("#event").select_option("session_start")
    expect(page.locator("#title")).to_have_text("Session start")
    expect(page.locator("#figures tbody tr")).to_have_count(7)
    expect(page.locator("#figures tr", has_text=day_before(3)).locator(".n")).to_have_text("3")
    assert page.locator("#explore-chart canvas").count() == 1
    expect(page.locator("#cost")).to_contain_text("This scanned 12 MB and cost $0.00006.")
    page.locator("#event").select_option("purchase")
    page.locator("#measure").select_option("percentile")
    # The first property of a purchase is an amount of money.
    expect(page.locator("#state")).to_contain_text(
        "payload.amount_minor must not be added up over currencies"
    )
    page.get_by_role("button", name="Group by currency").click()
    # A median of 3.00 and 3.00 euros three days ago, of 4.00 and 3.00 the day before.
    expect(page.locator("#figures tr", has_text=day_before(3))).to_contain_text("EUR€3.002")
    expect(page.locator("#figures tr", has_text=day_before(4))).to_contain_text("EUR€3.502")
    page.locator("#add-filter").click()
    page.locator(".filter select").first.select_option("payload.amount_minor")
    page.locator(".filter select").nth(1).select_option("at_least")
    page.locator(".filter input").fill("500")
    page.locator(".filter input").press("Tab")
    expect(page.locator("#figures tbody tr")).to_have_count(3)
    link = page.url
    with page.expect_download() as download:
        page.locator("#csv").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "from,to,payload.currency,percentile,events"
    assert len(lines) == 4
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#measure")).to_have_value("percentile")
    expect(page.locator(".filter input")).to_have_value("500")
    expect(page.locator("#figures tbody tr")).to_have_count(3)
    page.locator("#grain").select_option("range")
    expect(page.locator("#figures tbody tr")).to_have_count(1)
    expect(page.locator("#explore-chart")).to_be_hidden()


# How long each bar of a table is, as a part of 1.
LENGTHS = "(all) => all.map((one) => Number(one.style.getPropertyValue('--share')))"


@in_chromium
def test_amounts_of_two_currencies_have_no_common_axis(address: str, page: Page, gold: DuckGold) -> None:
    gold.fill_silver([purchase("a", 2, 1, 400), purchase("b", 3, 1, 100)])
    gold.fill_silver([purchase("c", 2, 1, 90_000, "JPY"), purchase("d", 2, 2, 10_000, "VND")])
    asked = {"kind": "events", "event": "purchase", "by": ["payload.currency"], "where": [], "grain": "day"}
    asked["measure"] = {"of": "sum", "field": "payload.amount_minor"}
    page.goto(f"{address}/explore?game=skyforge&q={quote(json.dumps(asked))}")
    expect(page.locator("#figures tbody tr")).to_have_count(4)
    expect(page.locator("#chart-note")).to_have_text("EUR is drawn; the table has all.")
    expect(page.locator("#explore-chart .u-legend .u-series")).to_have_count(2)
    page.locator("#grain").select_option("range")
    expect(page.locator("#figures tbody tr")).to_have_count(3)
    assert page.eval_on_selector_all("#figures .bar i", LENGTHS) == [1, 1, 1]
    # Numbers of events have no currency: all are drawn, and compared.
    page.locator("#measure").select_option("count")
    expect(page.locator("#figures tr", has_text="EUR").locator(".n")).to_have_text(["2"])
    assert page.eval_on_selector_all("#figures .bar i", LENGTHS) == [1, 0.5, 0.5]
    page.locator("#grain").select_option("day")
    expect(page.locator("#explore-chart .u-legend .u-series")).to_have_count(4)


@in_chromium
def test_each_virtual_currency_shows_its_largest_flows(address: str, page: Page, send: Send) -> None:
    for number in range(8):
        flow = {"item": "x", "balance_after": 1, "currency": "coins", "reason": f"level-{number}"}
        send("economy", "ada", flow="source", amount=1_000_000 + number, **flow)
    gems = {"item": "x", "balance_after": 1, "currency": "gems"}
    send("economy", "ada", flow="sink", amount=4, reason="shop", **gems)
    send("economy", "ada", flow="source", amount=2, reason="gift", **gems)
    page.goto(f"{address}/?game=skyforge")
    flows = page.locator("#economy table").nth(1).locator("tbody tr")
    expect(flows).to_have_count(6)
    expect(flows.first).to_contain_text("level-7 (coins)")
    expect(flows.nth(4)).to_contain_text("shop (gems)")
    assert page.eval_on_selector_all("#economy .bar i", LENGTHS)[-2:] == [1, 0.5]


@in_chromium
def test_a_producer_asks_for_funnels_retention_and_paths(address: str, page: Page, gold: DuckGold) -> None:
    for player, minutes in (("ann", 10), ("bob", 20), ("eve", None)):
        gold.fill_silver([sent("session_start", player, 5)])
        if minutes:
            gold.fill_silver([purchase(player, 5, minutes, 100), sent("session_start", player, 4)])
    page.goto(f"{address}/explore?game=skyforge")
    page.locator("#kind").select_option("funnel")
    expect(page.locator("#title")).to_have_text("Session start → Purchase")
    expect(page.locator("#figures tr", has_text="2. Purchase")).to_contain_text("266.7%66.7%15 min")
    page.get_by_role("button", name="Add a step").click()
    expect(page.locator("#figures tr", has_text="3. Session end")).to_contain_text("00%0%\N{EN DASH}")
    page.get_by_role("button", name="Remove the last step").click()
    expect(page.locator("#figures tbody tr")).to_have_count(2)
    page.locator("#kind").select_option("retention")
    page.locator("#grain").select_option("range")
    expect(page.locator("#figures .cell").nth(1)).to_have_text("66.7%")
    expect(page.locator("#figures .cell").nth(1)).to_have_attribute("title", "2 of 3 players")
    page.locator("#kind").select_option("paths")
    expect(page.locator("#title")).to_have_text("What follows Session start")
    # Each player has one session over both days.
    expect(page.locator("#figures tr", has_text="no more events").first).to_contain_text("1Session startno")
    expect(page.locator("#figures tr", has_text="Purchase").first).to_contain_text("2")
    page.locator("#event").select_option("purchase")
    page.locator("#direction").select_option("before")
    expect(page.locator("#figures tr", has_text="1Purchase")).to_contain_text("Session start2100%")


@in_chromium
def test_a_producer_asks_about_a_cohort(address: str, page: Page, gold: DuckGold) -> None:
    """Ann buys twice, bob once, eve never. The cohort stays when another kind of question is chosen."""
    for player, purchases in (("ann", 2), ("bob", 1), ("eve", 0)):
        gold.fill_silver([sent("session_start", player, 5)])
        gold.fill_silver([purchase(player, 5, 10 + n, 100) for n in range(purchases)])
    page.goto(f"{address}/explore?game=skyforge")
    page.locator("#kind").select_option("cohort")
    expect(page.locator("#title")).to_have_text("Players with Purchase")
    expect(page.locator("#figures tbody tr")).to_contain_text("231.5")
    page.locator("#times").select_option("2")
    expect(page.locator("#title")).to_have_text("Players with Purchase, at least 2 times")
    expect(page.locator("#figures tbody tr")).to_contain_text("122")
    page.locator("#cohort").select_option("purchase")
    page.locator("#kind").select_option("events")
    page.locator("#event").select_option("session_start")
    page.locator("#measure").select_option("players")
    page.locator("#grain").select_option("range")
    expect(page.locator("#figures tbody .n").first).to_have_text("2")
    page.locator("#cohort-times").select_option("2")
    expect(page.locator("#figures tbody .n").first).to_have_text("1")
    page.reload()
    expect(page.locator("#cohort")).to_have_value("purchase")
    expect(page.locator("#cohort-times")).to_have_value("2")
    page.locator("#cohort").select_option("")
    expect(page.locator("#figures tbody .n").first).to_have_text("3")


HOSTILE_TITLE = "<img src=x onerror=alert(1)> & 'quoted'"


@in_chromium
def test_a_producer_saves_a_question_and_a_reader_opens_it(
    app: Any, address: str, page: Page, gold: DuckGold, monkeypatch: pytest.MonkeyPatch
) -> None:
    for player, purchases in (("ann", 2), ("bob", 1), ("eve", 0)):
        gold.fill_silver([sent("session_start", player, 5)])
        gold.fill_silver([purchase(player, 5, 10 + n, 100) for n in range(purchases)])
    who = [Caller("ada", True, False)]
    monkeypatch.setitem(app.dependency_overrides, caller, lambda: who[0])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {urlsplit(request.url).path}"))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{address}/explore?game=skyforge")
    expect(page.locator("#saved-empty")).to_contain_text("No question is saved yet. Ask one below")
    page.locator("#kind").select_option("cohort")
    page.locator("#times").select_option("2")
    page.locator("#save-title").fill(HOSTILE_TITLE)
    page.get_by_role("button", name="Save as new").click()
    expect(page.locator("#saved-note")).to_have_text(f"Saved: {HOSTILE_TITLE}")
    link = page.locator("#saved-list a")
    expect(link).to_have_text(HOSTILE_TITLE)
    expect(page.locator("#title")).to_have_text(HOSTILE_TITLE)
    assert page.locator("#saved-list img").count() == 0
    # An event that is left out means any event, and not the first one.
    page.locator("#event").select_option("")
    page.locator("#times").select_option("3")
    expect(page.locator("#title")).to_have_text("Players with Any event, at least 3 times")
    page.locator("#save-title").fill("Active players")
    page.get_by_role("button", name="Save as new").click()
    expect(page.locator("#saved-list a")).to_have_count(2)
    shared = page.url
    assert "saved=active-players" in shared
    assert "q=" not in urlsplit(shared).query
    expect(page.locator("#figures tbody .n")).to_have_text(["1", "3", "3"])
    page.locator("#times").select_option("2")
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("#saved-note")).to_have_text("Saved: Active players")

    who[0] = Caller("eve", True, False)
    page.goto("about:blank")
    page.goto(shared)
    expect(page.locator("#title")).to_have_text("Active players")
    expect(page.locator("#times")).to_have_value("2")
    expect(page.locator("#event")).to_have_value("")
    expect(page.locator("#save-changes")).to_be_hidden()
    assert page.get_by_role("button", name="Delete").count() == 0

    who[0] = Caller("rae", False, False)
    asked.clear()
    page.goto("about:blank")
    page.goto(shared)
    # Ann has three events, bob has two.
    expect(page.locator("#figures tbody .n")).to_have_text(["2", "5", "2.5"])
    expect(page.locator("#asking")).to_be_hidden()
    expect(page.locator("#save")).to_be_hidden()
    page.locator("#saved-list a").first.click()
    expect(page.locator("#title")).to_have_text(HOSTILE_TITLE)
    expect(page.locator("#figures tbody .n")).to_have_text(["1", "2", "2"])
    with page.expect_download() as download:
        page.locator("#csv").click()
    assert len(download.value.path().read_text().splitlines()) == 2
    assert not [one for one in asked if not one.startswith("GET")]
    page.goto(f"{address}/explore?game=skyforge&saved=gone")
    expect(page.locator("#state")).to_have_text("Choose a saved question.")

    who[0] = Caller("ada", True, False)
    page.goto(shared)
    page.get_by_role("button", name="Delete Active players").click()
    expect(page.locator("#saved-note")).to_have_text("Deleted: Active players")
    expect(page.locator("#saved-list a")).to_have_count(1)
    page.goto(shared)
    expect(page.locator("#saved-note")).to_have_text("skyforge has no saved question active-players.")
    expect(page.locator("#title")).not_to_have_text("Active players")
    page.route("**/questions/*", lambda route: route.abort())
    page.locator("#save-title").fill("Offline")
    page.get_by_role("button", name="Save as new").click()
    expect(page.locator("#saved-note")).to_have_text("Not saved: the API does not answer.")


@in_chromium
def test_a_producer_reads_the_events_of_a_player(address: str, page: Page, gold: DuckGold) -> None:
    gold.fill_silver([sent("session_start", "ann", 5), purchase("ann", 5, 10, 499)])
    gold.fill_silver([sent("session_start", "bob", 5)])
    page.goto(f"{address}/players?game=skyforge")
    expect(page.locator("#state")).to_have_text("Enter the id of a player.")
    expect(page.locator("#filters")).to_be_hidden()
    page.locator("#player").fill("ann")
    page.locator("#player").press("Tab")
    expect(page.locator("#title")).to_have_text("Events of ann")
    expect(page.locator("#figures tbody tr")).to_have_count(2)
    expect(page.locator("#figures tbody tr").first).to_contain_text("currency: EUR, amount minor: 499")
    expect(page.locator("#chart-note")).to_contain_text("Events: 2. Sessions: 1.")
    page.reload()
    expect(page.locator("#player")).to_have_value("ann")
    expect(page.locator("#figures tbody tr")).to_have_count(2)
    page.locator("#player").fill("not an id")
    page.locator("#player").press("Tab")
    expect(page.locator("#state")).to_contain_text("should match pattern")
    page.get_by_role("link", name="Explore").click()
    expect(page.locator("#filters")).to_be_visible()


@in_chromium
def test_explore_says_that_it_is_empty_waits_or_fails(address: str, page: Page, gold: DuckGold) -> None:
    page.goto(f"{address}/explore?game=empty&q=%7B%22kind%22%3A%22what%22%7D")
    expect(page.locator("#state")).to_contain_text("No such events from")
    expect(page.locator("#state")).to_contain_text("choose earlier days")
    expect(page.locator("#rows")).to_be_hidden()
    gold.fill_silver([sent("ad_impression", "ann", 2)])
    answers = [
        {"status": 503, "json": {"detail": "The lake cannot be read at the moment; try again."}},
        {"status": 202, "json": {"status": "running"}},
    ]

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(**answers[0])
        else:
            route.continue_()

    page.route("**/explore", answer)
    page.goto(f"{address}/explore?game=skyforge")
    expect(page.locator("#state")).to_contain_text("cannot be read at the moment")
    del answers[0]
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#state")).to_contain_text("The query still runs.")
    page.unroute("**/explore")
    expect(page.locator("#figures tbody tr")).to_have_count(1)
    page.locator("#from").fill(str(TODAY - timedelta(days=200)))
    page.locator("#from").press("Tab")
    expect(page.locator("#state")).to_contain_text("200 days are asked for, at most 92 are answered")
    page.goto(f"{address}/explore?game=nobodys")
    expect(page.locator("#notice")).to_contain_text("nobodys is not registered")


@in_chromium
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_explore_fits_and_can_be_read(
    address: str, browser: Browser, gold: DuckGold, width: int, scheme: Any
) -> None:
    for number in range(8):
        version = f"1.{number}.0"
        gold.fill_silver([sent("session_start", f"p{n}", n, n, app_version=version) for n in range(1, 28)])
    asked = {
        "kind": "events",
        "event": "session_start",
        "by": ["app_version"],
        "where": [{"field": "platform", "op": "is", "values": ["ios"]}],
    }
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page.set_default_timeout(1000 * STILL_SECONDS)
    page.goto(f"{address}/explore?game=skyforge&q={quote(json.dumps(asked))}")
    expect(page.locator("#chart-note")).to_have_text("The largest 6 of 8 are drawn; the table has all.")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.close()


@in_chromium
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "polled"])
def test_a_producer_sees_the_game_live_without_reloading(
    address: str, page: Page, send: Send, monkeypatch: pytest.MonkeyPatch, streams: bool
) -> None:
    if not streams:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "metrics-api")
    play(send)
    page.goto(f"{address}/?game=skyforge")
    expect(page.locator("#concurrent")).to_have_text("1")
    expect(page.locator("#revenue")).to_have_text("€4.99")
    expect(page.locator("#purchases")).to_have_text("Purchases: 1, 100% of EUR unverified")
    expect(page.locator("#freshness")).to_have_class("fresh")
    expect(page.locator("#funnel tr", has_text="paid")).to_contain_text("100%")
    expect(page.locator("#levels tr", has_text="forest")).to_contain_text("100%")
    expect(page.locator("#economy tr", has_text="quest")).to_contain_text("50")
    expect(page.locator("#performance tr", has_text="android")).to_contain_text("40 / 40 / 40")
    expect(page.locator("#ads .note")).to_have_text("Ad revenue $0.01, Ad ARPDAU $0.0125")
    expect(page.locator("#ads tr", has_text="admob")).to_contain_text("100%$0.01$12.50")
    expect(page.locator("#ads tr", has_text="unity")).to_contain_text("0%\N{EN DASH}\N{EN DASH}")
    page.locator("#ads-by").select_option("format")
    expect(page.locator("#ads tr", has_text="rewarded")).to_contain_text("250%$0.01$12.50")
    # Seven names and boss; two of nine names that were sent once are in other.
    expect(page.locator("#design tr", has_text="other")).to_contain_text("2\N{EN DASH}\N{EN DASH}")
    page.get_by_role("button", name="boss").click()
    expect(page.locator("#design tr", has_text="boss:dragon")).to_contain_text("24.52.25")
    page.get_by_role("button", name="boss:dragon").click()
    expect(page.locator("#design tr", has_text="boss:dragon:killed")).to_contain_text("133")
    expect(page.locator("#design-path")).to_have_text("allbossdragon")
    page.get_by_role("button", name="all").click()
    expect(page.locator("#design-path")).to_have_text("")
    expect(page.locator("#design tr", has_text="boss")).to_contain_text("33.51.167")
    assert page.locator("canvas").count() == 2
    send("session_start", "eve")
    expect(page.locator("#concurrent")).to_have_text("2")
    assert page.title() == "Live · Skyforge"
    page.get_by_role("link", name="Players").click()
    expect(page.locator("#leaderboard tr", has_text="ada")).to_contain_text("4,711")


@in_chromium
def test_windows_and_alerts_of_the_stream_job_are_shown(
    address: str, page: Page, send: Send, dynamodb: Any
) -> None:
    play(send)
    start = f"{datetime.now(UTC) - timedelta(minutes=9):%Y-%m-%dT%H:%M}:00Z"
    measures = {
        "unique.heartbeat_sessions": 31,
        "reported_revenue.EUR": 998,
        "unverified_reported_revenue.EUR": 499,
        "events.session_start": 12,
        "fps.84": 1,
        "events.ad_impression": 3,
        "ad_revenue_micros.USD": 4_500_000,
        "design.boss:<b>dragon</b>": 5,
        "design.shop": 17,
        "match_win.duel": 6,
        "match_abandoned.duel": 2,
    }
    stop = {"observed": 0.0, "reference": 44.0}
    for series, window, found in (
        ("skyforge#5m#*#*", start, measures),
        ("skyforge#dropped#*#*", start, {"dropped.events": 7}),
        ("skyforge#alerts", f"{start}#revenue_stop#", stop),
        ("skyforge#alerts", f"{start}#economy_inflation#<b>gold</b>", stop),
    ):
        item = {"series": series, "window": window, "measures": json.dumps(found), "expires_at": 2**31}
        dynamodb.Table("realtime").put_item(Item=item)
    page.goto(f"{address}/?game=skyforge")
    row = page.locator("#realtime tr").nth(1)
    expect(row).to_contain_text("31")
    expect(row).to_contain_text("€9.98")
    expect(row).to_contain_text("EUR 50%")
    expect(row).to_contain_text("$4.50")
    designs = page.get_by_role("table", name="Design events of the newest window").locator("tbody tr")
    expect(designs.first).to_contain_text("shop17")
    expect(designs.nth(1)).to_contain_text("boss:<b>dragon</b>5")
    matches = page.get_by_role("table", name="Matches of the newest window").locator("tbody tr")
    expect(matches).to_have_text(["duel6002"])
    expect(page.locator("#realtime .note")).to_contain_text("7 events came too late")
    expect(page.locator("#alerts")).to_contain_text("Revenue stopped: no purchase, 44 before")
    expect(page.locator("#alerts")).to_contain_text("Inflation of <b>gold</b>: 0 in, 44 out")


@in_chromium
def test_minutes_are_shown_by_the_values_of_custom_dimensions(
    address: str, page: Page, send: Send, dynamodb: Any
) -> None:
    play(send)
    with page.expect_response("**/realtime/dimensions?*"):
        page.goto(f"{address}/?game=empty")
    expect(page.locator("#dimensions")).not_to_be_visible()
    games.declare_dimension(dynamodb.Table("games"), "skyforge", 1, "shard", "current", ["eu"])
    now = datetime.now(UTC)
    for minutes, value, measures in (
        (4, "eu<b>", {"unique.active_players": 5, "events.crash": 2, "reported_revenue.EUR": 998}),
        (3, "eu<b>", {"unique.active_players": 4, "events.crash": 1, "reported_revenue.EUR": 2}),
        (3, "other", {"unique.active_players": 1200, "unverified_reported_revenue.JPY": 120}),
        (4, "unknown", {"unique.active_players": 9}),
    ):
        start = f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M}:00Z"
        item = {
            "series": "skyforge#1m#custom_1",
            "window": f"{start}#{value}",
            "measures": json.dumps(measures),
            "expires_at": 2**31,
        }
        dynamodb.Table("realtime").put_item(Item=item)
    page.goto(f"{address}/?game=skyforge")
    rows = page.get_by_role("table", name="By shard").locator("tbody tr")
    expect(rows).to_have_text(["other1,2000–¥120", "eu<b>43€10.00–", "unknown00––"])  # noqa: RUF001


@in_chromium
def test_a_link_opens_the_windows_and_alerts_of_its_minute(
    address: str, page: Page, send: Send, dynamodb: Any
) -> None:
    play(send)
    noon = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=5)
    for after, players in ((-6, 41), (-5, 17), (5, 63)):
        start = f"{noon + timedelta(minutes=after):%Y-%m-%dT%H:%M:%SZ}"
        measures = {"unique.heartbeat_sessions": players}
        for series, window, found in (
            ("skyforge#5m#*#*", start, measures),
            ("skyforge#alerts", f"{start}#revenue_stop#", {"observed": 0.0, "reference": players}),
        ):
            item = {"series": series, "window": window, "measures": json.dumps(found), "expires_at": 2**31}
            dynamodb.Table("realtime").put_item(Item=item)
    page.goto(f"{address}/?game=skyforge&at={noon:%Y-%m-%dT%H:%MZ}")
    expect(page.locator("#realtime tbody tr")).to_have_count(2)
    expect(page.locator("#realtime tbody tr").first).to_contain_text("17")
    expect(page.locator("#alerts tbody tr")).to_have_count(2)
    expect(page.locator("#at")).to_contain_text("Windows and alerts of the minutes until")
    page.get_by_role("button", name="Show now").click()
    expect(page.locator("#realtime")).to_contain_text("Off, or nothing yet")
    expect(page.locator("#at")).to_be_empty()
    expect(page).to_have_url(f"{address}/?game=skyforge")
    page.goto(f"{address}/?game=skyforge&at=<b>noon</b>")
    expect(page.locator("#realtime")).to_contain_text("Off, or nothing yet")


@in_chromium
def test_a_game_nobody_plays_is_told_kindly(address: str, page: Page) -> None:
    page.goto(f"{address}/?game=nobodys")
    expect(page.locator("#notice")).to_contain_text("nobodys is not registered")
    expect(page.locator("#game")).to_have_value("empty")
    for panel, text in {
        "funnel": "Nobody has played today.Filled by session_start events. Send one",
        "levels": "No level was started today.Filled by progression events. Send one",
        "economy": "No virtual currency moved today.Filled by economy events. Send one",
        "types": "No events in the last 30 minutes.Filled by session_start events. Send one",
        "performance": "No performance events in the last 30 minutes.Filled by performance events. Send one",
        "ads": "No advertisement was shown today.Filled by ad_impression events. Send one",
        "design": "No design event was sent today.Filled by design events. Send one",
        "alerts": "None.",
    }.items():
        expect(page.locator(f"#{panel}")).to_have_text(text)
    page.goto(f"{address}/players?game=empty")
    text = "No score yet.Filled by score_submitted events. Send one"
    expect(page.locator("#leaderboard")).to_have_text(text)
    page.goto(f"{address}/quality?game=empty")
    expect(page.locator("#rejects")).to_have_text("Nothing arrived today (UTC).")


@in_chromium
def test_an_empty_game_says_what_to_do_first(
    address: str, page: Page, streams: Streams, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGEST_URL", "http://127.0.0.1:4566/api")
    page.goto(f"{address}/?game=empty")
    page.get_by_role("link", name="Send one").first.click()
    expect(page.locator("#recent")).to_contain_text("scripts/games rotate empty")
    command = page.locator("#recent pre").inner_text()
    assert command.startswith("curl -X POST 'http://127.0.0.1:4566/api/v1/events' -H 'x-api-key: YOUR_KEY'")
    # What it says can be sent, and is then shown.
    arguments = shlex.split(command)
    body = arguments[arguments.index("--data-raw") + 1]
    register(dynamodb, "empty")
    pipeline = processor(dynamodb, boto3.client("dynamodb"), streams)
    pipeline.process(records(body.encode()))
    assert [line["game_id"] for line in streams.lines("bronze")] == ["empty"]
    expect(page.locator("#recent .events tr", has_text="test-player")).to_contain_text("accepted")
    expect(page.locator("#test-event")).to_be_hidden()
    expect(page.locator("#ingest-url")).to_have_text("Games send to http://127.0.0.1:4566/api/v1/events")


@pytest.fixture
def streams() -> Streams:
    return Streams()


def arrive(dynamodb: Any, *events: Any) -> None:
    """Hand events to the processor as they come from the stream."""
    pipeline = processor(dynamodb, boto3.client("dynamodb"), Streams())
    pipeline.process(records(*(one if isinstance(one, bytes) else encode(one) for one in events)))


@in_chromium
def test_recent_events_are_filtered_and_copied(
    address: str, page: Page, dynamodb: Any, make_event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGEST_URL", "https://api.example")
    bad = make_event("purchase", player_id="<b>bob</b>", payload={"store": "it's"})
    denied = make_event(player_id="eve", privacy={"analytics_storage": "denied"})
    arrive(dynamodb, make_event(player_id="ada"), bad, denied)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}/events?game=skyforge")
    rows = page.locator("#recent .events tbody tr")
    expect(rows).to_have_count(3)
    expect(page.locator("#recent")).to_contain_text("The player did not agree to analytics.")
    expect(page.locator("#recent")).not_to_contain_text("eve")
    page.locator("#recent-result").select_option("rejected")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("<b>bob</b>")
    expect(rows).to_contain_text("schema_violation:")
    expect(rows.get_by_role("listitem")).to_have_count(7)
    expect(rows).to_contain_text('1 to 64 letters, digits and the signs _ . : -, not "<b>bob</b>"')
    expect(rows).to_contain_text('"payload.currency" is missing')
    assert page.url.endswith("&result=rejected")
    rows.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("#curl p")).to_have_text("Copied:")
    command = page.locator("#curl pre").inner_text()
    assert page.evaluate("navigator.clipboard.readText()") == command
    arguments = shlex.split(command)
    assert arguments[:4] == ["curl", "-X", "POST", "https://api.example/v1/events"]
    sent = json.loads(arguments[arguments.index("--data-raw") + 1])
    assert sent["event_id"] != bad["event_id"]
    changed = {name: bad[name] for name in ("event_id", "sent_at")}
    assert sent | changed == bad
    page.locator("#recent-result").select_option("")
    page.locator("#recent-player").fill("ada")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("accepted")
    page.locator("#recent-type").fill("purchase")
    expect(page.locator("#recent")).to_have_text("No recent event matches.")
    # What cannot be a player is not asked for.
    page.locator("#recent-type").fill("")
    page.locator("#recent-player").fill("a b")
    expect(rows).to_have_count(3)
    dynamodb.Table("games").update_item(
        Key={"game_id": "skyforge"},
        UpdateExpression="SET recent_events = :off",
        ExpressionAttributeValues={":off": "off"},
    )
    expect(page.locator("#recent")).to_have_text("Off: the settings of this game keep no recent events.")


@in_chromium
def test_an_event_of_another_product_is_copied_for_its_own_route(
    address: str, page: Page, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGEST_URL", "https://api.example")
    sent = {"eventName": "boss", "userID": "ada", "eventUUID": str(uuid4()), "eventParams": {"damage": 12}}
    now = timestamp(datetime.now(UTC))
    arrive(dynamodb, pack(IngestBatch("skyforge", now, None, [encode(sent)], "unity")))
    page.goto(f"{address}/events?game=skyforge")
    rows = page.locator("#recent .events tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("accepted")
    rows.get_by_role("button", name="Copy as curl").click()
    arguments = shlex.split(page.locator("#curl pre").inner_text())
    url = arguments[3].removeprefix("https://api.example/v1/compat/")
    vendor, _, path = url.partition("/")
    assert vendor == "unity"
    assert any(re.fullmatch(known, path) for known in VENDORS["unity"].paths)
    copied = json.loads(arguments[arguments.index("--data-raw") + 1])
    assert copied["eventUUID"] != sent["eventUUID"]
    assert copied | {"eventUUID": sent["eventUUID"]} == sent


@in_chromium
def test_a_test_event_is_sent_on_a_developers_machine_only(
    address: str, page: Page, app: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = TestClient(app)
    path = "/v1/games/skyforge/events/test"
    assert client.post(path, content=b"{}", headers={"x-test-event": "1"}).status_code == 404
    monkeypatch.setenv("TEST_STREAM", "raw")
    kinesis = boto3.client("kinesis")
    kinesis.create_stream(StreamName="raw", ShardCount=1)
    # A form of another site cannot set the header.
    assert client.post(path, content=b"{}").status_code == 404
    page.goto(f"{address}/events?game=skyforge")
    page.locator("#test-event").click()

    def come() -> list[Any]:
        (shard,) = kinesis.list_shards(StreamName="raw")["Shards"]
        start = kinesis.get_shard_iterator(
            StreamName="raw", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return [record["Data"] for record in kinesis.get_records(ShardIterator=start)["Records"]]

    wait_for("the test event", come)
    arrive(dynamodb, *come())
    expect(page.locator("#recent .events tr", has_text="test-player")).to_contain_text("accepted")


@in_chromium
def test_a_panel_says_that_it_waits_or_is_not_up_to_date(address: str, page: Page, send: Send) -> None:
    play(send)
    held: list[Any] = []
    page.route("**/design?*", lambda route: held.append(route))
    page.route("**/ads?*", lambda route: route.fulfill(status=503, json={"detail": "The tables are busy."}))
    page.goto(f"{address}/?game=skyforge")
    expect(page.locator("#ads")).to_have_text("Not up to date: The tables are busy.")
    expect(page.locator("#design")).to_have_text("Loading…")
    expect(page.locator("#levels")).to_contain_text("forest")
    page.unroute("**/ads?*")
    page.locator("#ads-by").select_option("placement")
    expect(page.locator("#ads")).to_contain_text("level_end")
    expect(page.locator("#ads .failed")).to_have_count(0)
    page.route("**/ads?*", lambda route: route.fulfill(status=503, json={"detail": "The tables are busy."}))
    page.locator("#ads-by").select_option("network")
    expect(page.locator("#ads .failed")).to_have_text("Not up to date: The tables are busy.")
    expect(page.locator("#ads")).to_contain_text("level_end")
    held[0].continue_()
    expect(page.locator("#design")).to_contain_text("boss")


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_can_be_read(address: str, browser: Browser, send: Send, scheme: Any) -> None:
    play(send)
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme, bypass_csp=True)
    page.set_default_timeout(1000 * STILL_SECONDS)
    page.goto(f"{address}/?game=skyforge")
    expect(page.locator("#concurrent")).to_have_text("1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    page.close()


# German puts a space before the percent sign: a figure must not break there.
WRAPPED = """() => [...document.querySelectorAll('td, .figure')].filter((node) => {
  const text = document.createRange();
  text.selectNodeContents(node);
  const lines = new Set([...text.getClientRects()].map((line) => Math.round(line.top)));
  return node.childElementCount === 0 && /^[\\d.,:%\\s-]+$/.test(node.textContent) && lines.size > 1;
}).map((node) => node.textContent)"""


@in_chromium
@pytest.mark.parametrize("width", [320, 390, 1440])
def test_no_figure_of_a_table_wraps(
    address: str, browser: Browser, send: Send, gold: DuckGold, width: int
) -> None:
    play(send)
    for number in range(14):
        keep(gold, "retention", 14, day_number=number, cohort_players=14)
    page = browser.new_page(viewport={"width": width, "height": 900}, locale="de-DE")
    page.set_default_timeout(1000 * STILL_SECONDS)
    page.goto(f"{address}/?game=skyforge")
    expect(page.locator("#levels tr", has_text="forest")).to_contain_text("%")
    assert page.evaluate(WRAPPED) == []
    page.goto(f"{address}/retention?game=skyforge")
    expect(page.locator("td.cell").first).to_contain_text("%")
    assert page.locator("td.cell").count() > 14
    assert page.evaluate(WRAPPED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 700:
        # The check sees a figure that wraps.
        page.evaluate(
            "document.querySelectorAll('.heat td').forEach((cell) => { cell.style.whiteSpace = 'normal'; })"
        )
        assert page.evaluate(WRAPPED) != []
    page.close()
