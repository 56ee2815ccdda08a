"""The processor: arrivals end in one place, duplicates are found, what was not written is handed back."""

import base64
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import msgspec
import pytest
from fake_aws import SHARD, Streams, encode, outcomes, processor, records, refusal
from processor import handler, triage
from processor.pipeline import Pipeline
from processor.stats import IngestStats
from processor.triage import MAX_ORIGINAL_BYTES
from telemetry import delivery
from telemetry.ingest_batch import MAGIC, IngestBatch, pack

MakeEvent = Callable[..., dict[str, Any]]


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Streams:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    return Streams()


@pytest.fixture
def pipeline(dynamodb: Any, streams: Streams) -> Pipeline:
    for game, status in {"skyforge": "active", "farm": "active", "closed": "disabled"}.items():
        dynamodb.Table("games").put_item(Item={"game_id": game, "status": status, "key_hashes": []})
    return processor(dynamodb, boto3.client("dynamodb"), streams)


def rest(*raw: bytes, **fields: Any) -> bytes:
    """Return a record of the REST API, whose key belongs to skyforge."""
    known = {"game_id": "skyforge", "received_at": datetime.now(UTC).isoformat(), "country": None}
    return pack(IngestBatch(**known | fields, events=list(raw)))


def counted(dynamodb: Any) -> Counter[str]:
    return outcomes(dynamodb.Table("ingest_stats").scan()["Items"])


class Failing:
    """A DynamoDB client whose update_item fails as told."""

    def __init__(self, client: Any, code: str) -> None:
        self._client, self._error = client, refusal(code)

    def update_item(self, **_: Any) -> None:
        raise self._error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_each_arrival_ends_in_one_place(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    good = [make_event(player_id="p-1", sequence=n) for n in range(3)]
    foreign = make_event()
    batch = records(
        encode(good[0]),
        gzip.compress(encode(good[1]) + b"\n{broken\n" + encode(good[2])),
        encode(make_event("purchase", payload={})),
        encode(make_event() | {"event_type": "telepathy"}),
        encode(make_event(game_id="nobodys")),
        encode(make_event(game_id="closed")),
        b"\xff\xfe",
        pack(
            IngestBatch(
                "skyforge", "2026-11-23T12:00:00.000Z", "FR", [encode(foreign | {"game_id": "other"})]
            )
        ),
        encode(good[0]),
    )
    done, retry_from = pipeline.process(batch)
    assert retry_from is None
    assert len(done) == 11
    assert [line["event_id"] for line in streams.lines("bronze")] == [event["event_id"] for event in good]
    assert streams.lines("enriched") == streams.lines("bronze")
    assert len({key for key, _ in streams.taken["enriched"]}) == 1
    rejected = [(line["position"], line["reason"], line["game_id"]) for line in streams.lines("rejected")]
    assert rejected == [
        ("2/1", "malformed_json", "unknown"),
        ("3/0", "schema_violation", "skyforge"),
        ("4/0", "unknown_schema", "skyforge"),
        ("5/0", "unknown_game", "unknown"),
        ("6/0", "unknown_game", "unknown"),
        ("7/0", "malformed_json", "unknown"),
        ("8/0", "wrong_game", "skyforge"),
        ("9/0", "duplicate", "skyforge"),
    ]
    assert streams.lines("rejected")[0]["original"] == "{broken"
    assert base64.b64decode(streams.lines("rejected")[5]["original_base64"]) == b"\xff\xfe"
    assert json.loads(streams.lines("rejected")[7]["original"]) == good[0]
    assert counted(dynamodb) == {
        "skyforge/accepted": 3,
        "skyforge/rejected_schema_violation": 1,
        "skyforge/rejected_unknown_schema": 1,
        "skyforge/rejected_wrong_game": 1,
        "skyforge/rejected_duplicate": 1,
        "unknown/rejected_malformed_json": 2,
        "unknown/rejected_unknown_game": 2,
    }


def test_the_order_of_a_player_is_kept_under_a_key_that_no_client_can_compute(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    table, keys = dynamodb.Table("games"), []
    for secret in (b"a" * 32, b"b" * 32):
        for game in ("skyforge", "farm"):
            table.update_item(
                Key={"game_id": game},
                UpdateExpression="SET privacy_key = :key",
                ExpressionAttributeValues={":key": secret},
            )
        pipeline.registry._known.clear()
        sent = [(game, player) for game in ("skyforge", "farm") for player in ("p-1", "p-2", "p-1")]
        streams.taken.clear()
        pipeline.process(records(*(encode(make_event(game_id=g, player_id=p)) for g, p in sent)))
        assert len(streams.taken["enriched"]) == len(sent)
        keys.append(dict(zip(sent, (key for key, _ in streams.taken["enriched"]), strict=True)))
        assert [key for key, _ in streams.taken["enriched"]] == [keys[-1][one] for one in sent]
    told = [key for found in keys for key in found.values()]
    assert len(set(told)) == len(told) == 8, "each player and each key has its own"
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in told)


def test_rest_events_bear_what_the_api_knew(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    event = make_event()
    pipeline.process(records(pack(IngestBatch("skyforge", event["sent_at"], "FR", [encode(event)]))))
    (line,) = streams.lines("bronze")
    assert (line["ingest_source"], line["country"], line["received_at"]) == ("rest", "FR", event["sent_at"])


def test_enriched_events_bear_the_pipelines_fields(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    event = make_event("purchase", player_id="p-9")
    pipeline.process(records(encode(event)))
    (enriched,) = streams.lines("enriched")
    assert event.items() <= enriched.items()
    assert (enriched["ingest_source"], enriched["schema_id"]) == ("stream", "purchase/1-0-0")
    assert (enriched["late"], enriched["skewed"], enriched["country"]) == (False, False, "DE")
    assert (enriched["corrected_time"], enriched["event_date"]) == (
        event["event_time"],
        event["event_time"][:10],
    )


@pytest.mark.parametrize("shard", [SHARD, "shardId-000000000001"])
def test_an_event_sent_again_is_a_duplicate(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent, shard: str
) -> None:
    event = make_event()
    pipeline.process(records(encode(event)))
    pipeline.process(records(encode(event | {"event_id": event["event_id"].upper()}), first=50, shard=shard))
    assert len(streams.lines("bronze")) == 1
    assert [line["reason"] for line in streams.lines("rejected")] == ["duplicate"]


def test_many_events_of_many_sessions_are_claimed(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    events = [make_event(sequence=n) for n in range(300)]
    pipeline.process(records(*[encode(event) for event in [*events, *events]]))
    assert len(streams.lines("bronze")) == 300
    assert len(streams.lines("rejected")) == 300


def test_a_full_item_of_claims_does_not_block_the_shard(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    full = replace(pipeline.claims, dynamodb=Failing(pipeline.claims.dynamodb, "ValidationException"))
    assert replace(pipeline, claims=full).process(records(encode(make_event())))[1] is None
    assert len(streams.lines("bronze")) == 1


def test_a_rejected_line_tells_what_why_and_where(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    bad = json.dumps(make_event("purchase", payload={"amount_minor": 0}), indent=1).encode()
    pipeline.process(records(rest(encode(make_event()), bad)))
    (line,) = streams.lines("rejected")
    assert (line["reject_id"], line["position"]) == (f"{SHARD}:1/1", "1/1")
    assert (line["reason"], line["schema_id"], line["ingest_source"]) == (
        "schema_violation",
        "purchase/1-0-0",
        "rest",
    )
    assert line["pointer"].startswith("/payload")
    assert line["message"].startswith('"payload.')
    assert (line["event_id"], line["game_id"]) == (json.loads(bad)["event_id"], "skyforge")
    assert (line["original"].encode(), line["size_bytes"], line["truncated"]) == (bad, len(bad), False)
    assert "original_base64" not in line


def test_what_is_too_large_to_keep_is_cut(pipeline: Pipeline, streams: Streams) -> None:
    data = b"\xe4" * (MAX_ORIGINAL_BYTES + 5)
    pipeline.process(records(data))
    (line,) = streams.lines("rejected")
    assert (line["reason"], line["size_bytes"], line["truncated"]) == ("too_large", len(data), True)
    assert base64.b64decode(line["original_base64"]) == data[:MAX_ORIGINAL_BYTES]


@pytest.mark.parametrize(
    "fields",
    [
        {"received_at": "yesterday"},
        {"received_at": "2026-01-01T00:00:00"},
        {"received_at": "0001-01-01T00:00:00+23:59"},
        {"received_at": "9999-12-31T23:59:59-23:59"},
        {"game_id": ""},
        {"game_id": "x" * 3000},
        {"events": [b""] * 20_000},
    ],
    ids=["no time", "no zone", "before all time", "after all time", "no game", "long game", "many events"],
)
def test_an_imitated_batch_of_the_rest_api_does_not_block_the_shard(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent, fields: dict[str, Any]
) -> None:
    def forge(**known: Any) -> bytes:
        batch = {"game_id": "skyforge", "received_at": "2026-01-01T00:00:00Z", "country": None, "events": []}
        return MAGIC + msgspec.msgpack.encode(batch | known)

    assert pipeline.process(records(forge(**fields), encode(make_event())))[1] is None
    assert [line["reason"] for line in streams.lines("rejected")] == ["malformed_json"]
    assert len(streams.lines("bronze")) == 1


def test_a_country_that_is_none_is_not_kept(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    pipeline.process(records(rest(encode(make_event()), b"\xff" * 400_000, country="x" * 500_000)))
    assert [line["country"] for line in streams.lines("bronze")] == ["DE"]
    assert [line["country"] for line in streams.lines("rejected")] == [None]


@pytest.mark.parametrize("deep", [b'{"a":' * 300 + b"1" + b"}" * 300, b"[" * 1000 + b"]" * 1000])
def test_deep_nesting_is_no_error_of_ours(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent, deep: bytes
) -> None:
    native = encode(make_event(payload={})).replace(b'"payload": {}', b'"payload": ' + deep)
    inner = b'{"event_id":"1","event_type":"boss","event_timestamp":1,"event_data":{"platform":%s}}' % deep
    pipeline.process(records(native, rest(inner, envelope="guidance")))
    assert [line["reason"] for line in streams.lines("rejected")] == ["schema_violation"] * 2


def test_more_games_than_are_remembered_may_be_named_at_once(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.games.MAX_REMEMBERED", 150)
    pipeline.process(records(encode(make_event())))
    lines = [encode({"game_id": f"game-{n}"}) for n in range(400)]
    batch = records(gzip.compress(b"\n".join([*lines, encode(make_event())])))
    for _ in range(3):
        assert pipeline.process(batch)[1] is None
    assert len(streams.lines("rejected")) == 1200
    assert len(streams.lines("bronze")) == 4


def test_an_unforeseen_error_rejects_one_event_only(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, neighbour = make_event(), make_event()
    encoded = triage.encode

    def trip(event: dict[str, Any], *rest: Any) -> Any:
        if event["event_id"] == poison["event_id"]:
            raise RuntimeError("unforeseen")
        return encoded(event, *rest)

    monkeypatch.setattr(triage, "encode", trip)
    pipeline.process(records(encode(poison), encode(neighbour)))
    assert [line["event_id"] for line in streams.lines("bronze")] == [neighbour["event_id"]]
    assert [line["reason"] for line in streams.lines("rejected")] == ["internal_error"]


def test_a_batch_handed_in_again_loses_and_counts_nothing(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    batch = records(*[encode(make_event(sequence=n)) for n in range(20)], b"{")
    pipeline.process(batch)
    before = counted(dynamodb)
    pipeline.process(batch)
    assert counted(dynamodb) == before
    assert before["skyforge/accepted"] == 20
    assert set(Counter(line["event_id"] for line in streams.lines("bronze")).values()) == {2}
    assert {line["reason"] for line in streams.lines("rejected")} == {"malformed_json"}
    assert len({line["reject_id"] for line in streams.lines("rejected")}) == 1


def test_a_batch_that_grew_after_its_first_try_counts_the_rest(
    pipeline: Pipeline, dynamodb: Any, make_event: MakeEvent
) -> None:
    batch = records(*[encode(make_event(sequence=n)) for n in range(9)])
    pipeline.process(batch[:5])
    pipeline.process(batch)
    assert counted(dynamodb) == {"skyforge/accepted": 9}


def test_what_a_stream_refuses_is_handed_back_and_counted_once(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    events = [make_event(sequence=n) for n in range(6)]
    lost = events[3]["event_id"].encode()
    batch = records(*map(encode, events))
    streams.refuses = lambda stream, data: stream == "enriched" and lost in data
    done, retry_from = pipeline.process(batch)
    assert (len(done), retry_from) == (3, "4")
    assert counted(dynamodb)["skyforge/accepted"] == 3
    streams.refuses = lambda stream, data: False
    done, retry_from = pipeline.process(batch[3:])
    assert (len(done), retry_from) == (3, None)
    assert counted(dynamodb)["skyforge/accepted"] == 6
    assert {event["event_id"] for event in streams.lines("enriched")} == {
        event["event_id"] for event in events
    }
    assert streams.lines("rejected") == []


def test_a_record_is_handed_back_by_the_number_it_came_with(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    batch = records(*[encode(make_event(sequence=n)) for n in range(3)], first=9)
    for record in batch:
        record["kinesis"]["sequenceNumber"] = record["kinesis"]["sequenceNumber"].zfill(20)
    streams.refuses = lambda stream, data: stream == "bronze"
    assert pipeline.process(batch)[1] == "9".zfill(20)


@pytest.mark.parametrize("stream", ["bronze", "rejected"])
def test_what_firehose_refuses_is_handed_back(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent, stream: str
) -> None:
    batch = records(encode(make_event()), b"{")
    streams.refuses = lambda name, data: name == stream
    _, retry_from = pipeline.process(batch)
    assert retry_from == {"bronze": "1", "rejected": "2"}[stream]
    streams.refuses = lambda name, data: False
    assert pipeline.process(batch)[1] is None
    assert streams.lines(stream)


def test_events_that_cannot_be_claimed_are_handed_back(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    broken = replace(pipeline.claims, dynamodb=Failing(pipeline.claims.dynamodb, "InternalServerError"))
    batch = records(b"{", encode(make_event()))
    done, retry_from = replace(pipeline, claims=broken).process(batch)
    assert (len(done), retry_from) == (1, "2")
    assert streams.lines("bronze") == []
    assert pipeline.process(batch[1:])[1] is None
    assert counted(dynamodb) == {"skyforge/accepted": 1, "unknown/rejected_malformed_json": 1}


def test_arrivals_that_cannot_be_counted_are_handed_back(
    pipeline: Pipeline, dynamodb: Any, make_event: MakeEvent
) -> None:
    broken = IngestStats(Failing(pipeline.stats.dynamodb, "InternalServerError"), "ingest_stats")
    batch = records(*[encode(make_event(sequence=n)) for n in range(3)])
    assert replace(pipeline, stats=broken).process(batch)[1] == "1"
    assert pipeline.process(batch)[1] is None
    assert counted(dynamodb) == {"skyforge/accepted": 3}


def test_the_handler_returns_where_lambda_goes_on(
    pipeline: Pipeline,
    streams: Streams,
    make_event: MakeEvent,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(handler, "pipeline", lambda: pipeline)
    event = {"Records": records(encode(make_event()), b"{", encode(make_event(game_id="nobodys")))}
    assert handler.lambda_handler(event, None) == {"batchItemFailures": []}
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    metrics = {name: value for line in logged for name, value in line.items() if name.startswith("Events")}
    assert (metrics["EventsAccepted"], metrics["EventsRejected"]) == ([1.0], [2.0])
    assert {line["reason"] for line in logged if "reason" in line} == {"malformed_json", "unknown_game"}
    streams.refuses = lambda stream, data: True
    assert handler.lambda_handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_the_handler_builds_its_pipeline_from_the_environment(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "GAMES_TABLE": "games",
        "DEDUPE_TABLE": "dedupe",
        "INGEST_STATS_TABLE": "ingest_stats",
        "RECENT_EVENTS_TABLE": "recent_events",
        "ENRICHED_STREAM": "enriched",
        "BRONZE_DELIVERY_STREAM": "bronze",
        "REJECTED_DELIVERY_STREAM": "rejected",
        "DEDUPE_WINDOW_HOURS": "48",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    handler.pipeline.cache_clear()
    built = handler.pipeline()
    handler.pipeline.cache_clear()
    assert (built.claims.window_hours, built.enriched_stream) == (48, "enriched")


@pytest.mark.parametrize(("key_class", "verified"), [("client", False), ("server", True)])
def test_what_a_client_key_may_not_send_is_quarantined_with_its_class(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent, key_class: str, verified: bool
) -> None:
    registered = make_event(event_type="player_registered", payload={"method": "guest"})
    pipeline.process(records(rest(encode(make_event()), encode(registered), key_class=key_class)))
    assert {event["verified"] for event in streams.lines("bronze")} == {verified}
    rejects = [(line["reason"], line["pointer"], line["key_class"]) for line in streams.lines("rejected")]
    assert rejects == ([] if verified else [("not_allowed", "/event_type", "client")])


def test_what_comes_by_the_stream_is_verified(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    registered = make_event(event_type="player_registered", payload={"method": "guest"})
    pipeline.process(records(encode(registered)))
    assert [event["verified"] for event in streams.lines("bronze")] == [True]
