"""Read a week of metrics and the configuration they belong to (CloudWatch, Kinesis, Lambda, DynamoDB, …)."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from performance_advisor import models
from performance_advisor.settings import Watched

WEEK, MINUTE = timedelta(days=7), 60
PARTS, MOST_PAGES = ("silver/", "gold/"), 200
# CloudWatch has no metric of it without Lambda Insights; this scans the log of a week, once a week.
MEMORY_QUERY = 'filter type = "platform.report" | stats max(record.metrics.maxMemoryUsedMB) as used'
QUERY_SECONDS = 30
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

    def read(
        self, watched: Watched, log_prefix: str, curves: Mapping[str, Mapping[int, float]]
    ) -> models.Observations:
        """Read all that is watched; `curves` are earlier milliseconds of functions, by memory."""
        return models.Observations(
            streams=self._every(self._stream, watched.streams.items()),
            functions=self._every(lambda named: self._function(named, curves), watched.functions.items()),
            consumers=self._every(self._consumer, watched.consumers.items()),
            tables=self._every(self._table, watched.tables),
            deliveries=self._every(self._delivery, watched.deliveries.items()),
            log_groups=self._try(self._log_groups, log_prefix) or [],
            files=self._every(
                lambda named: self._files(named, watched.optimized),
                [
                    (setting, f"{bucket}/{part}")
                    for setting, bucket in watched.files.items()
                    for part in PARTS
                ],
            ),
            flink=self._try(self._flink, watched.flink),
            spark=self._try(lambda name: self._spark(name, watched), watched.spark),
            warehouse=self._try(self._warehouse, watched.warehouse),
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

    def _function(
        self, named: tuple[str, str], curves: Mapping[str, Mapping[int, float]]
    ) -> models.Function | None:
        setting, name = named
        dimensions = {"FunctionName": name}
        invocations = self._sum("AWS/Lambda", "Invocations", dimensions)
        if not invocations:
            return None
        found = self.client("lambda").get_function_configuration(FunctionName=name)
        return models.Function(
            name=name,
            setting=setting,
            memory_mb=found["MemorySize"],
            timeout_seconds=found["Timeout"],
            invocations_a_week=invocations,
            mean_ms=self._most("AWS/Lambda", "Duration", dimensions, "Average"),
            longest_ms=self._most("AWS/Lambda", "Duration", dimensions),
            used_mb=self._try(self._memory_used, f"/aws/lambda/{name}") if setting else None,
            curve=dict(curves.get(name, {})),
        )

    def _memory_used(self, log_group: str) -> float | None:
        """Return the most megabytes of an invocation, by the line that Lambda ends it with; None without any.

        Raises ValueError where Logs Insights does not answer in time.
        """
        logs = self.client("logs")
        query = logs.start_query(
            logGroupName=log_group, queryString=MEMORY_QUERY,
            startTime=int((self.end - WEEK).timestamp()), endTime=int(self.end.timestamp()),
        )["queryId"]  # fmt: skip
        for _ in range(QUERY_SECONDS):
            answer = logs.get_query_results(queryId=query)
            if answer["status"] == "Complete":
                cells = [cell for row in answer["results"] for cell in row if cell["field"] == "used"]
                return float(cells[0]["value"]) if cells else None
            time.sleep(1)
        raise ValueError(f"{log_group}: the query is {answer['status']}")

    def _consumer(self, named: tuple[str, str]) -> models.Consumer | None:
        setting, name = named
        function = self._function(("", name), {})
        (mapping,) = self.client("lambda").list_event_source_mappings(FunctionName=name)[
            "EventSourceMappings"
        ]
        if function is None:
            return None
        stream = mapping["EventSourceArn"].rpartition("/")[2]
        return models.Consumer(
            name=name,
            setting=setting,
            batch_size=mapping["BatchSize"],
            window_seconds=mapping["MaximumBatchingWindowInSeconds"],
            records_a_week=self._known("AWS/Kinesis", "IncomingRecords", {"StreamName": stream}),
            invocations_a_week=function.invocations_a_week,
            mean_ms=function.mean_ms,
            memory_mb=function.memory_mb,
            furthest_behind_ms=self._most("AWS/Lambda", "IteratorAge", {"FunctionName": name}),
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

    def _delivery(self, named: tuple[str, str]) -> models.Delivery:
        setting, name = named
        found = self.client("firehose").describe_delivery_stream(DeliveryStreamName=name)
        (destination,) = found["DeliveryStreamDescription"]["Destinations"]
        dimensions = {"DeliveryStreamName": name}
        # DeliveryToS3.Success counts writes of objects; its sum is how many succeeded.
        return models.Delivery(
            name=name,
            setting=setting,
            seconds=destination["ExtendedS3DestinationDescription"]["BufferingHints"]["IntervalInSeconds"],
            bytes_a_week=self._known("AWS/Firehose", "DeliveryToS3.Bytes", dimensions),
            objects_a_week=self._sum("AWS/Firehose", "DeliveryToS3.Success", dimensions),
        )

    def _log_groups(self, prefix: str) -> list[models.LogGroup]:
        pages = self.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        return [
            models.LogGroup(
                name=group["logGroupName"],
                retention_days=group.get("retentionInDays"),
                stored_bytes=group.get("storedBytes", 0),
            )
            for page in pages
            for group in page["logGroups"]
        ]

    def _files(self, named: tuple[str, str], optimized: bool) -> models.Files:
        """Count the files below <bucket>/<prefix>, the first 200,000."""
        setting, (bucket, _, prefix) = named[0], named[1].partition("/")
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = [
            item
            for page in islice(pages, MOST_PAGES)
            for item in page.get("Contents", [])
            if item["Key"].endswith(".parquet")
        ]
        return models.Files(
            name=prefix.rstrip("/"),
            setting=setting,
            optimized=optimized,
            files=len(found),
            bytes=sum(item["Size"] for item in found),
            folders=len({item["Key"].rpartition("/")[0] for item in found}),
        )

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

    def _warehouse(self, name: str) -> models.Warehouse:
        redshift, dimensions = self.client("redshift-serverless"), {"Workgroup": name}
        workgroup = redshift.get_workgroup(workgroupName=name)["workgroup"]
        limits = redshift.list_usage_limits(resourceArn=workgroup["workgroupArn"])["usageLimits"]
        namespace = "AWS/Redshift-Serverless"
        # Queries are counted by database and kind.
        queued = self._found(namespace, "QueriesQueued", "Sum", "Workgroup", name)
        return models.Warehouse(
            base_rpu=workgroup["baseCapacity"],
            limit_rpu_hours_a_day=min((limit["amount"] for limit in limits), default=None),
            rpu_hours_a_day=self._sum(namespace, "ComputeSeconds", dimensions) / 3600 / WEEK.days,
            queries_queued_a_day=sum(queued) / WEEK.days,
        )
