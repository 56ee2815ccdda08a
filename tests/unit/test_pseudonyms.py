"""A game with pseudonyms: its players' ids are found nowhere, and everything works as for the others."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from fake_aws import Streams, counters, encode, processor, records
from processor.pipeline import Pipeline
from telemetry import catalog, guidance
from telemetry.enrichment import timestamp
from telemetry.games import GameRegistry
from telemetry.ingest_batch import IngestBatch, pack
from telemetry.pseudonyms import Pseudonyms, Unopened, original_of
from telemetry.rejection import Rejection
from telemetry.validation import validate
from tools import CommandError, games
from tools.replay import named_game, repaired

MakeEvent = Callable[..., dict[str, Any]]
RAW = "ann-of-the-hills"
GAME = "skyforge"


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
def pipeline(dynamodb: Any, streams: Streams) -> Pipeline:
    table = dynamodb.Table("games")
    games.add_game(table, GAME, "Skyforge", pseudonyms=True)
    games.add_game(table, "farm", "Farm")
    return processor(dynamodb, boto3.client("dynamodb"), streams)


@pytest.fixture
def pseudonyms(pipeline: Pipeline, dynamodb: Any) -> Pseudonyms:
    found = Pseudonyms.held(dynamodb.Table("games").get_item(Key={"game_id": GAME})["Item"])
    assert found
    return found


def written(streams: Streams, dynamodb: Any) -> str:
    """All that the processor wrote, anywhere."""
    tables = [dynamodb.Table(name).scan()["Items"] for name in ("dedupe", "ingest_stats")]
    return str([streams.taken, *(streams.lines(name) for name in ("bronze", "rejected")), tables])


def rest(*raw: bytes) -> bytes:
    return pack(IngestBatch(GAME, timestamp(datetime.now(UTC)), None, list(raw)))


def test_the_id_is_found_nowhere_whatever_becomes_of_the_event(
    pipeline: Pipeline, pseudonyms: Pseudonyms, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    known: dict[str, Any] = {"game_id": GAME, "player_id": RAW}
    named = make_event(**known, payload={"extra": {"friend": RAW, "hills": 7}})
    batch = [
        encode(named),
        rest(encode(make_event(**known)), encode(named)),
        encode(make_event("purchase", **known, payload={})),
        encode(make_event(**known | {"player_id": f"{RAW} the first"})),
        encode(make_event(**known, event_time=timestamp(datetime.now(UTC) - timedelta(days=40)))),
        rest(f'{{"player_id": "{RAW}", broken'.encode()),
        encode(make_event(**known, event_id=f"{RAW}:17")),
        encode(make_event(**known) | {"event_type": f"login_{RAW}"}),
        encode(make_event(**known) | {"schema_version": RAW}),
        rest(encode(make_event(game_id="farm", player_id=RAW))),
    ]
    partition_keyed = records(f"{RAW}\xff".encode("latin-1"), first=50)
    partition_keyed[0]["kinesis"]["partitionKey"] = f"{GAME}/{RAW}"
    done, _ = pipeline.process(records(*batch) + partition_keyed)
    assert [a.rejection.reason for a in done if a.rejection] == [
        "duplicate", "schema_violation", "schema_violation", "too_old", "malformed_json",
        "schema_violation", "unknown_schema", "unknown_schema", "wrong_game", "malformed_json",
    ]  # fmt: skip
    everything = written(streams, dynamodb)
    assert RAW not in everything
    assert base64.b64encode(RAW.encode()).decode()[:-2] not in everything
    first, second = streams.lines("bronze")
    assert {first["player_id"], second["player_id"]} == {pseudonyms.player(RAW)}
    assert first["payload"]["extra"] == {"friend": pseudonyms.player(RAW), "hills": 7}
    assert named["session_id"] not in everything
    assert len({key for key, _ in streams.taken["enriched"]}) == 1


def test_a_sealed_reject_has_labels_that_name_nobody(
    pipeline: Pipeline, streams: Streams, make_event: MakeEvent
) -> None:
    """An event_id of the client's own, and a type or version that no schema has, may hold the id."""
    player, known = str(uuid.uuid4()), str(uuid.uuid4())
    sent = [
        {"event_id": known, "event_type": "purchase"},
        {"event_id": player, "event_type": "purchase"},
        {"event_id": f"{player}:17", "event_type": f"login_{player}"},
    ]
    for fields in sent:
        event = make_event(game_id=GAME, player_id=player) | fields | {"payload": {}}
        pipeline.process(records(encode(event)))
    lines = streams.lines("rejected")
    labels = [(line["event_id"], line["schema_id"]) for line in lines]
    assert labels == [(known, "purchase/1-0-0"), (None, "purchase/1-0-0"), (None, None)]
    assert player not in str(lines)


def test_the_id_is_replaced_in_every_text_and_the_event_stays_valid(
    pseudonyms: Pseudonyms, make_event: MakeEvent
) -> None:
    """A transaction, a level, a device and a stack once kept it; a platform of that name is no player."""
    for event_type, fields in {
        "purchase": {"transaction_id": f"store/{RAW}-17"},
        "progression": {"level_1": f"home-of/{RAW}/{'x' * 30}"},
        "crash": {"message": f"no save of {RAW}", "stack": f"load({RAW})", "signature": f"save:{RAW}"},
        "design": {"name": RAW, "extra": {"note": f"{RAW} met {RAW}", "user_id": "another"}},
    }.items():
        event = make_event(event_type, game_id=GAME, player_id=RAW)
        event["payload"] |= fields
        event["client"] |= {"device_model": f"phone of {RAW}"}
        validate(event)
        found = pseudonyms.replaced(event)
        assert RAW not in json.dumps(found)
        assert validate(found)
    named = make_event(game_id=GAME, player_id="android")
    named["client"]["platform"] = "android"
    assert pseudonyms.replaced(named)["client"]["platform"] == "android"


@pytest.mark.parametrize(
    ("player", "text", "left"),
    [
        ("1042", "1042-20260101-7", "?-20260101-7"),
        ("1042", "player:1042", "player:?"),
        ("1042", "u_1042", "u_?"),
        ("1042", "10421", "10421"),
        ("bob.smith", "bob.smith:17", "?:17"),
        ("7", "u_7", "u_?"),
        ("7", "world-7", "world-7"),
        ("player-1234567890", "https://x/p=PLAYER-1234567890", "https://x/p=?"),
        ("Unity", "unity", "unity"),
    ],
)
def test_an_id_is_replaced_next_to_any_sign(
    pseudonyms: Pseudonyms, make_event: MakeEvent, player: str, text: str, left: str
) -> None:
    """A transaction made of a player's id once kept it."""
    event = make_event(game_id=GAME, player_id=player, payload={"extra": {"ref": text}})
    expected = left.replace("?", pseudonyms.player(player))
    assert pseudonyms.replaced(validate(event))["payload"]["extra"]["ref"] == expected


def test_linked_ids_have_their_own_pseudonyms(
    pipeline: Pipeline, pseudonyms: Pseudonyms, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    guest = "guest-of-the-hills"
    payload = {"previous_player_id": guest, "extra": {"device_of": guest, "name": f"{RAW}, once {guest}"}}
    named = make_event("identify", game_id=GAME, player_id=RAW, payload=payload)
    done, _ = pipeline.process(records(encode(named)))
    assert [arrival.rejection for arrival in done] == [None]
    (event,) = streams.lines("bronze")
    assert event["player_id"] == pseudonyms.player(RAW)
    assert event["payload"]["previous_player_id"] == pseudonyms.player(guest)
    text = written(streams, dynamodb)
    assert RAW not in text
    assert guest not in text
    validate(named | {"payload": event["payload"]})


def test_each_field_of_a_payload_that_holds_a_player_is_known() -> None:
    assert catalog.player_fields() == {"previous_player_id"}


def test_the_friend_of_a_player_with_pseudonyms_keeps_another_id(
    pseudonyms: Pseudonyms, make_event: MakeEvent
) -> None:
    extra = {"friend": "jo-anna", "friend_id": "anna"}
    event = make_event(game_id=GAME, player_id="anna", payload={"extra": extra})
    found = pseudonyms.replaced(event)["payload"]["extra"]
    assert found == {"friend": "jo-anna", "friend_id": pseudonyms.player("anna")}


@pytest.mark.parametrize("player", [RAW, 4_711_471_147, "ann of the hills"])
def test_the_guidances_envelope_names_nobody_either(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, player: str | int
) -> None:
    """Its sessions are made of player and day, its other fields come along as they are."""
    data = {"user_id": player, "friend": player if player == RAW else "", "map": "ice"}
    inner = {"event_id": "e-1", "event_type": "raid", "event_timestamp": int(time.time()), "event_data": data}
    now = timestamp(datetime.now(UTC))
    batch = IngestBatch(GAME, now, None, [json.dumps(inner).encode()], envelope="guidance")
    pipeline.process(records(pack(batch)))
    (line,) = streams.lines("bronze")
    assert line["payload"]["extra"]["map"] == "ice"
    assert str(player) not in written(streams, dynamodb)
    assert line["session_id"] not in str(guidance.translate(inner, GAME, datetime.now(UTC)))


def test_a_disabled_games_rejects_are_sealed_too(
    pipeline: Pipeline, pseudonyms: Pseudonyms, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    games.set_status(dynamodb.Table("games"), GAME, "disabled")
    event = make_event(game_id=GAME, player_id=RAW)
    pipeline.process(records(encode(event)))
    (line,) = streams.lines("rejected")
    assert (line["reason"], line["game_id"], named_game(line)) == ("unknown_game", "unknown", GAME)
    assert RAW not in written(streams, dynamodb)
    assert json.loads(original_of(line, pseudonyms)) == event


def test_a_pseudonym_can_be_made_by_who_holds_the_key_and_differs_by_game(dynamodb: Any) -> None:
    table = dynamodb.Table("games")
    names = []
    for game in (GAME, "farm"):
        games.add_game(table, game, game, pseudonyms=True)
        found = Pseudonyms.held(table.get_item(Key={"game_id": game})["Item"])
        assert found
        expected = hmac.new(found.key, b"player\0" + RAW.encode(), hashlib.sha256).hexdigest()
        assert found.player(RAW) == expected
        names.append(expected)
    assert names[0] != names[1]


def test_other_games_are_as_they_were(pipeline: Pipeline, streams: Streams, make_event: MakeEvent) -> None:
    event, broken = (
        make_event(game_id="farm", player_id=RAW),
        make_event("purchase", game_id="farm", payload={}),
    )
    pipeline.process(records(encode(event), encode(broken)))
    (line,) = streams.lines("bronze")
    assert (line["player_id"], line["session_id"]) == (RAW, event["session_id"])
    (reject,) = streams.lines("rejected")
    assert json.loads(reject["original"]) == broken
    assert "sealed_for" not in reject


def test_a_replay_gives_the_same_pseudonym_once(
    pipeline: Pipeline, pseudonyms: Pseudonyms, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    """Quarantined for a game that was disabled, sent again twice: one event, hashed once."""
    table = dynamodb.Table("games")
    games.set_status(table, GAME, "disabled")
    event = make_event(game_id=GAME, player_id=RAW)
    pipeline.process(records(encode(event)))
    games.set_status(table, GAME, "active")
    (line,) = streams.lines("rejected")
    registry = GameRegistry(dynamodb, "games")
    pipeline.registry._known.clear()
    for first in (10, 20):
        pipeline.process(records(repaired(line, registry, None).data, first=first))
    (replayed,) = streams.lines("bronze")
    assert (replayed["event_id"], replayed["player_id"]) == (event["event_id"], pseudonyms.player(RAW))
    assert len(streams.lines("rejected")) == 1
    assert counters(dynamodb.Table("ingest_stats").scan()["Items"])[f"{GAME}/replayed"] == 1


def test_without_its_key_a_game_takes_no_events_and_keeps_no_ids(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    dynamodb.Table("games").update_item(Key={"game_id": GAME}, UpdateExpression="REMOVE privacy_key")
    pipeline.process(records(encode(make_event(game_id=GAME, player_id=RAW))))
    (line,) = streams.lines("rejected")
    assert (line["reason"], line["sealed_for"]) == ("unknown_game", GAME)
    assert RAW not in written(streams, dynamodb)


def test_without_its_key_a_reject_stays_shut(
    pipeline: Pipeline, pseudonyms: Pseudonyms, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    """Deleting the key erases the quarantine."""
    pipeline.process(records(encode(make_event("purchase", game_id=GAME, payload={}))))
    (line,) = streams.lines("rejected")
    with pytest.raises(Unopened):
        original_of(line, None)
    with pytest.raises(Unopened):
        original_of(line, Pseudonyms(GAME, b"another"))
    with pytest.raises(Unopened):
        Pseudonyms("farm", pseudonyms.key).opened(line["original_sealed"])
    dynamodb.Table("games").update_item(Key={"game_id": GAME}, UpdateExpression="REMOVE privacy_key")
    with pytest.raises(Rejection, match="gone"):
        repaired(line, GameRegistry(dynamodb, "games"), None)


def test_the_option_is_turned_on_and_off_and_on_with_one_key(
    pipeline: Pipeline, streams: Streams, dynamodb: Any, make_event: MakeEvent
) -> None:
    table = dynamodb.Table("games")
    for state in ("on", "off", "on"):
        games.use_pseudonyms(table, "farm", state)
        pipeline.registry._known.clear()
        pipeline.process(records(encode(make_event(game_id="farm", player_id=RAW))))
    first, second, third = (line["player_id"] for line in streams.lines("bronze"))
    assert (first == third, second) == (True, RAW)
    with pytest.raises(CommandError, match="not registered"):
        games.use_pseudonyms(table, "nowhere", "on")


def test_a_sealed_reject_is_no_longer_than_one_in_base64(
    pipeline: Pipeline, streams: Streams, dynamodb: Any
) -> None:
    """Firehose takes no record over 1,000 KiB."""
    pipeline.process(records(rest(b"{" * 900_000)))
    (line,) = streams.lines("rejected")
    assert line["truncated"]
    assert len(json.dumps(line)) < 1_000_000
