"""From the quarantine back through the processor: what is valid now gets in, however often it is run."""

import base64
import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import IO, Any
from uuid import uuid4

import boto3
import jsonpatch
import msgspec
import pytest
from fake_aws import encode
from hypothesis import given, settings
from hypothesis import strategies as st
from processor.dedupe import Claims
from processor.pipeline import Pipeline
from processor.recent_events import RecentEvents
from processor.stats import IngestStats
from telemetry import delivery, lake
from telemetry.enrichment import timestamp
from telemetry.games import GameRegistry
from telemetry.ingest_batch import IngestBatch, pack
from tools import CommandError, games
from tools.replay import OUTCOMES, REASONS, Replay, Report

MakeEvent = Callable[..., dict[str, Any]]
BUCKET = "lake"
TODAY = datetime.now(UTC).date()


class World:
    """The pipeline with its quarantine in S3: what is put on the raw stream is processed at once."""

    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb, self.s3 = dynamodb, boto3.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self.add_game("skyforge")
        self.accepted: list[dict[str, Any]] = []
        self.number, self.refusing, self.rejects = 0, False, 0
        # One for all records, as in a function that stays warm.
        self.registry = GameRegistry(dynamodb, "games")

    def add_game(self, game_id: str) -> None:
        self.dynamodb.Table("games").put_item(Item={"game_id": game_id, "status": "active", "key_hashes": []})

    def receive(self, *data: bytes) -> None:
        """Hand records to the processor as Lambda does."""
        client = boto3.client("dynamodb")
        pipeline = Pipeline(
            registry=self.registry,
            claims=Claims(client, "dedupe", window_hours=24),
            stats=IngestStats(client, "ingest_stats"),
            recent=RecentEvents(client, "recent_events"),
            kinesis=self,
            firehose=self,
            enriched_stream="enriched",
            bronze_delivery_stream="bronze",
            rejected_delivery_stream="rejected",
        )
        records = []
        for item in data:
            self.number += 1
            kinesis = {"sequenceNumber": str(self.number), "approximateArrivalTimestamp": time.time()}
            kinesis["data"] = base64.b64encode(item).decode()
            records.append({"eventID": f"shard-0:{self.number}", "kinesis": kinesis})
        assert pipeline.process(records)[1] is None

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        if self.refusing:
            return {"Records": [{"ErrorCode": "Throttled"} for _ in Records]}
        if StreamName == "raw":
            self.receive(*(record["Data"] for record in Records))
        else:
            self.accepted += [json.loads(record["Data"]) for record in Records]
        return {"Records": [{} for _ in Records]}

    def put_record_batch(self, DeliveryStreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        for record in Records if DeliveryStreamName == "rejected" else []:
            line = json.loads(record["Data"])
            self.rejects += 1
            key = f"rejected/day={line['received_at'][:10]}/reason={line['reason']}/{self.rejects:04}"
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=record["Data"])
        return {"RequestResponses": [{} for _ in Records]}

    def replay(self, *reasons: str, **options: Any) -> Report:
        registry = GameRegistry(self.dynamodb, "games")
        replay = Replay(self.s3, self, registry, BUCKET, "raw", **options)  # type: ignore[arg-type]
        return replay.run([TODAY - timedelta(days=1), TODAY], reasons or REASONS)

    def counts(self) -> Counter[str]:
        totals: Counter[str] = Counter()
        for item in self.dynamodb.Table("ingest_stats").scan()["Items"]:
            counted = {
                k: int(v) for k, v in item.items() if k in ("accepted", "replayed") or "rejected_" in k
            }
            totals.update(counted)
        return totals


@pytest.fixture
def world(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    return World(dynamodb)


def outcomes(report: Report) -> dict[str, dict[str, int]]:
    return {reason: dict(counts) for reason, counts in report.outcomes.items()}


def test_events_of_a_game_registered_too_late_get_in_once(world: World, make_event: MakeEvent) -> None:
    events = [make_event(game_id="late-game", player_id=f"p-{n}") for n in range(3)]
    world.receive(*map(encode, events))
    assert world.accepted == []
    assert outcomes(world.replay()) == {"unknown_game": {"rejected still": 3}}
    world.add_game("late-game")
    assert outcomes(world.replay()) == {"unknown_game": {"replayed": 3}}
    accepted, counts = list(world.accepted), world.counts()
    assert {event["event_id"] for event in accepted} == {event["event_id"] for event in events}
    assert {event["ingest_source"] for event in accepted} == {"replay"}
    assert counts == {"accepted": 3, "replayed": 3, "rejected_unknown_game": 3}
    assert outcomes(world.replay()) == {"unknown_game": {"replayed before": 3}}
    assert (world.accepted, world.counts(), world.rejects) == (accepted, counts, 3)


def test_a_run_that_died_before_its_ledger_changes_nothing_when_repeated(
    world: World, make_event: MakeEvent
) -> None:
    world.receive(encode(make_event(game_id="late-game")))
    world.add_game("late-game")
    world.replay()
    (ledger,) = world.s3.list_objects_v2(Bucket=BUCKET, Prefix="replayed/")["Contents"]
    world.s3.delete_object(Bucket=BUCKET, Key=ledger["Key"])
    before = list(world.accepted), world.counts(), world.rejects
    assert outcomes(world.replay()) == {"unknown_game": {"replayed": 1}}
    assert (world.accepted, world.counts(), world.rejects) == before


def test_a_patch_repairs_what_its_tests_choose(world: World, make_event: MakeEvent) -> None:
    wrong = make_event("score_submitted", payload={"leaderboard": "Global", "score": 5})
    other = make_event("score_submitted", payload={"leaderboard": "Other", "score": 5})
    world.receive(encode(wrong), encode(other))
    steps = [
        {"op": "test", "path": "/payload/leaderboard", "value": "Global"},
        {"op": "replace", "path": "/payload/leaderboard", "value": "global"},
    ]
    report = world.replay("schema_violation", patch=jsonpatch.JsonPatch(steps))
    assert outcomes(report) == {"schema_violation": {"replayed": 1, "rejected still": 1}}
    assert [event["payload"]["leaderboard"] for event in world.accepted] == ["global"]


def test_a_dry_run_sends_and_writes_nothing(world: World, make_event: MakeEvent) -> None:
    world.receive(encode(make_event(game_id="late-game")))
    world.add_game("late-game")
    assert outcomes(world.replay(dry_run=True)) == {"unknown_game": {"replayed": 1}}
    assert world.accepted == []
    assert "Contents" not in world.s3.list_objects_v2(Bucket=BUCKET, Prefix="replayed/")


def test_what_the_stream_does_not_take_is_told_and_taken_next_time(
    world: World, make_event: MakeEvent
) -> None:
    world.receive(encode(make_event(game_id="late-game")))
    world.add_game("late-game")
    world.refusing = True
    assert outcomes(world.replay()) == {"unknown_game": {"not sent": 1}}
    world.refusing = False
    assert outcomes(world.replay()) == {"unknown_game": {"replayed": 1}}
    assert len(world.accepted) == 1


def test_lateness_is_judged_by_when_the_event_came(world: World, make_event: MakeEvent) -> None:
    long_ago = timestamp(datetime.now(UTC) - timedelta(days=31, minutes=30))
    came = timestamp(datetime.now(UTC) - timedelta(days=1))
    event = make_event(game_id="late-game", event_time=long_ago, sent_at=came)
    batch = IngestBatch("late-game", came, "FR", [encode(event)], bot=True)
    world.receive(pack(batch))
    world.add_game("late-game")
    assert outcomes(world.replay()) == {"unknown_game": {"replayed": 1}}
    (accepted,) = world.accepted
    assert (accepted["late"], accepted["received_at"], accepted["country"]) == (True, came, "FR")
    assert accepted["bot"] is True
    (stats,) = world.dynamodb.Table("ingest_stats").query(
        KeyConditionExpression="game_day = :day",
        ExpressionAttributeValues={":day": f"late-game#{came[:10]}"},
    )["Items"]
    assert stats["accepted"] == 1


def test_a_key_still_opens_its_own_game_only(world: World, make_event: MakeEvent) -> None:
    world.add_game("chess")
    batch = IngestBatch("skyforge", timestamp(datetime.now(UTC)), None, [encode(make_event(game_id="chess"))])
    world.receive(pack(batch))
    assert outcomes(world.replay()) == {"wrong_game": {"rejected still": 1}}


def test_the_guidances_events_are_replayed_as_they_were_sent(world: World) -> None:
    inner = {
        "event_id": str(uuid4()),
        "event_type": "login",
        "event_timestamp": time.time(),
        "app_version": 1,
    }
    batch = IngestBatch("skyforge", timestamp(datetime.now(UTC)), None, [encode(inner)], envelope="guidance")
    world.receive(pack(batch))
    patch = jsonpatch.JsonPatch([{"op": "replace", "path": "/app_version", "value": "1.0"}])
    assert outcomes(world.replay(patch=patch)) == {"schema_violation": {"replayed": 1}}
    assert [event["event_type"] for event in world.accepted] == ["session_start"]


def test_money_of_another_product_is_replayed_once_the_game_has_a_currency(world: World) -> None:
    sent = {
        "user_id": "p-1",
        "event_type": "Shop",
        "insert_id": str(uuid4()),
        "time": int(time.time() * 1000),
        "revenue": 4.99,
    }
    batch = IngestBatch("skyforge", timestamp(datetime.now(UTC)), None, [encode(sent)], envelope="amplitude")
    world.receive(pack(batch))
    assert outcomes(world.replay()) == {"schema_violation": {"rejected still": 1}}
    with pytest.raises(CommandError):
        games.set_revenue_currency(world.dynamodb.Table("games"), "skyforge", "GEMS")
    games.set_revenue_currency(world.dynamodb.Table("games"), "skyforge", "EUR")
    assert outcomes(world.replay()) == {"schema_violation": {"replayed": 1}}
    (event,) = world.accepted
    assert (event["event_type"], event["event_id"]) == ("purchase", sent["insert_id"])
    assert (event["payload"]["amount_minor"], event["payload"]["currency"]) == (499, "EUR")


def test_players_whose_ids_are_addresses_stay_apart_in_the_quarantine(world: World) -> None:
    """Their addresses are masked, and each is the player that an accepted event would have."""

    def sent(player: str, **money: Any) -> bytes:
        now = int(time.time() * 1000)
        event = {"user_id": player, "event_type": "Shop", "insert_id": str(uuid4()), "time": now}
        batch = IngestBatch("skyforge", timestamp(datetime.now(UTC)), None, [encode(event | money)])
        return pack(msgspec.structs.replace(batch, envelope="amplitude"))

    addresses = ("ann@x.com", "bob@y.org", "\u00e9ve@z.fr")
    world.receive(*map(sent, addresses))
    direct = {event["player_id"] for event in world.accepted}
    world.accepted.clear()
    world.receive(*(sent(player, revenue=4.99) for player in addresses))
    kept = b"".join(
        gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        for body in (
            world.s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            for item in world.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        )
    )
    assert not re.search(rb"ann|bob|@", kept)
    games.set_revenue_currency(world.dynamodb.Table("games"), "skyforge", "EUR")
    assert outcomes(world.replay()) == {"schema_violation": {"replayed": 3}}
    assert {event["player_id"] for event in world.accepted} == direct
    assert len(direct) == 3


def test_bytes_that_are_no_text_and_what_was_cut_stay_rejected(world: World) -> None:
    world.receive(b"\xff\xfe", b'{"a": "' + b"x" * 700_000)
    report = world.replay()
    assert outcomes(report) == {"malformed_json": {"rejected still": 1}, "too_large": {"rejected still": 1}}
    assert any("only the start of it was kept" in message for message in report.still)


def test_only_the_games_and_reasons_asked_for_are_touched_and_the_others_counted(
    world: World, make_event: MakeEvent
) -> None:
    world.receive(encode(make_event(game_id="late-game")), encode(make_event(sequence=-1)), b"{")
    world.receive(
        encode(make_event(sequence=-2)), encode(taken := make_event()), encode(taken), encode(taken)
    )
    asked = world.replay("malformed_json")
    assert outcomes(asked) == {
        "duplicate": {"accepted once": 2},
        "malformed_json": {"rejected still": 1},
        "schema_violation": {"not asked for": 2},
        "unknown_game": {"not asked for": 1},
    }
    assert sum(map(asked.total, OUTCOMES)) == world.rejects
    assert outcomes(world.replay("schema_violation", game="late-game")) == {
        "duplicate": {"of another game": 2},
        "malformed_json": {"of no known game": 1},
        "schema_violation": {"of another game": 2},
        "unknown_game": {"not asked for": 1},
    }
    assert outcomes(world.replay(game="skyforge")) == {
        "duplicate": {"accepted once": 2},
        "malformed_json": {"of no known game": 1},
        "schema_violation": {"rejected still": 2},
        "unknown_game": {"of another game": 1},
    }
    assert outcomes(world.replay(game="late-game")) == {
        "duplicate": {"of another game": 2},
        "malformed_json": {"of no known game": 1},
        "schema_violation": {"of another game": 2},
        "unknown_game": {"rejected still": 1},
    }


def test_a_games_rejects_are_found_though_their_bytes_are_kept_as_base64(
    world: World, make_event: MakeEvent
) -> None:
    """Text that JSON would carry with many escapes is kept so; it is an event as any other."""
    event = make_event(game_id="late-game", payload={"extra": {"quotes": '"' * 250}})
    raw = json.dumps(event, indent="\t" * 40).encode()
    world.receive(raw)
    (key,) = lake.keys(world.s3, BUCKET, "rejected/")
    (line,) = lake.lines(world.s3, BUCKET, key)
    assert base64.b64decode(line["original_base64"]) == raw
    world.add_game("late-game")
    assert outcomes(world.replay(game="skyforge")) == {"unknown_game": {"of another game": 1}}
    assert outcomes(world.replay(game="late-game")) == {"unknown_game": {"replayed": 1}}
    assert [event["game_id"] for event in world.accepted] == ["late-game"]


def test_every_line_has_an_outcome_and_a_copy_of_a_refused_line_was_not_replayed(
    world: World, make_event: MakeEvent
) -> None:
    world.receive(encode(make_event(sequence=-1)), encode(make_event(game_id="late-game")))
    world.add_game("late-game")
    lines = 0
    for key in list(lake.keys(world.s3, BUCKET, "rejected/")):
        body = world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        world.s3.put_object(Bucket=BUCKET, Key=f"{key}-again", Body=body * 2)
        lines += 3
    first = world.replay()
    assert outcomes(first) == {
        "schema_violation": {"rejected still": 1, "copy of a line": 2},
        "unknown_game": {"replayed": 1, "copy of a line": 2},
    }
    assert sum(map(first.total, OUTCOMES)) == lines
    assert outcomes(world.replay())["unknown_game"] == {"replayed before": 3}


def test_days_outside_the_range_are_left_alone(world: World, make_event: MakeEvent) -> None:
    world.receive(encode(make_event(sequence=-1)))
    replay = Replay(world.s3, world, GameRegistry(world.dynamodb, "games"), BUCKET, "raw")  # type: ignore[arg-type]
    assert replay.run([date(2026, 1, 1)], REASONS).outcomes == {}


def test_a_replay_keeps_the_class_of_the_key(world: World, make_event: MakeEvent) -> None:
    registered = make_event(event_type="player_registered", payload={"method": "guest"})
    batch = IngestBatch("skyforge", timestamp(datetime.now(UTC)), None, [encode(registered)])
    world.receive(pack(batch))
    assert outcomes(world.replay()) == {"not_allowed": {"rejected still": 1}}
    world.dynamodb.Table("games").update_item(
        Key={"game_id": "skyforge"},
        UpdateExpression="SET client_limits = :limits",
        ExpressionAttributeValues={":limits": {"types": ["player_registered"], "maxima": {}}},
    )
    assert outcomes(world.replay()) == {"not_allowed": {"replayed": 1}}
    assert [event["verified"] for event in world.accepted] == [False]


REJECT = {
    "reject_id": "shard-0:1",
    "reason": "unknown_game",
    "message": "m",
    "pointer": "",
    "game_id": "skyforge",
    "event_id": None,
    "schema_id": None,
    "received_at": f"{TODAY}T00:00:00.000Z",
    "rejected_at": f"{TODAY}T00:00:01.000Z",
    "ingest_source": "rest",
    "key_class": "client",
    "envelope": "native",
    "country": None,
    "bot": False,
    "position": "1",
    "size_bytes": 2,
    "truncated": False,
}
NEEDED = {"reject_id", "game_id", "received_at", "original"}


class Quarantine:
    """A lake with one object of rejects, and a registry with one game; nothing is sent."""

    def __init__(self, body: bytes, ledger: bytes = b"") -> None:
        self.objects = {f"rejected/day={TODAY}/reason=unknown_game/1": body}
        if ledger:
            self.objects[f"replayed/day={TODAY}/1"] = ledger

    def get_paginator(self, _: str) -> "Quarantine":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        return [{"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}]

    def download_fileobj(self, _: str, key: str, file: IO[bytes], **__: Any) -> None:
        file.write(self.objects[key])

    def get(self, game_id: str) -> dict[str, Any] | None:
        assert 0 < len(game_id) <= 63, "DynamoDB refuses this key"
        game = {"game_id": game_id, "status": "active", "pseudonyms": "on", "privacy_key": b"k" * 32}
        return game if game_id == "skyforge" else None

    def active(self, game_ids: list[str]) -> set[str]:
        return {game_id for game_id in game_ids if self.get(game_id)}

    def replay(self, **options: Any) -> Report:
        replay = Replay(self, None, self, BUCKET, "raw", dry_run=True, **options)  # type: ignore[arg-type]
        return replay.run([TODAY], REASONS)


def kept(event: dict[str, Any], **fields: Any) -> bytes:
    return encode(REJECT | {"original": json.dumps(event)} | fields)


@pytest.fixture
def event(make_event: MakeEvent) -> dict[str, Any]:
    return make_event(event_time=f"{TODAY}T00:00:00.000Z", sent_at=f"{TODAY}T00:00:00.000Z")


def test_lines_that_cannot_be_read_are_counted_and_the_others_go_on(event: dict[str, Any]) -> None:
    good, other = kept(event), kept(event, reject_id="shard-0:2")
    torn = [good[:50], good[:-1], b"[]", b"null", b"\xff", b"[" * 5000, b"{}"]
    report = Quarantine(b"\n".join([good, *torn, b"", other])).replay()
    assert outcomes(report) == {"unknown_game": {"replayed": 2, "unreadable": len(torn)}}
    assert report.still.total() == len(torn)


def test_an_object_that_ends_early_is_counted_and_its_first_lines_go_on(event: dict[str, Any]) -> None:
    lines = [kept(event, reject_id=f"shard-0:{n}", message=str(uuid4())) for n in range(2000)]
    zipped = gzip.compress(b"\n".join(lines))
    counts = outcomes(Quarantine(zipped[: len(zipped) // 2]).replay())["unknown_game"]
    assert counts["unreadable"] == 1
    assert counts["replayed"] > 100
    assert outcomes(Quarantine(b"\x1f\x8bno gzip").replay()) == {"unknown_game": {"unreadable": 1}}


@pytest.mark.parametrize("name", [*REJECT, "original"])
def test_a_reject_may_lack_what_a_replay_can_do_without(event: dict[str, Any], name: str) -> None:
    line = json.loads(kept(event))
    del line[name]
    assert outcomes(Quarantine(encode(line)).replay()) == {
        "unknown_game": {"unreadable" if name in NEEDED else "replayed": 1}
    }


def test_a_reject_without_its_class_has_the_rights_of_a_client(make_event: MakeEvent) -> None:
    event = make_event(event_type="player_registered", payload={"method": "guest"})
    line = json.loads(kept(event))
    del line["key_class"]
    report = Quarantine(encode(line)).replay()
    assert outcomes(report) == {"unknown_game": {"rejected still": 1}}
    assert any(message.startswith("not_allowed") for message in report.still)


@pytest.mark.parametrize(
    "fields",
    [
        {"original": None},
        {"original_base64": ""},
        {"sealed_for": "skyforge"},
        {"received_at": "yesterday"},
        {"received_at": "0001-01-01T00:00:00.000Z"},
        {"received_at": "2026-01-01T00:00:00"},
        {"game_id": ""},
        {"reject_id": 5},
        {"country": []},
        {"envelope": "brown"},
    ],
)
def test_a_field_that_cannot_be_is_counted(event: dict[str, Any], fields: dict[str, Any]) -> None:
    counts = outcomes(Quarantine(kept(event, **fields)).replay(game="skyforge"))
    assert counts == {"unknown_game": {"unreadable": 1}}


def test_a_ledger_that_is_broken_is_named_before_anything_is_sent_again(event: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match=f"replayed/day={TODAY}/1 is broken"):
        Quarantine(kept(event), ledger=b'{"reject_id": "shard').replay()


SEALED = {"original_sealed": "AAAA", "sealed_for": "skyforge"}
GUIDANCE = {"envelope": "guidance", "ingest_source": "stream", "game_id": "unknown"}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
values = json_values | st.sampled_from(
    ["unknown", "stream", "guidance", "server", "!!!", "AAAA", "[" * 900 + "]" * 900, "x" * 3000]
    + [json.dumps({"application_id": name, "event": {}}) for name in ("", "x" * 3000, "skyforge")]
)
names = st.sampled_from([*REJECT, "original", "original_base64", "original_sealed", "sealed_for"])


@st.composite
def broken_lines(draw: st.DrawFn) -> bytes:
    """A reject with other values, fewer fields, or bytes of another kind in it; or any bytes."""
    line: dict[str, Any] = REJECT | draw(st.sampled_from([{"original": "{}"}, SEALED, GUIDANCE]))
    line |= draw(st.dictionaries(names, values, max_size=3))
    for name in draw(st.sets(names, max_size=2)):
        line.pop(name, None)
    text = json.dumps(line).encode()
    at = draw(st.integers(0, len(text)))
    end = draw(st.sampled_from([at, at + 1, len(text)]))
    any_bytes = draw(st.binary(max_size=20))
    return draw(st.sampled_from([text, text[:at] + any_bytes + text[end:], any_bytes]))


@settings(max_examples=400, deadline=None)
@given(
    lines=st.lists(broken_lines(), max_size=4),
    zipped=st.booleans(),
    cut=st.none() | st.integers(0, 400),
    game=st.sampled_from([None, "skyforge"]),
    patch=st.sampled_from([None, [{"op": "add", "path": "/payload/extra/a", "value": 1}]]),
)
def test_no_bytes_in_the_quarantine_end_a_replay(
    lines: list[bytes], zipped: bool, cut: int | None, game: str | None, patch: list[dict[str, Any]] | None
) -> None:
    last = encode(REJECT | {"reject_id": "last", "original": "{"})
    body = b"\n".join([*lines, last])
    body = (gzip.compress(body) if zipped else body)[:cut]
    is_whole = cut is None and (zipped or not body.startswith(b"\x1f\x8b"))
    report = Quarantine(body).replay(game=game, patch=jsonpatch.JsonPatch(patch) if patch else None)
    counted = sum(map(report.total, OUTCOMES))
    if is_whole:
        assert counted == sum(bool(line.strip()) for line in b"\n".join([*lines, last]).split(b"\n"))
        assert report.total("rejected still") >= 1
