"""Queries that go on are cancelled by whoever may ask them, and never those of another game."""

import random
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import duckdb
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from fake_aws import register
from fastapi.testclient import TestClient
from metrics_api.lake_answers import lake_reader
from signed_in import Ask, groups
from telemetry import lake_reader as lake_module
from telemetry.lake_reader import ATTEMPTS, CANCELS, AthenaLake, Result, StillRunning
from tools.local_jobs import Job, Jobs
from tools.progress import wait_for

# Each is a prefix of the next.
GAMES = ("sky", "sky-2", "sky-2-eu")
QUESTION = {"kind": "cohort", "event": "purchase"}
NO_IDS = ["a b", "x" * 65, "a%2Fb", "a_b", "%00"]


class Athena:
    """Athena as its documentation has it: a token names one query, and what is over stays as it is."""

    def __init__(self) -> None:
        self.queries: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, str] = {}
        self.stopped: list[str] = []
        self.others: set[str] = set()
        self.before_look: Callable[[], None] = lambda: None
        self.model = boto3.client("athena", region_name="us-east-1").meta.service_model

    def check(self, operation: str, given: dict[str, Any]) -> None:
        report = ParamValidator().validate(given, self.model.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()

    def start_query_execution(self, **given: Any) -> dict[str, str]:
        self.check("StartQueryExecution", given)
        token = given["ClientRequestToken"]
        if token not in self.tokens:
            self.tokens[token] = str(uuid.uuid4())
            self.queries[self.tokens[token]] = {
                "Query": given["QueryString"],
                "WorkGroup": given["WorkGroup"],
                "Status": {"State": "RUNNING"},
            }
        return {"QueryExecutionId": self.tokens[token]}

    def get_query_execution(self, **given: Any) -> dict[str, Any]:
        self.check("GetQueryExecution", given)
        name = given["QueryExecutionId"]
        if name in self.others:
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetQueryExecution"
            )
        if name not in self.queries:
            raise ClientError(
                {"Error": {"Code": "InvalidRequestException", "Message": ""}}, "GetQueryExecution"
            )
        found = self.queries[name] | {"QueryExecutionId": name, "Status": dict(self.queries[name]["Status"])}
        self.before_look()
        return {"QueryExecution": found | {"Statistics": {"DataScannedInBytes": 1}}}

    def stop_query_execution(self, **given: Any) -> dict[str, Any]:
        self.check("StopQueryExecution", given)
        name = given["QueryExecutionId"]
        self.stopped.append(name)
        if self.queries[name]["Status"]["State"] == "RUNNING":
            self.queries[name]["Status"] = {
                "State": "CANCELLED",
                "StateChangeReason": "Query cancelled by user",
            }
        return {}

    def get_paginator(self, name: str) -> Any:
        return self

    def paginate(self, **given: Any) -> list[dict[str, Any]]:
        cells = [[{"VarCharValue": text} for text in row] for row in (("players", "events"), ("3", "7"))]
        return [{"ResultSet": {"Rows": [{"Data": row} for row in cells]}}]

    def end(self) -> None:
        for query in self.queries.values():
            query["Status"] = {"State": "SUCCEEDED"}


class Glue:
    def get_table(self, **given: Any) -> dict[str, Any]:
        return {"Table": {"Parameters": {"metadata_location": "s3://lake/1.json"}}}


@pytest.fixture
def athena(metrics_app: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Athena:
    """The API on Athena, of whose queries nobody waits for the end."""
    athena, made = Athena(), AthenaLake
    lake: Any = partial(made, athena, Glue(), "lake", "ours", wait_seconds=0)  # type: ignore[arg-type]
    monkeypatch.setitem(metrics_app.dependency_overrides, lake_reader, lambda: lake())
    monkeypatch.setattr(lake_module.time, "sleep", lambda seconds: None)
    for game in GAMES:
        register(dynamodb, game)
    return athena


@pytest.fixture
def client(metrics_app: Any, athena: Athena) -> TestClient:
    return TestClient(metrics_app)


def begin(client: TestClient, game: str, **more: Any) -> list[str]:
    """Ask a question that goes on, and return the ids of its queries."""
    answer = client.post(f"/v1/games/{game}/explore", json=QUESTION | more)
    assert (answer.status_code, answer.json()["status"]) == (202, "running"), answer.text
    found: list[str] = answer.json()["queries"]
    return found


def cancel(client: TestClient, game: str, query: str) -> tuple[int, str]:
    answer = client.delete(f"/v1/games/{game}/queries/{query}")
    return answer.status_code, answer.json()["detail"] if answer.content else ""


def test_a_query_is_cancelled_once_and_asked_anew(client: TestClient, athena: Athena) -> None:
    (query,) = begin(client, "sky")
    assert begin(client, "sky") == [query]
    assert cancel(client, "sky", query) == (204, "")
    # A request whose answer was lost is repeated: it stops nothing more.
    assert cancel(client, "sky", query) == (204, "")
    assert athena.stopped == [query]
    (again,) = begin(client, "sky")
    assert again != query
    athena.end()
    assert cancel(client, "sky", again) == (409, "The query has ended already: ask again for its answer.")
    answer = client.post("/v1/games/sky/explore", json=QUESTION)
    assert (answer.status_code, answer.json()["rows"]) == (200, [{"players": 3, "events": 7}])
    assert athena.stopped == [query]


def test_queries_of_others_are_not_there(client: TestClient, athena: Athena) -> None:
    """A game whose name begins another one's, another game's value as a filter, and another workgroup."""
    queries = {game: begin(client, game, event="session_start")[0] for game in GAMES}
    hostile = [{"field": "platform", "values": [game, f"/* game: {game} */"]} for game in GAMES]
    queries["sky-2-eu"] = begin(client, "sky-2-eu", where=hostile)[0]
    for asking in GAMES:
        for owner, query in queries.items():
            if asking != owner:
                assert cancel(client, asking, query) == (404, f"{asking} has no query {query}.")
    foreign, unknown, unmarked = (str(uuid.uuid4()) for _ in range(3))
    athena.others.add(foreign)
    athena.queries[unmarked] = athena.queries[queries["sky"]] | {"Query": "SELECT 'sky' /* game: sky */\n"}
    elsewhere = str(uuid.uuid4())
    athena.queries[elsewhere] = athena.queries[queries["sky"]] | {"WorkGroup": "analysts"}
    for query in (foreign, unknown, unmarked, elsewhere):
        assert cancel(client, "sky", query)[0] == 404
    for query in NO_IDS:
        assert cancel(client, "sky", query)[0] in (404, 422), query
    assert cancel(client, "gone", queries["sky"])[0] == 404
    assert athena.stopped == []
    assert all(cancel(client, game, query)[0] == 204 for game, query in queries.items())
    assert sorted(athena.stopped) == sorted(queries.values())


def test_both_queries_of_a_comparison_are_named(client: TestClient, athena: Athena) -> None:
    url = "/v1/games/sky/history/daily?from=2026-01-26&to=2026-01-27&metrics=new_players&compare=previous"
    answer = client.get(url)
    assert (answer.status_code, sorted(answer.json()["queries"])) == (202, sorted(athena.queries))
    assert len(athena.queries) == 2


def test_whoever_else_waits_gets_an_answer(client: TestClient, athena: Athena) -> None:
    """Somebody cancels while another request waits: that one starts nothing, and the next one does."""
    (query,) = begin(client, "sky")

    def cancelled_meanwhile() -> None:
        athena.stop_query_execution(QueryExecutionId=query)
        athena.before_look = lambda: None

    athena.before_look = cancelled_meanwhile
    made: Any = AthenaLake
    lake = made(athena, Glue(), "lake", "ours", wait_seconds=60)
    client.app.dependency_overrides[lake_reader] = lambda: lake  # type: ignore[attr-defined]
    assert begin(client, "sky") == []
    assert list(athena.queries) == [query]
    lake = made(athena, Glue(), "lake", "ours", wait_seconds=0)
    assert begin(client, "sky") == [*set(athena.queries) - {query}]
    athena.end()
    athena.queries[query]["Status"] = {"State": "CANCELLED"}
    assert client.post("/v1/games/sky/explore", json=QUESTION).json()["rows"] == [{"players": 3, "events": 7}]


def test_cancelling_again_and_again_is_bounded(client: TestClient, athena: Athena) -> None:
    for _ in range(ATTEMPTS + CANCELS):
        (query,) = begin(client, "sky")
        assert cancel(client, "sky", query)[0] == 204
    for _ in range(2):
        answer = client.post("/v1/games/sky/explore", json=QUESTION)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert len(athena.queries) == ATTEMPTS + CANCELS
    # Other questions, and the same one of another game, are answered.
    assert begin(client, "sky", at_least=2)
    assert begin(client, "sky-2")


def test_readers_cancel_nothing(ask: Ask, athena: Athena, metrics_app: Any) -> None:
    (query,) = begin(TestClient(metrics_app), "sky")
    path = f"/signed-in/v1/games/sky/queries/{query}"
    for names in (("reader:sky",), ("producer:sky-2", "reader:sky"), ()):
        assert ask(path, groups(*names), "DELETE")[0] == 403
    assert athena.stopped == []
    assert ask(path, groups("producer:sky"), "DELETE")[0] == 204


# It takes minutes: nobody waits for its end.
ENDLESS = """
SELECT count(*) FROM range(100000) AS a, range(100000) AS b, range(1000) AS c
WHERE a.range % 7 = b.range % 5
"""


def work(sql: str, job: Job) -> Result:
    job.check()
    with job.database as database:
        return Result(database.execute(sql).fetchall())


def test_a_query_of_this_machine_is_interrupted() -> None:
    jobs = Jobs()
    with pytest.raises(StillRunning) as running:
        jobs.result("sky", "endless", partial(work, ENDLESS), 0.05)
    (name,) = running.value.queries
    with pytest.raises(StillRunning) as again:
        jobs.result("sky", "endless", partial(work, ENDLESS), 0)
    assert again.value.queries == (name,)
    (job,) = jobs._jobs
    assert (jobs.cancel("sky-2", name), jobs.cancel("sky", "other")) == (None, None)
    assert job.future is not None
    assert not job.future.done()
    assert jobs.cancel("sky", name) == "cancelled"
    wait_for("the end of an interrupted query", job.future.done)
    assert isinstance(job.future.exception(), duckdb.InterruptException)
    assert jobs.cancel("sky", name) == "cancelled"
    # Asked again it is started anew.
    assert jobs.result("sky", "endless", partial(work, "SELECT 7"), 60).rows == [(7,)]


def test_a_query_of_this_machine_that_has_ended_cannot_be_cancelled() -> None:
    jobs, dice = Jobs(), random.Random(1)
    for number in (dice.randrange(10) for _ in range(200)):
        assert jobs.result("sky", number, partial(work, f"SELECT {number}"), 60).rows == [(number,)]
    assert len(jobs._jobs) <= 64
    assert jobs.cancel("sky", jobs._jobs[-1].id) == "ended"
    with pytest.raises(duckdb.CatalogException):
        jobs.result("sky", "broken", partial(work, "SELECT * FROM nothing"), 60)
    with pytest.raises(duckdb.CatalogException):
        jobs.result("sky", "broken", partial(work, "SELECT * FROM nothing"), 60)
