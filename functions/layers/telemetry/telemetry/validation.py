"""Judges whether a value is an event of the catalogue. This is the hot path: one compiled schema a type."""

from typing import Any

from telemetry import catalog
from telemetry.event import Event
from telemetry.field_errors import (
    MAX_ERRORS,
    FieldError,
    field_errors,
    unknown_type,
    unknown_version,
)
from telemetry.normalisation import repaired
from telemetry.products import advice
from telemetry.rejection import Reason, Rejection

# What many UUID types hold before a value is set. All events but the first would be called duplicates.
NIL = "00000000-0000-0000-0000-000000000000"
_nil_error = FieldError("/event_id", "the nil UUID names no event: make a new UUID for each", "/event_id")
# No schema has been seen that needs it: each error is explained, as mutants of all examples prove.
_unexplained = FieldError("", "the event does not have the form of its schema", "")
_validators = catalog.validators()


def validate(value: Any) -> Event:
    """Return `value` as an event, with what engines send by default in the catalogue's form.

    Raises Rejection: unknown_schema or schema_violation, with all errors of the event.
    """
    try:
        is_valid = _validators[value["event_type"], value["schema_version"]].is_valid(value)
    except (LookupError, TypeError, ValueError):
        is_valid = False  # No object, a field missing or no string, no such schema, or nested too deep.
    if not is_valid:
        value = _repaired(value)
    if value["event_id"] == NIL:
        raise Rejection(Reason.SCHEMA_VIOLATION, _nil_error.message, _nil_error.pointer)
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
    """Return all errors of a value that is no event; the envelope judges one of an unknown kind.

    The first error says what to do with a body of another form, such as that of another product.
    """
    if not isinstance(value, dict):
        return Rejection.of(Reason.SCHEMA_VIOLATION, field_errors(value, catalog.described(), {}))
    event_type, version = value.get("event_type"), value.get("schema_version")
    known = catalog.versions().get(event_type, ()) if isinstance(event_type, str) else ()
    errors = []
    if isinstance(event_type, str) and not known:
        errors = [unknown_type(event_type, tuple(catalog.versions()))]
    elif isinstance(event_type, str) and isinstance(version, str) and version not in known:
        errors = [unknown_version(event_type, version, known)]
    reason = Reason.UNKNOWN_SCHEMA if errors else Reason.SCHEMA_VIOLATION
    if isinstance(event_type, str) and known:
        schema = catalog.described(event_type, version if version in known else known[-1])
    else:
        schema = catalog.described()
    if value.get("event_id") == NIL:
        errors.append(_nil_error)
    if text := advice(value):
        errors.insert(0, FieldError("", text, ""))
    said = {error.pointer for error in errors}
    others = field_errors(value, schema, catalog.forms())
    errors += [error for error in others if error.pointer not in said]
    return Rejection.of(reason, errors[:MAX_ERRORS] or [_unexplained])
