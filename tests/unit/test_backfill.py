"""A backfill runs its days in order, one at a time, and goes on where it stopped."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import boto3
import pytest
from moto.stepfunctions.models import stepfunctions_backends
from tools import CommandError
from tools.backfill import MAX_DAYS, Backfill, days_between

DEFINITION = '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'
LAKE = "lake"
DAYS = [date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1)]


@dataclass
class Runs:
    """Runs in moto, which leaves them running: a pause ends those there are, as the test says."""

    client: Any
    arn: str
    failing: set[str] = field(default_factory=set)
    set_aside: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    at_once: int = 0

    def backfill(self, **options: bool) -> Backfill:
        return Backfill(self.client, boto3.client("s3"), self.arn, LAKE, pause=self.end, **options)

    def end(self, _: float = 0) -> None:
        running = [execution for execution in self._executions() if execution.status == "RUNNING"]
        self.at_once = max(self.at_once, len(running))
        for execution in running:
            execution.status = "FAILED" if execution.name in self.failing else "SUCCEEDED"
            report = {"published": ["good"], "set_aside": self.set_aside.get(execution.name, {})}
            key = f"batch/runs/{execution.name}/publish.json"
            boto3.client("s3").put_object(Bucket=LAKE, Key=key, Body=json.dumps(report))

    @property
    def inputs(self) -> dict[str, Any]:
        return {execution.name: json.loads(execution.execution_input) for execution in self._executions()}

    def _executions(self) -> list[Any]:
        (machine,) = stepfunctions_backends["123456789012"]["us-east-1"].state_machines
        return list(machine.executions)


@pytest.fixture
def runs(aws: None) -> Runs:
    boto3.client("s3").create_bucket(Bucket=LAKE)
    client = boto3.client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/steps"
    machine = client.create_state_machine(name="batch", definition=DEFINITION, roleArn=role)
    return Runs(client, machine["stateMachineArn"])


def test_each_day_is_a_run_of_its_24_hours_one_after_the_other(runs: Runs) -> None:
    assert list(runs.backfill().run(DAYS)) == [(day, "done") for day in DAYS]
    assert runs.inputs == {
        "backfill-2026-01-30": {
            "from": "2026-01-30T00",
            "run_id": "backfill-2026-01-30",
            "to": "2026-01-31T00",
        },
        "backfill-2026-01-31": {
            "from": "2026-01-31T00",
            "run_id": "backfill-2026-01-31",
            "to": "2026-02-01T00",
        },
        "backfill-2026-02-01": {
            "from": "2026-02-01T00",
            "run_id": "backfill-2026-02-01",
            "to": "2026-02-02T00",
        },
    }
    assert runs.at_once == 1


def test_a_failed_day_stops_it_and_the_next_command_goes_on_there(runs: Runs) -> None:
    runs.failing = {"backfill-2026-01-31"}
    with pytest.raises(CommandError, match=r"2026-01-31: the run backfill-2026-01-31 ended as FAILED"):
        list(runs.backfill().run(DAYS))
    assert list(runs.inputs) == ["backfill-2026-01-30", "backfill-2026-01-31"]
    outcomes = [outcome for _, outcome in runs.backfill().run(DAYS)]
    assert outcomes == ["done before", "done", "done"]
    assert runs.inputs["backfill-2026-01-31-2"]["run_id"] == "backfill-2026-01-31-2"


def test_a_run_under_way_is_waited_for_not_started_again(runs: Runs) -> None:
    runs.client.start_execution(stateMachineArn=runs.arn, name="backfill-2026-01-30", input="{}")
    assert list(runs.backfill(dry_run=True).run(DAYS[:1])) == [(DAYS[0], "runs already")]
    assert list(runs.backfill().run(DAYS[:1])) == [(DAYS[0], "done")]
    assert list(runs.inputs) == ["backfill-2026-01-30"]


def test_a_day_done_before_runs_again_only_on_demand(runs: Runs) -> None:
    list(runs.backfill().run(DAYS[:1]))
    assert list(runs.backfill().run(DAYS[:1])) == [(DAYS[0], "done before")]
    assert list(runs.backfill(again=True).run(DAYS[:1])) == [(DAYS[0], "done")]
    assert list(runs.inputs) == ["backfill-2026-01-30", "backfill-2026-01-30-2"]


def test_a_game_that_was_set_aside_is_named_each_time(runs: Runs) -> None:
    runs.set_aside = {"backfill-2026-01-30": {"bad": ["daily: 1 rows"], "worse": []}}
    said = ", but not for bad, worse: see docs/runbooks/batch-analytics-set-aside.md"
    assert list(runs.backfill().run(DAYS[:2])) == [(DAYS[0], f"done{said}"), (DAYS[1], "done")]
    assert list(runs.backfill().run(DAYS[:1])) == [(DAYS[0], f"done before{said}")]


def test_a_dry_run_starts_nothing(runs: Runs) -> None:
    assert [outcome for _, outcome in runs.backfill(dry_run=True).run(DAYS)] == ["would run"] * 3
    assert runs.inputs == {}


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (date(2026, 2, 1), date(2026, 1, 30), "--from is after --to"),
        (date(2026, 1, 30), date(2026, 2, 10), "2026-02-10 is not over"),
        (date(2024, 1, 1), date(2026, 2, 9), f"{MAX_DAYS} are allowed"),
    ],
)
def test_days_that_cannot_be_backfilled_are_refused(first: date, last: date, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        days_between(first, last, today=date(2026, 2, 10))


def test_both_ends_are_backfilled() -> None:
    assert days_between(DAYS[0], DAYS[-1], today=date(2026, 2, 2)) == DAYS
