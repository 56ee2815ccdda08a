"""Is this value an event of the catalogue? The hot path: one compiled schema per event type and version."""

from typing import Any

from telemetry import catalog
from telemetry.rejection import Reason, Rejection

_validators = catalog.validators()


def validate(value: Any) -> dict[str, Any]:
    """Return `value` as an event.

    Raises Rejection: unknown_schema, or schema_violation with the JSON pointer of the field.
    """
    if not isinstance(value, dict):
        raise Rejection(Reason.SCHEMA_VIOLATION, "an event is a JSON object")
    event_type, version = _name(value, "event_type"), _name(value, "schema_version")
    validator = _validators.get((event_type, version))
    if validator is None:
        raise Rejection(Reason.UNKNOWN_SCHEMA, f"no schema {event_type}/{version} in the catalogue")
    try:
        error = None if validator.is_valid(value) else next(validator.iter_errors(value))
    except ValueError:
        raise Rejection(Reason.SCHEMA_VIOLATION, "no event is nested as deep as this") from None
    if error:
        raise Rejection(Reason.SCHEMA_VIOLATION, error.message, pointer(error.instance_path))
    return value


def _name(value: dict[str, Any], field: str) -> str:
    name = value.get(field)
    if not isinstance(name, str):
        raise Rejection(Reason.SCHEMA_VIOLATION, f'"{field}" is required and a string', f"/{field}")
    return name


def pointer(path: list[str | int]) -> str:
    """Return the RFC 6901 pointer of a path, "" for the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
