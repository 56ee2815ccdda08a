"""The benchmark's own game gives every gold table rows, so that its figures are of the whole job."""

import os
import subprocess
import sys

from tools import REPOSITORY


def test_the_benchmark_runs_and_judges_itself() -> None:
    path = ("functions", "functions/layers/telemetry", "scripts", "tests/support")
    benchmark = REPOSITORY / "tests" / "benchmarks" / "batch_scale.py"
    ran = subprocess.run(
        [sys.executable, str(benchmark), "--history", "40", "--day", "500", "--duckdb"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(REPOSITORY / part) for part in path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "| 40 days |" in ran.stdout
