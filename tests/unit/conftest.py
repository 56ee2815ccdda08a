"""The tables and streams the functions use, in memory."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import nasty_engines
import nasty_game
import pytest
from gold_tables import DuckGold
from moto import mock_aws
from signed_in import CLIENT, Ask, asking
from telemetry import catalog
from telemetry.enrichment import timestamp
from tools.tables import make_tables


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """A resource whose tables bear their plain names."""
    dynamodb = boto3.resource("dynamodb")
    make_tables(dynamodb)
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
def event_loop() -> Iterator[None]:
    """The loop that a Lambda function's main thread has: tests before may have closed their worker's."""
    asyncio.set_event_loop(loop := asyncio.new_event_loop())
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def gold() -> DuckGold:
    """The tables of the history, empty."""
    return DuckGold()


@pytest.fixture
def metrics_app(dynamodb: Any, gold: DuckGold, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The metrics API on the tables in memory."""
    from telemetry import store

    for table in (
        "games",
        "players",
        "game_days",
        "leaderboards",
        "ingest_stats",
        "boards",
        "realtime",
        "quality",
        "recent_events",
        "saved_questions",
    ):
        monkeypatch.setenv(f"{table.upper()}_TABLE", table)
    store.store.cache_clear()
    from metrics_api.app import app
    from metrics_api.lake_answers import kept, lake_reader

    monkeypatch.setitem(app.dependency_overrides, lake_reader, lambda: gold)
    kept.cache_clear()
    yield app
    store.store.cache_clear()


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Let threads take turns as often as Python can, so that what they must not share shows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
def ask(metrics_app: Any, event_loop: None, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask the metrics API's function as API Gateway does, which people sign in to."""
    for name in CLIENT.__struct_fields__:
        monkeypatch.setenv(name.upper(), getattr(CLIENT, name))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "metrics-api")
    from metrics_api.handler import lambda_handler

    return asking(lambda_handler)


@pytest.fixture(scope="session")
def nasty_bronze() -> list[dict[str, Any]]:
    """What bronze has of the nasty game, and of another game the same with other players."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for table in nasty_engines.TABLES:
            patch.setenv(f"{table.upper()}_TABLE", table)
        nasty_engines.tables()
        sent = nasty_game.sent()
        lines: list[dict[str, Any]] = nasty_engines.processed(sent, boto3.client("dynamodb")).lines("bronze")
    ids = [line["event_id"] for line in lines]
    # The game has copies; the processor, and silver after it, keep one of each.
    assert len(set(ids)) == len(ids) < len(sent)
    others = [line | {"game_id": "arena", "player_id": f"other-{line['player_id']}"} for line in lines]
    return [*lines, *others]
