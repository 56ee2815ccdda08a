"""What other analytics products send is recognised where it is refused, and only there."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import openapi_contract
import pytest
from ingest import handler
from ingest.publisher import Publisher
from ingest.request import MAX_EVENTS
from ingest_requests import post, rest_api_settings
from measured_work import TRIES, measured
from telemetry import products
from telemetry.decoding import MAX_EVENT_BYTES
from telemetry.field_errors import MAX_TEXT
from telemetry.ingest_batch import unpack
from telemetry.validation import validate
from tools import games

SCHEMAS = Path(__file__).resolve().parents[2] / "event-schemas"
MakeEvent = Callable[..., dict[str, Any]]

GAMEANALYTICS = {
    "category": "design",
    "event_id": "boss:dragon:hit",
    "value": 12.5,
    "v": 2,
    "user_id": "player-1",
    "client_ts": 1_795_000_000,
    "sdk_version": "rest api v2",
    "os_version": "ios 18.1",
    "manufacturer": "apple",
    "device": "iPhone17,1",
    "platform": "ios",
    "session_id": "0d9a4f0e-6d52-4a35-8a86-2a2a4f8b3c11",
    "session_num": 3,
}
UNITY = {
    "eventName": "bossHit",
    "userID": "player-1",
    "sessionID": "0d9a4f0e-6d52-4a35-8a86-2a2a4f8b3c11",
    "eventUUID": "7b1c0e0e-7a3c-4a43-9d1e-5a9f0f1f2a3b",
    "eventTimestamp": "2026-11-20 10:00:00.123",
    "eventParams": {"platform": "WEB", "damage": 12},
}
AMPLITUDE = {
    "user_id": "player-1",
    "device_id": "device-1",
    "event_type": "boss hit",
    "time": 1_795_000_000_000,
    "event_properties": {"damage": 12},
    "session_id": 1_795_000_000_000,
    "insert_id": "i-1",
}
SEGMENT = {
    "type": "track",
    "userId": "player-1",
    "event": "Boss Hit",
    "properties": {"damage": 12},
    "messageId": "m-1",
    "timestamp": "2026-11-20T10:00:00Z",
}
POSTHOG = {
    "event": "boss hit",
    "distinct_id": "player-1",
    "properties": {"damage": 12, "$lib": "posthog-node"},
    "timestamp": "2026-11-20T10:00:00Z",
}
PLAYFAB = {
    "EventNamespace": "custom.boss",
    "Name": "hit",
    "Entity": {"Id": "A1", "Type": "title_player_account"},
    "Payload": {"damage": 12},
}
SNOWPLOW = {"e": "se", "tv": "py-1.0.2", "p": "mob", "aid": "dragons", "se_ca": "boss", "se_ac": "hit"}
GUIDANCE = {"event_id": "1", "event_type": "login", "event_timestamp": 1_795_000_000, "event_data": {}}

# What is posted, by product. The forms are those of the vendors' own documents and clients:
BODIES: dict[str, list[Any]] = {
    # docs.gameanalytics.com/integrations/api, "Event types", and the annotations of GA-SDK-JAVASCRIPT.
    "GameAnalytics": [
        [GAMEANALYTICS],
        [GAMEANALYTICS | {"category": "user"}, GAMEANALYTICS],
        # GA-SDK-JAVASCRIPT leaves the time out where the device's clock is wrong.
        [{name: value for name, value in GAMEANALYTICS.items() if name != "client_ts"}],
    ],
    # docs.unity.com, "Record events with the REST API": the single format, and the one of many events.
    "Unity Analytics": [UNITY, {"eventList": [UNITY]}, {"eventList": []}, [UNITY]],
    # amplitude.com/docs/apis/analytics/http-v2, and the Payload of Amplitude-TypeScript.
    "Amplitude": [
        {"api_key": "a" * 32, "events": [AMPLITUDE], "options": {"min_id_length": 1}},
        {"api_key": "a" * 32, "events": [{"user_id": "player-1", "event_type": "boss hit"}]},
        {"api_key": "a" * 32, "events": [AMPLITUDE | {"event_type": "$identify"}], "client_upload_time": "t"},
        [AMPLITUDE],
        AMPLITUDE,
    ],
    # twilio.com/docs/segment, "HTTP API Source": batch, track, identify, page, screen, group and alias.
    "Segment": [
        {"batch": [SEGMENT], "writeKey": "w", "sentAt": "2026-11-20T10:00:00Z"},
        {"batch": [SEGMENT | {"type": "identify"}]},
        {"batch": [], "writeKey": "w"},
        SEGMENT,
        {"userId": "player-1", "event": "Boss Hit", "properties": {}},
        {"userId": "player-1", "traits": {"level": 3}},
        {"anonymousId": "a-1", "type": "screen", "name": "Shop"},
        {"userId": "player-1", "groupId": "guild-1", "type": "group"},
        {"userId": "player-1", "previousId": "a-1"},
    ],
    # posthog.com/docs/api/capture, and PostHogBatchEvent of posthog-android.
    "PostHog": [
        {"api_key": "phc_x", "batch": [POSTHOG], "sent_at": "2026-11-20T10:00:00Z"},
        {"api_key": "phc_x", "historical_migration": False, "batch": [POSTHOG]},
        {"api_key": "phc_x", "batch": []},
        {"api_key": "phc_x", **POSTHOG},
        # The client for browsers keeps the player among the properties.
        [{"event": "$pageview", "properties": {"token": "phc_x", "distinct_id": "p", "$lib": "web"}}],
    ],
    # learn.microsoft.com/rest/api/playfab: WriteEvents, WriteTelemetryEvents and WritePlayerEvent.
    "PlayFab": [
        {"Events": [PLAYFAB]},
        {"EventName": "boss_hit", "Body": {"damage": 12}},
        {"EventName": "boss_hit", "PlayFabId": "A1"},
        [PLAYFAB],
    ],
    # docs.snowplow.io/docs/events/http-requests: payload_data around events of the tracker protocol.
    "Snowplow": [
        {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": [SNOWPLOW]},
        {"schema": "iglu:com.acme/boss_hit/jsonschema/1-0-0", "data": {"damage": 12}},
        [SNOWPLOW],
    ],
    # docs/guidance-envelope.md, sent to the wrong route.
    "the AWS guidance": [{"events": [GUIDANCE]}, {"event": GUIDANCE, "application_id": "farm"}, GUIDANCE],
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what the function puts on the stream."""
    records: list[dict[str, Any]] = []

    class Stream:
        def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> Any:  # noqa: N803
            records.extend(Records)
            return {"Records": [{} for _ in Records]}

    monkeypatch.setattr(handler, "publisher", lambda: Publisher(Stream(), "raw"))
    return records


@pytest.fixture
def key(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    rest_api_settings(monkeypatch)
    return games.add_game(boto3.resource("dynamodb").Table("games"), "farm", "Farm")


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_a_product_is_refused_with_what_to_change(
    sent: list[dict[str, Any]], key: str, name: str
) -> None:
    advice = next(product for product in products.PRODUCTS if product.name == name).message
    for body in BODIES[name]:
        data = json.dumps(body).encode()
        for form in (data, gzip.compress(data)):
            sent.clear()
            status, answer, _ = post(form, key)
            assert (status, answer["accepted"]) == (422, 0)
            for result in answer["results"]:
                assert (result["message"], result["pointer"]) == (advice, "")
                # The errors by our own schemas are named too.
                assert len(result["errors"]) > 1
            kept = [event for record in sent if (batch := unpack(record["Data"])) for event in batch.events]
            assert len(kept) == len(answer["results"])


@pytest.mark.parametrize("name", BODIES)
def test_a_good_neighbour_of_a_products_event_is_taken(
    sent: list[dict[str, Any]], key: str, make_event: MakeEvent, name: str
) -> None:
    theirs = BODIES[name][0]
    one = theirs[0] if isinstance(theirs, list) else theirs
    status, answer, _ = post(json.dumps([make_event(game_id="farm"), one]).encode(), key)
    assert (status, answer["accepted"], [result["index"] for result in answer["results"]]) == (207, 1, [1])


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        # Many events in one object are more than an event may have.
        ("Amplitude", {"api_key": "a", "events": [AMPLITUDE] * 400}, "too_large"),
        ("Unity Analytics", {"eventList": [UNITY] * 400}, "too_large"),
        ("GameAnalytics", [GAMEANALYTICS] * (MAX_EVENTS + 1), "too_many_events"),
    ],
)
def test_a_body_that_is_too_large_is_recognised_too(
    sent: list[dict[str, Any]], key: str, name: str, body: Any, code: str
) -> None:
    data = json.dumps(body).encode()
    assert len(data) > MAX_EVENT_BYTES
    status, answer, _ = post(data, key)
    assert (status, answer["error"]["code"]) == (413, code)
    assert f"This looks like a body of {name}. " in answer["error"]["message"]
    # The quarantine says the same.
    (batch,) = [unpack(record["Data"]) for record in sent]
    assert batch is not None
    assert batch.refusal is not None
    assert batch.refusal.message == answer["error"]["message"]


def test_no_event_of_this_platform_is_taken_for_another_products() -> None:
    paths = sorted(SCHEMAS.glob("*/examples/*.json"))
    found = [json.loads(path.read_text()) for path in paths]
    assert len(found) > 30
    for event in found:
        assert products.recognised(event) is None
        assert products.recognised([event]) is None
        for name in event:
            # With each of its fields missing, or written as other languages do.
            camel = "".join(part.capitalize() if n else part for n, part in enumerate(name.split("_")))
            others = {field: value for field, value in event.items() if field != name}
            assert products.recognised(others) is None
            assert products.recognised(others | {camel: event[name]}) is None


@pytest.mark.parametrize(
    "value",
    [
        *[None, 5, "events", [], [[]], {}, {"events": []}, {"events": [5]}, {"batch": {}}, {"type": "track"}],
        *[{"schema": 5, "data": []}, {"properties": 5, "event": "x"}, {"type": [], "userId": 5}],
    ],
)
def test_other_values_are_nobodys(value: Any) -> None:
    assert products.recognised(value) is None


@pytest.mark.parametrize("count", [1, 2, 400])
def test_events_of_ours_in_an_object_are_taken(
    sent: list[dict[str, Any]], key: str, make_event: MakeEvent, count: int
) -> None:
    wrapped = {"events": [make_event(game_id="farm") for _ in range(count)]}
    body = json.dumps(wrapped).encode()
    assert (len(body) > MAX_EVENT_BYTES) == (count == 400)
    status, answer, _ = post(body, key)
    assert (status, answer["accepted"]) == (202, count)


def test_an_object_of_events_without_ids_is_told_how_events_are_sent(
    sent: list[dict[str, Any]], key: str, make_event: MakeEvent
) -> None:
    event = make_event(game_id="farm")
    del event["event_id"]
    status, answer, _ = post(json.dumps({"events": [event]}).encode(), key)
    assert (status, answer["accepted"]) == (422, 0)
    assert answer["results"][0]["message"].startswith("Several events are sent as a JSON array")
    for value in ({"events": [5]}, {"events": []}, {"events": [{}]}, {"events": {}}, {}, []):
        assert products.advice(value) == ""


def test_a_form_that_fits_no_longer_is_found() -> None:
    """The examples above are read by their structure: without it, nothing is recognised."""
    for name in ("category", "eventName", "event_type", "EventNamespace", "tv"):
        for body in (GAMEANALYTICS, UNITY, AMPLITUDE, PLAYFAB, SNOWPLOW):
            if name in body:
                assert products.recognised(body) is not None
                assert products.recognised({k: v for k, v in body.items() if k != name}) is None


def test_a_message_fits_where_messages_go() -> None:
    for product in products.PRODUCTS:
        assert len(product.message) < MAX_TEXT * 2 / 3
        assert product.message.count(". ") <= 2


def test_recognition_reads_few_values_of_a_large_body() -> None:
    """A body of a megabyte costs no more than a small one: only names and the first event are read."""

    class Watched(list[Any]):
        reads = 0

        def __getitem__(self, index: Any) -> Any:
            Watched.reads += 1
            return super().__getitem__(index)

        def __iter__(self) -> Any:
            raise AssertionError("the events are not walked")

    many = Watched([{"x": n} for n in range(100_000)])
    body = {name: many for name in products.BATCHES if name != "eventList"}
    found, seconds = measured(lambda: products.recognised(body), 0.05)
    assert found is None
    assert seconds < 0.05
    assert Watched.reads <= TRIES * 2 * len(products.BATCHES)


def test_a_good_event_is_never_looked_at(make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> str:
        raise AssertionError("recognition costs only what is refused")

    monkeypatch.setattr("telemetry.validation.advice", fail)
    validate(make_event())
    with pytest.raises(AssertionError):
        validate(make_event() | {"sequence": -1})


def test_the_guide_names_every_product() -> None:
    guide = (SCHEMAS.parent / products.GUIDE).read_text().split("## Bodies on the wrong route")[1]
    named = re.findall(r"^\| ([A-Z]\w[^|]*?) \| `", guide, re.MULTILINE)
    others = [product.name for product in products.PRODUCTS if product.name != "the AWS guidance"]
    assert sorted(named) == sorted([*others, "AWS Game Analytics Pipeline guidance"])


def test_routes_that_are_named_are_those_of_the_document() -> None:
    found = [re.search(r"POST (/\S+?)[,:]", product.advice) for product in products.PRODUCTS]
    named = {route[1] for route in found if route}
    assert len(named) == 4
    assert named <= set(openapi_contract.DOCUMENT["paths"])
