"""Notable changes, each checked by hand."""

import pytest
from made_hours import GAMES, Game
from telemetry.anomaly import HOURS, SCALE, THRESHOLD, Anomaly, detect, usual_hour

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


def outside(game: Game, until: int, change: float = 1) -> list[int]:
    """Return which hours of a healthy game, each changed by a factor alone, are outside their band."""
    hours = list(game.hours(1, until))
    found = []
    for hour in range(HOURS, until):
        band = usual_hour(hours[hour - HOURS : hour])
        assert band is not None
        if not band.low <= hours[hour] * change <= band.high:
            found.append(hour)
    return found


def test_a_week_that_grows_has_hardly_an_unusual_hour_and_no_drop_is_missed() -> None:
    growing = GAMES["large, growing"]
    judged = 4 * 168
    assert len(outside(growing, HOURS + judged)) <= 1
    assert len(outside(growing, HOURS + judged, 0.25)) >= 0.95 * judged
    assert len(outside(growing, HOURS + judged, 3)) >= 0.95 * judged


def test_an_outage_does_not_make_the_hours_after_it_unusual() -> None:
    hours = list(Game(3000).hours(2, HOURS + 60))
    broken = [*hours[:HOURS], *[0] * 40, *hours[HOURS + 40 :]]
    for hour in range(HOURS + 41, HOURS + 60):
        band = usual_hour(broken[:hour])
        assert band is not None
        assert band.low <= broken[hour] <= band.high


def test_what_no_week_tells_is_unknown() -> None:
    hours = list(Game(3000).hours(3, HOURS))
    assert usual_hour(hours[: 4 * 168]) is None
    assert usual_hour(hours[: 4 * 168 + 1]) is not None
    assert usual_hour([0] * HOURS) is None
    assert usual_hour([]) is None
