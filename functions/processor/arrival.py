"""One event at its place in the raw stream."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from telemetry import ingest_batch
from telemetry.decoding import Decoded, decode, parse
from telemetry.rejection import Rejection


@dataclass(slots=True)
class Arrival:
    """An event, or what was meant to be one; `event` or `rejection` is set once it is judged."""

    sequence_number: str
    index: int
    received_at: datetime
    source: str
    raw: bytes
    value: Any = None
    country: str | None = None
    key_game: str | None = None
    game: str = "unknown"
    event: dict[str, Any] | None = None
    rejection: Rejection | None = None

    @property
    def position(self) -> str:
        """Where it stands in its shard: the same when Lambda hands the record in again."""
        return f"{self.sequence_number}/{self.index}"

    @property
    def token(self) -> bytes:
        """The position in 8 bytes: tells a repeated read of one arrival from a second arrival."""
        return hashlib.blake2b(self.position.encode(), digest_size=8).digest()

    def text(self, field: str) -> str | None:
        """Return a field of the event as the client sent it, where it is a sane string."""
        value = self.value.get(field) if isinstance(self.value, dict) else None
        return value if isinstance(value, str) and len(value) <= 64 else None


def arrivals(record: dict[str, Any]) -> Iterator[Arrival]:
    """Yield the events of one record of a Kinesis event source, in their order."""
    kinesis = record["kinesis"]
    data = base64.b64decode(kinesis["data"])
    number = kinesis["sequenceNumber"]
    batch = ingest_batch.unpack(data)
    if batch is None:
        received_at = datetime.fromtimestamp(kinesis["approximateArrivalTimestamp"], UTC)
        for index, item in enumerate(decode(data)):
            yield _arrival(number, index, received_at, "stream", item)
        return
    received_at = datetime.fromisoformat(batch.received_at)
    for index, raw in enumerate(batch.events):
        arrival = _arrival(number, index, received_at, "rest", parse(raw))
        arrival.country, arrival.key_game = batch.country, batch.game_id
        yield arrival


def _arrival(number: str, index: int, received_at: datetime, source: str, item: Decoded) -> Arrival:
    return Arrival(number, index, received_at, source, item.raw, item.value, rejection=item.rejection)
