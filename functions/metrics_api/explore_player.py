"""One player's events: the newest in order, and how many there are on the asked days.

A game with pseudonyms has no other ids in silver, so that only the pseudonym finds a player.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from telemetry.enrichment import timestamp
from telemetry.lake_reader import Query, Result

from metrics_api import explore_fields
from metrics_api import explore_models as models
from metrics_api.explore_fields import PAYLOAD, Kind
from metrics_api.explore_query import REVERSED, SILVER, Sql, in_order, within
from metrics_api.history_query import Days

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = ("event_type", "session_id", "platform", "country", "app_version")
FIGURES = {
    "events": "count(*) OVER ()",
    "sessions": "max(session_number) OVER ()",
    "first_ms": "min(at_ms) OVER ()",
    "last_ms": "max(at_ms) OVER ()",
}
CONVERT: dict[Kind, Any] = {
    "string": str,
    "bigint": int,
    "double": float,
    # Athena answers text, DuckDB values.
    "boolean": lambda value: str(value).lower() == "true",
}


@cache
def _properties() -> dict[str, str]:
    """Return the name that the SQL has for each property: two events may read one column in two ways."""
    found = {field.sql for fields in explore_fields.events().values() for field in fields.values()}
    return {sql: f"property_{number}" for number, sql in enumerate(sorted(found))}


def _names() -> list[str]:
    """Return the columns of the answer, in order."""
    return ["at_ms", "sequence", "event_id", *COLUMNS, *FIGURES, *_properties().values()]


def query(asked: models.PlayerQuestion, game_id: str, days: Days) -> Query:
    """Return the query: the newest events, each with the figures of all."""
    sql = Sql()
    selected = in_order(sql, *COLUMNS)
    sql.columns.update(("payload", "player_id"))
    selected += [f"{one} AS {name}" for one, name in _properties().items()]
    selected += ["dense_rank() OVER (ORDER BY session_id) AS session_number"]
    conditions = [*within(sql, game_id, days), f"player_id = {sql.bound(asked.player_id)}"]
    source = f"SELECT {', '.join(selected)}\nFROM {SILVER}\nWHERE {' AND '.join(conditions)}"
    shown = [f"{FIGURES[name]} AS {name}" if name in FIGURES else name for name in _names()]
    text = (
        f"SELECT {', '.join(shown)}\nFROM (\n{source}\n) AS of_player\n"
        f"ORDER BY {REVERSED}\nLIMIT {asked.events}"
    )
    return sql.query(text, game_id)


def profile(result: Result) -> models.PlayerProfile | None:
    """Return the figures of all events; None without any."""
    for row in _read(result):
        return models.PlayerProfile(
            events=int(row["events"]),
            sessions=int(row["sessions"]),
            first_at=_time(row["first_ms"]),
            last_at=_time(row["last_ms"]),
        )
    return None


def rows(asked: models.PlayerQuestion, days: Days, result: Result) -> Iterator[models.PlayerEvent]:
    """Yield the events of an answer, the newest first."""
    for row in _read(result):
        yield models.PlayerEvent(
            at=_time(row["at_ms"]),
            event_id=row["event_id"],
            sequence=None if row["sequence"] is None else int(row["sequence"]),
            payload=_payload(row),
            **{name: row[name] for name in COLUMNS},
        )


def lines(asked: models.PlayerQuestion, rows: list[models.PlayerEvent]) -> Iterator[list[Any]]:
    """Yield the lines of a file."""
    yield ["at", *COLUMNS, "sequence", "event_id", "payload"]
    for row in rows:
        values = [getattr(row, name) for name in COLUMNS]
        yield [row.at, *values, row.sequence, row.event_id, json.dumps(row.payload, ensure_ascii=False)]


def _read(result: Result) -> Iterator[dict[str, Any]]:
    return (dict(zip(_names(), row, strict=True)) for row in result.rows)


def _payload(row: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of the event's type; a type that this version does not know has none."""
    fields = explore_fields.events().get(row["event_type"], {})
    return {
        name.removeprefix(PAYLOAD): CONVERT[field.kind](value)
        for name, field in fields.items()
        if (value := row[_properties()[field.sql]]) is not None
    }


def _time(milliseconds: Any) -> str:
    return timestamp(BEGINNING + timedelta(milliseconds=int(milliseconds)))
