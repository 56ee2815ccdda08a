"""Lambda of the enriched stream: player profiles, counters of each game's day, leaderboards."""

import base64
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import orjson
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from telemetry import environment, logs
from telemetry.clients import CONNECTIONS, client
from telemetry.event import EnrichedEvent

from player_state.leaderboards import Leaderboards
from player_state.metrics import count_shown
from player_state.names import NameLimits
from player_state.players import PlayerStore, Record

logger = logs.logger()
metrics = Metrics()


class Settings(msgspec.Struct, frozen=True):
    """Environment of the function, set by Terraform."""

    players_table: str
    game_days_table: str
    leaderboards_table: str
    boards_table: str
    name_limits: NameLimits = NameLimits()


@cache
def stores() -> tuple[PlayerStore, Leaderboards]:
    """Connect once an execution environment."""
    settings, dynamodb = environment.parse(Settings), client("dynamodb")
    players = PlayerStore(
        dynamodb,
        settings.players_table,
        settings.game_days_table,
        settings.name_limits,
        lanes=CONNECTIONS // 2,
    )
    boards = Leaderboards(dynamodb, settings.leaderboards_table, settings.boards_table, players.names)
    return players, boards


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the record Lambda must go on from: the first whose change could not be written."""
    records = event["Records"]
    shard = records[0]["eventID"].partition(":")[0]
    read = [_record(record["kinesis"]) for record in records]
    events = [record.event for record in read]
    players, leaderboards = stores()
    applied = players.apply(read, shard)
    repeated = len(events) - applied.events - len(applied.lost)
    lost = applied.lost + leaderboards.submit(events)
    metrics.add_metric("EventsApplied", MetricUnit.Count, applied.events)
    metrics.add_metric("EventsCapped", MetricUnit.Count, applied.capped + leaderboards.capped)
    metrics.add_metric("EventsRepeated", MetricUnit.Count, repeated)
    count_shown(metrics, events, lost)
    return {"batchItemFailures": _failures(records, events, lost)}


def _record(kinesis: dict[str, Any]) -> Record:
    return Record(int(kinesis["sequenceNumber"]), orjson.loads(base64.b64decode(kinesis["data"])))


def _failures(
    records: Sequence[dict[str, Any]], events: Sequence[EnrichedEvent], lost: Sequence[EnrichedEvent]
) -> list[dict[str, str]]:
    ids = {event["event_id"] for event in lost}
    numbers = (
        record["kinesis"]["sequenceNumber"]
        for record, event in zip(records, events, strict=True)
        if event["event_id"] in ids
    )
    first = next(numbers, None)
    return [{"itemIdentifier": first}] if first else []
