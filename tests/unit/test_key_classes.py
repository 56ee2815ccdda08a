"""Client keys are in builds, where anybody can read them: they may send what a player may, and no more."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from ingest.publisher import Publisher
from telemetry import catalog, key_classes, money
from telemetry.decoding import parse
from telemetry.enrichment import timestamp
from telemetry.ingest_batch import IngestBatch
from telemetry.key_classes import ClientLimits
from telemetry.rejection import Reason, Rejection
from tools import schemas

MakeEvent = Callable[..., dict[str, Any]]
LIMITS = ClientLimits.of({})
BOUGHT = {"transaction_id": "t-1", "currency": "USD", "quantity": 1, "store": "web", "product_id": "gems"}


def refusal(event: Any, limits: ClientLimits = LIMITS) -> tuple[str, str] | None:
    try:
        limits.check(event)
    except Rejection as rejection:
        return rejection.reason, rejection.pointer
    return None


def test_each_event_type_says_who_may_send_it() -> None:
    assert key_classes.client_types() == {name for name, _ in catalog.event_types()} - {
        "identify",
        "player_registered",
        "refund",
    }


@pytest.mark.parametrize(
    ("event_type", "payload", "pointer"),
    [
        ("player_registered", {"method": "guest"}, "/event_type"),
        ("identify", {"previous_player_id": "somebody-else"}, "/event_type"),
        ("purchase", BOUGHT | {"amount_minor": 100_001}, "/payload/amount_minor"),
        ("score_submitted", {"leaderboard": "global", "score": 2**53 - 1}, "/payload/score"),
        ("score_submitted", {"leaderboard": "global", "score": -(2**53) + 1}, "/payload/score"),
        ("design", {"name": "a", "value": 1e15}, "/payload/value"),
        ("ad_impression", {"currency": "USD", "revenue_micros": 10**12}, "/payload/revenue_micros"),
    ],
)
def test_a_client_may_not_send_what_only_a_server_knows(
    make_event: MakeEvent, event_type: str, payload: dict[str, Any], pointer: str
) -> None:
    event = make_event(event_type=event_type, payload=payload)
    assert refusal(event) == (Reason.NOT_ALLOWED, pointer)


@pytest.mark.parametrize(
    ("event_type", "payload"),
    [
        ("session_start", {}),
        ("purchase", BOUGHT | {"amount_minor": 100_000}),
        ("purchase", BOUGHT | {"currency": "JPY", "amount_minor": 150_000}),
        ("purchase", BOUGHT | {"currency": "IDR", "amount_minor": 1_600_000_00}),
        ("purchase", BOUGHT | {"currency": "KWD", "amount_minor": 300_000}),
        ("score_submitted", {"leaderboard": "global", "score": 10**9}),
        ("design", {"name": "a"}),
    ],
)
def test_what_players_do_passes(make_event: MakeEvent, event_type: str, payload: dict[str, Any]) -> None:
    assert refusal(make_event(event_type=event_type, payload=payload)) is None


def test_every_currency_has_a_limit_that_a_store_price_fits_in() -> None:
    named = catalog.documents()["/common/currency/1-0-0.json"]["enum"]
    assert set(money._UNITS) <= {*named}
    for currency in named:
        limit = key_classes.maximum("amount_minor", 100_000, currency)
        assert limit >= 10 ** money.minor_digits(currency) * 1000


def test_a_game_may_set_its_own_limits(make_event: MakeEvent) -> None:
    limits = ClientLimits.of(
        {"client_limits": {"types": ["player_registered"], "maxima": {"score_submitted.score": 10**15}}}
    )
    assert refusal(make_event(event_type="player_registered", payload={"method": "guest"}), limits) is None
    assert refusal(make_event(event_type="session_start", payload={}), limits) == (
        Reason.NOT_ALLOWED,
        "/event_type",
    )
    wide = ClientLimits(key_classes.client_types(), limits.maxima)
    assert (
        refusal(make_event(event_type="score_submitted", payload={"leaderboard": "x", "score": 10**14}), wide)
        is None
    )


def test_no_game_lets_client_keys_take_the_history_of_another_player(make_event: MakeEvent) -> None:
    assert key_classes.server_only_types() == {"identify"}
    limits = ClientLimits.of({"client_limits": {"types": ["identify", "player_registered"]}})
    event = make_event(event_type="identify", payload={"previous_player_id": "somebody-else"})
    assert refusal(event, limits) == (Reason.NOT_ALLOWED, "/event_type")


@pytest.mark.parametrize(("key_class", "refused"), [("client", [1]), ("server", [])])
def test_the_rest_api_tells_the_client_what_its_key_may_not_send(
    make_event: MakeEvent, key_class: key_classes.KeyClass, refused: list[int]
) -> None:
    class Stream:
        def put_records(self, **request: Any) -> dict[str, Any]:
            return {"FailedRecordCount": 0, "Records": [{} for _ in request["Records"]]}

    now = timestamp(datetime.now(UTC))
    events = [make_event(), make_event(event_type="player_registered", payload={"method": "guest"})]
    batch = [parse(json.dumps(event).encode()) for event in events]
    header = IngestBatch("skyforge", now, None, [], key_class=key_class)
    results = Publisher(Stream(), "raw").publish(batch, header, LIMITS)  # type: ignore[arg-type]
    assert [result["index"] for result in results] == refused
    assert [result["reason"] for result in results] == ["not_allowed"] * len(refused)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"x-sent-by": None}, "x-sent-by: must be client"),
        (
            {"properties": {"n": {"type": "integer", "minimum": 0, "maximum": 2**40, "description": "N."}}},
            "/properties/n: needs x-client-maximum",
        ),
    ],
)
def test_a_new_event_type_says_what_client_keys_may_send(change: dict[str, Any], finding: str) -> None:
    schema = {
        "$id": "/x/1-0-0.json", "title": "X", "description": "X.", "x-sent-by": "client", "type": "object",
        "properties": {}, "additionalProperties": False,
    }  # fmt: skip
    assert list(schemas._form("/x/1-0-0.json", schema, {})) == []
    found = list(schemas._form("/x/1-0-0.json", schema | change, {}))
    assert [text.startswith(finding) for text in found] == [True]
