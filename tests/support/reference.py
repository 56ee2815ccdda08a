"""The windows by other means: DuckDB over the same events, and plain Python for what comes too late."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

Event = dict[str, Any]
Windows = dict[tuple[str, str], dict[str, int]]

MINUTE = timedelta(minutes=1)
SIZES = {"1m": 1, "5m": 5}

EVENTS = """
CREATE TABLE events AS
SELECT
  game_id, platform, app_version, player_id, session_id, event_type, payload, verified, custom_1, custom_2,
  date_trunc('minute', least(corrected_time, received_at)) AS minute,
  least(corrected_time, received_at) AS occurred_at, nth
FROM (SELECT *, row_number() OVER () AS nth FROM read_json(
  '{path}',
  format = 'newline_delimited',
  columns = {{
    event_id: 'VARCHAR', game_id: 'VARCHAR', platform: 'VARCHAR', app_version: 'VARCHAR',
    player_id: 'VARCHAR', session_id: 'VARCHAR', event_type: 'VARCHAR',
    corrected_time: 'TIMESTAMP', received_at: 'TIMESTAMP', verified: 'BOOLEAN',
    custom_1: 'VARCHAR', custom_2: 'VARCHAR',
    payload: 'STRUCT(name VARCHAR, mode VARCHAR, result VARCHAR, revenue_micros BIGINT, flow VARCHAR,
      currency VARCHAR, amount BIGINT, status VARCHAR, duration_seconds BIGINT, fps DOUBLE,
      latency_ms DOUBLE, store VARCHAR, transaction_id VARCHAR, amount_minor BIGINT,
      sandbox BOOLEAN, purchase_kind VARCHAR)'
  }}
))
QUALIFY row_number() OVER (PARTITION BY game_id, event_id ORDER BY occurred_at, nth) = 1;

CREATE TABLE named_versions AS
SELECT minute, game_id, app_version FROM events GROUP BY minute, game_id, app_version
QUALIFY row_number() OVER (PARTITION BY minute, game_id ORDER BY count(*) DESC, app_version) <= {versions};

UPDATE events SET app_version = 'other'
WHERE (minute, game_id, app_version) NOT IN (SELECT (minute, game_id, app_version) FROM named_versions);

CREATE TABLE named_currencies AS
SELECT minute, game_id, payload.currency AS currency FROM events WHERE event_type = 'economy'
GROUP BY minute, game_id, payload.currency
QUALIFY row_number() OVER (PARTITION BY minute, game_id ORDER BY count(*) DESC, currency) <= {items};

CREATE TABLE named_designs AS
SELECT minute, game_id, payload.name AS name FROM events WHERE event_type = 'design'
GROUP BY minute, game_id, payload.name
QUALIFY row_number() OVER (PARTITION BY minute, game_id ORDER BY count(*) DESC, name) <= {items};

CREATE TABLE named_modes AS
SELECT minute, game_id, payload.mode AS mode FROM events WHERE event_type = 'match_end'
GROUP BY minute, game_id, payload.mode
QUALIFY row_number() OVER (PARTITION BY minute, game_id ORDER BY count(*) DESC, mode) <= {items};

CREATE TABLE purchases AS
SELECT * FROM (
  SELECT * FROM events WHERE event_type = 'purchase'
  QUALIFY row_number() OVER (
    PARTITION BY game_id, payload.store, payload.transaction_id ORDER BY occurred_at, nth
  ) = 1
)
WHERE payload.sandbox IS NOT TRUE AND payload.purchase_kind IS DISTINCT FROM 'trial';

CREATE TABLE amounts AS
SELECT minute, game_id, platform, app_version, 'events.' || event_type AS measure, 1 AS amount FROM events
UNION ALL SELECT minute, game_id, platform, app_version, 'ended_seconds.sum', payload.duration_seconds
FROM events WHERE event_type = 'session_end'
UNION ALL SELECT minute, game_id, platform, app_version, 'progression.' || payload.status, 1
FROM events WHERE event_type = 'progression'
UNION ALL SELECT e.minute, e.game_id, platform, app_version,
  payload.flow || '.' || coalesce(c.currency, '*'), payload.amount
FROM events AS e LEFT JOIN named_currencies AS c
  ON c.minute = e.minute AND c.game_id = e.game_id AND c.currency = payload.currency
WHERE event_type = 'economy'
UNION ALL SELECT e.minute, e.game_id, platform, app_version, 'design.' || coalesce(n.name, '*'), 1
FROM events AS e LEFT JOIN named_designs AS n
  ON n.minute = e.minute AND n.game_id = e.game_id AND n.name = payload.name
WHERE event_type = 'design' AND payload.name IS NOT NULL
UNION ALL SELECT e.minute, e.game_id, platform, app_version,
  'match_' || payload.result || '.' || coalesce(m.mode, '*'), 1
FROM events AS e LEFT JOIN named_modes AS m
  ON m.minute = e.minute AND m.game_id = e.game_id AND m.mode = payload.mode
WHERE event_type = 'match_end'
UNION ALL SELECT minute, game_id, platform, app_version, 'ad_revenue_micros.' || payload.currency,
  payload.revenue_micros
FROM events WHERE event_type = 'ad_impression' AND payload.revenue_micros IS NOT NULL
UNION ALL SELECT minute, game_id, platform, app_version,
  'fps.' || ceil(ln(greatest(payload.fps, 1)) / ln(1.05))::INT, 1
FROM events WHERE payload.fps IS NOT NULL
UNION ALL SELECT minute, game_id, platform, app_version,
  'latency_ms.' || ceil(ln(greatest(payload.latency_ms, 1)) / ln(1.05))::INT, 1
FROM events WHERE payload.latency_ms IS NOT NULL
UNION ALL SELECT minute, game_id, platform, app_version, 'reported_purchases.' || payload.currency, 1
FROM purchases
UNION ALL SELECT minute, game_id, platform, app_version, 'reported_revenue.' || payload.currency,
  payload.amount_minor
FROM purchases
UNION ALL SELECT minute, game_id, platform, app_version, 'unverified_reported_revenue.' || payload.currency,
  payload.amount_minor
FROM purchases WHERE verified IS DISTINCT FROM true;

CREATE TABLE identities AS
SELECT minute, game_id, platform, app_version, 'unique.active_players' AS measure, player_id AS id FROM events
WHERE event_type <> 'refund'
UNION ALL SELECT minute, game_id, platform, app_version, 'unique.heartbeat_sessions', session_id
FROM events WHERE event_type = 'session_heartbeat'
UNION ALL SELECT minute, game_id, platform, app_version, 'unique.reported_payers', player_id FROM purchases;
"""

WINDOWS = """
WITH starts AS (SELECT unnest(range({minutes})) AS back),
summed AS (
  SELECT minute - to_minutes(back) AS start, game_id, coalesce(platform, '*') AS platform,
    coalesce(app_version, '*') AS app_version, measure, sum(amount)::HUGEINT AS amount
  FROM amounts, starts
  GROUP BY start, game_id, measure, GROUPING SETS ((), (platform), (app_version), (platform, app_version))
),
counted AS (
  SELECT minute - to_minutes(back) AS start, game_id, coalesce(platform, '*'), coalesce(app_version, '*'),
    measure, count(DISTINCT id)
  FROM identities, starts
  GROUP BY start, game_id, measure, GROUPING SETS ((), (platform), (app_version), (platform, app_version))
)
SELECT * FROM summed UNION ALL SELECT * FROM counted
"""

# A minute by the values of a custom dimension: events without the field count by none.
VALUES = """
SELECT minute, game_id, {slot}, 'unique.active_players', count(DISTINCT player_id) FROM events
WHERE {slot} IS NOT NULL AND event_type <> 'refund' GROUP BY ALL
UNION ALL SELECT minute, game_id, {slot}, 'events.crash', count(*) FROM events
WHERE {slot} IS NOT NULL AND event_type = 'crash' GROUP BY ALL
UNION ALL SELECT minute, game_id, {slot}, 'reported_revenue.' || payload.currency, sum(payload.amount_minor)
FROM purchases WHERE {slot} IS NOT NULL GROUP BY ALL
UNION ALL SELECT minute, game_id, {slot}, 'unverified_reported_revenue.' || payload.currency,
  sum(payload.amount_minor)
FROM purchases WHERE {slot} IS NOT NULL AND verified IS DISTINCT FROM true GROUP BY ALL
"""


def timely(shards: Iterable[Iterable[Event]], lateness: timedelta) -> tuple[list[Event], dict[str, int]]:
    """Return the events that come before their minute is published, and how many of each game do not."""
    kept: list[Event] = []
    dropped: dict[str, int] = defaultdict(int)
    for shard in shards:
        watermark = datetime.min.replace(tzinfo=UTC)
        for event in shard:
            occurred = min(_time(event["corrected_time"]), _time(event["received_at"]))
            end = occurred.replace(second=0, microsecond=0) + MINUTE
            if event["late"] or end - timedelta(milliseconds=1) <= watermark:
                dropped[event["game_id"]] += 1
            else:
                kept.append(event)
            watermark = max(watermark, occurred.replace(microsecond=0) - lateness)
    return kept, dict(dropped)


# How many versions, and names of each other kind, a minute of a game has.
NAMES = {"versions": 20, "items": 50}


def load(path: Path, **names: int) -> duckdb.DuckDBPyConnection:
    """Return a single-threaded database with the events of an NDJSON file, each once.

    `names` are other limits than NAMES. A minute of a game names those with the most events.
    """
    database = duckdb.connect(config={"threads": 1})
    database.execute(EVENTS.format(path=path, **(NAMES | names)))
    return database


def windows(database: duckdb.DuckDBPyConnection) -> Windows:
    """Return the measures of every window by the keys of the real-time table: series and start."""
    result: Windows = defaultdict(dict)
    for label, minutes in SIZES.items():
        rows = database.execute(WINDOWS.format(minutes=minutes)).fetchall()
        for start, game, platform, version, measure, amount in rows:
            result[f"{game}#{label}#{platform}#{version}", f"{start:%Y-%m-%dT%H:%M}:00Z"][measure] = int(
                amount
            )
    for slot in ("custom_1", "custom_2"):
        for start, game, value, measure, amount in database.execute(VALUES.format(slot=slot)).fetchall():
            result[f"{game}#1m#{slot}", f"{start:%Y-%m-%dT%H:%M}:00Z#{value}"][measure] = int(amount)
    return dict(result)


def write(events: Iterable[Event], path: Path) -> Path:
    """Write events as NDJSON."""
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
