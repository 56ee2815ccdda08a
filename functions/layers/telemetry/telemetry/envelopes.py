"""An event in the envelope that it was sent in, as an event of ours: one entrance to all translations."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger

from telemetry import guidance, vendors
from telemetry.decoding import Decoded
from telemetry.event import Event
from telemetry.guidance import USUAL, Rules
from telemetry.ingest_batch import Envelope
from telemetry.rejection import Reason, Rejection

logger = Logger(child=True)


def translated(
    envelope: Envelope, item: Decoded, game_id: str, received_at: datetime, rules: Rules = USUAL
) -> Decoded:
    """Return a decoded event with the bytes it came in, in the native envelope, or why it cannot be."""
    if envelope == "native" or item.rejection:
        return item
    try:
        return Decoded(item.raw, translate(envelope, item.value, game_id, received_at, rules))
    except Rejection as rejection:
        return Decoded(item.raw, item.value, rejection)


def translate(
    envelope: Envelope, value: Any, game_id: str, received_at: datetime, rules: Rules = USUAL
) -> Event:
    """Return an event of another envelope in the native one.

    Raises Rejection, and nothing else: a fault of a translation must not cost the events beside it.
    """
    try:
        if envelope == "guidance":
            return guidance.translate(value, game_id, received_at, rules)
        return vendors.translate(envelope, value, game_id, received_at, rules)
    except Rejection:
        raise
    except Exception as error:
        logger.exception("An event could not be translated", extra={"envelope": envelope})
        raise Rejection(Reason.INTERNAL_ERROR, type(error).__name__) from error
