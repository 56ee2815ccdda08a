"""The figures of a game and period, from the counters that the metrics API serves."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import dropwhile
from typing import Literal, NamedTuple

from telemetry import metric_model
from telemetry.anomaly import MIN_HISTORY, Anomaly, detect
from telemetry.capped_names import Rows
from telemetry.store import Store, by_name, merge

COHORT_DAYS = (1, 7, 30)
# The figures of a report, in its order. The figures after the payers are shown for each currency.
REACH = ("active_players", "weekly_active_players", "monthly_active_players", "stickiness")
COUNTED = ("new_players", "session_starts", "playtime_seconds", "purchases", "events", "crash_events")
PAYING = ("payers", "payer_conversion")
MONEY = ("revenue", "unverified_share", "refunded", "net_revenue", "arpdau", "arppu")
# These are shown of a game that shows advertisements; the money for each currency.
ADS, AD_MONEY = (
    ("impressions", "completed_share"),
    ("ad_revenue_micros", "ad_ecpm_micros", "ad_arpdau_micros"),
)
PRICED = "impressions_"
# What is watched, and the least of a day that is worth telling.
WATCHED = {
    "active_players": 50, "new_players": 20, "session_starts": 50, "purchases": 10, "crash_events": 10,
}  # fmt: skip
# Holds 28 days of weekends.
LOOKED_AT_DAYS = 98
SATURDAY = 5


class Figure(NamedTuple):
    """A value, that of the period before, and that of the same weekday a week before (only of a day).

    None is not measured or has no denominator.
    """

    name: str
    unit: str
    value: float | None
    before: float | None
    week_before: float | None = None


class Notice(NamedTuple):
    """A figure of a day that is outside its usual band."""

    day: date
    name: str
    change: Anomaly


@dataclass(frozen=True, slots=True)
class Period:
    """A UTC day, or the 7 days to `last`."""

    kind: Literal["day", "week"]
    last: date

    @property
    def days(self) -> list[date]:
        """Return the days in order."""
        return self.until(7 if self.kind == "week" else 1)

    @classmethod
    def over(cls, kind: Literal["day", "week"], today: date) -> "Period":
        """Return the last that is over; weeks end on Sunday."""
        return cls(kind, today - timedelta(days=today.weekday() + 1 if kind == "week" else 1))

    @property
    def before(self) -> "Period":
        """Return the period that ended when this one began."""
        return Period(self.kind, self.days[0] - timedelta(days=1))

    @property
    def compared(self) -> list["Period"]:
        """Return it and those it is held against, in the order of a figure's values."""
        week_before = [Period("day", self.last - timedelta(days=7))] if self.kind == "day" else []
        return [self, self.before, *week_before]

    def until(self, length: int) -> list[date]:
        """Return so many days to the last, in order."""
        return [self.last - timedelta(days=back) for back in reversed(range(length))]


def figures(store: Store, game_id: str, period: Period) -> list[Figure]:
    """Return the figures of one game, each beside those before; money in minor units."""
    tallies = [_counts(store, game_id, one.days) for one in period.compared]
    money = {
        f"{metric}_{currency}": (metric, currency)
        for names, prefixes in ((MONEY, ("revenue_", "refunded_")), (AD_MONEY, (PRICED,)))
        for currency in sorted(
            {name.rpartition("_")[2] for counts in tallies for name in counts if name.startswith(prefixes)}
        )
        for metric in names
    }
    shown = ADS if any(counts["impressions"] for counts in tallies) else ()
    columns = [
        _values(counts, store.reach(game_id, one.days), one, shown, money)
        for counts, one in zip(tallies, period.compared, strict=True)
    ]
    return [Figure(*name, *(values[name] for values in columns)) for name in columns[0]]


def counted(store: Store, game_id: str, period: Period) -> dict[date, Counter[str]]:
    """Return the counters of each day that changes are judged by, the period's last day last."""
    days = period.until(LOOKED_AT_DAYS + len(period.days))
    return dict(zip(days, (tally.counts for tally in store.game_days(game_id, days)), strict=True))


def unusual(counts: Mapping[date, Counter[str]], period: Period) -> list[Notice]:
    """Return what is notable of each day against the weekdays, or the days of weekends, before it."""
    return [notice for day in period.days for notice in _unusual(counts, day)]


def judged(counts: Mapping[date, Counter[str]], period: Period) -> bool:
    """Tell whether the game has days enough to know what is usual."""
    return any(len(_known(counts, day)) > MIN_HISTORY for day in period.days)


def _known(counted: Mapping[date, Counter[str]], last: date) -> list[Counter[str]]:
    """Return the days of the last one's kind, without those before the game's first event."""
    same = [
        counts
        for day, counts in counted.items()
        if day <= last and (day.weekday() >= SATURDAY) == (last.weekday() >= SATURDAY)
    ]
    return list(dropwhile(lambda counts: not counts["events"], same))


def _unusual(counted: Mapping[date, Counter[str]], last: date) -> Iterator[Notice]:
    known, model = _known(counted, last), metric_model.live()
    for name, least in WATCHED.items() if known else ():
        if change := detect([int(model[name].of(counts) or 0) for counts in known], least):
            yield Notice(last, name, change)


def cohorts(store: Store, game_id: str, days: Sequence[date]) -> dict[date, Counter[str]]:
    """Return the players of each install day who were active so many days later, by "retained_7"."""
    rows = store.rows(f"{game_id}#{day}#cohort" for day in days)
    return {day: by_name([found], 0)[()] for day, found in zip(days, rows, strict=True)}


def retention(of: Mapping[date, Counter[str]], period: Period) -> list[Figure]:
    """Return the share of players who came back when they were 1, 7 and 30 days old, in the period."""
    return [
        Figure(f"D{number} retention", "share", *(retained(of, one.days, number) for one in period.compared))
        for number in COHORT_DAYS
    ]


def retained(of: Mapping[date, Counter[str]], days: Sequence[date], number: int) -> float | None:
    """Return the share of the players that were so many days old on the days, and active."""
    counts = [of[day - timedelta(days=number)] for day in days]
    returned, installed = (sum(one[f"retained_{age}"] for one in counts) for age in (number, 0))
    return metric_model.live()["retention"].of({"retained_players": returned, "cohort_players": installed})


def stability(store: Store, game_id: str, period: Period) -> Figure:
    """Return the share of sessions without a crash."""
    metric = metric_model.live()["crash_free_sessions"]
    shares = [
        metric.of(by_name(store.rows(f"{game_id}#{day}#versions" for day in one.days), 0)[()])
        for one in period.compared
    ]
    return Figure(metric.name, metric.unit, *shares)


class Ads(NamedTuple):
    """What was counted of each advertisement, by network, placement and format, and of all."""

    rows: Rows
    total: Counter[str]


def ads(store: Store, game_id: str, days: Sequence[date]) -> Ads:
    """Read the impressions of some days."""
    rows = by_name(store.rows(f"{game_id}#{day}#ads" for day in days), 3)
    return Ads(rows, sum(rows.values(), Counter()))


def _counts(store: Store, game_id: str, days: Sequence[date]) -> Counter[str]:
    counts = merge(store.game_days(game_id, days)).counts
    counts.update(ads(store, game_id, days).total)
    return counts


def _values(
    counts: Counter[str],
    reach: Counter[str],
    period: Period,
    shown_of_ads: Sequence[str],
    money: Mapping[str, tuple[str, str]],
) -> dict[tuple[str, str], float | None]:
    """Return the figures of a period: facts are its sums, and a ratio is a sum over a sum."""
    model, is_day = metric_model.live(), period.kind == "day"
    weekly, monthly = reach[f"wau_{period.last}"], reach[f"mau_{period.last}"]
    played = max(0, counts["play_ms"]) // 1000
    sums = {
        **counts,
        "playtime_seconds": played,
        "monthly_active_players": sum(reach[f"mau_{day}"] for day in period.days),
    }
    # Unique players of a week are not the sum of its days. The counters do not know its unique payers.
    shown = {
        "active_players": counts["active_players"] if is_day else weekly,
        "weekly_active_players": weekly,
        "monthly_active_players": monthly,
        "payers": counts["payers"] if is_day else None,
    }
    values: dict[tuple[str, str], float | None] = {
        (name, model[name].unit): shown[name] if name in shown else model[name].of(sums)
        for name in (*REACH, *COUNTED, *PAYING, *shown_of_ads)
    }
    for figure, (name, currency) in money.items():
        unit = model[name].unit
        values[figure, unit if unit == "share" else f"{currency} {unit}"] = model[name].of(sums, currency)
    return values
