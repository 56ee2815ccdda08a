"""The figures of a game and period, from the counters that the metrics API serves."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from metrics_api.store import Store, merge

COHORT_DAYS = (1, 7, 30)
COUNTED = ("new_players", "sessions", "session_seconds", "purchases", "events", "events_crash")


class Figure(NamedTuple):
    """A value, and that of the period before; None is not measured or has no denominator."""

    name: str
    unit: str
    value: float | None
    before: float | None


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

    @property
    def before(self) -> "Period":
        """Return the period that ended when this one began."""
        return Period(self.kind, self.days[0] - timedelta(days=1))


def figures(store: Store, game_id: str, period: Period) -> list[Figure]:
    """Return the figures of one game, each beside the period before; money in minor units."""
    now, before = (_values(store, game_id, one) for one in (period, period.before))
    names = dict.fromkeys([*now, *before])
    return [Figure(*name, now.get(name), before.get(name)) for name in names]


def retention(store: Store, game_id: str, last: date) -> list[Figure]:
    """Return the share of the cohorts that were 1, 7 and 30 days old on a day and came back on it."""
    return [
        Figure(f"D{number} retention", "share", *_retained(store, game_id, last, number))
        for number in COHORT_DAYS
    ]


def _retained(store: Store, game_id: str, last: date, number: int) -> Iterator[float | None]:
    for day in (last, last - timedelta(days=1)):
        cohort = day - timedelta(days=number)
        (rows,) = store.rows([f"{game_id}#{cohort}#cohort"])
        counts = Counter[str]()
        for row in rows:
            counts.update({name: n for name, n in row.items() if name.startswith("retained_")})
        yield _ratio(counts[f"retained_{number}"], counts["retained_0"])


def _values(store: Store, game_id: str, period: Period) -> dict[tuple[str, str], float | None]:
    counts = merge(store.game_days(game_id, period.days)).counts
    reach = store.reach(game_id, [period.last])
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
    for name in sorted(counts):
        kind, _, currency = name.partition("_")
        if kind == "revenue":
            minor, unit = counts[name], f"{currency} minor"
            values[name, unit] = minor
            values[f"revenue_per_active_player_{currency}", unit] = _ratio(minor, counts["active_players"])
            values[f"revenue_per_payer_{currency}", unit] = _ratio(minor, payers)
    return values


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None
