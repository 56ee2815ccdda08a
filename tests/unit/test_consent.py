"""What a player did not agree to is counted and not kept; of a child is kept what metrics need."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from enriched_stream import feed, leaderboards_of
from fake_aws import Streams, encode, outcomes, processor, records
from ingest.publisher import Publisher
from player_state.players import PlayerStore
from processor.pipeline import Pipeline
from telemetry.consent import honoured, is_denied
from telemetry.decoding import parse
from telemetry.ingest_batch import IngestBatch, pack, unpack
from telemetry.key_classes import ClientLimits

MakeEvent = Callable[..., dict[str, Any]]
DENIED = {"analytics_storage": "denied"}
CHILD = {"analytics_storage": "granted", "age_group": "child"}
# The versions that know of consent.
SCORE = {"event_type": "score_submitted", "schema_version": "1-0-0"}


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
def pipeline(dynamodb: Any, streams: Streams) -> Pipeline:
    dynamodb.Table("games").put_item(Item={"game_id": "skyforge", "status": "active", "key_hashes": []})
    return processor(dynamodb, boto3.client("dynamodb"), streams)


def test_an_event_without_consent_is_counted_and_kept_nowhere(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    """Not though it is broken as well: the quarantine keeps bytes."""
    denied = [
        make_event(player_id="ann-denied", privacy=DENIED),
        make_event("purchase", player_id="ann-denied", privacy=DENIED, payload={}),
        make_event(game_id="nobodys", player_id="ann-denied", privacy=DENIED),
        make_event(player_id="ann-denied", privacy={"analytics_storage": None}),
        make_event(player_id="ann-denied", privacy="no"),
    ]
    bob = make_event(player_id="bob", privacy={"analytics_storage": "granted"})
    done, retry_from = pipeline.process(records(*map(encode, [*denied, bob])))
    assert (len(done), retry_from) == (6, None)
    assert [line["player_id"] for line in streams.lines("enriched")] == ["bob"]
    assert streams.lines("rejected") == []
    assert "ann-denied" not in str(streams.taken) + str(dynamodb.Table("dedupe").scan()["Items"])
    assert outcomes(dynamodb.Table("ingest_stats").scan()["Items"]) == {
        "skyforge/accepted": 1, "skyforge/withheld": 4, "unknown/withheld": 1,
    }  # fmt: skip


def test_consent_is_heard_in_another_envelope_too(pipeline: Pipeline, streams: Streams) -> None:
    """What the guidance's mapping refuses is the client's own again, and would be quarantined."""
    broken = json.dumps({"event_type": 7, "player_id": "ann-denied", "privacy": DENIED}).encode()
    batch = IngestBatch("skyforge", "2026-11-23T12:00:00.000Z", None, [broken], envelope="guidance")
    pipeline.process(records(pack(batch)))
    assert streams.taken == {}


def test_the_rest_api_forwards_only_that_it_came(make_event: MakeEvent) -> None:
    streams = Streams()
    denied = make_event(player_id="ann-denied", privacy=DENIED)
    child = make_event(player_id="cid", privacy=CHILD)
    header = IngestBatch("skyforge", denied["sent_at"], None, [])
    events = [parse(encode(event)) for event in (denied, child, make_event())]
    assert Publisher(streams, "raw").publish(events, header, ClientLimits.of({})) == [], (
        "the client did nothing wrong"
    )
    sent = {key: unpack(data) for key, data in streams.taken["raw"]}
    assert sorted(len(batch.events) for batch in sent.values() if batch) == [1, 1, 1]
    assert "ann-denied" not in str(sent)
    batch = sent["skyforge/cid"]
    assert batch
    assert "device_model" not in json.loads(batch.events[0])["client"]


def test_an_event_without_consent_moves_no_metric(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    """Every engine reads bronze or the enriched stream; player state stands for them."""
    events = [
        make_event(player_id=player, privacy=privacy)
        for player, privacy in (("ann", DENIED), ("bob", {"analytics_storage": "granted"}))
    ]
    pipeline.process(records(*map(encode, events)))
    feed(PlayerStore(boto3.client("dynamodb"), "players", "game_days"), streams.lines("enriched"))
    days = [row for row in dynamodb.Table("game_days").scan()["Items"] if "active_players" in row]
    (day,) = [row for row in days if row["game_day"] == f"skyforge#{events[1]['event_time'][:10]}"]
    assert (day["active_players"], day["new_players"], day["events_session_start"]) == (1, 1, 1)
    assert [row["player"] for row in dynamodb.Table("players").scan()["Items"]] == ["skyforge#bob"]


def test_of_a_child_no_device_no_free_field_and_no_rank_is_kept(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    sent = [
        make_event(**SCORE, player_id=player, privacy=privacy)
        for player, privacy in (("cid", CHILD), ("ann", CHILD | {"age_group": "adult"}))
    ]
    for event in sent:
        event["payload"] = {"leaderboard": "global", "score": 7, "extra": {"school": "oak"}}
    assert {"device_model", "locale", "os_version"} <= sent[0]["client"].keys()
    pipeline.process(records(*map(encode, sent)))
    child, adult = streams.lines("enriched")
    assert child["player_id"] == "cid"
    assert not child["client"].keys() & {"device_model", "locale", "os_version"}
    assert child["payload"] == {"leaderboard": "global", "score": 7}
    assert adult["client"] == sent[1]["client"]
    assert adult["payload"] == sent[1]["payload"]
    assert leaderboards_of(boto3.client("dynamodb")).submit([child, adult]) == []
    assert {row["player_id"] for row in dynamodb.Table("leaderboards").scan()["Items"]} == {"ann"}


def test_a_childs_reject_is_minimised_and_can_be_replayed(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    event = make_event(**SCORE, player_id="cid", privacy=CHILD, payload={"extra": {"school": "oak"}})
    pipeline.process(records(encode(event)))
    (line,) = streams.lines("rejected")
    assert line["reason"] == "schema_violation"
    assert not {"school", "device_model"} & set(line["original"].replace('"', " ").split())


@pytest.mark.parametrize(
    "privacy", ["no", None, 7, [], {"analytics_storage": []}, {"analytics_storage": "x"}]
)
def test_what_cannot_be_read_is_no_consent(privacy: Any) -> None:
    assert is_denied(honoured(b"", {"player_id": "ann", "privacy": privacy})[1])


@pytest.mark.parametrize("value", [None, 7, [], {}, {"privacy": {}}, {"privacy": {"age_group": "adult"}}])
def test_what_says_nothing_of_it_stays_as_it_is(value: Any) -> None:
    raw = json.dumps(value).encode()
    assert honoured(raw, value) == (raw, value)


def test_a_child_nested_without_end_does_no_harm() -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = [deep]
    assert is_denied(honoured(b"", {"privacy": CHILD, "payload": {"score": deep}})[1])
