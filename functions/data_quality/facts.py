"""What is known of a game's data: read from the counters that the pipeline writes, by key."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
from telemetry.anomaly import HOURS
from telemetry.silver import Lake
from telemetry.store import Store

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

DAYS = 29
# Of the hours that tell what is usual, and today.
HOUR_DAYS = HOURS // 24 + 2
# Windows are published minutes after their end, and counters of minutes take late events for an hour.
WINDOWS_SINCE, WINDOWS_UNTIL = timedelta(minutes=40), timedelta(minutes=10)
RUNS, HOUR = "batch/runs/", "%Y-%m-%dT%H"


@dataclass(frozen=True, slots=True)
class History:
    """A batch run's audit: when it ended, and by game what it found wrong and what it counted.

    `arrived` are silver's events by game that were received in `hour`, which bronze has in full.
    """

    ended_at: datetime
    faults: Mapping[str, list[str]]
    games: Mapping[str, Lake] = field(default_factory=dict)
    hour: datetime | None = None
    arrived: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """One game at one moment; `arrived` and `happened` are counters by UTC day, oldest first, today last.

    `hours` are the events accepted in each hour since the game's first, oldest first, and of seven weeks at
    most; the last is the hour that ended last.
    `by_minutes` and `by_windows` are events of the same half hour, as player_state and as the stream job
    counted them; None where the stream job published nothing. `lake` is None where the newest batch run
    took nothing of the game, `in_lake` its events in silver of the hour that the history names. `faults` are
    why that run published nothing of the game. `published` are gold's figures by day, where gold was read.
    A batch run starts every `history_every`.
    """

    now: datetime
    arrived: list[Counter[str]]
    happened: list[Counter[str]]
    hours: Sequence[int] = (0,)
    updated_at: datetime | None = None
    by_minutes: int = 0
    by_windows: int | None = None
    history: History | None = None
    in_lake: int | None = None
    lake: Lake | None = None
    published: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    faults: Sequence[str] = ()
    history_every: timedelta = timedelta(hours=1)


def read(
    store: Store, game_id: str, now: datetime, history: History | None, history_every: timedelta
) -> Facts:
    """Read a game's facts at a moment (aware)."""
    days = [now.date() - timedelta(days=age) for age in reversed(range(HOUR_DAYS))]
    arrived = [tally.counts for tally in store.ingest_stats(game_id, days)]
    happened = store.game_days(game_id, days[-DAYS:])
    written = [tally.updated_at for tally in happened if tally.updated_at]
    return Facts(
        now=now,
        arrived=arrived[-DAYS:],
        hours=hours_of(days, arrived, now),
        happened=[tally.counts for tally in happened],
        updated_at=datetime.fromisoformat(max(written)) if written else None,
        by_minutes=_minutes(store, game_id, now),
        by_windows=_windows(store, game_id, now),
        history=history,
        in_lake=history.arrived.get(game_id, 0) if history and history.hour else None,
        lake=history.games.get(game_id) if history else None,
        faults=history.faults.get(game_id, ()) if history else (),
        history_every=history_every,
    )


def hours_of(days: Sequence[date], arrived: Sequence[Counter[str]], now: datetime) -> list[int]:
    """Return the events of each hour that is over, from the first hour with any; 0 where there is none."""
    over = [
        counts[f"hour_{hour:02}"]
        for day, counts in zip(days, arrived, strict=True)
        for hour in range(now.hour if day == now.date() else 24)
    ]
    first = next((place for place, events in enumerate(over) if events), len(over) - 1)
    return over[first:]


def newest_audit(s3: "S3Client", bucket: str) -> History | None:
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
    _, key = max(audits)
    return _audit(s3, bucket, key)


def _audit(s3: "S3Client", bucket: str, key: str) -> History:
    answer = s3.get_object(Bucket=bucket, Key=key)
    body = orjson.loads(answer["Body"].read())
    return History(
        ended_at=answer["LastModified"].astimezone(UTC),
        faults=body["faults"],
        games={game: Lake(**counted) for game, counted in body["games"].items()},
        hour=datetime.strptime(body["hour"], HOUR).replace(tzinfo=UTC),
        arrived=body["arrived"],
    )


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
