"""Each AWS call of each function fails in each way: its caller hears of it, and in the end nothing shows."""

import logging
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import pytest
from faults import ATTEMPT, BATCHES, Fault, injected
from moto.moto_api._internal.models import moto_api_backend
from scenarios import CANNED, ENVIRONMENT, MAKERS, NOW, MakeEvent, Scenario, reset
from telemetry import delivery
from telemetry.enrichment import timestamp
from tools.tables import make_tables

FUNCTIONS = Path(__file__).parents[2] / "functions"
EVER = 10_000

# What a caller hears of a call that never works. `again` are errors and batches handed back, upon which the
# function is invoked again; `503` tells a client to send again; `told` is an answer that names what misses.
HEARD: dict[str, dict[str, str]] = {
    "authorizer": dict.fromkeys(("dynamodb.BatchGetItem", "dynamodb.GetItem"), "again"),
    "data_quality": dict.fromkeys(
        ("dynamodb.PutItem", "dynamodb.Query", "dynamodb.Scan", "s3.GetObject", "s3.ListObjectsV2"), "again"
    ),
    # Events whose quota cannot be counted are taken.
    "ingest": {
        "dynamodb.BatchGetItem": "503",
        "dynamodb.GetItem": "503",
        "dynamodb.UpdateItem": "done",
        "kinesis.PutRecords": "503",
    },
    "metrics_api": dict.fromkeys(
        (
            "athena.GetQueryExecution",
            "athena.GetQueryResults",
            "athena.StartQueryExecution",
            "athena.StopQueryExecution",
            "dynamodb.BatchGetItem",
            "dynamodb.DeleteItem",
            "dynamodb.GetItem",
            "dynamodb.PutItem",
            "dynamodb.Query",
            "dynamodb.Scan",
            "glue.GetTable",
        ),
        "503",
    ),
    "leaderboards": dict.fromkeys(
        (
            "dynamodb.BatchGetItem",
            "dynamodb.GetItem",
            "dynamodb.PutItem",
            "dynamodb.Query",
            "dynamodb.UpdateItem",
        ),
        "again",
    ),
    "performance_advisor": dict.fromkeys(("s3.PutObject", "sns.Publish"), "again")
    | dict.fromkeys(
        (
            "cloudwatch.GetMetricData",
            "cloudwatch.GetMetricStatistics",
            "dynamodb.DescribeTable",
            "kinesis.DescribeStreamSummary",
            "kinesisanalyticsv2.DescribeApplication",
            "lambda.GetFunctionConfiguration",
            "lambda.ListEventSourceMappings",
        ),
        "told",
    ),
    "player_state": dict.fromkeys(
        ("dynamodb.BatchGetItem", "dynamodb.GetItem", "dynamodb.PutItem", "dynamodb.UpdateItem"), "again"
    ),
    "privacy": dict.fromkeys(
        (
            "athena.GetQueryExecution",
            "athena.GetQueryResults",
            "athena.StartQueryExecution",
            "dynamodb.DeleteItem",
            "dynamodb.GetItem",
            "dynamodb.Query",
            "dynamodb.Scan",
            "lambda.Invoke",
            "s3.DeleteObject",
            "s3.GetObject",
            "s3.HeadObject",
            "s3.ListObjectVersions",
            "s3.ListObjectsV2",
            "s3.PutObject",
            "sts.GetCallerIdentity",
        ),
        "again",
    ),
    "processor": dict.fromkeys(
        (
            "dynamodb.BatchGetItem",
            "dynamodb.GetItem",
            "dynamodb.UpdateItem",
            "firehose.PutRecordBatch",
            "kinesis.PutRecords",
        ),
        "again",
    )
    # No event waits for the view of recent ones.
    | {"dynamodb.BatchWriteItem": "done"},
    "realtime_windows": dict.fromkeys(
        ("dynamodb.BatchWriteItem", "dynamodb.UpdateItem", "events.PutEvents"), "again"
    ),
    # A report is not late for gold that does not answer, nor for a saved question.
    "scheduled_reports": dict.fromkeys(
        (
            "athena.GetQueryExecution",
            "athena.GetQueryResults",
            "athena.StartQueryExecution",
            "glue.GetTable",
            "lambda.Invoke",
        ),
        "done",
    )
    | dict.fromkeys(
        (
            "dynamodb.GetItem",
            "dynamodb.Query",
            "dynamodb.Scan",
            "dynamodb.UpdateItem",
            "s3.PutObject",
            "secretsmanager.GetSecretValue",
            "sesv2.SendEmail",
        ),
        "again",
    ),
    "stream_scaling": dict.fromkeys(
        ("cloudwatch.GetMetricData", "kinesis.DescribeStreamSummary", "kinesis.UpdateShardCount"), "again"
    ),
    "warehouse": dict.fromkeys(
        (
            "redshift-data.BatchExecuteStatement",
            "redshift-data.DescribeStatement",
            "redshift-data.ExecuteStatement",
            "redshift-data.GetStatementResult",
            "redshift-data.ListStatements",
        ),
        "again",
    ),
}
MAIL = "sesv2.SendEmail"
# Not tried again by themselves: whoever repeats a mail may send it twice, and a warehouse is slow to answer.
# A rewrite that was done is refused when it is repeated, as another's would be.
ONCE = {("privacy", "lambda.Invoke"), ("privacy", "s3.PutObject"), ("scheduled_reports", MAIL)}
# Where it cannot be known whether a mail has gone, a person decides.
UNSURE = {(MAIL, Fault.ANSWER_LOST), (MAIL, Fault.REFUSED), ("dynamodb.UpdateItem", Fault.ANSWER_LOST)}
READS = re.compile(r"\.(Batch)?(Get|Describe|Head|List|Query|Scan)")
# To a read it is the same when it is done, and when it is not: AWS answers with an error, or not at all.
OF_READS = frozenset({Fault.THROTTLED, Fault.UNREACHABLE})
CASES = [
    (function, call, fault)
    for function, calls in HEARD.items()
    for call in calls
    for fault in sorted(
        (OF_READS if READS.search(call) else ATTEMPT) | ({Fault.PARTIAL} if call in BATCHES else set())
    )
]
# Once: boto3 repeats the other faults as it does throttled calls, and reads do no harm.
FAILING_ONCE = (Fault.THROTTLED, Fault.ANSWER_LOST, Fault.PARTIAL)
clean: dict[str, Any] = {}
clients: dict[Any, Any] = {}


def remembered(make: Callable[..., Any]) -> Callable[..., Any]:
    """Make a client once: to make it takes longer than all its calls to AWS in memory."""

    def get(service: str, **options: Any) -> Any:
        key = make, service, id(options.get("config"))
        return clients[key] if key in clients else clients.setdefault(key, make(service, **options))

    return get


@pytest.fixture
def scenario(
    aws: None, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Scenario]]:
    """Return the maker of a function's scenario, each in an AWS and an execution environment of its own."""
    for name in ("client", "resource"):
        monkeypatch.setattr(boto3, name, remembered(getattr(boto3, name)))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    # Pictures take half of a report's time, and make no call.
    monkeypatch.setattr("scheduled_reports.report.charts", lambda *_: [])
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    logging.disable(logging.CRITICAL)

    def make(function: str) -> Scenario:
        moto_api_backend.reset()
        reset()
        for table in make_tables(boto3.resource("dynamodb")):
            monkeypatch.setenv(f"{table.upper()}_TABLE", table)
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="lake")
        numbers = iter(range(1, 1000))
        moment = timestamp(NOW)

        def make_same(event_type: str, **fields: Any) -> dict[str, Any]:
            event_id = str(UUID(int=next(numbers), version=4))
            return make_event(event_type, event_id=event_id, event_time=moment, sent_at=moment, **fields)

        return MAKERS[function](make_same)

    yield make
    reset()
    logging.disable(logging.NOTSET)


def meeting(call: str, fault: Fault, times: int) -> Callable[[str, Collection[Fault]], Fault | None]:
    """Have one call meet a fault so many times."""
    left = times

    def choose(name: str, among: Collection[Fault]) -> Fault | None:
        nonlocal left
        if name != call or fault not in among or not left:
            return None
        left -= 1
        return fault

    return choose


def hear(scenario: Scenario) -> str:
    """Return what the caller hears; of an error, that it is to be tried again."""
    try:
        return scenario.invoke()
    except Exception:
        return "again"


def undisturbed(make: Callable[[str], Scenario], function: str) -> Any:
    """Return what a function leaves behind where nothing fails."""
    if function not in clean:
        scenario = make(function)
        with injected(lambda name, among: None, CANNED) as calls:
            assert scenario.invoke() == "done"
        assert set(calls) == set(HEARD[function]), "a call has no case here, or a case no call"
        clean[function] = scenario.state()
    return clean[function]


@pytest.mark.parametrize("function", [path.parent.name for path in sorted(FUNCTIONS.glob("*/handler.py"))])
def test_every_call_of_every_function_has_its_case(
    function: str, scenario: Callable[[str], Scenario]
) -> None:
    clean.pop(function, None)
    undisturbed(scenario, function)


@pytest.mark.parametrize(("function", "call", "fault"), CASES)
def test_a_call_that_never_works_is_heard_of_and_made_good(
    function: str, call: str, fault: Fault, scenario: Callable[[str], Scenario]
) -> None:
    truth, disturbed = undisturbed(scenario, function), scenario(function)
    with injected(meeting(call, fault, EVER), CANNED):
        heard = hear(disturbed)
    assert heard == ("done" if fault is Fault.PARTIAL else HEARD[function][call])
    with injected(lambda name, among: None, CANNED):
        again = hear(disturbed)
    if function == "scheduled_reports" and (call, fault) in UNSURE:
        files, mails = disturbed.state()
        assert (again, files, mails <= truth[1]) == ("again", truth[0], True)
        return
    assert (again, disturbed.state()) == ("done", truth)


@pytest.mark.parametrize(
    ("function", "call", "fault"),
    [
        case
        for case in CASES
        if case[:2] not in ONCE and case[2] in FAILING_ONCE and not READS.search(case[1])
    ],
)
def test_a_call_that_fails_once_is_not_noticed(
    function: str, call: str, fault: Fault, scenario: Callable[[str], Scenario]
) -> None:
    truth, disturbed = undisturbed(scenario, function), scenario(function)
    with injected(meeting(call, fault, 1), CANNED):
        assert hear(disturbed) == "done"
    assert disturbed.state() == truth
