"""The burn-rate alarms, evaluated as CloudWatch does, on minutes of requests and failures."""

import re
from pathlib import Path

OBJECTIVES = Path(__file__).resolve().parents[2] / "infrastructure/modules/observability/objectives.tf"
BURN = re.compile(
    r"(\w+) = \{\s+means += \"[^\"]+\"\s+rate += ([\d.]+)\s+windows = \{ long = (\d+), short = (\d+) \}"
)
BUDGET = 1 - 0.999
REQUESTS = 1000


def ringing(failed: list[int], requests: int = REQUESTS) -> set[str]:
    """Return the alarms that ring at the end of a series of failures a minute, after three good days."""
    text = OBJECTIVES.read_text()
    (least,) = re.findall(r"least_total = (\d+)", text)
    series = [0] * 3 * 24 * 60 + failed

    def share(seconds: str) -> float:
        window = series[-int(seconds) // 60 :]
        total = requests * len(window)
        return sum(window) / total if total >= int(least) else 0

    return {
        name
        for name, rate, long, short in BURN.findall(text)
        if min(share(long), share(short)) > float(rate) * BUDGET
    }


def test_an_hour_of_two_percent_wakes_someone() -> None:
    assert "fast" in ringing([20] * 60)


def test_it_stops_ringing_when_it_is_over() -> None:
    assert "fast" not in ringing([20] * 60 + [0] * 5)


def test_a_minute_of_half_of_all_is_no_alarm() -> None:
    assert ringing([500]) == set()


def test_a_minute_of_all_rings_while_it_is_within_five_minutes() -> None:
    assert ringing([1000]) == {"fast"}


def test_one_percent_for_six_hours_is_slow() -> None:
    assert ringing([10] * 360) == {"slow"}


def test_a_small_leak_is_a_ticket() -> None:
    assert ringing([2] * 60 * 48) == {"ticket"}


def test_few_requests_are_not_judged() -> None:
    assert "fast" in ringing([20] * 5, requests=20)
    assert "fast" not in ringing([1] * 5, requests=1)
