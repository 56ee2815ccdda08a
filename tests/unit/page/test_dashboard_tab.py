"""The dashboard in a browser: what producers put there, what readers see, and what each answer may be."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chromium import in_chromium
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from metrics_api.callers import Caller, caller
from metrics_api.saved_models import MAX_SHOWN
from page_views import day_before, purchase, sent, violations
from playwright.sync_api import Browser, Page, Route, expect
from tools.progress import STILL_SECONDS

HOSTILE = "<img src=x onerror=alert(1)> & 'quoted' \N{HEBREW LETTER ALEF}"
BASE = "/v1/games/skyforge"
DOCUMENTS: dict[str, dict[str, Any]] = {
    "buyers": {"kind": "cohort", "event": "purchase"},
    "by-day": {"kind": "events", "event": "session_start"},
    "steps": {"kind": "funnel", "steps": [{"event": "session_start"}, {"event": "purchase"}]},
    "return": {"kind": "retention", "grain": "range"},
    "ways": {"kind": "paths", "event": "session_start"},
    "none": {"kind": "events", "event": "crash"},
}
TITLES = {name: f"Title of {name}" for name in DOCUMENTS} | {"buyers": HOSTILE}


@pytest.fixture
def client(app: Any, gold: DuckGold) -> TestClient:
    """The API with saved questions of all kinds, and events that they are about."""
    for player, purchases in (("ann", 2), ("bob", 1), ("eve", 0)):
        gold.fill_silver([sent("session_start", player, 5), sent("session_start", player, 4)])
        gold.fill_silver([purchase(player, 5, 10 + n, 100) for n in range(purchases)])
    client = TestClient(app)
    for name, question in DOCUMENTS.items():
        body = {"title": TITLES[name], "question": question}
        assert client.put(f"{BASE}/questions/{name}", json=body).status_code == 201
    return client


def show(client: TestClient, *names: str, version: int = 0) -> None:
    body = {"questions": names, "version": version}
    assert client.put(f"{BASE}/dashboard", json=body).status_code == 200


def settled(page: Page, count: int) -> None:
    expect(page.locator(".panel:not([aria-busy])")).to_have_count(count)


@in_chromium
def test_a_producer_makes_a_dashboard_and_a_reader_reads_it(
    app: Any, address: str, page: Page, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = [Caller("ada", True, False)]
    monkeypatch.setitem(app.dependency_overrides, caller, lambda: who[0])
    page.goto(f"{address}/dashboard?game=skyforge")
    expect(page.locator(".board")).to_contain_text(
        "Nothing is on the dashboard yet. Add a saved question below"
    )
    expect(page.get_by_role("button", name="Arrange")).to_be_hidden()
    for count, name in enumerate(("by-day", "buyers", "steps"), 1):
        page.locator("#add-question").select_option(name)
        expect(page.locator(".panel")).to_have_count(count)
        expect(page.locator(".board [role=status]")).to_have_text(f"Added: {TITLES[name]}")
        expect(page.locator("#add-question")).to_be_focused()
    expect(page.locator("#add-question option")).to_have_count(1 + len(DOCUMENTS) - 3)
    settled(page, 3)
    assert page.locator(".panel img").count() == 0
    # Three players, of whom two bought; three purchases, in the range of 28 days.
    expect(page.locator(".panel").nth(1).locator("tbody .n")).to_have_text(["2", "3", "1.5"])
    expect(page.locator(".panel").nth(2).locator("tbody tr").nth(1)).to_contain_text("2. Purchase266.7%")
    assert page.locator(".panel").first.locator("canvas").count() == 1
    page.locator(".panel").first.locator("summary").click()
    expect(page.locator(".panel").first.locator("tbody .n")).to_have_text(["3", "3"])
    assert page.get_by_role("button", name="Later").count() == 0

    page.get_by_role("button", name="Arrange").click()
    expect(page.get_by_role("button", name="Done")).to_be_focused()
    later = page.get_by_role("button", name=f"Later: {TITLES['by-day']}")
    later.click()
    expect(page.locator(".panel h2")).to_have_text([HOSTILE, TITLES["by-day"], TITLES["steps"]])
    expect(later).to_be_focused()
    later.press("Enter")
    expect(page.locator(".panel h2")).to_have_text([HOSTILE, TITLES["steps"], TITLES["by-day"]])
    # The last one cannot be moved on: the focus stays in its tile.
    expect(page.get_by_role("link", name=TITLES["by-day"])).to_be_focused()
    mail = page.get_by_role("button", name=f"Mail weekly: {TITLES['steps']}")
    expect(mail).to_have_attribute("aria-pressed", "false")
    mail.click()
    expect(mail).to_have_attribute("aria-pressed", "true")
    expect(mail).to_be_focused()
    page.get_by_role("button", name=f"Mail weekly: {TITLES['by-day']}").click()
    expect(page.locator(".board [role=status]")).to_have_text("Mailed weekly: Title of by-day")
    assert client.get(f"{BASE}/dashboard").json()["mailed"] == ["steps", "by-day"]
    page.get_by_role("button", name=f"Take off: {TITLES['steps']}").click()
    expect(page.locator(".panel h2")).to_have_text([HOSTILE, TITLES["by-day"]])
    assert client.get(f"{BASE}/dashboard").json()["mailed"] == ["by-day"]
    expect(page.locator(".board [role=status]")).to_have_text("Taken off: Title of steps")
    page.reload()
    expect(page.locator(".panel h2")).to_have_text([HOSTILE, TITLES["by-day"]])

    who[0] = Caller("rae", False, False)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.goto(f"{address}/dashboard?game=skyforge&from={day_before(5)}&to={day_before(5)}")
    settled(page, 2)
    expect(page.locator(".board")).to_be_hidden()
    # Of the two days with sessions only one is asked for.
    page.locator(".panel").nth(1).locator("summary").click()
    expect(page.locator(".panel").nth(1).locator(".figures tbody tr")).to_have_count(1)
    page.locator("#from").fill(day_before(4))
    page.locator("#to").fill(day_before(4))
    expect(page.locator(".panel").first).to_have_attribute("data-state", "full")
    expect(page.locator(".panel").first.locator("tbody .n").first).to_have_text("0")
    assert f"from={day_before(4)}" in page.url
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV: Title of by-day").click()
    assert download.value.suggested_filename == f"skyforge-by-day-{day_before(4)}-{day_before(4)}.csv"
    page.get_by_role("link", name=TITLES["by-day"]).click()
    expect(page.locator("#title")).to_have_text(TITLES["by-day"])
    expect(page.locator("#from")).to_have_value(day_before(4))
    page.go_back()
    expect(page.locator(".panel h2")).to_have_text([HOSTILE, TITLES["by-day"]])
    assert set(asked) == {"GET"}


@in_chromium
def test_a_question_that_somebody_replaced_is_asked_and_drawn_as_it_is_now(
    address: str, page: Page, client: TestClient
) -> None:
    show(client, "by-day")
    page.goto(f"{address}/dashboard?game=skyforge")
    settled(page, 1)
    body = {"title": "A funnel now", "question": DOCUMENTS["steps"], "version": 1}
    assert client.put(f"{BASE}/questions/by-day", json=body).status_code == 200
    show(client, "by-day", "buyers", version=1)
    page.locator("#from").fill(day_before(20))
    expect(page.locator(".panel h2")).to_have_text(["A funnel now", HOSTILE])
    settled(page, 2)
    expect(page.locator(".panel").first.locator("tbody tr").nth(1)).to_contain_text("2. Purchase266.7%")


@in_chromium
def test_each_answer_waits_fails_or_is_empty_on_its_own(
    app: Any, address: str, page: Page, client: TestClient
) -> None:
    show(client, *DOCUMENTS)
    held: list[Route] = []
    page.route("**/questions/steps/answer*", lambda route: route.abort())
    page.route("**/questions/buyers/answer*", lambda route: held.append(route))
    refusal = {"detail": "The request is refused.", "errors": [{"detail": "ask for fewer days"}]}
    page.route("**/questions/return/answer*", lambda route: route.fulfill(status=422, json=refusal))
    page.goto(f"{address}/dashboard?game=skyforge")
    tiles = page.locator(".panel")
    expect(tiles).to_have_count(len(DOCUMENTS))
    expect(tiles.nth(0)).to_contain_text("Reading the events")
    expect(tiles.nth(1)).to_have_attribute("data-state", "full")
    expect(tiles.nth(2)).to_contain_text("The API does not answer.")
    expect(tiles.nth(3)).to_contain_text("ask for fewer days")
    expect(tiles.nth(4)).to_have_attribute("data-state", "full")
    expect(tiles.nth(5)).to_contain_text("No such events from")
    page.unroute("**/questions/buyers/answer*")
    held[0].fulfill(status=202, json={"status": "running", "queries": []})
    expect(tiles.nth(0)).to_contain_text("The query still runs.")
    expect(tiles.nth(0)).to_have_attribute("data-state", "full")
    page.unroute("**/questions/steps/answer*")
    tiles.nth(2).get_by_role("button", name="Try again").click()
    expect(tiles.nth(2)).to_have_attribute("data-state", "full")
    page.route("**/dashboard", lambda route: route.fulfill(status=503, json={"detail": "Try later."}))
    page.goto(f"{address}/dashboard?game=skyforge")
    expect(page.locator(".board")).to_contain_text("Try later.")
    page.unroute("**/dashboard")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".panel")).to_have_count(len(DOCUMENTS))


@in_chromium
def test_a_change_that_is_refused_says_why_and_shows_what_is_there(
    app: Any, address: str, page: Page, client: TestClient
) -> None:
    show(client, "buyers")
    page.goto(f"{address}/dashboard?game=skyforge")
    settled(page, 1)
    # Somebody else changes it meanwhile.
    show(client, "steps", "buyers", version=1)
    page.locator("#add-question").select_option("by-day")
    expect(page.locator(".board [role=status]")).to_contain_text(
        "Not changed: The dashboard was changed meanwhile"
    )
    expect(page.locator(".panel h2")).to_have_text([TITLES["steps"], HOSTILE])
    many = [f"more-{number}" for number in range(MAX_SHOWN - 2)]
    for name in many:
        body = {"title": name, "question": DOCUMENTS["buyers"]}
        assert client.put(f"{BASE}/questions/{name}", json=body).status_code == 201
    show(client, "steps", "buyers", *many, version=2)
    page.reload()
    settled(page, MAX_SHOWN)
    page.locator("#add-question").select_option("by-day")
    words = f"a dashboard shows at most {MAX_SHOWN} questions: take one off first"
    expect(page.locator(".board [role=status]")).to_contain_text(words)
    page.route(
        "**/dashboard", lambda route: route.abort() if route.request.method == "PUT" else route.continue_()
    )
    page.get_by_role("button", name="Arrange").click()
    page.get_by_role("button", name=f"Take off: {HOSTILE}").click()
    expect(page.locator(".board [role=status]")).to_have_text("Not changed: the API does not answer.")
    expect(page.locator(".panel")).to_have_count(MAX_SHOWN)


@in_chromium
def test_what_is_never_mailed_is_not_offered_for_the_mail(
    address: str, page: Page, client: TestClient
) -> None:
    single = {"kind": "events", "event": "purchase", "by": ["payload.transaction_id"]}
    body = {"title": "Single purchases", "question": single}
    assert client.put(f"{BASE}/questions/single", json=body).status_code == 201
    show(client, "single", "steps")
    page.goto(f"{address}/dashboard?game=skyforge")
    settled(page, 2)
    page.get_by_role("button", name="Arrange").click()
    tiles = page.locator(".panel")
    expect(tiles.nth(0)).to_contain_text("Not mailed: it tells single players or their words apart.")
    expect(tiles.nth(0).get_by_role("button", name="Mail weekly")).to_have_count(0)
    expect(tiles.nth(1).get_by_role("button", name="Mail weekly")).to_have_count(1)


@pytest.fixture
def phone(browser: Browser) -> Iterator[Callable[[Any], Page]]:
    """Open a narrow page of a colour scheme; axe-core is put into it, which its policy forbids."""
    opened: list[Page] = []

    def make(scheme: Any) -> Page:
        page = browser.new_page(
            viewport={"width": 390, "height": 900}, color_scheme=scheme, locale="en-US", bypass_csp=True
        )
        page.set_default_timeout(1000 * STILL_SECONDS)
        opened.append(page)
        return page

    yield make
    for page in opened:
        page.close()


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dashboard_and_saved_questions_fit_a_phone_and_axe_finds_nothing(
    address: str, phone: Callable[[Any], Page], client: TestClient, scheme: str
) -> None:
    show(client, *DOCUMENTS)
    page = phone(scheme)
    page.goto(f"{address}/dashboard?game=skyforge")
    settled(page, len(DOCUMENTS))
    page.get_by_role("button", name="Arrange").click()
    expect(page.get_by_role("button", name="Take off: ").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    page.goto(f"{address}/explore?game=skyforge&saved=buyers")
    expect(page.locator("#rows")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []


@in_chromium
def test_a_question_that_goes_on_is_cancelled(
    app: Any, address: str, page: Page, client: TestClient, gold: DuckGold, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(client, "buyers")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))

    def opened(view: str, query: str) -> None:
        """Open a view of other days: the answers of days that were asked before are kept."""
        days.append(f"{view}&from={day_before(len(days) + 10)}&to={day_before(1)}")
        gold.slow["skyforge"] = query
        page.goto(f"{address}/{days[-1]}")

    days: list[str] = []
    opened("explore?game=skyforge&saved=buyers", "q-1")
    expect(page.locator("#state")).to_contain_text(
        "The query still runs. The page asks again until it is done."
    )
    cancel = page.locator("#state").get_by_role("button", name="Cancel")
    cancel.focus()
    # It is still there, and focused, when the page has asked again.
    with page.expect_response(lambda response: response.status == 202):
        pass
    expect(cancel).to_be_focused()
    cancel.press("Enter")
    expect(page.locator("#state")).to_contain_text("Cancelled.")
    assert gold.cancelled == [("skyforge", "q-1")]
    expect(page.get_by_role("button", name="Try again")).to_be_focused()
    before = len(asked)
    page.wait_for_timeout(1500)
    assert len(asked) == before
    page.get_by_role("button", name="Try again").press("Enter")
    expect(page.locator("#figures tbody .n")).to_have_text(["2", "3", "1.5"])

    opened("dashboard?game=skyforge", "q-2")
    tile = page.locator(".panel")
    tile.get_by_role("button", name="Cancel").click()
    expect(tile).to_contain_text("Cancelled.")
    tile.get_by_role("button", name="Try again").click()
    expect(tile).to_have_attribute("data-state", "full")

    # A query that has ended meanwhile shows its answer. The page says so where a query cannot be stopped.
    def ended(route: Route) -> None:
        gold.slow.clear()
        route.fulfill(status=409, json={"detail": "The query has ended already."})

    page.route("**/queries/*", ended)
    opened("dashboard?game=skyforge", "q-3")
    tile.get_by_role("button", name="Cancel").click()
    expect(tile).to_have_attribute("data-state", "full")
    page.unroute("**/queries/*")
    page.route("**/queries/*", lambda route: route.abort())
    opened("dashboard?game=skyforge", "q-4")
    tile.get_by_role("button", name="Cancel").click()
    expect(tile).to_contain_text("but the query may go on: the API does not answer.")

    monkeypatch.setitem(app.dependency_overrides, caller, lambda: Caller("rae", False, False))
    for view in ("dashboard?game=skyforge", "explore?game=skyforge&saved=buyers"):
        opened(view, "q-5")
        expect(page.locator("#view")).to_contain_text("The query still runs.")
        assert page.get_by_role("button", name="Cancel").count() == 0
