"""Where an event stood in the raw stream, as enriched events carry it: shard, batch, record, place in it.

Readers find out by it which events they have seen: the processor sends an event again when its batch is
retried, at the same position, and goes on only when the whole batch is sent.
"""

import zlib
from typing import NamedTuple

SHARD_PREFIX = "shardId-"
# Kinesis numbers its shards with twelve digits: a hash is never one of them.
FIRST_HASH = 10**12


class RawPosition(NamedTuple):
    """`start` is the sequence number of the first record of the batch that the processor was given."""

    shard: int
    start: int
    sequence: int
    place: int

    @property
    def text(self) -> str:
        """Return the field's value; sequence numbers of a batch share their first digits."""
        return f"{self.shard}-{self.start:x}-{self.sequence - self.start:x}-{self.place:x}"


def parse(text: str) -> RawPosition:
    """Return the position that a text names. Raises ValueError where it names none."""
    shard, start, distance, place = text.split("-")
    return RawPosition(int(shard), int(start, 16), int(start, 16) + int(distance, 16), int(place, 16))


def shard_number(shard_id: str) -> int:
    """Return the number in a shard's id."""
    digits = shard_id.removeprefix(SHARD_PREFIX)
    return int(digits) if digits.isdecimal() else FIRST_HASH + zlib.crc32(shard_id.encode())
