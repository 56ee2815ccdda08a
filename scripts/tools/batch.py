"""The Spark job on this machine: its own environment, and a lake in a directory."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import boto3

from tools import REPOSITORY, CommandError, emulator, lake, run, terraform

ENVIRONMENT = REPOSITORY / ".venv-spark"
REQUIREMENTS = REPOSITORY / "requirements-spark.txt"
DIRECTORY = REPOSITORY / ".local" / "lake"
# Those that PySpark 3.5 knows.
JAVA = (8, 11, 17)
LOCAL = (
    "--master local[2] --driver-memory 2g --conf spark.sql.shuffle.partitions=4 --conf spark.ui.enabled=false"
)


class SparkMissing(CommandError):
    """This machine lacks what Spark needs; the message says what."""


def install() -> None:
    """Install PySpark where it is not yet. Raises SparkMissing."""
    _require()
    installed = ENVIRONMENT / ".installed"
    if not installed.exists() or installed.stat().st_mtime < REQUIREMENTS.stat().st_mtime:
        command = [str(REPOSITORY / "scripts" / "_venv"), ENVIRONMENT.name, REQUIREMENTS.name]
        environment = {**os.environ, "PYTHON": "python3.11"}
        if subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode:
            raise SparkMissing("PySpark could not be installed; the lines above say why.")


def why_missing() -> str | None:
    """Return what this machine lacks to run the job, or None."""
    try:
        _require()
    except SparkMissing as missing:
        return str(missing)
    return (
        None if (ENVIRONMENT / ".installed").exists() else "PySpark is not installed: scripts/batch install"
    )


def environment() -> dict[str, str]:
    """Return what the job's process needs besides its interpreter."""
    python = str(ENVIRONMENT / "bin" / "python")
    return {
        "PYTHONPATH": str(REPOSITORY / "functions"),
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": python,
        "PYSPARK_SUBMIT_ARGS": f"{LOCAL} pyspark-shell",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def compute(directory: Path, start: str, end: str, run_id: str) -> None:
    """Run all steps over the lake in a directory. Raises CommandError with the job's words."""
    command = [
        str(ENVIRONMENT / "bin" / "python"), str(REPOSITORY / "functions" / "batch_analytics" / "main.py"),
        "all", "--lake", directory.absolute().as_uri(), "--format", "parquet", "--run-id", run_id,
        "--from", start, "--to", end,
    ]  # fmt: skip
    if subprocess.run(command, env={**os.environ, **environment()}, check=False).returncode:
        raise CommandError("the Spark job failed; the lines above say why")


def fetch(directory: Path) -> int:
    """Copy the emulator's bronze into a directory; return the number of new objects."""
    s3, bucket = boto3.client("s3"), terraform.outputs(terraform.root("local"))["lake_bucket"]
    count = 0
    for key in lake.keys(s3, bucket, "bronze/"):
        target = directory / key
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, key, str(target))
            count += 1
    return count


def _require() -> None:
    """Raise SparkMissing where Java or Python do not fit."""
    if not shutil.which("java"):
        raise SparkMissing(f"Spark needs Java {JAVA[-1]} and there is no java on PATH.")
    answer = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    if not version or int(version[1]) not in JAVA:
        raise SparkMissing(f"Spark 3.5 needs Java {JAVA[-1]}; PATH has {answer.stderr.splitlines()[0]}.")
    if not shutil.which("python3.11"):
        raise SparkMissing("PySpark 3.5 runs on Python 3.11, and there is no python3.11 on PATH.")


def main() -> None:
    """Install what the job needs, or compute the history of what the emulator holds."""
    parser = argparse.ArgumentParser(prog="scripts/batch", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install", help="install PySpark into .venv-spark")
    installing.add_argument("--optional", action="store_true", help="say what the machine lacks, and go on")
    running = commands.add_parser("run", help="compute silver and gold of the emulator's bronze")
    running.add_argument("--from", dest="start", required=True, help="first hour of arrival, 2026-01-30T00")
    running.add_argument("--to", dest="end", required=True, help="hour after the last")
    running.add_argument(
        "--lake", type=Path, default=DIRECTORY, help="directory of the lake (default: .local/lake)"
    )
    options = parser.parse_args()
    try:
        install()
    except SparkMissing as missing:
        if options.command != "install" or not options.optional:
            raise
        print(f"The lake's history is off: {missing}", file=sys.stderr)
        return
    if options.command == "run":
        os.environ.update(emulator.local_environment())
        print(f"{fetch(options.lake)} new objects of bronze in {options.lake}")
        compute(
            options.lake, options.start, options.end, f"local-{options.start}-{options.end}".replace(":", "")
        )


if __name__ == "__main__":
    run(main)
