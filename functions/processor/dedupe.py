"""Which of these events are new? Answered once for each event id within the window, whatever is retried."""

import base64
import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from telemetry.clients import CONNECTIONS
from telemetry.event import Event

from processor.arrival import Arrival

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# An item of 28 claims stays below 1 KB, the step in which DynamoDB bills a write (docs/performance.md).
EVENTS_PER_BUCKET = 28
CLAIMS_PER_UPDATE = 50
# No honest session has so many in a stretch. Further ones go to items by hash.
CLAIMS_PER_ITEM = 112
LEVELS = 3
# The flag of events whose session repeats its sequence numbers.
REPEATED_SEQUENCE = "repeated_sequence"
HOUR = 3600

# An item and the arrivals of each id that is claimed there.
Write = tuple[str, list[list[Arrival]]]

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims event ids in the dedupe table (low-level DynamoDB client).

    A claim is the position of the arrival that came first. Reading the same arrival again finds its
    own claim, so a retried batch loses nothing; another arrival of the id finds a foreign one. The
    ids of a stretch of a session share an item: one write claims them all (docs/adr/0003). Events of a
    session that repeats its sequence numbers, which fills the item, are flagged. Without a window nothing
    is claimed.
    """

    dynamodb: "DynamoDBClient"
    table_name: str
    window_hours: int

    def duplicates(self, arrivals: Iterable[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
        """Return the arrivals whose event came before, and those for which DynamoDB did not answer."""
        if not self.window_hours:
            return [], []
        groups: dict[str, list[Arrival]] = defaultdict(list)
        for arrival in arrivals:
            groups[f"{_bucket(arrival)} {_attribute(arrival)}"].append(arrival)
        repeated: list[Arrival] = []
        unknown: list[Arrival] = []
        left = list(groups.values())
        with ThreadPoolExecutor(CONNECTIONS // 2) as pool:
            for level in range(LEVELS):
                full: list[list[Arrival]] = []
                writes = _writes(left, level)
                claimed = pool.map(partial(self._claim, level), writes)
                for (_, claims), owners in zip(writes, claimed, strict=True):
                    for group in claims:
                        if owners is None:
                            unknown += group
                        elif owner := owners.get(_attribute(group[0])):
                            repeated += [arrival for arrival in group if arrival.token != owner]
                        else:
                            full.append(group)
                if not full:
                    break
                sessions = sorted({_bucket(group[0]).rpartition("#")[0] for group in full})
                logger.warning("Sessions repeat their sequence numbers", extra={"sessions": sessions[:10]})
                if not level:
                    for arrival in (arrival for group in full for arrival in group):
                        arrival.flags = (*arrival.flags, REPEATED_SEQUENCE)
                left = full
        return repeated, unknown

    def _claim(self, level: int, write: Write) -> dict[str, bytes] | None:
        """Claim ids in an item; return who has them, without those that do not fit; None without answer."""
        item, groups = write
        tokens = {_attribute(group[0]): group[0].token for group in groups}
        names = {f"#{i}": name for i, name in enumerate(tokens)}
        claims = ", ".join(f"#{i} = if_not_exists(#{i}, :{i})" for i in range(len(names)))
        values: dict[str, Any] = {f":{i}": {"B": token} for i, token in enumerate(tokens.values())}
        values[":expires_at"] = {"N": str(int(time.time()) + self.window_hours * HOUR)}
        values[":added"] = {"N": str(len(names))}
        bounded: dict[str, Any] = {}
        if level < LEVELS - 1:
            bounded["ConditionExpression"] = "attribute_not_exists(#claimed) OR #claimed < :most"
            values[":most"] = {"N": str(CLAIMS_PER_ITEM)}
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table_name,
                Key={"bucket": {"S": item}},
                UpdateExpression=f"SET {claims}, expires_at = :expires_at ADD #claimed :added",
                ExpressionAttributeNames=names | {"#claimed": "claimed"},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **bounded,
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException as error:
            known: Any = dict(error.response).get("Item", {})
        except (ClientError, BotoCoreError) as error:
            logger.exception("Event ids could not be claimed", extra={"bucket": item})
            return tokens if _is_full(error) else None
        else:
            known = answer["Attributes"]
        return {name: known[name]["B"] for name in tokens if name in known}


def _is_full(error: Exception) -> bool:
    """Tell an item that reached 400 KB: no retry helps, and it takes a broken client millions of ids."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "ValidationException"


def _writes(groups: Iterable[list[Arrival]], level: int) -> list[Write]:
    """Return items and the groups of arrivals whose ids are claimed there, as many as an update takes."""
    by_item: dict[str, list[list[Arrival]]] = defaultdict(list)
    for group in groups:
        by_item[_item(group[0], level)].append(group)
    return [
        (item, claims[start : start + CLAIMS_PER_UPDATE])
        for item, claims in by_item.items()
        for start in range(0, len(claims), CLAIMS_PER_UPDATE)
    ]


def _item(arrival: Arrival, level: int) -> str:
    """Return the stretch's item, or where that is full one of 256 by hash, or of these one of 256 again."""
    if not level:
        return _bucket(arrival)
    digest = hashlib.blake2b(_attribute(arrival).encode(), digest_size=level).hexdigest()
    return f"{_bucket(arrival)}#{digest}"


def _event(arrival: Arrival) -> Event:
    if not arrival.event:
        raise ValueError("only an event can be claimed")
    return arrival.event


def _bucket(arrival: Arrival) -> str:
    event = _event(arrival)
    return f"{event['game_id']}#{event['session_id']}#{int(event['sequence']) // EVENTS_PER_BUCKET}"


def _attribute(arrival: Arrival) -> str:
    event_id = bytes.fromhex(str(_event(arrival)["event_id"]).replace("-", ""))
    return base64.urlsafe_b64encode(event_id).decode().rstrip("=")
