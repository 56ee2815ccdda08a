"""The Lambda and the command: what is asked of AWS, in the form that its own API description has."""

import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from emulated_warehouse import TARGET, VALUES
from redshift_on_postgres import DataApi, Server
from tools import CommandError
from tools import warehouse as command
from warehouse import data_api
from warehouse.sql_files import MigrationError, load

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)


@pytest.fixture
def handler(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the Lambda of an empty warehouse."""
    for name, value in {
        "WORKGROUP": "test",
        "DATABASE": "warehouse",
        "SECRET_ARN": "arn:secret",
        "VALUES": json.dumps(VALUES),
    }.items():
        monkeypatch.setenv(name, value)
    from warehouse import handler as module
    from warehouse.settings import settings

    settings.cache_clear()
    client = DataApi(server, server.database())
    monkeypatch.setattr(module, "client", lambda service: {"redshift-data": client}[service])
    monkeypatch.setattr(data_api.DataApi.__init__, "__defaults__", (0.01,))
    yield module.lambda_handler
    settings.cache_clear()


def test_it_migrates_says_so_and_refreshes(handler: Any) -> None:
    names = tuple(migration.name for migration in load())
    assert handler({"action": "status"}, CONTEXT)["pending"] == names
    assert handler({"action": "migrate"}, CONTEXT)["applied"] == names
    answer = handler({"action": "status"}, CONTEXT)
    assert (answer["state"], answer["pending"]) == ("current", ())
    assert json.loads(json.dumps(handler({"action": "refresh"}, CONTEXT)))["state"] == "current"


@pytest.mark.parametrize("event", [{}, {"action": "drop"}, {"action": None}])
def test_it_does_nothing_else(handler: Any, event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="action"):
        handler(event, CONTEXT)


def test_a_value_that_is_missing_is_named(handler: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALUES", "{}")
    with pytest.raises(MigrationError, match=r"0002_stream\.sql: streaming_role_arn is ''"):
        handler({"action": "migrate"}, CONTEXT)


class Wire:
    """AWS at the other end of boto3's wire: calls must fit its description, and are answered in turn."""

    def __init__(self, service: str) -> None:
        self.client = boto3.client(
            service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.client.meta.events.register(f"before-send.{service}", self._answer)
        self.calls: list[tuple[str, dict[str, Any], AWSResponse]] = []

    def expect(self, operation: str, asked: dict[str, Any], answer: dict[str, Any], **headers: str) -> None:
        """Expect a call as the next one."""
        body = Body(json.dumps(answer).encode())
        self.calls.append((operation, asked, AWSResponse("https://aws", 200, headers, body)))

    def _answer(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        operation, asked, answer = self.calls.pop(0)
        called = json.loads(request.body)
        called.pop("ClientToken", None)
        assert (event_name.rpartition(".")[2], called) == (operation, asked)
        return answer


class Body(io.BytesIO):
    """Bytes as an HTTP connection gives them."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Give all at once."""
        yield self.read()


@pytest.fixture
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """Return the service that the test is for; every call that it expects must come."""
    made = Wire(request.param)
    yield made
    assert made.calls == []


data = pytest.mark.parametrize("wire", ["redshift-data"], indirect=True)
functions = pytest.mark.parametrize("wire", ["lambda"], indirect=True)


def asking(wire: Wire) -> data_api.DataApi:
    """Return the Data API with boto3's client."""
    return data_api.DataApi(wire.client, TARGET, lambda: 60, pause=0)


def describe(wire: Wire, *states: str, **more: Any) -> None:
    """Expect a statement to be asked about until it is done."""
    for state in states:
        wire.expect("DescribeStatement", {"Id": "s-1"}, {"Id": "s-1", "Status": state, **more})


def begin(wire: Wire) -> None:
    """Expect two statements in a transaction."""
    wanted = {"Sqls": ["SELECT 1", "SELECT 2"], "StatementName": "name", **TARGET}
    wire.expect("BatchExecuteStatement", wanted, {"Id": "s-1"})


@data
def test_a_transaction_is_asked_about_until_it_is_done(wire: Wire) -> None:
    begin(wire)
    describe(wire, "SUBMITTED", "PICKED", "STARTED", "FINISHED")
    asking(wire).run(["SELECT 1", "SELECT 2"], "name")


@data
@pytest.mark.parametrize("state", ["FAILED", "ABORTED"])
def test_the_statement_that_failed_is_named(wire: Wire, state: str) -> None:
    begin(wire)
    parts = [
        {"Id": "s-1:1", "Status": "FINISHED"},
        {"Id": "s-1:2", "Status": state, "Error": "no such table"},
    ]
    describe(wire, state, SubStatements=parts)
    with pytest.raises(data_api.StatementError, match="statement 2 of 2: no such table"):
        asking(wire).run(["SELECT 1", "SELECT 2"], "name")


@data
def test_rows_come_by_page(wire: Wire) -> None:
    wire.expect("ExecuteStatement", {"Sql": "SELECT", "StatementName": "name", **TARGET}, {"Id": "s-1"})
    describe(wire, "FINISHED")
    rows = [[[{"longValue": 1}, {"stringValue": "a"}]], [[{"longValue": 2}, {"stringValue": "b"}]]]
    wire.expect("GetStatementResult", {"Id": "s-1"}, {"Records": rows[0], "NextToken": "more"})
    wire.expect("GetStatementResult", {"Id": "s-1", "NextToken": "more"}, {"Records": rows[1]})
    assert asking(wire).rows("SELECT", "name") == [(1, "a"), (2, "b")]


@data
def test_only_what_is_under_way_is_running(wire: Wire) -> None:
    states = ("SUBMITTED", "PICKED", "STARTED", "FINISHED", "FAILED")
    scope = {"StatementName": "name", "WorkgroupName": "test", "Database": "warehouse"}
    wire.expect("ListStatements", scope, {"Statements": [{"Id": state, "Status": state} for state in states]})
    assert asking(wire).running("name") == ["SUBMITTED", "PICKED", "STARTED"]


MIGRATE = {"action": "migrate"}


@functions
def test_the_command_waits_for_what_still_runs(wire: Wire) -> None:
    wire.expect("Invoke", MIGRATE, {"state": "running", "statement_id": "s-1"})
    wire.expect("Invoke", MIGRATE, {"state": "current", "applied": ["0001_one.sql"]})
    assert command.migrate(wire.client, "f")["applied"] == ["0001_one.sql"]


@functions
def test_the_command_says_what_the_function_says(wire: Wire) -> None:
    failed = {"X-Amz-Function-Error": "Unhandled"}
    wire.expect("Invoke", MIGRATE, {"errorMessage": "0002_two.sql was edited"}, **failed)
    with pytest.raises(CommandError, match=r"0002_two\.sql was edited"):
        command.migrate(wire.client, "f")
