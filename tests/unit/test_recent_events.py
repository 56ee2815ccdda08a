"""The recent events of a game: what is kept of each, at what cost, for how long, and who may see it."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from fake_aws import Games, Streams, Tables, encode, processor, records, register
from fastapi.testclient import TestClient
from msgspec.structs import replace
from privacy.data_stores import RecentBatches, Subject
from processor import recent_events as recent
from processor.recent_events import KB_A_SECOND, RecentEvents, kilobytes
from telemetry import recent_events
from telemetry.enrichment import timestamp
from telemetry.field_errors import MAX_ERRORS, MAX_TEXT
from telemetry.ingest_batch import IngestBatch, pack
from telemetry.recent_events import (
    MAX_EVENTS,
    MAX_ITEM_BYTES,
    RecentEvent,
    ShownError,
    packed,
    unpacked,
)
from tools import CommandError, games, tail
from tools.tail import Follower, described, is_wanted

MakeEvent = Callable[..., dict[str, Any]]
NOW = datetime.now(UTC)


class Platform:
    """A processor over tables in memory, and what the API tells of the same tables."""

    def __init__(self, dynamodb: Any, app: Any) -> None:
        self.dynamodb, self.client, self.api = dynamodb, boto3.client("dynamodb"), TestClient(app)
        self.pipeline = processor(dynamodb, self.client, Streams())
        self.number = 0

    def receive(self, *data: bytes, key: str = "skyforge/p-1", shard: str = "shardId-000000000000") -> None:
        found = records(*data, first=self.number + 1, shard=shard)
        for record in found:
            record["kinesis"]["partitionKey"] = key
        self.number += len(found)
        assert self.pipeline.process(found)[1] is None

    def rest(self, *events: dict[str, Any], game: str = "skyforge") -> None:
        at = timestamp(datetime.now(UTC))
        self.receive(pack(IngestBatch(game, at, None, [encode(event) for event in events])))

    def shown(self, game: str = "skyforge", **filters: Any) -> list[dict[str, Any]]:
        answer = self.api.get(f"/v1/games/{game}/events/recent", params=filters)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["events"])


@pytest.fixture
def platform(dynamodb: Any, metrics_app: Any) -> Platform:
    for game in ("skyforge", "farm"):
        register(dynamodb, game)
    games.add_game(dynamodb.Table("games"), "secret", "Secret", pseudonyms=True)
    return Platform(dynamodb, metrics_app)


def test_events_of_both_sources_are_shown_with_what_became_of_them(
    platform: Platform, make_event: MakeEvent
) -> None:
    good = make_event(player_id="p-1")
    bad = make_event("purchase", player_id="p-2", payload={"store": "appel"})
    platform.rest(good, bad)
    platform.receive(encode(make_event(game_id="farm")), b'{"cut": ')
    platform.receive(encode(good))
    found = [
        (e["result"], e["source"], e["event_type"], e["player_id"], e["reason"]) for e in platform.shown()
    ]
    assert found == [
        ("rejected", "stream", "session_start", "p-1", "duplicate"),
        ("rejected", "stream", None, None, "malformed_json"),
        ("rejected", "rest", "purchase", "p-2", "schema_violation"),
        ("accepted", "rest", "session_start", "p-1", None),
    ]
    assert [e["result"] for e in platform.shown("farm")] == ["accepted"]
    answer = platform.api.get("/v1/games/skyforge/events/recent")
    assert answer.headers["cache-control"] == "no-store"
    assert platform.shown()[-1]["original"] == encode(good).decode()


def test_events_of_one_time_stand_as_in_the_stream(platform: Platform, make_event: MakeEvent) -> None:
    platform.rest(*(make_event(player_id=f"p-{n}") for n in range(12)))
    assert [e["player_id"] for e in platform.shown()] == [f"p-{n}" for n in reversed(range(12))]


def test_filters_and_limit_bound_the_answer(platform: Platform, make_event: MakeEvent) -> None:
    platform.rest(*(make_event(player_id=f"p-{n}") for n in range(20)))
    platform.rest(make_event("purchase", player_id="p-3"), make_event(player_id="p-3", sequence=-1))
    assert len(platform.shown(player="p-3")) == 3
    assert len(platform.shown(player="p-3", result="rejected")) == 1
    assert [e["player_id"] for e in platform.shown(type="purchase")] == ["p-3"]
    assert len(platform.shown(limit=5)) == 5
    for wrong in ({"limit": 201}, {"limit": 0}, {"result": "lost"}, {"player": "a b"}, {"colour": "red"}):
        assert platform.api.get("/v1/games/skyforge/events/recent", params=wrong).status_code == 422
    assert platform.api.get("/v1/games/nobodys/events/recent").status_code == 404
    for _ in range(10):
        platform.rest(*(make_event(player_id="p-9") for _ in range(25)))
    assert len(platform.shown()) == 200


def test_a_broken_record_belongs_to_the_game_of_its_partition_key(platform: Platform) -> None:
    platform.receive(b'{"cut": ', key="farm/p-1")
    platform.receive(b'{"cut": "alice"', key="4711")
    assert [e["reason"] for e in platform.shown("farm")] == ["malformed_json"]
    (unknown,) = platform.shown("unknown")
    assert (unknown["original"], unknown["player_id"], unknown["event_id"]) == (None, None, None)


def test_nothing_of_an_event_without_consent_is_shown(platform: Platform, make_event: MakeEvent) -> None:
    platform.rest(make_event(player_id="p-1", privacy={"analytics_storage": "denied"}))
    (shown,) = platform.shown()
    kept = {name: value for name, value in shown.items() if value}
    assert set(kept) == {"position", "received_at", "result", "source", "key_class", "envelope"}
    assert kept["result"] == "withheld"
    assert "p-1" not in str(platform.dynamodb.Table("recent_events").scan()["Items"])


def test_of_a_game_with_pseudonyms_no_player_is_named(platform: Platform, make_event: MakeEvent) -> None:
    sent = [make_event(sequence=0), make_event(sequence=-7), make_event(**{"alice-42": 1})]
    platform.rest(*(event | {"game_id": "secret", "player_id": "alice-42"} for event in sent), game="secret")
    shown = platform.shown("secret")
    assert sorted(e["result"] for e in shown) == ["accepted", "rejected", "rejected"]
    assert not any("alice" in str(e) or "-7" in str(e["errors"]) or e["original"] for e in shown)
    assert {e["errors"][0]["pointer"] for e in shown if e["errors"]} == {"", "/sequence"}
    (player,) = {e["player_id"] for e in shown if e["player_id"]}
    assert len(platform.shown("secret", player=player)) == 1


def test_mail_addresses_are_masked(platform: Platform, make_event: MakeEvent) -> None:
    platform.rest(make_event(player_id="ann@example.com"), make_event(note="ann@example.com"))
    assert len(platform.shown()) == 2
    assert "ann@" not in str(platform.shown())


def test_a_game_may_keep_none(platform: Platform, make_event: MakeEvent) -> None:
    table = platform.dynamodb.Table("games")
    platform.rest(make_event())
    assert len(platform.shown()) == 1
    games.show_recent_events(table, "skyforge", "off")
    assert platform.shown() == []
    assert platform.api.get("/v1/games/skyforge/events/recent").json()["enabled"] is False
    platform.pipeline.registry._known.clear()
    platform.rest(make_event())
    platform.receive(b'{"cut": ')
    assert len(platform.dynamodb.Table("recent_events").scan()["Items"]) == 1
    assert platform.shown("unknown") == []
    with pytest.raises(CommandError, match="keeps no recent events"):
        tail.check("skyforge", "games")
    games.show_recent_events(table, "skyforge", "on")
    tail.check("skyforge", "games")
    with pytest.raises(CommandError, match="not registered"):
        games.show_recent_events(table, "nobodys", "off")
    with pytest.raises(CommandError, match="registered"):
        tail.check("nobodys", "games")


def test_items_expire_and_are_hidden_when_they_have(platform: Platform, make_event: MakeEvent) -> None:
    platform.rest(make_event())
    table = platform.dynamodb.Table("recent_events")
    (item,) = table.scan()["Items"]
    assert abs(int(item["expires_at"]) - time.time() - 24 * 3600) < 600
    table.put_item(Item=item | {"expires_at": int(time.time()) - 1})
    assert platform.shown() == []


def test_a_batch_that_is_handed_in_again_is_shown_once(platform: Platform, make_event: MakeEvent) -> None:
    found = records(*(encode(make_event(player_id=f"p-{n}")) for n in range(3)))
    platform.pipeline.process(found[:2])
    platform.pipeline.process(found)
    assert [e["player_id"] for e in platform.shown()] == ["p-2", "p-1", "p-0"]


def test_events_that_are_handed_back_are_not_shown_yet(platform: Platform, make_event: MakeEvent) -> None:
    streams = platform.pipeline.kinesis
    streams.refuses = lambda stream, data: stream == "enriched"  # type: ignore[union-attr]
    assert platform.pipeline.process(records(encode(make_event())))[1] == "1"
    assert platform.shown() == []


def test_no_event_waits_for_the_table(platform: Platform, make_event: MakeEvent) -> None:
    def fail(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "BatchWriteItem")

    platform.pipeline.recent.dynamodb = type("Broken", (), {"batch_write_item": staticmethod(fail)})
    platform.rest(make_event())
    assert platform.shown() == []


class Clock:
    """A clock that tests move, and a table that counts the write units that it is billed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.units, self.tables = 0.0, 0, Tables()
        monkeypatch.setattr(recent.time, "monotonic", lambda: self.now)
        self.pipeline = processor(Games(("skyforge",)), self.tables, Streams())

    def batch_write_item(self, **request: Any) -> Any:
        (requests,) = request["RequestItems"].values()
        self.units += sum(kilobytes(one["PutRequest"]["Item"]) for one in requests)
        return self.tables.batch_write_item(**request)


def arrivals(make_event: MakeEvent, count: int, game: str = "skyforge") -> list[Any]:
    found = []
    for number in range(count):
        event = make_event(player_id=f"p-{number}", game_id=game, session_id=str(uuid4()))
        pipeline = processor(Games((game,)), Tables(), Streams())
        done, _ = pipeline.process(records(encode(event), first=number + 1))
        found += done
    return found


@pytest.mark.parametrize(("games_sending", "events"), [(1, 200), (40, 5)])
def test_cost_is_bounded_by_seconds_and_not_by_events_or_games(
    monkeypatch: pytest.MonkeyPatch, make_event: MakeEvent, games_sending: int, events: int
) -> None:
    clock = Clock(monkeypatch)
    shown = RecentEvents(clock, "recent_events", _counted_at=clock.now)
    batch = [a for n in range(games_sending) for a in arrivals(make_event, events, f"game-{n}")]
    for _ in range(600):
        clock.now += 1
        shown.add("shard", batch)
    assert clock.units <= recent.BURST_KB + KB_A_SECOND * 600 + MAX_ITEM_BYTES / 1024
    assert clock.units >= KB_A_SECOND * 500
    # Each game is served in turn, and what was left out is told.
    rows = [unpacked(item) for item in clock.tables.items["recent_events"].values()]
    assert len({str(row.key["game_id"]) for row in rows}) == games_sending
    assert sum(row.left_out for row in rows) > 0


def test_an_item_of_25_events_costs_what_the_cost_model_says(make_event: MakeEvent) -> None:
    from tools.costs import model

    types = ("session_start", "progression", "economy", "purchase", "design", "performance")
    clock_tables = Tables()
    pipeline = processor(Games(("skyforge",)), clock_tables, Streams())
    sent = [make_event(types[n % 6], player_id=f"p-{n}", session_id=str(uuid4())) for n in range(MAX_EVENTS)]
    pipeline.process(records(*map(encode, sent)))
    (item,) = clock_tables.items["recent_events"].values()
    assert len(unpacked(item).events) == MAX_EVENTS
    assert kilobytes(item) == model.usage("recent_item_kb")


def test_what_waits_is_written_with_the_next_batch(
    monkeypatch: pytest.MonkeyPatch, make_event: MakeEvent
) -> None:
    clock = Clock(monkeypatch)
    shown = RecentEvents(clock, "recent_events", _counted_at=clock.now)
    shown._left_kb = 0.0
    first, second = arrivals(make_event, 2)
    shown.add("shard", [first])
    assert not clock.tables.items["recent_events"]
    clock.now += 10
    shown.add("shard", [second])
    (item,) = clock.tables.items["recent_events"].values()
    assert [event.player_id for event in unpacked(item).events] == ["p-0", "p-1"]


def test_rejected_events_are_kept_among_many_accepted_ones(make_event: MakeEvent) -> None:
    tables = Tables()
    pipeline = processor(Games(("skyforge",)), tables, Streams())
    sent = [make_event(player_id="bad", sequence=-1), *(make_event(player_id=f"p-{n}") for n in range(60))]
    pipeline.process(records(*map(encode, sent)))
    (item,) = tables.items["recent_events"].values()
    kept = unpacked(item)
    assert len(kept.events) == MAX_EVENTS
    assert kept.left_out == 61 - MAX_EVENTS
    assert [e.player_id for e in kept.events][:2] == ["bad", "p-36"]
    pipeline = processor(Games(("skyforge",)), all_bad := Tables(), Streams())
    pipeline.process(records(*(encode(make_event(sequence=-1)) for _ in range(60))))
    assert len(unpacked(*all_bad.items["recent_events"].values()).events) == recent.MAX_REJECTED


def test_an_item_is_bounded_in_bytes_whatever_clients_send() -> None:
    events = [
        RecentEvent(
            f"s:{n}/0", "2026-01-31T12:00:00.000Z", "rejected", "rest", original=secrets.token_hex(1000)
        )
        for n in range(MAX_EVENTS)
    ]
    item = packed("skyforge", events, 0, time.time())
    kept = unpacked(item)
    assert len(item["events"]["B"]) <= MAX_ITEM_BYTES
    assert 0 < len(kept.events) < MAX_EVENTS
    assert kept.left_out == MAX_EVENTS - len(kept.events)
    assert kept.events[-1] == events[-1]


def test_an_event_with_all_errors_that_there_can_be_fits_an_item() -> None:
    texts = [secrets.token_hex(MAX_TEXT // 2) for _ in range(2 * MAX_ERRORS)]
    errors = tuple(ShownError(*texts[n : n + 2]) for n in range(0, len(texts), 2))
    event = RecentEvent(
        "s:1/0", "2026-01-31T12:00:00.000Z", "rejected", "rest", reason="schema_violation", errors=errors
    )
    (kept,) = unpacked(packed("skyforge", [event], 0, time.time())).events
    assert kept.errors == errors
    wide = [ShownError("\U0001f600" * MAX_TEXT, secrets.token_urlsafe(900)) for _ in range(MAX_ERRORS)]
    item = packed("skyforge", [replace(event, errors=tuple(wide))], 0, time.time())
    assert len(item["events"]["B"]) <= MAX_ITEM_BYTES
    assert unpacked(item).events[0].errors == (wide[0],)


def test_the_errors_of_others_events_that_name_a_player_are_found(
    platform: Platform, make_event: MakeEvent
) -> None:
    long = "ann-4711-0815"
    store = RecentBatches(platform.client, "recent_events")
    platform.rest(make_event(player_id="carl", sequence=-1) | {long: 1} | {"note": "x" * 3000})
    (shown,) = platform.shown()
    assert shown["original"] is None
    assert [error["pointer"] for error in shown["errors"]] == ["/sequence", f"/{long}", "/note"]
    assert len(list(store.find(Subject("skyforge", long)))) == 1


def test_export_and_erasure_find_a_player_here(platform: Platform, make_event: MakeEvent) -> None:
    long = "ann-4711-0815"
    store = RecentBatches(platform.client, "recent_events")
    platform.rest(
        make_event(player_id=long), make_event(player_id=long, sequence=-1), make_event(player_id="bob")
    )
    platform.rest(make_event("design", player_id="carl", payload={"name": "met", "extra": {"friend": long}}))
    platform.rest(make_event(player_id="dora"))
    platform.rest(make_event(player_id=long, game_id="farm"), game="farm")
    found = list(store.find(Subject("skyforge", long)))
    assert sorted(record.get("result", "mentioned") for record in found) == [
        "accepted",
        "mentioned",
        "rejected",
    ]
    assert "carl" not in str(found)
    assert store.erase(Subject("skyforge", long)) == 3
    assert list(store.find(Subject("skyforge", long))) == []
    assert [e["player_id"] for e in platform.shown()] == ["dora"]
    assert [e["player_id"] for e in platform.shown("farm")] == [long]
    assert store.erase(Subject("skyforge", long)) == 0


def test_erasure_finds_a_player_by_the_pseudonym(platform: Platform, make_event: MakeEvent) -> None:
    platform.rest(make_event(player_id="alice-42", game_id="secret"), game="secret")
    item = platform.dynamodb.Table("games").get_item(Key={"game_id": "secret"})["Item"]
    from telemetry.pseudonyms import Pseudonyms

    subject = Subject(
        "secret", "alice-42", Pseudonyms.held(item | {"privacy_key": bytes(item["privacy_key"])})
    )
    store = RecentBatches(platform.client, "recent_events")
    assert len(list(store.find(subject))) == 1
    assert store.erase(subject) == 1
    assert platform.shown("secret") == []


def test_the_command_follows_what_comes(platform: Platform, make_event: MakeEvent) -> None:
    platform.rest(make_event(player_id="before"))
    follower = Follower(platform.client, "recent_events", "skyforge")
    assert list(follower.read()) == []
    client = {"platform": "ios", "app_version": "1.0", "os": "17"}
    platform.rest(make_event(player_id="p-1"), make_event(player_id="p-2", sequence=-1, client=client))
    platform.receive(encode(make_event(player_id="p-3", privacy={"analytics_storage": "denied"})))
    lines = [described(event) for event in follower.read()]
    assert [line.split()[1:3] for line in lines] == [
        ["accepted", "rest"], ["rejected", "rest"], ["withheld", "stream"],
    ]  # fmt: skip
    assert lines[1].partition("schema_violation")[2] == (
        ' at /sequence: "sequence" must be from 0 to 2147483647, not -1;'
        ' at /client/os: "client" has no field "os"'
    )
    assert lines[2].split()[3:] == []
    assert list(follower.read()) == []


def test_the_command_shows_what_is_written_late_once(platform: Platform) -> None:
    def write(number: int, seconds: int, left_out: int = 0) -> None:
        at = timestamp(NOW + timedelta(seconds=seconds))
        event = RecentEvent(f"s:{number}/0", at, "accepted", "rest", player_id=f"p-{number}")
        item = packed("skyforge", [event], left_out, time.time())
        platform.client.put_item(TableName="recent_events", Item=item)

    follower = Follower(platform.client, "recent_events", "skyforge")
    write(1, 0)
    assert [event.player_id for event in follower.read()] == ["p-1"]
    write(2, -60, left_out=7)
    write(3, 3600)
    assert [event.player_id for event in follower.read()] == ["p-2", "p-3"]
    assert follower.left_out == 7
    assert list(follower.read()) == []
    assert follower.left_out == 7


def test_the_command_filters_and_does_not_let_clients_steer_the_terminal() -> None:
    event = RecentEvent("s:1/0", timestamp(NOW), "rejected", "rest", event_type="\x1b[2J\n", player_id="p-1",
                        reason="unknown_schema", errors=(ShownError("", "x\x1b]0;"),))  # fmt: skip
    assert described(event).isprintable()
    assert "?[2J?" in described(event)
    assert is_wanted(event, "p-1", refused=True)
    assert not is_wanted(event, "p-2", refused=False)
    accepted = RecentEvent("s:1/0", timestamp(NOW), "accepted", "rest")
    assert is_wanted(accepted, None, refused=False)
    assert not is_wanted(accepted, None, refused=True)


def test_the_command_does_not_ask_more_than_once_a_second() -> None:
    assert tail.PAUSE_SECONDS >= 1
    assert recent_events.KEPT_SECONDS == 24 * 3600
