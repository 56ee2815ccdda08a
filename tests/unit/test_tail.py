"""scripts/tail shows what came of each event, and no more of a player than the platform keeps."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from telemetry.games import GameRegistry
from telemetry.ingest_batch import IngestBatch, pack
from tools import games, tail
from tools.tail import Follower, described, is_wanted, judged

MakeEvent = Callable[..., dict[str, Any]]


@pytest.fixture
def registry(dynamodb: Any) -> GameRegistry:
    for game in ("skyforge", "farm"):
        games.add_game(dynamodb.Table("games"), game, game.title())
    games.add_game(dynamodb.Table("games"), "secret", "Secret", pseudonyms=True)
    return GameRegistry(dynamodb, "games")


@pytest.fixture
def kinesis(aws: None) -> Any:
    client = boto3.client("kinesis")
    client.create_stream(StreamName="raw", ShardCount=2)
    return client


def put(kinesis: Any, data: Any, key: str = "skyforge/p-1") -> None:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    kinesis.put_record(StreamName="raw", Data=body, PartitionKey=key)


def lines(follower: Follower, registry: GameRegistry, game: str = "skyforge", **wanted: Any) -> list[str]:
    """Return what the command prints of the records that have come."""
    known = {"player": None, "refused": False} | wanted
    found = [arrival for record in follower.read() for arrival in judged(record, registry)]
    return [described(arrival) for arrival in found if is_wanted(arrival, game, **known)]


def test_events_are_shown_with_what_came_of_them(
    kinesis: Any, registry: GameRegistry, make_event: MakeEvent
) -> None:
    put(kinesis, make_event(player_id="p-0"))
    follower = Follower(kinesis, "raw")
    assert lines(follower, registry) == []  # it came before
    good = make_event(player_id="p-1")
    bad = make_event("purchase", player_id="p-2", payload={"store": "appel"})
    now = datetime.now(UTC).isoformat()
    put(kinesis, pack(IngestBatch("skyforge", now, None, [json.dumps(e).encode() for e in (good, bad)])))
    put(kinesis, make_event(game_id="farm"), "farm/p-1")
    put(kinesis, b'{"cut": ')
    shown = {line.split()[4]: line.split()[1:4] for line in lines(follower, registry)}
    assert shown == {
        "p-1": ["taken", "rest", "session_start"],
        "p-2": ["refused", "rest", "purchase"],
        "-": ["refused", "stream", "-"],
    }
    assert lines(follower, registry) == []


def test_a_refusal_names_reason_field_and_message(
    kinesis: Any, registry: GameRegistry, make_event: MakeEvent
) -> None:
    follower = Follower(kinesis, "raw")
    put(kinesis, make_event(player_id="p-1"))
    put(kinesis, make_event(player_id="p-2", sequence=-1))
    (line,) = lines(follower, registry, refused=True)
    assert line.partition("schema_violation")[2] == " at /sequence: -1 is less than the minimum of 0"
    assert line.split()[1:5] == ["refused", "stream", "session_start", "p-2"]


def test_a_player_can_be_followed(kinesis: Any, registry: GameRegistry, make_event: MakeEvent) -> None:
    follower = Follower(kinesis, "raw")
    for player in ("p-1", "p-2"):
        put(kinesis, make_event(player_id=player))
    (line,) = lines(follower, registry, player="p-2")
    assert "p-2" in line


def test_a_broken_record_belongs_to_the_game_of_its_partition_key(
    kinesis: Any, registry: GameRegistry
) -> None:
    follower = Follower(kinesis, "raw")
    put(kinesis, b'{"cut": ', "farm/p-1")
    put(kinesis, b'{"cut": ')
    (line,) = lines(follower, registry)
    assert "malformed_json at /:" in line


def test_nothing_of_an_event_without_consent_is_shown(
    kinesis: Any, registry: GameRegistry, make_event: MakeEvent
) -> None:
    follower = Follower(kinesis, "raw")
    event = make_event(player_id="p-1", privacy={"analytics_storage": "denied"})
    put(kinesis, event)
    (line,) = lines(follower, registry)
    assert line.split()[1:] == ["withheld", "stream"]


def test_of_a_game_with_pseudonyms_no_player_is_named(
    kinesis: Any, registry: GameRegistry, make_event: MakeEvent
) -> None:
    follower = Follower(kinesis, "raw")
    for event in (make_event(sequence=0), make_event(sequence=-7), make_event(level="alice-43")):
        put(kinesis, event | {"game_id": "secret", "player_id": "alice-42"}, "secret/alice-42")
    found = lines(follower, registry, "secret")
    assert sorted(line.split()[1] for line in found) == ["refused", "refused", "taken"]
    assert not any("alice" in line or "-7" in line.partition(" at ")[2] for line in found)


def test_what_clients_write_does_not_steer_the_terminal(
    kinesis: Any, registry: GameRegistry, make_event: MakeEvent
) -> None:
    follower = Follower(kinesis, "raw")
    put(kinesis, make_event(player_id="p\x1b]0;x\x07") | {"event_type": "\x1b[2J\n"})
    (line,) = lines(follower, registry)
    assert line.isprintable()
    assert "?[2J?" in line


class Scaling:
    """A stream whose shard "old" was closed while it was read. moto goes on to write to closed shards."""

    def __init__(self, **records: list[Any]) -> None:
        self.records, self.shards = records, ["old"]

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: str) -> list[Any]:
        return [{"Shards": [{"ShardId": name} for name in self.shards]}]

    def get_shard_iterator(self, *, ShardId: str, ShardIteratorType: str, **_: str) -> Any:  # noqa: N803
        return {"ShardIterator": f"{ShardId}/{0 if ShardIteratorType == 'TRIM_HORIZON' else 1}"}

    def get_records(self, ShardIterator: str) -> Any:  # noqa: N803
        name, start = ShardIterator.split("/")
        found = [
            {
                "ApproximateArrivalTimestamp": datetime.now(UTC),
                "Data": json.dumps(event).encode(),
                "PartitionKey": "skyforge/p-1",
                "SequenceNumber": f"4{number}",
            }
            for number, event in enumerate(self.records[name])
        ][int(start) :]
        ends = name == "old" and "new" in self.shards
        return {
            "NextShardIterator": None if ends else f"{name}/{len(self.records[name])}",
            "Records": found,
        }


def test_the_shards_of_a_stream_that_scales_are_followed(
    registry: GameRegistry, make_event: MakeEvent
) -> None:
    before, last, first = (make_event(player_id=name) for name in ("p-before", "p-last", "p-first"))
    stream = Scaling(old=[before, last], new=[first])
    follower = Follower(cast(Any, stream), "raw")
    stream.shards.append("new")
    seen = [[line.split()[4] for line in lines(follower, registry)] for _ in range(3)]
    assert seen == [["p-last"], ["p-first"], []]


def test_a_busy_shard_is_read_again_later(
    kinesis: Any, registry: GameRegistry, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(kinesis, "raw")
    put(kinesis, make_event())

    def busy(code: str) -> Callable[..., Any]:
        def fail(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": code}}, "GetRecords")

        return fail

    with monkeypatch.context() as patch:
        patch.setattr(kinesis, "get_records", busy("ProvisionedThroughputExceededException"))
        assert lines(follower, registry) == []
        patch.setattr(kinesis, "get_records", busy("AccessDeniedException"))
        with pytest.raises(ClientError, match="AccessDenied"):
            lines(follower, registry)
    assert len(lines(follower, registry)) == 1


def test_it_leaves_the_processor_its_reads() -> None:
    assert tail.PAUSE_SECONDS >= 0.5
