"""Player state: what events mean, and the limits and failures of the tables that keep it."""

import base64
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import boto3
import plain_state
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from enriched_stream import feed, positioned
from hooked_dynamodb import HookedDynamoDB, Item, quiet
from player_events import happen, pay
from player_state import handler, players
from player_state.players import ATTEMPTS, PlayerStore
from telemetry import client_names as names
from telemetry.client_names import NameLimits, Names
from telemetry.items import MAX_KEYS
from telemetry.player_item import described

DAY = re.compile(r"\d{4}-\d\d-\d\d")
ERROR = ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "PutItem")
REFUSED = "ConditionalCheckFailedException"


def earn(minute: float, balance: int, currency: str = "gold") -> dict[str, Any]:
    flow = {"flow": "source", "amount": 1, "reason": "quest"}
    return happen("economy", minute, currency=currency, balance_after=balance, **flow)


@pytest.fixture
def table(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> HookedDynamoDB:
    monkeypatch.setattr(players.time, "sleep", lambda seconds: None)
    return HookedDynamoDB()


@pytest.fixture
def store(table: HookedDynamoDB) -> PlayerStore:
    return PlayerStore(table, "players", "game_days")


def scan(dynamodb: Any, table: str) -> Iterator[dict[str, Any]]:
    answer = dynamodb.Table(table).scan()
    yield from answer["Items"]
    while last := answer.get("LastEvaluatedKey"):
        answer = dynamodb.Table(table).scan(ExclusiveStartKey=last)
        yield from answer["Items"]


def totals(dynamodb: Any) -> Counter[str]:
    """Return the counters of all days and shards."""
    kept = ("game_day", "shard", "position", "updated_at", "expires_at", "names", "closed")
    counts: Counter[str] = Counter()
    for item in scan(dynamodb, "game_days"):
        counts.update({name: int(value) for name, value in item.items() if name not in kept})
    return counts


def days(dynamodb: Any) -> plain_state.Counts:
    """Return the counters of days, by game, day and name, over all shards."""
    found: plain_state.Counts = Counter()
    for item in scan(dynamodb, "game_days"):
        game, _, day = item["game_day"].partition("#")
        if DAY.fullmatch(day):
            for name, value in item.items():
                if name not in ("game_day", "shard", "position", "updated_at", "expires_at"):
                    found[game, day, name] += int(value)
    return +found


def players_of(dynamodb: Any) -> dict[str, dict[str, Any]]:
    items = boto3.client("dynamodb").scan(TableName="players")["Items"]
    return {player["player_id"]: player for player in map(described, items)}


def test_players_of_many_days_and_games_are_kept(
    store: PlayerStore, table: HookedDynamoDB, dynamodb: Any
) -> None:
    events = [
        happen(minute=-1440 * n) | {"game_id": f"game-{n % 3}", "player_id": f"p-{n % 60}-{n % 3}"}
        for n in range(120)
    ]
    assert feed(store, events) == (120, 0, [])
    assert totals(dynamodb)["events"] == 120
    assert table.writes["players"] == 60, "each player is written once"


def test_an_item_read_late_is_not_taken_for_a_new_player(
    store: PlayerStore, table: HookedDynamoDB, dynamodb: Any
) -> None:
    names = [f"p-{n}" for n in range(5)]
    feed(store, [happen() | {"player_id": name} for name in names])
    table.unprocessed = 3
    feed(store, [happen() | {"player_id": name} for name in names])
    assert totals(dynamodb)["new_players"] == 5
    assert table.writes["players"] == 10


def test_the_first_name_that_is_left_out_closes_a_day_of_the_past(table: HookedDynamoDB) -> None:
    def counted(level: str, days: int) -> str:
        """Return the name that an event counts under which a new execution environment reads days later."""
        event = happen("progression", status="start", level_1=level)
        arrived = date.fromisoformat(event["event_date"]) + timedelta(days=days)
        event["received_at"] = f"{arrived}T00:00:00.000Z"
        kept = Names(table, "game_days", NameLimits(late_names=1))
        kept.admit([event])
        return kept.name_of(event, "levels", level)

    late = names.IN_TIME_DAYS + 1
    told = [
        counted(level, days) for level, days in (("a", late), ("b", 0), ("c", late), ("d", 0), ("b", late))
    ]
    assert told == ["a", "b", "*", "*", "b"]


def test_more_players_are_read_than_one_call_takes(store: PlayerStore, dynamodb: Any) -> None:
    for _ in range(2):
        players_ = [happen() | {"player_id": f"p-{n}"} for n in range(MAX_KEYS + 5)]
        assert feed(store, players_).lost == []
    assert totals(dynamodb)["new_players"] == MAX_KEYS + 5


def test_a_lost_answer_is_recognised_when_the_batch_comes_again(
    store: PlayerStore, table: HookedDynamoDB, dynamodb: Any
) -> None:
    events = [pay(n, 10) for n in range(5)]
    batch = positioned(events)
    table.after = lambda item: ReadTimeoutError(endpoint_url="x")
    assert store.apply(batch, "shard-0") == (0, 0, events)
    table.after = quiet
    for _ in range(2):
        assert store.apply(batch, "shard-0").lost == []
    assert totals(dynamodb)["revenue_EUR"] == 50


def test_endless_conflicts_hand_the_events_back(
    store: PlayerStore, table: HookedDynamoDB, dynamodb: Any
) -> None:
    refused = table.exceptions.ConditionalCheckFailedException({"Error": {"Code": REFUSED}}, "x")
    events = [happen()]
    batch = positioned(events)
    table.before = lambda item: refused if table.writes["players"] else None
    assert store.apply(batch, "shard-0") == (0, 0, events)
    assert table.writes["players"] == ATTEMPTS
    table.before = quiet
    assert store.apply(batch, "shard-0") == (1, 0, [])
    assert totals(dynamodb)["events"] == 1


def test_one_failing_write_leaves_the_other_players_alone(
    store: PlayerStore, table: HookedDynamoDB, dynamodb: Any
) -> None:
    events = [happen() | {"player_id": f"p-{n}"} for n in range(20)]
    batch = positioned(events)
    table.before = lambda item: ERROR if table.writes["players"] == 3 else None
    assert store.apply(batch, "shard-0") == (19, 0, [events[2]])
    table.before = quiet
    assert store.apply(batch, "shard-0") == (1, 0, [])
    assert totals(dynamodb)["events"] == totals(dynamodb)["new_players"] == 20


def test_players_wait_for_their_counters(store: PlayerStore, table: HookedDynamoDB, dynamodb: Any) -> None:
    """A player who was written without them would never be counted."""
    table.before = lambda item: ERROR if table.writes["game_days"] > 4 else None
    days = [happen() | {"player_id": "p-1"}, happen(minute=5000) | {"player_id": "p-2"}]
    batch = positioned(days)
    assert store.apply(batch, "shard-0").lost
    table.before = quiet
    store.apply(batch, "shard-0")
    assert (totals(dynamodb)["events"], totals(dynamodb)["new_players"]) == (2, 2)


def records(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "eventID": f"shardId-000000000000:{number}",
            "kinesis": {
                "sequenceNumber": str(number),
                "data": base64.b64encode(json.dumps(event).encode()).decode(),
            },
        }
        for number, event in enumerate(events, 95)
    ]


@pytest.fixture
def invoke(
    table: HookedDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[dict[str, Any]]], str | None]:
    """Hand records to the Lambda; returns from where it wants them again."""
    store = PlayerStore(table, "players", "game_days")
    monkeypatch.setattr(handler, "store", lambda: store)

    def call(batch: list[dict[str, Any]]) -> str | None:
        failures = handler.lambda_handler({"Records": batch}, None)["batchItemFailures"]
        assert len(failures) <= 1
        return failures[0]["itemIdentifier"] if failures else None

    return call


def test_the_handler_names_the_first_record_not_written(
    invoke: Callable[..., str | None], table: HookedDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(item: Item) -> Exception | None:
        return ERROR if table.writes["players"] >= 7 else None

    events = [happen() | {"player_id": f"p-{n}"} for n in range(52)]
    table.before = refuse
    assert invoke(records(events)) == "101"
    table.before = quiet
    assert invoke(records(events)) is None

    events.append(happen("score_submitted", leaderboard="global", score=2))
    capsys.readouterr()
    assert invoke(records(events)) is None
    printed = [line for line in capsys.readouterr().out.splitlines() if '"EventsRepeated"' in line]
    assert [json.loads(line)["EventsRepeated"] for line in printed] == [[52.0]]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_fails_and_is_read_again_the_state_is_that_of_one_clean_read(
    invoke: Callable[..., str | None], table: HookedDynamoDB, dynamodb: Any, seed: int
) -> None:
    dice = random.Random(seed)
    minutes = dice.sample(range(-4_000, 0), 40)
    kinds: list[Callable[[int], dict[str, Any]]] = [
        lambda minute: pay(minute, dice.randint(1, 99), dice.choice(["EUR", "JPY"])),
        lambda minute: earn(minute, dice.randint(0, 99)),
        lambda minute: happen("session_end", minute, duration_seconds=dice.randint(1, 99)),
        lambda minute: happen("score_submitted", minute, leaderboard="b", score=dice.randint(1, 9)),
        lambda minute: happen("progression", minute, status="complete", level_1=f"l{dice.randint(1, 9)}"),
    ]
    events = [dice.choice(kinds)(minute) | {"player_id": f"p-{minute % 4}"} for minute in minutes]

    def fail(item: Item) -> Exception | None:
        return ERROR if dice.random() < 0.15 else None

    table.before = table.after = fail
    left = records(events)
    for attempt in range(1000):
        if attempt == 15:
            table.before = table.after = quiet
        batch = left[: dice.randint(1, 20)]
        retry_from = invoke(batch)
        numbers = [record["kinesis"]["sequenceNumber"] for record in left]
        left = left[numbers.index(retry_from) if retry_from else len(batch) :]
        if not left:
            break

    assert days(dynamodb) == plain_state.days(events)
    found = players_of(dynamodb)
    for name in {event["player_id"] for event in events}:
        own = [event for event in events if event["player_id"] == name]
        spent: Counter[str] = Counter()
        for event in plain_state.transactions(own):
            spent[event["payload"]["currency"]] += event["payload"]["amount_minor"]
        played = sum(plain_state.play_milliseconds(own).values())
        assert (found[name]["spend"], found[name]["playtime_seconds"]) == (spent, played // 1000)
        assert found[name]["first_seen"] == min(event["corrected_time"] for event in own)
        assert found[name]["last_seen"] == max(event["corrected_time"] for event in own)
