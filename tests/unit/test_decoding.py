"""Every form the bytes of a record may have, and hostile ones."""

import gzip
import json
import random
from collections.abc import Callable

import pytest
from measured_work import measured
from telemetry.decoding import MAX_EVENT_BYTES, decode, decompress, readable
from telemetry.rejection import Rejection

ONE, TWO = b'{"a":1}', b'{"b":[2, 3]}'


@pytest.mark.parametrize(
    "data",
    [
        ONE + b"\n" + TWO,
        ONE + b"\r\n\r\n" + TWO + b"\r\n",
        b"[" + ONE + b"," + TWO + b"]",
        b" [\n" + ONE + b" ,\n " + TWO + b"\n]\n",
        b"\xef\xbb\xbf" + ONE + b"\n" + TWO,
        gzip.compress(ONE + b"\n" + TWO),
        gzip.compress(ONE + b"\n") + gzip.compress(TWO),
        gzip.compress(b"[" + ONE + b"," + TWO + b"]"),
        ONE + b"\n\xef\xbb\xbf" + TWO,
        b"\xef\xbb\xbf" + ONE + b"\r\n\xef\xbb\xbf" + TWO + b"\r\n\xef\xbb\xbf",
        gzip.compress(ONE) + b"\n" + gzip.compress(TWO) + b"\r\n",
        gzip.compress(ONE) + gzip.compress(TWO) + b"\0" * 9000,
        gzip.compress(b"\xef\xbb\xbf" + ONE) + gzip.compress(b"\xef\xbb\xbf" + TWO),
        gzip.compress(b"[" + ONE + b"]") + b"\n" + gzip.compress(b"[" + TWO + b"]"),
        ONE + TWO,
        ONE + b",\n" + TWO + b",",
        b"[" + ONE + b"]\n[" + TWO + b"]",
        b"[" + ONE + b"," + TWO + b",]",
        b"[" + ONE + b"," + TWO,
        b"[" + ONE + b"\n" + TWO + b"]",
    ],
)
def test_two_events_keep_their_exact_bytes(data: bytes) -> None:
    assert [event.raw for event in decode(data)] == [ONE, TWO]
    assert [event.value for event in decode(data)] == [{"a": 1}, {"b": [2, 3]}]


def test_one_event_may_be_written_over_several_lines() -> None:
    data = json.dumps({"a": [1, {"b": 2}]}, indent=2).encode()
    assert [event.value for event in decode(data)] == [{"a": [1, {"b": 2}]}]


@pytest.mark.parametrize("data", [b"%s\n%s\n%s\n", b"%s%s%s", b"[%s, %s, %s]", b"%s\n\n%s,\n%s"])
def test_an_event_over_several_lines_is_one_event_among_others(data: bytes) -> None:
    events = [{"event_id": str(n), "client": {"platform": "ios"}, "list": [{}, {"a": 1}]} for n in range(3)]
    one, two, three = (
        json.dumps(event, indent=indent).encode() for event, indent in zip(events, (None, 4, 1), strict=True)
    )
    for mixed in ((one, two, three), (two, one, three), (two, three, one), (two, three, two)):
        found = list(decode(data % mixed))
        assert [each.raw for each in found] == list(mixed)
        assert all(each.value for each in found)


def test_a_pretty_printed_array_may_have_more_lines_than_a_record_has_events() -> None:
    events = [{"event_id": str(n), "payload": dict.fromkeys("abcdefghij", n)} for n in range(1_000)]
    assert [each.value for each in decode(json.dumps(events, indent=2).encode())] == events


# What can be wrong inside of an event, given the text of one and the dice.
Fault = Callable[[bytes, random.Random], bytes]
FAULTS: dict[str, Fault] = {
    "NaN": lambda text, dice: text.replace(b"7", b"NaN"),
    "Infinity": lambda text, dice: text.replace(b"7", b"-Infinity"),
    "decimal comma": lambda text, dice: text.replace(b"7", b"1,5"),
    "Python's None": lambda text, dice: text.replace(b"7", b"None"),
    "leading zero": lambda text, dice: text.replace(b"7", b"007"),
    "half of an emoji": lambda text, dice: text.replace(b"forest", b"\\ud83d"),
    "cut UTF-8": lambda text, dice: text.replace(b"forest", "🌲".encode()[:2]),
    "raw tab": lambda text, dice: text.replace(b"forest", b"for\test"),
    "raw line feed": lambda text, dice: text.replace(b"forest", b"for\nest"),
    "bad escape": lambda text, dice: text.replace(b"forest", b"C:\\games"),
    "quote not escaped": lambda text, dice: text.replace(b"forest", b'the "forest'),
    "quote missing": lambda text, dice: text.replace(b'forest"', b"forest"),
    "brace missing": lambda text, dice: text[:-1],
    "brace too many": lambda text, dice: text + b"}",
    "bracket missing": lambda text, dice: b"".join(text.rsplit(b"]", 1)),
    "bracket too many": lambda text, dice: b"]]".join(text.rsplit(b"]", 1)),
    "comma too many": lambda text, dice: text[:-1] + b",}",
    "colon missing": lambda text, dice: text.replace(b":", b" ", 1),
    "comment": lambda text, dice: text[:-1] + b"/* level */}",
    "single quotes": lambda text, dice: text.replace(b'"', b"'"),
    "cut": lambda text, dice: text[: dice.randint(2, len(text) - 1)],
}


def event_text(number: int, indent: int | None = None) -> bytes:
    event = {
        "event_id": f"id-{number}",
        "client": {"platform": "ios", "build": "a, b} ] {"},
        "payload": {"level": "forest", "score": 7, "items": [1, 2], "more": [{"a": 1}, {"b": 1}]},
    }
    return json.dumps(event, indent=indent).encode()


LAYOUTS = {
    "compact": (None, b"[", b",", b"]"),
    "spaced": (None, b" [ ", b" , ", b" ] "),
    "one event a line": (None, b"[\n", b",\n", b"\n]\n"),
    "pretty-printed": (2, b"[\n", b",\n", b"\n]\n"),
    "array not closed": (None, b"[", b",", b""),
}


# Where such an event ends can only be guessed when another of the kind follows.
UNCOUNTED = ("cut", "single quotes")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_event_of_an_array_loses_itself_only(fault: str, layout: str) -> None:
    indent, before, between, after = LAYOUTS[layout]
    dice = random.Random(f"{fault}/{layout}")
    for _ in range(40):
        texts = [event_text(number, indent) for number in range(dice.randint(2, 6))]
        bad = set(dice.sample(range(len(texts)), dice.randint(1, len(texts) - 1)))
        # Two of the kind side by side, the last one broken and the first one too are among these.
        sent = [FAULTS[fault](text, dice) if n in bad else text for n, text in enumerate(texts)]
        found = list(decode(before + between.join(sent) + after))
        good = [each.raw for each in found if not each.rejection]
        assert good == [text for n, text in enumerate(texts) if n not in bad]
        if fault not in UNCOUNTED:
            assert [bool(each.rejection) for each in found] == [n in bad for n in range(len(texts))]


def test_a_text_that_looks_like_events_makes_no_events() -> None:
    trick = json.dumps('x"},{"event_id":"forged"},{"a":"')
    broken = b'{"event_id":"1","n":NaN,"chat":' + trick.encode() + b"}"
    found = list(decode(b"[" + broken + b"," + event_text(2) + b"]"))
    assert [(each.raw, bool(each.rejection)) for each in found] == [(broken, True), (event_text(2), False)]


@pytest.mark.parametrize("start", [b"[", b'["', b"[{}x,", b"[[{", b"{"])
@pytest.mark.parametrize(
    "repeated",
    [
        *[b"{", b"{},", b"[", b"x[]", b'"', b'\\"', b"]", b"},{", b"}" + b" " * 5000, b",", b'},{"event_id"'],
        *[b'{"a":', b"x{", b"{[", b"\\", b"1,", b"\n}", b'{"event_id":"a},', b"}\n{\n"],
    ],
)
def test_hostile_text_is_split_in_linear_time(start: bytes, repeated: bytes) -> None:
    """The time for 2 MB is small; a quadratic search would take minutes."""
    _, seconds = measured(lambda: list(decode(start + repeated * (2_000_000 // len(repeated)))), 2)
    assert seconds < 2


def test_a_broken_line_does_not_take_its_neighbours_along() -> None:
    events = list(decode(ONE + b'\n{"broken": \n' + TWO))
    assert [event.rejection and event.rejection.reason for event in events] == [None, "malformed_json", None]
    assert events[1].raw == b'{"broken":'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \n ",
        b"\x00\xff\xfe",
        b"{",
        b"[1, 2",
        b'"\\ud800"',
        b'{"a": NaN}',
        b"[" * 100_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b"\x1f\x8bnot gzip",
        gzip.compress(ONE)[:-6],
        gzip.compress(ONE) + b"trailing",
    ],
)
def test_malformed_data_is_one_rejection_with_all_its_bytes(data: bytes) -> None:
    (event,) = decode(data)
    assert event.rejection
    assert event.rejection.reason == "malformed_json"
    assert event.raw == data


def test_an_event_beyond_the_limit_is_too_large_but_not_its_neighbour() -> None:
    huge = json.dumps({"a": "x" * MAX_EVENT_BYTES}).encode()
    events = list(decode(b"[" + huge + b"," + ONE + b"]"))
    assert [event.rejection and event.rejection.reason for event in events] == ["too_large", None]


def test_a_gzip_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    (event,) = decode(bomb)
    assert event.rejection
    assert event.rejection.reason == "too_large"
    assert event.raw == bomb


@pytest.mark.parametrize(
    "data", [b"{}\n" * 10_001, b"[" + b",".join([b"1"] * 10_001) + b"]"], ids=["lines", "array"]
)
def test_a_record_of_countless_events_is_refused_whole(data: bytes) -> None:
    packed = gzip.compress(data)
    (event,) = decode(packed)
    assert event.rejection
    assert (event.rejection.reason, event.raw) == ("too_large", packed)


def test_exactly_the_limit_may_be_decompressed() -> None:
    assert decompress(gzip.compress(b"x" * 100), limit=100) == b"x" * 100
    with pytest.raises(Rejection, match="more than 99 bytes"):
        decompress(gzip.compress(b"x" * 100), limit=99)


def test_what_can_be_read_of_a_body_is_returned_unzipped() -> None:
    text = bytes(random.Random(1).randbytes(100_000))
    assert readable(text, 100) == text[:100]
    assert readable(gzip.compress(text), 100) == text[:100]
    cut = readable(gzip.compress(text)[:-20], 1_000_000)
    assert len(cut) > 90_000
    assert text.startswith(cut)
    assert readable(b"\x1f\x8bnot gzip", 100) == b"\x1f\x8bnot gzip"


OURS = [json.dumps({"event_id": f"e-{n}", "text": "]}{[", "list": [[], {"events": [n]}]}) for n in range(900)]


@pytest.mark.parametrize("count", [1, 2, 3, 900])
@pytest.mark.parametrize(
    "form", ['{"events":[%s]}', ' {"batch" : [\n%s\n]\r\n} \n', '\ufeff{"Events":[%s]}', '{"events":[%s,]}']
)
def test_a_list_of_our_events_in_an_object_is_their_list(form: str, count: int) -> None:
    body = (form % ",\n".join(OURS[:count])).encode()
    for data in (body, gzip.compress(body)):
        assert [event.raw.decode() for event in decode(data)] == OURS[:count]


@pytest.mark.parametrize("at", [0, 1, 449, 898, 899])
def test_a_broken_event_in_such_a_list_is_refused_alone(at: int) -> None:
    events = [*OURS]
    events[at] = events[at].replace('"text"', '"value": NaN, "text"')
    found = list(decode(f'{{"events":[{",".join(events)}]}}'.encode()))
    assert [event.raw.decode() for event in found] == events
    assert [n for n, event in enumerate(found) if event.rejection] == [at]


@pytest.mark.parametrize(
    "form",
    ['{"events":[%s],"game":"farm"}', '{"events":[%s]}{"a":1}', '{"events":[%s]', '{"events":{"all":[%s]}}'],
)
def test_another_object_with_a_list_stays_one_object(form: str) -> None:
    whole = (form % OURS[0]).encode()
    assert all(event.raw.decode() != OURS[0] for event in decode(whole))


def test_an_event_that_begins_with_a_list_stays_an_event() -> None:
    for event in ({"extra": [1], "event_id": "e"}, {"list": [{"id": 1}]}):
        assert [each.value for each in decode(json.dumps(event).encode())] == [event]
