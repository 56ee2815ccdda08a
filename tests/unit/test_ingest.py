"""The REST door: a clear answer to every request, and every event's bytes on the stream."""

import base64
import gzip
import json
from collections.abc import Callable
from itertools import groupby
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from ingest import handler
from ingest.acceptance import MAX_RECORD_EVENTS, Door
from ingest.request import MAX_BODY_BYTES, MAX_EVENTS
from telemetry import delivery
from telemetry.ingest_batch import unpack
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
    monkeypatch.setattr(handler, "door", lambda: Door(stream, "raw"))
    return stream


@pytest.fixture
def key(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GAMES_TABLE", "games")
    monkeypatch.setenv("RAW_STREAM", "raw")
    handler.settings.cache_clear()
    handler.registry.cache_clear()
    return games.add_game(boto3.resource("dynamodb").Table("games"), "skyforge", "Skyforge")


def post(body: bytes, key: str, encoded: bool = True) -> tuple[int, dict[str, Any], dict[str, str]]:
    text = base64.b64encode(body).decode() if encoded else body.decode()
    request = {"headers": {"X-Api-Key": key}, "body": text, "isBase64Encoded": encoded}
    answer = handler.lambda_handler(request, None)
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def encode(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


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
        (b'[{"a": 1},]', 400, "malformed_json"),
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
    assert stream.records == []


def test_malformed_json_is_told_where(stream: Stream, key: str) -> None:
    assert "column" in post(b'{"a": tru}', key)[1]["error"]["message"]


def test_a_body_that_is_no_base64_is_refused(stream: Stream, key: str) -> None:
    request = {"headers": {"x-api-key": key}, "body": "ä", "isBase64Encoded": True}
    assert handler.lambda_handler(request, None)["statusCode"] == 400


def test_only_a_live_key_opens(
    stream: Stream, key: str, dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = key.partition(".")[2]
    wrong = ["", "skyforge", "skyforge.", ".x", "skyforge.guess", f"other.{secret}", "x" * 100 + ".y"]
    assert [post(b"{}", given)[0] for given in wrong] == [401] * len(wrong)
    table = dynamodb.Table("games")
    second = games.rotate_key(table, "skyforge")
    handler.registry.cache_clear()
    assert [post(b"{}", live)[0] for live in (key, second)] == [422, 422]
    third = games.rotate_key(table, "skyforge")
    handler.registry.cache_clear()
    assert [post(b"{}", live)[0] for live in (key, second, third)] == [401, 422, 422]
    games.set_status(table, "skyforge", "disabled")
    handler.registry.cache_clear()
    assert post(b"{}", third)[0] == 403
    assert secret not in capsys.readouterr().out


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
    assert stream.records == []


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


def test_the_batch_on_the_stream_bears_the_keys_game(
    stream: Stream, key: str, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = {
        "headers": {"x-api-key": key, "cloudfront-viewer-country": "FR"},
        "body": encode(make_event(game_id="other")).decode(),
    }
    assert handler.lambda_handler(request, None)["statusCode"] == 422
    monkeypatch.setenv("COUNTRY_HEADER", "CloudFront-Viewer-Country")
    handler.settings.cache_clear()
    handler.lambda_handler(request, None)
    batches = [unpack(record["Data"]) for record in stream.records]
    assert [(b.game_id, b.country) for b in batches if b] == [("skyforge", None), ("skyforge", "FR")]


def test_a_key_opens_its_own_game_only(
    stream: Stream, key: str, dynamodb: Any, make_event: MakeEvent
) -> None:
    games.add_game(dynamodb.Table("games"), "farm", "Farm")
    secret = key.partition(".")[2]
    assert post(encode(make_event(game_id="farm")), f"farm.{secret}")[0] == 401
    status, answer, _ = post(encode(make_event(game_id="farm")), key)
    assert (status, answer["results"][0]["reason"]) == (422, "wrong_game")


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
    assert handler.lambda_handler({"headers": None, "body": None}, None)["statusCode"] == 401
    request = {"headers": {"x-api-key": key}, "body": None, "isBase64Encoded": False}
    assert handler.lambda_handler(request, None)["statusCode"] == 400


def test_the_key_is_neither_answered_nor_logged(
    stream: Stream,
    key: str,
    dynamodb: Any,
    make_event: MakeEvent,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = key.partition(".")[2]
    caplog.set_level("DEBUG", logger="tests")
    event = encode(make_event())
    lost = make_event(player_id="lost")
    stream.refused = lost["event_id"].encode()
    answers = [
        post(body, sent)
        for body in (event, b"{", b"{}", b" " * 1_000_001, encode(lost), gzip.compress(event)[:-3])
        for sent in (key, f"farm.{secret}", f"skyforge.{secret}x")
    ]
    games.set_status(dynamodb.Table("games"), "skyforge", "disabled")
    handler.registry.cache_clear()
    answers.append(post(event, key))
    assert {status for status, _, _ in answers} == {202, 400, 401, 403, 413, 422, 503}
    printed = capsys.readouterr()
    assert secret not in f"{answers} {printed.out} {printed.err} {caplog.text}"
    assert b"x-api-key" not in b"".join(record["Data"] for record in stream.records)
