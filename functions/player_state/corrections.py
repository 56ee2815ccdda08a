"""Players of whom transactions were taken back, whatever is being counted meanwhile.

Rows of shards count what was reported, so they do not depend on what was taken back, nor on when. The row
`corrections` of a bucket holds the difference. It changes in one transaction with the player who causes it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from telemetry.client_names import NameOf
from telemetry.corrections import ROW
from telemetry.enrichment import timestamp
from telemetry.event import EnrichedEvent
from telemetry.player_item import Player, from_item, to_item
from telemetry.raw_position import RawPosition

from player_state.buckets import Bucket
from player_state.projection import Projection
from player_state.watermarks import forget_old

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A transaction may have 100 writes. One event changes at most 41 buckets of money: the days of 32 refunds,
# four days of a payment, once as paid and once as refunded, and a minute.
MAX_BUCKETS = 50

Changes = Mapping[Bucket, Mapping[str, int]]


class Step(NamedTuple):
    """An event as a player's next one, and whether it is a purchase that was taken back."""

    event: EnrichedEvent
    position: RawPosition
    is_void: bool


@dataclass(slots=True)
class Correction:
    """Applies events to a player and to what was reported of them; sums what sets the two apart."""

    player: Player
    name_of: NameOf
    applied: int = 0
    changes: dict[Bucket, Counter[str]] = field(default_factory=dict)

    def apply(self, steps: Iterable[Step]) -> None:
        """Apply events until the changes fill a transaction. What is applied already is left out."""
        for step in steps:
            self.applied += self._apply(step)
            if len(self.changes) > MAX_BUCKETS:
                break
        for player in (self.player, self.player.reported):
            if player:
                forget_old(player)

    def _apply(self, step: Step) -> bool:
        player = self.player
        corrected = Projection(player, self.name_of)
        if player.reported:
            reported = Projection(player.reported, self.name_of)
            reported.apply(step.event, step.position)
            self._add(reported.buckets, -1)
        is_new = corrected.apply(step.event, step.position)
        if player.reported:
            self._add(corrected.buckets, 1)
        if is_new and step.is_void:
            payload = step.event["payload"]
            corrected.void(payload["store"], payload["transaction_id"])
            self._add(corrected.buckets, 1)
        return is_new

    def _add(self, buckets: Mapping[Bucket, Counter[str]], sign: int) -> None:
        for bucket, counts in buckets.items():
            total = self.changes.setdefault(bucket, Counter())
            for name, count in counts.items():
                total[name] += sign * count
                if not total[name]:
                    del total[name]
            if not total:
                del self.changes[bucket]


@dataclass(frozen=True, slots=True)
class CorrectedPlayers:
    """Writes players with what sets them apart from what was reported (low-level DynamoDB client)."""

    dynamodb: "DynamoDBClient"
    players_table: str
    game_days_table: str

    def read(self, game_id: str, player_id: str) -> Player:
        """Return a player; one without a version where there is none."""
        player = Player(game_id, player_id)
        answer = self.dynamodb.get_item(
            TableName=self.players_table, Key={"player": {"S": player.key}}, ConsistentRead=True
        )
        return from_item(dict(answer["Item"])) if "Item" in answer else player

    def write(self, player: Player, changes: Changes) -> bool:
        """Write a player and change counters, or nothing; False where somebody else wrote one of them."""
        put: Any = replacement(self.players_table, player)
        updates: list[Any] = [
            {"Update": self._update(player.game_id, bucket, counts)} for bucket, counts in changes.items()
        ]
        try:
            self.dynamodb.transact_write_items(TransactItems=[*updates, {"Put": put}])
        except self.dynamodb.exceptions.TransactionCanceledException:
            return False
        return True

    def _update(self, game_id: str, bucket: Bucket, counts: Mapping[str, int]) -> dict[str, Any]:
        names = {f"#{number}": name for number, name in enumerate(counts)}
        return {
            "TableName": self.game_days_table,
            "Key": {
                "game_day": {"S": f"{game_id}#{bucket.period}"},
                "shard": {"S": f"{bucket.row}{ROW}"},
            },
            "UpdateExpression": "SET updated_at = :now, expires_at = :expires_at ADD "
            + ", ".join(f"{alias} :{alias[1:]}" for alias in names),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                ":now": {"S": timestamp(datetime.now(UTC))},
                ":expires_at": {"N": str(bucket.expires_at)},
                **{f":{alias[1:]}": {"N": str(counts[name])} for alias, name in names.items()},
            },
        }


def replacement(table: str, player: Player) -> dict[str, Any]:
    """Return the request that puts a player, on the condition that it is as it was read."""
    request: dict[str, Any] = {"TableName": table, "ConditionExpression": "attribute_not_exists(player)"}
    if player.version:
        request["ConditionExpression"] = "version = :version"
        request["ExpressionAttributeValues"] = {":version": {"N": str(player.version)}}
    player.version += 1
    return request | {"Item": to_item(player)}


def counted(projection: Projection) -> Changes:
    """Return what a projection changed last, without zeros."""
    found = {bucket: {n: v for n, v in counts.items() if v} for bucket, counts in projection.buckets.items()}
    return {bucket: counts for bucket, counts in found.items() if counts}
