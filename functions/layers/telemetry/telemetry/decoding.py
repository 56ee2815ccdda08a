"""From the bytes of a request or stream record to single events, without losing a neighbour of a bad one."""

import zlib
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson

from telemetry.rejection import Reason, Rejection

MAX_EVENT_BYTES = 64 * 1024
MAX_DECOMPRESSED_BYTES = 10 * 1024 * 1024
MAX_EVENTS = 10_000
PIECE_BYTES = 4096
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_array = msgspec.json.Decoder(list[msgspec.Raw])


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """One event as it came: its exact bytes and either the parsed value or why it could not be parsed."""

    raw: bytes
    value: Any = None
    rejection: Rejection | None = None


def decompress(data: bytes, limit: int = MAX_DECOMPRESSED_BYTES) -> bytes:
    """Return `data` unzipped where it is gzip (all members), at most `limit` bytes.

    Raises Rejection: malformed_json for broken gzip, too_large for a bomb.
    """
    if not data.startswith(GZIP_MAGIC):
        return data
    out = bytearray()
    at = 0
    stream = zlib.decompressobj(wbits=31)
    try:
        while at < len(data):
            if stream.eof:
                stream = zlib.decompressobj(wbits=31)
            # In pieces, for each member's end copies what is left of its piece: members may be many.
            piece = data[at : at + PIECE_BYTES]
            out += stream.decompress(piece, limit + 1 - len(out))
            if len(out) > limit:
                raise Rejection(Reason.TOO_LARGE, f"more than {limit} bytes when decompressed")
            at += len(piece) - len(stream.unused_data)
        if not stream.eof:
            raise Rejection(Reason.MALFORMED_JSON, "gzip data ends early")
    except zlib.error as error:
        raise Rejection(Reason.MALFORMED_JSON, f"broken gzip data: {error}") from None
    return bytes(out)


def parse(raw: bytes) -> Decoded:
    """Parse one event; a failure is part of the answer, so that its neighbours go on."""
    if len(raw) > MAX_EVENT_BYTES:
        message = f"an event has at most {MAX_EVENT_BYTES} bytes, this one {len(raw)}"
        return Decoded(raw, rejection=Rejection(Reason.TOO_LARGE, message))
    try:
        return Decoded(raw, orjson.loads(raw))
    except orjson.JSONDecodeError as error:
        return Decoded(raw, rejection=Rejection(Reason.MALFORMED_JSON, str(error)))


def decode(
    data: bytes, max_bytes: int = MAX_DECOMPRESSED_BYTES, max_events: int = MAX_EVENTS
) -> Iterator[Decoded]:
    """Yield the events of one event, a JSON array, NDJSON, or gzip of these, in their order.

    What is refused as a whole (broken, or over a limit when decompressed) is one rejection of all its bytes.
    """
    try:
        text = decompress(data, max(0, max_bytes)).removeprefix(BYTE_ORDER_MARK).strip()
        if text.count(b"\n") >= max_events:
            raise Rejection(Reason.TOO_LARGE, f"more than {max_events} lines")
        yield from _events(text, max_events)
    except Rejection as rejection:
        yield Decoded(data, rejection=rejection)


def _events(text: bytes, max_events: int) -> list[Decoded]:
    """Return the events of an array, of one event, or of lines where the whole is neither."""
    if text.startswith(b"["):
        try:
            return [parse(bytes(raw)) for raw in split_array(text, max_events)]
        except Rejection as rejection:
            if rejection.reason is Reason.TOO_LARGE:
                raise
            refused = rejection
    else:
        line, more, others = text.partition(b"\n")
        # Where the first line is an object and others follow, the whole is no JSON: no need to try.
        if more and isinstance((first := parse(line.rstrip())).value, dict):
            return [first, *_lines(others)]
        whole = parse(text)
        if not whole.rejection:
            return [whole]
        refused = whole.rejection
    lines = _lines(text)
    if len(lines) > 1 and any(isinstance(line.value, dict) for line in lines):
        return lines
    raise refused


def _lines(text: bytes) -> list[Decoded]:
    return [parse(stripped) for line in text.split(b"\n") if (stripped := line.strip())]


def split_array(text: bytes, max_events: int = MAX_EVENTS) -> list[msgspec.Raw]:
    """Return the exact bytes of each element; raises Rejection: malformed_json, too_large."""
    try:
        events = _array.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Rejection(Reason.MALFORMED_JSON, str(error)) from None
    if len(events) > max_events:
        raise Rejection(Reason.TOO_LARGE, f"more than {max_events} events")
    return events
