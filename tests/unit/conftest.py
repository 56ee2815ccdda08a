"""The tables and streams the functions use, in memory."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from telemetry import catalog
from telemetry.enrichment import timestamp

KEYS = {
    "games": ("game_id",),
    "dedupe": ("bucket",),
    "ingest_stats": ("game_day", "shard"),
    "players": ("player",),
    "game_days": ("game_day", "shard"),
    "leaderboards": ("board", "player_id"),
    "boards": ("game_id", "board_id"),
    "quality": ("game_id", "checked_at"),
    "realtime": ("series", "window"),
    "reports": ("report",),
}


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """A resource whose tables bear their plain names."""
    dynamodb = boto3.resource("dynamodb")
    for table, keys in KEYS.items():
        attributes = [*keys, "rank_key"] if table == "leaderboards" else list(keys)
        schema = [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ]
        by_rank = {
            "IndexName": "by_rank",
            "KeySchema": [schema[0], {"AttributeName": "rank_key", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        dynamodb.create_table(
            TableName=table,
            KeySchema=schema,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
            BillingMode="PAY_PER_REQUEST",
            **({"GlobalSecondaryIndexes": [by_rank]} if table == "leaderboards" else {}),
        )
    return dynamodb


@pytest.fixture
def make_event() -> Callable[..., dict[str, Any]]:
    """Build a valid event that happened now; keyword arguments replace fields."""

    def make(event_type: str = "session_start", **fields: Any) -> dict[str, Any]:
        folder = catalog.schema_directory() / event_type / "examples"
        event: dict[str, Any] = json.loads((folder / f"{event_type}.1-0-0.typical.pass.json").read_text())
        now = timestamp(datetime.now(UTC))
        return event | {"event_id": str(uuid4()), "event_time": now, "sent_at": now} | fields

    return make


@pytest.fixture
def metrics_app(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The metrics API on the tables in memory."""
    from metrics_api import settings, store

    for table in (
        "games",
        "players",
        "game_days",
        "leaderboards",
        "ingest_stats",
        "boards",
        "realtime",
        "quality",
    ):
        monkeypatch.setenv(f"{table.upper()}_TABLE", table)
    settings.settings.cache_clear()
    store.store.cache_clear()
    from metrics_api.app import app

    yield app
    store.store.cache_clear()
