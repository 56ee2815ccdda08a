"""Enriched events of one player, as player_state reads them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

import boto3
from enriched_stream import feed
from player_state.players import PlayerStore
from telemetry.enrichment import timestamp

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def happen(
    event_type: str = "session_start", minute: float = 0, session: str = "", late: bool = True, **payload: Any
) -> dict[str, Any]:
    """Return what player_state reads of an enriched event, `minute` minutes after noon.

    Without a session the event is in a session of its own.
    """
    moment = NOON + timedelta(minutes=minute)
    return {
        "event_id": str(uuid4()),
        "event_type": event_type,
        "game_id": "skyforge",
        "player_id": "p-1",
        "corrected_time": timestamp(moment),
        "received_at": timestamp(moment),
        "ingest_source": "rest",
        "event_date": moment.date().isoformat(),
        "session_id": str(uuid5(NAMESPACE_OID, session) if session else uuid4()),
        "country": "DE",
        "platform": "ios",
        "app_version": "1.0.0",
        "late": late,
        "payload": payload,
    }


def pay(minute: float, amount: int, currency: str = "EUR") -> dict[str, Any]:
    """Return a purchase."""
    paid = {"transaction_id": str(uuid4()), "store": "apple"}
    return happen("purchase", minute, currency=currency, amount_minor=amount, **paid)


def write(*events: dict[str, Any]) -> None:
    """Count events as player_state does."""
    players = PlayerStore(boto3.client("dynamodb"), "players", "game_days")
    assert feed(players, events).lost == []
