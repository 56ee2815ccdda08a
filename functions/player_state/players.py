"""The players and game_days tables: what a batch changes is written in one transaction, once."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError
from telemetry.enrichment import timestamp

from player_state.projection import DIGEST_BYTES, Event, Player, Projection, forget_old, new_player

PLAYERS_PER_TRANSACTION = 50
WRITES_PER_TRANSACTION = 100
ATTEMPTS = 6
RETENTION_SECONDS = 400 * 24 * 3600
SETS = ("active_days", "paid_days")

logger = Logger(child=True)
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class PlayerStore:
    """Applies events to players and their games' days (low-level DynamoDB client).

    The item of a player holds the ids it applied last; it and the day's counters change in one
    transaction, on the condition that the item is as it was read. So an event counts once,
    however often its batch is read.
    """

    dynamodb: Any
    players_table: str
    game_days_table: str

    def apply(self, events: Sequence[Event], shard: str) -> tuple[int, list[Event]]:
        """Apply the events of one shard; return how many changed something, and those not written."""
        by_player: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            by_player[f"{event['game_id']}#{event['player_id']}"].append(event)
        applied, lost = 0, []
        for group in _groups(by_player):
            try:
                applied += self._apply_group(group, shard)
            except (ClientError, BotoCoreError):
                logger.exception("Player state could not be written", extra={"players": len(group)})
                lost += [event for batch in group.values() for event in batch]
        return applied, lost

    def _apply_group(self, group: dict[str, list[Event]], shard: str) -> int:
        for attempt in range(ATTEMPTS):
            players = self._read(list(group))
            days: dict[str, Counter[str]] = defaultdict(Counter)
            projections: dict[str, Projection] = {}
            applied = 0
            for key, events in group.items():
                known = players.get(key)
                first = events[0]
                projection = Projection(known or new_player(first["game_id"], first["player_id"]))
                applied += sum(projection.apply(event) for event in events)
                if projection.changed:
                    projections[key] = projection
                    forget_old(projection.player, len(events))
                    for day, counts in projection.days.items():
                        days[f"{first['game_id']}#{day}"].update(counts)
            if not projections:
                return 0
            writes = [self._put(key, projection.player) for key, projection in projections.items()]
            writes += [self._count(game_day, shard, counts) for game_day, counts in days.items()]
            try:
                self.dynamodb.transact_write_items(TransactItems=writes)
                return applied
            except self.dynamodb.exceptions.TransactionCanceledException:
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    def _read(self, keys: list[str]) -> dict[str, Player]:
        request: dict[str, Any] = {
            self.players_table: {"Keys": [{"player": {"S": key}} for key in keys], "ConsistentRead": True}
        }
        players: dict[str, Player] = {}
        while request:
            answer = self.dynamodb.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(self.players_table, []):
                players[item["player"]["S"]] = from_item(item)
            request = answer.get("UnprocessedKeys") or {}
        return players

    def _put(self, key: str, player: Player) -> dict[str, Any]:
        version = player["version"]
        condition = "version = :version" if version else "attribute_not_exists(player)"
        values = {"ExpressionAttributeValues": {":version": {"N": str(version)}}} if version else {}
        item = to_item(key, player | {"version": version + 1})
        put = {"TableName": self.players_table, "Item": item, "ConditionExpression": condition, **values}
        return {"Put": put}

    def _count(self, game_day: str, shard: str, counts: Counter[str]) -> dict[str, Any]:
        now = datetime.now(UTC)
        names = {f"#{i}": name for i, name in enumerate(counts)}
        values = {f":{i}": {"N": str(count)} for i, count in enumerate(counts.values())}
        added = ", ".join(f"#{i} :{i}" for i in range(len(counts)))
        return {
            "Update": {
                "TableName": self.game_days_table,
                "Key": {"game_day": {"S": game_day}, "shard": {"S": shard}},
                "UpdateExpression": f"ADD {added} SET updated_at = :now, expires_at = :expires_at",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values
                | {
                    ":now": {"S": timestamp(now)},
                    ":expires_at": {"N": str(int(now.timestamp()) + RETENTION_SECONDS)},
                },
            }
        }


def _groups(by_player: Mapping[str, list[Event]]) -> Iterator[dict[str, list[Event]]]:
    """Yield players who fit in a transaction together with the days they touch, each in order."""
    group: dict[str, list[Event]] = {}
    days: set[tuple[str, str]] = set()
    for key, events in by_player.items():
        touched = {(event["game_id"], event["event_date"]) for event in events}
        writes = len(group) + 1 + len(days | touched)
        if group and (len(group) == PLAYERS_PER_TRANSACTION or writes > WRITES_PER_TRANSACTION):
            yield group
            group, days = {}, set()
        group[key] = events
        days |= touched
    if group:
        yield group


def to_item(key: str, player: Player) -> dict[str, Any]:
    """Return the DynamoDB item; empty sets cannot be stored and are left out."""
    values = {name: value for name, value in player.items() if name not in SETS or value}
    values["applied"] = b"".join(player["applied"])
    return {name: _serialize(value) for name, value in (values | {"player": key}).items()}


def from_item(item: dict[str, Any]) -> Player:
    """Return the player of a DynamoDB item, numbers as int."""
    kept = {name: value for name, value in item.items() if name not in ("player", "applied")}
    player = {name: _plain(_deserialize(value)) for name, value in kept.items()}
    player["applied"] = list(_digests(item["applied"]["B"]))
    return {name: set() for name in SETS} | player


def _digests(data: bytes) -> Iterator[bytes]:
    return (data[i : i + DIGEST_BYTES] for i in range(0, len(data), DIGEST_BYTES))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: int(number) if _is_number(number) else number for name, number in value.items()}
    if isinstance(value, set):
        return {int(number) for number in value}
    return int(value) if _is_number(value) else value


def _is_number(value: Any) -> bool:
    return not isinstance(value, (str, bool, type(None)))
