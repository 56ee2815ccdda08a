"""What the REST API puts on the raw stream: events of one player, with what the API knows of them.

The record is MAGIC and then MessagePack, so that any bytes a client sent travel unchanged.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from telemetry.decoding import MAX_EVENTS
from telemetry.key_classes import KeyClass
from telemetry.rejection import Reason

MAGIC = b"PAB1"

Envelope = Literal["native", "guidance", "amplitude", "gameanalytics", "unity"]


class Refusal(msgspec.Struct, frozen=True):
    """Why a request was refused as a whole, and how many bytes its body had."""

    reason: Reason
    message: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class IngestBatch(msgspec.Struct, frozen=True):
    """`game_id` is the one the API key belongs to; `country` comes from the edge.

    `received_at` is RFC 3339; `events` hold the exact bytes of each event, in the form `envelope`.
    `replay` marks events that scripts/replay sends again from the quarantine. `key_class` is that of the key.
    With a `refusal`, `events` holds the beginning of a request's body, which goes to the quarantine as it is.
    """

    game_id: str
    received_at: str
    country: str | None
    events: list[bytes]
    envelope: Envelope = "native"
    bot: bool = False
    replay: bool = False
    key_class: KeyClass = "client"
    refusal: Refusal | None = None

    def __post_init__(self) -> None:
        """Refuse what the REST API never writes: whoever may put on the stream can imitate it."""
        moment = datetime.fromisoformat(self.received_at)
        sane_time = moment.tzinfo and 2000 <= moment.year < 9000
        if not (sane_time and 0 < len(self.game_id) <= 63 and len(self.events) <= MAX_EVENTS):
            raise ValueError("not a batch of the REST API")


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(IngestBatch)


def pack(batch: IngestBatch) -> bytes:
    """Return the stream record of a batch."""
    return MAGIC + _encoder.encode(batch)


def unpack(data: bytes) -> IngestBatch | None:
    """Return the batch, or None where the record did not come from the REST API."""
    if not data.startswith(MAGIC):
        return None
    try:
        return _decoder.decode(data[len(MAGIC) :])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
