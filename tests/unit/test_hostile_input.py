"""Whatever bytes come, by whichever door: a handler answers, and no neighbour is lost."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest import handler
from ingest.acceptance import Door
from processor.arrival import Arrival, arrivals
from processor.judgement import judge, rejected_line
from telemetry import catalog
from telemetry.ingest_batch import MAGIC, IngestBatch, pack, unpack

MakeEvent = Callable[..., dict[str, Any]]

NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False), st.sampled_from([10**400, -0.0, 2**63, 1e308]))
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.text(), st.sampled_from(["\0", "\ud800", "x" * 70_000])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
FIELDS = st.sampled_from([*catalog.documents()["/envelope/1-0-0.json"]["properties"], "unknown"])
NEAR_EVENTS = st.dictionaries(FIELDS, JSON, max_size=4)


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


RAW = st.one_of(
    st.binary(max_size=400),
    JSON.map(dump),
    st.lists(JSON.map(dump), max_size=4).map(b"\n".join),
    st.integers(1, 3000).map(lambda depth: b"[" * depth + b"]" * depth),
    st.integers(1, 3000).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth),
    st.binary(max_size=200).map(gzip.compress),
    st.binary(max_size=200).map(lambda data: b"\x1f\x8b" + data),
    st.binary(max_size=200).map(lambda data: MAGIC + data),
    st.just(b'{"event_id": "a", "event_id": "b"}'),
)
many = settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Registry:
    """All games named are registered."""

    def active(self, game_ids: Any) -> set[str]:
        return set(game_ids)


def judged(*data: bytes) -> list[Arrival]:
    """Take records through the processor up to the point of writing."""
    kinesis = {"sequenceNumber": "1", "approximateArrivalTimestamp": datetime.now(UTC).timestamp()}
    batch = [a for item in data for a in arrivals({"kinesis": kinesis | {"data": base64.b64encode(item)}})]
    judge(batch, Registry())  # type: ignore[arg-type]
    return batch


@many
@given(RAW)
def test_the_stream_takes_any_bytes(data: bytes) -> None:
    for arrival in judged(data):
        assert (arrival.event is None) is (arrival.rejection is not None)
        line = orjson.loads(rejected_line(arrival, "shard"))
        assert line["reason"] != "internal_error" or arrival.event
        if "original" in line:
            assert line["original"].encode() == arrival.raw[: 512 * 1024]


@many
@given(NEAR_EVENTS)
def test_a_nearly_right_event_leaves_its_neighbour_alone(
    make_event: MakeEvent, change: dict[str, Any]
) -> None:
    good = make_event()
    *_, last = judged(dump(make_event() | change) + b"\n" + dump(good))
    assert last.event
    assert last.event["event_id"] == good["event_id"]
    assert all(
        a.rejection is None or a.rejection.reason != "internal_error" for a in judged(dump(good | change))
    )


@many
@given(st.lists(RAW, max_size=5))
def test_bytes_travel_unchanged_between_the_door_and_the_processor(events: list[bytes]) -> None:
    batch = IngestBatch("game", "2026-01-01T00:00:00Z", None, events)
    assert unpack(pack(batch)) == batch


class Stream:
    """Kinesis that takes everything."""

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert all(0 < len(record["Data"]) <= 1024 * 1024 for record in Records)
        assert all(1 <= len(record["PartitionKey"]) <= 256 for record in Records)
        return {"Records": [{} for _ in Records]}


@many
@given(RAW, st.booleans())
def test_the_rest_door_answers_any_body(monkeypatch: Any, data: bytes, encoded: bool) -> None:
    monkeypatch.setattr(handler, "door", lambda: Door(Stream(), "raw"))
    monkeypatch.setattr(handler, "settings", lambda: handler.Settings(games_table="g", raw_stream="r"))
    monkeypatch.setattr(handler, "registry", lambda: None)
    monkeypatch.setattr(handler, "authenticate", lambda headers, registry: "skyforge")
    body = base64.b64encode(data).decode() if encoded else data.decode(errors="replace")
    answer = handler.lambda_handler({"headers": None, "body": body, "isBase64Encoded": encoded}, None)
    assert answer["statusCode"] in (202, 207, 400, 413, 422)
    assert json.loads(answer["body"])
