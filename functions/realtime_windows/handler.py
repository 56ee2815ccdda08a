"""Lambda of the metrics stream: each window and alert becomes an item; the same one again replaces itself."""

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from telemetry import environment, logs
from telemetry.clients import client, resource

from realtime_windows.alerts import Alerts
from realtime_windows.items import Row, capped_minutes, events_of, item_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

logger = logs.logger()
metrics = Metrics()


class Settings(msgspec.Struct, frozen=True):
    """Environment of the function, set by Terraform."""

    realtime_table: str
    retention_hours: int
    # Source of the alerts on the event bus. It is empty where alerts are not sent.
    alerts_source: str = ""
    # Address of the page that messages link to. It is empty where it is unknown.
    page_url: str = ""


@cache
def connection() -> tuple["Table", timedelta]:
    """Connect once an execution environment."""
    settings = environment.parse(Settings)
    return resource("dynamodb").Table(settings.realtime_table), timedelta(hours=settings.retention_hours)


@cache
def alerts() -> Alerts | None:
    """Connect to the event bus, where alerts are delivered."""
    settings = environment.parse(Settings)
    if not settings.alerts_source:
        return None
    return Alerts(client("events"), connection()[0], settings.alerts_source, settings.page_url.rstrip("/"))


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Write a batch; an error makes Lambda deliver it again, which does no harm."""
    table, retention = connection()
    rows = [orjson.loads(base64.b64decode(record["kinesis"]["data"])) for record in event["Records"]]
    with table.batch_writer(overwrite_by_pkeys=["series", "window"]) as batch:
        for row in rows:
            batch.put_item(Item=item_of(row, retention))
    if told := alerts():
        left_out = told.send((row for row in rows if row["kind"] == "alert"), datetime.now(UTC))
        metrics.add_metric("AlertsLeftOut", MetricUnit.Count, left_out)
    _count(metrics, rows)
    return {"batchItemFailures": []}


def _count(metrics: Metrics, rows: list[Row]) -> None:
    """Tell CloudWatch what the batch holds."""
    events = [events_of(row) for row in rows]
    metrics.add_metric("WindowsKept", MetricUnit.Count, len(rows))
    metrics.add_metric("MinutesCapped", MetricUnit.Count, capped_minutes(rows))
    metrics.add_metric("EventsCounted", MetricUnit.Count, sum(counted for counted, _ in events))
    metrics.add_metric("EventsDropped", MetricUnit.Count, sum(dropped for _, dropped in events))
