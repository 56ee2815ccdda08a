"""What a cold start of each function spends on imports, and what it has to unpack.

Imports each handler from its package and the layer's, unpacked, in a new CPython 3.13: with the bytecode that
packages bring, and without it. boto3, which the runtime brings, is imported first and measured by itself. CPU
time: a start has a core to itself. Lambda adds its own start.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from zipfile import ZipFile

import lambda_runtime
from lambda_packages import LAYER, built_functions
from measured import REPEATS, keep, spread
from rich.console import Console
from rich.table import Table

HANDLERS = (
    "authorizer", "ingest", "processor", "player_state", "leaderboards", "realtime_windows", "metrics_api",
)  # fmt: skip
CODE = """
import time; start = time.process_time(); import boto3; between = time.process_time(); import {}.handler
print(between - start, time.process_time() - between)
"""
NAMES = {
    "POWERTOOLS_METRICS_NAMESPACE": "benchmarks",
    "POWERTOOLS_SERVICE_NAME": "benchmarks",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def import_ms(name: str, unpacked: Path, python: Path) -> tuple[float, float]:
    """Return the CPU milliseconds of importing boto3, and then a handler."""
    path = os.pathsep.join(map(str, (unpacked / name, unpacked / LAYER / "python")))
    run = [python, "-B", "-c", CODE.format(name)]
    answer = subprocess.run(
        run, env={**os.environ, **NAMES, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    boto3, own = answer.stdout.split()
    return 1000 * float(boto3), 1000 * float(own)


def main() -> None:
    """Print the table of docs/performance.md."""
    python = lambda_runtime.install()
    archives = {built.path.stem: built.path for built in built_functions("here")}
    table = Table("Function", "boto3, ms", "Without bytecode, ms", "All else, ms", "Package, MB")
    results = {}
    with tempfile.TemporaryDirectory() as directory:
        shipped, plain = Path(directory, "shipped"), Path(directory, "plain")
        for name in (*HANDLERS, LAYER):
            ZipFile(archives[name]).extractall(shipped / name)
        shutil.copytree(shipped, plain, ignore=shutil.ignore_patterns("__pycache__"))
        for name in HANDLERS:
            runs = [
                (*import_ms(name, shipped, python), import_ms(name, plain, python)[1]) for _ in range(REPEATS)
            ]
            boto3, own, compiling = (spread(part) for part in zip(*runs, strict=True))
            results[name] = {"boto3": boto3, "own": own, "without_bytecode": compiling}
            size = f"{archives[name].stat().st_size / 1e6:.2f}"
            table.add_row(name, boto3.text(), compiling.text(), own.text(), size)
    table.add_row("the layer", "", "", "", f"{archives[LAYER].stat().st_size / 1e6:.2f}")
    keep("cold_start", results)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
