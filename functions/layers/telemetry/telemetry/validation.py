"""Is this value an event of the catalogue? The hot path: one compiled schema per event type and version."""

from typing import Any

from telemetry import catalog
from telemetry.rejection import Reason, Rejection

_checks = catalog.checks()


def validate(value: Any) -> dict[str, Any]:
    """Return `value` as an event.

    Raises Rejection: unknown_schema, or schema_violation with the JSON pointer of the field.
    """
    try:
        if _checks[value["event_type"], value["schema_version"]](value):
            event: dict[str, Any] = value
            return event
    except (LookupError, TypeError, ValueError):
        pass  # No object, a field missing or no string, no such schema, or nested too deep: told below.
    raise _refusal(value)


def _refusal(value: Any) -> Rejection:
    if not isinstance(value, dict):
        return Rejection(Reason.SCHEMA_VIOLATION, "an event is a JSON object")
    for field in ("event_type", "schema_version"):
        if not isinstance(value.get(field), str):
            return Rejection(Reason.SCHEMA_VIOLATION, f'"{field}" is required and a string', f"/{field}")
    event_type, version = value["event_type"], value["schema_version"]
    validator = catalog.validators().get((event_type, version))
    if validator is None:
        return Rejection(Reason.UNKNOWN_SCHEMA, f"no schema {event_type}/{version} in the catalogue")
    try:
        error = next(validator.iter_errors(value))
    except ValueError:
        return Rejection(Reason.SCHEMA_VIOLATION, "no event is nested as deep as this")
    return Rejection(Reason.SCHEMA_VIOLATION, error.message, pointer(error.instance_path))


def pointer(path: list[str | int]) -> str:
    """Return the RFC 6901 pointer of a path, "" for the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
