"""Which values are unusual, against days of the same kind or the same hours of the weeks before."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import NamedTuple

HISTORY = 28
MIN_HISTORY = 14
THRESHOLD = 3.5
# Makes the median absolute deviation of a normal distribution its standard deviation.
SCALE = 1.4826
# Days that hardly differ have almost no deviation. A change below this share of the median matters to nobody.
LEAST_CHANGE = 0.1

# An hour is held against the same hour of so many weeks.
WEEKS, MIN_WEEKS = 6, 3
DAY, WEEK = 24, 168
# A week before the first of those hours, and of the one beside it, tells how large the game was then.
HOURS = (WEEKS + 1) * WEEK + 1
# Hours are 8,760 a year, so their band is wider. 0.3 is what a game's rhythm can move by summer time.
HOUR_THRESHOLD = 5
LEAST_HOUR_CHANGE = 0.3


class Band(NamedTuple):
    """What an hour usually has, and between what it lies."""

    low: float
    usual: float
    high: float


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A value outside its usual band, and for how many values on end it has been on that side."""

    value: float
    low: float
    high: float
    lasting: int


def detect(series: Sequence[float], minimum: float) -> Anomaly | None:
    """Judge the last value by up to 28 before it; oldest first, `minimum` in the unit of the series.

    None within the band, with fewer than 14 values before, or where both value and median are below
    the minimum.
    """
    *before, value = series
    history = before[-HISTORY:]
    if len(history) < MIN_HISTORY:
        return None
    middle = median(history)
    deviation = median(abs(one - middle) for one in history)
    width = max(THRESHOLD * SCALE * deviation, LEAST_CHANGE * abs(middle))
    if abs(value - middle) <= width or max(value, middle) < minimum:
        return None
    above = value > middle
    lasting = 0
    for one in reversed([*history, value]):
        if not (one > middle + width if above else one < middle - width):
            break
        lasting += 1
    return Anomaly(value, middle - width, middle + width, lasting)


def usual_hour(before: Sequence[float]) -> Band | None:
    """Return where the next hour usually lies; `before` are the hours before it, oldest first, none left out.

    An hour counts as a share of the game's size, which is the median of the 7 days before it. So growth does
    not move the shares, and neither does an outage or a spike of up to three days. The usual share is the
    median of the same hour of six weeks. The hours beside it belong to the band, because summer time moves
    the rhythm by one hour. The deviation is that of the same hour of all days. None with fewer than 4 weeks,
    or where the game was idle.
    """
    hours = before[-HOURS:]
    weeks = (len(hours) - 1) // WEEK - 1
    if weeks < MIN_WEEKS:
        return None
    sums = list(accumulate(hours, initial=0.0))
    last = len(hours)

    def size(hour: int) -> float:
        return median(sums[hour - day] - sums[hour - day - DAY] for day in range(0, WEEK, DAY))

    def share(hour: int) -> float | None:
        # Of the hour itself: the days before it, so that what it does not know yet is never looked at.
        return hours[hour] / found if (found := size(hour)) else None

    def usual(hour: int) -> float | None:
        found = [one for week in range(1, weeks + 1) if (one := share(hour - week * WEEK)) is not None]
        return median(found) if len(found) >= MIN_WEEKS else None

    now = size(last)
    beside = [one for hour in (last - 1, last, last + 1) if (one := usual(hour)) is not None]
    if not now or len(beside) < 3 or not min(beside):
        return None
    off = []
    for day in range(1, 8):
        if middle := usual(last - day * DAY + WEEK):
            same = (share(last - day * DAY - week * WEEK) for week in range(weeks))
            off += [abs(one / middle - 1) for one in same if one is not None]
    if not off:
        return None
    width = max(HOUR_THRESHOLD * SCALE * median(off), LEAST_HOUR_CHANGE)
    return Band(now * min(beside) * (1 - width), now * beside[1], now * max(beside) * (1 + width))
