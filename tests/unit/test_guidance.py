"""The AWS guidance's envelope: what its clients send becomes events of ours, or a clear refusal."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from telemetry.enrichment import enrich
from telemetry.guidance import ANONYMOUS, translate
from telemetry.origin import Origin
from telemetry.rejection import Reason, Rejection

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
EVENT_ID = "0b6f2a54-4c86-4f0e-9d5a-6f1f3a1c7e01"


def guidance_event(event_type: str = "boss_fight", **changes: Any) -> dict[str, Any]:
    """Return an inner event; event_data is what is left over."""
    known = {
        name: changes.pop(name) for name in ("event_id", "event_timestamp", "app_version") if name in changes
    }
    return {
        "event_id": EVENT_ID,
        "event_type": event_type,
        "event_name": f"{event_type}_name",
        "event_timestamp": int(NOW.timestamp()) - 30,
        "event_version": "1.0.0",
        "app_version": "2.1.0",
        "event_data": changes,
    } | known


def translated(event: dict[str, Any], game_id: str = "farm") -> dict[str, Any]:
    return translate(event, game_id, NOW)


def refusal(value: Any) -> Rejection:
    with pytest.raises(Rejection) as caught:
        translate(value, "farm", NOW)
    return caught.value


def test_an_unknown_type_becomes_a_design_event_with_all_its_data() -> None:
    event = translated(guidance_event(player_id="p-1", platform="PS5", boss={"Name": "dragon", "tags": [1]}))
    assert event["event_type"] == "design"
    assert event["payload"] == {
        "name": "boss_fight:boss_fight_name",
        "extra": {
            "event_version": "1.0.0",
            "player_id": "p-1",
            "platform": "PS5",
            "boss_name": "dragon",
            "boss_tags": "[1]",
        },
    }
    assert event["client"] == {"platform": "playstation", "app_version": "2.1.0"}
    assert event["event_time"] == "2026-03-01T12:00:00.000Z"
    assert enrich(event, Origin(NOW, "rest"))["skewed"] is False


def test_the_wrapped_form_means_the_same() -> None:
    inner = guidance_event(player_id="p-1")
    assert translated({"event": inner, "application_id": "farm"}) == translated(inner)


def test_real_money_is_counted_in_minor_units() -> None:
    paid = {"transaction_id": "t-1", "item_id": "gems", "item_amount": 2, "currency_type": "usd"}
    event = translated(guidance_event("iap_transaction", currency_amount=7.99, **paid))
    assert (event["event_type"], event["payload"]["amount_minor"]) == ("purchase", 799)
    assert (event["payload"]["currency"], event["payload"]["quantity"]) == ("USD", 2)
    yen = translated(
        guidance_event("iap_transaction", **paid | {"currency_type": "JPY"}, currency_amount=120)
    )
    assert yen["payload"]["amount_minor"] == 120
    dinar = translated(
        guidance_event("iap_transaction", **paid | {"currency_type": "KWD"}, currency_amount="1.250")
    )
    assert dinar["payload"]["amount_minor"] == 1250


@pytest.mark.parametrize("amount", [0, -1, 7.999, "much", "1e999999", "NaN", None, True])
def test_money_that_cannot_be_told_is_kept_as_a_design_event(amount: Any) -> None:
    paid = {"transaction_id": "t-1", "item_id": "gems", "currency_type": "USD", "currency_amount": amount}
    event = translated(guidance_event("iap_transaction", **paid))
    assert event["event_type"] == "design"
    assert event["payload"]["extra"]["currency_amount"] == amount


@pytest.mark.parametrize(
    ("theirs", "status"),
    [("level_started", "start"), ("level_completed", "complete"), ("level_failed", "fail")],
)
def test_levels_become_progression(theirs: str, status: str) -> None:
    event = translated(guidance_event(theirs, level_id="forest"))
    assert (event["event_type"], event["payload"]) == ("progression", {"status": status, "level_1": "forest"})


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "stored"),
    [
        (0.1 + 0.2, "USD", 30, "USD"),
        (1.1 * 3, "USD", 330, "USD"),
        (29.0000000001, "USD", 2900, "USD"),
        (120, "YEN", 120, "JPY"),
        ("6.50", "rmb", 650, "CNY"),
    ],
)
def test_float_noise_and_other_names_of_currencies_are_purchases(
    amount: Any, currency: str, minor: int, stored: str
) -> None:
    paid = {"transaction_id": "t-1", "item_id": "gems", "currency_type": currency, "currency_amount": amount}
    event = translated(guidance_event("iap_transaction", **paid))
    assert (event["event_type"], event["payload"]["amount_minor"]) == ("purchase", minor)
    assert event["payload"]["currency"] == stored


@pytest.mark.parametrize("amount", [7.9901, 7.99000002, 0.000000001])
def test_an_amount_between_minor_units_is_no_purchase(amount: float) -> None:
    paid = {"transaction_id": "t-1", "item_id": "gems", "currency_type": "USD", "currency_amount": amount}
    assert translated(guidance_event("iap_transaction", **paid))["event_type"] == "design"


def test_the_event_name_tells_what_a_client_event_is() -> None:
    event = guidance_event("client") | {"event_name": "login"}
    assert translated(event)["event_type"] == "session_start"
    assert translated(event | {"event_name": "lootbox_opened"})["payload"]["name"] == "client:lootbox_opened"
    # The type comes first.
    assert (
        translated(event | {"event_type": "level_started", "event_data": {"level_id": "l-1"}})["event_type"]
        == "progression"
    )


def test_a_login_starts_a_session() -> None:
    assert translated(guidance_event("login"))["event_type"] == "session_start"


def test_a_player_is_who_the_data_names() -> None:
    assert translated(guidance_event())["player_id"] == ANONYMOUS
    assert translated(guidance_event(userId=77))["player_id"] == "77"
    named = translated(guidance_event(user_id="jo@example.com"))["player_id"]
    assert named.startswith("h-")
    assert "example" not in named
    assert named == translated(guidance_event(user_id="jo@example.com"))["player_id"]


def test_sent_again_it_is_the_same_event() -> None:
    first, again = (translated(guidance_event(event_id="7", player_id="p-1")) for _ in range(2))
    assert first == again
    assert UUID(first["event_id"])
    assert translated(guidance_event(event_id="7"), "chess")["event_id"] != first["event_id"]


def test_a_session_is_what_the_data_names_else_the_players_day() -> None:
    assert translated(guidance_event(session_id=EVENT_ID))["session_id"] == EVENT_ID
    noon, later = (translated(guidance_event(event_id=name, player_id="p")) for name in "ab")
    assert noon["session_id"] == later["session_id"]
    assert noon["sequence"] != later["sequence"]
    assert translated(guidance_event(player_id="q"))["session_id"] != noon["session_id"]


def test_milliseconds_are_told_from_seconds() -> None:
    in_ms = guidance_event(event_timestamp=int(NOW.timestamp() * 1000))
    assert translated(in_ms)["event_time"] == "2026-03-01T12:00:30.000Z"


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (None, ""),
        ([], ""),
        ({}, ""),
        ({"event": None, "application_id": "farm"}, "/event"),
        (guidance_event(event_id=5), "/event_id"),
        (guidance_event(event_timestamp="now"), "/event_timestamp"),
        (guidance_event(event_timestamp=-1), "/event_timestamp"),
        (guidance_event(event_timestamp=10**30), "/event_timestamp"),
        (guidance_event() | {"event_data": []}, "/event_data"),
        (guidance_event(**{f"field_{n}": n for n in range(30)}), "/event_data"),
        (guidance_event(diary="x" * 300), "/payload/extra/diary"),
    ],
)
def test_what_it_is_not_is_refused_with_the_place(value: Any, pointer: str) -> None:
    rejection = refusal(value)
    assert (rejection.reason, rejection.pointer) == (Reason.SCHEMA_VIOLATION, pointer)


def test_another_games_id_is_refused() -> None:
    assert refusal({"event": guidance_event(), "application_id": "chess"}).reason is Reason.WRONG_GAME
