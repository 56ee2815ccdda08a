"""Keeps the newest events of each game for people who look at them: docs/adr/0024."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from msgspec.structs import replace
from telemetry.email_masking import mask, mask_bytes
from telemetry.enrichment import timestamp
from telemetry.recent_events import MAX_EVENTS, MAX_ORIGINAL_BYTES, RecentEvent, ShownError, packed
from telemetry.rejection import Rejection

from processor.arrival import Arrival
from processor.triage import SEALED, UNKNOWN

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WriteRequestTypeDef

# Of a batch with more events than an item takes, rejected ones have this share at least.
MAX_REJECTED = MAX_EVENTS // 2
# DynamoDB bills a write by the KB. An execution environment serves one shard, so this bounds the cost of
# the table by shards and seconds, whatever number of events and games there is.
KB_A_SECOND = 0.5
BURST_KB = 60.0
# BatchWriteItem takes no more.
MAX_ITEMS = 25
MAX_WAITING_GAMES = 1000

logger = Logger(child=True)


@dataclass(slots=True)
class Waiting:
    """The newest events of a game that are not written yet, and how many older ones were dropped."""

    events: list[RecentEvent] = field(default_factory=list)
    left_out: int = 0

    def add(self, events: Sequence[RecentEvent], left_out: int) -> None:
        """Take newer events."""
        together = [*self.events, *events]
        self.events = together[-MAX_EVENTS:]
        self.left_out += left_out + len(together) - len(self.events)


@dataclass(slots=True)
class RecentEvents:
    """Writes to the table of recent events (low-level DynamoDB client), at most KB_A_SECOND on average.

    What exceeds that waits for a later batch. The table is a view for people: a write that fails is logged
    and not tried again, because no event may wait for it.
    """

    dynamodb: "DynamoDBClient"
    table_name: str
    _waiting: dict[str, Waiting] = field(default_factory=dict)
    _left_kb: float = BURST_KB
    _counted_at: float = field(default_factory=time.monotonic)

    def add(self, shard: str, arrivals: Iterable[Arrival]) -> None:
        """Show the arrivals of a batch; games that have waited longest come first."""
        by_game: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            if arrival.recent_game:
                by_game.setdefault(arrival.recent_game, []).append(arrival)
        for game_id, found in by_game.items():
            chosen = _newest(found)
            events = [_shown(arrival, shard, game_id) for arrival in chosen]
            self._waiting.setdefault(game_id, Waiting()).add(events, len(found) - len(chosen))
        items = self._affordable()
        while len(self._waiting) > MAX_WAITING_GAMES:
            del self._waiting[next(iter(self._waiting))]
        if items:
            self._write(items)

    def _affordable(self) -> list[dict[str, Any]]:
        now = time.monotonic()
        self._left_kb = min(BURST_KB, self._left_kb + (now - self._counted_at) * KB_A_SECOND)
        self._counted_at = now
        items = []
        for game_id in list(islice(self._waiting, MAX_ITEMS)):
            if self._left_kb <= 0:
                break
            waiting = self._waiting.pop(game_id)
            items.append(packed(game_id, waiting.events, waiting.left_out, time.time()))
            self._left_kb -= kilobytes(items[-1])
        return items

    def _write(self, items: list[dict[str, Any]]) -> None:
        requests: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": item}} for item in items]
        try:
            self.dynamodb.batch_write_item(RequestItems={self.table_name: requests})
        except (ClientError, BotoCoreError):
            logger.warning("Recent events could not be shown", exc_info=True)


def kilobytes(item: dict[str, Any]) -> int:
    """Return the write units that an item costs."""
    size = sum(len(name) + len(value) for name, typed in item.items() for value in typed.values())
    return math.ceil(size / 1024)


def _newest(arrivals: list[Arrival]) -> list[Arrival]:
    """Return as many as an item takes, in their order."""
    if len(arrivals) <= MAX_EVENTS:
        return arrivals
    rejected = [n for n, arrival in enumerate(arrivals) if arrival.rejection][-MAX_REJECTED:]
    others = [n for n, arrival in enumerate(arrivals) if not arrival.rejection]
    # Where few were accepted, rejected ones take their places.
    taken = others[-(MAX_EVENTS - len(rejected)) :] or rejected
    return [arrivals[n] for n in sorted({*rejected, *taken})]


def _shown(arrival: Arrival, shard: str, game_id: str) -> RecentEvent:
    """Return what people may see: no more than the lake keeps, and nothing of an event without consent."""
    origin, rejection = arrival.origin, arrival.rejection
    shown = RecentEvent(
        position=f"{shard}:{arrival.position}",
        received_at=timestamp(origin.received_at),
        result="rejected" if rejection else "accepted" if arrival.event else "withheld",
        source=origin.source,
        key_class=origin.key_class,
        envelope=arrival.envelope,
    )
    if shown.result == "withheld":
        return shown
    event: Mapping[str, Any] = arrival.event or {}
    player = event.get("player_id") or (None if arrival.pseudonyms else arrival.text("player_id"))
    # The game of these events is not known, so neither is whether it lets its players be shown.
    is_known = game_id != UNKNOWN
    shows_original = is_known and not arrival.pseudonyms and len(arrival.raw) <= MAX_ORIGINAL_BYTES
    errors = _errors(rejection, is_sealed=bool(arrival.pseudonyms)) if rejection else ()
    return replace(
        shown,
        event_type=_masked(event.get("event_type") or arrival.label("event_type")),
        event_id=_masked(event.get("event_id") or arrival.label("event_id")) if is_known else None,
        player_id=_masked(player) if is_known else None,
        reason=rejection.reason.value if rejection else None,
        errors=errors,
        flags=arrival.flags if arrival.event else (),
        original=mask_bytes(arrival.raw).decode(errors="replace") if shows_original else None,
    )


def _errors(rejection: Rejection, *, is_sealed: bool) -> tuple[ShownError, ...]:
    """Return the errors as people may see them; of a game with pseudonyms nothing that the client chose."""
    if is_sealed:
        return (ShownError(mask(rejection.errors[0].named), SEALED),)
    return tuple(ShownError(mask(each.pointer), mask(each.message)) for each in rejection.errors)


def _masked(text: Any) -> str | None:
    return mask(text) if isinstance(text, str) and text else None
