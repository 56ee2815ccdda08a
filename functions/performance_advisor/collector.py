"""Read a week of metrics and the configuration they belong to."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from performance_advisor import models
from performance_advisor.settings import Watched

WEEK, MINUTE = timedelta(days=7), 60
Read = TypeVar("Read")
Named = TypeVar("Named", bound=str | tuple[str, str])
Clients = Callable[[str], Any]

logger = Logger(child=True)


@dataclass(slots=True)
class Collector:
    """The seven days to a moment, through boto3 clients by service name.

    What cannot be read is noted in `unreadable` and left out: advice on the rest is worth having.
    """

    client: Clients
    end: datetime
    unreadable: list[str] = field(default_factory=list)

    def read(self, watched: Watched) -> models.Observations:
        """Read all that is watched."""
        return models.Observations(
            streams=self._every(self._stream, watched.streams.items()),
            consumers=self._every(self._consumer, watched.consumers.items()),
            tables=self._every(self._table, watched.tables),
            flink=self._try(self._flink, watched.flink),
            spark=self._try(lambda name: self._spark(name, watched), watched.spark),
            unreadable=self.unreadable,
        )

    def _every(self, read: Callable[[Named], Read | None], names: Iterable[Named]) -> list[Read]:
        found = (self._try(read, name) for name in names)
        return [one for one in found if one is not None]

    def _try(self, read: Callable[[Named], Read | None], named: Named) -> Read | None:
        if not named:
            return None
        name = named[1] if isinstance(named, tuple) else named
        try:
            return read(named)
        except (ClientError, BotoCoreError, KeyError, ValueError) as error:
            logger.warning("Cannot be read", resource=name, error=str(error))
            self.unreadable.append(str(name))
            return None

    def _metric(
        self,
        namespace: str,
        metric: str,
        statistic: str,
        dimensions: Mapping[str, str],
        period: int = 7 * 86400,
    ) -> list[float]:
        """Return the values of a metric, by period, of the week."""
        answer = self.client("cloudwatch").get_metric_statistics(
            Namespace=namespace, MetricName=metric, Statistics=[statistic], Period=period,
            StartTime=self.end - WEEK, EndTime=self.end,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        )  # fmt: skip
        return [point[statistic] for point in answer["Datapoints"]]

    def _found(self, namespace: str, metric: str, statistic: str, dimension: str, value: str) -> list[float]:
        """Return the week's values of a metric, of all series with a dimension, whatever others they have."""
        search = f'Namespace="{namespace}" MetricName="{metric}" {dimension}="{value}"'
        answer = self.client("cloudwatch").get_metric_data(
            MetricDataQueries=[
                {"Id": "found", "Expression": f"SEARCH('{search}', '{statistic}', {7 * 86400})"}
            ],
            StartTime=self.end - WEEK,
            EndTime=self.end,
        )
        return [one for series in answer["MetricDataResults"] for one in series["Values"]]

    def _known(self, namespace: str, metric: str, dimensions: Mapping[str, str]) -> float:
        """Return a sum that advice to shrink may rest on. Raises ValueError where nothing was measured."""
        if not (values := self._metric(namespace, metric, "Sum", dimensions)):
            raise ValueError(f"{metric} has no data")
        return sum(values)

    def _sum(self, namespace: str, metric: str, dimensions: Mapping[str, str]) -> float:
        return sum(self._metric(namespace, metric, "Sum", dimensions))

    def _most(
        self, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str = "Maximum"
    ) -> float:
        return max(self._metric(namespace, metric, statistic, dimensions), default=0)

    def _stream(self, named: tuple[str, str]) -> models.Stream:
        setting, name = named
        kinesis, dimensions = self.client("kinesis"), {"StreamName": name}
        found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        put = self._known("AWS/Kinesis", "IncomingBytes", dimensions)
        read = self._sum("AWS/Kinesis", "GetRecords.Bytes", dimensions)
        return models.Stream(
            name=name,
            setting=setting,
            on_demand=found["StreamModeDetails"]["StreamMode"] == "ON_DEMAND",
            shards=found["OpenShardCount"],
            bytes_a_week=put,
            peak_bytes_a_second=self._busiest("IncomingBytes", dimensions),
            peak_records_a_second=self._busiest("IncomingRecords", dimensions),
            consumers=round(read / put) if put else 1,
        )

    def _busiest(self, metric: str, dimensions: Mapping[str, str]) -> float:
        """Return a stream's metric a second, in the busiest minute."""
        return (
            max((total for _, total in self._minutes("AWS/Kinesis", metric, dimensions)), default=0) / MINUTE
        )

    def _minutes(
        self, namespace: str, metric: str, dimensions: Mapping[str, str]
    ) -> list[tuple[datetime, float]]:
        """Return a metric's sum of each minute that had any; a call gives 1,440 points, a day."""
        minutes = []
        for age in range(WEEK.days):
            end = self.end - timedelta(days=age)
            answer = self.client("cloudwatch").get_metric_statistics(
                Namespace=namespace, MetricName=metric, Statistics=["Sum"], Period=MINUTE,
                StartTime=end - timedelta(days=1), EndTime=end,
                Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            )  # fmt: skip
            minutes += [(point["Timestamp"], point["Sum"]) for point in answer["Datapoints"]]
        return minutes

    def _consumer(self, named: tuple[str, str]) -> models.Consumer | None:
        setting, name = named
        dimensions = {"FunctionName": name}
        invocations = self._sum("AWS/Lambda", "Invocations", dimensions)
        (mapping,) = self.client("lambda").list_event_source_mappings(FunctionName=name)[
            "EventSourceMappings"
        ]
        if not invocations:
            return None
        found = self.client("lambda").get_function_configuration(FunctionName=name)
        stream = mapping["EventSourceArn"].rpartition("/")[2]
        return models.Consumer(
            name=name,
            setting=setting,
            batch_size=mapping["BatchSize"],
            window_seconds=mapping["MaximumBatchingWindowInSeconds"],
            records_a_week=self._known("AWS/Kinesis", "IncomingRecords", {"StreamName": stream}),
            invocations_a_week=invocations,
            mean_ms=self._most("AWS/Lambda", "Duration", dimensions, "Average"),
            memory_mb=found["MemorySize"],
            furthest_behind_ms=self._most("AWS/Lambda", "IteratorAge", dimensions),
        )

    def _table(self, name: str) -> models.Table:
        described = self.client("dynamodb").describe_table(TableName=name)["Table"]
        throttled = (
            self._sum("AWS/DynamoDB", metric, {"TableName": name})
            for metric in ("ReadThrottleEvents", "WriteThrottleEvents")
        )
        return models.Table(
            name=name,
            throttled_a_week=sum(throttled),
            on_demand=described.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST",
            reads=self._units("ConsumedReadCapacityUnits", name),
            writes=self._units("ConsumedWriteCapacityUnits", name),
        )

    def _units(self, metric: str, table: str) -> models.Units:
        minutes = self._minutes("AWS/DynamoDB", metric, {"TableName": table})
        hours: dict[datetime, float] = defaultdict(float)
        for moment, units in minutes:
            hour = moment.replace(minute=0, second=0, microsecond=0)
            hours[hour] = max(hours[hour], units / MINUTE)
        return models.Units(a_week=sum(units for _, units in minutes), busiest=list(hours.values()))

    def _flink(self, name: str) -> models.Flink | None:
        dimensions, namespace = {"Application": name}, "AWS/KinesisAnalytics"
        found = self.client("kinesisanalyticsv2").describe_application(ApplicationName=name)[
            "ApplicationDetail"
        ]
        described = found["ApplicationConfigurationDescription"]["FlinkApplicationConfigurationDescription"]
        parallelism = described["ParallelismConfigurationDescription"]
        busiest = self._metric(namespace, "cpuUtilization", "Maximum", dimensions)
        if not busiest:
            return None
        # Each stream and shard reports its own lag.
        behind = self._found(namespace, "millisBehindLatest", "Maximum", "Application", name)
        if not behind:
            raise ValueError("millisBehindLatest has no data")
        return models.Flink(
            parallelism=parallelism["Parallelism"],
            units=-(-parallelism["Parallelism"] // parallelism["ParallelismPerKPU"]),
            busiest_cpu_percent=max(busiest),
            furthest_behind_ms=max(behind),
        )

    def _spark(self, state_machine_arn: str, watched: Watched) -> models.Spark:
        dimensions = {"StateMachineArn": state_machine_arn}
        longest = self._most("AWS/States", "ExecutionTime", dimensions)
        return models.Spark(
            every_hours=watched.spark_every_hours,
            maximum_executors=watched.spark_executors,
            longest_minutes=longest / 60_000,
        )
