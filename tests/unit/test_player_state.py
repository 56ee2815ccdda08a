"""Player state: what events mean, and the limits and failures of the tables that keep it."""

import base64
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from player_state import handler, players
from player_state.leaderboards import Leaderboards
from player_state.players import ATTEMPTS, PLAYERS_PER_TRANSACTION, PlayerStore, from_item, to_item
from player_state.projection import (
    MAX_CURRENCIES,
    REMEMBERED_DAYS,
    REMEMBERED_EVENTS,
    Bucket,
    Projection,
    forget_old,
    new_player,
)
from telemetry.enrichment import timestamp

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ERROR = ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "TransactWriteItems")
CANCELLED = "TransactionCanceledException"


def happen(event_type: str = "session_start", minute: float = 0, **payload: Any) -> dict[str, Any]:
    """Return what player_state reads of an enriched event of a session of its own, that came late."""
    moment = NOON + timedelta(minutes=minute)
    return {
        "event_id": str(uuid4()),
        "event_type": event_type,
        "game_id": "skyforge",
        "player_id": "p-1",
        "corrected_time": timestamp(moment),
        "received_at": timestamp(moment),
        "ingest_source": "rest",
        "event_date": moment.date().isoformat(),
        "session_id": str(uuid4()),
        "country": "DE",
        "platform": "ios",
        "app_version": "1.0.0",
        "late": True,
        "payload": payload,
    }


def project(*events: dict[str, Any]) -> Projection:
    projection = Projection(new_player("skyforge", "p-1"))
    for event in events:
        projection.apply(event)
    return projection


def pay(minute: float, amount: int, currency: str = "EUR") -> dict[str, Any]:
    return happen("purchase", minute, currency=currency, amount_minor=amount)


def earn(minute: float, balance: int, currency: str = "gold") -> dict[str, Any]:
    flow = {"flow": "source", "amount": 1, "reason": "quest"}
    return happen("economy", minute, currency=currency, balance_after=balance, **flow)


def test_every_day_has_its_active_players_and_payers_once() -> None:
    events = [happen(minute=minute) for minute in (0, 5, 1440, 1445)]
    events += [pay(1, 100), pay(2, 50, "USD"), pay(1441, 7), pay(1442, 7)]
    projection = project(*events)
    first, second = (projection.buckets[Bucket.day(f"2026-03-{day}")] for day in (10, 11))
    assert (first["active_players"], first["new_players"], first["payers"]) == (1, 1, 1)
    assert (second["active_players"], second["new_players"], second["payers"]) == (1, 0, 1)
    assert (first["revenue_EUR"], first["revenue_USD"], second["revenue_EUR"]) == (100, 50, 14)
    assert projection.player["spend"] == {"EUR": 114, "USD": 50}
    assert (projection.player["sessions"], projection.player["purchases"]) == (4, 4)


def test_the_latest_event_tells_the_device_and_the_balances() -> None:
    newest = happen(minute=9) | {"platform": "web", "app_version": "2.0.0", "country": None}
    player = project(newest, happen(minute=3), earn(5, 50), earn(2, 20), earn(4, 7, "gems")).player
    assert (player["first_seen"], player["last_seen"]) == (
        timestamp(NOON + timedelta(minutes=2)),
        timestamp(NOON + timedelta(minutes=9)),
    )
    assert (player["platform"], player["app_version"], player["country"]) == ("web", "2.0.0", None)
    assert player["balances"] == {"gold": 50, "gems": 7}


def test_the_level_is_the_one_completed_last() -> None:
    done = happen("progression", 5, status="complete", level_1="forest", level_2="2")
    before = happen("progression", 1, status="complete", level_1="meadow")
    failed = happen("progression", 9, status="fail", level_1="castle")
    assert project(done, before, failed).player["level"] == "forest/2"


def test_whole_numbers_written_as_floats_stay_whole() -> None:
    player = project(pay(1, 5.0), earn(1, 3.0), happen("session_end", 2, duration_seconds=60.0)).player  # type: ignore[arg-type]
    assert (player["spend"], player["balances"], player["playtime_seconds"]) == ({"EUR": 5}, {"gold": 3}, 60)
    assert from_item(to_item("skyforge#p-1", player)) == player


def test_what_an_item_remembers_is_bounded() -> None:
    player = project(*[happen(minute=n * 1440) for n in range(REMEMBERED_DAYS + 9)]).player
    player["applied"] = [bytes(8)] * 1000
    forget_old(player, batch_size=100)
    assert len(player["applied"]) == 400
    forget_old(player, batch_size=1)
    assert len(player["applied"]) == REMEMBERED_EVENTS
    assert len(player["active_days"]) == REMEMBERED_DAYS
    assert max(player["active_days"]) - min(player["active_days"]) == REMEMBERED_DAYS - 1


def test_currencies_beyond_the_limit_are_left_out_and_known_ones_go_on() -> None:
    coins = [earn(n, n, f"coin-{n}") for n in range(MAX_CURRENCIES + 9)]
    balances = project(*coins, earn(99, 7, "coin-0")).player["balances"]
    assert (len(balances), balances["coin-0"]) == (MAX_CURRENCIES, 7)


class Table:
    """A DynamoDB client whose transactions and puts run the `before` and `after` hooks of a test."""

    def __init__(self) -> None:
        self._client = boto3.client("dynamodb")
        self.exceptions = self._client.exceptions
        self.before: Callable[[], None] = lambda: None
        self.after = self.before
        self.sizes: list[int] = []
        self.unprocessed = 0

    def transact_write_items(self, **arguments: Any) -> Any:
        self.sizes.append(len(arguments["TransactItems"]))
        return self._write(self._client.transact_write_items, arguments)

    def put_item(self, **arguments: Any) -> Any:
        return self._write(self._client.put_item, arguments)

    def query(self, **arguments: Any) -> Any:
        return self._client.query(**arguments)

    def _write(self, write: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        self.before()
        answer = write(**arguments)
        self.after()
        return answer

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
        ((name, wanted),) = RequestItems.items()
        keys, later = wanted["Keys"], []
        if self.unprocessed:
            self.unprocessed -= 1
            keys, later = keys[:1], keys[1:]
        answer = self._client.batch_get_item(RequestItems={name: wanted | {"Keys": keys}})
        return answer | ({"UnprocessedKeys": {name: wanted | {"Keys": later}}} if later else {})


@pytest.fixture
def table(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Table:
    monkeypatch.setattr(players.time, "sleep", lambda seconds: None)
    return Table()


@pytest.fixture
def store(table: Table) -> PlayerStore:
    return PlayerStore(table, "players", "game_days")


def scan(dynamodb: Any, table: str) -> Iterator[dict[str, Any]]:
    answer = dynamodb.Table(table).scan()
    yield from answer["Items"]
    while last := answer.get("LastEvaluatedKey"):
        answer = dynamodb.Table(table).scan(ExclusiveStartKey=last)
        yield from answer["Items"]


def totals(dynamodb: Any) -> Counter[str]:
    """Return the counters of all days and shards."""
    kept = ("game_day", "shard", "updated_at", "expires_at")
    counts: Counter[str] = Counter()
    for item in scan(dynamodb, "game_days"):
        counts.update({name: int(value) for name, value in item.items() if name not in kept})
    return counts


def test_players_of_many_days_and_games_fit_in_transactions(
    store: PlayerStore, table: Table, dynamodb: Any
) -> None:
    events = [
        happen(minute=-1440 * n) | {"game_id": f"game-{n % 3}", "player_id": f"p-{n % 60}-{n % 3}"}
        for n in range(120)
    ]
    assert store.apply(events, "shard-0") == (120, [])
    assert totals(dynamodb)["events"] == 120
    assert len(table.sizes) > 3
    assert max(table.sizes) <= 100


def test_an_item_read_late_is_not_taken_for_a_new_player(
    store: PlayerStore, table: Table, dynamodb: Any
) -> None:
    names = [f"p-{n}" for n in range(5)]
    store.apply([happen() | {"player_id": name} for name in names], "shard-0")
    table.unprocessed = 3
    store.apply([happen() | {"player_id": name} for name in names], "shard-0")
    assert totals(dynamodb)["new_players"] == 5
    assert len(table.sizes) == 2


def test_a_lost_answer_is_recognised_when_the_batch_comes_again(
    store: PlayerStore, table: Table, dynamodb: Any
) -> None:
    def lose() -> None:
        raise ReadTimeoutError(endpoint_url="x")

    events = [pay(n, 10) for n in range(5)]
    table.after = lose
    assert store.apply(events, "shard-0") == (0, events)
    table.after = lambda: None
    assert store.apply(events, "shard-0") == (0, [])
    assert totals(dynamodb)["revenue_EUR"] == 50


def test_endless_conflicts_hand_the_events_back(store: PlayerStore, table: Table, dynamodb: Any) -> None:
    def conflict() -> None:
        raise table.exceptions.TransactionCanceledException({"Error": {"Code": CANCELLED}}, "x")

    events = [happen()]
    table.before = conflict
    assert store.apply(events, "shard-0") == (0, events)
    assert len(table.sizes) == ATTEMPTS
    assert totals(dynamodb) == {}


def test_one_failing_transaction_leaves_the_others_alone(
    store: PlayerStore, table: Table, dynamodb: Any
) -> None:
    def fail_first() -> None:
        table.before = lambda: None
        raise ERROR

    events = [happen() | {"player_id": f"p-{n}"} for n in range(80)]
    table.before = fail_first
    applied, lost = store.apply(events, "shard-0")
    assert (applied, lost) == (80 - PLAYERS_PER_TRANSACTION, events[:PLAYERS_PER_TRANSACTION])
    assert store.apply(events, "shard-0") == (PLAYERS_PER_TRANSACTION, [])
    assert totals(dynamodb)["events"] == totals(dynamodb)["new_players"] == 80


def test_one_more_batch_than_is_remembered_is_still_recognised(store: PlayerStore, dynamodb: Any) -> None:
    events = [happen(minute=n / 100) for n in range(3 * REMEMBERED_EVENTS)]
    for _ in range(2):
        store.apply(events, "shard-0")
    assert totals(dynamodb)["events"] == len(events)


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
def invoke(table: Table, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[dict[str, Any]]], str | None]:
    """Hand records to the Lambda; returns from where it wants them again."""
    stores = PlayerStore(table, "players", "game_days"), Leaderboards(table, "leaderboards", "boards")
    monkeypatch.setattr(handler, "stores", lambda: stores)

    def call(batch: list[dict[str, Any]]) -> str | None:
        failures = handler.lambda_handler({"Records": batch}, None)["batchItemFailures"]
        assert len(failures) <= 1
        return failures[0]["itemIdentifier"] if failures else None

    return call


def test_the_handler_names_the_first_record_not_written(
    invoke: Callable[..., str | None], table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail_writes_of_scores() -> None:
        if len(table.sizes) % 2:
            raise ERROR

    events = [happen() | {"player_id": f"p-{n}"} for n in range(52)]
    events.append(happen("score_submitted", leaderboard="global", score=1))
    table.before = fail_writes_of_scores
    assert invoke(records(events)) == "95"
    assert len(table.sizes) == 2
    table.sizes.clear()
    table.before = lambda: None
    assert invoke(records(events)) is None

    def fail() -> None:
        raise ERROR

    writes = iter([lambda: None, fail])
    table.before = lambda: next(writes)()
    events.append(happen("score_submitted", leaderboard="global", score=2))
    capsys.readouterr()
    assert invoke(records(events)) == str(95 + 52)
    printed = [line for line in capsys.readouterr().out.splitlines() if '"EventsRepeated"' in line]
    assert [json.loads(line)["EventsRepeated"] for line in printed] == [[53.0]]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_fails_and_is_read_again_the_state_is_that_of_one_clean_read(
    invoke: Callable[..., str | None], table: Table, dynamodb: Any, seed: int
) -> None:
    dice = random.Random(seed)
    minutes = dice.sample(range(-20_000, 0), 120)
    kinds: list[Callable[[int], dict[str, Any]]] = [
        lambda minute: pay(minute, dice.randint(1, 99), dice.choice(["EUR", "JPY"])),
        lambda minute: earn(minute, dice.randint(0, 99)),
        lambda minute: happen("session_end", minute, duration_seconds=dice.randint(1, 99)),
        lambda minute: happen("score_submitted", minute, leaderboard="b", score=dice.randint(1, 9)),
        lambda minute: happen("progression", minute, status="complete", level_1=f"l{dice.randint(1, 9)}"),
    ]
    events = [dice.choice(kinds)(minute) | {"player_id": f"p-{minute % 9}"} for minute in minutes]

    def fail() -> None:
        if dice.random() < 0.15:
            raise ERROR

    table.before = table.after = fail
    left = records(events)
    for attempt in range(1000):
        if attempt == 40:
            table.before = table.after = lambda: None
        batch = left[: dice.randint(1, 50)]
        retry_from = invoke(batch)
        numbers = [record["kinesis"]["sequenceNumber"] for record in left]
        left = left[numbers.index(retry_from) if retry_from else len(batch) :]
        if not left:
            break

    expected: dict[str, Projection] = {}
    for event in events:
        new = Projection(new_player("skyforge", event["player_id"]))
        expected.setdefault(event["player_id"], new).apply(event)
    found = {item["player_id"]: item for item in scan(dynamodb, "players")}
    for name, projection in expected.items():
        player = projection.player
        same = ("first_seen", "last_seen", "spend", "balances", "level", "purchases", "playtime_seconds")
        assert {key: found[name][key] for key in same} == {key: player[key] for key in same}
    counts: Counter[str] = Counter()
    for projection in expected.values():
        for counted in projection.buckets.values():
            counts.update(counted)
    assert +totals(dynamodb) == +counts
    best: dict[str, int] = {}
    for event in events:
        if event["event_type"] == "score_submitted":
            score = event["payload"]["score"]
            best[event["player_id"]] = max(score, best.get(event["player_id"], score))
    board = {item["player_id"]: int(item["score"]) for item in scan(dynamodb, "leaderboards")}
    assert board == best
