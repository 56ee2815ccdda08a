"""Enriched events at random: few values, so that there are ties; missing fields; hostile texts; two games."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from telemetry import catalog
from telemetry.enrichment import timestamp

Event = dict[str, Any]
GAMES = ("arena", "arena-2")
BEGIN = datetime(2026, 1, 26, tzinfo=UTC)
DAYS = 12
# A pseudonym stands for a player like any other id.
PLAYERS = ("ann", "bob", "eve", "hmac-6b1f0c", "Ann")
HOSTILE = (
    "' OR '1'='1",
    "x' OR game_id = 'arena-2' --",
    "'; DROP TABLE events; --",
    "\\' OR 1=1 --",
    "''",
    "?",
    ":0",
    "%",
    "NULL",
    "\N{RIGHT SINGLE QUOTATION MARK} OR 1=1",
    "/* */ ios",
)
TEXTS = (*HOSTILE[:3], "a", "b")
PLACES = ("ios", "android", None)


def events(seed: str, count: int, kinds: tuple[str, ...] = ()) -> list[Event]:
    """Return events of two games; `kinds` limits their types."""
    chance = random.Random(seed)
    schemas = {kind: schema for (kind, _), schema in catalog.payloads(catalog.documents()).items()}
    wanted = sorted(kinds or schemas)
    return [_event(chance, number, schemas, wanted) for number in range(count)]


def _event(chance: random.Random, number: int, schemas: dict[str, Any], kinds: list[str]) -> Event:
    kind = chance.choice(kinds)
    # Whole minutes of a few hours: many events happen in the same millisecond.
    at = BEGIN + timedelta(days=chance.randrange(DAYS), hours=chance.choice((0, 12, 23)))
    at += timedelta(minutes=chance.randrange(60), milliseconds=chance.choice((0, 0, 1)))
    payload = {
        name: _value(chance, one)
        for name, one in schemas[kind]["properties"].items()
        if one["type"] != "object" and chance.random() < 0.7
    }
    return {
        "event_id": str(UUID(int=chance.getrandbits(128))),
        "event_type": kind,
        "schema_version": "1-0-0",
        "game_id": chance.choice(GAMES),
        "player_id": chance.choice(PLAYERS),
        "session_id": str(UUID(int=chance.randrange(3))),
        "sequence": number % 7,
        "client": {"locale": chance.choice(("de", None)), "device_model": chance.choice(TEXTS)},
        "payload": payload,
        "corrected_time": timestamp(at),
        "event_date": str(at.date()),
        "platform": chance.choice(PLACES),
        "country": chance.choice(("DE", "FR", None)),
        "app_version": chance.choice(("1.0.0", "1.1.0")),
        "bot": chance.random() < 0.1,
        "late": chance.choice((True, False)),
        "verified": chance.choice((True, None)),
    }


def _value(chance: random.Random, schema: dict[str, Any]) -> Any:
    if values := schema.get("enum"):
        return chance.choice(values[:3])
    return {
        "string": lambda: chance.choice(TEXTS),
        # A sum of these does not fit into 64 bits.
        "integer": lambda: chance.choice((0, 1, 2, 2, 3, 7, 2**62)),
        "number": lambda: chance.choice((0.1, 0.2, 0.2, 59.5, -3.0, 1e-7)),
        "boolean": lambda: chance.choice((True, False)),
    }[schema["type"]]()


def line(kind: str, player: str, hours: float, minutes: float = 0, **fields: Any) -> Event:
    """Return an event some time after the first day began."""
    at = BEGIN + timedelta(hours=hours, minutes=minutes)
    return {
        "event_id": f"{kind}-{player}-{at.isoformat()}",
        "event_type": kind,
        "game_id": GAMES[0],
        "player_id": player,
        "session_id": "s",
        "sequence": 0,
        "corrected_time": timestamp(at),
        "event_date": str(at.date()),
        "platform": "ios",
        "payload": {},
        **fields,
    }
