"""The forms a record of the stream may have: what telemetry.decoding knows, and these in a KPL aggregate.

Format: magic, a protobuf message with the user records, MD5 of the message; see "KPL Aggregated Record
Format" of the Kinesis Producer Library.
"""

import hashlib
from collections.abc import Iterator

from telemetry.decoding import GZIP_MAGIC, MAX_DECOMPRESSED_BYTES, MAX_EVENTS, Decoded, decode
from telemetry.rejection import Reason, Rejection

MAGIC = b"\xf3\x89\x9a\xc2"
DIGEST_BYTES = 16
# What the user records of an aggregate that are refused may have cost to unzip, at deflate's highest ratio.
MAX_WASTED_BYTES = 64 * 1024 * 1024
DEFLATE_RATIO = 1032
RECORDS_FIELD, DATA_FIELD = 3, 3


def decode_record(data: bytes) -> Iterator[Decoded]:
    """Return the events of a record in their order; limits hold for the record, however it is packed."""
    return _aggregated(data) if is_aggregated(data) else decode(data)


def _aggregated(data: bytes) -> Iterator[Decoded]:
    try:
        parts = list(user_records(data))
        if len(parts) > MAX_EVENTS:
            raise Rejection(Reason.TOO_LARGE, f"more than {MAX_EVENTS} user records")
    except Rejection as rejection:
        yield Decoded(data, rejection=rejection)
        return
    count = size = wasted = 0
    for part in parts:
        limit = MAX_DECOMPRESSED_BYTES - size if wasted < MAX_WASTED_BYTES else 0
        for item in decode(part, limit, MAX_EVENTS - count):
            count += 1
            size += len(item.raw)
            if item.raw.startswith(GZIP_MAGIC):
                wasted += len(item.raw) * DEFLATE_RATIO
            yield item


def is_aggregated(data: bytes) -> bool:
    """Tell a KPL aggregate, whole and unchanged, from anything else."""
    if not data.startswith(MAGIC):
        return False
    message, digest = data[len(MAGIC) : -DIGEST_BYTES], data[-DIGEST_BYTES:]
    return hashlib.md5(message, usedforsecurity=False).digest() == digest


def user_records(data: bytes) -> Iterator[bytes]:
    """Yield the data of each user record. Raises Rejection: malformed_json where the message is broken."""
    try:
        for number, record in _fields(data[len(MAGIC) : -DIGEST_BYTES]):
            if number == RECORDS_FIELD:
                yield next(value for inner, value in _fields(record) if inner == DATA_FIELD)
    except (IndexError, StopIteration, ValueError):
        raise Rejection(Reason.MALFORMED_JSON, "broken KPL aggregate") from None


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and bytes of each length-delimited field; the others only take up place."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        match tag & 7:
            case 0:
                _, at = _varint(message, at)
            case 1:
                at += 8
            case 5:
                at += 4
            case 2:
                size, at = _varint(message, at)
                if at + size > len(message):
                    raise ValueError("field ends early")
                yield tag >> 3, message[at : at + size]
                at += size
            case kind:
                raise ValueError(f"wire type {kind}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("varint is too long")
