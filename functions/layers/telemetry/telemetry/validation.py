"""Judges whether a value is an event of the catalogue. This is the hot path: one compiled schema a type."""

from typing import Any

from telemetry import catalog
from telemetry.event import Event
from telemetry.normalisation import repaired
from telemetry.rejection import Reason, Rejection

# What many UUID types hold before a value is set. All events but the first would be called duplicates.
NIL = "00000000-0000-0000-0000-000000000000"
_validators = catalog.validators()


def validate(value: Any) -> Event:
    """Return `value` as an event, with what engines send by default in the catalogue's form.

    Raises Rejection: unknown_schema, or schema_violation with the JSON pointer of the field.
    """
    try:
        is_valid = _validators[value["event_type"], value["schema_version"]].is_valid(value)
    except (LookupError, TypeError, ValueError):
        is_valid = False  # No object, a field missing or no string, no such schema, or nested too deep.
    if not is_valid:
        value = _repaired(value)
    if value["event_id"] == NIL:
        raise Rejection(
            Reason.SCHEMA_VIOLATION, "the nil UUID names no event: make a new UUID for each", "/event_id"
        )
    event: Event = value
    return event


def _repaired(value: Any) -> Any:
    """Return an event that is valid once it is repaired: few need it, and the others do not pay for it."""
    value = repaired(value)
    try:
        if _validators[value["event_type"], value["schema_version"]].is_valid(value):
            return value
    except (LookupError, TypeError, ValueError):
        pass  # See _refusal.
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
