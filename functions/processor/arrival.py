"""One event at its place in the raw stream."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from telemetry import catalog, guidance, ingest_batch, raw_position
from telemetry.decoding import parse
from telemetry.event import Event
from telemetry.ingest_batch import Envelope
from telemetry.origin import Origin
from telemetry.pseudonyms import Pseudonyms
from telemetry.raw_position import RawPosition
from telemetry.rejection import Rejection

from processor.stream_record import decode_record

_country = re.compile("[A-Z]{2}")
_uuid = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Arrival(msgspec.Struct, gc=False):
    """An event, or what was meant to be one.

    `event` or `rejection` is set once it is judged; neither where the player did not agree to it.
    Of an event, `line` is what is kept of it, with the pipeline's fields, and `flags` those that are set.
    `recent_game` is the game among whose recent events it is shown; None where the game forbids that.
    """

    sequence_number: str
    index: int
    origin: Origin
    raw: bytes
    value: Any = None
    shard: str = ""
    rejection: Rejection | None = None
    envelope: Envelope = "native"
    key_game: str | None = None
    game: str = "unknown"
    event: Event | None = None
    line: bytes = b""
    flags: tuple[str, ...] = ()
    partition_key: str = ""
    # The partition key of its event in the stream of enriched events.
    order_key: str = ""
    pseudonyms: Pseudonyms | None = None
    # Of what was sent: `raw` may hold its beginning only.
    size_bytes: int = 0
    recent_game: str | None = None

    @property
    def position(self) -> str:
        """Where it stands in its shard: the same when Lambda hands the record in again."""
        return f"{self.sequence_number}/{self.index}"

    @property
    def claimed_game(self) -> str | None:
        """The game of its key, or that it names itself."""
        return self.key_game or self.text("game_id")

    @property
    def presumed_game(self) -> str:
        """The game that its partition key names, as a broken one may have no other."""
        return self.partition_key.partition("/")[0]

    def placed(self, start: str) -> bytes:
        """Return the line with the event's position; `start` is the first sequence number of the batch."""
        number = raw_position.shard_number(self.shard)
        place = RawPosition(number, int(start), int(self.sequence_number), self.index)
        return self.line[:-1] + f',"raw_position":"{place.text}"}}'.encode()

    @property
    def token(self) -> bytes:
        """The shard and position in 8 bytes: tells a repeated read of one arrival from a second arrival."""
        return hashlib.blake2b(f"{self.shard}:{self.position}".encode(), digest_size=8).digest()

    @property
    def refused_again(self) -> bool:
        """Replayed and refused: it needs no second place, the quarantine, or bronze, has it already."""
        return self.origin.source == "replay" and self.rejection is not None

    def text(self, field: str) -> str | None:
        """Return a field of the event as the client sent it, where it is a sane string."""
        value = self.value.get(field) if isinstance(self.value, dict) else None
        return value if isinstance(value, str) and len(value) <= 64 else None

    def label(self, field: str) -> str | None:
        """Return a field as it may stand beside a refused event.

        Of a game with pseudonyms it holds no id of a player: an `event_id` is a UUID that stands nowhere else
        in the event, and `event_type` and `schema_version` are those of a schema.
        """
        text = self.text(field)
        if not self.pseudonyms or not text:
            return text
        if field == "event_id":
            return text if _uuid.fullmatch(text) and self.raw.count(text.encode()) == 1 else None
        event_type, version = self.text("event_type"), self.text("schema_version")
        is_type = field == "event_type" and any(text == known for known, _ in catalog.types())
        return text if is_type or (event_type, version) in catalog.types() else None


def arrivals(record: dict[str, Any]) -> Iterator[Arrival]:
    """Yield the events of one record of a Kinesis event source, in their order and their own envelope."""
    kinesis = record["kinesis"]
    data = msgspec.convert(kinesis["data"], bytes)  # from base64, faster than base64 does
    shard, number = record["eventID"].partition(":")[0], kinesis["sequenceNumber"]
    batch = ingest_batch.unpack(data)
    if batch is None:
        # Only servers of the studio have rights to the stream.
        moment = datetime.fromtimestamp(kinesis["approximateArrivalTimestamp"], UTC)
        origin = Origin(moment, "stream", key_class="server")
        key = kinesis.get("partitionKey", "")
        for index, item in enumerate(decode_record(data)):
            # The guidance's first version puts events on the stream in its own envelope.
            game = guidance.application_of(item.value)
            yield Arrival(
                number, index, origin, item.raw, item.value, shard, item.rejection,
                "guidance" if game else "native", game, partition_key=key,
            )  # fmt: skip
        return
    received_at = datetime.fromisoformat(batch.received_at)
    country = batch.country if _country.fullmatch(batch.country or "") else None
    origin = Origin(received_at, "replay" if batch.replay else "rest", country, batch.bot, batch.key_class)
    if batch.refusal:
        rejection = Rejection(batch.refusal.reason, batch.refusal.message)
        body = b"".join(batch.events)
        yield Arrival(
            number,
            0,
            origin,
            body,
            shard=shard,
            rejection=rejection,
            envelope=batch.envelope,
            key_game=batch.game_id,
            size_bytes=batch.refusal.size_bytes,
        )
        return
    for index, item in enumerate(map(parse, batch.events)):
        yield Arrival(
            number, index, origin, item.raw, item.value, shard, item.rejection, batch.envelope, batch.game_id
        )
