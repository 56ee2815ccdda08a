"""From the bytes of a request or stream record to single events, without losing a neighbour of a bad one."""

import re
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice, pairwise
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
# What separates lines, elements of an array, and members of a gzip file.
SEPARATORS = b" \t\r\n,"
PADDING = b" \t\r\n\0"
# A broken array is split by its strings and brackets. These limits bound the time that hostile text takes.
MAX_TOKENS = 2_000_000
MAX_OBJECTS = 100_000
EVENT_ID = b'"event_id"'

_array = msgspec.json.Decoder(list[msgspec.Raw])
# A string ends with the text where its closing quote is missing.
_token = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)
# An object whose first member is a list, as {"events": [
_wrapper = re.compile(rb'\{\s*+"[A-Za-z_]{1,32}"\s*+:\s*+(?=\[)')
# An object that is no member of another.
_next_object = re.compile(rb"[},]\s*+(?=\{)")


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """One event as it came: its exact bytes and either the parsed value or why it could not be parsed."""

    raw: bytes
    value: Any = None
    rejection: Rejection | None = None


def decompress(data: bytes, limit: int = MAX_DECOMPRESSED_BYTES) -> bytes:
    """Return `data` unzipped where it is gzip (all members), at most `limit` bytes.

    Raises Rejection: malformed_json for broken gzip, too_large for a bomb.
    """
    return b"".join(_unzipped(data, limit)) if data.startswith(GZIP_MAGIC) else data


def readable(data: bytes, limit: int) -> bytes:
    """Return the first bytes of `data`, unzipped as far as it can be: broken gzip as it came."""
    if not data.startswith(GZIP_MAGIC):
        return data[:limit]
    out = bytearray()
    try:
        for piece in _unzipped(data, limit):
            out += piece
    except Rejection:
        pass
    return bytes(out) or data[:limit]


def _unzipped(data: bytes, limit: int) -> Iterator[bytes]:
    """Yield what a gzip file holds. Whitespace between its members is kept, zero bytes there are dropped."""
    at = size = 0
    stream = zlib.decompressobj(wbits=31)
    try:
        while at < len(data):
            # In pieces, for each member's end copies what is left of its piece: members may be many.
            piece = data[at : at + PIECE_BYTES]
            if stream.eof:
                member = piece.lstrip(PADDING)
                out = piece[: len(piece) - len(member)].replace(b"\0", b"")
                at += len(piece) - len(member)
                if member:
                    stream = zlib.decompressobj(wbits=31)
            else:
                out = stream.decompress(piece, limit + 1 - size)
                at += len(piece) - len(stream.unused_data)
            size += len(out)
            yield out[: len(out) - max(0, size - limit)]
            if size > limit:
                raise Rejection(Reason.TOO_LARGE, f"more than {limit} bytes when decompressed")
        if not stream.eof:
            raise Rejection(Reason.MALFORMED_JSON, "gzip data ends early")
    except zlib.error as error:
        raise Rejection(Reason.MALFORMED_JSON, f"broken gzip data: {error}") from None


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

    An event that cannot be parsed is refused by itself. What is refused as a whole (no event can be told
    apart, broken gzip, or over a limit when decompressed) is one rejection of all its bytes.
    """
    try:
        text = decompress(data, max(0, max_bytes)).removeprefix(BYTE_ORDER_MARK).strip()
        yield from _events(text, max_events)
    except Rejection as rejection:
        yield Decoded(data, rejection=rejection)


def _events(text: bytes, max_events: int) -> list[Decoded]:
    """Return the events of an array, of one event, or of lines where the whole is neither."""
    text = _unwrapped(text)
    is_array = text.startswith(b"[")
    if is_array:
        try:
            return [parse(bytes(raw)) for raw in split_array(text, max_events)]
        except Rejection as rejection:
            if rejection.reason is Reason.TOO_LARGE:
                raise
            refused = rejection
    else:
        line, more, others = text.partition(b"\n")
        # Where the first line is an object and others follow, the whole is no JSON: no need to try.
        if more and isinstance((first := parse(line.rstrip(SEPARATORS))).value, dict):
            return [first, *_lines(others, max_events - 1)]
        whole = parse(text)
        if not whole.rejection:
            return [whole]
        refused = whole.rejection
    lines = _lines(text, max_events) if text.count(b"\n") < max_events else []
    # An array that spans lines is none of lines, though its lines may hold events.
    if _named(lines) and (not is_array or text.partition(b"\n")[0].rstrip().endswith(b"]")):
        return lines
    found = split_tolerantly(text, max_events) if is_array else _in_a_row(text, max_events)
    best = max(found, lines, key=_named)
    if _named(best) or (is_array and len(found) > 1):
        return best
    for objects in (lines, found):
        if any(isinstance(each.value, dict) for each in objects):
            return objects
    raise refused


def _unwrapped(text: bytes) -> bytes:
    """Return the list of an object that holds nothing but a list of our events, the text where it is none."""
    wrapper = _wrapper.match(text)
    if not wrapper or EVENT_ID not in text[: MAX_EVENT_BYTES + wrapper.end()]:
        return text
    held = array_at(text, wrapper.end())
    return held if text[wrapper.end() + len(held) :].strip() == b"}" else text


def _named(events: list[Decoded]) -> int:
    """Return how many of the events could be read and name their `event_id`."""
    return sum(isinstance(each.value, dict) and "event_id" in each.value for each in events)


def _lines(text: bytes, max_events: int) -> list[Decoded]:
    """Return the events of lines. Events that are written over several lines are put together."""
    if text.count(b"\n") >= max_events:
        raise Rejection(Reason.TOO_LARGE, f"more than {max_events} lines")
    lines = text.split(b"\n")
    found = [parse(stripped) for line in lines if (stripped := line.strip(SEPARATORS))]
    if not [each for each in found if each.rejection]:
        return found
    found = []
    broken: list[bytes] = []
    for line in lines:
        stripped = line.strip(SEPARATORS).removeprefix(BYTE_ORDER_MARK)
        if not (stripped or broken):
            continue
        each = parse(stripped)
        if each.rejection or (broken and EVENT_ID not in each.raw):
            broken.append(line)
            continue
        found += _broken_lines(broken, max_events)
        broken = []
        found.append(each)
    return found + _broken_lines(broken, max_events)


def _broken_lines(lines: list[bytes], max_events: int) -> list[Decoded]:
    """Return the events of neighbouring lines the first of which is no JSON.

    They are one event, or several, where the first line is the opening bracket of a pretty-printed one.
    """
    if lines and lines[0].strip(SEPARATORS) == b"{":
        found = _in_a_row(b"\n".join(lines), max_events)
        if _named(found):
            return found
    stripped = [line.strip(SEPARATORS).removeprefix(BYTE_ORDER_MARK) for line in lines]
    return [parse(line) for line in stripped if line]


def _in_a_row(text: bytes, max_events: int) -> list[Decoded]:
    """Return objects that follow each other, nothing where there is something else between them."""
    found = split_tolerantly(text, max_events)
    return found if all(each.raw.startswith(b"{") for each in found) else []


def split_array(text: bytes, max_events: int = MAX_EVENTS) -> list[msgspec.Raw]:
    """Return the exact bytes of each element; raises Rejection: malformed_json, too_large."""
    try:
        events = _array.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Rejection(Reason.MALFORMED_JSON, str(error)) from None
    if len(events) > max_events:
        raise Rejection(Reason.TOO_LARGE, f"more than {max_events} events")
    return events


def split_tolerantly(text: bytes, max_events: int = MAX_EVENTS) -> list[Decoded]:
    """Return the objects of a broken array, or of objects in a row, each by itself. Takes linear time.

    Only strings and brackets count, so that what is wrong inside of an object leaves its neighbours alone.
    Text in which no object is found gives nothing. Raises Rejection: too_large.
    """
    found: list[Decoded] = []
    broken: list[tuple[int, int]] = []
    for start, end in _elements(text):
        if len(found) + len(broken) >= max_events:
            raise Rejection(Reason.TOO_LARGE, f"more than {max_events} events")
        each = parse(text[start:end])
        if isinstance(each.value, dict) and (not broken or EVENT_ID in each.raw):
            found += [*_objects(text, broken), each]
            broken = []
        else:
            broken.append((start, end))
    found += _objects(text, broken)
    if len(found) > max_events:
        raise Rejection(Reason.TOO_LARGE, f"more than {max_events} events")
    return found if any(each.raw.startswith(b"{") for each in found) else []


def array_at(text: bytes, start: int) -> bytes:
    """Return the array that begins at `start` up to its closing bracket, the rest of the text without one."""
    depth = 0
    for token in islice(_token.finditer(text, start), MAX_TOKENS):
        match text[token.start()]:
            case 0x5B | 0x7B:  # [ {
                depth += 1
            case 0x5D | 0x7D:  # ] }
                depth -= 1
                if depth == 0:
                    return text[start : token.end()]
    return text[start:]


def _elements(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of what stands between commas or new objects, outside of all objects.

    Arrays around objects are no elements: their brackets separate.
    """
    start = depth = 0
    # Whether the element that begins at `start` has a token.
    is_begun = False
    for token in islice(_token.finditer(text), MAX_TOKENS):
        at = token.start()
        match text[at]:
            case 0x7B:  # {
                if depth == 0:
                    yield from _trimmed(text, start, at)
                    start = at
                depth += 1
            case 0x5B if depth == 0 and not is_begun and not list(_trimmed(text, start, at)):  # [
                start = at + 1
                continue
            case 0x5B:
                depth += 1
            case 0x7D | 0x5D if depth:  # } ]
                depth -= 1
            case 0x5D | 0x2C if depth == 0:  # ] ,
                yield from _trimmed(text, start, at)
                start, is_begun = at + 1, False
                continue
        is_begun = True
    yield from _trimmed(text, start, len(text))


def _trimmed(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield an element without what separates it, or nothing where only closing brackets are left."""
    element = text[start:end].rstrip(SEPARATORS).removesuffix(BYTE_ORDER_MARK)
    left = element.lstrip(SEPARATORS).removeprefix(BYTE_ORDER_MARK).lstrip()
    if left.strip(b"]}" + SEPARATORS):
        yield start + len(element) - len(left), start + len(element)


def _objects(text: bytes, broken: list[tuple[int, int]]) -> list[Decoded]:
    """Return neighbouring elements as events; the first is no object, and none is a whole event.

    A missing bracket or quote may have joined events, or cut them in the wrong place. A new event then begins
    where an object that names its `event_id` follows a comma or another object.
    """
    if not broken:
        return []
    first, last = broken[0][0], broken[-1][1]
    span = text[first:last]
    cuts = [0, *(match.end() for match in islice(_next_object.finditer(span), MAX_OBJECTS)), len(span)]
    starts = [at for at, end in pairwise(cuts) if at == 0 or EVENT_ID in span[at:end]]
    if len(starts) > MAX_EVENTS:
        raise Rejection(Reason.TOO_LARGE, f"more than {MAX_EVENTS} events")
    if len(starts) == 1:
        return [parse(text[start:end]) for start, end in broken]
    events: list[Decoded] = []
    for begin, end in pairwise([*starts, len(span)]):
        whole = parse(span[begin:end].strip(SEPARATORS))
        # What ends before its event_id, and the bracket that closes the array, may follow a good event.
        rest = cuts[bisect_left(cuts, end) - 1]
        if whole.rejection:
            closed = parse(whole.raw.rstrip(b"]" + SEPARATORS))
            before = parse(span[begin:rest].strip(SEPARATORS))
            if not closed.rejection:
                whole = closed
            elif not before.rejection:
                events.append(before)
                whole = parse(span[rest:end].strip(SEPARATORS))
        events.append(whole)
    return events
