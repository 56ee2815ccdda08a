"""Player state: right whatever the order, and once whatever is read twice."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from enriched_stream import feed, positioned
from player_state import handler
from player_state.players import Applied, PlayerStore
from telemetry.enrichment import enrich, timestamp
from telemetry.origin import Origin
from telemetry.player_item import described

MakeEvent = Callable[..., dict[str, Any]]
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=3)
DAY = NOON.date().isoformat()


@pytest.fixture
def store(dynamodb: Any) -> PlayerStore:
    return PlayerStore(boto3.client("dynamodb"), "players", "game_days")


@pytest.fixture
def happen(make_event: MakeEvent) -> MakeEvent:
    """Build an enriched event that happened some minutes after noon three days ago."""

    def make(event_type: str, minute: float, payload: dict[str, Any] | None = None, **fields: Any) -> Any:
        fields |= {"event_time": timestamp(NOON + timedelta(minutes=minute))}
        event = make_event(event_type, **fields)
        event |= {"payload": payload} if payload else {}
        return enrich(event, Origin(datetime.now(UTC), "stream", "DE", key_class="server"))

    return make


def player(dynamodb: Any, player_id: str = "p-000042") -> dict[str, Any]:
    key = {"player": {"S": f"skyforge#{player_id}"}}
    return described(boto3.client("dynamodb").get_item(TableName="players", Key=key)["Item"])


def day(dynamodb: Any, date: str = DAY) -> Counter[str]:
    totals: Counter[str] = Counter()
    for item in dynamodb.Table("game_days").scan()["Items"]:
        if item["game_day"] == f"skyforge#{date}":
            totals += Counter({k: int(v) for k, v in item.items() if k not in KEPT})
    return totals


KEPT = ("game_day", "shard", "position", "updated_at", "expires_at")


def a_session(happen: MakeEvent) -> list[dict[str, Any]]:
    paid = {"quantity": 1, "store": "apple", "product_id": "gems"}
    gold = {"flow": "source", "currency": "gold", "amount": 5, "item": "x", "reason": "y"}
    return [
        happen("session_start", 0),
        happen("economy", 1, gold | {"balance_after": 5}),
        happen("purchase", 2, paid | {"transaction_id": "t-1", "currency": "EUR", "amount_minor": 499}),
        happen("purchase", 3, paid | {"transaction_id": "t-2", "currency": "EUR", "amount_minor": 1}),
        happen("purchase", 4, paid | {"transaction_id": "t-3", "currency": "JPY", "amount_minor": 120}),
        happen("economy", 5, gold | {"balance_after": 10}),
        happen("progression", 6, {"status": "complete", "level_1": "forest", "level_3": "boss"}),
        happen("progression", 7, {"status": "fail", "level_1": "harbour"}),
        happen("session_end", 8, {"duration_seconds": 480}),
    ]


def check_session(dynamodb: Any) -> None:
    item = player(dynamodb)
    assert (item["first_seen"], item["last_seen"]) == (
        timestamp(NOON),
        timestamp(NOON + timedelta(minutes=8)),
    )
    assert (item["session_starts"], item["playtime_seconds"], item["purchases"]) == (1, 480, 3)
    assert (item["spend"], item["balances"], item["level"]) == (
        {"EUR": 500, "JPY": 120},
        {"gold": 10},
        "forest/boss",
    )
    assert day(dynamodb) == {
        "events": 9,
        "events_session_start": 1,
        "events_economy": 2,
        "events_purchase": 3,
        "events_progression": 2,
        "events_session_end": 1,
        "active_players": 1,
        "new_players": 1,
        "play_ms": 480_000,
        "purchases": 3,
        "payers": 1,
        "payers_EUR": 1,
        "payers_JPY": 1,
        "players_started": 1,
        "players_completed": 1,
        "revenue_EUR": 500,
        "revenue_JPY": 120,
    }


@pytest.mark.parametrize("order", ["as it happened", "backwards"])
def test_a_session_in_one_batch(store: PlayerStore, dynamodb: Any, happen: MakeEvent, order: str) -> None:
    events = a_session(happen)
    if order == "backwards":
        events.reverse()
    assert feed(store, events) == (9, 0, [])
    check_session(dynamodb)


def test_overlapping_batches_count_each_event_once(
    store: PlayerStore, dynamodb: Any, happen: MakeEvent
) -> None:
    records = positioned(a_session(happen))
    for batch in (records[:4], records[:6], records[2:], records):
        store.apply(batch, "shard-0")
    check_session(dynamodb)


def test_one_event_at_a_time_over_two_shards(store: PlayerStore, dynamodb: Any, happen: MakeEvent) -> None:
    for number, event in enumerate(a_session(happen)):
        feed(store, [event], f"shard-{number % 2}")
    check_session(dynamodb)


def test_players_and_days_are_told_apart(store: PlayerStore, dynamodb: Any, happen: MakeEvent) -> None:
    players = [f"p-{n}" for n in range(120)]
    today = [happen("session_start", 0, player_id=name) for name in players]
    tomorrow = [happen("session_start", 1440, player_id=name) for name in players[:30]]
    assert feed(store, today + tomorrow) == (150, 0, [])
    next_day = (NOON + timedelta(days=1)).date().isoformat()
    assert (day(dynamodb)["active_players"], day(dynamodb)["new_players"]) == (120, 120)
    assert (day(dynamodb, next_day)["active_players"], day(dynamodb, next_day)["new_players"]) == (30, 0)


class Interfering:
    """A DynamoDB client whose first writes of players meet another writer."""

    def __init__(self, client: Any, interfere: Callable[[], Any], times: int) -> None:
        self._client, self._interfere, self.left = client, interfere, times

    def put_item(self, **arguments: Any) -> Any:
        if self.left:
            self.left -= 1
            self._interfere()
        return self._client.put_item(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_another_writer_in_between_is_not_overwritten(
    store: PlayerStore, dynamodb: Any, happen: MakeEvent
) -> None:
    records = positioned(a_session(happen))
    meddling = Interfering(store.dynamodb, lambda: store.apply(records[:4], "shard-0"), times=1)
    assert PlayerStore(meddling, "players", "game_days").apply(records, "shard-0").lost == []
    check_session(dynamodb)


def test_what_cannot_be_written_is_handed_back(store: PlayerStore, dynamodb: Any, happen: MakeEvent) -> None:
    def fail() -> None:
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "PutItem")

    events = a_session(happen)
    records = positioned(events)
    broken = PlayerStore(Interfering(store.dynamodb, fail, times=1), "players", "game_days")
    assert broken.apply(records, "shard-0") == (0, 0, events)
    assert broken.apply(records, "shard-0") == (9, 0, [])
    check_session(dynamodb)


def test_handler_keeps_state_and_names_what_to_retry(
    dynamodb: Any, happen: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in ("players", "game_days"):
        monkeypatch.setenv(f"{table.upper()}_TABLE", table)
    handler.store.cache_clear()
    events = [*a_session(happen), happen("score_submitted", 9, {"leaderboard": "global", "score": 7})]
    batch = {
        "Records": [
            {
                "eventID": f"shardId-0:{number}",
                "kinesis": {
                    "sequenceNumber": str(number),
                    "data": base64.b64encode(json.dumps(event).encode()).decode(),
                },
            }
            for number, event in enumerate(events, 10)
        ]
    }
    assert handler.lambda_handler(batch, None) == {"batchItemFailures": []}
    assert dynamodb.Table("leaderboards").scan()["Items"] == [], "scores have a reader of their own"
    assert day(dynamodb)["events_score_submitted"] == 1
    monkeypatch.setattr(PlayerStore, "apply", lambda self, records, shard: Applied(9, 0, [records[-1].event]))
    assert handler.lambda_handler(batch, None) == {"batchItemFailures": [{"itemIdentifier": "19"}]}
