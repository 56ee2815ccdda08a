"""The REST API: a clear answer to every request, and every event's bytes on the stream."""

import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from io import StringIO
from itertools import groupby
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from fake_aws import encode, records
from ingest import handler, intake
from ingest.intake import MAX_KEPT_BYTES
from ingest.publisher import MAX_RECORD_EVENTS, Publisher
from ingest.request import MAX_BODY_BYTES, MAX_EVENTS
from ingest_requests import post, rest_api_settings, sign
from processor.arrival import arrivals
from processor.triage import rejected_line, triage
from telemetry import catalog, delivery
from telemetry.decoding import readable
from telemetry.ingest_batch import Refusal, unpack
from telemetry.pseudonyms import original_of
from telemetry.rejection import Reason
from tools import games

MakeEvent = Callable[..., dict[str, Any]]


class Stream:
    """Kinesis that keeps what it takes and refuses records that hold certain bytes."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.refused = b"\0never"

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        answers = [{"ErrorCode": "x"} if self.refused in record["Data"] else {} for record in Records]
        self.records += [record for record, answer in zip(Records, answers, strict=True) if not answer]
        return {"Records": answers}

    def events(self) -> list[bytes]:
        batches = [unpack(record["Data"]) for record in self.records]
        return [event for batch in batches if batch for event in batch.events]


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    stream = Stream()
    monkeypatch.setattr(handler, "publisher", lambda: Publisher(stream, "raw"))
    return stream


@pytest.fixture
def key(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    rest_api_settings(monkeypatch)
    return games.add_game(boto3.resource("dynamodb").Table("games"), "skyforge", "Skyforge")


CONTEXT = {"requestContext": {"authorizer": {"game_id": "skyforge"}}, "pathParameters": None}


@pytest.mark.parametrize("shape", ["one", "array", "ndjson", "gzip", "text"])
def test_good_events_are_accepted_with_their_bytes(
    stream: Stream, key: str, make_event: MakeEvent, shape: str
) -> None:
    events = [encode(make_event(sequence=n)) for n in range(1 if shape == "one" else 3)]
    lines = b"\n".join(events)
    body = {"array": b"[" + b", ".join(events) + b"]", "gzip": gzip.compress(lines)}.get(shape, lines)
    status, answer, _ = post(body, key, encoded=shape != "text")
    assert (status, answer) == (202, {"accepted": len(events), "rejected": 0, "results": []})
    assert stream.events() == events


def test_the_events_of_a_player_stay_in_order_in_one_record(
    stream: Stream, key: str, make_event: MakeEvent
) -> None:
    events = [make_event(player_id=f"p-{n % 2}", sequence=n) for n in range(10)]
    post(json.dumps(events).encode(), key)
    assert [record["PartitionKey"] for record in stream.records] == ["skyforge/p-0", "skyforge/p-1"]
    assert [json.loads(e)["sequence"] for e in stream.events()] == [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]


def test_each_bad_event_is_named_and_goes_to_the_quarantine_too(
    stream: Stream, key: str, make_event: MakeEvent
) -> None:
    old = make_event(event_time="2020-01-01T00:00:00Z")
    bad = [encode(make_event(game_id="other")), b'{"x": ', encode(make_event(sequence=-1)), encode(old)]
    status, answer, _ = post(b"\n".join([encode(make_event()), *bad]), key)
    assert status == 207
    assert [(r["index"], r["status"], r["reason"], r["pointer"]) for r in answer["results"]] == [
        (1, "rejected", "wrong_game", "/game_id"),
        (2, "rejected", "malformed_json", ""),
        (3, "rejected", "schema_violation", "/sequence"),
        (4, "rejected", "too_old", "/event_time"),
    ]
    assert b'{"x":' in stream.events()
    assert len(stream.events()) == 5
    for result in answer["results"]:
        assert result["errors"] == [{"pointer": result["pointer"], "message": result["message"]}]


def test_all_errors_of_an_event_are_named_at_once(stream: Stream, key: str, make_event: MakeEvent) -> None:
    event = make_event("purchase", sequence=-1, payload={"currency": "USD", "amountMinor": 1})
    event["playerId"] = event.pop("player_id")
    wrong = [
        event,
        make_event() | {"event_type": "score_submited"},
        make_event(game_id="farm", event_time="2020-01-01T00:00:00Z"),
    ]
    status, answer, _ = post(json.dumps(wrong).encode(), key)
    assert (status, answer["rejected"]) == (422, 3)
    first, second, third = answer["results"]
    assert first["reason"] == "schema_violation"
    assert {error["pointer"]: error["message"] for error in first["errors"]} == {
        "/player_id": '"player_id" is missing; did you write it as "playerId"?',
        "/sequence": '"sequence" must be from 0 to 2147483647, not -1',
        "/payload/transaction_id": '"payload.transaction_id" is missing',
        "/payload/amount_minor": '"payload.amount_minor" is missing; did you write it as "amountMinor"?',
        "/payload/quantity": '"payload.quantity" is missing',
        "/payload/store": '"payload.store" is missing',
        "/payload/product_id": '"payload.product_id" is missing',
        "/payload/amountMinor": '"payload" has no field "amountMinor"; did you mean "amount_minor"?',
        "/playerId": 'an event has no field "playerId"; did you mean "player_id"?',
    }
    assert (second["reason"], second["pointer"], second["message"]) == (
        "unknown_schema",
        "/event_type",
        'there is no event type "score_submited"; did you mean "score_submitted"?',
    )
    assert third["reason"] == "wrong_game"
    assert [error["pointer"] for error in third["errors"]] == ["/game_id", "/event_time"]


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [
        ([], None),
        (["https://play.example.com"], "https://play.example.com"),
        (["https://a.example", "https://play.example.com"], "https://play.example.com"),
        (["https://play.example.com:8080", "http://play.example.com", "https://example.com"], None),
        (["*"], "*"),
    ],
)
@pytest.mark.parametrize("is_good", [True, False])
def test_pages_of_the_games_origins_can_read_every_answer(
    stream: Stream,
    key: str,
    dynamodb: Any,
    make_event: MakeEvent,
    origins: list[str],
    allowed: str | None,
    is_good: bool,
) -> None:
    games.allow_origins(dynamodb.Table("games"), "skyforge", origins)
    body = encode(make_event()) if is_good else b"{"
    status, _, headers = post(body, key, Origin="https://play.example.com")
    assert status == (202 if is_good else 400)
    assert headers["vary"] == "origin"
    assert headers.get("access-control-allow-origin") == allowed
    assert headers.get("access-control-expose-headers") == ("date,retry-after" if allowed else None)
    assert not [name for name in post(body, key)[2] if name.startswith("access-control") or name == "vary"]


def test_an_answer_needs_no_setting_where_games_cannot_be_read(
    stream: Stream, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="")

    monkeypatch.setattr(handler, "registry", lambda: type("Broken", (), {"get": broken})())
    status, _, headers = post(b"{}", key, Origin="https://play.example.com")
    assert (status, headers.get("access-control-allow-origin")) == (503, None)


@pytest.mark.parametrize("name", ["\x01", '"', "~", "\U0001f600", "k"])
def test_an_answer_is_bounded_whatever_is_wrong(stream: Stream, key: str, name: str) -> None:
    """Lambda answers 6 MB at most."""
    wrong = {f"{n:02}{name * 60}"[:64]: 1 for n in range(40)}
    event = {"event_type": "purchase", "schema_version": "1-0-0", "payload": wrong}
    room = MAX_BODY_BYTES // (len(encode(event)) + 2)
    _, answer, _ = post(json.dumps([event] * min(room, MAX_EVENTS), ensure_ascii=False).encode(), key)
    assert answer["rejected"] == min(room, MAX_EVENTS)
    assert len(json.dumps(answer).encode()) < 6 * 1024 * 1024


def test_no_good_event_is_422(stream: Stream, key: str) -> None:
    assert post(b'{"a": 1}', key)[0] == 422


def test_what_the_stream_refuses_is_to_be_sent_again(stream: Stream, key: str, make_event: MakeEvent) -> None:
    events = [make_event(player_id=f"p-{n}") for n in range(4)]
    stream.refused = events[2]["event_id"].encode()
    status, answer, _ = post(json.dumps(events).encode(), key)
    assert (status, answer["accepted"], answer["rejected"]) == (207, 3, 0)
    assert [(r["index"], r["event_id"], r["status"]) for r in answer["results"]] == [
        (2, events[2]["event_id"], "retry")
    ]
    stream.refused = b"event_id"
    status, answer, headers = post(json.dumps(events).encode(), key)
    assert (status, answer["accepted"], headers["retry-after"]) == (503, 0, "2")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b'[{"a": NaN}]', 400, "malformed_json"),
        (b"\x1f\x8b", 400, "malformed_json"),
        (b"\x80abc", 400, "malformed_json"),
        (b"[" * 200_000, 400, "malformed_json"),
        (gzip.compress(b"[1]")[:-5], 400, "malformed_json"),
        (b"[]", 400, "no_events"),
        (b"[" + b",".join([b"{}"] * 501) + b"]", 413, "too_many_events"),
        (b" " * 1_000_001, 413, "too_large"),
        (b"{}\n" * 20_000, 413, "too_large"),
        (b'"' + b"x" * 70_000 + b'"', 413, "too_large"),
        (gzip.compress(b" " * 30_000_000), 413, "too_large"),
    ],
    ids=lambda value: "body" if isinstance(value, bytes) else None,
)
def test_a_bad_body_is_refused_whole(stream: Stream, key: str, body: bytes, status: int, code: str) -> None:
    answered, answer, _ = post(body, key)
    assert (answered, answer["error"]["code"]) == (status, code)
    assert stream.events() == ([] if code == "no_events" or not body else [readable(body, MAX_KEPT_BYTES)])
    for record in stream.records:
        refusal = unpack(record["Data"]).refusal
        assert refusal == Refusal(
            code if code in [*Reason] else "too_large", answer["error"]["message"], len(body)
        )
        assert len(record["Data"]) < 300_000


def test_the_quarantine_has_the_bytes_of_a_body_that_is_refused_whole(stream: Stream, key: str) -> None:
    bodies = [b'{"event_id": NaN', b"\xff\xfe{", gzip.compress(b"{}\n" * 501), b"x" * 1_200_000]
    for body in bodies:
        post(body, key)
    sent = records(*(record["Data"] for record in stream.records))
    found = [arrival for record in sent for arrival in arrivals(record)]
    triage(found, handler.registry())
    lines = [json.loads(rejected_line(arrival, "shard")) for arrival in found]
    kept = [original_of(line, lambda game: None) for line in lines]
    assert kept == [*bodies[:2], b"{}\n" * 501, b"x" * MAX_KEPT_BYTES]
    assert [line["reason"] for line in lines] == ["malformed_json"] * 2 + ["too_large"] * 2
    assert [(line["size_bytes"], line["game_id"]) for line in lines] == [(len(b), "skyforge") for b in bodies]
    assert [line["truncated"] for line in lines] == [False, False, False, True]
    assert all(catalog.validator("/common/rejected/1-0-0.json").is_valid(line) for line in lines)


def test_a_body_that_speaks_of_consent_is_not_kept(stream: Stream, key: str) -> None:
    for body in (
        b'{"privacy": {"analytics_storage": "denied"}, "name": "Ada',
        gzip.compress(b'{"privacy": {}}') + b"x",
    ):
        assert post(body, key)[0] == 400
    assert stream.events() == [b"", b""]


def test_a_body_beyond_the_quota_is_not_kept(
    stream: Stream, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest_api_settings(monkeypatch, events_a_minute=2000, events_a_day=2000)
    statuses = [post(b"x" * 1_100_000, key)[0] for _ in range(12)]
    assert statuses == [413] * 12
    assert len(stream.records) == 7  # each counts as 256 events


def test_a_request_without_a_right_signature_is_not_kept(stream: Stream, key: str) -> None:
    assert post(b"{", key, x_signature="wrong")[0] == 401
    assert stream.records == []


@pytest.mark.parametrize("encoded", [True, False])
def test_a_broken_event_of_an_array_is_refused_by_its_index(
    stream: Stream, key: str, make_event: MakeEvent, encoded: bool
) -> None:
    good = [encode(make_event(sequence=n)) for n in range(4)]
    bad = [encode(make_event(sequence=987)).replace(b"987", value) for value in (b"NaN", b"1,5")]
    bad.append(encode(make_event(player_id="p\ud83d")))
    bad.append(encode(make_event(player_id="raw")).replace(b"raw", b"r\taw"))
    sent = [part for pair in zip(good, bad, strict=True) for part in pair]
    status, answer, _ = post(b"[\n" + b",\n".join(sent) + b"\n]\n", key, encoded=encoded)
    assert (status, answer["accepted"], answer["rejected"]) == (207, 4, 4)
    assert [(r["index"], r["reason"]) for r in answer["results"]] == [
        (n, "malformed_json") for n in (1, 3, 5, 7)
    ]
    assert sorted(stream.events()) == sorted(sent)


def test_malformed_json_is_told_where(stream: Stream, key: str) -> None:
    assert "column" in post(b'{"a": tru}', key)[1]["error"]["message"]


def test_a_body_that_is_no_base64_is_refused(stream: Stream, key: str) -> None:
    request = CONTEXT | {"headers": {}, "body": "ä", "isBase64Encoded": True}
    assert handler.lambda_handler(request, None)["statusCode"] == 400


def test_deep_nesting_refuses_one_event_only(stream: Stream, key: str, make_event: MakeEvent) -> None:
    nested = b'{"a":' * 300 + b"1" + b"}" * 300
    deep = encode(make_event(payload={})).replace(b'"payload": {}', b'"payload": ' + nested)
    status, answer, _ = post(deep + b"\n" + encode(make_event()), key)
    assert (status, answer["accepted"]) == (207, 1)
    assert [(r["index"], r["reason"]) for r in answer["results"]] == [(0, "schema_violation")]


def test_the_limits_themselves_are_allowed(stream: Stream, key: str, make_event: MakeEvent) -> None:
    event = encode(make_event())
    assert post(event + b" " * (MAX_BODY_BYTES - len(event)), key)[0] == 202
    many = [encode(make_event(sequence=n)) for n in range(MAX_EVENTS)]
    assert post(gzip.compress(b"\n".join(many)), key)[1]["accepted"] == MAX_EVENTS


def test_a_body_compressed_twice_does_not_pass_the_limit(stream: Stream, key: str) -> None:
    inner = gzip.compress(b"[" + b"{}," * 400_000 + b"{}]")
    assert post(gzip.compress(inner), key)[0] == 400
    assert stream.events() == [inner]


def test_one_event_beyond_its_limit_is_told_and_kept(stream: Stream, key: str, make_event: MakeEvent) -> None:
    huge = encode(make_event() | {"payload": {"extra": "x" * 70_000}})
    status, answer, _ = post(huge + b"\n" + encode(make_event()), key)
    assert (status, answer["accepted"], answer["results"][0]["reason"]) == (207, 1, "too_large")
    assert huge in stream.events()


def test_a_players_events_keep_their_order_over_several_records(
    stream: Stream, key: str, make_event: MakeEvent
) -> None:
    events = [make_event(player_id=f"p-{n % 2}", sequence=n) for n in range(MAX_EVENTS)]
    post(b"\n".join(map(encode, events)), key)
    batches = [(r["PartitionKey"], unpack(r["Data"])) for r in stream.records]
    assert all(batch and len(batch.events) <= MAX_RECORD_EVENTS for _, batch in batches)
    for partition, group in groupby(batches, key=lambda pair: pair[0]):
        found = [json.loads(e)["sequence"] for _, batch in group if batch for e in batch.events]
        assert found == [n for n in range(MAX_EVENTS) if partition == f"skyforge/p-{n % 2}"]


def test_a_bad_event_that_was_not_stored_is_to_be_sent_again_too(
    stream: Stream, key: str, make_event: MakeEvent
) -> None:
    stream.refused = b"telepathy"
    bad = make_event() | {"event_type": "telepathy", "player_id": "other"}
    status, answer, _ = post(json.dumps([make_event(), bad]).encode(), key)
    assert (status, answer["accepted"], answer["rejected"]) == (207, 1, 0)
    assert [(r["index"], r["status"]) for r in answer["results"]] == [(1, "retry")]


@pytest.mark.parametrize(
    ("seen", "country"),
    [("FR", "FR"), ("XX", None), ("T1", None), ("fr", None), ("FR, DE", None), ("", None)],
)
def test_the_batch_on_the_stream_bears_the_keys_game_and_the_edges_country(
    stream: Stream,
    key: str,
    make_event: MakeEvent,
    monkeypatch: pytest.MonkeyPatch,
    seen: str,
    country: str | None,
) -> None:
    assert post(encode(make_event(game_id="other")), key, CloudFront_Viewer_Country="DE")[0] == 422
    monkeypatch.setenv("COUNTRY_HEADER", "CloudFront-Viewer-Country")
    handler.settings.cache_clear()
    post(encode(make_event()), key, CloudFront_Viewer_Country=seen)
    batches = [unpack(record["Data"]) for record in stream.records]
    assert [(b.game_id, b.country) for b in batches if b] == [("skyforge", None), ("skyforge", country)]


def test_a_declared_bot_is_told_to_the_processor(stream: Stream, key: str, make_event: MakeEvent) -> None:
    post(encode(make_event()), key, User_Agent="HeadlessChrome/126")
    post(encode(make_event()), key, User_Agent="UnityPlayer/2022.3")
    assert [batch.bot for r in stream.records if (batch := unpack(r["Data"]))] == [True, False]


def test_a_signature_must_fit_the_body_and_a_live_key(
    stream: Stream, key: str, dynamodb: Any, make_event: MakeEvent
) -> None:
    body = gzip.compress(encode(make_event()))
    assert post(body, key, x_signature=sign(key, body))[0] == 202
    right = sign(key, body)
    only_body = hmac.new(hashlib.sha256(key.partition(".")[2].encode()).hexdigest().encode(), body, "sha256")
    for wrong in (
        *(sign(key, body + b" "), sign("skyforge.guess", body), "sha256=", "x", "\ud800", "t=,sha256="),
        *(f"{right},{right}", right.upper(), right.replace("t=1", "t=2"), right.replace("t=", "t=0")),
        f"sha256={only_body.hexdigest()}",
        f"t={int(time.time())},sha256={only_body.hexdigest()}",
    ):
        status, answer, _ = post(body, key, x_signature=wrong)
        assert (status, answer["error"]["code"]) == (401, "bad_signature")
    newer = games.rotate_key(dynamodb.Table("games"), "skyforge")
    handler.registry.cache_clear()
    assert [post(body, key, x_signature=sign(live, body))[0] for live in (key, newer)] == [202, 202]


def test_a_signature_by_a_server_key_makes_a_request_a_servers(
    stream: Stream, key: str, dynamodb: Any, make_event: MakeEvent
) -> None:
    server = games.rotate_key(dynamodb.Table("games"), "skyforge", "server")
    body = encode(make_event(event_type="player_registered", payload={"method": "guest"}))
    assert [post(body, key, x_signature=sign(each, body))[0] for each in (key, server)] == [422, 202]
    assert [unpack(record["Data"]).key_class for record in stream.records] == [
        "client",
        "server",
    ]


@pytest.mark.parametrize(("ago", "status"), [(0, 202), (290, 202), (-290, 202), (310, 401), (-310, 401)])
def test_a_captured_request_is_good_for_five_minutes(
    stream: Stream, key: str, make_event: MakeEvent, ago: float, status: int
) -> None:
    body = encode(make_event())
    got, answer, _ = post(body, key, x_signature=sign(key, body, ago))
    assert got == status
    assert status == 202 or answer["error"]["code"] == "stale_signature"
    assert len(stream.events()) == (status == 202)


def test_a_refused_request_is_logged_with_its_game_and_key(
    stream: Stream, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = StringIO()
    monkeypatch.setattr(intake.logger.registered_handler, "stream", written)
    assert post(b"{", key)[0] == 400
    _, told, metric = map(json.loads, written.getvalue().splitlines())
    fields = ("message", "game_id", "key_id", "code")
    assert [told[name] for name in fields] == ["Request refused", "skyforge", "k1", "malformed_json"]
    assert metric["RequestsRefused"] == [1]


def test_a_log_level_above_info_leaves_the_metric(
    stream: Stream, key: str, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = StringIO()
    monkeypatch.setattr(intake.logger.registered_handler, "stream", written)
    intake.logger.setLevel("WARNING")
    try:
        assert post(encode(make_event()), key)[0] == 202
    finally:
        intake.logger.setLevel("INFO")
    quota, events = map(json.loads, written.getvalue().splitlines())
    assert (quota["QuotaUsed"], events["RequestEvents"]) == ([0], [1])


def test_a_game_may_demand_signatures(stream: Stream, key: str, dynamodb: Any, make_event: MakeEvent) -> None:
    games.demand_signatures(dynamodb.Table("games"), "skyforge", "required")
    body = encode(make_event())
    status, answer, _ = post(body, key)
    assert (status, answer["error"]["code"]) == (401, "missing_signature")
    assert post(body, "skyforge", x_signature=sign(key, body))[0] == 202


def test_who_has_shown_no_secret_signs_though_the_function_remembers_a_game_that_need_not(
    stream: Stream, key: str, dynamodb: Any, make_event: MakeEvent
) -> None:
    body = encode(make_event())
    assert post(body, key)[0] == 202
    games.demand_signatures(dynamodb.Table("games"), "skyforge", "required")
    status, answer, _ = post(body, "skyforge")
    assert (status, answer["error"]["code"]) == (401, "missing_signature")
    assert len(stream.events()) == 1


def test_a_server_key_that_is_only_named_gives_a_clients_signature_no_rights(
    stream: Stream, key: str, make_event: MakeEvent
) -> None:
    body = encode(make_event(event_type="player_registered", payload={"method": "guest"}))
    request = {
        "headers": {"x-signature": sign(key, body)},
        "body": body.decode(),
        "requestContext": {
            "authorizer": {
                "game_id": "skyforge",
                "key_id": "k2",
                "key_class": "server",
                "must_sign": "true",
            }
        },
    }
    assert handler.lambda_handler(request, None)["statusCode"] == 422
    assert [unpack(record["Data"]).key_class for record in stream.records] == ["client"]


def guidance(**fields: Any) -> dict[str, Any]:
    """Return an event as clients of the AWS guidance send it."""
    return {
        "event_id": str(uuid4()),
        "event_type": "login",
        "event_timestamp": time.time(),
        "event_data": {"user_id": "p-1"},
    } | fields


@pytest.mark.parametrize("shape", ["events", "wrapped", "one", "ndjson"])
def test_the_guidances_clients_are_understood(stream: Stream, key: str, shape: str) -> None:
    inner = guidance()
    wrapped = {"event": inner, "application_id": "skyforge"}
    body = {
        "events": encode({"events": [inner, wrapped]}),
        "wrapped": encode(wrapped),
        "one": encode(inner),
        "ndjson": encode(inner) + b"\n" + encode(wrapped),
    }[shape]
    status, answer, _ = post(body, key, path="skyforge")
    # Its clients take any other status for a failure.
    assert (status, answer["results"]) == (200, [])
    batches = [batch for record in stream.records if (batch := unpack(record["Data"]))]
    assert {batch.envelope for batch in batches} == {"guidance"}
    assert all(event in body for batch in batches for event in batch.events)


def test_a_bad_event_of_the_guidance_is_named_and_kept(stream: Stream, key: str) -> None:
    body = encode({"events": [guidance(), guidance(event_id=7)]})
    status, answer, _ = post(body, key, path="skyforge")
    assert (status, answer["results"][0]["pointer"]) == (207, "/event_id")
    assert len(stream.events()) == 2


@pytest.mark.parametrize("body", [b'{"events": []}', b'{"events": 5}', b'{"events": [', b""])
def test_a_body_without_events_of_the_guidance_is_refused(stream: Stream, key: str, body: bytes) -> None:
    assert post(body, key, path="skyforge")[0] == 400


def test_the_path_of_another_game_is_refused(stream: Stream, key: str) -> None:
    status, answer, _ = post(encode(guidance()), key, path="farm")
    assert (status, answer["error"]["code"]) == (403, "wrong_game")


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "BatchGetItem"),
        ConnectTimeoutError(endpoint_url="x"),
    ],
)
def test_keys_that_cannot_be_checked_are_no_bad_keys(
    stream: Stream, key: str, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(handler, "registry", lambda: type("Registry", (), {"get": fail})())
    status, answer, headers = post(encode(make_event()), key)
    assert (status, answer["error"]["code"], headers["retry-after"]) == (503, "unavailable", "2")
    assert stream.records == []


def test_a_request_without_headers_or_body_is_answered(stream: Stream, key: str) -> None:
    assert handler.lambda_handler(CONTEXT | {"headers": None, "body": None}, None)["statusCode"] == 400


def test_the_key_is_neither_answered_nor_logged(
    stream: Stream,
    key: str,
    make_event: MakeEvent,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = key.partition(".")[2]
    caplog.set_level("DEBUG", logger="tests")
    event = encode(make_event())
    lost = make_event(player_id="lost")
    stream.refused = lost["event_id"].encode()
    bodies = (event, b"{", b"{}", b" " * 1_000_001, encode(lost), gzip.compress(event)[:-3])
    answers = [post(body, key) for body in bodies]
    answers.append(post(event, key, x_signature="sha256=00"))
    assert {status for status, _, _ in answers} == {202, 400, 401, 413, 422, 503}
    printed = capsys.readouterr()
    assert secret not in f"{answers} {printed.out} {printed.err} {caplog.text}"
    assert b"x-api-key" not in b"".join(record["Data"] for record in stream.records)
