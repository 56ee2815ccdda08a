"""Other products' clients: their bodies are taken as they are, and answered as their services do."""

import base64
import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import boto3
import openapi_contract
import pytest
from fake_aws import records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest import compat, handler, openapi
from ingest.publisher import Publisher
from ingest.request import MAX_EVENTS, RequestError
from ingest_requests import rest_api_settings, sign
from privacy.data_stores import Subject, cut_reject
from processor.arrival import arrivals
from processor.triage import rejected_line, triage
from telemetry import delivery
from telemetry.games import GameRegistry
from telemetry.ingest_batch import unpack
from telemetry.vendors import VENDORS
from tools import games

VENDOR_NAMES = tuple(sorted(VENDORS))
PATHS = {
    "amplitude": "2/httpapi",
    "gameanalytics": "v2/5c6bcb5402204249437fb5a7a80a4959/events",
    "unity": "api/analytics/collect/v1/projects/p-1/environments/production",
}
# The id of an event, in the vendor's own field.
ID = {"amplitude": "insert_id", "gameanalytics": "event_uuid", "unity": "eventUUID"}
NAME = {"amplitude": "event_type", "gameanalytics": "category", "unity": "eventName"}


def event(vendor: str, name: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return an event of a vendor that happens now: of a boss, unless it has a name."""
    now = int(time.time())
    match vendor:
        case "amplitude":
            found = {"user_id": "p-1", "event_type": "boss", "time": now * 1000, "session_id": now * 1000}
        case "gameanalytics":
            found = {"user_id": "p-1", "category": "design", "event_id": "boss", "client_ts": now, "v": 2}
            found |= {"session_id": str(uuid4()), "session_num": 1, "platform": "ios"}
        case _:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
            found = {"userID": "p-1", "eventName": "boss", "sessionID": str(uuid4()), "eventTimestamp": at}
    named = {NAME[vendor]: name} if name else {}
    return {**found, ID[vendor]: str(uuid4()), **named, **fields}


def bad(vendor: str) -> dict[str, Any]:
    """Return an event without a player."""
    found = event(vendor)
    for name in ("user_id", "userID"):
        found.pop(name, None)
    return found


def body(vendor: str, events: list[Any]) -> bytes:
    match vendor:
        case "amplitude":
            return json.dumps({"api_key": "x", "events": events, "options": {"min_id_length": 1}}).encode()
        case "unity":
            return json.dumps({"eventList": events}).encode()
    return json.dumps(events).encode()


class Stream:
    """Kinesis that keeps what it takes, and refuses records that hold certain bytes."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.refused = b"\0never"

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        answers = [{"ErrorCode": "x"} if self.refused in record["Data"] else {} for record in Records]
        self.records += [record for record, answer in zip(Records, answers, strict=True) if not answer]
        return {"Records": answers}

    def batches(self) -> Iterator[Any]:
        return filter(None, (unpack(record["Data"]) for record in self.records))

    def events(self) -> list[bytes]:
        return [one for batch in self.batches() for one in batch.events]


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    found = Stream()
    monkeypatch.setattr(handler, "publisher", lambda: Publisher(found, "raw"))
    return found


@pytest.fixture
def key(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    rest_api_settings(monkeypatch)
    return games.add_game(boto3.resource("dynamodb").Table("games"), "farm", "Farm")


def ask(vendor: str, path: str, data: bytes, key: str = "farm.x", **headers: str) -> dict[str, Any]:
    """Send what API Gateway hands over once the authorizer found the key's game."""
    game_id, _, secret = key.partition(".")
    return handler.lambda_handler(
        {
            "headers": {"X-Api-Key": key}
            | {name.replace("_", "-"): value for name, value in headers.items()},
            "body": base64.b64encode(data).decode(),
            "isBase64Encoded": True,
            "pathParameters": {"vendor": vendor, "proxy": path},
            "requestContext": {
                "authorizer": {
                    "game_id": game_id,
                    "key_id": "k1" if secret else "",
                    "must_sign": "false" if secret else "true",
                }
            },
        },
        None,
    )


def documented(vendor: str) -> str:
    """Return the OpenAPI document's path for the one that the tests ask for."""
    return f"/v1/compat/{vendor}/{openapi.COMPAT_PATHS[vendor][0]}"


def post(vendor: str, data: bytes, key: str = "farm.x", **headers: str) -> tuple[int, Any, dict[str, str]]:
    """Send a body; every answer must be one that the OpenAPI document has."""
    answer = ask(vendor, PATHS[vendor], data, key, **headers)
    openapi_contract.check(answer, documented(vendor))
    return answer["statusCode"], json.loads(answer["body"] or "null"), answer["headers"]


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_bodies_are_taken_as_they_are_and_answered_as_the_vendor_does(
    stream: Stream, key: str, vendor: str
) -> None:
    events = [event(vendor) for _ in range(3)]
    before = int(time.time() * 1000)
    data = body(vendor, events)
    for form in (data, gzip.compress(data)):
        stream.records.clear()
        status, answer, _ = post(vendor, form, key)
        # The exact bytes travel, in the vendor's envelope.
        assert [json.loads(raw) for raw in stream.events()] == events
        assert all(raw in data for raw in stream.events())
        assert {(batch.envelope, batch.game_id) for batch in stream.batches()} == {(vendor, "farm")}
        taken = {"accepted": 3, "rejected": 0, "results": []}
        match vendor:
            case "gameanalytics":
                # Without a body, its clients send the same events for ever.
                assert (status, answer) == (200, taken)
            case "unity":
                assert (status, answer) == (204, None)
            case "amplitude":
                at = answer.pop("server_upload_time")
                assert before <= at <= time.time() * 1000
                told = {"code": 200, "events_ingested": 3, "payload_size_bytes": len(form)}
                assert (status, answer) == (200, taken | told)


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_a_refused_event_is_kept_and_its_neighbours_are_taken(stream: Stream, key: str, vendor: str) -> None:
    status, answer, _ = post(vendor, body(vendor, [event(vendor), bad(vendor), event(vendor)]), key)
    assert len(stream.events()) == 3
    if vendor == "unity":
        assert status == 204
        return
    # Another status would make its clients send all of them again.
    assert (status, answer["accepted"], answer["rejected"]) == (200, 2, 1)
    (result,) = answer["results"]
    assert (result["index"], result["pointer"], result["reason"]) == (1, "/user_id", "schema_violation")


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_a_body_without_a_good_event_is_refused_for_good(stream: Stream, key: str, vendor: str) -> None:
    status, answer, _ = post(vendor, body(vendor, [bad(vendor), bad(vendor)]), key)
    assert (status, answer["accepted"], answer["rejected"]) == (400, 0, 2)
    if vendor == "amplitude":
        # Its clients drop the events that are listed here, and send the others again.
        assert (answer["code"], answer["events_with_invalid_fields"]) == (400, {"/user_id": [0, 1]})


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_events_that_were_not_stored_are_sent_again(stream: Stream, key: str, vendor: str) -> None:
    player = "userID" if vendor == "unity" else "user_id"
    events = [event(vendor), event(vendor, **{player: "lost"}), bad(vendor)]
    stream.refused = b"lost"
    status, answer, headers = post(vendor, body(vendor, events), key)
    assert (status, headers["retry-after"]) == (503, "2")
    if vendor == "gameanalytics":
        # Its clients keep events only if the answer has no body.
        assert answer is None
    if vendor == "amplitude":
        assert answer["code"] == 503


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_one_unparsable_event_does_not_lose_the_others(stream: Stream, key: str, vendor: str) -> None:
    events = [event(vendor) for _ in range(3)]
    data = body(vendor, events).replace(json.dumps(events[1]).encode(), b'{"x": NaN, "y": "\t"}')
    status, answer, _ = post(vendor, data, key)
    assert status in (200, 204)
    assert {json.dumps(events[n]).encode() for n in (0, 2)} < set(stream.events())
    assert len(stream.events()) == 3
    if answer:
        assert [(each["index"], each["reason"]) for each in answer["results"]] == [(1, "malformed_json")]


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_one_event_alone_is_taken(stream: Stream, key: str, vendor: str) -> None:
    status, *_ = post(vendor, json.dumps(event(vendor)).encode(), key)
    assert status in (200, 204)
    assert len(stream.events()) == 1


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_a_body_that_is_none_is_refused_and_kept(stream: Stream, key: str, vendor: str) -> None:
    for data in (b"", b"[]", b"{", b"5", b"\x1f\x8b\x00", body(vendor, [])):
        stream.records.clear()
        status, answer, _ = post(vendor, data, key)
        assert status == 400
        if vendor == "amplitude":
            # With the name of a field, or with all indexes, its clients give up. They read the code here.
            assert answer["code"] == 400
            assert answer.get("missing_field") == "events" or answer["events_with_invalid_fields"] == {
                "": [0]
            }
        kept = [batch.envelope for batch in stream.batches() if batch.refusal]
        assert set(kept) <= {vendor}
    status, answer, _ = post(vendor, body(vendor, [event(vendor)] * (MAX_EVENTS + 1)), key)
    assert status == 413
    if vendor == "amplitude":
        assert answer["code"] == 413


def test_a_body_of_another_product_is_recognised_on_each_route(stream: Stream, key: str) -> None:
    for vendor in VENDOR_NAMES:
        for other in set(VENDOR_NAMES) - {vendor}:
            status, answer, _ = post(vendor, body(other, [event(other)]), key)
            assert status == 400
            assert f"This looks like a body of {VENDORS[other].title}" in json.dumps(answer)
            many = body(other, [event(other)] * (MAX_EVENTS + 1))
            assert post(vendor, many, key)[0] in (400, 413)


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_a_body_sent_twice_counts_once(stream: Stream, key: str, vendor: str) -> None:
    """A client sends the same events in other requests: their ids are the same, also where it gives none."""
    events = [event(vendor, n=n) for n in range(4)]
    for one in events[2:]:
        del one[ID[vendor]]
    post(vendor, body(vendor, events[:3]), key)
    first = {one["event_id"] for one in read(stream)}
    stream.records.clear()
    post(vendor, body(vendor, events), key)
    again = {one["event_id"] for one in read(stream)}
    assert (len(first), len(again)) == (3, 4)
    assert first < again
    assert {UUID(events[0][ID[vendor]]), UUID(events[1][ID[vendor]])} < {UUID(each) for each in first}


def read(stream: Stream) -> list[dict[str, Any]]:
    """Return the events that the processor accepts."""
    registry = GameRegistry(boto3.resource("dynamodb"), "games")
    data = [record["Data"] for record in stream.records]
    found = [arrival for record in records(*data) for arrival in arrivals(record)]
    triage(found, registry)
    return [arrival.event for arrival in found if arrival.event]  # type: ignore[misc]


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_the_processor_agrees_with_the_rest_api(stream: Stream, key: str, vendor: str) -> None:
    post(vendor, body(vendor, [event(vendor), bad(vendor)]), key)
    (accepted,) = read(stream)
    assert (accepted["event_type"], accepted["game_id"]) == ("design", "farm")
    found = [
        arrival for record in records(*[r["Data"] for r in stream.records]) for arrival in arrivals(record)
    ]
    triage(found, GameRegistry(boto3.resource("dynamodb"), "games"))
    lines = [json.loads(rejected_line(each, "0")) for each in found if each.rejection]
    assert [(line["envelope"], line["reason"], line["game_id"]) for line in lines] == [
        (vendor, "schema_violation", "farm")
    ]


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_a_rejected_event_is_erased_with_its_player(stream: Stream, key: str, vendor: str) -> None:
    player = "userID" if vendor == "unity" else "user_id"
    broken = event(vendor, **{player: "player-77"}) | {NAME[vendor]: 5}
    post(vendor, body(vendor, [broken]), key)
    found = [
        arrival for record in records(*[r["Data"] for r in stream.records]) for arrival in arrivals(record)
    ]
    triage(found, GameRegistry(boto3.resource("dynamodb"), "games"))
    (line,) = [rejected_line(each, "0") for each in found]
    cut = cut_reject(line.strip(), Subject("farm", "player-77"))
    assert cut is not None
    assert len(cut) == 2
    assert cut[1] is None
    assert cut_reject(line.strip(), Subject("farm", "player-78")) is None
    if vendor == "amplitude":
        # A device stands for a player that has no other id.
        device = line.replace(b"user_id", b"device_id").strip()
        owned = cut_reject(device, Subject("farm", "player-77"))
        assert owned is not None
        assert owned[1] is None


def test_a_client_of_gameanalytics_may_begin(stream: Stream, key: str) -> None:
    for path in ("v2/5c6bcb5402204249437fb5a7a80a4959/init", "remote_configs/v1/init"):
        answer = ask("gameanalytics", path, b'{"platform": "ios"}', key)
        openapi_contract.check(answer, f"/v1/compat/gameanalytics/{path.replace(PATHS_KEY, '{game_key}')}")
        told = json.loads(answer["body"])
        assert answer["statusCode"] == 200
        assert told["enabled"] is True
        assert abs(told["server_ts"] - time.time()) < 60
    assert stream.records == []


PATHS_KEY = "5c6bcb5402204249437fb5a7a80a4959"


@pytest.mark.parametrize(
    ("vendor", "path"),
    [
        *[("mixpanel", "track"), ("amplitude", "2/httpapi/x"), ("amplitude", "init"), ("unity", "x")],
        *[("gameanalytics", "v2/a/b/events"), ("native", "x"), ("unity", ""), ("", "2/httpapi")],
    ],
)
def test_other_paths_are_not_found(stream: Stream, key: str, vendor: str, path: str) -> None:
    answer = ask(vendor, path, body("amplitude", [event("amplitude")]), key)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (404, "not_found")
    assert stream.records == []


def test_documented_paths_are_those_of_the_function() -> None:
    document = openapi_contract.DOCUMENT["paths"]
    for path in document:
        if path.startswith("/v1/compat/"):
            vendor, _, rest = path.removeprefix("/v1/compat/").partition("/")
            route = compat.route_of({"pathParameters": {"vendor": vendor, "proxy": rest}})
            assert route is not None
            assert route.is_init == path.endswith("/init")
    for vendor in VENDOR_NAMES:
        for pattern in VENDORS[vendor].paths:
            assert any(compat.re.fullmatch(pattern, rest) for rest in openapi.COMPAT_PATHS[vendor])
    with pytest.raises(RequestError):
        compat.route_of({"pathParameters": {"vendor": "amplitude", "proxy": "3/httpapi"}})


def test_documented_examples_are_taken(stream: Stream, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in VENDOR_NAMES:
        content = openapi_contract.DOCUMENT["paths"][documented(vendor)]["post"]["requestBody"]["content"]
        example = json.dumps(content["application/json"]["example"])
        now = str(int(time.time()))
        example = example.replace("1795168800", now)
        example = example.replace("2026-11-20 10:00:00", time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()))
        assert post(vendor, example.encode(), key)[0] in (200, 204)


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_a_game_that_demands_signatures_demands_them_here(stream: Stream, key: str, vendor: str) -> None:
    table = boto3.resource("dynamodb").Table("games")
    games.demand_signatures(table, "farm", "required", None)
    data = body(vendor, [event(vendor)])
    status, answer, _ = post(vendor, data, "farm")
    assert status == 401
    assert "must sign" in json.dumps(answer)
    assert post(vendor, data, "farm", x_signature=sign(key, data))[0] in (200, 204)
    assert post(vendor, data, "farm", x_signature=sign(key, data + b" "))[0] == 401
    # What GameAnalytics calls a signature opens nothing.
    assert post(vendor, data, "farm", authorization="c2lnbmVk")[0] == 401
    assert ask("gameanalytics", "remote_configs/v1/init", b"{}", "farm")["statusCode"] == 401


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_the_quota_counts_these_events_too(
    stream: Stream, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, vendor: str
) -> None:
    rest_api_settings(monkeypatch, events_a_day=2000, events_a_minute=3)
    key = games.add_game(boto3.resource("dynamodb").Table("games"), "farm", "Farm")
    statuses = []
    for _ in range(40):
        status, answer, headers = post(vendor, body(vendor, [event(vendor) for _ in range(5)]), key)
        statuses.append(status)
        if status == 429:
            assert headers["retry-after"] == "60"
            if vendor == "gameanalytics":
                assert answer is None
            if vendor == "amplitude":
                assert answer["code"] == 429
            break
    assert statuses[-1] == 429


def test_what_only_servers_may_send_is_refused_to_a_client_key(stream: Stream, key: str) -> None:
    """The largest purchase that a client key may send is 1,000 dollars, on every route."""
    paid = event("amplitude", "Shop", revenue=5000, currency="USD")
    status, answer, _ = post("amplitude", body("amplitude", [paid]), key)
    assert (status, answer["results"][0]["reason"]) == (400, "not_allowed")
    registered = event("unity", "newPlayer")
    post("unity", body("unity", [registered]), key)
    assert [one["event_type"] for one in read(stream)] == ["design"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def any_body(draw: st.DrawFn) -> tuple[str, bytes, list[dict[str, Any]]]:
    """Return a vendor, a body with good and other elements among them, and the good events."""
    vendor = draw(st.sampled_from(VENDOR_NAMES))
    good: list[dict[str, Any]] = []
    elements: list[bytes] = []
    for kind in draw(
        st.lists(st.sampled_from(["good", "bad", "changed", "junk", "torn"]), min_size=1, max_size=6)
    ):
        one = event(vendor)
        match kind:
            case "good":
                good.append(one)
            case "bad":
                one = bad(vendor)
            case "changed":
                one |= draw(st.dictionaries(st.sampled_from(sorted(one)), JUNK, max_size=3))
            case "torn":
                elements.append(b'{"cut": tru, "x": [1, {"y": 01}]}')
                continue
            case "junk":
                elements.append(json.dumps({"junk": draw(JUNK)}).encode())
                continue
        elements.append(json.dumps(one).encode())
    joined = b"[" + b",".join(elements) + b"]"
    match vendor:
        case "amplitude":
            return vendor, b'{"api_key":"k","events":' + joined + b',"options":{"min_id_length":1}}', good
        case "unity":
            return vendor, b'{"eventList":' + joined + b"}", good
    return vendor, joined, good


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(found=any_body())
def test_no_body_crashes_loses_neighbours_or_counts_twice(
    stream: Stream, key: str, found: tuple[str, bytes, list[dict[str, Any]]]
) -> None:
    vendor, data, good = found
    stream.records.clear()
    answer = ask(vendor, PATHS[vendor], data, key)
    openapi_contract.check(answer, documented(vendor))
    assert answer["statusCode"] in (200, 204, 400)
    # Every good event is accepted, by its own id, and once.
    wanted = Counter(one[ID[vendor]] for one in good)
    accepted = Counter(one["event_id"] for one in read(stream))
    # Two changed events may have the same id.
    assert {one: accepted[one] for one in wanted} == wanted
    # Sent again, it is the same events.
    stream.records.clear()
    ask(vendor, PATHS[vendor], data, key)
    assert Counter(one["event_id"] for one in read(stream)) == accepted


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(
    vendor=st.sampled_from(VENDOR_NAMES),
    data=st.binary(max_size=60) | JUNK.map(lambda v: json.dumps(v).encode()),
)
def test_any_bytes_are_answered(stream: Stream, key: str, vendor: str, data: bytes) -> None:
    answer = ask(vendor, PATHS[vendor], data, key)
    openapi_contract.check(answer, documented(vendor))
    assert answer["statusCode"] in (200, 204, 400, 413)
