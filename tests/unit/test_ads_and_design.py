"""What the API and the report say of advertisements and design events: from events to answers.

The expected figures are computed from the events alone, with fractions.
"""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from fastapi.testclient import TestClient
from player_events import happen, write
from scheduled_reports import figures, plain_text, render, sections
from scheduled_reports.figures import Period
from scheduled_reports.report import report
from telemetry.capped_names import SHOWN
from telemetry.client_names import NameLimits
from telemetry.store import Store

Event = dict[str, Any]
DAY, NEXT = date(2026, 3, 10), date(2026, 3, 11)
A_DAY_LATER = 24 * 60
ONE_DAY = f"from={DAY}&to={DAY}"


@pytest.fixture
def get(metrics_app: Any, dynamodb: Any) -> Callable[[str], dict[str, Any]]:
    dynamodb.Table("games").put_item(Item={"game_id": "skyforge", "name": "Skyforge", "status": "active"})
    api = TestClient(metrics_app, raise_server_exceptions=False)

    def ask(path: str) -> dict[str, Any]:
        answer = api.get(f"/v1/games/skyforge{path}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    return ask


def ad(player: str, network: str, minute: float = 0, **payload: Any) -> Event:
    """Return an impression; its placement and format are the same unless given."""
    seen = {"network": network, "placement": "level_end", "format": "rewarded", **payload}
    return happen("ad_impression", minute, **seen) | {"player_id": player}


def custom(name: str, value: float | None = None, minute: float = 0, player: str = "ann") -> Event:
    """Return a design event."""
    payload = {"name": name} if value is None else {"name": name, "value": value}
    return happen("design", minute, **payload) | {"player_id": player}


ADS = [
    ad("ann", "admob", revenue_micros=12_500, currency="USD", completed=True),
    ad("ann", "admob", revenue_micros=2_500, currency="USD", completed=False),
    ad("ann", "admob", format="banner"),
    ad("bob", "unity", revenue_micros=900_000, currency="JPY", completed=True),
    ad("bob", "unity", placement="shop", revenue_micros=0, currency="USD"),
    ad("ann", "admob", A_DAY_LATER, revenue_micros=7_000, currency="USD"),
    # An active player who sees no advertisement.
    happen() | {"player_id": "eve"},
]


def of_ads(events: list[Event], currency: str) -> tuple[int, Fraction | None]:
    """Return the revenue of impressions in a currency and their eCPM, both in micros."""
    priced = [event["payload"] for event in events if event["payload"].get("currency") == currency]
    revenue = sum(payload["revenue_micros"] for payload in priced)
    return revenue, Fraction(1000 * revenue, len(priced)) if priced else None


def ads_of(events: list[Event], **parts: str) -> list[Event]:
    """Return the impressions whose payload has some values."""
    return [
        event
        for event in events
        if event["event_type"] == "ad_impression"
        and all(event["payload"][name] == value for name, value in parts.items())
    ]


def test_ads_of_one_day(get: Callable[[str], Any]) -> None:
    write(*ADS)
    body = get(f"/ads?{ONE_DAY}")
    today = [event for event in ads_of(ADS) if event["event_date"] == str(DAY)]
    assert body["totals"]["impressions"] == len(today) == 5
    assert body["totals"]["completed_share"] == 2 / 5
    revenue, ecpm = of_ads(today, "USD")
    assert (body["totals"]["ad_revenue_micros"], body["totals"]["ad_ecpm_micros"]) == (
        {"JPY": 900_000, "USD": revenue},
        {"JPY": 900_000_000.0, "USD": pytest.approx(float(ecpm or 0))},
    )
    # Three players were active, and two of them saw advertisements.
    assert body["ad_arpdau_micros"] == {"JPY": 300_000.0, "USD": revenue / 3}
    assert body["capped"] is False


@pytest.mark.parametrize("by", ["ad", "network", "placement", "format"])
def test_ads_by_each_part_of_their_name(get: Callable[[str], Any], by: str) -> None:
    write(*ADS)
    body = get(f"/ads?from={DAY}&to={NEXT}&by={by}")
    parts = ("network", "placement", "format") if by == "ad" else (by,)
    found = {tuple(row[part] for part in parts): row for row in body["ads"]}
    wanted = {tuple(event["payload"][part] for part in parts) for event in ads_of(ADS)}
    assert found.keys() == wanted
    for name, row in found.items():
        events = ads_of(ADS, **dict(zip(parts, name, strict=True)))
        assert row["impressions"] == len(events)
        assert row["completed_impressions"] == sum(
            event["payload"].get("completed", False) for event in events
        )
        for currency in ("JPY", "USD"):
            revenue, ecpm = of_ads(events, currency)
            assert row["ad_revenue_micros"].get(currency, 0) == revenue
            assert row["ad_ecpm_micros"].get(currency) == (
                None if ecpm is None else pytest.approx(float(ecpm))
            )
        assert all(row[part] is None for part in {"network", "placement", "format"} - set(parts))
    assert [day["impressions"] for day in body["days"]] == [5, 1]
    # Over two days: 22,000 micros over three player-days and one more.
    assert body["ad_arpdau_micros"]["USD"] == 22_000 / 4


def test_advertisements_beyond_the_limits_count_as_other(get: Callable[[str], Any]) -> None:
    most = NameLimits().ads
    write(*(ad("ann", f"network-{number:03}") for number in range(most + 3)), ad("ann", "network-000"))
    body = get(f"/ads?{ONE_DAY}")
    assert (len(body["ads"]), body["capped"]) == (SHOWN + 1, True)
    found = {row["network"]: row["impressions"] for row in body["ads"]}
    assert (found["network-000"], found["other"]) == (2, most + 3 - SHOWN)
    assert sum(found.values()) == body["totals"]["impressions"] == most + 4


DESIGNS = [
    custom("boss:dragon:killed", 3),
    custom("boss:dragon:killed", 0.25),
    custom("boss:dragon:fled"),
    custom("boss:giant:killed", -10.5, player="bob"),
    custom("boss"),
    custom("shop:opened", 1e15, player="bob"),
    custom("boss:dragon:killed", 7, A_DAY_LATER),
]


def design_rows(events: list[Event], depth: int, under: str = "") -> dict[str, tuple[int, int, Fraction]]:
    """Return events, those with a value and the sum of values by name at a depth."""
    found: dict[str, tuple[int, int, Fraction]] = {}
    for event in events:
        parts, value = event["payload"]["name"].split(":"), event["payload"].get("value")
        name = ":".join(parts[:depth])
        if len(parts) >= depth and (not under or f"{name}:".startswith(f"{under}:")):
            count, valued, total = found.get(name, (0, 0, Fraction(0)))
            found[name] = count + 1, valued + (value is not None), total + Fraction(value or 0)
    return found


@pytest.mark.parametrize(
    ("question", "depth", "under"),
    [("", 1, ""), ("&depth=2", 2, ""), ("&depth=3", 3, ""), ("&under=boss", 2, "boss"),
     ("&under=boss&depth=3", 3, "boss"), ("&under=boss:dragon", 3, "boss:dragon"), ("&under=bos", 2, "bos")],
)  # fmt: skip
def test_design_events_by_name(get: Callable[[str], Any], question: str, depth: int, under: str) -> None:
    write(*DESIGNS)
    body = get(f"/design?from={DAY}&to={NEXT}{question}")
    found = {row["name"]: row for row in body["names"]}
    expected = design_rows(DESIGNS, depth, under)
    assert found.keys() == expected.keys()
    for name, (count, valued, total) in expected.items():
        row = found[name]
        assert (row["design_events"], row["valued_events"]) == (count, valued)
        assert row["value_sum"] == float(total)
        assert row["value_mean"] == (float(total / valued) if valued else None)
        longer = any(event["payload"]["name"].startswith(f"{name}:") for event in DESIGNS)
        assert row["has_parts"] is longer


def test_design_events_of_a_day_and_their_totals(get: Callable[[str], Any]) -> None:
    write(*DESIGNS)
    body = get(f"/design?from={DAY}&to={NEXT}&under=boss")
    assert [day["design_events"] for day in body["days"]] == [4, 1]
    # boss itself has no further part.
    assert (body["totals"]["design_events"], body["totals"]["value_sum"]) == (5, 3 + 0.25 - 10.5 + 7)
    assert body["capped"] is False


def test_other_counts_events_and_adds_up_no_values(get: Callable[[str], Any]) -> None:
    most = NameLimits().designs
    write(*(custom(f"event-{number:03}", -1.5) for number in range(most + 5)))
    body = get(f"/design?{ONE_DAY}")
    (other,) = [row for row in body["names"] if row["name"] == "other"]
    assert body["capped"]
    assert (len(body["names"]), other["design_events"]) == (SHOWN + 1, most + 5 - SHOWN)
    assert (other["valued_events"], other["value_sum"], other["value_mean"]) == (most + 5 - SHOWN, None, None)
    assert get(f"/design?{ONE_DAY}&under=event-000")["capped"]


def test_values_add_up_to_what_their_decimals_say(get: Callable[[str], Any]) -> None:
    write(*(custom("coin", 0.1) for _ in range(30)))
    (row,) = get(f"/design?{ONE_DAY}")["names"]
    assert (row["value_sum"], row["value_mean"]) == (3.0, 0.1)


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/ads?by=country", "/query/by"),
        ("/ads?platform=ios", "/query/platform"),
        ("/design?depth=6", "/query/depth"),
        ("/design?depth=0", "/query/depth"),
        ("/design?under=boss&depth=1", "/query/depth"),
        ("/design?under=a:b:c:d:e", "/query/under"),
        ("/design?under=boss:", "/query/under"),
        ("/design?under=%2A", "/query/under"),
        ("/design?from=2026-01-02&to=2026-01-01", "/query/from"),
    ],
)
def test_a_bad_question_is_refused(get: Any, metrics_app: Any, path: str, pointer: str) -> None:
    answer = TestClient(metrics_app).get(f"/v1/games/skyforge{path}")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_game_without_either_is_empty(get: Callable[[str], Any]) -> None:
    body = get(f"/ads?{ONE_DAY}")
    assert (body["ads"], body["totals"]["impressions"], body["totals"]["completed_share"]) == ([], 0, None)
    body = get(f"/design?{ONE_DAY}")
    assert (body["names"], body["totals"]["value_sum"], body["totals"]["value_mean"]) == ([], None, None)


@pytest.fixture
def store(metrics_app: Any) -> Store:
    from telemetry import store

    return store.store()


def test_the_report_has_the_figures_of_ads(store: Store) -> None:
    write(*ADS)
    found = {one.name: one for one in figures.figures(store, "skyforge", Period("day", NEXT))}
    today, before = (
        [event for event in ads_of(ADS) if event["event_date"] == str(day)] for day in (NEXT, DAY)
    )
    assert found["impressions"][2:4] == (len(today), len(before))
    assert found["completed_share"][2:4] == (0, 2 / 5)
    for at, events, players in ((2, today, 1), (3, before, 3)):
        for currency in ("JPY", "USD"):
            revenue, ecpm = of_ads(events, currency)
            assert found[f"ad_revenue_micros_{currency}"][at] == revenue
            assert found[f"ad_arpdau_micros_{currency}"][at] == revenue / players
            assert found[f"ad_ecpm_micros_{currency}"][at] == (
                None if ecpm is None else pytest.approx(float(ecpm))
            )
    assert found["ad_revenue_micros_USD"].unit == "USD micros"


def test_a_report_of_a_game_without_ads_does_not_mention_them(store: Store) -> None:
    write(happen())
    made = report(store, "skyforge", "Game", Period("day", DAY))
    for form in (render.html, plain_text.text, plain_text.brief, plain_text.table):
        assert " ad" not in form(made).lower().replace("address", "")
        assert "Design events" not in form(made)


def test_the_report_has_sections_of_ads_and_design_events(store: Store) -> None:
    write(*ADS, *DESIGNS)
    week = Period("week", date(2026, 3, 15))
    made = report(store, "skyforge", "Game", week)
    tables = {section.title: section for section in made.sections}
    assert tables["Ads"].rows[0] == ("all ads", (6, 2 / 6))
    assert [name for name, _ in tables["Ads"].rows[1:]] == [
        "admob, level_end, rewarded", "admob, level_end, banner",
        "unity, level_end, rewarded", "unity, shop, rewarded",
    ]  # fmt: skip
    of_all, of_admob, of_unity = tables["Ad revenue: USD"].rows
    assert of_all == ("all ads", (4, 22_000, 5_500_000))
    assert of_admob == ("admob, level_end, rewarded", (3, 22_000, pytest.approx(22_000_000 / 3)))
    assert of_unity == ("unity, shop, rewarded", (1, 0, 0))
    assert [name for name, _ in tables["Ad revenue: JPY"].rows] == ["all ads", "unity, level_end, rewarded"]
    # Whole names: depth 5 tells all of them apart.
    assert dict(tables["Design events"].rows) == {
        "boss:dragon:killed": (3, 10.25, 10.25 / 3),
        "boss": (1, None, None),
        "boss:dragon:fled": (1, None, None),
        "boss:giant:killed": (1, -10.5, -10.5),
        "shop:opened": (1, 1e15, 1e15),
    }
    text = plain_text.text(made)
    assert "- all ads: 4 Priced impressions, 0.0220 USD Ad revenue, 5.50 USD Ad eCPM" in text
    assert "- boss:giant:killed: 1 Design events, -10.5 Sum of values" in text
    assert "Ad revenue: USD,all ads,Ad revenue,USD,0.0220,," in plain_text.table(made)
    assert "Ad revenue: JPY,all ads,Ad eCPM,JPY,900,," in plain_text.table(made)
    assert "Ad revenue USD" in render.html(made)


def test_sections_show_the_largest_names_and_the_rest_as_other(store: Store) -> None:
    write(
        *(ad("ann", f"network-{number:03}") for number in range(SHOWN + 5)),
        *(custom(f"event-{number:03}", -2) for number in range(SHOWN + 5)),
    )
    day = Period("day", DAY)
    (ads,) = sections.ads(store, "skyforge", day)
    assert (len(ads.rows), ads.rows[-1]) == (SHOWN + 2, ("other", (5, 0)))
    designs = sections.designs(store, "skyforge", day)
    assert (len(designs.rows), designs.rows[-1]) == (SHOWN + 1, ("other", (5, None, None)))
