"""Finds what the REST API would refuse in an event, and says it with the REST API's own words.

The REST API stays the judge: this check spares a developer the round trip.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from player_analytics.field_errors import FieldError, field_errors, unknown_type

MAX_EVENT_BYTES = 64 * 1024


class Problem(NamedTuple):
    """Why an event is refused, as the REST API says it."""

    reason: str
    errors: tuple[FieldError, ...]

    def __str__(self) -> str:
        """Return the reason with all errors."""
        return described(self.reason, [(error.pointer, error.message) for error in self.errors])


def described(reason: str, errors: list[tuple[str, str]]) -> str:
    """Return a refusal as one text: each error with its pointer."""
    return f"{reason} " + "; ".join(f"at {pointer or '/'}: {message}" for pointer, message in errors)


@cache
def schemas() -> dict[str, Any]:
    """Return the envelope's schema, version and payload schema of each event type, and words for patterns."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("schemas.json").read_text("utf-8"))
    return loaded


@cache
def newest_version(event_type: str) -> str | None:
    """Return the newest schema_version of an event type, None where the catalogue has no such type."""
    found = schemas()["payloads"].get(event_type)
    return found["version"] if found else None


def unknown(event_type: str) -> Problem:
    """Return the problem of an event type that the catalogue does not have."""
    return Problem("unknown_schema", (unknown_type(event_type, tuple(schemas()["payloads"])),))


@cache
def _whole(event_type: str) -> dict[str, Any]:
    envelope = schemas()["envelope"]
    payload = schemas()["payloads"][event_type]["schema"]
    whole: dict[str, Any] = envelope | {"properties": envelope["properties"] | {"payload": payload}}
    return whole


def dimensions_problem(dimensions: dict[str, Any]) -> Problem | None:
    """Return what is wrong with values of custom dimensions, None where an event can have them."""
    schema = {
        "type": "object",
        "properties": {"dimensions": schemas()["envelope"]["properties"]["dimensions"]},
    }
    found = field_errors({"dimensions": dimensions}, schema, schemas()["forms"])
    return Problem("schema_violation", tuple(found)) if found else None


def problem(event: dict[str, Any]) -> Problem | None:
    """Return what is wrong with an event of a known type, None where it has the form of its schema."""
    found = field_errors(event, _whole(event["event_type"]), schemas()["forms"])
    return Problem("schema_violation", tuple(found)) if found else None
