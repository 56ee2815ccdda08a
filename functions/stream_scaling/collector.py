"""How full a stream was, from CloudWatch."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from telemetry import shards

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

MINUTE = 60
METRICS = ("IncomingBytes", "IncomingRecords")


def minutes(cloudwatch: "CloudWatchClient", stream: str, now: datetime) -> list[float]:
    """Return the shards that each minute of the last day filled, the newest first, without silent ones."""
    queries: list[MetricDataQueryTypeDef] = [
        {
            "Id": metric.lower(),
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Kinesis",
                    "MetricName": metric,
                    "Dimensions": [{"Name": "StreamName", "Value": stream}],
                },
                "Period": MINUTE,
                "Stat": "Sum",
            },
        }
        for metric in METRICS
    ]
    sums: dict[str, dict[datetime, float]] = {metric.lower(): {} for metric in METRICS}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=now - timedelta(days=1), EndTime=now
    )
    for result in (result for page in pages for result in page["MetricDataResults"]):
        sums[result["Id"]] |= dict(zip(result["Timestamps"], result["Values"], strict=True))
    put, records = sums.values()
    times = sorted(put.keys() | records.keys(), reverse=True)
    return [shards.used(put.get(at, 0) / MINUTE, records.get(at, 0) / MINUTE) for at in times]
