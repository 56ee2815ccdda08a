"""Compute days of the lake's history again: one run of the batch a day, one at a time.

A run has the name of its day, so the same command goes on where another one stopped.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from rich.console import Console

from tools import CommandError, Parser, infrastructure, run

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_stepfunctions.client import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

MAX_DAYS = 366
POLL_SECONDS = 30
RUNBOOK, SET_ASIDE_RUNBOOK = "docs/runbooks/batch-analytics.md", "docs/runbooks/batch-analytics-set-aside.md"

console = Console()


@dataclass(frozen=True, slots=True)
class Backfill:
    """Runs of a state machine over whole UTC days of arrival."""

    client: "SFNClient"
    s3: "S3Client"
    state_machine_arn: str
    lake_bucket: str
    again: bool = False
    dry_run: bool = False
    pause: Callable[[float], None] = time.sleep

    def run(self, days: Sequence[date]) -> Iterator[tuple[date, str]]:
        """Bring each day into gold; yield it with what became of it.

        Raises CommandError where a run fails: later days are not started then.
        """
        for day in days:
            yield day, self._day(day)

    def _day(self, day: date) -> str:
        attempts = list(self._attempts(day))
        last = attempts[-1] if attempts else None
        if last and last["status"] == "SUCCEEDED" and not self.again:
            return f"done before{self._set_aside(last['name'])}"
        running = last if last and last["status"] == "RUNNING" else None
        if self.dry_run:
            return "runs already" if running else "would run"
        arn = running["executionArn"] if running else self._start(day, len(attempts) + 1)
        return f"done{self._set_aside(self._wait(day, arn))}"

    def _attempts(self, day: date) -> Iterator["DescribeExecutionOutputTypeDef"]:
        """Yield the runs of a day, the first one first; AWS knows them for 90 days."""
        number = 1
        while True:
            arn = f"{self.state_machine_arn.replace(':stateMachine:', ':execution:')}:{_name(day, number)}"
            try:
                yield self.client.describe_execution(executionArn=arn)
            except self.client.exceptions.ExecutionDoesNotExist:
                return
            number += 1

    def _start(self, day: date, number: int) -> str:
        name = _name(day, number)
        hours = {"from": f"{day}T00", "run_id": name, "to": f"{day + timedelta(1)}T00"}
        started = self.client.start_execution(
            stateMachineArn=self.state_machine_arn, name=name, input=json.dumps(hours)
        )
        return started["executionArn"]

    def _wait(self, day: date, arn: str) -> str:
        """Wait until a run has ended; return its name. Raises CommandError where it failed."""
        while (execution := self.client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            self.pause(POLL_SECONDS)
        if execution["status"] != "SUCCEEDED":
            raise CommandError(
                f"{day}: the run {execution['name']} ended as {execution['status']}"
                f" ({execution.get('cause', 'no cause given')}). No later day was started."
                f" See {RUNBOOK}, then run the same command again"
            )
        return execution["name"]

    def _set_aside(self, run_id: str) -> str:
        """Name the games whose gold a successful run did not publish, from the run's report in the lake."""
        key = f"batch/runs/{run_id}/publish.json"
        report = json.loads(self.s3.get_object(Bucket=self.lake_bucket, Key=key)["Body"].read())
        games = sorted(report["set_aside"])
        return f", but not for {', '.join(games)}: see {SET_ASIDE_RUNBOOK}" if games else ""


def _name(day: date, number: int) -> str:
    return f"backfill-{day}" + (f"-{number}" if number > 1 else "")


def days_between(first: date, last: date, today: date) -> list[date]:
    """Return the days from the first to the last. Raises CommandError for none, too many, or one not over."""
    if first > last:
        raise CommandError("--from is after --to")
    if last >= today:
        raise CommandError(f"{last} is not over (UTC): the scheduled run brings it into gold")
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    if len(days) > MAX_DAYS:
        raise CommandError(f"{len(days)} days are too many at once: {MAX_DAYS} are allowed")
    return days


def main() -> None:
    """Backfill what the command line names and tell what became of each day."""
    parser = Parser(
        prog="scripts/backfill",
        description=__doc__,
        examples=("scripts/backfill --environment prod --from 2026-01-30 --to 2026-01-31 --dry-run",),
        choices=("dev", "prod"),
    )
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--again", action="store_true", help="also the days that were backfilled before")
    parser.add_argument("--dry-run", action="store_true", help="tell what would run, start nothing")
    options = parser.parse_args()
    days = days_between(options.first, options.last, datetime.now(UTC).date())
    outputs = infrastructure.outputs(options.environment)
    arn = outputs.get("batch_state_machine_arn")
    if not arn:
        raise CommandError(f"{options.environment} has no batch runs of its own: scripts/batch runs the job")
    region = arn.split(":")[3]
    backfill = Backfill(
        boto3.client("stepfunctions", region_name=region), boto3.client("s3", region_name=region),
        arn, outputs["lake_bucket"], options.again, options.dry_run,
    )  # fmt: skip
    for day, outcome in backfill.run(days):
        console.print(f"{day}  {outcome}")


if __name__ == "__main__":
    run(main)
