"""The processor: every arrival ends in one place, duplicates once, and a retried batch changes nothing."""

import base64
import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from processor import judgement
from processor.dedupe import Claims
from processor.pipeline import Pipeline
from processor.stats import IngestStats
from telemetry import delivery
from telemetry.decoding import decompress
from telemetry.games import GameRegistry
from telemetry.ingest_batch import IngestBatch, pack

MakeEvent = Callable[..., dict[str, Any]]
SHARD = "shardId-000000000000"


class Sink:
    """Kinesis and Firehose that keep what they take; `refuse` tells which data they do not."""

    def __init__(self) -> None:
        self.enriched: list[tuple[str, dict[str, Any]]] = []
        self.lines: dict[str, list[dict[str, Any]]] = {"bronze": [], "rejected": []}
        self.refuse: Callable[[str, bytes], bool] = lambda stream, data: False

    def _take(self, stream: str, data: bytes) -> dict[str, str]:
        return {"ErrorCode": "InternalFailure"} if self.refuse(stream, data) else {}

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        answers = [self._take(StreamName, record["Data"]) for record in Records]
        taken = [record for record, answer in zip(Records, answers, strict=True) if not answer]
        self.enriched += [(record["PartitionKey"], json.loads(record["Data"])) for record in taken]
        return {"Records": answers}

    def put_record_batch(self, DeliveryStreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        answers = [self._take(DeliveryStreamName, record["Data"]) for record in Records]
        for record, answer in zip(Records, answers, strict=True):
            if not answer:
                lines = decompress(record["Data"]).splitlines()
                self.lines[DeliveryStreamName] += map(json.loads, lines)
        return {"RequestResponses": answers}


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Sink:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    return Sink()


@pytest.fixture
def pipeline(dynamodb: Any, sink: Sink) -> Pipeline:
    dynamodb.Table("games").put_item(Item={"game_id": "skyforge", "status": "active", "key_hashes": []})
    dynamodb.Table("games").put_item(Item={"game_id": "closed", "status": "disabled", "key_hashes": []})
    client = boto3.client("dynamodb")
    return Pipeline(
        registry=GameRegistry(dynamodb, "games"),
        claims=Claims(client, "dedupe", window_hours=24),
        stats=IngestStats(client, "ingest_stats"),
        kinesis=sink,
        firehose=sink,
        enriched_stream="enriched",
        bronze_delivery_stream="bronze",
        rejected_delivery_stream="rejected",
    )


def records(*data: bytes, first: int = 1, shard: str = SHARD) -> list[dict[str, Any]]:
    """Return what Lambda hands in; the sequence numbers count up from `first`."""
    return [
        {
            "eventID": f"{shard}:{number}",
            "kinesis": {
                "data": base64.b64encode(item).decode(),
                "sequenceNumber": str(number),
                "approximateArrivalTimestamp": time.time(),
            },
        }
        for number, item in enumerate(data, first)
    ]


def encode(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def counted(dynamodb: Any) -> Counter[str]:
    """Return the counters of all games, days and shards, by "<game>/<counter>"."""
    totals: Counter[str] = Counter()
    for item in dynamodb.Table("ingest_stats").scan()["Items"]:
        game = item["game_day"].partition("#")[0]
        for name, value in item.items():
            if name not in ("game_day", "shard", "position", "expires_at"):
                totals[f"{game}/{name}"] += int(value)
    return totals


def test_each_arrival_ends_in_one_place(
    pipeline: Pipeline, sink: Sink, dynamodb: Any, make_event: MakeEvent
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
    assert [line["event_id"] for line in sink.lines["bronze"]] == [event["event_id"] for event in good]
    assert [(key, event["event_id"]) for key, event in sink.enriched] == [
        ("skyforge/p-1", event["event_id"]) for event in good
    ]
    rejected = [(line["position"], line["reason"], line["game_id"]) for line in sink.lines["rejected"]]
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
    assert sink.lines["rejected"][0]["original"] == "{broken"
    assert base64.b64decode(sink.lines["rejected"][5]["original_base64"]) == b"\xff\xfe"
    assert json.loads(sink.lines["rejected"][7]["original"]) == good[0]
    assert counted(dynamodb) == {
        "skyforge/accepted": 3,
        "skyforge/rejected_schema_violation": 1,
        "skyforge/rejected_unknown_schema": 1,
        "skyforge/rejected_wrong_game": 1,
        "skyforge/rejected_duplicate": 1,
        "unknown/rejected_malformed_json": 2,
        "unknown/rejected_unknown_game": 2,
    }


def test_rest_events_bear_what_the_door_knew(pipeline: Pipeline, sink: Sink, make_event: MakeEvent) -> None:
    event = make_event()
    pipeline.process(records(pack(IngestBatch("skyforge", event["sent_at"], "FR", [encode(event)]))))
    (line,) = sink.lines["bronze"]
    assert (line["ingest_source"], line["country"], line["received_at"]) == ("rest", "FR", event["sent_at"])


def test_a_batch_handed_in_again_loses_and_counts_nothing(
    pipeline: Pipeline, sink: Sink, dynamodb: Any, make_event: MakeEvent
) -> None:
    batch = records(*[encode(make_event(sequence=n)) for n in range(20)], b"{")
    pipeline.process(batch)
    before = counted(dynamodb)
    pipeline.process(batch)
    assert counted(dynamodb) == before
    assert before["skyforge/accepted"] == 20
    assert set(Counter(line["event_id"] for line in sink.lines["bronze"]).values()) == {2}
    assert {line["reason"] for line in sink.lines["rejected"]} == {"malformed_json"}
    assert len({line["reject_id"] for line in sink.lines["rejected"]}) == 1


@pytest.mark.parametrize("shard", [SHARD, "shardId-000000000001"])
def test_an_event_sent_again_is_a_duplicate(
    pipeline: Pipeline, sink: Sink, make_event: MakeEvent, shard: str
) -> None:
    event = make_event()
    pipeline.process(records(encode(event)))
    pipeline.process(records(encode(event | {"event_id": event["event_id"].upper()}), first=50, shard=shard))
    assert len(sink.lines["bronze"]) == 1
    assert [line["reason"] for line in sink.lines["rejected"]] == ["duplicate"]


def test_what_a_stream_refuses_is_handed_back_and_counted_once(
    pipeline: Pipeline, sink: Sink, dynamodb: Any, make_event: MakeEvent
) -> None:
    events = [make_event(sequence=n) for n in range(6)]
    lost = events[3]["event_id"].encode()
    batch = records(*map(encode, events))
    sink.refuse = lambda stream, data: stream == "enriched" and lost in data
    done, retry_from = pipeline.process(batch)
    assert (len(done), retry_from) == (3, "4")
    assert counted(dynamodb)["skyforge/accepted"] == 3
    sink.refuse = lambda stream, data: False
    done, retry_from = pipeline.process(batch[3:])
    assert (len(done), retry_from) == (3, None)
    assert counted(dynamodb)["skyforge/accepted"] == 6
    assert {event["event_id"] for _, event in sink.enriched} == {event["event_id"] for event in events}
    assert sink.lines["rejected"] == []


@pytest.mark.parametrize("stream", ["bronze", "rejected"])
def test_what_firehose_refuses_is_handed_back(
    pipeline: Pipeline, sink: Sink, make_event: MakeEvent, stream: str
) -> None:
    batch = records(encode(make_event()), b"{")
    sink.refuse = lambda name, data: name == stream
    _, retry_from = pipeline.process(batch)
    assert retry_from == {"bronze": "1", "rejected": "2"}[stream]
    sink.refuse = lambda name, data: False
    assert pipeline.process(batch)[1] is None
    assert sink.lines[stream]


class Failing:
    """A DynamoDB client whose update_item fails as told."""

    def __init__(self, client: Any, code: str) -> None:
        self._client, self._error = (
            client,
            ClientError({"Error": {"Code": code, "Message": "x"}}, "UpdateItem"),
        )

    def update_item(self, **_: Any) -> None:
        raise self._error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_events_that_cannot_be_claimed_are_handed_back(
    pipeline: Pipeline, sink: Sink, dynamodb: Any, make_event: MakeEvent
) -> None:
    broken = replace(pipeline.claims, dynamodb=Failing(pipeline.claims.dynamodb, "InternalServerError"))
    batch = records(b"{", encode(make_event()))
    done, retry_from = replace(pipeline, claims=broken).process(batch)
    assert (len(done), retry_from) == (1, "2")
    assert sink.lines["bronze"] == []
    assert pipeline.process(batch[1:])[1] is None
    assert counted(dynamodb) == {"skyforge/accepted": 1, "unknown/rejected_malformed_json": 1}


def test_a_full_item_of_claims_does_not_block_the_shard(
    pipeline: Pipeline, sink: Sink, make_event: MakeEvent
) -> None:
    full = replace(pipeline.claims, dynamodb=Failing(pipeline.claims.dynamodb, "ValidationException"))
    assert replace(pipeline, claims=full).process(records(encode(make_event())))[1] is None
    assert len(sink.lines["bronze"]) == 1


def test_arrivals_that_cannot_be_counted_are_handed_back(
    pipeline: Pipeline, dynamodb: Any, make_event: MakeEvent
) -> None:
    broken = IngestStats(Failing(pipeline.stats.dynamodb, "InternalServerError"), "ingest_stats")
    batch = records(*[encode(make_event(sequence=n)) for n in range(3)])
    assert replace(pipeline, stats=broken).process(batch)[1] == "1"
    assert pipeline.process(batch)[1] is None
    assert counted(dynamodb) == {"skyforge/accepted": 3}


def test_a_batch_that_grew_after_its_first_try_counts_the_rest(
    pipeline: Pipeline, dynamodb: Any, make_event: MakeEvent
) -> None:
    batch = records(*[encode(make_event(sequence=n)) for n in range(9)])
    pipeline.process(batch[:5])
    pipeline.process(batch)
    assert counted(dynamodb) == {"skyforge/accepted": 9}


def test_an_unforeseen_error_rejects_one_event_only(
    pipeline: Pipeline, sink: Sink, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, neighbour = make_event(), make_event()
    enrich = judgement.enrich

    def trip(event: dict[str, Any], *rest: Any) -> dict[str, Any]:
        if event["event_id"] == poison["event_id"]:
            raise RuntimeError("unforeseen")
        return enrich(event, *rest)

    monkeypatch.setattr(judgement, "enrich", trip)
    pipeline.process(records(encode(poison), encode(neighbour)))
    assert [line["event_id"] for line in sink.lines["bronze"]] == [neighbour["event_id"]]
    assert [line["reason"] for line in sink.lines["rejected"]] == ["internal_error"]


def test_many_events_of_many_sessions_are_claimed(
    pipeline: Pipeline, sink: Sink, make_event: MakeEvent
) -> None:
    events = [make_event(sequence=n) for n in range(300)]
    twice: Sequence[bytes] = [encode(event) for event in [*events, *events]]
    pipeline.process(records(*twice))
    assert len(sink.lines["bronze"]) == 300
    assert len(sink.lines["rejected"]) == 300
