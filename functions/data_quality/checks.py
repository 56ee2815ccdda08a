"""The checks: pure functions of a game's facts. One that lacks its facts says so, and does not pass."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from telemetry.anomaly import MIN_HISTORY, detect, usual_hour
from telemetry.silver import Check, Lake, Verdict, merged, nulls, ranges

from data_quality.facts import Facts

Amount = TypeVar("Amount", float, timedelta)

# Below this many a share says nothing.
MINIMUM_EVENTS, MINIMUM_FIGURE, MINIMUM_SESSIONS, MINIMUM_REFUNDS, MINIMUM_LINKS = 100, 100, 100, 20, 20
MINIMUM_VALUES = 100
# Figures of gold's days that count players.
OF_PLAYERS = ("active_players", "new_players")
# A game with an event a minute must not be silent for an hour.
BUSY_EVENTS_A_DAY = 1440
# An hour with less than this share of what it usually has, and outside its band, is a failure.
DROP_FAILS = 0.5
QUIET_WARN, QUIET_FAIL = timedelta(hours=1), timedelta(hours=3)
# What a batch run may take, and that one may fail before somebody has to come.
HISTORY_WARN, HISTORY_FAIL = timedelta(hours=3), timedelta(hours=25)
# Events on their way, as a share of what has arrived, and at least so many.
IN_FLIGHT_SHARE, IN_FLIGHT_LEAST = 0.001, 10


def run(facts: Facts) -> list[Check]:
    """Return all checks of a game."""
    return [check(facts) for check in CHECKS]


def freshness(facts: Facts) -> Check:
    """A game that is busy every day must have been heard of lately."""
    name = "freshness"
    busiest = sorted(day["accepted"] for day in facts.arrived[:-1])[-7:]
    # The busiest week of the month: a long outage must not make the game look quiet.
    if busiest[len(busiest) // 2] < BUSY_EVENTS_A_DAY:
        return Check(
            name, "unknown", f"Fewer than {BUSY_EVENTS_A_DAY} events a day: it may be silent for hours."
        )
    if facts.updated_at is None:
        return Check(name, "fail", "No event has been counted in a month.", None, QUIET_FAIL.total_seconds())
    quiet = facts.now - facts.updated_at
    message = f"The newest event was counted {_minutes(quiet)} minutes ago."
    return Check(
        name, _verdict(quiet, QUIET_WARN, QUIET_FAIL), message, _minutes(quiet), _minutes(QUIET_WARN)
    )


def volume(facts: Facts) -> Check:
    """Yesterday must be within the band of the days before (robust z-score of telemetry.anomaly)."""
    return _band("volume", "yesterday", [day["accepted"] for day in facts.arrived[:-1]])


def hour(facts: Facts) -> Check:
    """The hour that ended last must be within the band of the same hour of the weeks before."""
    *before, events = facts.hours
    band = usual_hour(before)
    when = f"between {facts.now - timedelta(hours=1):%H}:00 and {facts.now:%H}:00"
    if band is None:
        return Check("hour", "unknown", "The game has events of fewer than 4 weeks, or was idle.", events)
    if band.low <= events <= band.high or max(events, band.usual) < MINIMUM_EVENTS:
        return Check("hour", "pass", f"{events:,} events {when}, as usual at this hour of the week.", events)
    below = events < band.low
    message = (
        f"{events:,} events {when}; usual at this hour of the week are"
        f" {max(band.low, 0):,.0f} to {band.high:,.0f}."
    )
    failed = below and events < DROP_FAILS * band.usual
    bound = round(band.low if below else band.high, 1)
    return Check("hour", "fail" if failed else "warn", message, events, bound)


def _band(name: str, when: str, series: list[int]) -> Check:
    while series and not series[0]:
        series.pop(0)
    if len(series) <= MIN_HISTORY:
        return Check(name, "unknown", f"The game has events of fewer than {MIN_HISTORY + 1} days.")
    change = detect(series, MINIMUM_EVENTS)
    if change is None:
        return Check(name, "pass", f"{series[-1]:,} events {when}, as usual.", series[-1])
    bound = change.low if change.value < change.low else change.high
    message = f"{series[-1]:,} events {when}; usual are {max(change.low, 0):,.0f} to {change.high:,.0f}."
    return Check(name, "warn" if series[-1] else "fail", message, series[-1], round(bound, 1))


def reconciled(facts: Facts) -> Check:
    """Each event that was read from the raw stream must have been accepted, rejected or withheld."""
    lately = facts.arrived[-2] + facts.arrived[-1]
    if not lately["arrived"]:
        return Check("reconciled", "unknown", "No event since yesterday began.")
    rejected = sum(n for name, n in lately.items() if name.startswith("rejected_"))
    lost = lately["arrived"] - lately["accepted"] - rejected - lately["refused_again"] - lately["withheld"]
    message = (
        f"{lately['arrived']:,} events read since yesterday began: {lately['accepted']:,} accepted,"
        f" {rejected:,} rejected, {lately['refused_again']:,} refused again in a replay,"
        f" {lately['withheld']:,} without consent, {lost:,} none of these."
    )
    return Check("reconciled", "fail" if lost else "pass", message, lost, 0)


def counted(facts: Facts) -> Check:
    """What was accepted must be in player state, but for late events of earlier days and those in flight."""
    accepted, late = (sum(day[name] for day in facts.arrived) for name in ("accepted", "late"))
    events = sum(day["events"] for day in facts.happened)
    missing, allowed = accepted - events, max(IN_FLIGHT_LEAST, round(accepted * IN_FLIGHT_SHARE))
    message = f"{accepted:,} events accepted in a month ({late:,} of them late), {events:,} in player state."
    if not accepted:
        return Check("counted", "unknown", "No event in a month.")
    right = -allowed <= missing <= allowed + late
    return Check(
        "counted", "pass" if right else "fail", message, missing, allowed + late if missing > 0 else -allowed
    )


def windows(facts: Facts) -> Check:
    """The stream job must see what player_state sees, but for what came too late for its windows."""
    name = "windows"
    if facts.by_windows is None:
        return Check(name, "unknown", "The stream job has published no window of that half hour.")
    if facts.by_minutes < MINIMUM_EVENTS:
        return Check(name, "unknown", f"Fewer than {MINIMUM_EVENTS} events in half an hour.")
    share = abs(facts.by_minutes - facts.by_windows) / facts.by_minutes
    message = (
        f"Of half an hour player state has {facts.by_minutes:,} events, the stream job {facts.by_windows:,}."
    )
    return Check(name, _verdict(share, 0.02, 0.1), message, round(share, 4), 0.02)


def history(facts: Facts) -> Check:
    """The game must have passed the audit of the lake's newest batch run, and that not long ago."""
    if facts.history is None:
        return Check("history", "unknown", "No batch run has left an audit in the lake.")
    age, faults = facts.now - facts.history.ended_at, facts.faults
    hours = round(age.total_seconds() / 3600, 1)
    if faults:
        return Check(
            "history",
            "fail",
            f"The audit {hours} hours ago set the game aside: its gold is older. "
            f"{len(faults)} faults, first: {faults[0]}",
            hours,
        )
    warn, fail = facts.history_every + HISTORY_WARN, facts.history_every + HISTORY_FAIL
    verdict = _verdict(age, warn, fail)
    bound = warn.total_seconds() / 3600
    return Check("history", verdict, f"Silver and gold passed their audit {hours} hours ago.", hours, bound)


def lake(facts: Facts) -> Check:
    """Silver must hold what was accepted in an hour that the newest batch run has taken in full."""
    hour = facts.history.hour if facts.history else None
    age = (facts.now.date() - hour.date()).days if hour else 0
    if hour is None or facts.in_lake is None or age >= len(facts.arrived):
        return Check("lake", "unknown", "No batch run has counted an hour of this month.")
    accepted = facts.arrived[-1 - age][f"hour_{hour:%H}"]
    missing, allowed = accepted - facts.in_lake, max(IN_FLIGHT_LEAST, round(accepted * IN_FLIGHT_SHARE))
    when = f"in the hour of {hour:%Y-%m-%d %H}:00"
    message = f"Of {accepted:,} events accepted {when} silver has {facts.in_lake:,}."
    return Check("lake", "pass" if abs(missing) <= allowed else "fail", message, missing, allowed)


def gold(facts: Facts) -> Check:
    """Gold must have what the stream counted of each day that was over when the newest batch run took it.

    These are the days that gold was read for, else those that the run touched. The stream counts ids. Where
    events link ids, gold counts players, and their figures are not compared.
    """
    name, hour = "gold", facts.history.hour if facts.history else None
    figures_of_days = facts.published or (facts.lake.days if facts.lake else None)
    if figures_of_days is None or hour is None:
        return Check(name, "unknown", "The newest batch run took no event of the game.")
    by_age = {
        str(facts.now.date() - timedelta(days=age)): day for age, day in enumerate(facts.happened[::-1])
    }
    held = [
        (abs(batch - stream) / max(batch, stream), batch, stream, f"{figure.replace('_', ' ')} of {day}")
        for day, figures in figures_of_days.items()
        if day in by_age and day < str((hour + timedelta(hours=1)).date())
        for figure, batch in figures.items()
        if not (facts.lake and facts.lake.links and figure in OF_PLAYERS)
        if max(batch, stream := by_age[day][figure]) >= MINIMUM_FIGURE
    ]
    if not held:
        return Check(
            name, "unknown", f"The newest batch run took no whole day with {MINIMUM_FIGURE} of anything."
        )
    share, batch, stream, figure = max(held)
    message = f"Furthest apart are {figure}: {batch:,} in gold, {stream:,} in player state."
    return Check(name, _verdict(share, 0.01, 0.05), message, round(share, 4), 0.01)


def _of_lake(name: str, check_lake: Callable[[Lake], Check]) -> Callable[[Facts], Check]:
    """Return a check of what the newest batch run counted of the game."""

    def check(facts: Facts) -> Check:
        if facts.lake is None:
            return Check(name, "unknown", "The newest batch run took no event of the game.")
        return check_lake(facts.lake)

    return check


def _sequence(lake: Lake) -> Check:
    if lake.sequences < MINIMUM_SESSIONS:
        return Check("sequence", "unknown", f"Fewer than {MINIMUM_SESSIONS} sessions.")
    share = lake.gapped / lake.sequences
    message = f"{share:.2%} of {lake.sequences:,} sessions lack an event between their first and their last."
    return Check("sequence", _verdict(share, 0.05, 0.25), message, round(share, 6), 0.05)


def _refunds(lake: Lake) -> Check:
    unmatched = lake.unmatched_refunds
    message = f"{unmatched:,} of {lake.refunds:,} refunds name a purchase that no event has reported."
    if not unmatched:
        return Check("refunds", "pass", message, 0, 0.01)
    if lake.refunds < MINIMUM_REFUNDS:
        return Check("refunds", "unknown", f"Fewer than {MINIMUM_REFUNDS} refunds. {message}")
    share = unmatched / lake.refunds
    return Check("refunds", _verdict(share, 0.01, 0.1), message, round(share, 6), 0.01)


def _links(lake: Lake) -> Check:
    ignored = lake.ignored_links
    message = (
        f"{lake.links - ignored:,} links make a guest and its account one player; {ignored:,} are ignored."
    )
    if not ignored:
        return Check("links", "pass", message, 0, 0.05)
    if lake.links < MINIMUM_LINKS:
        return Check("links", "unknown", f"Fewer than {MINIMUM_LINKS} links. {message}")
    share = ignored / lake.links
    return Check("links", _verdict(share, 0.05, 0.25), message, round(share, 6), 0.05)


def _dimensions(lake: Lake) -> Check:
    message = (
        f"{lake.undeclared_values:,} of {lake.values:,} values of custom dimensions are not declared: they"
        " count as other, or nowhere where the name is not declared either."
    )
    if not lake.undeclared_values:
        return Check("dimensions", "pass", message, 0, 0.01)
    if lake.values < MINIMUM_VALUES:
        return Check("dimensions", "unknown", f"Fewer than {MINIMUM_VALUES} values. {message}")
    share = lake.undeclared_values / lake.values
    # A client chooses its values: it must not be able to ring an alarm.
    return Check("dimensions", "warn" if share > 0.01 else "pass", message, round(share, 6), 0.01)


def _share(
    name: str, part: Callable[[Counter[str]], int], share_of: str, warn: float, fail: float
) -> Callable[[Facts], Check]:
    """Return a check of a share of what arrived since yesterday began."""

    def check(facts: Facts) -> Check:
        lately = facts.arrived[-2] + facts.arrived[-1]
        total = lately["accepted"] + sum(n for reason, n in lately.items() if reason.startswith("rejected_"))
        if total < MINIMUM_EVENTS:
            return Check(name, "unknown", f"Fewer than {MINIMUM_EVENTS} events since yesterday began.")
        share = part(lately) / total
        told = f"{share:.2%} of {total:,} events since yesterday began {share_of}."
        return Check(name, _verdict(share, warn, fail), told, round(share, 6), warn)

    return check


def late(facts: Facts) -> Check:
    """Few events may come late. A game that has just started to send may bring its past along."""
    found = _late(facts)
    if found.verdict == "pass" or any(day["arrived"] for day in facts.arrived[:-2]):
        return found
    return Check("late", "unknown", f"The game has just started to send. {found.message}")


def _refused(counts: Counter[str]) -> int:
    return sum(n for name, n in counts.items() if name.startswith("rejected_")) - counts["rejected_duplicate"]


def _off_schema(counts: Counter[str]) -> int:
    return counts["rejected_unknown_schema"] + counts["rejected_schema_violation"]


def _verdict(value: Amount, warn: Amount, fail: Amount) -> Verdict:
    if value > fail:
        return "fail"
    return "warn" if value > warn else "pass"


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)


_late = _share("late", lambda counts: counts["late"], "came more than an hour after they happened", 0.1, 0.3)

CHECKS: tuple[Callable[[Facts], Check], ...] = (
    freshness,
    volume,
    hour,
    _share("rejects", _refused, "were refused, duplicates aside", 0.01, 0.05),
    _share("schema", _off_schema, "do not fit the registry: a client is ahead of it, or wrong", 0.005, 0.02),
    _share("duplicates", lambda counts: counts["rejected_duplicate"], "were sent more than once", 0.05, 0.2),
    late,
    _share("clocks", lambda counts: counts["skewed"], "came from a clock that is wrong", 0.05, 0.2),
    _share(
        "repeated_sequence",
        lambda counts: counts["repeated_sequence"],
        "belong to sessions that repeat their sequence numbers",
        0.001,
        0.05,
    ),
    reconciled,
    counted,
    windows,
    history,
    lake,
    gold,
    _of_lake("merged", merged),
    _of_lake("nulls", nulls),
    _of_lake("ranges", ranges),
    _of_lake("sequence", _sequence),
    _of_lake("refunds", _refunds),
    _of_lake("links", _links),
    _of_lake("dimensions", _dimensions),
)
