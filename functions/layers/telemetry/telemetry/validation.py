"""Judges whether a value is an event of the catalogue. This is the hot path: one compiled schema a type."""

from typing import Any

from telemetry import catalog
from telemetry.event import Event
from telemetry.rejection import Reason, Rejection

_validators = catalog.validators()


def validate(value: Any) -> Event:
    """Return `value` as an event.

    Raises Rejection: unknown_schema, or schema_violation with the JSON pointer of the field.
    """
    try:
        if _validators[value["event_type"], value["schema_version"]].is_valid(value):
            event: Event = value
            return event
    except (LookupError, TypeError, ValueError):
        pass  # No object, a field missing or no string, no such schema, or nested too deep: see _refusal.
    raise _refusal(value)


def _refusal(value: Any) -> Rejection:
    if not isinstance(value, dict):
        return Rejection(Reason.SCHEMA_VIOLATION, "an event is a JSON object")
    for field in ("event_type", "schema_version"):
        if not isinstance(value.get(field), str):
            return Rejection(Reason.SCHEMA_VIOLATION, f'"{field}" is required and a string', f"/{field}")
    event_type, version = value["event_type"], value["schema_version"]
    if (event_type, version) not in catalog.event_types():
        return Rejection(Reason.UNKNOWN_SCHEMA, f"no schema {event_type}/{version} in the catalogue")
    try:
        error = next(_validators[event_type, version].iter_errors(value))
    except ValueError:
        return Rejection(Reason.SCHEMA_VIOLATION, "no event is nested as deep as this")
    return Rejection(Reason.SCHEMA_VIOLATION, error.message, pointer(error.instance_path))


def pointer(path: list[str | int]) -> str:
    """Return the RFC 6901 pointer of a path, "" for the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
