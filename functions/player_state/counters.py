"""The counters of games: each item counts an event once, whatever is written or read again."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from string import ascii_lowercase
from typing import TYPE_CHECKING, NamedTuple

from telemetry.enrichment import timestamp

from player_state.buckets import Bucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Longer than any sequence number of Kinesis, of which 56 digits were seen.
POSITION_DIGITS = 64
# An expression may have 4,096 bytes and 300 operators. A write of more counters is divided among several; one
# event has fewer.
MAX_NAMES = 280


class Delta(NamedTuple):
    """What the event at a position of the enriched stream adds."""

    position: int
    counts: dict[str, int]


@dataclass(slots=True)
class Addition:
    """What a batch adds to one item, in the order of the stream."""

    game_id: str
    bucket: Bucket
    deltas: list[Delta] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Counters:
    """Writes the game_days table (low-level DynamoDB client).

    Each shard has items of its own and one reader, which counts in the order of the stream. An item holds
    the last position that it counted. So a batch that is read again adds only what came after.
    """

    dynamodb: "DynamoDBClient"
    table: str

    def add(self, addition: Addition, shard: str) -> None:
        """Add what the item does not hold yet, however often another reader of the shard is faster."""
        rest = addition.deltas
        while rest:
            some = _first(rest)
            try:
                self._update(Addition(addition.game_id, addition.bucket, some), shard)
                rest = rest[len(some) :]
            except self.dynamodb.exceptions.ConditionalCheckFailedException:
                counted = self._position(addition, shard)
                rest = [delta for delta in rest if delta.position > counted]

    def _update(self, addition: Addition, shard: str) -> None:
        total: Counter[str] = Counter()
        for delta in addition.deltas:
            for name, count in delta.counts.items():
                total[name] += count
        changes = [(name, count) for name, count in total.items() if count]
        aliases = [_alias(number) for number in range(len(changes))]
        added = "ADD " + ",".join(f"#{alias} :{alias}" for alias in aliases) if changes else ""
        self.dynamodb.update_item(
            TableName=self.table,
            Key=_key(addition, shard),
            UpdateExpression=f"SET #p = :last, updated_at = :now, expires_at = :expires_at {added}".strip(),
            ConditionExpression="attribute_not_exists(#p) OR #p < :first",
            ExpressionAttributeNames={
                f"#{alias}": name for alias, (name, _) in zip(aliases, changes, strict=True)
            }
            | {"#p": "position"},
            ExpressionAttributeValues={
                f":{alias}": {"N": str(count)} for alias, (_, count) in zip(aliases, changes, strict=True)
            }
            | {
                ":first": {"S": _ordered(addition.deltas[0].position)},
                ":last": {"S": _ordered(addition.deltas[-1].position)},
                ":now": {"S": timestamp(datetime.now(UTC))},
                ":expires_at": {"N": str(addition.bucket.expires_at)},
            },
        )

    def _position(self, addition: Addition, shard: str) -> int:
        answer = self.dynamodb.get_item(
            TableName=self.table,
            Key=_key(addition, shard),
            ConsistentRead=True,
            ProjectionExpression="#p",
            ExpressionAttributeNames={"#p": "position"},
        )
        return int(answer["Item"]["position"]["S"])


def _first(deltas: list[Delta]) -> list[Delta]:
    """Return as many deltas from the beginning as one expression has room for."""
    names: set[str] = set()
    for number, delta in enumerate(deltas):
        names |= delta.counts.keys()
        if number and len(names) > MAX_NAMES:
            return deltas[:number]
    return deltas


def _key(addition: Addition, shard: str) -> dict[str, dict[str, str]]:
    bucket = addition.bucket
    return {
        "game_day": {"S": f"{addition.game_id}#{bucket.period}"},
        "shard": {"S": f"{bucket.row}{shard}"},
    }


def _alias(number: int) -> str:
    """Return two letters: an expression may have 4,096 bytes."""
    return ascii_lowercase[number // 26] + ascii_lowercase[number % 26]


def _ordered(position: int) -> str:
    """Return a text that sorts as the stream does: DynamoDB's numbers are too short."""
    return f"{position:0{POSITION_DIGITS}}"
