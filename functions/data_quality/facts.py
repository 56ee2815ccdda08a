"""What is known of a game's data: read from the counters that the pipeline writes, by key."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from metrics_api.store import Store

DAYS = 29
# Windows are published minutes after their end, and counters of minutes take late events for an hour.
WINDOWS_SINCE, WINDOWS_UNTIL = timedelta(minutes=40), timedelta(minutes=10)
RUNS = "batch/runs/"


@dataclass(frozen=True, slots=True)
class History:
    """The batch job's newest audit: when it ended and what it found wrong."""

    ended_at: datetime
    faults: list[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """One game at one moment; `arrived` and `happened` are counters by UTC day, oldest first, today last.

    `by_minutes` and `by_windows` are events of the same half hour, as player_state and as the stream job
    counted them; None where the stream job published nothing.
    """

    now: datetime
    arrived: list[Counter[str]]
    happened: list[Counter[str]]
    updated_at: datetime | None = None
    by_minutes: int = 0
    by_windows: int | None = None
    history: History | None = None


def read(store: Store, game_id: str, now: datetime, history: History | None) -> Facts:
    """Read a game's facts at a moment (aware)."""
    days = [now.date() - timedelta(days=age) for age in reversed(range(DAYS))]
    happened = store.game_days(game_id, days)
    written = [tally.updated_at for tally in happened if tally.updated_at]
    return Facts(
        now=now,
        arrived=[tally.counts for tally in store.ingest_stats(game_id, days)],
        happened=[tally.counts for tally in happened],
        updated_at=datetime.fromisoformat(max(written)) if written else None,
        by_minutes=_minutes(store, game_id, now),
        by_windows=_windows(store, game_id, now),
        history=history,
    )


def newest_audit(s3: Any, bucket: str) -> History | None:
    """Return the audit of the lake's newest batch run, None where none has run."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=RUNS)
    audits = [
        (item["LastModified"], item["Key"])
        for page in pages
        for item in page.get("Contents", [])
        if item["Key"].endswith("/audit.json")
    ]
    if not audits:
        return None
    ended_at, key = max(audits)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return History(ended_at.astimezone(UTC), orjson.loads(body)["faults"])


def _span(now: datetime) -> range:
    """Return the minutes since 1970 that both counts are complete for."""
    return range(*(int((now - age).timestamp()) // 60 for age in (WINDOWS_SINCE, WINDOWS_UNTIL)))


def _minutes(store: Store, game_id: str, now: datetime) -> int:
    span = _span(now)
    hours = sorted({minute // 60 for minute in span})
    rows = store.rows(f"{game_id}#hour-{hour}" for hour in hours)
    return sum(
        row.get("events", 0)
        for hour, found in zip(hours, rows, strict=True)
        for row in found
        if 60 * hour + int(row["shard"].split("#", 1)[0]) in span
    )


def _windows(store: Store, game_id: str, now: datetime) -> int | None:
    span = _span(now)
    since = f"{datetime.fromtimestamp(span[0] * 60, UTC):%Y-%m-%dT%H:%M:%SZ}"
    (windows,) = store.series([f"{game_id}#1m#*#*"], since)
    counted = [
        sum(value for name, value in orjson.loads(window["measures"]).items() if name.startswith("events."))
        for window in windows
        if int(datetime.fromisoformat(window["window"]).timestamp()) // 60 in span
    ]
    return sum(counted) if counted else None
