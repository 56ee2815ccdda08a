"""Events that the guidance's first version puts on the stream itself: accepted, refused, replayed, erased."""

import time
from typing import Any
from uuid import uuid4

import boto3
import pytest
from fake_aws import SHARD, Streams, encode, processor, records, register
from privacy.data_stores import Subject, cut_reject
from privacy.erasure import Game
from telemetry.games import GameRegistry
from telemetry.rejection import Rejection
from tools import games, replay

GAME = "6f2b8a1c-0d55-4c7e-8a2e-2f6a4b8d9c10"


def sent(event_type: str = "login", application: str = GAME, **data: Any) -> dict[str, Any]:
    return {
        "event": {
            "event_version": "1.0.0",
            "event_id": str(uuid4()),
            "event_type": event_type,
            "event_name": event_type,
            "event_timestamp": int(time.time()),
            "app_version": "1.1.0",
            "event_data": data,
        },
        "application_id": application,
    }


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
def receive(dynamodb: Any, streams: Streams) -> Any:
    register(dynamodb, GAME)
    pipeline = processor(dynamodb, boto3.client("dynamodb"), streams)

    def process(*events: Any, first: int = 1) -> None:
        assert pipeline.process(records(*map(encode, events), first=first))[1] is None

    process.pipeline = pipeline  # type: ignore[attr-defined]
    return process


def test_they_are_accepted_as_on_the_route(receive: Any, streams: Streams) -> None:
    receive(sent(user_id="p-1"), sent("iap_transaction", currency_type="YEN", currency_amount=120))
    found = {line["event_type"]: line for line in streams.lines("bronze")}
    assert found["session_start"]["player_id"] == "p-1"
    assert found["purchase"]["payload"]["currency"] == "JPY"
    assert {line["game_id"] for line in found.values()} == {GAME}
    assert {line["ingest_source"] for line in found.values()} == {"stream"}
    assert streams.lines("rejected") == []


def test_several_in_a_record_and_native_ones_beside_them(
    receive: Any, streams: Streams, make_event: Any
) -> None:
    receive([sent(), sent("logout"), make_event(game_id=GAME)])
    kinds = sorted(line["event_type"] for line in streams.lines("bronze"))
    assert kinds == ["session_end", "session_start", "session_start"]


def test_a_refused_one_is_kept_in_its_own_envelope_and_replayed(
    receive: Any, streams: Streams, dynamodb: Any
) -> None:
    bad = sent("iap_transaction", user_id="p-1", currency_type="GEMS", currency_amount=5)
    receive(bad)
    (reject,) = streams.lines("rejected")
    assert (reject["envelope"], reject["game_id"], reject["ingest_source"]) == ("guidance", GAME, "stream")
    assert reject["pointer"] == "/event/event_data/currency_type"
    assert reject["original"] == encode(bad).decode()
    registry = GameRegistry(dynamodb, "games")
    with pytest.raises(Rejection, match="no currency"):
        replay.repaired(reject, registry, None)
    import jsonpatch

    patch = jsonpatch.JsonPatch(
        [{"op": "replace", "path": "/event/event_data/currency_type", "value": "USD"}]
    )
    entry = replay.repaired(reject, registry, patch)
    (again,) = records(entry.data, first=9)
    receive.pipeline.process([again])
    (line,) = streams.lines("bronze")
    assert (line["event_type"], line["payload"]["amount_minor"]) == ("purchase", 500)


def test_one_of_an_application_that_is_not_registered_is_of_no_game(
    receive: Any, streams: Streams, dynamodb: Any
) -> None:
    receive(sent(application="nobodys"))
    (reject,) = streams.lines("rejected")
    assert (reject["reason"], reject["game_id"]) == ("unknown_game", "unknown")
    registry = GameRegistry(dynamodb, "games")
    with pytest.raises(Rejection, match="not registered"):
        replay.repaired(reject, registry, None)
    register(dynamodb, "nobodys")
    entry = replay.repaired(reject, GameRegistry(dynamodb, "games"), None)
    assert entry.partition_key.startswith("nobodys/")


def test_a_game_names_its_fields_and_erasure_knows_them(
    receive: Any, streams: Streams, dynamodb: Any
) -> None:
    table = dynamodb.Table("games")
    games.name_guidance_fields(table, GAME, ["uid"], ["run"])
    receive(sent(uid="p-1", run="r-1"), sent("iap_transaction", uid="p-1", user_id="x", currency_amount=1))
    (line,), (reject,) = streams.lines("bronze"), streams.lines("rejected")
    assert line["player_id"] == "p-1"
    games.privacy_key(table, GAME)
    subject = Game.of(table.get_item(Key={"game_id": GAME})["Item"]).subject("p-1")
    cut = cut_reject(encode(reject), subject)
    assert cut is not None
    assert (len(cut.found), cut.kept) == (1, None)
    # Without the game's field it would be a line of another player.
    assert cut_reject(encode(reject), Subject(GAME, "x")) is not None
    assert SHARD in reject["reject_id"]
