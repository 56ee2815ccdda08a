"""Records of the enriched stream, as Lambda hands them to its readers."""

import base64
from collections.abc import Sequence
from typing import Any

import orjson

from telemetry.event import EnrichedEvent


def event_of(record: dict[str, Any]) -> EnrichedEvent:
    """Return the event of a record."""
    event: EnrichedEvent = orjson.loads(base64.b64decode(record["kinesis"]["data"]))
    return event


def failures(
    records: Sequence[dict[str, Any]], events: Sequence[EnrichedEvent], lost: Sequence[EnrichedEvent]
) -> list[dict[str, str]]:
    """Return the batchItemFailures: the first record whose event is lost, from which Lambda goes on."""
    ids = {event["event_id"] for event in lost}
    numbers = (
        record["kinesis"]["sequenceNumber"]
        for record, event in zip(records, events, strict=True)
        if event["event_id"] in ids
    )
    first = next(numbers, None)
    return [{"itemIdentifier": first}] if first else []
