"""How many events came in and what became of them, per game and arrival day, counted exactly once."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from telemetry.enrichment import timestamp

from processor.arrival import Arrival

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

RETENTION_SECONDS = 400 * 24 * 3600
SEQUENCE_DIGITS = 64

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class IngestStats:
    """Counters in the ingest_stats table (low-level DynamoDB client).

    Each shard has one reader, which counts in the order of the stream. An item remembers the last
    position it counted, so a batch that is read again adds only what came after.
    """

    dynamodb: "DynamoDBClient"
    table_name: str

    def add(self, shard: str, arrivals: Iterable[Arrival]) -> list[Arrival]:
        """Count the arrivals of one shard; return those of the items that could not be written."""
        by_item: dict[str, list[Arrival]] = defaultdict(list)
        for arrival in arrivals:
            by_item[f"{arrival.game}#{arrival.origin.received_at.date().isoformat()}"].append(arrival)
        uncounted: list[Arrival] = []
        for game_day, group in by_item.items():
            try:
                self._count(game_day, shard, group)
            except (ClientError, BotoCoreError):
                logger.exception("Arrivals could not be counted", extra={"game_day": game_day})
                uncounted += group
        return uncounted

    def _count(self, game_day: str, shard: str, group: list[Arrival]) -> None:
        try:
            self._update(game_day, shard, group)
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            counted = self._position(game_day, shard)
            rest = [arrival for arrival in group if _ordered(arrival) > counted]
            if rest:
                self._update(game_day, shard, rest)

    def _update(self, game_day: str, shard: str, group: list[Arrival]) -> None:
        counts = Counter(name for arrival in group for name in _outcomes(arrival))
        names = {f"#{i}": name for i, name in enumerate(counts)}
        values = {f":{i}": {"N": str(count)} for i, count in enumerate(counts.values())}
        positions = [_ordered(arrival) for arrival in group]
        self.dynamodb.update_item(
            TableName=self.table_name,
            Key=_key(game_day, shard),
            UpdateExpression="SET #position = :last, updated_at = :now, expires_at = :expires_at ADD "
            + ", ".join(f"#{i} :{i}" for i in range(len(counts))),
            ConditionExpression="attribute_not_exists(#position) OR #position < :first",
            ExpressionAttributeNames=names | {"#position": "position"},
            ExpressionAttributeValues=values
            | {
                ":first": {"S": min(positions)},
                ":last": {"S": max(positions)},
                ":now": {"S": timestamp(datetime.now(UTC))},
                ":expires_at": {"N": str(int(time.time()) + RETENTION_SECONDS)},
            },
        )

    def _position(self, game_day: str, shard: str) -> str:
        answer = self.dynamodb.get_item(
            TableName=self.table_name, Key=_key(game_day, shard), ConsistentRead=True
        )
        position: str = answer["Item"]["position"]["S"]
        return position


def _outcomes(arrival: Arrival) -> list[str]:
    """Name what is counted of an arrival: that it came, and what became of it."""
    if arrival.refused_again:
        return ["arrived", "refused_again"]
    if arrival.rejection:
        return ["arrived", f"rejected_{arrival.rejection.reason}"]
    if not arrival.event:
        return ["arrived", "withheld"]
    replayed = ["replayed"] if arrival.origin.source == "replay" else []
    return ["arrived", "accepted", f"hour_{arrival.origin.received_at:%H}", *arrival.flags, *replayed]


def _key(game_day: str, shard: str) -> dict[str, dict[str, str]]:
    return {"game_day": {"S": game_day}, "shard": {"S": shard}}


def _ordered(arrival: Arrival) -> str:
    """Return the position as a string that sorts as the stream does: DynamoDB's numbers are too short."""
    return f"{arrival.sequence_number:0>{SEQUENCE_DIGITS}}/{arrival.index:08}"
