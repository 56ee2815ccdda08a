"""The AWS guidance's envelope: what its clients send becomes events of ours, or a clear refusal."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from telemetry import envelopes
from telemetry.decoding import Decoded
from telemetry.enrichment import enrich
from telemetry.guidance import ANONYMOUS, Rules, application_of, translate
from telemetry.origin import Origin
from telemetry.rejection import Reason, Rejection
from telemetry.sequences import GUIDANCE_SDK

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
    assert event["client"] == {"platform": "playstation", "app_version": "2.1.0", "sdk": GUIDANCE_SDK}
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


@pytest.mark.parametrize("amount", [0, -1, 7.999, "much", "1e999999", "NaN", None, True, "7,99", {}, 10**16])
@pytest.mark.parametrize("wrapped", [True, False])
def test_money_that_cannot_be_told_is_refused_with_the_field(amount: Any, wrapped: bool) -> None:
    paid = {"transaction_id": "t-1", "item_id": "gems", "currency_type": "USD", "currency_amount": amount}
    event = guidance_event("iap_transaction", **paid)
    rejection = refusal({"event": event, "application_id": "farm"} if wrapped else event)
    prefix = "/event" if wrapped else ""
    assert (rejection.reason, rejection.pointer) == (
        Reason.SCHEMA_VIOLATION,
        f"{prefix}/event_data/currency_amount",
    )
    assert "no amount above 0" in rejection.message


def test_a_purchase_in_no_currency_is_refused_with_the_field() -> None:
    paid = {"transaction_id": "t-1", "item_id": "gems", "currency_amount": 5}
    for named in ("GEMS", "", None, 5):
        rejection = refusal(guidance_event("iap_transaction", currency_type=named, **paid))
        assert rejection.pointer == "/event_data/currency_type"
        assert "no currency" in rejection.message
    rejection = refusal(guidance_event("iap_transaction", currency_type="USD", item_amount="two", **paid))
    assert rejection.pointer == "/event_data/item_amount"


def test_a_purchase_counts_whatever_else_it_lacks_or_holds() -> None:
    paid = {"currency_type": "USD", "currency_amount": 5}
    bare = translated(guidance_event("iap_transaction", **paid))["payload"]
    assert (bare["transaction_id"], bare["product_id"], bare["quantity"]) == (EVENT_ID, "unknown", 1)
    many = {f"field_{n}": n for n in range(30)}
    assert "extra" not in translated(guidance_event("iap_transaction", **paid, **many))["payload"]
    more = translated(guidance_event("iap_transaction", **paid, item_version=2, country_id="UK"))["payload"]
    assert {"item_version": 2, "country_id": "UK"}.items() <= more["extra"].items()


def test_ids_of_purchases_stay_different() -> None:
    paid = {"currency_type": "USD", "currency_amount": 5}
    ids = ["t 1", "t_1", "t+1", "\N{GREEK SMALL LETTER ALPHA}", "+", "-", "x" * 200, "x" * 201, 77]
    found = [
        translated(guidance_event("iap_transaction", transaction_id=one, **paid))["payload"]["transaction_id"]
        for one in ids
    ]
    assert len(set(found)) == len(ids)
    assert found[1] == "t_1"


@pytest.mark.parametrize(
    ("theirs", "status"),
    [("level_started", "start"), ("level_completed", "complete"), ("level_failed", "fail")],
)
def test_levels_become_progression(theirs: str, status: str) -> None:
    event = translated(guidance_event(theirs, level_id="forest"))
    assert (event["event_type"], event["payload"]) == ("progression", {"status": status, "level_1": "forest"})


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("World 1", "World_1"), (" -boss! 2", "boss_2"), (7, "7"), ("x" * 90, "x" * 64)],
)
def test_levels_are_named_as_schemas_take_them(theirs: Any, ours: str) -> None:
    payload = translated(guidance_event("level_started", level_id=theirs))["payload"]
    assert payload["level_1"] == ours
    if theirs != 7:
        assert payload["extra"] == {"level_id": theirs}, "the name as it was is kept"


def test_levels_in_other_letters_stay_different() -> None:
    names = (
        "\N{CJK UNIFIED IDEOGRAPH-68EE}",
        "\N{CJK UNIFIED IDEOGRAPH-6D77}",
        "A\N{CJK UNIFIED IDEOGRAPH-6D77}",
    )
    found = {
        translated(guidance_event("level_started", level_id=name))["payload"]["level_1"] for name in names
    }
    assert len(found) == 3


@pytest.mark.parametrize(
    ("theirs", "data", "ours", "payload"),
    [
        ("user_registration", {"country_id": "UK"}, "player_registered", {"method": "guest"}),
        ("user_registration", {"method": "EMAIL"}, "player_registered", {"method": "email"}),
        ("logout", {"last_screen_seen": "shop"}, "session_end", {"duration_seconds": 0}),
        ("logout", {"session_duration": 61.5}, "session_end", {"duration_seconds": 61}),
        ("logout", {"duration": -1}, "session_end", {"duration_seconds": 0}),
        (
            "tutorial_progression",
            {"tutorial_screen_id": "2_MOVEMENT", "tutorial_screen_version": 1},
            "tutorial_step",
            {"step": 2, "name": "2_MOVEMENT", "status": "complete"},
        ),
        ("match_start", {"match_id": "m-1", "map_id": "CASTLE"}, "match_start",
         {"match_id": "m-1", "mode": "unknown", "map": "CASTLE"}),
        ("match_start", {"match_id": "m-1", "match_type": "1v1"}, "match_start",
         {"match_id": "m-1", "mode": "1v1"}),
        ("match_end", {"match_id": "m-1", "match_result_type": "LOSE", "exp_gained": 9}, "match_end",
         {"match_id": "m-1", "mode": "unknown", "result": "loss", "duration_seconds": 0}),
        ("match_end", {"match_id": "m-1", "match_result_type": "DISCONNECTED", "duration": 90}, "match_end",
         {"match_id": "m-1", "mode": "unknown", "result": "abandoned", "duration_seconds": 90}),
    ],
)  # fmt: skip
def test_types_have_their_counterparts(
    theirs: str, data: dict[str, Any], ours: str, payload: dict[str, Any]
) -> None:
    for event in (guidance_event(theirs, **data), guidance_event("client", **data) | {"event_name": theirs}):
        found = translated(event)
        assert found["event_type"] == ours
        assert {name: value for name, value in found["payload"].items() if name != "extra"} == payload


@pytest.mark.parametrize(
    ("theirs", "data"),
    [
        ("tutorial_progression", {"tutorial_screen_id": "INTRO"}),
        ("match_end", {"match_id": "m-1", "match_result_type": "EATEN"}),
        ("match_start", {}),
        ("level_started", {}),
        ("matchmaking_start", {"match_id": "m-1", "match_type": "1v1"}),
    ],
)
def test_too_little_data_leaves_a_design_event_with_all_of_it(theirs: str, data: dict[str, Any]) -> None:
    event = translated(guidance_event(theirs, **data))
    assert event["event_type"] == "design"
    assert data.items() <= event["payload"]["extra"].items()


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
    assert refusal(guidance_event("iap_transaction", **paid)).pointer == "/event_data/currency_amount"


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
    assert translated(guidance_event(userId=77))["player_id"] == "77"
    named = translated(guidance_event(user_id="jo@example.com"))["player_id"]
    assert named.startswith("h-")
    assert "example" not in named
    assert named == translated(guidance_event(user_id="jo@example.com"))["player_id"]


def test_events_without_a_player_do_not_all_meet() -> None:
    nobody = [translated(guidance_event(event_id=str(n))) for n in range(1000)]
    assert len({event["player_id"] for event in nobody}) == ANONYMOUS
    assert len({event["session_id"] for event in nobody}) == ANONYMOUS
    seated = [translated(guidance_event(event_id=str(n), session_id=f"s-{n % 500}")) for n in range(1000)]
    assert len({event["player_id"] for event in seated}) == 500
    assert seated[1]["player_id"] == seated[501]["player_id"]


def test_a_game_names_the_fields_of_its_player_and_session() -> None:
    rules = Rules.of({"guidance_fields": {"player": ["uid"], "session": ["run"]}})
    event = guidance_event(uid="p-1", run="r-1", user_id="other", score=5)
    found = translate(event, "farm", NOW, rules)
    assert found["player_id"] == "p-1"
    assert (
        found["session_id"]
        == translate(guidance_event(uid="p-1", run="r-1"), "farm", NOW, rules)["session_id"]
    )
    assert found["session_id"] != translated(event)["session_id"]
    # The id is in the envelope; what the envelope does not allow must not stay here.
    assert not {"uid", "run"} & found["payload"]["extra"].keys()
    assert translate(guidance_event(user_id="u"), "farm", NOW, rules)["player_id"] == "u"
    assert Rules.of(None) == Rules.of({}) == Rules()


def test_a_type_that_the_key_may_not_send_stays_a_design_event() -> None:
    """Clients of the guidance would take a refusal for the failure of the whole batch."""
    event = guidance_event("user_registration", country_id="UK")
    assert translate(event, "farm", NOW, Rules.of({}, "client"))["payload"]["extra"]["country_id"] == "UK"
    allowed = {"client_limits": {"types": ["player_registered"]}}
    for rules in (Rules.of(allowed, "client"), Rules.of({}, "server")):
        assert translate(event, "farm", NOW, rules)["event_type"] == "player_registered"
    paid = guidance_event("iap_transaction", currency_type="USD", currency_amount=1)
    assert translate(paid, "farm", NOW, Rules.of(allowed, "client"))["event_type"] == "purchase"


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("xbox_360", "xbox"),
        ("nintendo_switch", "switch"),
        ("ps4", "playstation"),
        ("iOS", "ios"),
        ("pc", "windows"),
        ("GameCoreXboxSeries", "xbox"),
        ("WSAPlayerX64", "windows"),
        ("Android TV", "android"),
        ("Nintendo Switch 2", "switch"),
        ("fb_messenger", "other"),
    ],
)
def test_the_platforms_of_the_published_generators_are_known(text: str, platform: str) -> None:
    assert translated(guidance_event(platform=text))["client"]["platform"] == platform


def test_an_event_of_the_first_version_is_told_by_its_two_fields() -> None:
    inner = guidance_event()
    assert application_of({"event": inner, "application_id": "farm"}) == "farm"
    wrapped = [{"event": inner, "application_id": 5}, {"event": inner, "application_id": "x" * 64}]
    more = {"event": inner, "application_id": "farm", "x": 1}
    for other in (None, [], inner, {"event": inner}, *wrapped, more):
        assert application_of(other) is None
    broken = Decoded(b"{", None, Rejection(Reason.MALFORMED_JSON, "cut"))
    assert envelopes.translated("guidance", broken, "farm", NOW) is broken


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
        ({}, "/event_id"),
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


def test_all_that_an_event_lacks_is_said_at_once() -> None:
    found = refusal({"event": {"event_id": 5, "event_data": []}, "application_id": "farm"})
    assert [(error.pointer, error.message) for error in found.errors] == [
        ("/event/event_id", '"event_id" must be a string, not 5'),
        ("/event/event_type", '"event_type" is missing'),
        ("/event/event_timestamp", '"event_timestamp" is missing'),
        ("/event/event_data", '"event_data" must be an object, not a list'),
    ]
    bought = refusal(guidance_event("iap_transaction", currency_type="GEMS", item_amount="two"))
    assert [(error.pointer, error.message) for error in bought.errors] == [
        ("/event_data/currency_type", "'GEMS' is no currency of ISO 4217"),
        ("/event_data/currency_amount", "None is no amount above 0 in whole minor units of the currency"),
        ("/event_data/item_amount", '"event_data.item_amount" must be a whole number, not "two"'),
    ]


def test_another_games_id_is_refused() -> None:
    assert refusal({"event": guidance_event(), "application_id": "chess"}).reason is Reason.WRONG_GAME
