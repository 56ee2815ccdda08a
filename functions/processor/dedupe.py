"""Which of these events are new? Answered once for each event id within the window, whatever is retried."""

import base64
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from telemetry.clients import CONNECTIONS
from telemetry.event import Event

from processor.arrival import Arrival

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

# An item of 28 claims stays below 1 KB, the step in which DynamoDB bills a write (docs/performance.md).
EVENTS_PER_BUCKET = 28
CLAIMS_PER_UPDATE = 50
HOUR = 3600

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims event ids in the dedupe table (low-level DynamoDB client).

    A claim is the position of the arrival that came first. Reading the same arrival again finds its
    own claim, so a retried batch loses nothing; another arrival of the id finds a foreign one. The
    ids of a stretch of a session share an item: one write claims them all (docs/adr/0003). Without a window
    nothing is claimed.
    """

    dynamodb: "DynamoDBClient"
    table_name: str
    window_hours: int

    def duplicates(self, arrivals: Iterable[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
        """Return the arrivals whose event came before, and those for which DynamoDB did not answer."""
        if not self.window_hours:
            return [], []
        buckets: dict[str, dict[str, list[Arrival]]] = defaultdict(lambda: defaultdict(list))
        for arrival in arrivals:
            if arrival.event:
                buckets[_bucket(arrival.event)][_attribute(arrival.event)].append(arrival)
        writes = [
            (bucket, groups[start : start + CLAIMS_PER_UPDATE])
            for bucket, ids in buckets.items()
            for groups in [list(ids.items())]
            for start in range(0, len(groups), CLAIMS_PER_UPDATE)
        ]
        repeated: list[Arrival] = []
        unknown: list[Arrival] = []
        with ThreadPoolExecutor(CONNECTIONS // 2) as pool:
            for (_, groups), owners in zip(writes, pool.map(lambda w: self._claim(*w), writes), strict=True):
                for name, group in groups:
                    if owners is None:
                        unknown += group
                    else:
                        owner = owners[name]
                        repeated += [arrival for arrival in group if arrival.token != owner]
        return repeated, unknown

    def _claim(self, bucket: str, groups: Sequence[tuple[str, list[Arrival]]]) -> dict[str, bytes] | None:
        names = {f"#{i}": name for i, (name, _) in enumerate(groups)}
        values: dict[str, AttributeValueTypeDef] = {
            f":{i}": {"B": group[0].token} for i, (_, group) in enumerate(groups)
        }
        claims = ", ".join(f"#{i} = if_not_exists(#{i}, :{i})" for i in range(len(groups)))
        values[":expires_at"] = {"N": str(int(time.time()) + self.window_hours * HOUR)}
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table_name,
                Key={"bucket": {"S": bucket}},
                UpdateExpression=f"SET {claims}, expires_at = :expires_at",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except (ClientError, BotoCoreError) as error:
            logger.exception("Event ids could not be claimed", extra={"bucket": bucket})
            return _all_new(groups) if _is_full(error) else None
        attributes = answer["Attributes"]
        return {name: attributes[name]["B"] for name in names.values()}


def _is_full(error: Exception) -> bool:
    """Tell an item that reached 400 KB: no retry helps, and only a broken client fills one."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "ValidationException"


def _all_new(groups: Sequence[tuple[str, list[Arrival]]]) -> dict[str, bytes]:
    return {name: group[0].token for name, group in groups}


def _bucket(event: Event) -> str:
    return f"{event['game_id']}#{event['session_id']}#{int(event['sequence']) // EVENTS_PER_BUCKET}"


def _attribute(event: Event) -> str:
    event_id = bytes.fromhex(event["event_id"].replace("-", ""))
    return base64.urlsafe_b64encode(event_id).decode().rstrip("=")
