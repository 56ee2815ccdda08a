"""The batch job on this machine: Spark on the Iceberg tables of the emulator's Glue and S3."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from telemetry import lake

from tools import REPOSITORY, Arguments, CommandError, emulator, infrastructure, jars, lake_tables, run
from tools.engine import SPARK, EngineMissing

LOG = REPOSITORY / ".local" / "spark.log"
HOUR = "%Y-%m-%dT%H"
# Runs on this machine are short. The optimizing compiler, parallel garbage collection and many small tasks
# cost more CPU than they save.
LOCAL = {
    # With one level of compilation the JVM reserves 48 MB for code. A run fills them, and then nothing is
    # compiled any more.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    " -XX:ReservedCodeCacheSize=240m",
    "spark.driver.memory": "2g",
    "spark.log.level": "ERROR",
    "spark.master": "local[2]",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.sql.shuffle.partitions": "8",
    "spark.ui.enabled": "false",
}
# The settings of the job on AWS that hold here too.
SHARED = REPOSITORY / "infrastructure" / "modules" / "batch_analytics" / "spark.json"


def environment(endpoint: str, bucket: str, **more: str) -> dict[str, str]:
    """Return what the job's process needs besides its interpreter and AWS credentials.

    `more` are settings of Spark, with _ for the dots. Raises JarsMissing where its jars cannot be had.
    """
    python = str(SPARK.python)
    found = jars.resolve(jars.ICEBERG)
    settings = json.loads(SHARED.read_text()) | LOCAL | {
        "spark.driver.extraClassPath": ":".join(map(str, found)),
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.sql.catalog.lake.glue.endpoint": endpoint,
        "spark.sql.catalog.lake.http-client.type": "urlconnection",
        "spark.sql.catalog.lake.s3.endpoint": endpoint,
        "spark.sql.catalog.lake.s3.path-style-access": "true",
        "spark.sql.catalog.lake.warehouse": f"s3://{bucket}/",
    } | {name.replace("_", "."): value for name, value in more.items()}  # fmt: skip
    told = " ".join(f"--conf {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
    return {
        "PYTHONPATH": os.pathsep.join(
            str(REPOSITORY / part) for part in ("functions", "functions/layers/telemetry")
        ),
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": python,
        "PYSPARK_SUBMIT_ARGS": f"{told} pyspark-shell",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def compute(outputs: Mapping[str, Any], start: datetime, end: datetime, log: Path = LOG) -> None:
    """Run all steps over the hours [start, end) of the lake that AWS_ENDPOINT_URL has.

    Raises CommandError with the job's last words; all of them are in the log.
    """
    bucket, database = outputs["lake_bucket"], outputs["lake_database"]
    command = [
        str(SPARK.python), str(REPOSITORY / "functions" / "batch_analytics" / "main.py"),
        "all", "--lake", f"s3://{bucket}", "--database", database,
        "--run-id", f"local-{datetime.now(UTC):%Y%m%dT%H%M%S}",
        "--from", start.strftime(HOUR), "--to", end.strftime(HOUR),
    ]  # fmt: skip
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        job = {**os.environ, **environment(os.environ["AWS_ENDPOINT_URL"], bucket)}
        status = subprocess.run(command, env=job, stderr=errors, check=False).returncode
    if status:
        words = "\n".join(log.read_text().splitlines()[-20:])
        raise CommandError(f"the Spark job failed; the end of {log}:\n{words}")


def install() -> None:
    """Install PySpark and the jars it needs. Raises EngineMissing or JarsMissing."""
    SPARK.install()
    jars.resolve(jars.ICEBERG)


def hours(bucket: str) -> tuple[datetime, datetime]:
    """Return the first hour of arrival of a bucket's bronze, and the one after the last.

    Raises CommandError where it has none.
    """
    parts = sorted(key.split("/")[1:5] for key in lake.keys(boto3.client("s3"), bucket, "bronze/"))
    if not parts:
        raise CommandError(f"{bucket} has no bronze: play a game first (scripts/simulate)")
    first, last = (datetime(*map(int, found)) for found in (parts[0], parts[-1]))  # type: ignore[arg-type]
    return first, last + timedelta(hours=1)


def main() -> None:
    """Install what the job needs, or compute the history of what the emulator holds."""
    parser = Arguments(
        prog="scripts/batch",
        description=__doc__,
        examples=(
            "scripts/batch install",
            "scripts/batch run",
            "scripts/batch run --from 2026-01-30T00 --to 2026-01-31T00",
        ),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install", help="install PySpark into .venv-spark, and its jars")
    installing.add_argument("--optional", action="store_true", help="say what the machine lacks, and go on")
    commands.add_parser("tables", help="make the Iceberg tables that the emulator's catalogue lacks")
    running = commands.add_parser("run", help="compute silver and gold of the emulator's bronze")
    hour = lambda text: datetime.strptime(text, HOUR)  # noqa: E731
    running.add_argument(
        "--from", dest="start", type=hour, help="first hour of arrival, 2026-01-30T00 (default: the first)"
    )
    running.add_argument("--to", dest="end", type=hour, help="hour after the last (default: that)")
    options = parser.parse_args()
    outputs: dict[str, Any] = {}
    if options.command != "install":
        os.environ.update(emulator.local_environment())
        outputs = infrastructure.outputs("local")
        for table in lake_tables.create(outputs["lake_database"]):
            print(f"made {table}")
    if options.command != "tables":
        try:
            install()
        except (EngineMissing, jars.JarsMissing) as missing:
            if options.command != "install" or not options.optional:
                raise
            print(f"The lake's history is off: {missing}", file=sys.stderr)
            return
    if options.command == "run":
        first, last = hours(outputs["lake_bucket"])
        compute(outputs, options.start or first, options.end or last)


if __name__ == "__main__":
    run(main)
