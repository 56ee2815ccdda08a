"""Events of GameAnalytics, Unity Analytics and Amplitude: what becomes of them.

The expected events were written by hand from the vendors' own documents, before the translation ran:
docs.gameanalytics.com (integrations/api, event-types), docs.unity.com (analytics/rest-api, standard-events,
record-transaction and ad-impression events) and amplitude.com/docs/apis/analytics/http-v2. The fields that
their clients add are those of GA-SDK-JAVASCRIPT and Amplitude-TypeScript.
"""

import hashlib
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telemetry import envelopes, guidance, products, sequences
from telemetry.decoding import Decoded, parse
from telemetry.enrichment import timestamp
from telemetry.guidance import Rules
from telemetry.ingest_batch import Envelope
from telemetry.key_classes import client_types
from telemetry.rejection import Reason, Rejection
from telemetry.vendors import VENDORS, translate

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
# 20 November 2026, 10:00:00 UTC.
SECONDS = 1_795_168_800
SESSION = "0d9a4f0e-6d52-4a35-8a86-2a2a4f8b3c11"
EVENT = "7b1c0e0e-7a3c-4a43-9d1e-5a9f0f1f2a3b"
AT = "2026-11-20T10:00:00.000Z"


def gameanalytics(category: str, **fields: Any) -> dict[str, Any]:
    return {
        "category": category,
        "v": 2,
        "event_uuid": EVENT,
        "user_id": "player-1",
        "client_ts": SECONDS,
        "sdk_version": "rest api v2",
        "os_version": "ios 18.1",
        "manufacturer": "apple",
        "device": "iPhone17,1",
        "platform": "ios",
        "session_id": SESSION,
        "session_num": 3,
        "build": "1.4.2",
        "connection_type": "wifi",
        "google_aid": "never-kept",
    } | fields


def unity(name: str, **parameters: Any) -> dict[str, Any]:
    known = {"platform": "PC_CLIENT", "clientVersion": "1.4.2", "userCountry": "FR", "idfv": "never-kept"}
    return {
        "eventName": name,
        "userID": "player-1",
        "unityInstallationID": "never-kept",
        "sessionID": SESSION,
        "eventUUID": EVENT,
        "eventTimestamp": "2026-11-20 11:00:00.000 +01:00",
        "eventVersion": 1,
        "eventParams": known | parameters,
    }


def amplitude(name: str, properties: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "user_id": "player-1",
        "device_id": "never-kept",
        "event_type": name,
        "time": SECONDS * 1000,
        "event_properties": properties or {},
        "session_id": SECONDS * 1000 - 60_000,
        "event_id": 7,
        "insert_id": EVENT,
        "app_version": "1.4.2",
        "platform": "Android",
        "os_version": "15",
        "device_model": "Pixel 9",
        "language": "fr-FR",
        "country": "France",
        "ip": "192.0.2.1",
        "adid": "never-kept",
    } | fields


def payload(vendor: Envelope, event: dict[str, Any], **rules: Any) -> tuple[str, dict[str, Any]]:
    """Return type and payload of what an event becomes."""
    found = translate(vendor, event, "farm", NOW, Rules(**rules))
    assert "never-kept" not in json.dumps(found)
    return found["event_type"], found["payload"]


def refusal(vendor: Envelope, event: Any, **rules: Any) -> Rejection:
    with pytest.raises(Rejection) as caught:
        translate(vendor, event, "farm", NOW, Rules(**rules))
    return caught.value


def test_the_envelope_is_read_from_each_vendors_fields() -> None:
    common = {
        "event_id": EVENT,
        "schema_version": "1-0-0",
        "game_id": "farm",
        "player_id": "player-1",
        "session_id": SESSION,
        "sequence": uuid.UUID(EVENT).int % 2**31,
        "event_time": AT,
        "sent_at": timestamp(NOW),
        "payload": {},
    }
    assert translate("gameanalytics", gameanalytics("user"), "farm", NOW) == common | {
        "event_type": "session_start",
        "client": {
            "platform": "ios",
            "app_version": "1.4.2",
            "os_version": "ios 18.1",
            "device_model": "iPhone17,1",
            "sdk": "gameanalytics",
        },
    }
    assert translate("unity", unity("gameStarted"), "farm", NOW) == common | {
        "event_type": "session_start",
        "client": {
            "platform": "windows",
            "app_version": "1.4.2",
            "country": "FR",
            "sdk": "unity-analytics",
        },
    }
    found = translate("amplitude", amplitude("session_start"), "farm", NOW)
    # A session of Amplitude is the time of its start.
    session = uuid.uuid5(guidance._namespace, f"farm/player-1/{SECONDS * 1000 - 60_000}")
    assert found == common | {
        "event_type": "session_start",
        "session_id": str(session),
        "client": {
            "platform": "android",
            "app_version": "1.4.2",
            "os_version": "15",
            "device_model": "Pixel 9",
            "locale": "fr-FR",
            "sdk": "amplitude",
        },
    }


RECEIPT = {"store": "apple", "receipt": "MIIT8AYJKoZIhvcNAQcC", "receipt_id": "x"}
GAMEANALYTICS = [
    (gameanalytics("session_end", length=127), "session_end", {"duration_seconds": 127}),
    (
        gameanalytics(
            "business",
            event_id="coin_pack:coin_pack_2",
            amount=99,
            currency="USD",
            transaction_num=4,
            cart_type="shop",
            receipt_info=RECEIPT,
        ),
        "purchase",
        {
            "transaction_id": EVENT,
            "currency": "USD",
            "amount_minor": 99,
            "quantity": 1,
            "store": "apple",
            "product_id": "coin_pack:coin_pack_2",
            "extra": {"cart_type": "shop"},
        },
    ),
    # "multiplying the price by 100": 120 yen are sent as 12000, and 1.250 dinars as 125.
    (
        gameanalytics("business", event_id="a:b", amount=12000, currency="JPY"),
        "purchase",
        {
            "transaction_id": EVENT,
            "currency": "JPY",
            "amount_minor": 120,
            "quantity": 1,
            "store": "other",
            "product_id": "a:b",
        },
    ),
    (
        gameanalytics("business", event_id="a:b", amount=125, currency="KWD"),
        "purchase",
        {
            "transaction_id": EVENT,
            "currency": "KWD",
            "amount_minor": 1250,
            "quantity": 1,
            "store": "other",
            "product_id": "a:b",
        },
    ),
    (
        gameanalytics("progression", event_id="Fail:PirateIsland:SandyHills:3", attempt_num=2, score=900),
        "progression",
        {
            "status": "fail",
            "level_1": "PirateIsland",
            "level_2": "SandyHills",
            "level_3": "3",
            "attempt": 2,
            "extra": {"score": 900},
        },
    ),
    (
        gameanalytics("progression", event_id="Start:World 1", attempt_num=0),
        "progression",
        {"status": "start", "level_1": "World_1"},
    ),
    # Our economy needs the balance after the change, which GameAnalytics does not send.
    (
        gameanalytics("resource", event_id="Sink:gold:boost:rainbow", amount=30.5),
        "design",
        {"name": "resource:Sink:gold:boost:rainbow", "value": 30.5},
    ),
    (
        gameanalytics("design", event_id="Kill:Sword:Robot", value=12, custom_01="ninja"),
        "design",
        {"name": "Kill:Sword:Robot", "value": 12, "extra": {"custom_01": "ninja"}},
    ),
    (
        gameanalytics("design", event_id="Kill", custom_fields={"Weapon": "bow", "value": 3}),
        "design",
        {"name": "Kill", "extra": {"weapon": "bow", "value": 3}},
    ),
    (
        gameanalytics("error", severity="critical", message="NullReferenceException: no object\n at Boss()"),
        "error",
        {
            "severity": "critical",
            "code": "NullReferenceException",
            "message": "NullReferenceException: no object\n at Boss()",
        },
    ),
    (
        gameanalytics(
            "ads", ad_sdk_name="admob", ad_placement="end_of_game", ad_type="rewarded_video", ad_action="show"
        ),
        "ad_impression",
        {
            "network": "admob",
            "placement": "end_of_game",
            "format": "rewarded",
            "extra": {"ad_action": "show"},
        },
    ),
    # A click is no impression, and "video" is none of our formats.
    (
        gameanalytics("ads", ad_sdk_name="admob", ad_placement="p", ad_type="banner", ad_action="clicked"),
        "design",
        {
            "name": "ads",
            "extra": {
                "ad_action": "clicked",
                "ad_type": "banner",
                "ad_sdk_name": "admob",
                "ad_placement": "p",
            },
        },
    ),
    (
        gameanalytics(
            "impression",
            ad_network_name="max",
            impression_data={
                "adunit_format": "INTER",
                "revenue": 0,
                "placement": "shop",
            },
        ),
        "ad_impression",
        {
            "network": "max",
            "placement": "shop",
            "format": "interstitial",
        },
    ),
    (
        gameanalytics(
            "impression",
            ad_network_name="admob",
            impression_data={
                "adunit_format": "BANNER",
                "adunit_id": "u-1",
                # Its SDK tells millionths, and the documents of GameAnalytics pass them on.
                "revenue": 12346,
                "currency": "EUR",
            },
        ),
        "ad_impression",
        {
            "network": "admob",
            "placement": "u-1",
            "format": "banner",
            "revenue_micros": 12346,
            "currency": "EUR",
            "extra": {"adunit_id": "u-1"},
        },
    ),
    (
        # MAX tells dollars and no currency.
        gameanalytics(
            "impression",
            ad_network_name="max",
            impression_data={"adunit_format": "REWARDED_INTER", "revenue": 0.5, "placement": "shop"},
        ),
        "ad_impression",
        {
            "network": "max",
            "placement": "shop",
            "format": "rewarded",
            "revenue_micros": 500_000,
            "currency": "USD",
        },
    ),
    (
        # ironSource names the format ad_unit, and the network ad_network.
        gameanalytics(
            "impression",
            ad_network_name="ironsource",
            impression_data={
                "ad_unit": "rewarded_video",
                "ad_network": "x",
                "revenue": 0.5,
                "placement": "shop",
            },
        ),
        "ad_impression",
        {
            "network": "x",
            "placement": "shop",
            "format": "rewarded",
            "revenue_micros": 500_000,
            "currency": "USD",
            "extra": {"ad_unit": "rewarded_video", "ad_network": "x"},
        },
    ),
    (
        gameanalytics("business", event_id="a:b", amount=0, currency="EUR"),
        "design",
        {"name": "business:a:b", "value": 0, "extra": {"currency": "EUR"}},
    ),
    (gameanalytics("sdk_init"), "design", {"name": "sdk_init"}),
]

SPENT = {"realCurrency": {"realCurrencyType": "EUR", "realCurrencyAmount": 499}}
RECEIVED = {"items": [{"item": {"itemName": "Sword", "itemType": "weapon", "itemAmount": 1}}]}
UNITY = [
    (
        unity("gameEnded", sessionEndState="KILLEDINBACKGROUND"),
        "session_end",
        {"duration_seconds": 0, "end_reason": "background"},
    ),
    (
        unity("gameEnded", sessionEndState="QUIT"),
        "session_end",
        {"duration_seconds": 0, "end_reason": "exit"},
    ),
    (unity("gameEnded"), "session_end", {"duration_seconds": 0}),
    (unity("newPlayer"), "player_registered", {"method": "guest"}),
    (unity("gameRunning"), "design", {"name": "gameRunning"}),
    (
        unity(
            "transaction",
            transactionName="IAP - sword",
            transactionType="PURCHASE",
            transactionID="GPA.3345-1",
            transactionServer="GOOGLE",
            productID="com.acme.sword",
            productsSpent=SPENT,
        ),
        "purchase",
        {
            "transaction_id": "GPA.3345-1",
            "currency": "EUR",
            "amount_minor": 499,
            "quantity": 1,
            "store": "google",
            "product_id": "com.acme.sword",
            "extra": {
                "transactionname": "IAP - sword",
                "transactiontype": "PURCHASE",
                "transactionserver": "GOOGLE",
                "productsspent_realcurrency_realcurrencytype": "EUR",
                "productsspent_realcurrency_realcurrencyamount": 499,
            },
        },
    ),
    # Gems for a sword are no revenue.
    (
        unity(
            "transaction",
            transactionName="sword",
            productsSpent={"virtualCurrencies": [{"virtualCurrency": {"virtualCurrencyAmount": 5}}]},
        ),
        "design",
        {
            "name": "transaction",
            "extra": {
                "transactionname": "sword",
                "productsspent_virtualcurrencies": '[{"virtualCurrency":{"virtualCurrencyAmount":5}}]',
            },
        },
    ),
    # "the revenue generated by 1000 impressions": 12.34 dollars are 12340 millionths for one.
    (
        unity(
            "adImpression",
            adCompletionStatus="COMPLETED",
            adProvider="UNITY",
            placementId="p-1",
            placementName="Daily Reward",
            placementType="REWARDED",
            adEcpmUsd=12.34,
        ),
        "ad_impression",
        {
            "network": "UNITY",
            "placement": "Daily_Reward",
            "format": "rewarded",
            "completed": True,
            "revenue_micros": 12340,
            "currency": "USD",
            "extra": {"placementid": "p-1"},
        },
    ),
    (
        unity("adImpression", adCompletionStatus="PARTIAL", adProvider="X", placementType="OTHER"),
        "design",
        {
            "name": "adImpression",
            "extra": {"adcompletionstatus": "PARTIAL", "adprovider": "X", "placementtype": "OTHER"},
        },
    ),
    (
        unity("bossHit", damage=12, isCritical=True, weapon={"name": "bow"}),
        "design",
        {"name": "bossHit", "extra": {"damage": 12, "iscritical": True, "weapon_name": "bow"}},
    ),
]

AMPLITUDE = [
    (amplitude("session_end"), "session_end", {"duration_seconds": 0}),
    (
        amplitude("Boss: hit!", {"damage": 12, "weapon": "bow"}),
        "design",
        {"name": "Boss_hit_", "extra": {"damage": 12, "weapon": "bow"}},
    ),
    # The client's revenue event.
    (
        amplitude(
            "revenue_amount",
            {
                "$productId": "gems-10",
                "$quantity": 3,
                "$price": 1.99,
                "$revenueType": "iap",
                "$currency": "EUR",
            },
        ),
        "purchase",
        {
            "transaction_id": EVENT,
            "currency": "EUR",
            "amount_minor": 597,
            "quantity": 3,
            "store": "other",
            "product_id": "gems-10",
            "extra": {"x__price": 1.99, "x__revenuetype": "iap"},
        },
    ),
    # The fields of the HTTP API, on an event with any name. Revenue wins over price.
    (
        amplitude("Shop", {}, revenue=4.99, price=1, quantity=2, productId="gems", currency="USD"),
        "purchase",
        {
            "transaction_id": EVENT,
            "currency": "USD",
            "amount_minor": 499,
            "quantity": 2,
            "store": "other",
            "product_id": "gems",
        },
    ),
    (
        amplitude("revenue_amount", {"$price": 0, "$quantity": 1}),
        "design",
        {"name": "revenue_amount", "extra": {"x__price": 0, "x__quantity": 1}},
    ),
    (
        amplitude("$identify", user_properties={"$set": {"level": 3}}),
        "design",
        {"name": "identify", "extra": {"x__set_level": 3}},
    ),
]
EXPECTED = [
    *[("gameanalytics", *each) for each in GAMEANALYTICS],
    *[("unity", *each) for each in UNITY],
    *[("amplitude", *each) for each in AMPLITUDE],
]


@pytest.mark.parametrize(("vendor", "event", "event_type", "expected"), EXPECTED)
def test_what_becomes_of_an_event(
    vendor: Envelope, event: dict[str, Any], event_type: str, expected: dict[str, Any]
) -> None:
    assert payload(vendor, event) == (event_type, expected)


@pytest.mark.parametrize(
    ("vendor", "event", "pointer"),
    [
        # Money that cannot be told is refused with the field at fault, never kept as something else.
        ("gameanalytics", gameanalytics("business", event_id="a:b", amount=99), "/currency"),
        ("gameanalytics", gameanalytics("business", event_id="a:b", amount=99, currency="GEMS"), "/currency"),
        ("gameanalytics", gameanalytics("business", event_id="a:b", amount="x", currency="EUR"), "/amount"),
        ("gameanalytics", gameanalytics("business", event_id="a:b", amount=-5, currency="EUR"), "/amount"),
        # 0.50 yen cannot be paid.
        ("gameanalytics", gameanalytics("business", event_id="a:b", amount=50, currency="JPY"), "/amount"),
        (
            "gameanalytics",
            gameanalytics("impression", ad_network_name="max", impression_data={"revenue": 0.01}),
            "/impression_data/adunit_format",
        ),
        (
            "gameanalytics",
            gameanalytics(
                "impression",
                ad_network_name="fairbid",
                impression_data={"revenue": 0.01, "adunit_format": "banner"},
            ),
            "/impression_data/currency",
        ),
        (
            "unity",
            unity("transaction", productsSpent={"realCurrency": {"realCurrencyType": "EUR"}}),
            "/eventParams/productsSpent/realCurrency/realCurrencyAmount",
        ),
        (
            "unity",
            unity(
                "transaction",
                productsSpent={"realCurrency": {"realCurrencyType": "EUR", "realCurrencyAmount": 4.99}},
            ),
            "/eventParams/productsSpent/realCurrency/realCurrencyAmount",
        ),
        (
            "unity",
            unity("adImpression", adProvider="X", placementName="p", adEcpmUsd=1.5),
            "/eventParams/placementType",
        ),
        ("amplitude", amplitude("Shop", revenue=4.99), "/event_properties/$currency"),
        ("amplitude", amplitude("Shop", revenue=-4.99, currency="EUR"), "/event_properties/$revenue"),
        ("amplitude", amplitude("Shop", revenue=[], currency="EUR"), "/event_properties/$revenue"),
        ("amplitude", amplitude("Shop", price=1, quantity=0, currency="EUR"), "/event_properties/$revenue"),
        (
            "amplitude",
            amplitude("Shop", price="9e999999", quantity="9e999999", currency="EUR"),
            "/event_properties/$revenue",
        ),
        # Fields that every event needs.
        ("gameanalytics", gameanalytics("user") | {"category": None}, "/category"),
        ("gameanalytics", gameanalytics("user") | {"user_id": ""}, "/user_id"),
        ("gameanalytics", gameanalytics("user") | {"client_ts": "now"}, "/client_ts"),
        ("gameanalytics", gameanalytics("user") | {"client_ts": -1}, "/client_ts"),
        ("gameanalytics", gameanalytics("user") | {"client_ts": True}, "/client_ts"),
        ("gameanalytics", gameanalytics("user") | {"event_uuid": str(uuid.UUID(int=0))}, "/event_uuid"),
        ("unity", unity("gameStarted") | {"eventName": 5}, "/eventName"),
        ("unity", unity("gameStarted") | {"userID": None}, "/userID"),
        ("unity", unity("gameStarted") | {"eventTimestamp": "20/11/2026"}, "/eventTimestamp"),
        ("unity", unity("gameStarted") | {"eventTimestamp": " " * 60_000 + "x"}, "/eventTimestamp"),
        ("amplitude", amplitude("") | {"time": 1e30}, "/event_type"),
        ("amplitude", amplitude("x") | {"time": 1e30}, "/time"),
        ("amplitude", amplitude("x") | {"user_id": None, "device_id": None}, "/user_id"),
        # What a `design` event cannot hold.
        ("amplitude", amplitude("x", {f"field_{n}": n for n in range(30)}), "/event_properties"),
        ("amplitude", amplitude("x", {"diary": "x" * 300}), "/event_properties/diary"),
        ("unity", unity("x", diary="x" * 300), "/eventParams/diary"),
        ("gameanalytics", gameanalytics("design", event_id="a", value=1e20), "/value"),
        ("gameanalytics", gameanalytics("resource", event_id="a", amount=1e20), "/amount"),
        ("amplitude", 5, ""),
        ("unity", [], ""),
    ],
)
def test_what_is_refused_names_the_vendors_field(vendor: Envelope, event: Any, pointer: str) -> None:
    rejection = refusal(vendor, event)
    assert (rejection.reason, rejection.pointer) == (Reason.SCHEMA_VIOLATION, pointer)


def test_a_games_currency_is_that_of_money_which_names_none() -> None:
    rules = Rules.of({"revenue_currency": "EUR"})
    found = translate("amplitude", amplitude("Shop", revenue=4.99), "farm", NOW, rules)["payload"]
    assert (found["currency"], found["amount_minor"]) == ("EUR", 499)
    named = translate("amplitude", amplitude("Shop", revenue=4.99, currency="USD"), "farm", NOW, rules)
    assert named["payload"]["currency"] == "USD"
    advice = refusal("amplitude", amplitude("Shop", revenue=4.99)).message
    assert "scripts/games revenue-currency" in advice


def test_types_that_a_key_may_not_send_become_design_events_but_money_stays_money() -> None:
    allowed = client_types()
    assert "player_registered" not in allowed
    assert payload("unity", unity("newPlayer"), types=allowed)[0] == "design"
    none: frozenset[str] = frozenset()
    assert payload("gameanalytics", gameanalytics("user"), types=none)[0] == "design"
    paid = gameanalytics("business", event_id="a:b", amount=99, currency="USD")
    assert payload("gameanalytics", paid, types=none)[0] == "purchase"
    impression = unity("adImpression", adProvider="X", placementName="p", placementType="BANNER", adEcpmUsd=1)
    assert payload("unity", impression, types=none)[0] == "ad_impression"


@pytest.mark.parametrize(
    ("vendor", "event", "name"),
    [
        ("gameanalytics", gameanalytics("user"), "event_uuid"),
        ("unity", unity("gameStarted"), "eventUUID"),
        ("amplitude", amplitude("session_start"), "insert_id"),
    ],
)
def test_ids_are_the_same_when_an_event_comes_again(
    vendor: Envelope, event: dict[str, Any], name: str
) -> None:
    def event_id(value: dict[str, Any], game: str = "farm", at: datetime = NOW) -> str:
        return translate(vendor, value, game, at)["event_id"]

    assert event_id(event) == EVENT
    # An id of another form is made a UUID, which is another one in another game and of another player.
    other = event | {name: "id-7"}
    player = {"gameanalytics": "user_id", "unity": "userID", "amplitude": "user_id"}[vendor]
    made = {event_id(other), event_id(other, "chess"), event_id(other | {player: "p-2"})}
    assert len(made) == 3
    later = NOW + timedelta(hours=1)
    assert event_id(other, at=later) in made
    # Without an id, the event itself is its id, in whatever order its fields are sent.
    bare = {field: value for field, value in event.items() if field != name}
    assert event_id(bare) == event_id(dict(reversed(bare.items())), at=later)
    assert event_id(bare) != event_id(bare | {player: "p-2"})
    session = {"gameanalytics": "session_id", "unity": "sessionID", "amplitude": "session_id"}[vendor]
    assert event_id(bare) != event_id(bare | {session: "another"})
    # With neither id nor time, events of other requests are other events.
    timeless = {field: value for field, value in bare.items() if field != VENDORS[vendor].time}
    assert event_id(timeless) == event_id(timeless)
    assert event_id(timeless) != event_id(timeless, at=later)


def test_sessions_and_times() -> None:
    outside = [
        translate("amplitude", amplitude("x", session_id=-1, insert_id=name), "farm", NOW) for name in "ab"
    ]
    assert outside[0]["session_id"] == outside[1]["session_id"]
    next_day = amplitude("x", session_id=-1, time=(SECONDS + 86400) * 1000)
    assert translate("amplitude", next_day, "farm", NOW)["session_id"] != outside[0]["session_id"]
    for text in ("2026-11-20 10:00:00.000", "2026-11-20T10:00:00Z", "2026-11-20 05:00:00.000 -05:00"):
        event = unity("gameStarted") | {"eventTimestamp": text}
        assert translate("unity", event, "farm", NOW)["event_time"] == AT
    # GameAnalytics' clients leave the time out where the device's clock is wrong.
    event = gameanalytics("user")
    del event["client_ts"]
    assert translate("gameanalytics", event, "farm", NOW)["event_time"] == timestamp(NOW)
    in_ms = gameanalytics("user") | {"client_ts": SECONDS * 1000}
    assert translate("gameanalytics", in_ms, "farm", NOW)["event_time"] == AT


def test_an_address_is_no_player() -> None:
    found = translate("amplitude", amplitude("x") | {"user_id": "jo@example.com"}, "farm", NOW)
    digest = hashlib.sha256(b"jo@example.com").hexdigest()[:32]
    assert found["player_id"] == f"h-{digest}"
    device = amplitude("x") | {"user_id": None, "device_id": "device-1"}
    assert translate("amplitude", device, "farm", NOW)["player_id"] == "device-1"


def test_names_of_events_in_other_letters_stay_apart() -> None:
    names = {payload("amplitude", amplitude(name))[1]["name"] for name in ("ボス", "竜", "boss", "x" * 500)}
    assert len(names) == 4
    long = [gameanalytics("design", event_id=":".join(["x" * 60, "y" * 60, "z" * 60, end])) for end in "ab"]
    assert len({payload("gameanalytics", event)[1]["name"] for event in long}) == 2


def test_events_of_another_product_are_recognised_on_the_wrong_route() -> None:
    for vendor, event in (
        ("unity", amplitude("x")),
        ("amplitude", unity("x")),
        ("amplitude", gameanalytics("user")),
    ):
        rejection = refusal(vendor, event)  # type: ignore[arg-type]
        assert "This looks like a body of" in rejection.message
        assert VENDORS[vendor].title not in rejection.message


def test_bytes_are_kept_and_broken_ones_pass() -> None:
    raw = orjson.dumps(unity("gameStarted"))
    item = envelopes.translated("unity", parse(raw), "farm", NOW)
    assert item.raw == raw
    broken = parse(b'{"eventName": ')
    assert envelopes.translated("unity", broken, "farm", NOW) is broken
    native = Decoded(raw, {"x": 1})
    assert envelopes.translated("native", native, "farm", NOW) is native


def test_the_vendors_of_the_table_are_those_of_envelopes_products_and_gaps() -> None:
    named = set(Envelope.__args__) - {"native", "guidance"}  # type: ignore[attr-defined]
    assert set(VENDORS) == named
    assert {vendor.title for vendor in VENDORS.values()} <= {each.name for each in products.PRODUCTS}
    assert {vendor.sdk for vendor in VENDORS.values()} == set(sequences.UNNUMBERED_SDKS) - {
        guidance.GUIDANCE_SDK
    }
    for vendor in VENDORS.values():
        for mapped in [*vendor.types.values(), *([vendor.any_event] if vendor.any_event else [])]:
            members = {path.partition("/")[0] for path in mapped.places.values()}
            assert members <= {*vendor.own}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from(["USD", "JPY", "1E999999999", "0", "-1", "²", "2026-11-20", "Start:a", "x" * 300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def paths_of(vendor: str) -> list[str]:
    """Return every field that the translation of a vendor reads."""
    table = VENDORS[vendor]
    mapped = [*table.types.values(), *([table.any_event] if table.any_event else [])]
    found = [path for each in mapped for path in each.places.values()]
    found += [path for paths in table.client.values() for path in paths]
    return sorted({*found, *table.own, *table.player, table.session, table.time, table.name, table.event_id})


def speaks_of_money(vendor: str, value: dict[str, Any]) -> bool:
    """Tell whether an event has revenue in it, by the vendors' documents alone."""

    def told(holder: Any, *names: str) -> bool:
        for name in names:
            holder = holder.get(name) if isinstance(holder, dict) else None
        return holder not in (None, "", 0, False, "0")

    def is_nothing(amount: Any) -> bool:
        try:
            return not isinstance(amount, bool) and Decimal(str(amount)) == 0
        except ArithmeticError:
            return False

    if vendor == "gameanalytics":
        is_impression = value["category"] == "impression" and told(value, "impression_data", "revenue")
        return (value["category"] == "business" and not is_nothing(value.get("amount"))) or is_impression
    if vendor == "unity":
        is_ad = value["eventName"] == "adImpression" and told(value, "eventParams", "adEcpmUsd")
        spent = ("eventParams", "productsSpent", "realCurrency", "realCurrencyAmount")
        return is_ad or (value["eventName"] == "transaction" and told(value, *spent))
    fields = [told(value, name) for name in ("revenue", "price")]
    return any(fields + [told(value, "event_properties", name) for name in ("$revenue", "$price")])


@st.composite
def vendor_events(draw: st.DrawFn) -> tuple[Envelope, dict[str, Any]]:
    """Return an event of a vendor in which some fields have any values."""
    vendor, event, *_ = draw(st.sampled_from(EXPECTED))
    changed = json.loads(json.dumps(event))
    for path in draw(st.lists(st.sampled_from(paths_of(vendor)), max_size=4)):
        holder, names = changed, path.split("/")
        for name in names[:-1]:
            if not isinstance(holder.get(name), dict):
                holder[name] = {}
            holder = holder[name]
        holder[names[-1]] = draw(VALUES)
    return vendor, changed  # type: ignore[return-value]


@given(given=vendor_events())
def test_any_event_becomes_a_valid_one_of_the_keys_game_or_is_refused(
    given: tuple[Envelope, dict[str, Any]],
) -> None:
    vendor, value = given
    item = parse(json.dumps(value).encode())
    found = envelopes.translated(vendor, item, "farm", NOW)
    if item.rejection or found.rejection:
        assert (found.rejection or item.rejection).reason is not Reason.INTERNAL_ERROR  # type: ignore[union-attr]
        return
    event = found.value
    assert event["game_id"] == "farm"
    again = envelopes.translated(vendor, item, "farm", NOW + timedelta(seconds=5)).value
    table = VENDORS[vendor]
    named = value.get(table.event_id)
    is_named = isinstance(named, str | int | float) and not isinstance(named, bool) and named != ""
    is_told = is_named or value.get(table.time) is not None
    assert (again["event_id"] == event["event_id"]) or not is_told
    if speaks_of_money(vendor, value):
        assert event["event_type"] in ("purchase", "ad_impression")


def test_the_guide_has_every_field_and_event_of_the_mapping() -> None:
    guide = (Path(__file__).resolve().parents[2] / products.GUIDE).read_text()
    for vendor in VENDORS.values():
        section = guide.split(f"\n## {vendor.title}\n")[1].split("\n## ")[0]
        rows = [row.split("|")[1:3] for row in section.splitlines() if row.startswith("| `")]
        left = {name: ours for theirs, ours in rows for name in re.findall(r"`([^`]+)`", theirs)}
        for name, mapped in vendor.types.items():
            assert f"`{mapped.event_type}`" in left[name], name
        client = {path for paths in vendor.client.values() for path in paths}
        read = {*vendor.player, vendor.session, vendor.time, vendor.event_id, *client}
        for path in read:
            assert path.rpartition("/")[2] in left, path
        mapped_events = [*vendor.types.values(), *([vendor.any_event] if vendor.any_event else [])]
        for path in {path for each in mapped_events for path in each.places.values()}:
            assert f"`{path.rpartition('/')[2]}`" in section, path
