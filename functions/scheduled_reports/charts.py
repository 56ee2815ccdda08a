"""What a report draws: the month to the period's end, and its versions."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from telemetry.money import minor_digits, money

from scheduled_reports.figures import Period, retained
from scheduled_reports.pictures import Format, Picture, bars, lines, panels
from scheduled_reports.sections import Section

DAYS = 28
SHOWN_CURRENCIES, SHOWN_VERSIONS = 2, 6
REVENUE = "revenue_"
FOLLOWED = (1, 7)

Counted = Mapping[date, Counter[str]]


def charts(counted: Counted, cohorts: Counted, versions: Section | None, period: Period) -> list[Picture]:
    """Return a picture of each that has something to show."""
    days = period.until(DAYS)
    counts = {day: counted[day] for day in days}
    return [
        *_players(counts, period),
        *_revenue(counts, period),
        *_retention(cohorts, days),
        *(_versions(versions) if versions else ()),
    ]


def _players(counts: Counted, period: Period) -> Iterator[Picture]:
    values = [of["active_players"] for of in counts.values()]
    if any(values):
        words = lambda value: f"{value:,.0f}"  # noqa: E731
        yield _by_day("players", "Active players a day", counts, values, period, words)


def _revenue(counts: Counted, period: Period) -> Iterator[Picture]:
    paid = Counter(
        name for of in counts.values() for name, minor in of.items() if minor > 0 and name.startswith(REVENUE)
    )
    for name, _ in sorted(paid.items(), key=lambda one: (-one[1], one[0]))[:SHOWN_CURRENCIES]:
        currency = name.removeprefix(REVENUE)
        values = [of[name] for of in counts.values()]
        words = lambda minor, currency=currency: _whole(minor, currency)  # noqa: E731
        yield _by_day(f"revenue-{currency}", f"Revenue a day, {currency}", counts, values, period, words)


def _whole(minor: float, currency: str) -> str:
    """Return an amount without its cents where it has so many digits that nobody reads them."""
    unit = 10 ** minor_digits(currency)
    return f"{minor / unit:,.0f} {currency}" if minor >= 100 * unit else money(minor, currency)


def _by_day(
    name: str, title: str, counts: Counted, values: list[int], period: Period, words: Format
) -> Picture:
    days = list(counts)
    alt = (
        f"{title}, {len(days)} days to {days[-1]}: {words(min(values))} to {words(max(values))},"
        f" {words(values[-1])} on the last."
    )
    return Picture(name, title, alt, bars(days, values, set(period.days), words))


def _retention(cohorts: Counted, days: list[date]) -> Iterator[Picture]:
    series = [(f"D{age}", [retained(cohorts, [day], age) for day in days]) for age in FOLLOWED]
    told = [
        f"{name} was {known[-1]:.0%} of the newest cohort that is due"
        for name, values in series
        if (known := [value for value in values if value is not None])
    ]
    if told:
        title = "Players who came back, by the day they did"
        yield Picture(
            "retention", title, f"{title}: {', '.join(told)}.", lines(days, series, "{:.0%}".format)
        )


def _versions(section: Section) -> Iterator[Picture]:
    shown = section.rows[:SHOWN_VERSIONS]
    names = [name for name, _ in shown]
    crashed = [None if free is None else 1 - free for _, (_, _, free, _, _) in shown]
    fps = [slow for _, (_, _, _, _, slow) in shown]
    told = [
        f"{name} {_known(share, '.1%')}, {_known(frames, '.0f')} fps"
        for name, share, frames in zip(names, crashed, fps, strict=True)
    ]
    columns = (
        ("Sessions that crashed", crashed, "{:.1%}".format),
        ("Slowest 5 %, fps", fps, "{:.0f}".format),
    )
    alt = f"Sessions that crashed and the slowest 5 % of frames, by version: {'; '.join(told)}."
    yield Picture("versions", "Crashes and frames a second by version", alt, panels(names, columns))


def _known(value: float | None, form: str) -> str:
    return "unknown" if value is None else format(value, form)
