"""What events mean for a player and for what a game counts: pure functions, no AWS."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from telemetry.histogram import bin_of

DIGEST_BYTES = 8
REMEMBERED_EVENTS = 256
REMEMBERED_BATCHES = 4
MAX_REMEMBERED_EVENTS = 20_000
REMEMBERED_DAYS = 100
REMEMBERED_SESSIONS = 16
# Only events at most an hour old count in minutes: no player is asked about a minute before.
REMEMBERED_MINUTES = 70
MAX_CURRENCIES = 50
MAX_COHORT_DAY = 90
WINDOWS = {"wau": 7, "mau": 30}
IDLE = timedelta(minutes=30)
# A player counts as concurrent in the minute of an event and in the four after it.
CONCURRENT_MINUTES = 5
MEASURED = ("fps", "frame_time_ms", "latency_ms", "load_time_ms")
STARTED, COMPLETED = 1, 2

Event = dict[str, Any]
Player = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where something is counted: the period or subject after the game, and the row within it."""

    period: str
    row: str = ""

    @property
    def is_live(self) -> bool:
        """Tell what is of interest for hours only."""
        return self.period.startswith("hour-")

    @classmethod
    def day(cls, day: str) -> "Bucket":
        """Count what happened on a UTC day."""
        return cls(day)

    @classmethod
    def month(cls, day: date) -> "Bucket":
        """Count who was active in the week and the 30 days up to each day of a month."""
        return cls(f"{day:%Y-%m}#active")

    @classmethod
    def cohort(cls, install_day: str) -> "Bucket":
        """Count the players installed on a day who come back."""
        return cls(f"{install_day}#cohort")

    @classmethod
    def level(cls, day: str, level: str) -> "Bucket":
        """Count the attempts of a level."""
        return cls(f"{day}#levels", f"{level}#")

    @classmethod
    def currency(cls, day: str, currency: str, reason: str) -> "Bucket":
        """Count what flows of a virtual currency, by reason."""
        return cls(f"{day}#economy", f"{currency}#{reason}#")

    @classmethod
    def version(cls, day: str, version: str) -> "Bucket":
        """Count how stable and how fast a version of the game is."""
        return cls(f"{day}#versions", f"{version}#")

    @classmethod
    def minute(cls, minute: int, platform: str, version: str) -> "Bucket":
        """Count one minute (since 1970) of a platform and version; an hour's minutes lie together."""
        hour, rest = divmod(minute, 60)
        return cls(f"hour-{hour}", f"{rest:02}#{platform}#{version}#")


@dataclass(slots=True)
class Projection:
    """A player's item, changed in place, and what the change adds to each bucket's counters."""

    player: Player
    buckets: dict[Bucket, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    changed: bool = False
    _known: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Look ids up in a set: a busy player's item holds thousands."""
        self._known = set(self.player["applied"])

    def apply(self, event: Event) -> bool:
        """Apply an event once; return False for one whose id is among those remembered."""
        digest = hashlib.blake2b(event["event_id"].encode(), digest_size=DIGEST_BYTES).digest()
        if digest in self._known:
            return False
        self._known.add(digest)
        self.player["applied"].append(digest)
        self.changed = True
        day = self._count(Bucket.day(event["event_date"]))
        day["events"] += 1
        day[f"events_{event['event_type']}"] += 1
        self._install(event)
        self._seen(event, day)
        self._session(event, day)
        handler = _HANDLERS.get(event["event_type"])
        if handler:
            handler(self, event, day)
        if not event["late"]:
            self._live(event)
        return True

    def _count(self, bucket: Bucket) -> Counter[str]:
        return self.buckets[bucket]

    def _install(self, event: Event) -> None:
        """Keep the first day right also where the first event comes last: the whole cohort moves."""
        player, moment, day = self.player, event["corrected_time"], event["event_date"]
        before = player["first_seen"]
        if before and before <= moment:
            return
        player["first_seen"] = moment
        if before[:10] == day:
            return
        for install_day, sign in ((before[:10], -1), (day, 1)):
            if install_day:
                self._count(Bucket.day(install_day))["new_players"] += sign
                for active in player["active_days"]:
                    self._return(install_day, active, sign)

    def _return(self, install_day: str, active: int, sign: int) -> None:
        number = active - date.fromisoformat(install_day).toordinal()
        if 0 <= number <= MAX_COHORT_DAY:
            self._count(Bucket.cohort(install_day))[f"retained_{number}"] += sign

    def _seen(self, event: Event, day: Counter[str]) -> None:
        player, moment = self.player, event["corrected_time"]
        if moment >= player["last_seen"]:
            player["last_seen"] = moment
            for name in ("platform", "app_version", "country"):
                player[name] = event[name]
        ordinal = date.fromisoformat(event["event_date"]).toordinal()
        if ordinal not in player["active_days"]:
            player["active_days"].add(ordinal)
            day["active_players"] += 1
            self._return(player["first_seen"][:10], ordinal, 1)
            self._reach(ordinal)

    def _reach(self, active: int) -> None:
        """Count the player on each day whose week or month holds this active day and no other of theirs."""
        others = self.player["active_days"] - {active}
        for name, length in WINDOWS.items():
            for last in range(active, active + length):
                if not any(last - length < other <= last for other in others):
                    day = date.fromordinal(last)
                    self._count(Bucket.month(day))[f"{name}_{day.day}"] += 1

    def _session(self, event: Event, day: Counter[str]) -> None:
        """Add the time since the session's last event; a pause of 30 minutes is not played."""
        moment, seen = event["corrected_time"], self.player["sessions_seen"]
        session = seen.setdefault(event["session_id"], {"first": "", "last": "", "seconds": 0, "ended": 0})
        self._count_session(session, event)
        session["first"], session["last"] = session["first"] or moment, session["last"] or moment
        seconds = session["seconds"]
        if event["event_type"] == "session_end":
            seconds = int(event["payload"]["duration_seconds"])
            session["ended"] = 1
        elif not session["ended"]:
            seconds += _played(session["last"], moment) + _played(moment, session["first"])
        session["first"], session["last"] = min(session["first"], moment), max(session["last"], moment)
        added, session["seconds"] = seconds - session["seconds"], seconds
        self.player["playtime_seconds"] += added
        day["session_seconds"] += added

    def _count_session(self, session: dict[str, Any], event: Event) -> None:
        """Count a session once a day; `days` is kept of those with several or a crash: size is money."""
        day, days = event["event_date"], session.get("days", {})
        known = {end[:10] for end in (session["first"], session["last"]) if end} | days.keys()
        if day not in known:
            self.version(event)["sessions"] += 1
            if known:
                days = {one: days.get(one, 0) for one in (*known, day)}
        if event["event_type"] == "crash":
            version = self.version(event)
            version["crashes"] += 1
            version["crashed_sessions"] += not days.get(day)
            days = days | {day: 1}
        if days:
            session["days"] = days

    def version(self, event: Event) -> Counter[str]:
        """Return the counters of the event's day and version."""
        return self._count(Bucket.version(event["event_date"], event["app_version"]))

    def _live(self, event: Event) -> None:
        player, payload, kind = self.player, event["payload"], event["event_type"]
        minute = int(datetime.fromisoformat(event["corrected_time"]).timestamp()) // 60
        where = event["platform"], event["app_version"]
        counts = self._count(Bucket.minute(minute, *where))
        counts["events"] += 1
        counts[f"events_{kind}"] += 1
        if minute not in player["active_minutes"]:
            player["active_minutes"].add(minute)
            counts["active_players"] += 1
        for present in range(minute, minute + CONCURRENT_MINUTES):
            if present not in player["present_minutes"]:
                player["present_minutes"].add(present)
                self._count(Bucket.minute(present, *where))["concurrent_players"] += 1
        if kind == "purchase":
            counts[f"revenue_{payload['currency']}"] += int(payload["amount_minor"])
        if kind == "performance":
            for name in MEASURED:
                if name in payload:
                    counts[f"{name}_bin_{bin_of(payload[name])}"] += 1


def new_player(game_id: str, player_id: str) -> Player:
    """Return the item of a player who was never seen."""
    return {
        "game_id": game_id,
        "player_id": player_id,
        "first_seen": "",
        "last_seen": "",
        "platform": None,
        "app_version": None,
        "country": None,
        "level": None,
        "level_at": "",
        "sessions": 0,
        "sessions_seen": {},
        "playtime_seconds": 0,
        "purchases": 0,
        "spend": {},
        "balances": {},
        "balances_at": {},
        "steps": {},
        "active_days": set(),
        "paid_days": set(),
        "paid_in": {},
        "active_minutes": set(),
        "present_minutes": set(),
        "applied": [],
        "version": 0,
    }


def forget_old(player: Player, batch_size: int) -> None:
    """Bound what the item remembers: event ids of several batches, for retries repeat them."""
    remembered = min(max(REMEMBERED_EVENTS, REMEMBERED_BATCHES * batch_size), MAX_REMEMBERED_EVENTS)
    del player["applied"][:-remembered]
    for name, kept in (
        ("active_days", REMEMBERED_DAYS),
        ("paid_days", REMEMBERED_DAYS),
        ("active_minutes", REMEMBERED_MINUTES),
        ("present_minutes", REMEMBERED_MINUTES),
    ):
        player[name] = set(sorted(player[name])[-kept:])
    player["paid_in"] = {
        currency: set(sorted(days)[-REMEMBERED_DAYS:]) for currency, days in player["paid_in"].items()
    }
    sessions = sorted(player["sessions_seen"].items(), key=lambda item: (item[1]["last"], item[0]))
    player["sessions_seen"] = dict(sessions[-REMEMBERED_SESSIONS:])
    player["steps"] = dict(sorted(player["steps"].items())[-REMEMBERED_DAYS:])


def _played(before: str, after: str) -> int:
    """Return the whole seconds from one moment to a later one; 0 for a pause or a step back."""
    if after <= before:
        return 0
    passed = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    return round(passed.total_seconds()) if passed <= IDLE else 0


def _session_start(projection: Projection, event: Event, day: Counter[str]) -> None:
    projection.player["sessions"] += 1
    day["sessions"] += 1


def _session_end(projection: Projection, event: Event, day: Counter[str]) -> None:
    day["sessions_ended"] += 1


def _purchase(projection: Projection, event: Event, day: Counter[str]) -> None:
    player = projection.player
    currency, amount = event["payload"]["currency"], int(event["payload"]["amount_minor"])
    player["purchases"] += 1
    player["spend"][currency] = player["spend"].get(currency, 0) + amount
    day["purchases"] += 1
    day[f"revenue_{currency}"] += amount
    ordinal = date.fromisoformat(event["event_date"]).toordinal()
    paid_in = player["paid_in"].setdefault(currency, set())
    if ordinal not in paid_in:
        paid_in.add(ordinal)
        day[f"payers_{currency}"] += 1
    if ordinal not in player["paid_days"]:
        player["paid_days"].add(ordinal)
        day["payers"] += 1


def _economy(projection: Projection, event: Event, day: Counter[str]) -> None:
    player, payload, moment = projection.player, event["payload"], event["corrected_time"]
    currency = payload["currency"]
    flows = projection.buckets[Bucket.currency(event["event_date"], currency, payload["reason"])]
    flows[payload["flow"]] += int(payload["amount"])
    known = player["balances"]
    room = currency in known or len(known) < MAX_CURRENCIES
    if room and moment >= player["balances_at"].get(currency, ""):
        known[currency] = int(payload["balance_after"])
        player["balances_at"][currency] = moment


def _progression(projection: Projection, event: Event, day: Counter[str]) -> None:
    player, payload, moment = projection.player, event["payload"], event["corrected_time"]
    status = payload["status"]
    projection.buckets[Bucket.level(event["event_date"], payload["level_1"])][status] += 1
    done: int = player["steps"].get(event["event_date"], 0)
    for name, step, reached in (
        ("players_started", STARTED, True),
        ("players_completed", COMPLETED, status == "complete"),
    ):
        if reached and not done & step:
            day[name] += 1
            done |= step
    player["steps"][event["event_date"]] = done
    if status == "complete" and moment >= player["level_at"]:
        levels = (payload.get(f"level_{n}") for n in (1, 2, 3))
        player["level"] = "/".join(level for level in levels if level)
        player["level_at"] = moment


def _performance(projection: Projection, event: Event, day: Counter[str]) -> None:
    if "fps" in event["payload"]:
        projection.version(event)[f"fps_bin_{bin_of(event['payload']['fps'])}"] += 1


_HANDLERS = {
    "session_start": _session_start,
    "session_end": _session_end,
    "purchase": _purchase,
    "economy": _economy,
    "performance": _performance,
    "progression": _progression,
}
