"""An event in the envelope that it was sent in, as an event of ours: one entrance to all translations."""

from datetime import datetime
from typing import Any

from telemetry import guidance, vendors
from telemetry.decoding import Decoded
from telemetry.event import Event
from telemetry.guidance import USUAL, Rules
from telemetry.ingest_batch import Envelope


def translated(
    envelope: Envelope, item: Decoded, game_id: str, received_at: datetime, rules: Rules = USUAL
) -> Decoded:
    """Return a decoded event with the bytes it came in, in the native envelope, or why it cannot be."""
    match envelope:
        case "native":
            return item
        case "guidance":
            return guidance.translated(item, game_id, received_at, rules)
    return vendors.translated(envelope, item, game_id, received_at, rules)


def translate(
    envelope: Envelope, value: Any, game_id: str, received_at: datetime, rules: Rules = USUAL
) -> Event:
    """Return an event of another envelope in the native one. Raises Rejection."""
    if envelope == "guidance":
        return guidance.translate(value, game_id, received_at, rules)
    return vendors.translate(envelope, value, game_id, received_at, rules)
