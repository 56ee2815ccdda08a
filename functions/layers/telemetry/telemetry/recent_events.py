"""The newest events of each game with what became of them: docs/adr/0024.

An item of the table holds up to MAX_EVENTS events of one game, compressed. Its sort key begins with the
arrival of the newest of them, so that one query reads the newest events of a game.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import replace

from telemetry.ingest_batch import Envelope
from telemetry.key_classes import KeyClass
from telemetry.origin import Source

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

MAX_EVENTS = 25
MAX_ITEM_BYTES = 8 * 1024
MAX_ORIGINAL_BYTES = 2 * 1024
KEPT_SECONDS = 24 * 3600
# One answer of Query has at most 1 MB. A filter looks for matches in that many items.
MAX_ITEMS_READ = 1000

Outcome = Literal["accepted", "rejected", "withheld"]


class ShownError(msgspec.Struct, frozen=True, array_like=True):
    """One error of a rejected event."""

    pointer: str
    message: str


class RecentEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event and its outcome.

    `position` is its place in the raw stream. A rejected event has a reason and errors. `original` is the
    JSON that the client sent, without e-mail addresses. A withheld event has no player, type, id or
    original: its player did not agree to it.
    """

    position: str
    received_at: str
    result: Outcome
    source: Source
    key_class: KeyClass = "client"
    envelope: Envelope = "native"
    event_type: str | None = None
    event_id: str | None = None
    player_id: str | None = None
    reason: str | None = None
    errors: tuple[ShownError, ...] = ()
    flags: tuple[str, ...] = ()
    original: str | None = None

    @property
    def order(self) -> tuple[str, str, int, int]:
        """Sort events by arrival, and those of the same time as they stand in the stream."""
        shard, _, place = self.position.partition(":")
        number, _, index = place.partition("/")
        return self.received_at, shard, int(number), int(index)


class Batch(msgspec.Struct, frozen=True):
    """The events of an item. `left_out` counts events of the same time that were not kept."""

    key: dict[str, Any]
    events: list[RecentEvent]
    left_out: int


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[RecentEvent])


def is_on(game: Mapping[str, Any] | None) -> bool:
    """Tell whether the recent events of a game may be kept; a game that is not registered forbids nothing."""
    return not game or game.get("recent_events") != "off"


def packed(game_id: str, events: Sequence[RecentEvent], left_out: int, now: float) -> dict[str, Any]:
    """Return the item of some events, oldest first, in DynamoDB's typed form: the newest that fit."""
    kept = list(events[-MAX_EVENTS:])
    while len(data := zlib.compress(_encoder.encode(kept))) > MAX_ITEM_BYTES:
        kept = kept[len(kept) // 2 :] if len(kept) > 1 else [replace(kept[0], errors=kept[0].errors[:1])]
    newest = kept[-1]
    return {
        "game_id": {"S": game_id},
        "batch": {"S": f"{newest.received_at}#{newest.position}"},
        "events": {"B": data},
        "left_out": {"N": str(left_out + len(events) - len(kept))},
        "expires_at": {"N": str(int(now) + KEPT_SECONDS)},
    }


def unpacked(item: Mapping[str, Any]) -> Batch:
    """Return what an item in DynamoDB's typed form holds."""
    key = {name: item[name] for name in ("game_id", "batch")}
    return Batch(key, _decoder.decode(zlib.decompress(item["events"]["B"])), int(item["left_out"]["N"]))


def batches(dynamodb: "DynamoDBClient", table: str, game_id: str, since: str = "") -> Iterator[Batch]:
    """Yield all items of a game that arrived after a time, newest first."""
    pages = dynamodb.get_paginator("query").paginate(**_query(table, game_id, since))
    for page in pages:
        yield from map(unpacked, page["Items"])


def newest(dynamodb: "DynamoDBClient", table: str, game_id: str, items: int, now: float) -> list[Batch]:
    """Return the newest items of a game, at most so many, and at most 1 MB of them."""
    found = dynamodb.query(**_query(table, game_id), Limit=min(items, MAX_ITEMS_READ))
    # DynamoDB deletes an item some time after it has expired.
    return [unpacked(item) for item in found["Items"] if int(item["expires_at"]["N"]) > now]


def _query(table: str, game_id: str, since: str = "") -> dict[str, Any]:
    after = {":since": {"S": since}} if since else {}
    return {
        "TableName": table,
        "KeyConditionExpression": "game_id = :game" + (" AND batch > :since" if since else ""),
        "ExpressionAttributeValues": {":game": {"S": game_id}} | after,
        "ScanIndexForward": False,
    }
