"""Rows of the metrics stream, as the Flink job writes them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

GAME = "space-race"
NOW = datetime.now(UTC).replace(second=0, microsecond=0)


def at(minutes: int) -> str:
    """Return the time so many minutes ago, as the job writes it."""
    return f"{NOW - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def row(minutes: int, measures: dict[str, int], kind: str = "1m", **fields: str) -> dict[str, Any]:
    """Return a window of the job that began so many minutes ago."""
    return {
        "kind": kind,
        "game_id": GAME,
        "platform": "*",
        "app_version": "*",
        "window_start": at(minutes),
        "window_end": at(minutes - 1),
        "measures": json.dumps(measures),
    } | fields
