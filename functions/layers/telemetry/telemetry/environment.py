"""The one way in which functions read settings: the environment that Terraform sets (docs/adr/0020)."""

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec

Settings = TypeVar("Settings", bound=msgspec.Struct)
PLAIN = (str, int, float, bool)


def parse(kind: type[Settings], variables: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a function; fields that hold more than one value are JSON in the environment.

    Raises msgspec.ValidationError, which names the field, where a setting is missing or of another type.
    """
    given: dict[str, object] = {name.lower(): text for name, text in variables.items()}
    for field in msgspec.structs.fields(kind):
        if field.name in given and field.type not in PLAIN:
            given[field.name] = _json(field.name, str(given[field.name]))
    return msgspec.convert(given, kind, strict=False)


def trace_id() -> str:
    """Return the id of this invocation's X-Ray trace; empty where Lambda records none."""
    return os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].removeprefix("Root=")


def _json(name: str, text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise msgspec.ValidationError(f"{error} - at `$.{name}`") from None
