"""Notable changes, each checked by hand."""

import pytest
from telemetry.anomaly import SCALE, THRESHOLD, Anomaly, detect

# Median 100, median absolute deviation 2.
USUAL = [98.0, 102.0] * 14
BAND = THRESHOLD * SCALE * 2


@pytest.mark.parametrize("value", [100, 100 + BAND, 100 - BAND, 110, 90])
def test_values_within_the_band_are_not_notable(value: float) -> None:
    assert detect([*USUAL, value], minimum=50) is None


@pytest.mark.parametrize("value", [110.4, 89.6])
def test_values_outside_are_notable(value: float) -> None:
    assert detect([*USUAL, value], minimum=50) == Anomaly(value, 100 - BAND, 100 + BAND, 1)


@pytest.mark.parametrize(
    ("value", "notable"), [(101, False), (109.9, False), (90.1, False), (111, True), (89, True)]
)
def test_a_change_must_be_large_enough_to_matter(value: float, notable: bool) -> None:
    steady = [*[100.0] * 26, 98.0, 101.0]
    assert (detect([*steady, value], minimum=50) is not None) is notable


def test_a_change_tells_how_long_it_lasts() -> None:
    change = detect([*USUAL[:26], 150, 150, 150], minimum=50)
    assert change is not None
    assert change.lasting == 3


def test_the_other_side_of_the_band_ends_a_change() -> None:
    change = detect([*USUAL[:27], 50, 150], minimum=50)
    assert change is not None
    assert change.lasting == 1


def test_little_volume_is_never_notable() -> None:
    assert detect([1.0, 3.0] * 14 + [40], minimum=50) is None
    assert detect([1.0, 3.0] * 14 + [50], minimum=50) is not None


def test_a_fall_to_nothing_is_notable_by_its_median() -> None:
    assert detect([*USUAL, 0], minimum=50) is not None


def test_a_short_history_tells_nothing() -> None:
    assert detect([*USUAL[:13], 1000], minimum=50) is None
    assert detect([*USUAL[:14], 1000], minimum=50) is not None
