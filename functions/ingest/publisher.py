"""Judges a batch and puts it on the raw stream, and says of each event what became of it."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from telemetry import consent, normalisation
from telemetry.decoding import Decoded
from telemetry.delivery import Entry, chunks, put_records
from telemetry.enrichment import Bounds, bounds, clock
from telemetry.ingest_batch import IngestBatch, Refusal, pack
from telemetry.key_classes import ClientLimits
from telemetry.rejection import Reason, Rejection, joined
from telemetry.validation import validate

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

MAX_RECORD_BYTES = 256 * 1024
MAX_RECORD_EVENTS = 100
_country = re.compile("[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Publisher:
    """Where accepted events go: a low-level Kinesis client and the raw stream's name."""

    kinesis: "KinesisClient"
    stream: str

    def publish(
        self, events: Sequence[Decoded], header: IngestBatch, client_limits: ClientLimits
    ) -> list[dict[str, Any]]:
        """Forward every event and return a result for each that was not accepted.

        `header` is the batch without events; `client_limits` hold for what was sent with a client key. A
        refused event goes on too: the processor keeps it in the quarantine, where it can be replayed. Of what
        a player did not agree to, only that it came goes on. Status "retry" means it was not stored: send it
        again with the same event_id.
        """
        limits = bounds(datetime.fromisoformat(header.received_at))
        bound = None if header.key_class == "server" else client_limits
        results = {
            index: _result(index, event, "rejected", rejection)
            for index, event in enumerate(events)
            if (rejection := _judge(event, header.game_id, limits, bound))
        }
        kept = [Decoded(*consent.honoured(event.raw, event.value), event.rejection) for event in events]
        lost = self._forward(kept, header)
        unavailable = Rejection(Reason.INTERNAL_ERROR, "the stream is not available, send the event again")
        results |= {index: _result(index, events[index], "retry", unavailable) for index in lost}
        return [results[index] for index in sorted(results)]

    def keep(self, body: bytes, refusal: Refusal, header: IngestBatch) -> None:
        """Forward the beginning of a refused request's body, for the quarantine.

        A body that speaks of consent is not kept: nobody can read in it what the player agreed to.
        """
        kept = b"" if b"privacy" in body else body
        record = pack(replace(header, events=[kept], refusal=refusal))
        put_records(self.kinesis, self.stream, [Entry(f"{header.game_id}/0", record)])

    def _forward(self, events: Sequence[Decoded], header: IngestBatch) -> set[int]:
        by_player: dict[str, list[int]] = defaultdict(list)
        for index, event in enumerate(events):
            by_player[f"{header.game_id}/{_text(event, 'player_id') or index}"].append(index)
        entries: list[Entry] = []
        members: list[list[int]] = []
        for key, indexes in by_player.items():
            sizes = (len(events[index].raw) for index in indexes)
            for chunk in chunks(sizes, MAX_RECORD_EVENTS, MAX_RECORD_BYTES):
                members.append([indexes[i] for i in chunk])
                raws = [events[i].raw for i in members[-1]]
                entries.append(Entry(key, pack(replace(header, events=raws))))
        lost = put_records(self.kinesis, self.stream, entries)
        return {index for entry in lost for index in members[entry]}


def country(header: str) -> str | None:
    """Return the country the edge saw, None where it does not know: CloudFront says XX, or T1 for Tor."""
    return normalisation.country(header) if _country.fullmatch(header) else None


def _judge(
    event: Decoded, game_id: str, limits: Bounds, client_limits: ClientLimits | None
) -> Rejection | None:
    """Return why an event is refused, with all that is wrong with it."""
    if event.rejection:
        return event.rejection
    try:
        valid = validate(event.value)
    except Rejection as rejection:
        return rejection
    found = []
    if valid["game_id"] != game_id:
        found.append(Rejection(Reason.WRONG_GAME, f"the key belongs to {game_id}", "/game_id"))
    if client_limits:
        found += client_limits.refused(valid)
    try:
        clock(valid, limits)
    except Rejection as rejection:
        found.append(rejection)
    return joined(found) if found else None


def _result(index: int, event: Decoded, status: str, rejection: Rejection) -> dict[str, Any]:
    return {
        "index": index,
        "event_id": _text(event, "event_id"),
        "status": status,
        "reason": rejection.reason,
        "pointer": rejection.pointer,
        "message": rejection.message,
        "errors": [{"pointer": each.pointer, "message": each.message} for each in rejection.errors],
    }


def _text(event: Decoded, field: str) -> str | None:
    value = event.value.get(field) if isinstance(event.value, dict) else None
    return value if isinstance(value, str) and len(value) <= 64 else None
