"""The state machine of prod, walked by the emulator's engine; what it calls on AWS is played here."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from ministack.services import stepfunctions

ROLE = "arn:aws:iam::111122223333:role/steps"
JOB = "arn:aws:states:::emr-serverless:startJobRun"
ALERT = "arn:aws:states:::sns:publish"
LIST = "arn:aws:states:::aws-sdk:sfn:listExecutions"
HOUR = {"from": "2026-01-30T10", "run_id": "by-hand", "to": "2026-01-30T11"}


@dataclass
class Aws:
    """What the state machine did, and how the steps it names shall end."""

    failing: int = 0
    running: list[list[str]] = field(default_factory=lambda: [[]])
    jobs: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def run_job(self, _: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.jobs.append(arguments)
        if self.failing > 0:
            self.failing -= 1
            raise stepfunctions._ExecutionError("States.TaskFailed", "the job exited with 1")
        return {"JobRunId": "1"}

    def publish(self, _: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.alerts.append(arguments)
        return {"MessageId": "1"}

    def list_running(self, _: str, __: dict[str, Any]) -> dict[str, Any]:
        """Return the starts of what runs, the next answer each time; the last one stays."""
        starts = self.running.pop(0) if len(self.running) > 1 else self.running[0]
        return {"Executions": [{"Name": start, "StartDate": start} for start in starts]}


@dataclass(frozen=True)
class Machine:
    """The state machine in the emulator's engine."""

    arn: str

    def start(self, name: str, given: dict[str, str]) -> dict[str, Any]:
        """Return the execution once it has ended."""
        stepfunctions._start_execution(
            {"stateMachineArn": self.arn, "name": name, "input": json.dumps(given)}
        )
        return self.wait_for(name)

    def wait_for(self, name: str) -> dict[str, Any]:
        arn = f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"
        for _ in range(200):
            execution: dict[str, Any] = stepfunctions._executions[arn]
            if execution["status"] != "RUNNING":
                return execution
            time.sleep(0.05)
        raise AssertionError(f"{name} runs still")

    @property
    def executions(self) -> list[str]:
        return sorted(execution["name"] for execution in stepfunctions._executions.values())


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Aws:
    services = Aws()
    played = {JOB: services.run_job, ALERT: services.publish, LIST: services.list_running}
    for resource, answer in played.items():
        monkeypatch.setitem(stepfunctions._SERVICE_DISPATCH, resource, answer)
    monkeypatch.setattr(stepfunctions, "_SFN_WAIT_SCALE", 0)
    return services


@pytest.fixture
def machine(services: Aws, applied: Callable[[str], list[dict[str, Any]]]) -> Iterator[Machine]:
    (found,) = [r["values"] for r in applied("prod") if r["type"] == "aws_sfn_state_machine"]
    created = {"name": found["name"], "definition": found["definition"], "roleArn": ROLE}
    status, _, body = stepfunctions._create_state_machine(created)
    assert status == 200, body
    # The definition starts itself by the name it has in the mocked account.
    arn = json.loads(body)["stateMachineArn"]
    definition = found["definition"].replace(_own_arn(found["definition"]), arn)
    stepfunctions._state_machines[arn]["definition"] = definition
    yield Machine(arn)
    stepfunctions.reset()


def _own_arn(definition: str) -> str:
    arn: str = json.loads(definition)["States"]["Running"]["Arguments"]["StateMachineArn"]
    return arn


def test_a_run_is_one_job_with_its_hours(machine: Machine, services: Aws) -> None:
    assert machine.start(HOUR["run_id"], HOUR)["status"] == "SUCCEEDED"
    (job,) = services.jobs
    step, *rest = job["JobDriver"]["SparkSubmit"]["EntryPointArguments"]
    given = dict(zip(rest[::2], rest[1::2], strict=True))
    assert step == "all"
    assert {name: given[f"--{name.replace('_', '-')}"] for name in HOUR} == HOUR
    assert job["Name"] == HOUR["run_id"]
    assert not services.alerts


@pytest.mark.parametrize(
    ("fired", "first", "last"),
    [
        ("2026-01-30T02:10:00Z", "2026-01-29T01", "2026-01-30T01"),
        ("2026-03-01T02:10:00Z", "2026-02-28T01", "2026-03-01T01"),
        ("2027-01-01T02:10:59Z", "2026-12-31T01", "2027-01-01T01"),
    ],
)
def test_the_schedule_starts_a_run_of_the_day_that_is_over(
    machine: Machine, fired: str, first: str, last: str
) -> None:
    assert machine.start("fired", {"scheduled": fired})["status"] == "SUCCEEDED"
    name = f"hours-{first}--{last}"
    run = machine.wait_for(name)
    assert json.loads(run["input"]) == {"from": first, "run_id": name, "to": last}
    assert run["status"] == "SUCCEEDED"


def test_a_day_runs_once_though_the_schedule_fires_twice(machine: Machine, services: Aws) -> None:
    run = "hours-2026-01-29T01--2026-01-30T01"
    for name in ("fired", "again"):
        assert machine.start(name, {"scheduled": "2026-01-30T02:10:00Z"})["status"] == "SUCCEEDED"
        machine.wait_for(run)
    assert machine.executions == sorted(["fired", "again", run])
    assert len(services.jobs) == 1


def test_a_job_that_fails_twice_is_tried_again(machine: Machine, services: Aws) -> None:
    services.failing = 2
    assert machine.start("run", HOUR)["status"] == "SUCCEEDED"
    assert len(services.jobs) == 3
    assert not services.alerts


def test_a_job_that_fails_for_good_is_told(machine: Machine, services: Aws) -> None:
    services.failing = 3
    run = machine.start("run", HOUR)
    assert (run["status"], run["error"]) == ("FAILED", "BatchRunFailed")
    assert run["cause"] == "the job exited with 1"
    assert len(services.jobs) == 3
    (alert,) = services.alerts
    assert alert["Message"].startswith(f"The batch run {HOUR['run_id']} ({HOUR['from']} to")
    assert "docs/runbooks/batch-analytics.md" in alert["Message"]


def test_a_run_without_hours_fails_with_an_alert(machine: Machine, services: Aws) -> None:
    assert machine.start("run", {"run_id": "run"})["status"] == "FAILED"
    assert not services.jobs
    assert len(services.alerts) == 1


def test_a_run_waits_for_those_that_started_before(machine: Machine, services: Aws) -> None:
    before, after = "2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"
    services.running = [[after, before], [after, before], [after]]
    run = machine.start("run", HOUR)
    assert run["status"] == "SUCCEEDED"
    waits = [event for event in run["events"] if event["type"] == "WaitStateEntered"]
    assert len(waits) == 2
    assert len(services.jobs) == 1
