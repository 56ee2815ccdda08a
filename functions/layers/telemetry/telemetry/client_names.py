"""Names that a client chooses: so many of a kind have counters of their own, by game and day."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from telemetry.capped_names import OTHER
from telemetry.event import EnrichedEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# An item of names is kept as long as the counters of its day.
KEPT_DAYS = 400
DIGEST_BYTES = 8
ATTEMPTS = 10
FIRST_PAUSE_SECONDS = 0.01
MAX_REMEMBERED = 5000
# An event that arrives more days after its day is late, and brings a new name only while the day has few:
# `late_names` of the limits. Otherwise late events could have the names of 31 days. It is no setting, because
# with more days a game may delay another one more than twice as long as plain events do.
IN_TIME_DAYS = 2
# The day of names that are for all days.
ALWAYS = str(date.max)
# A name of several parts, such as "currency#reason", is counted under as many.
OTHERS = {
    "ads": f"{OTHER}#{OTHER}#{OTHER}", "designs": OTHER, "devices": f"{OTHER}#{OTHER}",
    "flows": f"{OTHER}#{OTHER}", "levels": OTHER, "versions": OTHER,
}  # fmt: skip


def holds_boards(game_day: str) -> bool:
    """Tell whether an item of game_days has the names of a game's boards, which are for all days."""
    return game_day.endswith(f"#{ALWAYS}#names")


NameOf = Callable[[EnrichedEvent, str, str], str]
# map, or that of a pool.
Mapped = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class NameLimits(msgspec.Struct, frozen=True):
    """How many names of each kind a game may have a day: each is a row that readers read.

    `boards` are leaderboards without a definition. They stay, so their limit is for all days together. A late
    event brings a new name only while its day has fewer than `late_names`.
    """

    ads: Limit = 100
    boards: Limit = 100
    designs: Limit = 200
    devices: Limit = 50
    flows: Limit = 200
    late_names: Limit = 5
    levels: Limit = 200
    versions: Limit = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Digests of names that a batch brings: in events that arrive in time, and in late ones."""

    in_time: set[bytes] = field(default_factory=set)
    late: set[bytes] = field(default_factory=set)


class Named(NamedTuple):
    """The names of one kind that a game has on a day."""

    game_id: str
    day: str
    kind: str


@dataclass(slots=True)
class Names:
    """The names that have counters, in the game_days table (low-level DynamoDB client).

    An item of a game, day and kind holds digests of the names that came first. It only grows, and never
    beyond the limit. A late event whose name finds no room among `late_names` closes it. A full or closed
    item takes no further name, so an event is counted in the same place whenever it is read again.
    """

    dynamodb: "DynamoDBClient"
    table: str
    limits: NameLimits
    _known: dict[Named, set[bytes]] = field(default_factory=dict)
    _final: set[Named] = field(default_factory=set)

    def admit(self, events: Iterable[EnrichedEvent], mapped: Mapped = map) -> None:
        """Give each name of the events its place, as long as there is room; `mapped` makes the calls."""
        for of in list(self._known)[: max(0, len(self._known) - MAX_REMEMBERED)]:
            del self._known[of]
            self._final.discard(of)
        wanted: dict[Named, Wanted] = defaultdict(Wanted)
        for event in events:
            is_late = _is_late(event["event_date"], event["received_at"][:10])
            for kind, name in _names(event):
                of = Named(event["game_id"], event["event_date"], kind)
                digest, known = _digest(name), self._known.setdefault(of, set())
                if of not in self._final and digest not in known:
                    (wanted[of].late if is_late else wanted[of].in_time).add(digest)
        for _ in mapped(lambda one: self._admit(*one), wanted.items()):
            pass

    def admit_board(self, game_id: str, name: str) -> bool:
        """Tell whether a game may have a leaderboard of this name without a definition."""
        of, digest = Named(game_id, ALWAYS, "boards"), _digest(name)
        known = self._known.setdefault(of, set())
        if of not in self._final and digest not in known:
            self._fill(of, {digest}, self.limits.boards, self.limits.boards)
        return digest in self._known[of]

    def name_of(self, event: EnrichedEvent, kind: str, name: str) -> str:
        """Return the name that an event counts under: its own, or the one of all others."""
        known = self._known[Named(event["game_id"], event["event_date"], kind)]
        return name if _digest(name) in known else OTHERS[kind]

    def capped(self, event: EnrichedEvent) -> bool:
        """Tell whether an event counts under another name for the limit's sake, not because it is late."""
        return not _is_late(event["event_date"], event["received_at"][:10]) and any(
            self.name_of(event, kind, name) != name for kind, name in _names(event)
        )

    def _admit(self, of: Named, wanted: Wanted) -> None:
        limit: int = getattr(self.limits, of.kind)
        self._fill(of, wanted.in_time, limit, limit)
        self._fill(of, wanted.late, min(limit, self.limits.late_names), limit)

    def _fill(self, of: Named, digests: set[bytes], room: int, limit: int) -> None:
        """Add what there is room for. Where something is left out, the item is full or closed."""
        for attempt in range(ATTEMPTS):
            if of in self._final or digests <= self._known[of]:
                return
            known, is_closed = self._read(of)
            self._known[of] = known
            if is_closed or len(known) >= limit:
                self._final.add(of)
                return
            added = sorted(digests - known)[: max(0, room - len(known))]
            if not added and digests - known:
                self._known[of] = self._close(of)
                self._final.add(of)
                return
            if added and self._add(of, added, room):
                known.update(added)
            elif added:
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        if of not in self._final and not digests <= self._known[of]:
            raise TooBusyError(f"The {of.kind} of {of.game_id} change too often")

    def _read(self, of: Named) -> tuple[set[bytes], bool]:
        answer = self.dynamodb.get_item(TableName=self.table, Key=_key(of), ConsistentRead=True)
        item = answer.get("Item", {})
        return _content(item), "closed" in item

    def _add(self, of: Named, digests: list[bytes], limit: int) -> bool:
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=_key(of),
                UpdateExpression="ADD #names :names SET expires_at = :expires_at",
                ConditionExpression=(
                    "attribute_not_exists(#names) OR attribute_not_exists(#closed) AND size(#names) <= :room"
                ),
                ExpressionAttributeNames={"#names": "names", "#closed": "closed"},
                ExpressionAttributeValues={
                    ":names": {"BS": digests},
                    ":room": {"N": str(limit - len(digests))},
                    ":expires_at": {"N": str(_expiry(of))},
                },
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _close(self, of: Named) -> set[bytes]:
        """Let no further name in; return those that are in."""
        answer = self.dynamodb.update_item(
            TableName=self.table,
            Key=_key(of),
            UpdateExpression="SET #closed = :closed, expires_at = :expires_at",
            ExpressionAttributeNames={"#closed": "closed"},
            ExpressionAttributeValues={":closed": {"BOOL": True}, ":expires_at": {"N": str(_expiry(of))}},
            ReturnValues="ALL_NEW",
        )
        return _content(answer["Attributes"])


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
def _is_late(day: str, arrived: str) -> bool:
    return (date.fromisoformat(arrived) - date.fromisoformat(day)).days > IN_TIME_DAYS


def _expiry(of: Named) -> int:
    days = date.fromisoformat(of.day).toordinal() - date(1970, 1, 1).toordinal() + KEPT_DAYS
    return days * 86_400


def _content(item: Any) -> set[bytes]:
    return set(item.get("names", {}).get("BS", ()))


def _key(of: Named) -> dict[str, dict[str, str]]:
    return {"game_day": {"S": f"{of.game_id}#{of.day}#names"}, "shard": {"S": of.kind}}


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=DIGEST_BYTES).digest()
