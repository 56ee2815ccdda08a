"""The benchmark's events are valid, and none of its gold would be set aside."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import jsonschema
from telemetry import catalog
from tools import REPOSITORY

BENCHMARK = REPOSITORY / "tests" / "benchmarks" / "batch_scale.py"
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 3)


def test_the_benchmark_runs_and_judges_itself() -> None:
    path = ("functions", "functions/layers/telemetry", "scripts", "tests/support")
    ran = subprocess.run(
        [sys.executable, str(BENCHMARK), "--history", "40", "--day", "500", "--duckdb"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(REPOSITORY / part) for part in path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "| 40 days |" in ran.stdout


def test_its_payloads_are_valid(tmp_path: Path) -> None:
    given = {
        "new": 20,
        "players": 2000,
        "part": 0,
        "share": 1,
        "salt": 1,
        "arrived": "2026-01-04T00:30:00.000Z",
    }
    path = tmp_path / "events.json.gz"
    query = BENCHMARK.with_name("batch_events.sql").read_text()
    duckdb.execute(query.format(**given, begin=FIRST, first=FIRST, last=LAST, path=path))
    documents = catalog.documents()
    seen = Counter[str]()
    for line in gzip.decompress(path.read_bytes()).splitlines():
        event = json.loads(line)
        payload = {name: value for name, value in event["payload"].items() if value is not None}
        schema = catalog.resolved(documents[f"/{event['event_type']}/1-0-0.json"], documents)
        jsonschema.validate(payload, schema, jsonschema.Draft202012Validator)
        seen[event["event_type"]] += 1
    assert seen.keys() == {kind for kind, _ in catalog.event_types()} - {
        "error", "identify", "player_registered", "session_end",
    }  # fmt: skip
