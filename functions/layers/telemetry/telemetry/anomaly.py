"""Which values are unusual: a robust z-score against the days of the same kind before."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

HISTORY = 28
MIN_HISTORY = 14
THRESHOLD = 3.5
# Makes the median absolute deviation of a normal distribution its standard deviation.
SCALE = 1.4826
# Days that hardly differ have almost no deviation. A change below this share of the median matters to nobody.
LEAST_CHANGE = 0.1


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
