"""The processor as Lambda drives it: whatever fails and is handed in again, each event ends in one place."""

import base64
import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError
from processor import handler
from processor.dedupe import Claims
from processor.judgement import MAX_ORIGINAL_BYTES
from processor.pipeline import Pipeline
from processor.stats import IngestStats
from telemetry import delivery
from telemetry.decoding import decompress
from telemetry.games import GameRegistry
from telemetry.ingest_batch import MAGIC, IngestBatch, pack

MakeEvent = Callable[..., dict[str, Any]]
SHARD = "shardId-000000000000"
ERROR = ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "UpdateItem")


class Streams:
    """Kinesis and Firehose that keep what they take and refuse what the dice tell."""

    def __init__(self, fails: Callable[[], bool]) -> None:
        self.fails = fails
        self.taken: dict[str, list[tuple[str, dict[str, Any]]]] = {
            "bronze": [],
            "rejected": [],
            "enriched": [],
        }

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        return {"Records": [self._take(StreamName, r["PartitionKey"], r["Data"]) for r in Records]}

    def put_record_batch(self, DeliveryStreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        if self.fails():
            raise ERROR
        answers = [self._take(DeliveryStreamName, "", decompress(r["Data"])) for r in Records]
        return {"FailedPutCount": sum(map(bool, answers)), "RequestResponses": answers}

    def _take(self, name: str, key: str, data: bytes) -> dict[str, str]:
        if self.fails():
            return {"ErrorCode": "ServiceUnavailable"}
        self.taken[name] += [(key, json.loads(line)) for line in data.splitlines()]
        return {}

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [line for _, line in self.taken[name]]


class Table:
    """A DynamoDB client whose updates fail as the dice tell: half of them after they were written."""

    def __init__(self, client: Any, dice: random.Random, share: float) -> None:
        self._client, self._dice, self.share = client, dice, share

    def update_item(self, **arguments: Any) -> Any:
        luck = self._dice.random()
        if luck < self.share / 2:
            raise ERROR
        answer = self._client.update_item(**arguments)
        if luck < self.share:
            raise ERROR
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Streams:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    return Streams(lambda: False)


@pytest.fixture
def pipeline(dynamodb: Any, streams: Streams) -> Pipeline:
    for game in ("skyforge", "farm"):
        dynamodb.Table("games").put_item(Item={"game_id": game, "status": "active", "key_hashes": []})
    client = boto3.client("dynamodb")
    return Pipeline(
        registry=GameRegistry(dynamodb, "games"),
        claims=Claims(client, "dedupe", window_hours=24),
        stats=IngestStats(client, "ingest_stats"),
        kinesis=streams,
        firehose=streams,
        enriched_stream="enriched",
        bronze_delivery_stream="bronze",
        rejected_delivery_stream="rejected",
    )


def records(*data: bytes) -> list[dict[str, Any]]:
    return [
        {
            "eventID": f"{SHARD}:{number}",
            "kinesis": {
                "data": base64.b64encode(item).decode(),
                "sequenceNumber": str(number),
                "approximateArrivalTimestamp": time.time(),
            },
        }
        for number, item in enumerate(data, 98)
    ]


def encode(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def rest(*raw: bytes, **fields: Any) -> bytes:
    """Return a record of the REST door, whose key belongs to skyforge."""
    known = {"game_id": "skyforge", "received_at": datetime.now(UTC).isoformat(), "country": None}
    return pack(IngestBatch(**known | fields, events=list(raw)))


def counted(dynamodb: Any) -> Counter[str]:
    totals: Counter[str] = Counter()
    for item in dynamodb.Table("ingest_stats").scan()["Items"]:
        counts = {
            name: int(value) for name, value in item.items() if name.startswith(("accepted", "rejected"))
        }
        totals.update(counts)
    return totals


@pytest.mark.parametrize("seed", range(12))
def test_whatever_fails_each_arrival_is_kept_and_counted_once(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent, seed: int
) -> None:
    dice = random.Random(seed)
    good = [
        make_event(player_id=f"p-{n % 7}", sequence=n, game_id="farm" if n % 3 else "skyforge")
        for n in range(60)
    ]
    again = dice.sample(good, 10)
    data = [encode(event) for event in good[:30]]
    data += [
        gzip.compress(b"\n".join(map(encode, good[n : n + 5])) + b"\n{no json\n") for n in range(30, 60, 5)
    ]
    data += [rest(encode(make_event(game_id="farm")), b"\xff"), encode(make_event(game_id="nobodys"))] * 2
    dice.shuffle(data)
    data += [encode(event) for event in again]

    def unlucky() -> bool:
        return dice.random() < 0.4

    client = pipeline.claims.dynamodb
    claims, stats = (Table(client, dice, 0.15) for _ in range(2))
    streams.fails = unlucky
    pipeline = replace(
        pipeline,
        claims=replace(pipeline.claims, dynamodb=claims),
        stats=replace(pipeline.stats, dynamodb=stats),
    )
    left, tries = records(*data), 0
    while left:
        tries += 1
        if tries == 30:
            claims.share = stats.share = 0
            streams.fails = lambda: False
        batch = left[: dice.randint(1, 40)]
        _, retry_from = pipeline.process(batch)
        numbers = [record["kinesis"]["sequenceNumber"] for record in left]
        left = left[numbers.index(retry_from) if retry_from else len(batch) :]

    ids = {event["event_id"] for event in good}
    assert {line["event_id"] for line in streams.lines("bronze")} == ids
    assert {line["event_id"] for line in streams.lines("enriched")} == ids
    rejected = {line["reject_id"]: line["reason"] for line in streams.lines("rejected")}
    assert len(rejected) == len({(x["reject_id"], x["reason"]) for x in streams.lines("rejected")})
    expected = {"duplicate": 10, "malformed_json": 6 + 2, "wrong_game": 2, "unknown_game": 2}
    assert Counter(rejected.values()) == expected
    assert counted(dynamodb) == {"accepted": 60} | {f"rejected_{name}": n for name, n in expected.items()}


def test_a_rejected_line_tells_what_why_and_where(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    bad = json.dumps(make_event("purchase", payload={"amount_minor": 0}), indent=1).encode()
    pipeline.process(records(rest(encode(make_event()), bad)))
    (line,) = streams.lines("rejected")
    assert (line["reject_id"], line["position"]) == (f"{SHARD}:98/1", "98/1")
    assert (line["reason"], line["schema_id"], line["ingest_source"]) == (
        "schema_violation",
        "purchase/1-0-0",
        "rest",
    )
    assert line["pointer"].startswith("/payload")
    assert line["message"]
    assert (line["event_id"], line["game_id"]) == (json.loads(bad)["event_id"], "skyforge")
    assert (line["original"].encode(), line["size_bytes"], line["truncated"]) == (bad, len(bad), False)
    assert "original_base64" not in line


def test_what_is_too_large_to_keep_is_cut(pipeline: Pipeline, streams: Streams) -> None:
    data = b"\xe4" * (MAX_ORIGINAL_BYTES + 5)
    pipeline.process(records(data))
    (line,) = streams.lines("rejected")
    assert (line["reason"], line["size_bytes"], line["truncated"]) == ("too_large", len(data), True)
    assert base64.b64decode(line["original_base64"]) == data[:MAX_ORIGINAL_BYTES]


def test_enriched_events_bear_the_pipelines_fields(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    event = make_event("purchase", player_id="p-9")
    pipeline.process(records(encode(event)))
    ((key, enriched),) = streams.taken["enriched"]
    assert key == "skyforge/p-9"
    assert enriched == streams.lines("bronze")[0]
    assert event.items() <= enriched.items()
    assert (enriched["ingest_source"], enriched["schema_id"]) == ("stream", "purchase/1-0-0")
    assert (enriched["late"], enriched["skewed"], enriched["country"]) == (False, False, "DE")
    assert (enriched["corrected_time"], enriched["event_date"]) == (
        event["event_time"],
        event["event_time"][:10],
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"received_at": "yesterday"},
        {"received_at": "2026-01-01T00:00:00"},
        {"game_id": ""},
        {"game_id": "x" * 3000},
    ],
    ids=["no time", "no zone", "no game", "long game"],
)
def test_an_imitated_batch_of_the_door_does_not_block_the_shard(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent, fields: dict[str, Any]
) -> None:
    def forge(**known: Any) -> bytes:
        batch = {"game_id": "skyforge", "received_at": "2026-01-01T00:00:00Z", "country": None, "events": []}
        return MAGIC + msgspec.msgpack.encode(batch | known)

    assert pipeline.process(records(forge(**fields), encode(make_event())))[1] is None
    assert [line["reason"] for line in streams.lines("rejected")] == ["malformed_json"]
    assert len(streams.lines("bronze")) == 1


def test_deep_nesting_is_no_error_of_ours(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    deep = encode(make_event(payload={})).replace(
        b'"payload": {}', b'"payload": ' + b'{"a":' * 300 + b"1" + b"}" * 300
    )
    pipeline.process(records(deep))
    assert [line["reason"] for line in streams.lines("rejected")] == ["schema_violation"]


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
    streams.fails = lambda: True
    assert handler.lambda_handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "98"}]}


def test_the_handler_builds_its_pipeline_from_the_environment(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "GAMES_TABLE": "games",
        "DEDUPE_TABLE": "dedupe",
        "INGEST_STATS_TABLE": "ingest_stats",
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
