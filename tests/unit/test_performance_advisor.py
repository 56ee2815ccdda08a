"""Advice on recorded weeks, whose answers were worked out by hand, and how a week is read."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from lambda_context import Context
from performance_advisor import advise, collector
from performance_advisor.models import Observations
from performance_advisor.settings import Watched
from tools import advise as command

NOW = datetime(2026, 3, 16, 7, tzinfo=UTC)


def recorded(name: str) -> Observations:
    """Return a recorded week."""
    return Observations.model_validate_json((Path(__file__).parent / "advisor" / name).read_text())


def advice_on(week: str) -> list[tuple[str, str, str, float | None]]:
    """Return setting, now, then and saving of each advice on a recorded week."""
    observations = recorded(f"{week}.json")
    return [(one.setting, one.now, one.then, one.saving_usd) for one in advise.advise(observations)]


def test_what_is_sized_well_is_left_alone() -> None:
    assert advice_on("well_sized") == []
    assert advise.text([], []).startswith("Leave everything as it is")


def test_what_is_too_large() -> None:
    assert advice_on("too_large") == [
        # 4 units at 10 % do with one: 3 of 730 h at $0.11.
        ("realtime_analytics.application.parallelism", "4", "1", 240.90),
        # 6 shards of which one would do: 5 of 730 h at $0.015.
        ("streams.enriched_shards", "6", "1", 54.75),
        # 730 h at $0.04, 260.71 GB a month at $0.08 + $0.04, against a shard of $10.95.
        ("streams.raw_shards", "on demand", "1", 49.54),
        # 26.07 M invocations a month: 0.8 of them at $0.0000002 and 2 ms of 1.7275 GB.
        ("processor.batch_window_seconds", "1", "5", 5.13),
    ]


def test_what_is_too_small() -> None:
    assert advice_on("too_small") == [
        ("docs/runbooks/dynamodb-table.md", "as it is", "spread the hot key", None),
        ("batch_analytics.job.maximum_executors", "8", "16", None),
        # 3,000 records a second want 3.75 shards.
        ("streams.raw_shards", "2", "4", -21.90),
        ("realtime_analytics.application.parallelism", "2", "4", -160.60),
    ]


def test_windows_stay_within_the_objective_together() -> None:
    def consumer(name: str, window_seconds: int, invocations_a_week: float) -> dict[str, Any]:
        size = {
            "batch_size": 2000,
            "records_a_week": 10 * invocations_a_week,
            "mean_ms": 40,
            "memory_mb": 1769,
        }
        asked = {"window_seconds": window_seconds, "invocations_a_week": invocations_a_week}
        return {"name": name, "setting": name, **asked, **size}

    consumers = [consumer("player_state", 5, 6e7), consumer("processor", 1, 6e7)]
    (advice,) = advise.advise(Observations.model_validate({"consumers": consumers}))
    assert (advice.setting, advice.now, advice.then) == ("processor.batch_window_seconds", "1", "2")
    # Half of 26.07 M invocations at $0.0000002 and 2 ms of 1.7275 GB would be saved: not worth a deploy.
    consumers = [consumer("player_state", 5, 6e6), consumer("processor", 1, 6e6)]
    assert advise.advise(Observations.model_validate({"consumers": consumers})) == []


@pytest.mark.parametrize(
    ("on_demand", "busiest", "a_week", "then", "saving"),
    [
        # 100 writes a second all week: $164.25 on demand; 142.86 units and a read unit for 168 h are $67.88.
        (True, [100] * 168, 60_480_000, "PROVISIONED", 96.37),
        # The same in minutes of 600 a second: 857.1 units are $406.81.
        (True, [600] * 168, 60_480_000, None, None),
        (False, [600] * 168, 60_480_000, "PAY_PER_REQUEST", 242.56),
        (True, [1] * 168, 604_800, None, None),
    ],
)
def test_a_table_is_billed_as_is_cheaper(
    on_demand: bool, busiest: list[float], a_week: float, then: str | None, saving: float | None
) -> None:
    table = {
        "name": "players", "throttled_a_week": 0, "on_demand": on_demand,
        "writes": {"a_week": a_week, "busiest": busiest},
    }  # fmt: skip
    found = advise.advise(Observations.model_validate({"tables": [table]}))
    assert [(one.then, one.saving_usd) for one in found] == ([(then, saving)] if then else [])


def test_full_batches_that_fall_behind_are_made_larger() -> None:
    consumer = {
        "name": "p", "setting": "processor", "batch_size": 2000, "window_seconds": 1, "mean_ms": 900,
        "records_a_week": 1.9e9, "invocations_a_week": 1e6, "memory_mb": 1769, "furthest_behind_ms": 90_000,
    }  # fmt: skip
    (advice,) = advise.advise(Observations.model_validate({"consumers": [consumer]}))
    assert (advice.setting, advice.now, advice.then) == ("processor.batch_size", "2000", "4000")
    assert advice.evidence == "1900 records a batch of 2000, and up to 90 s behind."
    well = consumer | {"furthest_behind_ms": 900}
    assert advise.advise(Observations.model_validate({"consumers": [well]})) == []


def test_text_names_saving_evidence_and_what_is_missing() -> None:
    week = recorded("too_small.json")
    words = advise.text(advise.advise(week), week.unreadable)
    assert (
        "raw: streams.raw_shards from 2 to 4, costs $21.90 a month\n  The busiest minute had 2.00 MB" in words
    )
    assert words.endswith("Could not be read, and not judged: demo-bronze.\n")


class CloudWatch:
    """Metrics by name; what it does not know has no data. `series` have more dimensions than a name says."""

    def __init__(self, values: dict[str, float], series: dict[str, list[float]] | None = None) -> None:
        self.values = values
        self.series = series or {}

    def get_metric_statistics(self, **asked: Any) -> dict[str, Any]:
        (statistic,) = asked["Statistics"]
        value = self.values.get(asked["MetricName"])
        point = {statistic: value, "Timestamp": asked["StartTime"]}
        return {"Datapoints": [] if value is None else [point]}

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        (query,) = asked["MetricDataQueries"]
        found = [
            value
            for name, values in self.series.items()
            if query["Expression"].startswith("SEARCH('") and f'MetricName="{name}"' in query["Expression"]
            for value in values
        ]
        return {"MetricDataResults": [{"Values": [value]} for value in found]}


class Flink:
    """A job of four tasks."""

    def describe_application(self, **_: str) -> dict[str, Any]:
        described = {"ParallelismConfigurationDescription": {"Parallelism": 4, "ParallelismPerKPU": 1}}
        configuration = {"FlinkApplicationConfigurationDescription": described}
        return {"ApplicationDetail": {"ApplicationConfigurationDescription": configuration}}


def read_flink(lag: list[float]) -> Observations:
    """Return a week of a job whose CPU idles, by what its shards say of their lag."""
    cloudwatch = CloudWatch({"cpuUtilization": 10}, {"millisBehindLatest": lag})
    clients = {"cloudwatch": cloudwatch, "kinesisanalyticsv2": Flink()}
    week = collector.Collector(clients.__getitem__, NOW)
    return week.read(Watched(flink="job"))


def test_the_shard_that_is_furthest_behind_counts(aws: None) -> None:
    found = read_flink([200, 90_000])
    assert found.flink is not None
    assert found.flink.furthest_behind_ms == 90_000
    assert [(one.now, one.then) for one in advise.advise(found)] == [("4", "8")]


def test_a_job_whose_lag_is_unknown_is_not_shrunk(aws: None) -> None:
    found = read_flink([])
    assert (found.flink, found.unreadable, advise.advise(found)) == (None, ["job"], [])


def test_a_week_is_read_and_what_cannot_be_is_named(aws: None) -> None:
    boto3.client("kinesis").create_stream(StreamName="raw", ShardCount=3)
    boto3.client("dynamodb").create_table(
        TableName="players",
        KeySchema=[{"AttributeName": "player", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "player", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    values = {"IncomingBytes": 6e6, "GetRecords.Bytes": 12e6, "IncomingRecords": 600, "ReadThrottleEvents": 4}
    values["ConsumedWriteCapacityUnits"] = 1200

    def client(service: str) -> Any:
        return CloudWatch(values) if service == "cloudwatch" else boto3.client(service)  # type: ignore[call-overload]

    watched = Watched(
        streams={"streams.raw_shards": "raw", "streams.enriched_shards": "gone"}, tables=["players"]
    )
    found = collector.Collector(client, NOW).read(watched)
    (stream,) = found.streams
    assert (stream.on_demand, stream.shards, stream.consumers) == (False, 3, 2)
    assert (stream.bytes_a_week, stream.peak_bytes_a_second, stream.peak_records_a_second) == (6e6, 1e5, 10)
    (table,) = found.tables
    assert (table.throttled_a_week, table.on_demand, table.reads.a_week) == (4, True, 0)
    # A minute of 1,200 units on each of seven days.
    assert (table.writes.a_week, table.writes.busiest) == (8400, [20] * 7)
    assert found.unreadable == ["gone"]
    silent = collector.Collector(lambda s: CloudWatch({}) if s == "cloudwatch" else client(s), NOW)
    assert silent.read(watched).unreadable == ["raw", "gone"]
    assert advise.advise(silent.read(Watched(streams={"streams.raw_shards": "raw"}))) == []
    assert found.flink is None


def test_a_consumer_and_its_mapping(aws: None) -> None:
    class Lambda:
        def get_function_configuration(self, **_: str) -> dict[str, int]:
            return {"MemorySize": 512, "Timeout": 60}

        def list_event_source_mappings(self, **_: str) -> dict[str, Any]:
            mapping = {"EventSourceArn": "arn:aws:kinesis:eu-west-1:1:stream/raw", "BatchSize": 100}
            return {"EventSourceMappings": [mapping | {"MaximumBatchingWindowInSeconds": 2}]}

    metrics = {"Invocations": 50, "Duration": 80, "IncomingRecords": 400}
    clients = {"cloudwatch": CloudWatch(metrics), "lambda": Lambda()}
    watched = Watched(consumers={"processor.batch_window_seconds": "p"})
    week = collector.Collector(clients.__getitem__, NOW)
    found = week.read(watched)
    assert (found.consumers[0].memory_mb, found.consumers[0].mean_ms) == (512, 80)
    assert (found.consumers[0].records_a_week, found.consumers[0].window_seconds) == (400, 2)


def test_advice_is_archived_mailed_and_remembered(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from performance_advisor import handler

    boto3.client("s3").create_bucket(Bucket="lake")
    boto3.client("kinesis").create_stream(StreamName="raw", ShardCount=9)
    measured = {"Dimensions": [{"Name": "StreamName", "Value": "raw"}], "MetricName": "IncomingBytes"}
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/Kinesis",
        MetricData=[measured | {"Value": 1024, "Timestamp": datetime.now(UTC) - timedelta(hours=1)}],
    )
    topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    monkeypatch.setenv("TOPIC_ARN", topic)
    monkeypatch.setenv("WATCHED", json.dumps({"streams": {"streams.raw_shards": "raw"}}))
    handler.settings.cache_clear()
    try:
        # 9 shards of which one takes 1 KB a minute: 8 too many.
        assert handler.lambda_handler({}, Context()) == {"changes": 1, "saving_usd": 87.6}
        assert handler.lambda_handler({}, Context())["changes"] == 1
        told = command.words(dict(os.environ))
        assert told.startswith("raw: streams.raw_shards from 9 to 1, saves $87.60 a month")
    finally:
        handler.settings.cache_clear()
    s3 = boto3.client("s3")
    newest = json.loads(s3.get_object(Bucket="lake", Key="advice/newest.json")["Body"].read())
    assert newest["advice"][0]["setting"] == "streams.raw_shards"
    day = f"advice/{datetime.now(UTC):%Y-%m-%d}"
    keys = {item["Key"] for item in s3.list_objects_v2(Bucket="lake")["Contents"]}
    assert keys == {f"{day}.json", f"{day}.txt", "advice/newest.json"}
