"""How figures and periods are written, in every form of a report."""

import re
from datetime import date

from telemetry import metric_model
from telemetry.money import minor, money

from scheduled_reports.figures import Figure, Notice, Period

NOT_AVAILABLE = "not available"
MICROS, MINOR = " micros", " minor"
MONEY = re.compile("_[A-Z]{3}$")
RULE = (
    "A change is notable where a day is outside the median of up to 28 days of its kind (weekdays or"
    " weekends) ± 3.5 robust standard deviations, and large enough to matter. Days are UTC."
)
# More of these is worse.
UNWELCOME = {"crash_events"}


def named(name: str) -> str:
    """Return a figure's label: that of its metric, with the currency behind it."""
    metric, _, currency = name.rpartition("_") if MONEY.search(name) else (name, "", "")
    found = metric_model.live().get(metric)
    return " ".join(part for part in (found.label if found else metric, currency) if part)


def valued(value: float | None, unit: str) -> str:
    """Return a value with its unit, money in major units."""
    if value is None:
        return NOT_AVAILABLE
    if unit == "share":
        return f"{value:.1%}"
    if unit.endswith(MINOR):
        return money(value, unit.removesuffix(MINOR))
    if unit.endswith(MICROS):
        currency = unit.removesuffix(MICROS)
        return money(minor(value, currency), currency)
    if unit == "seconds" and value >= 60:
        hours, minutes = divmod(round(value / 60), 60)
        return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"
    if unit == "measure":
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    number = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return number if unit in ("count", "players", "fps") else f"{number} {unit}"


def changes(figure: Figure) -> list[float | None]:
    """Return how far it is from each value it is held against, as a share; None where that is not above 0.

    A share changes by the difference, everything else by the quotient.
    """
    bases = (figure.before, figure.week_before)
    if figure.unit == "share":
        return [None if None in (figure.value, base) else figure.value - base for base in bases]  # type: ignore[operator]
    return [
        figure.value / base - 1 if figure.value is not None and base and base > 0 else None for base in bases
    ]


def changed(change: float, unit: str) -> str:
    """Return a change with its sign: points of a share, percent of everything else."""
    return f"{100 * change:+.1f} pts" if unit == "share" else f"{change:+.1%}"


def bases(period: Period) -> list[str]:
    """Return what a figure of the period is held against."""
    if period.kind == "week":
        return ["week before"]
    weekday = period.compared[2].last
    return ["day before", f"{weekday:%a} {weekday.day} {weekday:%b}"]


def notice(one: Notice) -> str:
    """Return what is notable, with its band and for how long."""
    change, days = one.change, "day" if one.change.lasting == 1 else "days"
    usual = f"{max(change.low, 0):,.0f} to {change.high:,.0f}"
    return (
        f"{one.day:%a} {_short(one.day)}: {named(one.name)} {change.value:,.0f}, usually {usual};"
        f" for {change.lasting} {days} of its kind"
    )


def noticed(notices: list[Notice], judged: bool) -> list[str]:
    """Return all of them, or why there are none."""
    none = "None: what is watched is in its usual band." if judged else "Not judged: too few days to tell."
    return [notice(one) for one in notices] or [none]


def span(period: Period) -> str:
    """Return the days of a period."""
    first, last = period.days[0], period.last
    if first == last:
        return f"{last:%A}, {_short(last)} {last.year} (UTC)"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{_short(first)}{year} to {_short(last)} {last.year} (UTC)"


def is_empty(figures: list[Figure]) -> bool:
    """Tell that nothing happened in the period."""
    return not any(figure.value for figure in figures)


def _short(day: date) -> str:
    return f"{day.day} {day:%B}"
