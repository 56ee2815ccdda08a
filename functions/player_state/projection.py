"""What events mean for a player and for what a game counts: pure functions, no AWS."""

import copy
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from telemetry.client_names import NameOf
from telemetry.event import EnrichedEvent
from telemetry.histogram import MEASURES, bin_of
from telemetry.player_item import (
    DIGEST_BYTES,
    VOID,
    Payment,
    PaymentKind,
    Play,
    Player,
    Refund,
    milliseconds,
)
from telemetry.raw_position import RawPosition

from player_state import buckets, watermarks
from player_state.buckets import EPOCH, Bucket

REMEMBERED_DAYS = 100
REMEMBERED_PLAYS = 16
REMEMBERED_TRANSACTIONS, REMEMBERED_REFUNDS = 32, 32
# An event in time happened at most an hour before or after its arrival, and counts in four more minutes.
REMEMBERED_MINUTES = 130
# A bitmap of so many days takes 50 bytes.
MAX_DAYS_APART = 400
MAX_CURRENCIES = 50
# Reports of a transaction in one millisecond are ordered by so much of their event_id.
TIE_DIGITS = 5
MAX_COHORT_DAY = 90
WINDOWS = {"wau": 7, "mau": 30}
PAUSE_MS = 30 * 60 * 1000
DAY_MS, MINUTE_MS = 86_400_000, 60_000
# A player counts as concurrent in the minute of an event and in the four after it.
CONCURRENT_MINUTES = 5
MILLION = 1_000_000


@dataclass(slots=True)
class Projection:
    """A player, changed in place, and what the last event adds to each bucket's counters."""

    player: Player
    name_of: NameOf
    buckets: dict[Bucket, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def apply(self, event: EnrichedEvent, position: RawPosition) -> bool:
        """Apply an event once; return False for one that is applied already."""
        arrived = date.fromisoformat(event["received_at"][:10]).toordinal()
        if not watermarks.is_new(self.player, position, arrived):
            return False
        self.buckets.clear()
        at_ms = milliseconds(event["corrected_time"])
        day = self._day(at_ms)
        day["events"] += 1
        day[f"events_{event['event_type']}"] += 1
        if event["event_type"] == "refund":
            # A server reports it: the player did nothing.
            self._refund(event, at_ms)
            if not event["late"]:
                self._minute(event, at_ms)
            return True
        self._install(at_ms)
        self._seen(event, at_ms, day)
        self._play(event, at_ms)
        paid = event["event_type"] == "purchase" and self._purchase(event, at_ms)
        handler = _HANDLERS.get(event["event_type"])
        if handler:
            handler(self, event, at_ms, day)
        if not event["late"]:
            self._live(event, at_ms, paid)
        return True

    def _day(self, at_ms: int) -> Counter[str]:
        return self.buckets[buckets.of_day(_date(at_ms).isoformat())]

    def _install(self, at_ms: int) -> None:
        """Keep the first day right also where the first event comes last: the whole cohort moves."""
        before, self.player.first_ms = self.player.first_ms, at_ms
        if before and before <= at_ms:
            self.player.first_ms = before
            return
        if before and _date(before) == _date(at_ms):
            return
        for moment, sign in ((before, -1), (at_ms, 1)):
            if moment:
                self._day(moment)["new_players"] += sign
                for active in self.player.active_days:
                    self._return(_date(moment), active, sign)

    def _return(self, installed: date, active: int, sign: int) -> None:
        number = active - installed.toordinal()
        if 0 <= number <= MAX_COHORT_DAY:
            self.buckets[buckets.of_cohort(installed.isoformat())][f"retained_{number}"] += sign

    def _seen(self, event: EnrichedEvent, at_ms: int, day: Counter[str]) -> None:
        player = self.player
        if at_ms >= player.last_ms:
            player.last_ms = at_ms
            player.platform, player.app_version = event["platform"], event["app_version"]
            player.country = event["country"]
        ordinal = _ordinal(at_ms)
        if ordinal not in player.active_days:
            player.active_days = _with_day(player.active_days, ordinal)
            day["active_players"] += 1
            self._return(_date(player.first_ms), ordinal, 1)
            self._reach(ordinal)

    def _reach(self, active: int) -> None:
        """Count the player on each day whose week or month holds this active day and no other of theirs."""
        others = self.player.active_days - {active}
        for name, length in WINDOWS.items():
            for last in range(active, active + length):
                if not any(last - length < other <= last for other in others):
                    day = date.fromordinal(last)
                    self.buckets[buckets.of_month(day)][f"{name}_{day.day}"] += 1

    def _play(self, event: EnrichedEvent, at_ms: int) -> None:
        """Let the event join the plays of its session that are at most 30 minutes away.

        A play counts on the day on which it begins, so its whole length may move to an earlier day.
        """
        player, session_id = self.player, event["session_id"]
        joined = Play(session_id, at_ms, at_ms, ended=event["event_type"] == "session_end")
        joined.active = int(event["event_type"] != "purchase")
        apart: list[Play] = []
        before: list[Play] = []
        for play in player.plays:
            if play.session_id != session_id:
                apart.append(play)
                continue
            before.append(play)
            if play.first - PAUSE_MS <= at_ms <= play.last + PAUSE_MS:
                self._count_play(play, -1)
                joined = _joined(joined, play)
            else:
                apart.append(play)
        self._count_play(joined, 1)
        # Those that changed last stay: who was offline may send many old sessions behind the running one.
        player.plays = [*apart, joined][-REMEMBERED_PLAYS:]
        self._stability(event, at_ms, joined, before)

    def _count_play(self, play: Play, sign: int) -> None:
        """Count the length of a play, unless it has purchases only: a server sends these."""
        if play.active:
            length = sign * (play.last - play.first)
            self.player.play_ms += length
            self._day(play.first)["play_ms"] += length

    def _stability(self, event: EnrichedEvent, at_ms: int, play: Play, before: list[Play]) -> None:
        """Count a session once a day, and once as crashed if a crash of the day ended the process.

        `before` are the plays of the session as they were before the event.
        """
        if event["event_type"] == "purchase":
            return
        ordinal = _ordinal(at_ms)
        version = self.version(event)
        version["active_sessions"] += not any(_on(one, one.active, ordinal) for one in before)
        if event["event_type"] != "crash":
            return
        version["crash_events"] += 1
        if event["payload"]["fatal"]:
            version["crashed_sessions"] += not any(_on(one, one.crashed, ordinal) for one in before)
            play.crashed |= 1 << (ordinal - _ordinal(play.first))

    def version(self, event: EnrichedEvent) -> Counter[str]:
        """Return the counters of the event's day and version."""
        day, version = event["event_date"], event["app_version"]
        return self.buckets[buckets.of_version(day, self.name_of(event, "versions", version))]

    def _purchase(self, event: EnrichedEvent, at_ms: int) -> bool:
        """Count a store transaction once; return whether it is a new one.

        A client may report it twice and a server once more: what a server reports replaces what a client
        does, and otherwise an earlier report a later one.
        """
        player, payload = self.player, event["payload"]
        digest, tie = _transaction(payload["store"], payload["transaction_id"]), _tie(event)
        amount, verified = int(payload["amount_minor"]), event.get("verified", False)
        payment = Payment(at_ms, tie, payload["currency"], amount, _kind(payload), verified)
        before = player.transactions.get(digest)
        if before and before.order <= payment.order:
            return False
        self._give_back(digest, -1)
        if before:
            self._pay(before, -1)
            payment = replace(payment, settled=before.settled)
        self._remember(digest, payment)
        self._pay(payment, 1)
        self._give_back(digest, 1)
        for one in (before, payment):
            if one and one.kind is PaymentKind.SALE:
                self._payer(_ordinal(one.at_ms), one.currency)
        return before is None and payment.kind is PaymentKind.SALE

    def void(self, store: str, transaction_id: str) -> Payment | None:
        """Take a store transaction back: it counts no more, and no report of it ever will.

        Returns what had counted, None where nothing is known of it. The player keeps what was reported.
        """
        self.buckets.clear()
        if self.player.reported is None:
            self.player.reported = copy.deepcopy(self.player)
        digest = _transaction(store, transaction_id)
        before = self.player.transactions.get(digest)
        self._give_back(digest, -1)
        # No report is earlier.
        self._remember(digest, VOID)
        if before is None or before == VOID:
            return None
        self._pay(before, -1)
        if before.kind is PaymentKind.SALE:
            self._payer(_ordinal(before.at_ms), before.currency)
        return before

    def _remember(self, digest: bytes, payment: Payment) -> None:
        transactions = self.player.transactions
        transactions.pop(digest, None)
        transactions[digest] = payment
        if len(transactions) > REMEMBERED_TRANSACTIONS:
            # What was taken back must never count: it is forgotten last.
            counted = (name for name, one in transactions.items() if one != VOID)
            del transactions[next(counted, next(iter(transactions)))]

    def _pay(self, payment: Payment, sign: int) -> None:
        player, day, amount = self.player, self._day(payment.at_ms), sign * payment.amount
        if payment.kind is not PaymentKind.SALE:
            day["trials" if payment.kind is PaymentKind.TRIAL else "sandbox_purchases"] += sign
            return
        player.purchases += sign
        player.spend[payment.currency] = player.spend.get(payment.currency, 0) + amount
        player.refunded.setdefault(payment.currency, 0)
        player.paid_in.setdefault(payment.currency, set())
        day["purchases"] += sign
        day[f"revenue_{payment.currency}"] += amount
        if not payment.verified:
            day[f"unverified_revenue_{payment.currency}"] += amount

    def _refund(self, event: EnrichedEvent, at_ms: int) -> None:
        """Count a refund once, by its earliest report; where its purchase is unknown, once that comes."""
        payload, refunds = event["payload"], self.player.refunds
        digest = _transaction(payload["store"], payload["transaction_id"])
        name = _digest(payload["refund_id"])
        refund = Refund(at_ms, _tie(event), int(payload.get("amount_minor", 0)))
        before = refunds.get(digest, {}).get(name)
        if before and (before.at_ms, before.tie) <= (refund.at_ms, refund.tie):
            return
        self._give_back(digest, -1)
        # Transactions stand in the order in which their refunds changed, for the oldest is forgotten.
        refunds[digest] = refunds.pop(digest, {}) | {name: refund}
        self._give_back(digest, 1)
        if sum(map(len, refunds.values())) > REMEMBERED_REFUNDS:
            self._forget_refund(next(iter(refunds)))

    def _forget_refund(self, digest: bytes) -> None:
        """Forget a transaction's oldest refund. What it paid back stays counted, and is not paid twice."""
        transactions, refunds = self.player.transactions, self.player.refunds
        oldest = next(iter(refunds[digest]))
        payment = transactions.get(digest)
        if payment and payment.kind is PaymentKind.SALE:
            paid = {name: amount for name, _, amount in _returned(payment, refunds[digest])}
            transactions[digest] = replace(payment, settled=payment.settled + paid.get(oldest, 0))
        del refunds[digest][oldest]
        if not refunds[digest]:
            del refunds[digest]

    def _give_back(self, digest: bytes, sign: int) -> None:
        """Add or take away what the refunds of a transaction pay back, on the day of each."""
        payment = self.player.transactions.get(digest)
        if not payment or payment.kind is not PaymentKind.SALE:
            return
        for _, at_ms, amount in _returned(payment, self.player.refunds.get(digest, {})):
            day = self.buckets[buckets.of_refunds(_date(at_ms).isoformat())]
            day["refunds"] += sign
            day[f"refunded_{payment.currency}"] += sign * amount
            self.player.refunded[payment.currency] += sign * amount

    def _payer(self, ordinal: int, currency: str) -> None:
        """Count the player among the payers of a day as long as a transaction of theirs counts on it."""
        player = self.player
        sales = (one for one in player.transactions.values() if one.kind is PaymentKind.SALE)
        currencies = {one.currency for one in sales if _ordinal(one.at_ms) == ordinal}
        day = self.buckets[buckets.of_day(date.fromordinal(ordinal).isoformat())]
        for name, days, pays in (
            ("payers", player.paid_days, bool(currencies)),
            (f"payers_{currency}", player.paid_in[currency], currency in currencies),
        ):
            if pays != (ordinal in days):
                days ^= {ordinal}
                day[name] += 1 if pays else -1
        player.paid_days = _recent_days(player.paid_days)
        player.paid_in[currency] = _recent_days(player.paid_in[currency])

    def _minute(self, event: EnrichedEvent, at_ms: int) -> Counter[str]:
        """Count the event in its minute; return the minute's counters."""
        counts = self.buckets[buckets.of_minute(at_ms // MINUTE_MS)]
        counts["events"] += 1
        counts[f"events_{event['event_type']}"] += 1
        return counts

    def _live(self, event: EnrichedEvent, at_ms: int, paid: bool) -> None:
        player, payload, kind = self.player, event["payload"], event["event_type"]
        minute = at_ms // MINUTE_MS
        counts = self._minute(event, at_ms)
        if minute not in player.active_minutes:
            player.active_minutes = _recent_minutes({*player.active_minutes, minute})
            counts["active_players"] += 1
        absent = set(range(minute, minute + CONCURRENT_MINUTES)) - player.present_minutes
        if absent:
            player.present_minutes = _recent_minutes(player.present_minutes | absent)
            for present in absent:
                self.buckets[buckets.of_minute(present)]["concurrent_players"] += 1
        if paid:
            amount, currency = int(payload["amount_minor"]), payload["currency"]
            counts[f"reported_revenue_{currency}"] += amount
            if not event.get("verified", False):
                counts[f"unverified_reported_revenue_{currency}"] += amount
        if kind == "performance":
            device = self.name_of(event, "devices", f"{event['platform']}#{event['app_version']}")
            bins = [f"{MEASURES[name]}_{bin_of(payload[name])}" for name in MEASURES if name in payload]
            if bins:
                self.buckets[buckets.of_device(minute, device)].update(["performance_events", *bins])


def _returned(payment: Payment, refunds: dict[bytes, Refund]) -> Iterator[tuple[bytes, int, int]]:
    """Yield each refund of a payment, when it counts, and what it pays back: together at most the payment."""
    left = max(0, payment.amount - payment.settled)
    for name, refund in sorted(refunds.items(), key=lambda item: (item[1].at_ms, item[1].tie)):
        amount = min(left, refund.amount or left)
        if amount:
            yield name, max(refund.at_ms, payment.at_ms), amount
        left -= amount


def _kind(payload: dict[str, Any]) -> PaymentKind:
    if payload.get("sandbox"):
        return PaymentKind.SANDBOX
    return PaymentKind.TRIAL if payload.get("purchase_kind") == "trial" else PaymentKind.SALE


def _transaction(store: str, transaction_id: str) -> bytes:
    return _digest(f"{store}#{transaction_id}")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


def _tie(event: EnrichedEvent) -> int:
    return int(event["event_id"].replace("-", "")[:TIE_DIGITS], 16)


def _with_day(days: set[int], day: int) -> set[int]:
    return _recent_days({*days, day})


def _recent_days(days: set[int]) -> set[int]:
    return _recent(days, REMEMBERED_DAYS, MAX_DAYS_APART)


def _recent_minutes(minutes: set[int]) -> set[int]:
    return _recent(minutes, REMEMBERED_MINUTES, REMEMBERED_MINUTES)


def _recent(numbers: set[int], most: int, apart: int) -> set[int]:
    """Return what an item remembers. Each event forgets, not each batch: a retry has other batches."""
    newest = max(numbers, default=0)
    return set(sorted(number for number in numbers if number > newest - apart)[-most:])


def _joined(one: Play, other: Play) -> Play:
    """Return the play that has the events of both: what the later one ended with, and the days of both."""
    earlier, later = sorted((one, other), key=lambda play: (play.last, play.ended))
    first = min(one.first, other.first)
    moved = [_ordinal(play.first) - _ordinal(first) for play in (earlier, later)]
    return Play(
        later.session_id,
        first,
        later.last,
        later.ended,
        crashed=earlier.crashed << moved[0] | later.crashed << moved[1],
        active=earlier.active << moved[0] | later.active << moved[1],
    )


def _on(play: Play, days: int, ordinal: int) -> bool:
    """Tell whether the bit of a day is set in the days of a play."""
    day = ordinal - _ordinal(play.first)
    return day >= 0 and bool(days >> day & 1)


def _ordinal(at_ms: int) -> int:
    return EPOCH + at_ms // DAY_MS


def _date(at_ms: int) -> date:
    return date.fromordinal(_ordinal(at_ms))


def _session_start(projection: Projection, event: EnrichedEvent, at_ms: int, day: Counter[str]) -> None:
    projection.player.session_starts += 1


def _economy(projection: Projection, event: EnrichedEvent, at_ms: int, day: Counter[str]) -> None:
    player, payload = projection.player, event["payload"]
    currency = payload["currency"]
    flow = projection.name_of(event, "flows", f"{currency}#{payload['reason']}")
    flows = projection.buckets[buckets.of_flow(event["event_date"], flow)]
    flows[payload["flow"]] += int(payload["amount"])
    room = currency in player.balances or len(player.balances) < MAX_CURRENCIES
    if room and at_ms >= player.balances_ms.get(currency, 0):
        player.balances[currency] = int(payload["balance_after"])
        player.balances_ms[currency] = at_ms


def _progression(projection: Projection, event: EnrichedEvent, at_ms: int, day: Counter[str]) -> None:
    player, payload, ordinal = projection.player, event["payload"], _ordinal(at_ms)
    status = payload["status"]
    level = projection.name_of(event, "levels", payload["level_1"])
    projection.buckets[buckets.of_level(event["event_date"], level)][status] += 1
    if ordinal not in player.started_days:
        player.started_days = _with_day(player.started_days, ordinal)
        day["players_started"] += 1
    if status != "complete":
        return
    if ordinal not in player.completed_days:
        player.completed_days = _with_day(player.completed_days, ordinal)
        day["players_completed"] += 1
    if at_ms >= player.level_ms:
        levels = (payload.get(f"level_{n}") for n in (1, 2, 3))
        player.level = "/".join(level for level in levels if level)
        player.level_ms = at_ms


def _ad_impression(projection: Projection, event: EnrichedEvent, at_ms: int, day: Counter[str]) -> None:
    payload = event["payload"]
    ad = projection.name_of(event, "ads", f"{payload['network']}#{payload['placement']}#{payload['format']}")
    counts = projection.buckets[buckets.of_ad(event["event_date"], ad)]
    counts["impressions"] += 1
    counts["completed_impressions"] += payload.get("completed", False)
    if currency := payload.get("currency"):
        counts[f"impressions_{currency}"] += 1
        counts[f"ad_revenue_{currency}"] += int(payload.get("revenue_micros", 0))


def _design(projection: Projection, event: EnrichedEvent, at_ms: int, day: Counter[str]) -> None:
    payload = event["payload"]
    name = projection.name_of(event, "designs", payload["name"])
    counts = projection.buckets[buckets.of_design(event["event_date"], name)]
    counts["design_events"] += 1
    if "value" in payload:
        counts["valued_events"] += 1
        # Counters are integers. A binary fraction would not add up exactly.
        counts["value_millionths"] += round(Decimal(str(payload["value"])) * MILLION)


def _performance(projection: Projection, event: EnrichedEvent, at_ms: int, day: Counter[str]) -> None:
    if "fps" in event["payload"]:
        projection.version(event)[f"fps_bin_{bin_of(event['payload']['fps'])}"] += 1


_HANDLERS = {
    "ad_impression": _ad_impression,
    "design": _design,
    "session_start": _session_start,
    "economy": _economy,
    "performance": _performance,
    "progression": _progression,
}
