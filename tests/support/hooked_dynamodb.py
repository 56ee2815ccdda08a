"""A DynamoDB client on which a test can make writes fail."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import boto3

Item = dict[str, Any]
Hook = Callable[[Item], Exception | None]


def quiet(item: Item) -> None:
    """Let a write pass."""


class HookedDynamoDB:
    """A DynamoDB client that calls `before` and `after` each write, with the key or the item written.

    What a hook returns is raised: before the write nothing is written, after it the answer is lost.
    `unprocessed` is how many answers to BatchGetItem hold one item only.
    """

    def __init__(self) -> None:
        """Make a client."""
        self._client = boto3.client("dynamodb")
        self.before: Hook = quiet
        self.after: Hook = quiet
        self.keys: list[Item] = []
        self.writes: Counter[str] = Counter()
        self.unprocessed = 0

    def update_item(self, **arguments: Any) -> Any:
        """Update an item."""
        return self._write(self._client.update_item, arguments["Key"], arguments)

    def put_item(self, **arguments: Any) -> Any:
        """Put an item."""
        return self._write(self._client.put_item, arguments["Item"], arguments)

    def batch_get_item(self, RequestItems: Item) -> Any:  # noqa: N803
        """Read items of one table."""
        ((name, wanted),) = RequestItems.items()
        keys, later = wanted["Keys"], []
        if self.unprocessed:
            self.unprocessed -= 1
            keys, later = keys[:1], keys[1:]
        answer = self._client.batch_get_item(RequestItems={name: wanted | {"Keys": keys}})
        return answer | ({"UnprocessedKeys": {name: wanted | {"Keys": later}}} if later else {})

    def __getattr__(self, name: str) -> Any:
        """Return what the client has of that name."""
        return getattr(self._client, name)

    def _write(self, write: Callable[..., Any], item: Item, arguments: Item) -> Any:
        self.keys.append(item)
        self.writes[arguments["TableName"]] += 1
        if error := self.before(item):
            raise error
        answer = write(**arguments)
        if error := self.after(item):
            raise error
        return answer
