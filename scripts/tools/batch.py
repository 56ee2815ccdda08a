"""The Spark job on this machine: its own environment, and a lake in a directory."""

import argparse
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
from telemetry import lake

from tools import REPOSITORY, CommandError, emulator, run, terraform
from tools.engine import SPARK, EngineMissing

DIRECTORY = REPOSITORY / ".local" / "lake"
HOUR = "%Y-%m-%dT%H"
LOCAL = (
    "--master local[2] --driver-memory 2g --conf spark.sql.shuffle.partitions=32"
    " --conf spark.sql.adaptive.coalescePartitions.parallelismFirst=false"
    " --conf spark.sql.inMemoryColumnarStorage.compressed=false --conf spark.rdd.compress=true"
    " --conf spark.driver.extraJavaOptions=-XX:+UseParallelGC"
    " --conf spark.ui.enabled=false --conf spark.log.level=ERROR"
)


def environment() -> dict[str, str]:
    """Return what the job's process needs besides its interpreter."""
    python = str(SPARK.python)
    return {
        "PYTHONPATH": str(REPOSITORY / "functions"),
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": python,
        "PYSPARK_SUBMIT_ARGS": f"{LOCAL} pyspark-shell",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def compute(directory: Path, start: datetime, end: datetime) -> None:
    """Run all steps over the hours [start, end) of a lake in a directory.

    Raises CommandError with the job's last words; all of them are in spark.log beside the lake.
    """
    log = directory.with_name("spark.log")
    command = [
        str(SPARK.python), str(REPOSITORY / "functions" / "batch_analytics" / "main.py"),
        "all", "--lake", directory.absolute().as_uri(), "--format", "parquet",
        "--run-id", f"local-{datetime.now(UTC):%Y%m%dT%H%M%S}",
        "--from", start.strftime(HOUR), "--to", end.strftime(HOUR),
    ]  # fmt: skip
    with log.open("wb") as errors:
        job = {**os.environ, **environment()}
        status = subprocess.run(command, env=job, stderr=errors, check=False).returncode
    if status:
        words = "\n".join(log.read_text().splitlines()[-20:])
        raise CommandError(f"the Spark job failed; the end of {log}:\n{words}")


def hours(directory: Path) -> tuple[datetime, datetime]:
    """Return the first hour of arrival of a lake's bronze, and the one after the last.

    Raises CommandError where it has none.
    """
    parts = sorted(path.parts[-4:] for path in (directory / "bronze").glob("*/*/*/*"))
    if not parts:
        raise CommandError(f"{directory} has no bronze: play a game first (scripts/simulate)")
    first, last = (datetime(*map(int, found)) for found in (parts[0], parts[-1]))  # type: ignore[arg-type]
    return first, last + timedelta(hours=1)


def fetch(directory: Path, bucket: str) -> int:
    """Copy a bucket's bronze into a directory; return the number of new objects."""
    s3, count = boto3.client("s3"), 0
    for key in lake.keys(s3, bucket, "bronze/"):
        target = directory / key
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, key, str(target))
            count += 1
    return count


def main() -> None:
    """Install what the job needs, or compute the history of what the emulator holds."""
    parser = argparse.ArgumentParser(prog="scripts/batch", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install", help="install PySpark into .venv-spark")
    installing.add_argument("--optional", action="store_true", help="say what the machine lacks, and go on")
    running = commands.add_parser("run", help="compute silver and gold of the emulator's bronze")
    hour = lambda text: datetime.strptime(text, HOUR)  # noqa: E731
    running.add_argument(
        "--from", dest="start", type=hour, help="first hour of arrival, 2026-01-30T00 (default: the first)"
    )
    running.add_argument("--to", dest="end", type=hour, help="hour after the last (default: that)")
    running.add_argument(
        "--lake", type=Path, default=DIRECTORY, help="directory of the lake (default: .local/lake)"
    )
    options = parser.parse_args()
    try:
        SPARK.install()
    except EngineMissing as missing:
        if options.command != "install" or not options.optional:
            raise
        print(f"The lake's history is off: {missing}", file=sys.stderr)
        return
    if options.command == "run":
        os.environ.update(emulator.local_environment())
        bucket = terraform.outputs(terraform.root("local"))["lake_bucket"]
        print(f"{fetch(options.lake, bucket)} new objects of bronze in {options.lake}")
        first, last = hours(options.lake)
        compute(options.lake, options.start or first, options.end or last)
        print(f"GOLD_DIRECTORY={options.lake}/gold")


if __name__ == "__main__":
    run(main)
