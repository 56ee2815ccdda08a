"""Lambda of the raw stream: validate, enrich, deduplicate, and hand on."""

import gc
from functools import cache
from typing import Any

import msgspec
from aws_lambda_powertools import Metrics
from telemetry import environment, logs
from telemetry.clients import client, resource
from telemetry.games import GameRegistry

from processor.dedupe import Claims
from processor.metrics import publish
from processor.pipeline import Pipeline
from processor.recent_events import RecentEvents
from processor.stats import IngestStats

logger = logs.logger()
metrics = Metrics()
# The objects of a batch live until its end: to search them for garbage as they are made finds none.
gc.set_threshold(50_000)


class Settings(msgspec.Struct, frozen=True):
    """Environment of the function, set by Terraform."""

    games_table: str
    dedupe_table: str
    ingest_stats_table: str
    recent_events_table: str
    enriched_stream: str
    bronze_delivery_stream: str
    rejected_delivery_stream: str
    dedupe_window_hours: int


@cache
def pipeline() -> Pipeline:
    """Build the pipeline once an execution environment."""
    settings = environment.parse(Settings)
    dynamodb = client("dynamodb")
    return Pipeline(
        registry=GameRegistry(resource("dynamodb"), settings.games_table),
        claims=Claims(dynamodb, settings.dedupe_table, settings.dedupe_window_hours),
        stats=IngestStats(dynamodb, settings.ingest_stats_table),
        recent=RecentEvents(dynamodb, settings.recent_events_table),
        kinesis=client("kinesis"),
        firehose=client("firehose"),
        enriched_stream=settings.enriched_stream,
        bronze_delivery_stream=settings.bronze_delivery_stream,
        rejected_delivery_stream=settings.rejected_delivery_stream,
    )


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the record Lambda must go on from; a rejected event is handled, not retried."""
    done, retry_from = pipeline().process(event["Records"])
    publish(metrics, done)
    if retry_from is None:
        return {"batchItemFailures": []}
    logger.warning("Handing the batch back", extra={"from": retry_from})
    return {"batchItemFailures": [{"itemIdentifier": retry_from}]}
