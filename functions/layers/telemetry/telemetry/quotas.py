"""How many events a game may send a minute and a day, by class of key, and what happens beyond."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from telemetry.enrichment import timestamp
from telemetry.key_classes import KeyClass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# An event counts once for each of these that it begins.
UNIT_BYTES = 1024
# Who has handed out much in a minute takes a share of that in advance, so that few requests cost a write.
IN_ADVANCE = 4
# A refusal, and whether a game is disabled, is remembered for so many seconds.
REMEMBERED_SECONDS = 30
KEPT = timedelta(days=2)


class Limits(msgspec.Struct, frozen=True):
    """Units that the keys of one class of a game may send."""

    events_a_day: int
    events_a_minute: int

    def of(self, game: Mapping[str, Any]) -> "Limits":
        """Return a game's own limits: those of its item, else these."""
        own = {name: int(value) for name, value in game.get("quota", {}).items()}
        return msgspec.structs.replace(self, **own)


class Exceeded(Exception):
    """The keys of a class have sent too much; `is_day` where it is for the day, which disables them."""

    def __init__(self, is_day: bool) -> None:
        """Say which limit it is."""
        super().__init__("quota_exceeded" if is_day else "too_many_events")
        self.is_day = is_day


def units(sizes: Iterable[int]) -> int:
    """Return what events of these sizes in bytes count for."""
    return sum(max(1, math.ceil(size / UNIT_BYTES)) for size in sizes)


def key_of(game_id: str, key_class: KeyClass, moment: str = "") -> str:
    """Return the key of an item: what a class has sent on a day or in a minute, or whether it is disabled."""
    return f"{game_id}#{key_class}" + (f"#{moment}" if moment else "")


@dataclass(slots=True)
class Quotas:
    """Counts in the quotas table (low-level DynamoDB client), shared by all that take events.

    Each takes some units in advance, for a minute, and hands them out from memory. What it does not hand
    out counts as sent: a fifth at most.
    """

    dynamodb: "DynamoDBClient"
    table: str
    _leases: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    _refused: dict[str, tuple[float, bool]] = field(default_factory=dict)
    _disabled: dict[str, tuple[float, bool]] = field(default_factory=dict)

    def take(
        self, game_id: str, key_class: KeyClass, wanted: int, limits: Limits, now: datetime
    ) -> float | None:
        """Take units; return the share of the day's that is used by now, None where it is not known anew.

        Raises Exceeded, and disables the class where the day's limit is reached.
        """
        name, minute = key_of(game_id, key_class), f"{now:%Y-%m-%dT%H:%M}"
        leased, left, handed = self._leases.get(name, ("", 0, 0))
        left, handed = (left, handed) if leased == minute else (0, 0)
        if wanted <= left:
            self._leases[name] = minute, left - wanted, handed + wanted
            return None
        until, is_day = self._refused.get(name, (0.0, False))
        if time.monotonic() < until:
            raise Exceeded(is_day)
        need = wanted - left
        for count in (need + handed // IN_ADVANCE, need):
            is_day = False
            if self._add(f"{name}#{minute}", count, limits.events_a_minute) is None:
                continue
            used = self._add(f"{name}#{now:%Y-%m-%d}", count, limits.events_a_day)
            if used is not None:
                self._leases[name] = minute, left + count - wanted, handed + wanted
                return used / limits.events_a_day
            is_day = True
        if is_day:
            self._disable(name, now)
        seconds = REMEMBERED_SECONDS if is_day else 60 - now.second
        self._refused[name] = time.monotonic() + seconds, is_day
        raise Exceeded(is_day)

    def is_disabled(self, game_id: str, key_class: KeyClass) -> bool:
        """Tell whether a class of a game's keys was disabled and nobody has lifted that."""
        name = key_of(game_id, key_class)
        until, known = self._disabled.get(name, (0.0, False))
        if time.monotonic() >= until:
            known = "Item" in self.dynamodb.get_item(TableName=self.table, Key={"quota": {"S": name}})
            self._disabled[name] = time.monotonic() + REMEMBERED_SECONDS, known
        return known

    def _add(self, key: str, count: int, limit: int) -> int | None:
        """Count units under a key unless that exceeds a limit; return how many there are then."""
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table,
                Key={"quota": {"S": key}},
                UpdateExpression="SET expires_at = :expires_at ADD used :count",
                ConditionExpression="attribute_not_exists(used) OR used <= :most",
                ExpressionAttributeValues={
                    ":count": {"N": str(count)},
                    ":most": {"N": str(limit - count)},
                    ":expires_at": {"N": str(int(time.time() + KEPT.total_seconds()))},
                },
                ReturnValues="UPDATED_NEW",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return int(answer["Attributes"]["used"]["N"])

    def _disable(self, name: str, now: datetime) -> None:
        self.dynamodb.update_item(
            TableName=self.table,
            Key={"quota": {"S": name}},
            UpdateExpression="SET disabled_at = if_not_exists(disabled_at, :now)",
            ExpressionAttributeValues={":now": {"S": timestamp(now.astimezone(UTC))}},
        )
