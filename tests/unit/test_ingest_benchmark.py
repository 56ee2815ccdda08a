"""The benchmark of the REST API sends what a client key may send, and counts quotas without AWS."""

import os
import subprocess
import sys

from tools import REPOSITORY

# In a process of its own: the benchmark sets the function's environment.
PROGRAM = """
import sys
import ingest_rest_api as benchmark
benchmark.EVENTS = int(sys.argv[1])
benchmark.stand_alone()
print({benchmark.quietly(body)["statusCode"] for body in benchmark.requests(int(sys.argv[2]))})
"""
FOLDERS = ("functions", "functions/layers/telemetry", "scripts", "tests/support", "tests/benchmarks")


def run(events: int, together: int) -> list[str]:
    """Return the lines that the benchmark's requests leave behind, the statuses last."""
    path = os.pathsep.join(str(REPOSITORY / folder) for folder in FOLDERS)
    command = [sys.executable, "-c", PROGRAM, str(events), str(together)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    answer = subprocess.run(
        command, env=environment | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def test_every_request_is_good_and_nothing_fails() -> None:
    *lines, statuses = run(6_000, 500)
    assert statuses == "{202}"
    assert not [line for line in lines if '"level":"ERROR"' in line]


def test_a_request_that_is_too_much_is_noticed() -> None:
    assert run(501, 501)[-1] == "{413}"
