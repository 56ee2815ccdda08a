"""Rows of the metrics stream as items of the real-time table: pure functions, no AWS."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import orjson
from telemetry.metric_model import CUSTOM

# What the stream job counts the versions and other names under that a minute does not name.
OTHER_VERSION = "other"
UNNAMED = ".*"

Row = dict[str, Any]
Item = dict[str, str | int]


def item_of(row: Row, retention: timedelta) -> Item:
    """Return the item of a row of Flink's.

    A window's series is `game#kind#platform#version` and its key the window's start. A window of a value of a
    custom dimension has the series `game#kind#custom_1` and the key `start#value`, so that one query reads
    all values. An alert's series is `game#alerts` and its key `end#alert#subject`. `measures` is JSON;
    `expires_at` is in seconds since 1970.
    """
    ends = datetime.fromisoformat(row["window_end"])
    expires = int((ends + retention).timestamp())
    if row["kind"] == "alert":
        found = {"observed": row["observed"], "reference": row["reference"]}
        key = f"{row['window_end']}#{row['alert']}#{row['subject']}"
        return _item(f"{row['game_id']}#alerts", key, orjson.dumps(found).decode(), expires)
    series, start = f"{row['game_id']}#{row['kind']}#{row['platform']}", row["window_start"]
    if row["platform"] in CUSTOM:
        return _item(series, f"{start}#{row['app_version']}", row["measures"], expires)
    return _item(f"{series}#{row['app_version']}", start, row["measures"], expires)


def events_of(row: Row) -> tuple[int, int]:
    """Return how many events a row tells of for the first time: counted in a minute, and dropped as late."""
    if row["kind"] == "dropped":
        return 0, orjson.loads(row["measures"])["dropped.events"]
    if (row["kind"], row.get("platform"), row.get("app_version")) == ("1m", "*", "*"):
        measures = orjson.loads(row["measures"]).items()
        return sum(amount for name, amount in measures if name.startswith("events.")), 0
    return 0, 0


def capped_minutes(rows: Iterable[Row]) -> int:
    """Return in how many minutes of a game versions or other names are counted together."""
    found = {
        (row["game_id"], row["window_start"])
        for row in rows
        if (row["kind"], row.get("platform")) == ("1m", "*") and _is_capped(row)
    }
    return len(found)


def _is_capped(row: Row) -> bool:
    if row["app_version"] == OTHER_VERSION:
        return True
    return any(name.endswith(UNNAMED) for name in orjson.loads(row["measures"]))


def _item(series: str, window: str, measures: str, expires_at: int) -> Item:
    return {"series": series, "window": window, "measures": measures, "expires_at": expires_at}
