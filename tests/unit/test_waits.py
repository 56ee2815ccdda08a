"""No test, and nothing that tests start, fails only because the machine is busy."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.progress import LONGEST_SECONDS, STILL_SECONDS

REPOSITORY = Path(__file__).parents[2]
# Benchmarks measure time, which is why `make test` does not run them.
FILES = [path for path in (REPOSITORY / "tests").rglob("*.py") if "benchmarks" not in path.parts]
FILES += [
    REPOSITORY / "scripts" / "tools" / f"{name}.py"
    for name in ("background", "emulator", "load", "metrics_api", "progress", "realtime", "simulate")
]
# Uses of the clock and short timeouts on which no test's result depends: the file, the code, and the reason.
HARMLESS = {
    ("tests/clients/test_first_event.py", "time.monotonic"): "the five minutes that a page promises",
    ("tests/integration/test_chaos_functions.py", "time.monotonic"): "how long events are sent at least",
    ("tests/unit/page/conftest.py", "timeout=10"): "the server's thread may outlive its test",
    (
        "tests/unit/test_progress.py",
        "time.monotonic",
    ): "waits are what it tests; it asserts the least time only",
    ("scripts/tools/background.py", "timeout=0"): "a question, not a wait",
    ("scripts/tools/emulator.py", "timeout=0"): "a question, not a wait",
    ("scripts/tools/load.py", "time.monotonic"): "the pace of sending, which is printed",
    ("scripts/tools/progress.py", "time.monotonic"): "the one place that waits",
    ("scripts/tools/simulate.py", "time.monotonic"): "how long players play on in real time",
}
CLOCKS = {"time.monotonic", "time.perf_counter", "time.monotonic_ns", "time.perf_counter_ns"}


def clocks_and_short_timeouts(source: str) -> Iterator[str]:
    """Yield what could fail by time alone: the clock of the wall, and a timeout below STILL_SECONDS."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCKS:
            yield ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"time.{name.name}" for name in node.names if f"time.{name.name}" in CLOCKS)
        if isinstance(node, ast.keyword) and node.arg == "timeout" and isinstance(node.value, ast.Constant):
            seconds = node.value.value
            if isinstance(seconds, int | float) and seconds < STILL_SECONDS:
                yield f"timeout={seconds}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_waits_follow_progress(path: Path) -> None:
    name = path.relative_to(REPOSITORY).as_posix()
    found = {(name, code) for code in clocks_and_short_timeouts(path.read_text())}
    assert found <= HARMLESS.keys(), (
        "wait with tools.progress.wait_for; measure CPU with measured_work.measured"
    )


@pytest.mark.parametrize(
    ("mistake", "code"),
    [
        ("deadline = time.monotonic() + 60", "time.monotonic"),
        ("from time import perf_counter", "time.perf_counter"),
        ("subprocess.run(['x'], timeout=60)", "timeout=60"),
        ("httpx.get(url, timeout=1.5)", "timeout=1.5"),
    ],
)
def test_a_wait_by_the_clock_is_found(mistake: str, code: str) -> None:
    assert list(clocks_and_short_timeouts(mistake)) == [code]


@pytest.mark.parametrize(
    "right",
    ["httpx.get(url, timeout=STILL_SECONDS)", "time.sleep(1)", "time.process_time()", "f(timeout=300)"],
)
def test_other_waits_are_not(right: str) -> None:
    assert list(clocks_and_short_timeouts(right)) == []


def test_the_limits_are_in_order(pytestconfig: pytest.Config) -> None:
    """A wait says why it failed; pytest's own limit, which cannot, comes last."""
    assert STILL_SECONDS < LONGEST_SECONDS < float(pytestconfig.getini("timeout"))
