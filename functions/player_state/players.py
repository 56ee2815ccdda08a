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

from player_state.projection import DIGEST_BYTES, Bucket, Event, Player, Projection, forget_old, new_player

PLAYERS_PER_TRANSACTION = 50
WRITES_PER_TRANSACTION = 100
ATTEMPTS = 6
RETENTION_SECONDS = 400 * 24 * 3600
LIVE_SECONDS = 2 * 24 * 3600
SETS = ("active_days", "paid_days", "active_minutes", "present_minutes")

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
        sizes = {key: len(batch) for key, batch in by_player.items()}
        applied, lost = 0, []
        keys = list(by_player)
        for start in range(0, len(keys), PLAYERS_PER_TRANSACTION):
            group = {key: by_player[key] for key in keys[start : start + PLAYERS_PER_TRANSACTION]}
            try:
                applied += self._apply_group(group, shard, sizes)
            except (ClientError, BotoCoreError):
                unwritten = [event for batch in group.values() for event in batch]
                ids = [event["event_id"] for event in unwritten]
                logger.exception("Player state could not be written", extra={"event_ids": ids})
                lost += unwritten
        return applied, lost

    def _apply_group(self, group: dict[str, list[Event]], shard: str, sizes: Mapping[str, int]) -> int:
        for attempt in range(ATTEMPTS):
            players = self._read(list(group))
            counters: dict[tuple[str, Bucket], Counter[str]] = defaultdict(Counter)
            projections: dict[str, Projection] = {}
            applied = 0
            for key, events in group.items():
                first = events[0]
                projection = Projection(players.get(key) or new_player(first["game_id"], first["player_id"]))
                applied += sum(projection.apply(event) for event in events)
                if projection.changed:
                    projections[key] = projection
                    forget_old(projection.player, sizes[key])
                    for bucket, counts in projection.buckets.items():
                        _add(counters[first["game_id"], bucket], counts)
            if not projections:
                return 0
            writes = [self._put(key, projection.player) for key, projection in projections.items()]
            changes = ((where, counts) for where, counts in counters.items() if any(counts.values()))
            writes += [self._count(*where, shard, counts) for where, counts in changes]
            if len(writes) > WRITES_PER_TRANSACTION:
                return sum(self._apply_group(half, shard, sizes) for half in _halves(group))
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

    def _count(self, game_id: str, bucket: Bucket, shard: str, counts: Counter[str]) -> dict[str, Any]:
        now = datetime.now(UTC)
        changes = [(name, count) for name, count in counts.items() if count]
        names = {f"#{i}": name for i, (name, _) in enumerate(changes)}
        values = {f":{i}": {"N": str(count)} for i, (_, count) in enumerate(changes)}
        added = ", ".join(f"#{i} :{i}" for i in range(len(changes)))
        kept = LIVE_SECONDS if bucket.is_live else RETENTION_SECONDS
        return {
            "Update": {
                "TableName": self.game_days_table,
                "Key": {
                    "game_day": {"S": f"{game_id}#{bucket.period}"},
                    "shard": {"S": f"{bucket.row}{shard}"},
                },
                "UpdateExpression": f"ADD {added} SET updated_at = :now, expires_at = :expires_at",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values
                | {
                    ":now": {"S": timestamp(now)},
                    ":expires_at": {"N": str(int(now.timestamp()) + kept)},
                },
            }
        }


def _add(total: Counter[str], counts: Counter[str]) -> None:
    """Add what may be negative: a cohort that moves to an earlier day."""
    for name, count in counts.items():
        total[name] += count


def _halves(group: dict[str, list[Event]]) -> Iterator[dict[str, list[Event]]]:
    """Yield two groups: half of the players, or of one player's events, in their order."""
    if len(group) > 1:
        keys = list(group)
        for half in (keys[: len(keys) // 2], keys[len(keys) // 2 :]):
            yield {key: group[key] for key in half}
        return
    ((key, events),) = group.items()
    for part in (events[: len(events) // 2], events[len(events) // 2 :]):
        yield {key: part}


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
    return {name: set() for name in SETS} | {"paid_in": {}} | player


def _digests(data: bytes) -> Iterator[bytes]:
    return (data[i : i + DIGEST_BYTES] for i in range(0, len(data), DIGEST_BYTES))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, set):
        return {int(number) for number in value}
    return int(value) if _is_number(value) else value


def _is_number(value: Any) -> bool:
    return not isinstance(value, (str, bool, type(None)))
