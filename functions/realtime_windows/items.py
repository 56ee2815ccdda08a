"""Rows of the metrics stream as items of the real-time table: pure functions, no AWS."""

from datetime import datetime, timedelta
from typing import Any

import orjson

Row = dict[str, Any]
Item = dict[str, str | int]


def item_of(row: Row, retention: timedelta) -> Item:
    """Return the item of a row of Flink's.

    A window's series is `game#kind#platform#version` and its key the window's start; an alert's series is
    `game#alerts` and its key `end#alert#subject`. `measures` is JSON; `expires_at` is in seconds since 1970.
    """
    ends = datetime.fromisoformat(row["window_end"])
    expires = int((ends + retention).timestamp())
    if row["kind"] == "alert":
        found = {"observed": row["observed"], "reference": row["reference"]}
        key = f"{row['window_end']}#{row['alert']}#{row['subject']}"
        return _item(f"{row['game_id']}#alerts", key, orjson.dumps(found).decode(), expires)
    series = f"{row['game_id']}#{row['kind']}#{row['platform']}#{row['app_version']}"
    return _item(series, row["window_start"], row["measures"], expires)


def _item(series: str, window: str, measures: str, expires_at: int) -> Item:
    return {"series": series, "window": window, "measures": measures, "expires_at": expires_at}
