"""Lakes on an emulator with IAM enforced, their history computed by the Spark job in its own role."""

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import boto3
import duckdb
import pytest
from tools import REPOSITORY, batch, gold, infrastructure, jars, lake_tables
from tools.emulator import Emulator, free_port
from tools.engine import SPARK
from tools.progress import STILL_SECONDS

Event = dict[str, Any]
TABLES = REPOSITORY / "infrastructure" / "modules" / "lake_tables" / "tables"
ACCOUNT = "000000000000"
ROLE = "batch-analytics-job"
# Answers the module's inputs that no statement of the job's role names are fixed here.
# Little data: compiling, and planning anew after each stage, cost more than they save.
SMALL = {
    "spark_driver_memory": "2g",
    "spark_driver_extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    " -XX:ReservedCodeCacheSize=240m",
    "spark_sql_adaptive_enabled": "false",
    "spark_sql_codegen_factoryMode": "NO_CODEGEN",
    "spark_sql_codegen_wholeStage": "false",
    "spark_sql_shuffle_partitions": "2",
}
PLAN = """
mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}
run "role" {
  command = plan
}
"""


@dataclass(frozen=True)
class Lake:
    """A bucket and its tables: bronze by hour of arrival, and what the job makes of it."""

    bucket: str

    @property
    def database(self) -> str:
        """The Glue database, named as the platform names it."""
        return self.bucket.replace("-", "_")

    def steps(self, step: str, run: str, start: str = "", end: str = "") -> list[str]:
        """Return the arguments of a step of a run, or of `all`."""
        span = ["--from", start, "--to", end] if start else []
        return [step, "--lake", f"s3://{self.bucket}", "--database", self.database, "--run-id", run, *span]

    def create(self) -> None:
        """Make bucket, database and tables: plain ones, as the emulator's Glue has them, then Iceberg's."""
        boto3.client("s3").create_bucket(Bucket=self.bucket)
        boto3.client("glue").create_database(DatabaseInput={"Name": self.database})
        tables = {"events": json.loads((TABLES / "events.json").read_text())}
        for file in ("gold", "kept"):
            for name, table in json.loads((TABLES / f"{file}.json").read_text()).items():
                tables[name] = table["columns"]
        for name, columns in tables.items():
            self.declare(name, columns)
        assert sorted(lake_tables.create(self.database)) == sorted(tables)

    def declare(self, name: str, columns: list[dict[str, str]]) -> None:
        """Declare a table as Terraform does."""
        described = [
            {"Name": column["name"], "Type": column["type"], "Comment": column["comment"]}
            for column in columns
        ]
        below = "silver" if name == "events" else "kept" if name.startswith("kept_") else "gold"
        storage: Any = {"Columns": described, "Location": f"s3://{self.bucket}/{below}/{name}"}
        table: Any = {"Name": name, "StorageDescriptor": storage, "TableType": "EXTERNAL_TABLE"}
        boto3.client("glue").create_table(DatabaseName=self.database, TableInput=table)

    def arrive(self, hour: str, lines: Sequence[Event | str]) -> str:
        """Write lines that arrived in an hour, 2026-01-31T12; return the object's key."""
        day, _, number = hour.partition("T")
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        key = f"bronze/{day.replace('-', '/')}/{number}/{uuid4().hex}.ndjson.gz"
        boto3.client("s3").put_object(Bucket=self.bucket, Key=key, Body=gzip.compress(text.encode()))
        return key

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return the published rows of a table, read by PyIceberg, in one order."""
        return in_order(self.iceberg(name).scan().to_arrow().to_pylist())

    def iceberg(self, name: str) -> Any:
        """Return a table as PyIceberg sees it."""
        os.environ["LAKE_DATABASE"] = self.database
        return gold.iceberg(name)

    def report(self, run: str, name: str) -> dict[str, Any]:
        """Return what a step of a run says."""
        found = boto3.client("s3").get_object(Bucket=self.bucket, Key=f"batch/runs/{run}/{name}.json")
        report: dict[str, Any] = json.loads(found["Body"].read())
        return report


def rows(database: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query by column, in one order."""
    result = database.sql(sql)
    return in_order([dict(zip(result.columns, row, strict=True)) for row in result.fetchall()])


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows by column, in one order."""
    return sorted(({name: row[name] for name in sorted(row)} for row in found), key=str)


class JobRole:
    """The role of the job, with the policy that the Terraform module gives it, for each lake of a session."""

    def __init__(self, directory: Path) -> None:
        """Plan the module, and make the role."""
        plan = planned(directory)
        self._policy: str = plan["module.job_role.aws_iam_role_policy.this"]["policy"]
        states = json.loads(plan["aws_sfn_state_machine.this"]["definition"])["States"]
        # What the state machine hands to EMR Serverless: arguments and settings of Spark.
        self.submitted: dict[str, Any] = states["Job"]["Arguments"]["JobDriver"]["SparkSubmit"]
        self._iam = boto3.client("iam")
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.arn = self._iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def allow(self, lake: Lake) -> None:
        """Let the role do in a lake what it does in the platform's."""
        policy = self._policy.replace(":::lake", f":::{lake.bucket}").replace("demo_test", lake.database)
        self._iam.put_role_policy(RoleName=ROLE, PolicyName=lake.bucket, PolicyDocument=policy)

    def credentials(self) -> dict[str, str]:
        """Return the environment that makes a process act as the role."""
        found = boto3.client("sts").assume_role(RoleArn=self.arn, RoleSessionName="batch")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }


def planned(directory: Path) -> dict[str, Any]:
    """Return the resources of the module by their addresses, as it plans them for the bucket `lake`."""
    modules = shutil.copytree(
        infrastructure.INFRASTRUCTURE,
        directory / "infrastructure",
        ignore=shutil.ignore_patterns(".terraform"),
    )
    module = modules / "modules" / "batch_analytics"
    tests = module / "tests" / "module.tftest.hcl"
    given = tests.read_text().partition("variables {")[2].partition("\n}\n")[0]
    named = (json.loads((TABLES / f"{file}.json").read_text()) for file in ("gold", "kept"))
    tables = ["events", *(name for found in named for name in found)]
    given = given.replace("eu-west-1", "us-east-1").replace("111122223333", ACCOUNT)
    given = given.replace('["daily", "events"]', json.dumps(tables))
    tests.write_text(f"{PLAN}variables {{{given}\n}}\n")
    answer = ""
    for command in (
        ["init", "-backend=false", *infrastructure.init_arguments()],
        ["test", "-json", "-verbose"],
    ):
        ran = subprocess.run(
            ["terraform", *command], cwd=module, env={**os.environ, **infrastructure.environment()},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, (ran.stdout + ran.stderr)[-4000:]
        answer = ran.stdout
    (plan,) = [line["test_plan"] for line in map(json.loads, answer.splitlines()) if "test_plan" in line]
    return {change["address"]: change["change"]["after"] for change in plan["resource_changes"]}


class Spark:
    """A Spark session in its own process, which runs steps of the job in its role as long as it is open."""

    def __init__(self, directory: Path) -> None:
        """Start it; what it says goes to the log."""
        self.role = JobRole(directory)
        self._log = directory / "log"
        environment = batch.environment(os.environ["AWS_ENDPOINT_URL"], "lake", **SMALL)
        with self._log.open("w") as said:
            self._process = subprocess.Popen(
                [SPARK.python, Path(__file__).with_name("drive.py")],
                env={**os.environ, **environment, **self.role.credentials()},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True,
            )  # fmt: skip

    def lake(self, name: str) -> Lake:
        """Return a new lake that the job may use."""
        lake = Lake(f"lake-{name}")
        lake.create()
        self.role.allow(lake)
        return lake

    def drive(self, *requests: Any) -> list[Any]:
        """Carry out requests (see drive.py); return the answers."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._log.read_text()[-6000:]
        result: list[Any] = json.loads(line)
        return result

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of a statement."""
        (answer,) = self.drive({"sql": statement})
        assert isinstance(answer, list), answer
        found: list[dict[str, Any]] = answer
        return found

    @contextmanager
    def computing(self, *tables: str) -> Iterator[None]:
        """Compute these gold tables alone in the block, and those that the audit counts."""
        self.drive({"tables": [*dict.fromkeys([*AUDITED, *tables])]})
        yield
        self.drive({"tables": None})

    @contextmanager
    def saying(self) -> Iterator[list[str]]:
        """Yield a list that has, at the end of the block, the lines that the job printed in it."""
        lines: list[str] = []
        before = len(self._log.read_text())
        yield lines
        lines += self._log.read_text()[before:].splitlines()

    def close(self) -> None:
        """Let it end."""
        self._process.communicate(timeout=STILL_SECONDS)


@contextmanager
def started(directory: Path) -> Iterator[Spark]:
    """Start an emulator with IAM enforced, and Spark; skip where this machine cannot run it."""
    missing = SPARK.why_missing()
    if missing:
        pytest.skip(missing)
    try:
        jars.resolve(jars.ICEBERG)
    except jars.JarsMissing as error:
        pytest.skip(str(error))
    patch = pytest.MonkeyPatch()
    with Emulator(free_port(), directory / "emulator") as emulator, patch.context():
        for name, value in {**emulator.environment, "LAKE_DATABASE": "none yet"}.items():
            patch.setenv(name, value)
        (directory / "spark").mkdir()
        session = Spark(directory / "spark")
        try:
            yield session
        finally:
            session.close()


# Gold tables whose figures the audit compares with silver.
AUDITED = ("daily", "revenue", "ads", "design")
# What the schemas require of a payload beyond what a test is about.
REQUIRED: dict[str, Event] = {
    "crash": {"fatal": True, "signature": "s"},
    "economy": {"item": "i"},
    "purchase": {"product_id": "p", "quantity": 1},
    "session_heartbeat": {"elapsed_seconds": 60},
}


def event(number: int, event_type: str, day: str, player: str, **fields: Any) -> Event:
    """Build an enriched event on a day, at noon or the `time` given."""
    moment = f"{day}T{fields.pop('time', '12:00:00')}.000Z"
    made = {
        "event_id": str(UUID(int=number)), "event_type": event_type, "schema_version": "1-0-0",
        "game_id": "g", "player_id": player, "session_id": f"s-{player}-{day}", "sequence": 0,
        "event_time": moment, "sent_at": moment, "client": {"platform": "ios", "app_version": "1.0.0"},
        "payload": {}, "received_at": moment, "processed_at": moment, "corrected_time": moment,
        "event_date": day, "country": "DE", "platform": "ios", "app_version": "1.0.0",
        "ingest_source": "rest", "schema_id": f"/{event_type}/1-0-0.json",
        "late": False, "skewed": False, "bot": False, "masked": False, "verified": True,
    }  # fmt: skip
    made |= fields
    return made | {"payload": REQUIRED.get(event_type, {}) | made["payload"]}


def days_after(day: str, count: int) -> str:
    """Return the day so many days later."""
    return f"{datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=count):%Y-%m-%d}"
