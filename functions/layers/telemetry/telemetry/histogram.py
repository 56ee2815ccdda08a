"""Distributions as counts by bin: they add up over shards, minutes and devices, and give percentiles."""

import math
from collections.abc import Iterable, Mapping

# What a device measures, and the letter that its bins are counted under: an item is billed by its bytes.
MEASURES = {"fps": "f", "frame_time_ms": "t", "latency_ms": "l", "load_time_ms": "d"}
# Bins grow by 5 %: a percentile read from them is at most 2.5 % off.
GROWTH = 1.05
PERCENTS = (5, 50, 95, 99)


def bin_of(value: float) -> int:
    """Return the bin of a value: 0 holds all up to 1, bin n those up to 1.05ⁿ."""
    return max(0, math.ceil(math.log(max(value, 1.0)) / math.log(GROWTH)))


def percentiles(bins: Mapping[str, int]) -> dict[str, float] | None:
    """Return p5, p50, p95 and p99 of counts by bin; None where there is nothing."""
    ordered = sorted((int(number), count) for number, count in bins.items())
    total = sum(count for _, count in ordered)
    return {f"p{percent}": _value(ordered, percent / 100 * total) for percent in PERCENTS} if total else None


def _value(ordered: Iterable[tuple[int, int]], rank: float) -> float:
    """Return the middle of the bin in which the rank falls."""
    number = passed = 0
    for number, count in ordered:  # noqa: B007 - the last one counts
        passed += count
        if passed >= rank:
            break
    return round(GROWTH ** (number - 0.5), 1) if number else 0.0
