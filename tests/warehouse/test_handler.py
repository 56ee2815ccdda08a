"""The Lambda and the command: what is asked of AWS, in the form that its own API description has."""

import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from redshift_on_postgres import DataApi, Server
from tools import CommandError
from tools import warehouse as command
from warehouse import TARGET, VALUES
from warehouse_migrations import data_api
from warehouse_migrations.migrations import MigrationError, load

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
    from warehouse_migrations import handler as module

    module.settings.cache_clear()
    client = DataApi(server, server.database())
    monkeypatch.setattr(module, "client", lambda service: {"redshift-data": client}[service])
    monkeypatch.setattr(data_api.DataApi.__init__, "__defaults__", (0.01,))
    yield module.lambda_handler
    module.settings.cache_clear()


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


@pytest.fixture
def asked() -> Iterator[tuple[data_api.DataApi, Stubber]]:
    """Return the Data API with boto3's client, whose calls are checked against its description."""
    client = boto3.client(
        "redshift-data", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stub:
        yield data_api.DataApi(client, TARGET, lambda: 60, pause=0), stub
        stub.assert_no_pending_responses()


def describe(stub: Stubber, *states: str, **more: Any) -> None:
    """Expect a statement to be asked about until it is done."""
    for state in states:
        stub.add_response("describe_statement", {"Id": "s-1", "Status": state, **more}, {"Id": "s-1"})


def test_a_transaction_is_asked_about_until_it_is_done(asked: tuple[data_api.DataApi, Stubber]) -> None:
    api, stub = asked
    wanted = {"Sqls": ["SELECT 1", "SELECT 2"], "StatementName": "name", **TARGET}
    stub.add_response("batch_execute_statement", {"Id": "s-1"}, wanted)
    describe(stub, "SUBMITTED", "PICKED", "STARTED", "FINISHED")
    api.run(["SELECT 1", "SELECT 2"], "name")


@pytest.mark.parametrize("state", ["FAILED", "ABORTED"])
def test_the_statement_that_failed_is_named(asked: tuple[data_api.DataApi, Stubber], state: str) -> None:
    api, stub = asked
    stub.add_response(
        "batch_execute_statement", {"Id": "s-1"}, {"Sqls": ANY, "StatementName": "name", **TARGET}
    )
    parts = [
        {"Id": "s-1:1", "Status": "FINISHED"},
        {"Id": "s-1:2", "Status": state, "Error": "no such table"},
    ]
    describe(stub, state, SubStatements=parts)
    with pytest.raises(data_api.StatementError, match="statement 2 of 2: no such table"):
        api.run(["SELECT 1", "SELECT 2"], "name")


def test_rows_come_by_page(asked: tuple[data_api.DataApi, Stubber]) -> None:
    api, stub = asked
    stub.add_response(
        "execute_statement", {"Id": "s-1"}, {"Sql": "SELECT", "StatementName": "name", **TARGET}
    )
    describe(stub, "FINISHED")
    first = {"Records": [[{"longValue": 1}, {"stringValue": "a"}]], "NextToken": "more"}
    stub.add_response("get_statement_result", first, {"Id": "s-1"})
    stub.add_response(
        "get_statement_result",
        {"Records": [[{"longValue": 2}, {"stringValue": "b"}]]},
        {"Id": "s-1", "NextToken": "more"},
    )
    assert api.rows("SELECT", "name") == [(1, "a"), (2, "b")]


def test_only_what_is_under_way_is_running(asked: tuple[data_api.DataApi, Stubber]) -> None:
    api, stub = asked
    listed = [
        {"Id": state, "Status": state} for state in ("SUBMITTED", "PICKED", "STARTED", "FINISHED", "FAILED")
    ]
    scope = {"StatementName": "name", "WorkgroupName": "test", "Database": "warehouse"}
    stub.add_response("list_statements", {"Statements": listed}, scope)
    assert api.running("name") == ["SUBMITTED", "PICKED", "STARTED"]


@pytest.fixture
def invoked() -> Iterator[tuple[Any, Stubber]]:
    """Return a client of Lambda whose calls are checked against its description."""
    client = boto3.client("lambda", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def answer(stub: Stubber, payload: dict[str, Any], **more: str) -> None:
    """Expect a migration to be asked for."""
    text = json.dumps(payload).encode()
    body = {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(text), len(text)), **more}
    stub.add_response("invoke", body, {"FunctionName": "f", "Payload": '{"action": "migrate"}'})


def test_the_command_waits_for_what_still_runs(invoked: tuple[Any, Stubber]) -> None:
    client, stub = invoked
    answer(stub, {"state": "running", "statement_id": "s-1"})
    answer(stub, {"state": "current", "applied": ["0001_one.sql"]})
    assert command.migrate(client, "f")["applied"] == ["0001_one.sql"]


def test_the_command_says_what_the_function_says(invoked: tuple[Any, Stubber]) -> None:
    client, stub = invoked
    answer(stub, {"errorMessage": "0002_two.sql was edited"}, FunctionError="Unhandled")
    with pytest.raises(CommandError, match=r"0002_two\.sql was edited"):
        command.migrate(client, "f")
