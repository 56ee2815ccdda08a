"""What a player agreed to is honoured before anything is judged or kept: docs/adr/0015."""

from collections.abc import Mapping
from typing import Any

import orjson

DENIED = {"privacy": {"analytics_storage": "denied"}}
# What a child's event goes on without.
DEVICE = ("device_model", "locale", "os_version")


def concerns(value: Any) -> bool:
    """Tell an event that says what its player agreed to, or how old one is; most say neither."""
    return isinstance(value, dict) and "privacy" in value


def honoured(raw: bytes, value: Any) -> tuple[bytes, Any]:
    """Return an event and its bytes as far as they may be kept: of most events all.

    Consent that is not said to be granted is denied, an age that is not an adult's a child's:
    what nobody can read must not be the worse for the player.
    """
    if not concerns(value):
        return raw, value
    privacy = value["privacy"]
    said = privacy if isinstance(privacy, dict) else DENIED["privacy"]
    if said.get("analytics_storage", "granted") != "granted":
        return orjson.dumps(DENIED), DENIED
    if said.get("age_group", "adult") != "adult":
        value = {name: part for name, part in value.items() if name != "dimensions"} | {
            "client": _without(value.get("client"), DEVICE),
            "payload": _without(value.get("payload"), ("extra",)),
        }
        try:
            return orjson.dumps(value), value
        except orjson.JSONEncodeError:  # nested as deep as no event is
            return orjson.dumps(DENIED), DENIED
    return raw, value


def is_denied(value: Any) -> bool:
    """Tell what is left of an event that must not be kept."""
    return bool(value == DENIED)


def is_child(event: Mapping[str, Any]) -> bool:
    """Tell a child's event, which ranks nowhere."""
    return (event.get("privacy") or {}).get("age_group") == "child"


def _without(part: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(part, dict):
        return part
    return {name: value for name, value in part.items() if name not in names}
