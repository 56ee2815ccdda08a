"""Lambda of the enriched stream: player profiles, counters of each game's day."""

from functools import cache
from typing import Any

import msgspec
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from telemetry import enriched_records, environment, logs
from telemetry.client_names import NameLimits
from telemetry.clients import CONNECTIONS, client

from player_state.metrics import count_shown
from player_state.players import PlayerStore, Record

logger = logs.logger()
metrics = Metrics()


class Settings(msgspec.Struct, frozen=True):
    """Environment of the function, set by Terraform."""

    players_table: str
    game_days_table: str
    name_limits: NameLimits = NameLimits()


@cache
def store() -> PlayerStore:
    """Connect once an execution environment."""
    settings = environment.parse(Settings)
    return PlayerStore(
        client("dynamodb"),
        settings.players_table,
        settings.game_days_table,
        settings.name_limits,
        lanes=CONNECTIONS // 2,
    )


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the record Lambda must go on from: the first whose change could not be written."""
    records = event["Records"]
    shard = records[0]["eventID"].partition(":")[0]
    events = [enriched_records.event_of(record) for record in records]
    positions = (int(record["kinesis"]["sequenceNumber"]) for record in records)
    applied = store().apply(list(map(Record, positions, events)), shard)
    metrics.add_metric("EventsApplied", MetricUnit.Count, applied.events)
    metrics.add_metric("EventsCapped", MetricUnit.Count, applied.capped)
    metrics.add_metric("EventsRepeated", MetricUnit.Count, len(events) - applied.events - len(applied.lost))
    count_shown(metrics, events, applied.lost)
    return {"batchItemFailures": enriched_records.failures(records, events, applied.lost)}
