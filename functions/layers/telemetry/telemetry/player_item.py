"""A player's item: what is kept of a player, packed so that it stays below the 1 KB of one write unit.

All but the key and the version is in the binary attribute `state`: names of attributes would take a tenth.
A player of whom a transaction was taken back has the binary attribute `reported` too.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Any

from telemetry.enrichment import timestamp

FORMAT = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DIGEST_BYTES, CURRENCY_BYTES = 8, 3
TEXTS = ("platform", "app_version", "country", "level")
NUMBERS = ("first_ms", "last_ms", "level_ms", "session_starts", "play_ms", "purchases")
SETS = ("active_days", "paid_days", "started_days", "completed_days", "active_minutes", "present_minutes")


@dataclass(slots=True)
class Play:
    """Events of a session with gaps of at most 30 minutes; times are milliseconds since 1970.

    `ended`: its last event is a session_end. `crashed` and `active`: the days from its first one on, as bits,
    with a fatal crash, and with an event that is no purchase.
    """

    session_id: str
    first: int
    last: int
    ended: bool = False
    crashed: int = 0
    active: int = 0


# The bits of a play's days, active and crashed, that need no byte: it was on one day, and nothing crashed.
ORDINARY = (1, 0)


class PaymentKind(IntEnum):
    """What a transaction is: only a sale is revenue. The number is what the item holds."""

    SALE = 0
    TRIAL = 1
    SANDBOX = 2


@dataclass(frozen=True, slots=True)
class Payment:
    """The purchase that counts for a store transaction; `tie` orders those of one millisecond.

    `settled` is what refunds paid back that are remembered no more.
    """

    at_ms: int
    tie: int
    currency: str
    amount: int
    kind: PaymentKind = PaymentKind.SALE
    verified: bool = False
    settled: int = 0

    @property
    def order(self) -> tuple[bool, int, int]:
        """Sorts the reports of a transaction: what a server confirms comes first, then the earliest."""
        return not self.verified, self.at_ms, self.tie


@dataclass(frozen=True, slots=True)
class Refund:
    """The earliest report of a refund; an amount of 0 is all that is left of the transaction."""

    at_ms: int
    tie: int
    amount: int


# What stands for a transaction that was taken back: no report precedes it, not even a server's.
VOID = Payment(0, 0, "XXX", 0, verified=True)


@dataclass(slots=True)
class Watermark:
    """What is applied of one shard of the raw stream.

    Every record before `start`, the first one of the processor's batch, is applied. Of those from there on,
    `applied` has the events that are, as bits, by the record's distance from `start`.
    """

    shard: int
    start: int
    day: int
    applied: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Player:
    """A player's state; days are ordinals, minutes count since 1970, `_ms` are milliseconds since 1970.

    `reported` is the state as it would be if nothing had been taken back, None where nothing was.
    """

    game_id: str
    player_id: str
    first_ms: int = 0
    last_ms: int = 0
    level_ms: int = 0
    session_starts: int = 0
    play_ms: int = 0
    purchases: int = 0
    platform: str | None = None
    app_version: str | None = None
    country: str | None = None
    level: str | None = None
    spend: dict[str, int] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    balances_ms: dict[str, int] = field(default_factory=dict)
    paid_in: dict[str, set[int]] = field(default_factory=dict)
    active_days: set[int] = field(default_factory=set)
    paid_days: set[int] = field(default_factory=set)
    started_days: set[int] = field(default_factory=set)
    completed_days: set[int] = field(default_factory=set)
    active_minutes: set[int] = field(default_factory=set)
    present_minutes: set[int] = field(default_factory=set)
    plays: list[Play] = field(default_factory=list)
    transactions: dict[bytes, Payment] = field(default_factory=dict)
    # By transaction, which may be unknown yet, then by refund.
    refunds: dict[bytes, dict[bytes, Refund]] = field(default_factory=dict)
    watermarks: list[Watermark] = field(default_factory=list)
    version: int = 0
    reported: "Player | None" = None

    @property
    def key(self) -> str:
        """Return the key of the item."""
        return f"{self.game_id}#{self.player_id}"


def milliseconds(text: str) -> int:
    """Return the milliseconds since 1970 of a time in the form of `timestamp`."""
    return (datetime.fromisoformat(text) - EPOCH) // MILLISECOND


def moment(at_ms: int) -> str:
    """Return a time in the form of `timestamp`."""
    return timestamp(EPOCH + at_ms * MILLISECOND)


def to_item(player: Player) -> dict[str, Any]:
    """Return the DynamoDB item."""
    return {
        "player": {"S": player.key},
        "version": {"N": str(player.version)},
        "state": {"B": _packed(player)},
        **({"reported": {"B": _packed(player.reported)}} if player.reported else {}),
    }


def from_item(item: dict[str, Any]) -> Player:
    """Return the player of a DynamoDB item."""
    game_id, _, player_id = item["player"]["S"].partition("#")
    player = Player(game_id, player_id, version=int(item["version"]["N"]))
    _unpack(player, item["state"]["B"])
    if "reported" in item:
        player.reported = Player(game_id, player_id)
        _unpack(player.reported, item["reported"]["B"])
    return player


def described(item: dict[str, Any]) -> dict[str, Any]:
    """Return all that an item holds in a form for people: times as text, days as dates."""
    player = from_item(item)
    plays = [
        {
            "session_id": play.session_id,
            "first": moment(play.first),
            "last": moment(play.last),
            "ended": play.ended,
            "crashed": play.crashed > 0,
        }
        for play in player.plays
    ]
    payments = [
        {
            "at": moment(one.at_ms),
            "currency": one.currency,
            "amount_minor": one.amount,
            "kind": one.kind.name.lower(),
            "verified": one.verified,
        }
        for one in player.transactions.values()
        if one != VOID
    ]
    refunds = [
        {"at": moment(one.at_ms), "amount_minor": one.amount or None}
        for found in player.refunds.values()
        for one in found.values()
    ]
    return {
        "game_id": player.game_id,
        "player_id": player.player_id,
        # A player of whom only a refund came was never seen.
        "first_seen": moment(player.first_ms) if player.first_ms else None,
        "last_seen": moment(player.last_ms) if player.last_ms else None,
        **{name: getattr(player, name) for name in TEXTS},
        "level_at": moment(player.level_ms) if player.level_ms else None,
        "session_starts": player.session_starts,
        "playtime_seconds": player.play_ms // 1000,
        "purchases": player.purchases,
        "spend": player.spend,
        "refunded": {currency: amount for currency, amount in player.refunded.items() if amount},
        "balances": player.balances,
        "balances_at": {name: moment(at_ms) for name, at_ms in player.balances_ms.items()},
        "active_days": _dates(player.active_days),
        "paid_days": _dates(player.paid_days),
        "started_days": _dates(player.started_days),
        "completed_days": _dates(player.completed_days),
        "active_minutes": [moment(minute * 60_000) for minute in sorted(player.active_minutes)],
        "present_minutes": [moment(minute * 60_000) for minute in sorted(player.present_minutes)],
        "plays": plays,
        "payments": payments,
        "refunds": refunds,
        "version": player.version,
    }


def _dates(ordinals: set[int]) -> list[str]:
    return [date.fromordinal(ordinal).isoformat() for ordinal in sorted(ordinals)]


def _packed(player: Player) -> bytes:
    out = bytearray([FORMAT])
    for name in NUMBERS:
        _put(out, getattr(player, name))
    for name in SETS:
        _put_set(out, getattr(player, name))
    for name in TEXTS:
        _put_text(out, getattr(player, name))
    _put(out, len(player.spend))
    for currency, amount in player.spend.items():
        out += currency.encode()
        _put(out, amount)
        _put(out, player.refunded.get(currency, 0))
        _put_set(out, player.paid_in.get(currency, set()))
    _put(out, len(player.balances))
    for currency, balance in player.balances.items():
        _put_text(out, currency)
        _put(out, balance)
        _put(out, player.balances_ms[currency])
    newest = max((play.last for play in player.plays), default=0)
    _put(out, newest)
    _put(out, len(player.plays))
    for play in player.plays:
        out += uuid.UUID(play.session_id).bytes
        _put(out, newest - play.last)
        _put(out, play.last - play.first)
        ordinary = (play.active, play.crashed) == ORDINARY
        _put(out, ordinary << 1 | play.ended)
        for days in () if ordinary else (play.active, play.crashed):
            _put(out, days)
    _put(out, len(player.transactions))
    for digest, payment in player.transactions.items():
        out += digest + payment.currency.encode()
        kind = payment.kind << 1 | (payment.settled > 0)
        for number in (payment.at_ms, payment.tie << 1 | payment.verified, payment.amount, kind):
            _put(out, number)
        if payment.settled:
            _put(out, payment.settled)
    _put(out, len(player.refunds))
    for digest, refunds in player.refunds.items():
        out += digest
        _put(out, len(refunds))
        for key, refund in refunds.items():
            out += key
            for number in (refund.at_ms, refund.tie, refund.amount):
                _put(out, number)
    _put(out, len(player.watermarks))
    for mark in player.watermarks:
        for number in (mark.shard, mark.start, mark.day, len(mark.applied)):
            _put(out, number)
        before = 0
        for distance in sorted(mark.applied):
            _put(out, distance - before)
            _put(out, mark.applied[distance])
            before = distance
    return bytes(out)


def _unpack(player: Player, data: bytes) -> None:
    read = _Reader(bytes(data), 1)
    for name in NUMBERS:
        setattr(player, name, read.number())
    for name in SETS:
        setattr(player, name, read.numbers())
    for name in TEXTS:
        setattr(player, name, read.text())
    for _ in range(read.number()):
        currency = read.bytes(CURRENCY_BYTES).decode()
        player.spend[currency], player.refunded[currency] = read.number(), read.number()
        player.paid_in[currency] = read.numbers()
    for _ in range(read.number()):
        named = str(read.text())
        player.balances[named], player.balances_ms[named] = read.number(), read.number()
    newest = read.number()
    for _ in range(read.number()):
        session_id = str(uuid.UUID(bytes=read.bytes(16)))
        last = newest - read.number()
        first, flags = last - read.number(), read.number()
        active, crashed = ORDINARY if flags & 2 else (read.number(), read.number())
        player.plays.append(Play(session_id, first, last, bool(flags & 1), crashed, active))
    for _ in range(read.number()):
        digest, currency = read.bytes(DIGEST_BYTES), read.bytes(CURRENCY_BYTES).decode()
        at_ms, tie, amount = read.number(), read.number(), read.number()
        kind = read.number()
        player.transactions[digest] = Payment(
            at_ms,
            tie >> 1,
            currency,
            amount,
            PaymentKind(kind >> 1),
            verified=bool(tie & 1),
            settled=read.number() if kind & 1 else 0,
        )
    for _ in range(read.number()):
        digest = read.bytes(DIGEST_BYTES)
        player.refunds[digest] = {
            read.bytes(DIGEST_BYTES): Refund(read.number(), read.number(), read.number())
            for _ in range(read.number())
        }
    for _ in range(read.number()):
        mark = Watermark(read.number(), read.number(), read.number())
        player.watermarks.append(mark)
        distance = 0
        for _ in range(read.number()):
            distance += read.number()
            mark.applied[distance] = read.number()


def _put(out: bytearray, number: int) -> None:
    """Append a number of any length, seven bits a byte."""
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _put_text(out: bytearray, text: str | None) -> None:
    """Append a text behind its length and one, and 0 for none."""
    data = b"" if text is None else text.encode()
    _put(out, 0 if text is None else len(data) + 1)
    out += data


def _put_set(out: bytearray, numbers: set[int]) -> None:
    """Append the lowest number, and a bit for each one from there on."""
    lowest = min(numbers, default=0)
    _put(out, lowest)
    bits = sum(1 << (number - lowest) for number in numbers)
    _put(out, (bits.bit_length() + 7) // 8)
    out += bits.to_bytes((bits.bit_length() + 7) // 8, "little")


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def text(self) -> str | None:
        length = self.number()
        return self.bytes(length - 1).decode() if length else None

    def numbers(self) -> set[int]:
        lowest = self.number()
        bits = int.from_bytes(self.bytes(self.number()), "little")
        return set(_set_bits(bits, lowest))


def _set_bits(bits: int, lowest: int) -> Iterator[int]:
    while bits:
        low = bits & -bits
        yield lowest + low.bit_length() - 1
        bits ^= low
