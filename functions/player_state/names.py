"""Names that a client chooses: so many of a kind have counters of their own, by game and day."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from telemetry.capped_names import OTHER
from telemetry.event import EnrichedEvent

from player_state.buckets import KEPT_DAYS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DIGEST_BYTES = 8
ATTEMPTS = 10
FIRST_PAUSE_SECONDS = 0.01
MAX_REMEMBERED = 1000
# So many days after a day, events bring new names only while it has few. Otherwise late events could have the
# names of 31 days.
OPEN_DAYS, LATE_NAMES = 2, 5
# A name of several parts, such as "currency#reason", is counted under as many.
OTHERS = {
    "ads": f"{OTHER}#{OTHER}#{OTHER}", "designs": OTHER, "devices": f"{OTHER}#{OTHER}",
    "flows": f"{OTHER}#{OTHER}", "levels": OTHER, "versions": OTHER,
}  # fmt: skip

NameOf = Callable[[EnrichedEvent, str, str], str]


Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class NameLimits(msgspec.Struct, frozen=True):
    """How many names of each kind a game may have a day: each is a row that readers read."""

    ads: Limit = 100
    designs: Limit = 200
    devices: Limit = 50
    flows: Limit = 200
    levels: Limit = 200
    versions: Limit = 50


class Named(NamedTuple):
    """The names of one kind that a game has on a day."""

    game_id: str
    day: str
    kind: str


@dataclass(slots=True)
class Names:
    """The names that have counters, in the game_days table (low-level DynamoDB client).

    An item of a game, day and kind holds digests of the names that came first. It only grows, and never
    beyond the limit, which is lower for late events. So a name is counted in the same place whenever its
    event is read again.
    """

    dynamodb: "DynamoDBClient"
    table: str
    limits: NameLimits
    _known: dict[Named, set[bytes]] = field(default_factory=dict)
    _closed: set[Named] = field(default_factory=set)

    def admit(self, events: Iterable[EnrichedEvent]) -> None:
        """Give each name of the events its place, as long as there is room."""
        if len(self._known) > MAX_REMEMBERED:
            self._known.clear()
            self._closed.clear()
        wanted: dict[tuple[Named, bool], set[bytes]] = defaultdict(set)
        for event in events:
            is_closed = _is_closed(event["event_date"], event["received_at"][:10])
            for kind, name in _names(event):
                of = Named(event["game_id"], event["event_date"], kind)
                wanted[of, is_closed].add(_digest(name))
        for (of, is_closed), digests in wanted.items():
            limit: int = getattr(self.limits, of.kind)
            if is_closed and of not in self._closed:
                # Another shard may have added names while the day was open.
                self._known[of] = self._read(of)
                self._closed.add(of)
            self._admit(of, digests, min(limit, LATE_NAMES) if is_closed else limit)

    def name_of(self, event: EnrichedEvent, kind: str, name: str) -> str:
        """Return the name that an event counts under: its own, or the one of all others."""
        known = self._known[Named(event["game_id"], event["event_date"], kind)]
        return name if _digest(name) in known else OTHERS[kind]

    def capped(self, event: EnrichedEvent) -> bool:
        """Tell whether an event counts under another name than its own."""
        return any(self.name_of(event, kind, name) != name for kind, name in _names(event))

    def _admit(self, of: Named, digests: set[bytes], limit: int) -> None:
        known = self._known.setdefault(of, set())
        if digests <= known or len(known) >= limit:
            return
        for attempt in range(ATTEMPTS):
            self._known[of] = known = self._read(of)
            added = sorted(digests - known)[: max(0, limit - len(known))]
            if not added:
                return
            if self._add(of, added, limit):
                known.update(added)
                return
            time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        raise TooBusyError(f"The {of.kind} of {of.game_id} change too often")

    def _read(self, of: Named) -> set[bytes]:
        answer = self.dynamodb.get_item(TableName=self.table, Key=_key(of), ConsistentRead=True)
        return set(answer.get("Item", {}).get("names", {}).get("BS", ()))

    def _add(self, of: Named, digests: list[bytes], limit: int) -> bool:
        expires = date.fromisoformat(of.day).toordinal() - date(1970, 1, 1).toordinal() + KEPT_DAYS
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=_key(of),
                UpdateExpression="ADD #names :names SET expires_at = :expires_at",
                ConditionExpression="attribute_not_exists(#names) OR size(#names) <= :room",
                ExpressionAttributeNames={"#names": "names"},
                ExpressionAttributeValues={
                    ":names": {"BS": digests},
                    ":room": {"N": str(limit - len(digests))},
                    ":expires_at": {"N": str(expires * 86_400)},
                },
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


class TooBusyError(Exception):
    """Many writers at once: the batch is to be tried again."""


def _names(event: EnrichedEvent) -> Iterator[tuple[str, str]]:
    payload, version = event["payload"], event["app_version"]
    yield "versions", version
    match event["event_type"]:
        case "ad_impression":
            yield "ads", f"{payload['network']}#{payload['placement']}#{payload['format']}"
        case "design":
            yield "designs", payload["name"]
        case "performance":
            yield "devices", f"{event['platform']}#{version}"
        case "economy":
            yield "flows", f"{payload['currency']}#{payload['reason']}"
        case "progression":
            yield "levels", payload["level_1"]


@lru_cache(MAX_REMEMBERED)
def _is_closed(day: str, arrived: str) -> bool:
    return (date.fromisoformat(arrived) - date.fromisoformat(day)).days > OPEN_DAYS


def _key(of: Named) -> dict[str, dict[str, str]]:
    return {"game_day": {"S": f"{of.game_id}#{of.day}#names"}, "shard": {"S": of.kind}}


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=DIGEST_BYTES).digest()
