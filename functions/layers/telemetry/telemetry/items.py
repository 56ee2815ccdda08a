"""Reads of many items of a DynamoDB table by their keys."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource

# BatchGetItem takes no more keys.
MAX_KEYS = 100


def read(
    dynamodb: "DynamoDBClient | DynamoDBServiceResource",
    table: str,
    keys: Iterable[Mapping[str, Any]],
    **options: Any,
) -> Iterator[dict[str, Any]]:
    """Yield the items that exist, in any order; keys and items are as the client or resource has them.

    `options` are BatchGetItem's for a table, such as ConsistentRead. Keys that DynamoDB leaves unprocessed
    are asked for again. Raises as boto3 does.
    """
    left = list(keys)
    while left:
        some, left = left[:MAX_KEYS], left[MAX_KEYS:]
        request: Any = {table: {"Keys": some, **options}}
        answer: Any = dynamodb.batch_get_item(RequestItems=request)
        yield from answer["Responses"].get(table, [])
        left += answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
