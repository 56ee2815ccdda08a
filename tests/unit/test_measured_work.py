"""Limits on speed hold the work's own CPU, neither waiting nor one slow try."""

import time
from collections.abc import Callable

import pytest
from measured_work import TRIES, measured


def compute(seconds: float) -> None:
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass


def test_waiting_costs_nothing() -> None:
    assert measured(lambda: time.sleep(0.2), 1)[1] < 0.1


def test_work_that_is_slow_in_each_try_is_slow() -> None:
    assert measured(lambda: compute(0.2), 0.1)[1] >= 0.2


@pytest.mark.parametrize("slow", range(1, TRIES))
def test_one_slow_try_is_not_counted(slow: int) -> None:
    costs = iter([0.2] * slow + [0.0] * TRIES)
    work: Callable[[], str] = lambda: compute(next(costs)) or "done"  # type: ignore[func-returns-value]  # noqa: E731
    result, seconds = measured(work, 0.1)
    assert (result, seconds < 0.1) == ("done", True)
