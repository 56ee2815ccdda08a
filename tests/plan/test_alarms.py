"""Each alarm of prod rings on what AWS or a function publishes when its consumer fails, and no other does.

The alarms of objectives are left to tests/unit/test_burn_rates.py.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from alarms import Key, Recorded, rings
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics
from data_quality import handler
from ingest.request import Sender
from processor.arrival import Arrival
from processor.metrics import publish
from published import exists
from realtime_windows import handler as realtime_handler
from telemetry.origin import Origin
from telemetry.rejection import Reason, Rejection

PREFIX = "player-analytics-prod"
CONSUMERS = ("processor", "leaderboards", "player-state", "realtime-windows")
SCHEDULED = ("data-quality", "performance-advisor", "privacy", "scheduled-reports", "stream-scaling")
# The alarms of mappings that do not read.
SILENT = {f"{name}-silent" for name in CONSUMERS}
Resources = list[dict[str, Any]]
Alarms = dict[str, dict[str, Any]]


def aws(namespace: str, name: str, **dimensions: str) -> Key:
    """Name a metric of AWS's own, which must exist by these dimensions."""
    assert exists(f"AWS/{namespace}", name, dimensions), name
    return f"AWS/{namespace}", name, frozenset(dimensions.items())


# As terraform test has them all.
READS = aws("Lambda", "PolledEventCount", EventSourceMappingUUID="00000000-0000-4000-8000-000000000000")


@pytest.fixture(scope="module")
def resources(applied: Callable[[str], Resources]) -> Resources:
    return applied("prod")


@pytest.fixture(scope="module")
def alarms(resources: Resources) -> Alarms:
    """The alarms by name, without the prefix."""
    found = [it["values"] for it in resources if it["type"] == "aws_cloudwatch_metric_alarm"]
    named = {alarm["alarm_name"].removeprefix(f"{PREFIX}-"): alarm for alarm in found}
    return {name: alarm for name, alarm in named.items() if not name.startswith("slo-")}


@pytest.fixture(scope="module")
def machine(resources: Resources) -> str:
    """The ARN of the batch run's state machine."""
    (found,) = [it["values"]["arn"] for it in resources if it["type"] == "aws_sfn_state_machine"]
    return str(found)


@pytest.fixture
def healthy(machine: str) -> Recorded:
    """What is published while all is well."""
    recorded = Recorded()
    recorded.put(aws("KinesisAnalytics", "downtime", Application=f"{PREFIX}-realtime-analytics"), 0, 240)
    recorded.put(aws("States", "ExecutionsStarted", StateMachineArn=machine), 1, 240, 60)
    recorded.put(aws("States", "ExecutionsFailed", StateMachineArn=machine), 0, 240, 60)
    for stream in ("bronze", "rejected"):
        recorded.put(aws("Firehose", "DeliveryToS3.Success", DeliveryStreamName=f"{PREFIX}-{stream}"), 1, 240)
        recorded.put(
            aws("Firehose", "DeliveryToS3.DataFreshness", DeliveryStreamName=f"{PREFIX}-{stream}"), 60, 240
        )
    for name in (*CONSUMERS, *SCHEDULED):
        recorded.put(aws("Lambda", "Errors", FunctionName=f"{PREFIX}-{name}"), 0, 240)
        recorded.put(_queue(f"{name}-failures"), 0, 240)
    for name in CONSUMERS:
        recorded.put(aws("Lambda", "IteratorAge", FunctionName=f"{PREFIX}-{name}"), 900, 240)
    recorded.put(READS, 0, 240)
    return recorded


def _queue(name: str) -> Key:
    return aws("SQS", "ApproximateNumberOfMessagesVisible", QueueName=f"{PREFIX}-{name}")


def failures() -> Iterator[tuple[str, Key, float, int]]:
    """Yield each alarm, the metric that shows its failure, the value then, and for how many minutes."""
    for name in CONSUMERS:
        yield f"{name}-iterator-age", aws("Lambda", "IteratorAge", FunctionName=f"{PREFIX}-{name}"), 61_000, 5
        yield f"{name}-failures", _queue(f"{name}-failures"), 1, 1
    for name in (*SCHEDULED, "batch-analytics-schedule", "warehouse"):
        yield f"{name}-failed", _queue(f"{name}-failures"), 1, 1
    for name in (*CONSUMERS, *SCHEDULED, "authorizer", "ingest", "metrics-api", "warehouse"):
        function = f"{PREFIX}-{name}"
        yield f"{name}-errors", aws("Lambda", "Errors", FunctionName=function), 1, 15
        yield f"{name}-throttles", aws("Lambda", "Throttles", FunctionName=function), 1, 10
        yield f"{name}-duration", aws("Lambda", "Duration", FunctionName=function), 899_000, 15
    for name in ("bronze", "rejected"):
        stream = f"{PREFIX}-{name}"
        yield (
            f"{name}-delivery-failures",
            aws("Firehose", "DeliveryToS3.Success", DeliveryStreamName=stream),
            0,
            15,
        )
        yield (
            f"{name}-delivery-freshness",
            aws("Firehose", "DeliveryToS3.DataFreshness", DeliveryStreamName=stream),
            3601,
            15,
        )
        yield (
            f"{name}-delivery-throttles",
            aws("Firehose", "ThrottledRecords", DeliveryStreamName=stream),
            1,
            15,
        )
    for name in (
        "boards",
        "dedupe",
        "game-days",
        "games",
        "ingest-stats",
        "leaderboards",
        "players",
        "quality",
        "quotas",
        "realtime",
        "recent-events",
        "reports",
        "saved-questions",
    ):
        for operation in ("read", "write"):
            throttles = f"{operation.title()}ThrottleEvents"
            yield (
                f"{name}-{operation}-throttles",
                aws("DynamoDB", throttles, TableName=f"{PREFIX}-{name}"),
                11,
                3,
            )
    index = {"TableName": f"{PREFIX}-leaderboards", "GlobalSecondaryIndexName": "by_rank"}
    for operation in ("read", "write"):
        throttles = f"{operation.title()}ThrottleEvents"
        yield f"leaderboards-by-rank-{operation}-throttles", aws("DynamoDB", throttles, **index), 11, 3
    flink = f"{PREFIX}-realtime-analytics"
    yield "realtime-analytics-downtime", aws("KinesisAnalytics", "downtime", Application=flink), 30_000, 10
    yield "realtime-analytics-cpu", aws("KinesisAnalytics", "cpuUtilization", Application=flink), 95, 30
    yield (
        "realtime-analytics-checkpoint-duration",
        aws("KinesisAnalytics", "lastCheckpointDuration", Application=flink),
        61_000,
        15,
    )
    of_shard = {"Application": flink, "Flow": "Input", "Id": "enriched"}
    yield "realtime-analytics-behind", aws("KinesisAnalytics", "millisBehindLatest", **of_shard), 61_000, 5
    yield "undelivered-alerts", _queue("undelivered-alerts"), 1, 1
    yield "alerts-rule-failed", aws("Events", "FailedInvocations", RuleName=f"{PREFIX}-alerts"), 1, 1
    for status in ("4XXError", "5XXError"):
        yield (
            f"ingest-{status[:3].lower()}",
            aws("ApiGateway", status, ApiName=f"{PREFIX}-ingest", Stage="live"),
            0.5,
            15,
        )
    yield (
        "ingest-latency",
        aws("ApiGateway", "Latency", ApiName=f"{PREFIX}-ingest", Stage="live"),
        3001,
        15,
    )
    for name, value in (("4xx", 0.5), ("5xx", 0.5), ("latency", 3001)):
        http = aws("ApiGateway", name.replace("l", "L"), ApiId="mockhttp", Stage="$default")
        yield f"metrics-api-{name}", http, value, 15
    client = {"UserPool": "eu-west-1_AbCdEfGhI", "UserPoolClient": "3ho4ek12345678909nh3fmhpko"}
    yield "sign-in-refused", aws("Cognito", "SignInSuccesses", **client), 0, 15
    yield "sign-in-throttled", aws("Cognito", "SignInThrottles", **client), 1, 5
    limit = {"UsageLimitId": "mock", "UsageType": "SERVERLESS_COMPUTE", "Workgroup": f"{PREFIX}-warehouse"}
    yield "warehouse-usage", aws("Redshift-Serverless", "UsageLimitConsumed", **limit), 241, 5
    for service in ("leaderboards", "player_state"):
        capped = PREFIX, "EventsCapped", frozenset({("service", service)})
        yield f"{service.replace('_', '-')}-names-capped", capped, 1, 15
    capped = PREFIX, "MinutesCapped", frozenset({("service", "realtime_windows")})
    yield "realtime-analytics-names-capped", capped, 1, 15
    yield "account-concurrency", aws("Lambda", "ConcurrentExecutions"), 801, 3


FAILURES = {name: (metric, value, since) for name, metric, value, since in failures()}


def ringing(alarms: Alarms, recorded: Recorded) -> set[str]:
    return {name for name, alarm in alarms.items() if rings(alarm, recorded)}


def failed(recorded: Recorded, metric: Key, value: float, since: int) -> Recorded:
    """Replace the newest minutes of a metric by those of its failure."""
    for minute in range(1, since + 1):
        recorded.values.get(metric, {}).pop(minute, None)
    return recorded.put(metric, value, since)


def test_nothing_rings_while_all_is_well(alarms: Alarms, healthy: Recorded) -> None:
    assert ringing(alarms, healthy) == set()


@pytest.mark.parametrize("name", FAILURES)
def test_the_alarm_of_a_failure_rings_and_no_other(alarms: Alarms, healthy: Recorded, name: str) -> None:
    assert ringing(alarms, failed(healthy, *FAILURES[name])) == {name}


def test_a_wrong_dimension_is_noticed(alarms: Alarms) -> None:
    judged = 0
    for name, (metric, value, since) in FAILURES.items():
        for dimension in alarms[name]["dimensions"] or {}:
            judged += 1
            wrong = alarms[name] | {"dimensions": alarms[name]["dimensions"] | {dimension: "another"}}
            ill = Recorded().put(metric, value, since)
            well = Recorded().put(metric, 0, 240)
            assert not rings(wrong, ill) or rings(wrong, well), name
    assert judged > 50


@pytest.mark.parametrize("end", ["Aborted", "Failed", "TimedOut"])
def test_a_batch_run_that_fails(alarms: Alarms, healthy: Recorded, machine: str, end: str) -> None:
    metric = aws("States", f"Executions{end}", StateMachineArn=machine)
    assert ringing(alarms, failed(healthy, metric, 1, 1)) == {"batch-analytics-failed"}


def test_batch_runs_that_do_not_start(alarms: Alarms, healthy: Recorded, machine: str) -> None:
    del healthy.values[aws("States", "ExecutionsStarted", StateMachineArn=machine)]
    assert ringing(alarms, healthy) == {"batch-analytics-silent"}


def test_a_job_that_died_is_silent(alarms: Alarms, healthy: Recorded) -> None:
    del healthy.values[aws("KinesisAnalytics", "downtime", Application=f"{PREFIX}-realtime-analytics")]
    assert ringing(alarms, healthy) == {"realtime-analytics-downtime"}


@pytest.mark.parametrize(
    ("metric", "name"), [("fullRestarts", "restarts"), ("numberOfFailedCheckpoints", "failed-checkpoints")]
)
def test_counters_of_the_job_ring_while_they_rise(
    alarms: Alarms, healthy: Recorded, metric: str, name: str
) -> None:
    counter = aws("KinesisAnalytics", metric, Application=f"{PREFIX}-realtime-analytics")
    assert ringing(alarms, healthy.put(counter, 7, 240)) == set()
    for minutes in (15, 10, 5):
        healthy.put(counter, 8 + (15 - minutes) / 5, minutes)
    assert ringing(alarms, healthy) == {f"realtime-analytics-{name}"}


def test_mappings_that_do_not_read(alarms: Alarms, healthy: Recorded) -> None:
    """Nobody sends an event. The mocked mappings have one id, so that their alarms ring together."""
    for minute in range(1, 15):
        del healthy.values[READS][minute]
    assert ringing(alarms, healthy) == set(), "one read within 15 minutes is enough"
    del healthy.values[READS][15]
    assert ringing(alarms, healthy) == SILENT


def test_a_warehouse_that_is_not_refreshed(alarms: Alarms, healthy: Recorded) -> None:
    errors = aws("Lambda", "Errors", FunctionName=f"{PREFIX}-warehouse")
    assert ringing(alarms, healthy.put(errors, 1, 30, 15)) == {"warehouse-refresh"}


@pytest.fixture
def acting_as(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Take the environment that the plan gives a function: its namespace and service are in what it emits."""

    def act(function: str) -> None:
        (found,) = [
            it["values"]["environment"][0]["variables"]
            for it in resources
            if it["type"] == "aws_lambda_function" and it["values"]["function_name"] == f"{PREFIX}-{function}"
        ]
        for name in ("POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"):
            monkeypatch.setenv(name, found[name])

    return act


@pytest.mark.parametrize(("rejected", "expected"), [(10, {"processor-reject-rate"}), (4, set())])
def test_a_game_whose_events_are_rejected(
    alarms: Alarms,
    healthy: Recorded,
    acting_as: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    rejected: int,
    expected: set[str],
) -> None:
    acting_as("processor")
    origin = Origin(datetime.now(UTC), "rest")
    events = [Arrival(str(n), 0, origin, b"{}", game="skyforge", event={}) for n in range(100)]
    for arrival in events[:rejected]:
        arrival.rejection = Rejection(Reason.UNKNOWN_SCHEMA, "x")
    publish(Metrics(), events)
    publish(Metrics(), [Arrival("1", 0, origin, b"{}", game="another", event={})])
    assert ringing(alarms, healthy.put_log(capsys.readouterr().out, 10)) == expected


@pytest.mark.parametrize(("dropped", "expected"), [(60, {"realtime-analytics-dropped-events"}), (20, set())])
def test_a_backlog_that_no_window_counts(
    alarms: Alarms,
    healthy: Recorded,
    acting_as: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    dropped: int,
    expected: set[str],
) -> None:
    acting_as("realtime-windows")
    minute = {"window_start": "2026-01-31T12:00:00Z", "window_end": "2026-01-31T12:01:00Z", "game_id": "g"}
    rows = [
        minute
        | {"kind": "dropped", "platform": "*", "app_version": "*", "measures": {"dropped.events": dropped}},
        minute
        | {"kind": "1m", "platform": "*", "app_version": "*", "measures": {"events.crash": 100, "fps.9": 7}},
        minute | {"kind": "1m", "platform": "ios", "app_version": "*", "measures": {"events.crash": 100}},
    ]
    metrics = EphemeralMetrics()
    realtime_handler._count(metrics, [row | {"measures": json.dumps(row["measures"])} for row in rows])
    metrics.flush_metrics()
    emitted = capsys.readouterr().out
    assert ringing(alarms, healthy.put_log(emitted, 15)) == expected


@pytest.mark.parametrize(
    ("verdicts", "expected"), [({"fail": 1}, {"data-quality-checks"}), ({"warn": 3}, set())]
)
def test_a_check_that_fails(
    alarms: Alarms,
    healthy: Recorded,
    acting_as: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    verdicts: dict[str, int],
    expected: set[str],
) -> None:
    acting_as("data-quality")
    handler._count(EphemeralMetrics(), Counter(verdicts), "skyforge")
    handler._count(EphemeralMetrics(), Counter(verdicts))
    assert ringing(alarms, healthy.put_log(capsys.readouterr().out, 10, 10)) == expected


@pytest.mark.parametrize(("used", "expected"), [(0.8, {"ingest-quota"}), (0.79, set())])
def test_a_game_that_uses_up_its_quota(
    alarms: Alarms,
    healthy: Recorded,
    acting_as: Callable[[str], None],
    used: float,
    expected: set[str],
) -> None:
    acting_as("ingest")
    # A copy of its own, because the module reads the environment when it is imported.
    spec = find_spec("ingest.intake")
    assert spec
    assert spec.loader
    ingest, lines = module_from_spec(spec), list[str]()
    spec.loader.exec_module(ingest)
    quotas = Mock()
    quotas.take.return_value = used
    ingest.__dict__.update(_write=lines.append)
    intake = ingest.Intake(Mock(), quotas, Mock(), Mock())
    intake.within_quota(Sender("skyforge", must_sign=False), [], {}, datetime.now(UTC))
    assert ringing(alarms, healthy.put_log("\n".join(lines), 10)) == expected


def test_a_game_that_is_set_aside(alarms: Alarms, healthy: Recorded, resources: Resources) -> None:
    """The job's line counts in the metric: CloudWatch matches the phrase between the pattern's quotes."""
    (found,) = [r["values"] for r in resources if r["type"] == "aws_cloudwatch_log_metric_filter"]
    phrase = found["pattern"].strip('"')
    source = Path(__file__).parents[2] / "functions" / "batch_analytics" / "job.py"
    assert [line for line in source.read_text().splitlines() if f'f"{phrase} {{game}}' in line]
    (metric,) = found["metric_transformation"]
    key = (metric["namespace"], metric["name"], frozenset())
    assert ringing(alarms, healthy.put(key, float(metric["value"]), 1)) == {"batch-analytics-set-aside"}


def test_every_alarm_is_proved_to_ring(alarms: Alarms) -> None:
    by_itself = {
        "batch-analytics-failed", "batch-analytics-set-aside", "batch-analytics-silent",
        "data-quality-checks", "ingest-quota", "processor-reject-rate",
        "realtime-analytics-dropped-events", "realtime-analytics-failed-checkpoints",
        "realtime-analytics-restarts", "warehouse-refresh",
    }  # fmt: skip
    assert set(alarms) == by_itself | SILENT | set(FAILURES)
