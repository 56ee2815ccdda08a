"""The job starts from what EMR Serverless gets: its zip and its entry, and nothing of the repository."""

import subprocess
from pathlib import Path

import pytest
from tools import build
from tools.engine import SPARK


def test_the_job_needs_nothing_but_its_package(tmp_path: Path) -> None:
    if missing := SPARK.why_missing():
        pytest.skip(missing)
    (built,) = [one for one in build.build("local") if one.path.name == "batch_analytics.zip"]
    entry = built.path.with_suffix(".main.py")
    answer = subprocess.run(
        [SPARK.python, entry, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(built.path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert "--database" in answer.stdout
