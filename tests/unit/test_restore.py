"""What was lost comes back as it was: state from bronze, items from a backup, objects from their versions."""

import gzip
import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import orjson
import pytest
from enriched_stream import leaderboards_of
from leaderboards.entries import Leaderboards
from player_state import buckets
from player_state.players import PlayerStore, Record
from stored_state import state
from telemetry import ad_spend
from telemetry.ad_spend import Spend
from telemetry.client_names import NameLimits
from telemetry.enrichment import enrich, timestamp
from telemetry.origin import Origin
from telemetry.raw_position import RawPosition, parse
from tools import CommandError, boards, corrections, games, restore
from tools.players import Platform
from tools.restore import Consumers, Ledger, Restore, Scope

BUCKET = "lake"
NOW = datetime.now(UTC)
TABLES = {name: name for name in ("players", "game_days", "leaderboards", "boards", "games")}
TYPES = (
    "session_start",
    "session_heartbeat",
    "purchase",
    "economy",
    "progression",
    "score_submitted",
    "crash",
)
Event = dict[str, Any]


class Switch:
    """Stands in for the readers of the stream."""

    def __init__(self) -> None:
        self.on = True

    def stop(self) -> datetime:
        self.on = False
        return NOW

    def changed(self) -> datetime:
        return NOW

    def start(self) -> None:
        self.on = True


@pytest.fixture
def s3(dynamodb: Any) -> Any:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture
def events(s3: Any, make_event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """Two games' late events, applied as they came; bronze has them in disorder, some twice."""
    # moto is not safe among threads.
    monkeypatch.setattr(restore, "LANES", 1)
    shuffle = random.Random(7)
    made: list[Event] = []
    for number in range(60):
        moment = NOW - timedelta(hours=7) + timedelta(minutes=6 * number)
        sent = make_event(
            TYPES[number % len(TYPES)],
            game_id="moon" if number % 3 else "sun",
            player_id=f"p-{number % 5}",
            session_id=f"00000000-0000-4000-8000-{number // 10:012}",
            event_time=timestamp(moment),
            sent_at=timestamp(moment),
        )
        event = enrich(sent, Origin(moment, "rest", None, False))
        place = RawPosition(0, number - number % 20, number, 0).text
        made.append(event | {"late": True, "processed_at": timestamp(moment), "raw_position": place})
    apply(made)
    for start in range(0, len(made), 20):
        lines = made[start : start + 20] + made[start : start + 3]
        shuffle.shuffle(lines)
        for half in (lines[::2], lines[1::2]):
            body = gzip.compress(b"".join(orjson.dumps(event) + b"\n" for event in half) + b"torn {\n")
            hour = made[start]["processed_at"][:13].replace("-", "/").replace("T", "/")
            key = f"bronze/{hour}/{shuffle.random()}"
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return made


def apply(events: list[Event]) -> None:
    """Do what player_state does with a batch."""
    client = boto3.client("dynamodb")
    for start in range(0, len(events), 50):
        records = [
            Record(parse(event["raw_position"]).sequence + 1, event) for event in events[start : start + 50]
        ]
        assert not PlayerStore(client, "players", "game_days").apply(records, "shardId-000000000000").lost
        leaderboards_of(client).submit(events[start : start + 50])


def restoring(s3: Any, switch: "Switch | Consumers | None" = None) -> Restore:
    no_time = timedelta(0)
    return Restore(Ledger(s3, BUCKET), switch or Switch(), TABLES, no_time)  # type: ignore[arg-type]


def lose(*tables: str, game: str | None = None) -> None:
    for table in tables:
        restore.clear(boto3.resource("dynamodb").Table(table), game)


def test_state_that_is_lost_is_made_again_from_bronze(s3: Any, events: list[Event]) -> None:
    before, switch = state(TABLES), Switch()
    assert len(before) > 20
    lose("players", "game_days", "leaderboards")
    assert not state(TABLES)
    assert restoring(s3, switch).run(Scope()) == len(events)
    assert state(TABLES) == before
    assert switch.on
    assert not Ledger(s3, BUCKET).read()


def test_uploaded_costs_stay(s3: Any, events: list[Event]) -> None:
    made = [
        Spend(date(2026, 1, 30), "north", "", "USD", 5_000_000),
        Spend(date(2026, 2, 1), "", "", "EUR", 1),
    ]
    table = boto3.resource("dynamodb").Table("game_days")
    for spend in made:
        table.put_item(Item=ad_spend.item("sun", spend))
    before = state(TABLES)
    assert restoring(s3).run(Scope()) == len(events)
    assert state(TABLES) == before
    assert [row["micros"] for row in restore.items(table, "sun") if "micros" in row] == [5_000_000, 1]


def test_a_game_and_a_part_leave_the_others_alone(s3: Any, events: list[Event]) -> None:
    before = state(TABLES)
    boto3.resource("dynamodb").Table("players").put_item(Item={"player": "moon#ghost", "player_id": "ghost"})
    lose("leaderboards", game="sun")
    assert restoring(s3).run(Scope(game="sun", only="leaderboards")) == sum(
        e["game_id"] == "sun" for e in events
    )
    boards = [
        row
        for row in restore.items(boto3.resource("dynamodb").Table("game_days"), None)
        if "9999" in row["game_day"]
    ]
    assert restoring(s3).run(Scope(only="players")) == len(events)
    assert state(TABLES) == before, "what does not come from events is gone"
    left = restore.items(boto3.resource("dynamodb").Table("game_days"), None)
    assert {row["game_day"]: row for row in boards}.items() <= {row["game_day"]: row for row in left}.items()
    assert len(boards) == 2


@pytest.mark.parametrize("broken", [2, 4])
def test_one_that_dies_goes_on_where_it_was(
    s3: Any, events: list[Event], monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    before, calls, switch = state(TABLES), 0, Switch()
    submit = Leaderboards.submit

    def dies(self: Leaderboards, chunk: list[Event]) -> list[Event]:
        nonlocal calls
        calls += 1
        written = submit(self, chunk)
        return chunk if calls == broken else written

    monkeypatch.setattr(restore, "CHUNK", 15)
    monkeypatch.setattr(Leaderboards, "submit", dies)
    with pytest.raises(CommandError, match="15 events could not be written: run the same command again"):
        restoring(s3, switch).run(Scope())
    assert not switch.on, "it would change what is restored"
    with pytest.raises(CommandError, match="is not finished"):
        restoring(s3).run(Scope(game="sun"))
    assert restoring(s3, switch).run(Scope()) == len(events)
    assert state(TABLES) == before
    assert calls == 4 + 1


def test_a_backup_is_brought_up_to_date_from_bronze(s3: Any, events: list[Event]) -> None:
    after, tables = state(TABLES), ("players", "game_days", "leaderboards")
    lose(*tables)
    apply(events[:35])
    dynamodb = boto3.resource("dynamodb")
    for table in map(dynamodb.Table, tables):
        backup = dynamodb.create_table(
            TableName=f"{table.name}-backup",
            KeySchema=table.key_schema,
            AttributeDefinitions=[
                {"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in table.key_schema
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        assert restore.copy(table, backup, None) > 0
    lose(*tables)
    for name in tables:
        assert restore.copy(dynamodb.Table(f"{name}-backup"), dynamodb.Table(name), None) > 0
    since = datetime.fromisoformat(events[34]["processed_at"]) - timedelta(minutes=15)
    assert restoring(s3).run(Scope(since=timestamp(since))) == len(events) - 32
    assert state(TABLES) == after


def correct(events: list[Event]) -> None:
    """Take a purchase back, adjust a counter and remove an entry of the game `moon`."""
    dynamodb, lake = boto3.resource("dynamodb"), Platform(TABLES, BUCKET, "arn:somebody")
    if "Item" not in dynamodb.Table("games").get_item(Key={"game_id": "moon"}):
        games.add_game(dynamodb.Table("games"), "moon", "Moon")
    own = [event for event in events if event["game_id"] == "moon"]
    fake = next(event for event in own if event["event_type"] == "purchase")
    sold = (fake["payload"]["store"], fake["payload"]["transaction_id"])
    lake.apply(lake.void_purchase("moon", fake["player_id"], *sold, "fake"))
    lake.adjust(lake.adjustment("moon", buckets.of_day(fake["event_date"]), "payers", 3, "lost"))
    cheated = next(event for event in own if event["event_type"] == "score_submitted")
    removal = boards.removal(
        dynamodb.Table("boards"),
        dynamodb.Table("leaderboards"),
        games.named(dynamodb.Table("games"), "moon"),
        cheated["payload"]["leaderboard"],
        cheated["player_id"],
        datetime.fromisoformat(cheated["event_date"]).date(),
    )
    corrections.keep(boto3.client("s3"), BUCKET, removal)
    removal.apply(dynamodb.Table("leaderboards"), cheated["player_id"])


def test_corrections_of_state_are_made_again(s3: Any, events: list[Event]) -> None:
    lose("players", "game_days", "leaderboards")
    apply(events)
    counted = state(TABLES)
    correct(events)
    corrected = state(TABLES)
    changed = [name for name in corrected if corrected[name] != counted.get(name)]
    assert {name.split()[0] for name in changed} >= {"players", "leaderboards"}
    assert len(changed) >= 3
    lose("players", "game_days", "leaderboards")
    assert restoring(s3).run(Scope()) == len(events)
    assert state(TABLES) == corrected
    restoring(s3).run(Scope(game="moon"))
    assert state(TABLES) == corrected


def test_corrections_made_since_a_backup_are_made_again_once(s3: Any, events: list[Event]) -> None:
    lose("players", "game_days", "leaderboards")
    apply(events[:50])
    since = datetime.fromisoformat(events[50]["processed_at"]) - timedelta(minutes=15)
    dynamodb, held = boto3.resource("dynamodb"), {}
    for name in ("players", "game_days", "leaderboards"):
        held[name] = list(restore.items(dynamodb.Table(name), None))
    apply(events)
    correct(events[:40])
    corrected = state(TABLES)
    lose("players", "game_days", "leaderboards")
    for name, kept in held.items():
        for item in kept:
            dynamodb.Table(name).put_item(Item=item)
    for _ in range(2):
        restoring(s3).run(Scope(since=timestamp(since)))
        assert state(TABLES) == corrected


def test_a_purchase_that_was_taken_back_long_before_the_newest_ones_stays_so(
    s3: Any, events: list[Event]
) -> None:
    lose("players", "game_days", "leaderboards")
    sold = next(event for event in events if event["game_id"] == "moon" and event["event_type"] == "purchase")
    apply(events)
    correct(events)
    later = []
    for number in range(40):
        moment = NOW - timedelta(minutes=30) + timedelta(seconds=number)
        payload = sold["payload"] | {"transaction_id": f"later-{number}", "amount_minor": 100}
        place = RawPosition(0, 1000 + number, 1000 + number, 0).text
        when = dict.fromkeys(
            ("event_time", "corrected_time", "received_at", "processed_at"), timestamp(moment)
        )
        later.append(sold | when | {"event_id": str(uuid4()), "payload": payload, "raw_position": place})
    body = b"".join(orjson.dumps(event) + b"\n" for event in later)
    hour = later[0]["processed_at"][:13].replace("-", "/").replace("T", "/")
    s3.put_object(Bucket=BUCKET, Key=f"bronze/{hour}/later", Body=body)
    apply(later)
    before = state(TABLES)
    restoring(s3).run(Scope())
    assert state(TABLES) == before


def test_objects_of_two_hours_that_overlap_lose_nothing(s3: Any, events: list[Event]) -> None:
    before = state(TABLES)
    # Each event is a batch of the processor: what comes behind a later one is taken for a repetition.
    events = [e | {"raw_position": RawPosition(0, n, n, 0).text} for n, e in enumerate(events)]
    # As Firehose may: what was processed last lies in the folder of the oldest record beside it.
    keys = sorted(item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="bronze/")["Contents"])
    for key in keys:
        s3.delete_object(Bucket=BUCKET, Key=key)
    first = datetime.fromisoformat(events[0]["processed_at"]).replace(minute=0, second=0, microsecond=0)
    halves = {first + timedelta(hours=n): [] for n in range(8)}
    for number, event in enumerate(events):
        moment = datetime.fromisoformat(event["processed_at"])
        hour = moment.replace(minute=0, second=0, microsecond=0)
        early = number % 2 and moment.minute < 45 and hour > first
        halves[hour - timedelta(hours=early)].append(event)
    for hour, found in halves.items():
        body = b"".join(orjson.dumps(event) + b"\n" for event in found)
        if found:
            s3.put_object(Bucket=BUCKET, Key=f"bronze/{hour:%Y/%m/%d/%H}/one", Body=body)
    lose("players", "game_days", "leaderboards")
    assert restoring(s3).run(Scope()) == len(events)
    assert state(TABLES) == before


def test_a_restore_begins_again_where_bronze_has_changed_meanwhile(
    s3: Any, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, stopped = Ledger.write, False

    def stops(self: Ledger, progress: restore.Progress) -> None:
        nonlocal stopped
        write(self, progress)
        if progress.applied == 15 and not stopped:
            stopped = True
            raise CommandError("stopped")

    monkeypatch.setattr(restore, "CHUNK", 15)
    monkeypatch.setattr(Ledger, "write", stops)
    with pytest.raises(CommandError, match="stopped"):
        restoring(s3).run(Scope())
    erased, left = events[3], [event for event in events if event is not events[3]]
    for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="bronze/")["Contents"]:
        lines = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()).splitlines()
        kept = [line for line in lines if erased["event_id"].encode() not in line]
        s3.put_object(Bucket=BUCKET, Key=item["Key"], Body=gzip.compress(b"\n".join(kept)))
    assert restoring(s3).run(Scope()) == len(left)
    found = state(TABLES)
    lose("players", "game_days", "leaderboards")
    apply(left)
    assert found == state(TABLES)


def test_a_failed_write_of_a_purchase_that_was_taken_back_is_made_good(
    s3: Any, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose("players", "game_days", "leaderboards")
    apply(events)
    correct(events)
    before, keep, failing = state(TABLES), PlayerStore._keep, True
    monkeypatch.setattr(
        PlayerStore, "_keep", lambda self, change, shard: not failing and keep(self, change, shard)
    )
    with pytest.raises(CommandError, match="could not be written"):
        restoring(s3).run(Scope())
    failing = False
    restoring(s3).run(Scope())
    assert state(TABLES) == before


def test_a_correction_whose_player_is_not_found_is_told(
    s3: Any, events: list[Event], capsys: pytest.CaptureFixture[str]
) -> None:
    lose("players", "game_days", "leaderboards")
    apply(events)
    correct(events)
    boto3.resource("dynamodb").Table("games").update_item(
        Key={"game_id": "moon"},
        UpdateExpression="SET privacy_key = :other",
        ExpressionAttributeValues={":other": b"another key of the same length!!"},
    )
    restoring(s3).run(Scope())
    said = capsys.readouterr().out
    assert said.count("is not made again") == 2


def test_events_that_player_state_has_yet_to_read_are_left_to_it(s3: Any, events: list[Event]) -> None:
    assert restoring(s3).run(Scope(), until=events[24]["processed_at"]) == 25
    lose("players", "game_days", "leaderboards")
    apply(events[:25])
    expected = state(TABLES)
    restoring(s3).run(Scope(), until=events[24]["processed_at"])
    assert state(TABLES) == expected


class Lambda:
    """Two functions of ours and somebody's own read a stream. Each change ends a second after the one before.

    One that is to be `interrupted` fails at its first change.
    """

    def __init__(self, interrupted: str = "") -> None:
        self.limits = {"player-state": {"levels": 7}, "leaderboards": {"boards": 9}}
        self.interrupted = interrupted
        self.mappings = {
            name: {"UUID": name, "State": "Enabled", "LastModified": NOW} for name in (*self.limits, "own")
        }

    def states(self) -> dict[str, str]:
        return {name: mapping["State"] for name, mapping in self.mappings.items()}

    def list_event_source_mappings(self, FunctionName: str) -> Event:  # noqa: N803 - boto3's names
        return {"EventSourceMappings": [dict(self.mappings[FunctionName])]}

    def update_event_source_mapping(self, UUID: str, Enabled: bool) -> None:  # noqa: N803
        if self.interrupted == UUID:
            self.interrupted = ""
            raise CommandError("interrupted")
        later = max(mapping["LastModified"] for mapping in self.mappings.values()) + timedelta(seconds=1)
        state = "Enabled" if Enabled else "Disabled"
        self.mappings[UUID] |= {"State": state, "LastModified": later}

    def get_function_configuration(self, FunctionName: str) -> Event:  # noqa: N803
        return {"Environment": {"Variables": {"NAME_LIMITS": json.dumps(self.limits[FunctionName])}}}


def consumers_of(functions: Lambda, s3: Any) -> Consumers:
    return Consumers(functions, list(functions.limits), s3, BUCKET, drain=timedelta(0))


def test_both_readers_of_events_stop_and_go_on_and_the_later_one_says_since_when(s3: Any) -> None:
    functions = Lambda()
    consumers = consumers_of(functions, s3)
    assert consumers.stop() == NOW + timedelta(seconds=2)
    assert functions.states() == {"player-state": "Disabled", "leaderboards": "Disabled", "own": "Enabled"}
    functions.update_event_source_mapping("player-state", Enabled=True)
    assert consumers.stop() == NOW + timedelta(seconds=4), "one that somebody started again is stopped too"
    consumers.start()
    assert set(functions.states().values()) == {"Enabled"}
    assert consumers.limits() == NameLimits(levels=7, boards=9)


@pytest.mark.parametrize(
    "disabled", [("own",), ("player-state",), ("leaderboards", "own"), ("player-state", "leaderboards")]
)
def test_what_somebody_else_has_disabled_stays_so(s3: Any, disabled: tuple[str, ...]) -> None:
    functions = Lambda()
    for name in disabled:
        functions.update_event_source_mapping(name, Enabled=False)
    before, consumers = functions.states(), consumers_of(functions, s3)
    consumers.stop()
    assert {functions.states()[name] for name in functions.limits} == {"Disabled"}
    consumers.start()
    assert functions.states() == before
    consumers.start()
    assert functions.states() == before, "nothing is stopped any more"


@pytest.mark.parametrize("interrupted", ["player-state", "leaderboards"])
def test_those_that_an_interrupted_restore_stopped_go_on_after_the_next(s3: Any, interrupted: str) -> None:
    functions = Lambda(interrupted)
    with pytest.raises(CommandError, match="interrupted"):
        consumers_of(functions, s3).stop()
    assert functions.states()["own"] == "Enabled"
    consumers = consumers_of(functions, s3)
    consumers.stop()
    functions.interrupted = interrupted
    with pytest.raises(CommandError, match="interrupted"):
        consumers.start()
    consumers_of(functions, s3).start()
    assert set(functions.states().values()) == {"Enabled"}


def test_a_restore_that_fails_leaves_its_readers_stopped_and_the_next_one_starts_them_alone(
    s3: Any, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = Lambda()
    functions.update_event_source_mapping("leaderboards", Enabled=False)
    with monkeypatch.context() as failing:
        failing.setattr(Leaderboards, "submit", lambda self, chunk: chunk)
        with pytest.raises(CommandError, match="could not be written"):
            restoring(s3, consumers_of(functions, s3)).run(Scope())
    assert functions.states() == {"player-state": "Disabled", "leaderboards": "Disabled", "own": "Enabled"}
    assert restoring(s3, consumers_of(functions, s3)).run(Scope()) == len(events)
    assert functions.states() == {"player-state": "Enabled", "leaderboards": "Disabled", "own": "Enabled"}


@pytest.mark.parametrize("message", ["failed", "a reader was started while this restore ran"])
def test_a_restore_begins_again_where_a_reader_was_started_meanwhile(
    s3: Any, events: list[Event], monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    """Somebody starts player_state, which reads an event that is later than all that the restore applies."""
    functions, submit = Lambda(), Leaderboards.submit
    place = RawPosition(0, 80, 80, 0).text
    newest = events[0] | {"event_id": str(uuid4()), "processed_at": timestamp(NOW), "raw_position": place}

    def reads_on(self: Leaderboards, chunk: list[Event]) -> list[Event]:
        monkeypatch.setattr(Leaderboards, "submit", submit)
        functions.update_event_source_mapping("player-state", Enabled=True)
        apply([newest])
        key, body = f"bronze/{NOW:%Y/%m/%d/%H}/newest", gzip.compress(orjson.dumps(newest))
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        if message == "failed":
            raise CommandError(message)
        return self.submit(chunk)

    monkeypatch.setattr(restore, "CHUNK", 20)
    monkeypatch.setattr(Leaderboards, "submit", reads_on)
    with pytest.raises(CommandError, match=message):
        restoring(s3, consumers_of(functions, s3)).run(Scope())
    assert restoring(s3, consumers_of(functions, s3)).run(Scope()) == len(events) + 1
    found = state(TABLES)
    lose("players", "game_days", "leaderboards")
    apply([*events, newest])
    assert found == state(TABLES)
    assert set(functions.states().values()) == {"Enabled"}


def test_objects_come_back_that_were_deleted_since(s3: Any) -> None:
    for key in ("bronze/a", "bronze/b", "gold/c"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.put_object(Bucket=BUCKET, Key="bronze/b", Body=b"newer")
    assert not list(restore.undelete(s3, BUCKET, "bronze/", NOW + timedelta(days=1)))
    assert list(restore.undelete(s3, BUCKET, "bronze/", NOW - timedelta(minutes=1))) == ["bronze/a"]
    kept = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in ("bronze/a", "bronze/b")}
    assert kept == {"bronze/a": b"bronze/a", "bronze/b": b"newer"}
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 2
