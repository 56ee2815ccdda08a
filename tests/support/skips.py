"""Under CI=true a test that is skipped is a test that failed: nobody reads what a green run left out."""

import os
from collections.abc import Generator
from typing import Any

import pytest

# Tests that may be skipped in CI too, by node id without parameters, each with its reason. None is known.
ALLOWED: dict[str, str] = {}
FAILURE = "skipped, which CI=true does not allow; install what is missing: .ci/prerequisites\n{}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Turn the report of a skipped test into a failure."""
    return _judge((yield), item.nodeid.partition("[")[0])


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Turn the report of a skipped module into a failure."""
    return _judge((yield), collector.nodeid)


def _judge(report: Any, name: str) -> Any:
    expected_to_fail = hasattr(report, "wasxfail")
    if os.environ.get("CI") == "true" and report.skipped and not expected_to_fail and name not in ALLOWED:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome, report.longrepr = "failed", FAILURE.format(reason)
    return report
