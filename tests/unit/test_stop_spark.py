"""EMR Serverless changes and deletes an application only while it rests: it is stopped before."""

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from tools import CommandError, infrastructure, stop_spark, terraform

ARN = "arn:aws:emr-serverless:eu-west-1:111122223333:/applications/00f1"


def change(*actions: str, kind: str = "aws_emrserverless_application") -> dict[str, Any]:
    return {"type": kind, "change": {"actions": list(actions), "before": {"arn": ARN, "id": "00f1"}}}


@pytest.mark.parametrize(
    ("found", "stopped"),
    [
        (change("update"), True),
        (change("delete"), True),
        (change("delete", "create"), True),
        (change("no-op"), False),
        (change("create") | {"change": {"actions": ["create"], "before": None}}, False),
        (change("update", kind="aws_sfn_state_machine"), False),
    ],
)
def test_a_plan_stops_the_application_that_it_changes(found: dict[str, Any], stopped: bool) -> None:
    expected = [stop_spark.Application("00f1", "eu-west-1")] if stopped else []
    assert stop_spark.of_plan({"resource_changes": [found]}) == expected


class Emr:
    """EMR Serverless with one application: `jobs` tells how many run, from one question to the next."""

    class exceptions:  # noqa: N801 - as botocore names it
        class ValidationException(Exception):
            """Jobs still run."""

    def __init__(self, state: str, jobs: list[int], *, hidden_job: bool = False) -> None:
        self.state, self.jobs, self.hidden_job = state, jobs, hidden_job

    def get_application(self, **_: str) -> dict[str, Any]:
        state, self.state = self.state, {"STOPPING": "STOPPED"}.get(self.state, self.state)
        return {"application": {"state": state}}

    def list_job_runs(self, **_: Any) -> dict[str, Any]:
        return {"jobRuns": [{}] * (self.jobs.pop(0) if len(self.jobs) > 1 else self.jobs[0])}

    def stop_application(self, **_: str) -> None:
        if self.hidden_job:
            self.hidden_job = False
            raise self.exceptions.ValidationException
        assert self.state == "STARTED"
        self.state = "STOPPING"


@pytest.mark.parametrize(
    ("emr", "end"),
    [
        (Emr("STARTED", [0]), "STOPPED"),
        (Emr("STARTED", [2, 1, 0]), "STOPPED"),
        (Emr("STARTED", [0], hidden_job=True), "STOPPED"),
        (Emr("STOPPED", [0]), "STOPPED"),
        (Emr("CREATED", [0]), "CREATED"),
    ],
)
def test_it_is_stopped_once_its_jobs_are_over(emr: Emr, end: str) -> None:
    stop_spark.stop(emr, "00f1", 60, pause=lambda _: None)
    assert emr.state == end


def test_a_run_that_goes_on_is_not_stopped() -> None:
    emr = Emr("STARTED", [1])
    with pytest.raises(CommandError, match="1 jobs under way"):
        stop_spark.stop(emr, "00f1", 0, pause=lambda _: None)
    assert emr.state == "STARTED"


def test_one_that_never_rests_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_spark, "REST_SECONDS", 0)
    with pytest.raises(CommandError, match="STARTING and has 0 jobs"):
        stop_spark.stop(Emr("STARTING", [0]), "00f1", 0, pause=lambda _: None)


@pytest.mark.parametrize(
    ("arguments", "destroys"),
    [
        (["apply"], False),
        (["apply", "-auto-approve"], False),
        (["destroy"], True),
        (["apply", "-destroy"], True),
        (["destroy", "-auto-approve"], True),
        (["plan"], None),
    ],
)
def test_terraform_has_it_stopped_first(
    arguments: list[str], destroys: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(stop_spark, "before", lambda name, *, destroys: asked.append((name, destroys)))
    for name in ("dev", "local"):
        terraform._stop_spark(infrastructure.ENVIRONMENTS / name, arguments)
    assert asked == ([] if destroys is None else [("dev", destroys)])


def test_a_run_keeps_an_environment_from_being_destroyed_but_not_from_being_applied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def jobs_run(*_: object) -> None:
        raise CommandError("a job runs")

    monkeypatch.setattr(stop_spark, "of_environment", lambda _: [stop_spark.Application("00f1", "eu-west-1")])
    monkeypatch.setattr(stop_spark, "client", lambda _: None)
    monkeypatch.setattr(stop_spark, "stop", jobs_run)
    stop_spark.before("dev", destroys=False)
    assert "a job runs" in capsys.readouterr().err
    with pytest.raises(CommandError):
        stop_spark.before("dev", destroys=True)


def test_before_the_first_apply_there_is_nothing_to_stop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing_applied(_: object) -> None:
        raise CommandError("nothing is applied")

    monkeypatch.setattr(stop_spark, "of_environment", nothing_applied)
    stop_spark.before("dev", destroys=True)
    assert not capsys.readouterr().err


def test_the_calls_are_those_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Botocore's stub refuses requests and answers that the service's model does not have."""
    emr = boto3.client(
        "emr-serverless", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    machine = "arn:aws:states:eu-west-1:111122223333:stateMachine:player-analytics-dev-batch-analytics"
    monkeypatch.setattr(infrastructure, "outputs", lambda _: {"batch_state_machine_arn": machine})
    monkeypatch.setattr(stop_spark, "client", lambda region: emr)
    known = {"createdAt": 0, "releaseLabel": "emr-7.9.0", "type": "Spark", "updatedAt": 0, "arn": ARN}
    listed = [
        known | {"id": "00f0", "name": "player-analytics-prod-batch-analytics", "state": "STARTED"},
        known | {"id": "00f1", "name": "player-analytics-dev-batch-analytics", "state": "STARTED"},
    ]
    one = {"applicationId": "00f1"}
    got = {
        "applicationId": "00f1",
        "createdAt": 0,
        "releaseLabel": "x",
        "type": "Spark",
        "updatedAt": 0,
        "arn": ARN,
    }
    with Stubber(emr) as stub:
        stub.add_response("list_applications", {"applications": listed}, {})
        stub.add_response("get_application", {"application": got | {"state": "STARTED"}}, one)
        stub.add_response("list_job_runs", {"jobRuns": []}, one | {"states": stop_spark.UNDER_WAY})
        stub.add_response("stop_application", {}, one)
        stub.add_response("get_application", {"application": got | {"state": "STOPPED"}}, one)
        (found,) = stop_spark.of_environment("dev")
        stop_spark.stop(emr, found.id, 60, pause=lambda _: None)
        stub.assert_no_pending_responses()


def test_states_are_those_of_the_service() -> None:
    model = boto3.session.Session()._session.get_service_model("emr-serverless")
    assert set(stop_spark.UNDER_WAY) < set(model.shape_for("JobRunState").enum)
    assert set(stop_spark.RESTING) < set(model.shape_for("ApplicationState").enum)


def test_an_environment_without_batch_runs_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infrastructure, "outputs", lambda _: json.loads('{"batch_state_machine_arn": null}'))
    assert stop_spark.of_environment("dev") == []
