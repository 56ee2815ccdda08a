"""A game in which all happens that makes counting hard: what its clients sent, when, by which clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from telemetry.enrichment import timestamp
from telemetry.key_classes import KeyClass

Event = dict[str, Any]
GAME = "nasty"
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
MILLISECOND = timedelta(milliseconds=1)
# A leap day: the day before it, the day itself, and the day after.
LEAP = datetime(2024, 2, 29, tzinfo=UTC)
BEFORE, AFTER = LEAP - DAY, LEAP + DAY
FAMILY_DAY = LEAP + 4 * DAY
# What the schemas require beyond what a scenario is about.
REQUIRED: dict[str, Event] = {
    "ad_impression": {"network": "north", "placement": "shop", "format": "banner"},
    "crash": {"fatal": True, "signature": "s"},
    "economy": {"item": "i", "reason": "quest", "flow": "source", "currency": "gold", "balance_after": 0},
    "error": {"severity": "error", "code": "c"},
    "match_end": {"mode": "ranked", "result": "win", "duration_seconds": 60},
    "match_start": {"mode": "ranked"},
    "player_registered": {"method": "guest"},
    "progression": {"level_1": "forest"},
    "purchase": {"product_id": "p", "quantity": 1, "store": "web"},
    "refund": {"refund_kind": "refund", "store": "web"},
    "session_end": {"duration_seconds": 60},
    "session_heartbeat": {"elapsed_seconds": 60},
    "experiment_exposure": {"experiment": "gate"},
    "tutorial_step": {"status": "complete"},
}


@dataclass(frozen=True)
class Sent:
    """An event as its client wrote it, and when and with which class of key the platform received it."""

    event: Event
    received: datetime
    key_class: KeyClass = "server"


@dataclass
class Client:
    """A player's client; `clock` is how far its clock is ahead of the truth."""

    player: str
    sent: list[Sent]
    session: str = "1"
    clock: timedelta = timedelta()
    platform: str = "ios"
    version: str = "1.0.0"
    country: str | None = "DE"
    key_class: KeyClass = "server"
    numbers: Iterator[int] = field(default_factory=count)

    def does(self, kind: str, at: datetime, *, sent: datetime | None = None, **payload: Any) -> Sent:
        """Send an event that happens at a moment: a second later, or when `sent` says."""
        received = sent or at + SECOND
        client = {"platform": self.platform, "app_version": self.version}
        made = Sent(
            {
                "event_id": str(uuid5(NAMESPACE_OID, f"event {len(self.sent)}")),
                "event_type": kind,
                "schema_version": "1-0-0",
                "game_id": GAME,
                "player_id": self.player,
                "session_id": str(uuid5(NAMESPACE_OID, f"session {self.session}")),
                "sequence": next(self.numbers),
                "event_time": timestamp(at + self.clock),
                "sent_at": timestamp(received + self.clock),
                "client": client | ({"country": self.country} if self.country else {}),
                "payload": REQUIRED.get(kind, {}) | payload,
            },
            received,
            self.key_class,
        )
        self.sent.append(made)
        return made


def sent() -> list[Sent]:
    """Return what the platform receives, in the order in which it does."""
    found: list[Sent] = []
    for scenario in SCENARIOS:
        scenario(found)
    return sorted(found, key=lambda one: one.received)


def over_midnight(sent: list[Sent]) -> None:
    """A session from one day to the next, with a crash on each, and events around midnight itself."""
    owl = Client("owl", sent, "owl 1")
    owl.does("session_start", BEFORE + timedelta(hours=23, minutes=40))
    owl.does("crash", BEFORE + timedelta(hours=23, minutes=55), fatal=True)
    owl.does("session_heartbeat", LEAP + 10 * MINUTE)
    owl.does("crash", LEAP + 25 * MINUTE, fatal=True)
    owl.does("crash", LEAP + 26 * MINUTE, fatal=True)
    owl.does("session_end", LEAP + 30 * MINUTE, duration_seconds=3000)
    moth = Client("moth", sent, "moth 1")
    moth.does("session_start", LEAP - MILLISECOND)
    moth.does("session_heartbeat", LEAP)
    moth.does("session_heartbeat", AFTER - MILLISECOND)


def pauses(sent: list[Sent]) -> None:
    """Exactly 30 minutes go on with a session, a millisecond more ends it."""
    tea = Client("tea", sent, "tea 1")
    ten = LEAP + 10 * HOUR
    tea.does("session_start", ten)
    tea.does("session_heartbeat", ten + 30 * MINUTE)
    tea.does("session_heartbeat", ten + 60 * MINUTE + MILLISECOND)
    tea.does("session_end", ten + 70 * MINUTE, duration_seconds=4200)
    late = Client("tea", sent, "tea 2")
    late.does("session_start", LEAP + timedelta(hours=23, minutes=45))
    late.does("session_heartbeat", AFTER + 15 * MINUTE)


def clocks(sent: list[Sent]) -> None:
    """Clocks that are ahead, behind by more than a day, a little off, and that jump."""
    ahead = Client("ahead", sent, "ahead 1", clock=3 * HOUR)
    for minute in (0, 10, 20):
        ahead.does("session_heartbeat", BEFORE + timedelta(hours=22, minutes=30 + minute))
    behind = Client("behind", sent, "behind 1", clock=-2 * DAY)
    behind.does("session_start", AFTER + 12 * HOUR)
    drifts = Client("drifts", sent, "drifts 1", clock=4 * MINUTE)
    drifts.does("session_start", BEFORE + timedelta(hours=23, minutes=58))
    jumps = Client("jumps", sent, "jumps 1")
    noon = LEAP + 14 * HOUR
    for minute, clock in ((0, timedelta()), (5, 2 * HOUR), (10, -40 * MINUTE), (12, timedelta())):
        jumps.clock = clock
        jumps.does("session_heartbeat", noon + minute * MINUTE)
    # The clock was set between the events and their sending: all that is known is the time of sending.
    for minute in (30, 31):
        queued = jumps.does("session_heartbeat", noon + minute * MINUTE, sent=noon + 32 * MINUTE)
        queued.event["sent_at"] = timestamp(queued.received + 6 * HOUR)


def copies(sent: list[Sent]) -> None:
    """Events that come twice, at once and hours later; the copy has another clock."""
    echo = Client("echo", sent, "echo 1")
    start = echo.does("session_start", LEAP + 9 * HOUR)
    sent.append(start)
    paid = echo.does("purchase", LEAP + 9 * HOUR + MINUTE, transaction_id="e", currency="EUR", amount_minor=7)
    again = paid.event | {"sent_at": timestamp(LEAP + 8 * HOUR)}
    sent.append(Sent(again, LEAP + 11 * HOUR))


def late(sent: list[Sent]) -> None:
    """What happened twenty days ago arrives now; a player's first day and a payment's move with it."""
    sleeper = Client("sleeper", sent, "sleeper 1")
    ago = LEAP - 20 * DAY + 8 * HOUR
    sleeper.does("session_start", ago, sent=LEAP + 8 * HOUR)
    sleeper.does("session_heartbeat", ago + MINUTE, sent=LEAP + 8 * HOUR)
    sleeper.does("purchase", LEAP + 8 * HOUR, transaction_id="s", currency="USD", amount_minor=300)
    sleeper.does(
        "purchase", ago + 5 * MINUTE, sent=AFTER, transaction_id="s", currency="USD", amount_minor=250
    )
    Client("owl", sent, "owl 0").does("session_start", ago, sent=LEAP + 2 * HOUR)


def absences(sent: list[Sent]) -> None:
    """Players who are away for 29, 30, 31 and 32 days, over the leap day."""
    for days in (29, 30, 31, 32):
        away = Client(f"away-{days}", sent, f"away {days}")
        away.does("session_start", LEAP - days * DAY + HOUR)
        away.does("session_start", LEAP + HOUR)
    Client("next-day", sent, "next 1").does("session_start", LEAP + 3 * HOUR)
    Client("next-day", sent, "next 2").does("session_start", AFTER + 3 * HOUR)


def money(sent: list[Sent]) -> None:
    """Several currencies, one transaction under two ids, and a purchase that a server sends alone."""
    whale = Client("whale", sent, "whale 1", platform="android", country="US")
    whale.does("session_start", LEAP + 15 * HOUR)
    for number, (currency, minor) in enumerate((("EUR", 499), ("USD", 999), ("JPY", 120), ("EUR", 501))):
        moment = LEAP + 15 * HOUR + number * MINUTE
        whale.does("purchase", moment, transaction_id=f"w{number}", currency=currency, amount_minor=minor)
    twice = Client("twice", sent, "twice 1")
    for at, arrives in ((17 * HOUR, None), (16 * HOUR, 18 * HOUR), (19 * HOUR, None)):
        moment = LEAP + at
        twice.does(
            "purchase",
            moment,
            sent=LEAP + arrives if arrives else None,
            transaction_id="t",
            currency="EUR",
            amount_minor=1000 + at // HOUR,
        )
    # In the same millisecond, and on two days.
    for amount in (11, 12):
        twice.does("purchase", LEAP + 20 * HOUR, transaction_id="tie", currency="EUR", amount_minor=amount)
    twice.does("purchase", AFTER + HOUR, transaction_id="tie", currency="USD", amount_minor=13)
    # The same number in another store is another purchase.
    twice.does("purchase", AFTER + HOUR, transaction_id="t", store="apple", currency="EUR", amount_minor=5)
    server = Client("server", sent, "server alone")
    server.does("purchase", LEAP + 6 * HOUR, transaction_id="v", currency="EUR", amount_minor=60)
    Client("server", sent, "server plays").does("session_start", LEAP + 7 * HOUR)
    Client("robot", sent, "robot 1").does(
        "purchase", LEAP + 6 * HOUR, transaction_id="r", currency="JPY", amount_minor=1
    )


def confirmed(sent: list[Sent]) -> None:
    """Purchases that a client reports: a server confirms them before, after, a day later, or never."""
    app = Client("confirmed", sent, "confirmed 1", key_class="client")
    server = Client("confirmed", sent, "confirmed 1")
    app.does("session_start", LEAP + 9 * HOUR)
    for number, (reported, verified) in enumerate(((0, 30), (30, 0), (0, 26 * 60), (0, None))):
        paid = {"transaction_id": f"c{number}", "currency": "EUR"}
        app.does("purchase", LEAP + 9 * HOUR + reported * MINUTE, **paid, amount_minor=70 + number)
        if verified is not None:
            server.does("purchase", LEAP + 9 * HOUR + verified * MINUTE, **paid, amount_minor=80 + number)


def refunds(sent: list[Sent]) -> None:
    """Refunds early, twice, in parts, too large and of nothing; of trials and sandbox purchases too."""
    buyer = Client("buyer", sent, "buyer 1")
    noon = LEAP + 12 * HOUR
    buyer.does("session_start", noon)
    sale = {"currency": "EUR", "amount_minor": 101, "tax_minor": 19, "store_fee_minor": 15}
    buyer.does("purchase", noon, transaction_id="b-1", **sale, purchase_kind="subscription")
    server = Client("buyer", sent, "server of refunds", platform="other", country=None)
    for number, (refund, amount) in enumerate(
        (("r-1", 50), ("r-1", 50), ("r-2", 10), ("r-3", 9000), ("r-4", 1))
    ):
        moment = AFTER + 2 * HOUR + number * MINUTE
        server.does("refund", moment, transaction_id="b-1", refund_id=refund, amount_minor=amount)
    # It comes before its purchase, and is older by the clock too.
    server.does("refund", noon - HOUR, transaction_id="b-2", refund_id="r", refund_kind="chargeback")
    buyer.does("purchase", noon + MINUTE, sent=AFTER + 5 * HOUR, transaction_id="b-2", **sale)
    server.does("refund", AFTER + HOUR, transaction_id="never", refund_id="r")
    server.does("refund", AFTER + HOUR, transaction_id="b-1", refund_id="r", store="apple")
    buyer.does("purchase", noon + 2 * MINUTE, transaction_id="b-3", **sale, purchase_kind="trial")
    buyer.does("purchase", noon + 3 * MINUTE, transaction_id="b-4", **sale, sandbox=True)
    for transaction in ("b-3", "b-4"):
        server.does("refund", AFTER + HOUR, transaction_id=transaction, refund_id="r")
    # A player of whom only a refund comes was never there.
    Client("nobody", sent, "nobody 1").does("refund", AFTER + HOUR, transaction_id="never", refund_id="r-5")


def family(sent: list[Sent]) -> None:
    """Two players report one transaction: each has restored the purchase of the store's account."""
    for number, name in enumerate(("sister", "brother")):
        player = Client(name, sent, f"{name} 1")
        bought = {"transaction_id": "family", "currency": "EUR", "amount_minor": 900}
        player.does("purchase", FAMILY_DAY + number * HOUR, **bought)
        player.does("session_start", FAMILY_DAY + number * HOUR)


def crashes(sent: list[Sent]) -> None:
    """Crashes that the process survived, alone and beside one that it did not; players of one session id."""
    Client("bruised", sent, "bruised 1").does("crash", LEAP + 11 * HOUR, fatal=False)
    both = Client("broken", sent, "broken 1", version="1.1.0")
    both.does("crash", LEAP + 11 * HOUR, fatal=False)
    both.does("crash", LEAP + 11 * HOUR + MINUTE, fatal=True)
    both.does("error", LEAP + 11 * HOUR + MINUTE)
    for name in ("twin-a", "twin-b"):
        Client(name, sent, "of both twins").does("session_start", LEAP + 12 * HOUR)
        Client(name, sent, "of both twins").does("crash", LEAP + 12 * HOUR + MINUTE, fatal=True)


def samples(sent: list[Sent]) -> None:
    """Ties, an even number of samples and fractions, of two devices."""
    for name, values in (("fast", (60.0, 60.0, 60.0)), ("slow", (30.0, 30.0, 59.5))):
        player = Client(name, sent, f"{name} 1", platform="ios" if name == "fast" else "android")
        for number, fps in enumerate(values):
            moment = LEAP + 13 * HOUR + number * MINUTE
            player.does("performance", moment, fps=fps, latency_ms=20.0, memory_mb=100 * number)


def levels(sent: list[Sent]) -> None:
    """Completions without a start, levels with and without a second part, late attempts."""
    climber = Client("climber", sent, "climber 1")
    moment = LEAP + 5 * HOUR
    for number, (status, rest) in enumerate(
        (
            ("complete", {}),
            ("start", {}),
            ("complete", {}),
            ("fail", {"level_2": "2"}),
            ("start", {"level_2": "2"}),
            ("complete", {"level_1": "harbour"}),
        )
    ):
        climber.does("progression", moment + number * MINUTE, status=status, **rest)
    climber.does("progression", moment - 19 * DAY, sent=moment, status="start")
    for amount, flow, reason in ((2**40, "source", "quest"), (3, "sink", "shop"), (3, "sink", "quest")):
        climber.does(
            "economy", moment + 20 * MINUTE, amount=amount, flow=flow, reason=reason, balance_after=3
        )


def once(sent: list[Sent]) -> None:
    """Players of one event, and a session that never ends."""
    Client("once", sent, "once 1").does("session_start", LEAP + 4 * HOUR)
    Client("once-late", sent, "once 2").does("design", AFTER + HOUR, sent=AFTER + 3 * HOUR, name="a:b:c")
    ghost = Client("ghost", sent, "ghost 1", country=None)
    ghost.does("session_start", LEAP + 4 * HOUR)
    ghost.does("session_heartbeat", LEAP + 4 * HOUR + 5 * MINUTE)


def shown(sent: list[Sent]) -> None:
    """Advertisements with and without revenue, and design events with and without a value."""
    viewer = Client("viewer", sent, "viewer 1")
    for number, fields in enumerate(
        (
            {"currency": "USD", "revenue_micros": 9_999, "completed": True},
            {"currency": "USD", "revenue_micros": 0, "completed": False},
            {"currency": "EUR", "revenue_micros": 123_456_789_012},
            {"currency": "KWD", "revenue_micros": 7},
            {},
        )
    ):
        viewer.does("ad_impression", LEAP + 21 * HOUR + number * MINUTE, **fields)
        viewer.does("design", LEAP + 21 * HOUR, name="boss:dragon:killed", value=number + 0.5)
    viewer.does("design", LEAP + 21 * HOUR, name="boss")
    # The same player on another device and version on the same day.
    other = Client("viewer", sent, "viewer 2", platform="android", version="1.1.0")
    other.does("ad_impression", LEAP + 22 * HOUR, currency="USD", revenue_micros=1, completed=True)
    other.does("session_end", LEAP + 22 * HOUR, duration_seconds=0)


def taught(sent: list[Sent]) -> None:
    """Tutorial steps on two days, again, out of order, skipped, and with a day and more between them."""
    pupil = Client("pupil", sent, "pupil 1")
    begin = BEFORE + 23 * HOUR + 59 * MINUTE
    for after, step, status in (
        (timedelta(), 1, "start"),
        (10 * SECOND, 1, "complete"),
        (2 * MINUTE, 2, "start"),
        (3 * MINUTE, 3, "skip"),
        (2 * MINUTE + DAY, 3, "complete"),
        (4 * MINUTE, 5, "complete"),
        (5 * MINUTE, 4, "start"),
        (3 * MINUTE + DAY, 2, "complete"),
        (9 * HOUR, 1, "complete"),
    ):
        pupil.does("tutorial_step", begin + after, step=step, status=status)
    slow = Client("slow-pupil", sent, "slow-pupil 1", platform="android", version="1.1.0")
    for step, after in enumerate((timedelta(), DAY, 2 * DAY + MILLISECOND, 2 * DAY + 31 * SECOND), start=1):
        slow.does("tutorial_step", BEFORE + HOUR + after, step=step, status="start")
    # An earlier event of a step arrives twenty days late.
    pupil.does("tutorial_step", LEAP - 19 * DAY, sent=AFTER + 2 * HOUR, step=2, status="start")


def matched(sent: list[Sent]) -> None:
    """Matches of two platforms, over midnight, without an end, without a start, and entered twice."""
    one = Client("archer", sent, "archer 1")
    two = Client("knight", sent, "knight 1", platform="android")
    evening = LEAP + 23 * HOUR + 50 * MINUTE
    for player, queue in ((one, {"queue_seconds": 0}), (two, {"queue_seconds": 41}), (one, {})):
        player.does("match_start", evening, match_id="m1", **queue)
    one.does("match_end", evening + 20 * MINUTE, match_id="m1", duration_seconds=1200)
    two.does("match_end", evening + 5 * MINUTE, match_id="m1", result="abandoned", duration_seconds=300)
    two.does("match_end", AFTER + HOUR, match_id="m0", mode="duel", result="draw", duration_seconds=0)
    two.does("match_start", AFTER + 2 * HOUR, match_id="m2", mode="duel")
    elsewhere = Client("archer", sent, "archer 2", platform="android")
    elsewhere.does("match_start", evening - HOUR, match_id="m3")
    elsewhere.does("match_end", evening - HOUR, match_id="m3", result="loss", duration_seconds=3)


def acquired(sent: list[Sent]) -> None:
    """Sources that come twice, late, or on the day after only, and a first day that moves."""
    for name, day in (("bought", BEFORE), ("told-late", BEFORE), ("told-next-day", BEFORE), ("moved", LEAP)):
        player = Client(name, sent, f"{name} 1")
        player.does("session_start", day + 5 * HOUR)
        source = {"install_source": f"north-{name}"}
        match name:
            case "bought" | "moved":
                player.does("player_registered", day + 6 * HOUR, campaign="spring")
                player.does("session_start", day + 7 * HOUR, **source)
                player.does("session_start", day + 8 * HOUR, install_source="south")
            case "told-late":
                player.does("session_start", day + 4 * HOUR, sent=AFTER, **source)
            case "told-next-day":
                player.does("session_start", day + DAY + HOUR, **source)
        player.does(
            "purchase", AFTER + HOUR, transaction_id=f"a-{name}", currency="EUR", amount_minor=100 + len(name)
        )
    Client("moved", sent, "moved 0").does("session_end", LEAP - 3 * DAY, sent=AFTER, duration_seconds=1)


def exposed(sent: list[Sent]) -> None:
    """Players who meet both variants, an earlier exposure that comes late, and money on either side of it."""
    for name, variants in (("tester-1", "ab"), ("tester-2", "ba"), ("tester-3", "a")):
        player = Client(name, sent, f"{name} 1")
        player.does("session_start", BEFORE + 23 * HOUR)
        for hours, variant in zip((24, 25), variants, strict=False):
            player.does("experiment_exposure", BEFORE + hours * HOUR - SECOND, variant=variant)
        bought = {"transaction_id": f"x-{name}", "currency": "EUR", "amount_minor": 90}
        player.does("purchase", BEFORE + 22 * HOUR, **bought)
        player.does("session_start", AFTER + HOUR)
        player.does("purchase", AFTER + HOUR, **bought | {"transaction_id": f"y-{name}"})
        player.does("design", BEFORE + 22 * HOUR, name="boss:killed", value=8.5)
        player.does("design", AFTER + HOUR, name="boss:killed", value=-0.25)
        player.does("design", AFTER + HOUR, name="boss")
    # The third player met the other variant nineteen days before, which is known later.
    player.does("experiment_exposure", LEAP - 19 * DAY, sent=AFTER + 2 * HOUR, variant="b")
    player.does("experiment_exposure", LEAP, experiment="music", variant="on")


SCENARIOS = (
    over_midnight, pauses, clocks, copies, late, absences, money, confirmed, refunds, family, crashes,
    samples, levels,
    once, shown, taught, matched, acquired, exposed,
)  # fmt: skip
