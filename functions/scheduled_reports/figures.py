"""The figures of a game and period, from the counters that the metrics API serves."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import dropwhile
from typing import Literal, NamedTuple

from metrics_api.store import Store, merge
from telemetry.changes import Change, notable

COHORT_DAYS = (1, 7, 30)
COUNTED = ("new_players", "sessions", "session_seconds", "purchases", "events", "events_crash")
# What is watched, and the least of a day that is worth telling.
WATCHED = {"active_players": 50, "new_players": 20, "sessions": 50, "purchases": 10, "events_crash": 10}
# Holds 28 days of weekends.
LOOKED_AT_DAYS = 98
SATURDAY = 5


class Figure(NamedTuple):
    """A value, and that of the period before; None is not measured or has no denominator."""

    name: str
    unit: str
    value: float | None
    before: float | None


class Notice(NamedTuple):
    """A figure of a day that is outside its usual band."""

    day: date
    name: str
    change: Change


@dataclass(frozen=True, slots=True)
class Period:
    """A UTC day, or the 7 days to `last`."""

    kind: Literal["day", "week"]
    last: date

    @property
    def days(self) -> list[date]:
        """Return the days in order."""
        length = 7 if self.kind == "week" else 1
        return [self.last - timedelta(days=back) for back in reversed(range(length))]

    @classmethod
    def over(cls, kind: Literal["day", "week"], today: date) -> "Period":
        """Return the last that is over; weeks end on Sunday."""
        return cls(kind, today - timedelta(days=today.weekday() + 1 if kind == "week" else 1))

    @property
    def before(self) -> "Period":
        """Return the period that ended when this one began."""
        return Period(self.kind, self.days[0] - timedelta(days=1))


def figures(store: Store, game_id: str, period: Period) -> list[Figure]:
    """Return the figures of one game, each beside the period before; money in minor units."""
    periods = period, period.before
    tallies = [merge(store.game_days(game_id, one.days)).counts for one in periods]
    currencies = sorted(
        {
            name.removeprefix("revenue_")
            for counts in tallies
            for name in counts
            if name.startswith("revenue_")
        }
    )
    now, before = (
        _values(counts, store.reach(game_id, [one.last]), one, currencies)
        for counts, one in zip(tallies, periods, strict=True)
    )
    return [Figure(*name, value, before[name]) for name, value in now.items()]


def unusual(store: Store, game_id: str, period: Period) -> list[Notice]:
    """Return what is notable of each day against the weekdays, or the days of weekends, before it."""
    reach = LOOKED_AT_DAYS + len(period.days)
    days = [period.last - timedelta(days=back) for back in reversed(range(reach))]
    tallies = [tally.counts for tally in store.game_days(game_id, days)]
    counted = dict(zip(days, tallies, strict=True))
    return [notice for day in period.days for notice in _unusual(counted, day)]


def _unusual(counted: Mapping[date, Counter[str]], last: date) -> Iterator[Notice]:
    same = [
        counts
        for day, counts in counted.items()
        if day <= last and (day.weekday() >= SATURDAY) == (last.weekday() >= SATURDAY)
    ]
    # Days before the game's first event say nothing of what is usual.
    known = list(dropwhile(lambda counts: not counts["events"], same))
    for name, least in WATCHED.items() if known else ():
        if change := notable([counts[name] for counts in known], least):
            yield Notice(last, name, change)


def retention(store: Store, game_id: str, period: Period) -> list[Figure]:
    """Return the share of players who came back when they were 1, 7 and 30 days old, in the period."""
    return [
        Figure(
            f"D{number} retention",
            "share",
            *(_retained(store, game_id, one, number) for one in (period, period.before)),
        )
        for number in COHORT_DAYS
    ]


def _retained(store: Store, game_id: str, period: Period, number: int) -> float | None:
    cohorts = [day - timedelta(days=number) for day in period.days]
    counts = Counter[str]()
    for rows in store.rows(f"{game_id}#{cohort}#cohort" for cohort in cohorts):
        for row in rows:
            counts.update({name: n for name, n in row.items() if name.startswith("retained_")})
    return _ratio(counts[f"retained_{number}"], counts["retained_0"])


def _values(
    counts: Counter[str], reach: Counter[str], period: Period, currencies: list[str]
) -> dict[tuple[str, str], float | None]:
    weekly, monthly = reach[f"wau_{period.last}"], reach[f"mau_{period.last}"]
    daily = period.kind == "day"
    active = counts["active_players"] if daily else weekly
    values: dict[tuple[str, str], float | None] = {
        ("active_players", "players"): active,
        ("weekly_active_players", "players"): weekly,
        ("monthly_active_players", "players"): monthly,
        ("stickiness", "share"): _ratio(counts["active_players"] / len(period.days), monthly),
    }
    for name in COUNTED:
        values[name, "seconds" if name == "session_seconds" else "count"] = counts[name]
    # The counters know the payers of a day; those of a week cannot be told from them.
    payers = counts["payers"] if daily else None
    values["payers", "players"] = payers
    values["conversion", "share"] = _ratio(payers, active)
    for currency in currencies:
        minor, unit = counts[f"revenue_{currency}"], f"{currency} minor"
        values[f"revenue_{currency}", unit] = minor
        values[f"arpdau_{currency}", unit] = _ratio(minor, counts["active_players"])
        values[f"arppu_{currency}", unit] = _ratio(minor, payers)
    return values


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None
