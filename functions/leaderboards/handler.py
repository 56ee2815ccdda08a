"""Lambda of the scores on the enriched stream: the entries of leaderboards."""

from functools import cache
from typing import Any

import msgspec
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from telemetry import enriched_records, environment, logs
from telemetry.client_names import NameLimits, Names
from telemetry.clients import client

from leaderboards.entries import Leaderboards

logger = logs.logger()
metrics = Metrics()


class Settings(msgspec.Struct, frozen=True):
    """Environment of the function, set by Terraform."""

    boards_table: str
    game_days_table: str
    leaderboards_table: str
    name_limits: NameLimits = NameLimits()


@cache
def boards() -> Leaderboards:
    """Connect once an execution environment."""
    settings, dynamodb = environment.parse(Settings), client("dynamodb")
    names = Names(dynamodb, settings.game_days_table, settings.name_limits)
    return Leaderboards(dynamodb, settings.leaderboards_table, settings.boards_table, names)


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the record Lambda must go on from: the first whose score is not on every board it feeds."""
    records = event["Records"]
    events = [enriched_records.event_of(record) for record in records]
    writer = boards()
    lost = writer.submit(events)
    metrics.add_metric("EventsCapped", MetricUnit.Count, writer.capped)
    return {"batchItemFailures": enriched_records.failures(records, events, lost)}
