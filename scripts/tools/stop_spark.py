"""Stop the application of the batch runs, which EMR Serverless changes and deletes only while it rests.

It starts by itself with the next run. `terraform show -json PLAN | scripts/stop-spark --plan -` stops it only
where the plan changes or destroys it.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tools import Arguments, CommandError, infrastructure, plan_summary, run

RESOURCE = "aws_emrserverless_application"
RESTING = ("CREATED", "STOPPED", "TERMINATED")
UNDER_WAY = ["SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING", "CANCELLING"]
PAUSE_SECONDS = 10.0
# A batch run may be waited for; to come to rest takes EMR Serverless minutes at most.
WAIT_SECONDS, REST_SECONDS = 1800.0, 300.0
RUNBOOK = "docs/runbooks/batch-analytics.md"


@dataclass(frozen=True, slots=True)
class Application:
    """An application of EMR Serverless."""

    id: str
    region: str


def of_plan(plan: dict[str, Any]) -> list[Application]:
    """Return the applications that a plan changes, replaces or destroys."""
    return [
        Application(change["change"]["before"]["id"], change["change"]["before"]["arn"].split(":")[3])
        for change in plan.get("resource_changes", [])
        if change["type"] == RESOURCE and {"update", "delete"} & set(change["change"]["actions"])
    ]


def of_environment(environment: str) -> list[Application]:
    """Return the application of an applied environment. Raises CommandError where nothing is applied."""
    state_machine = infrastructure.outputs(environment).get("batch_state_machine_arn")
    if not state_machine:
        return []
    *_, region, _, _, name = state_machine.split(":")
    pages = client(region).get_paginator("list_applications").paginate()
    return [
        Application(found["id"], region)
        for page in pages
        for found in page["applications"]
        if found["name"] == name and found["state"] != "TERMINATED"
    ]


def client(region: str) -> Any:
    """Return a client of EMR Serverless."""
    return boto3.client("emr-serverless", region_name=region)


def stop(emr: Any, application_id: str, seconds: float, pause: Callable[[float], None] = time.sleep) -> None:
    """Stop an application once its jobs are over, and wait until it rests.

    Raises CommandError where jobs still run after so many seconds, or the application does not come to rest.
    """
    until = time.monotonic() + seconds
    while True:
        state = emr.get_application(applicationId=application_id)["application"]["state"]
        if state in RESTING:
            return
        jobs = emr.list_job_runs(applicationId=application_id, states=UNDER_WAY)["jobRuns"]
        if time.monotonic() >= until + (0 if jobs else REST_SECONDS):
            raise CommandError(
                f"the application {application_id} is {state} and has {len(jobs)} jobs under way. Wait for"
                f" the batch run, or stop its execution ({RUNBOOK}), then run the same command again"
            )
        if state == "STARTED" and not jobs:
            _ask_to_stop(emr, application_id)
        pause(PAUSE_SECONDS)


def before(environment: str, *, destroys: bool) -> None:
    """Stop an environment's application before Terraform changes it.

    Destroying waits for a batch run and raises CommandError as `stop` does; any other apply may not touch the
    application, so that it only says what is in the way.
    """
    try:
        applications = of_environment(environment)
    except CommandError:
        # Nothing is applied yet.
        return
    except (BotoCoreError, ClientError) as error:
        print(f"The Spark application was not looked for: {error}", file=sys.stderr)
        return
    try:
        for application in applications:
            stop(client(application.region), application.id, WAIT_SECONDS if destroys else 0)
    except (BotoCoreError, ClientError, CommandError) as error:
        if destroys and isinstance(error, CommandError):
            raise
        print(f"The Spark application was not stopped: {error}", file=sys.stderr)


def _ask_to_stop(emr: Any, application_id: str) -> None:
    try:
        emr.stop_application(applicationId=application_id)
    except emr.exceptions.ValidationException:
        # A job came in between: it is waited for.
        return


def main() -> None:
    """Stop what the command line names."""
    parser = Arguments(
        prog="scripts/stop-spark",
        description=__doc__,
        examples=(
            "scripts/stop-spark --environment prod",
            "terraform show -json plan | scripts/stop-spark --plan -",
        ),
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--environment", help="dev or prod")
    which.add_argument(
        "--plan", type=Path, help="JSON of a plan, as `terraform show -json` writes it; - for standard input"
    )
    parser.add_argument(
        "--wait-minutes", type=float, default=WAIT_SECONDS / 60, help="how long to wait for a batch run"
    )
    options = parser.parse_args()
    if options.plan:
        applications = of_plan(plan_summary.read(options.plan))
    else:
        applications = of_environment(options.environment)
    for application in applications:
        stop(client(application.region), application.id, 60 * options.wait_minutes)
        print(f"The application {application.id} is stopped")
    if not applications:
        print("There is no application to stop")


if __name__ == "__main__":
    run(main)
