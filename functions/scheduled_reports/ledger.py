"""What of each report was sent: written before and after, so that nothing is sent twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from telemetry.enrichment import timestamp

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

BEGUN = "begun"


class RefusedError(Exception):
    """It was certainly not sent: it may be tried again."""


class UnsureError(Exception):
    """An earlier run began to send and never told the outcome; a person decides."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A DynamoDB table (low-level client) with one item a report, one attribute a step."""

    dynamodb: "DynamoDBClient"
    table: str

    @contextmanager
    def once(self, report: str, step: str) -> Iterator[bool]:
        """Yield whether the step is still to be done, and keep that it was.

        A block that raises RefusedError may run again; after any other error the outcome is unknown, and
        the next run gets UnsureError.
        """
        mine = self._begin(report, step)
        try:
            yield mine
        except RefusedError:
            self._update(report, step, "REMOVE #step")
            raise
        if mine:
            self._update(report, step, "SET #step = :value", timestamp(datetime.now(UTC)))

    def _begin(self, report: str, step: str) -> bool:
        # It names this attempt: where the SDK repeats a call whose answer was lost, what it finds is its own.
        mine = f"{BEGUN} {uuid4()}"
        free = "attribute_not_exists(#step) OR #step = :value"
        try:
            self._update(report, step, "SET #step = :value", mine, free)
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            key = {"report": {"S": report}}
            item = self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]
            if item[step]["S"].startswith(BEGUN):
                raise UnsureError(f"{step} of {report} was begun by a run that did not end") from None
            return False
        return True

    def _update(self, report: str, step: str, change: str, value: str = "", condition: str = "") -> None:
        options: dict[str, Any] = {"ExpressionAttributeValues": {":value": {"S": value}}} if value else {}
        if condition:
            options["ConditionExpression"] = condition
        self.dynamodb.update_item(
            TableName=self.table,
            Key={"report": {"S": report}},
            UpdateExpression=change,
            ExpressionAttributeNames={"#step": step},
            **options,
        )
