"""Every form the bytes of a record may have, and hostile ones."""

import gzip
import json

import pytest
from telemetry.decoding import MAX_EVENT_BYTES, decode, decompress
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
    ],
)
def test_two_events_keep_their_exact_bytes(data: bytes) -> None:
    assert [event.raw for event in decode(data)] == [ONE, TWO]
    assert [event.value for event in decode(data)] == [{"a": 1}, {"b": [2, 3]}]


def test_one_event_may_be_written_over_several_lines() -> None:
    data = json.dumps({"a": [1, {"b": 2}]}, indent=2).encode()
    assert [event.value for event in decode(data)] == [{"a": [1, {"b": 2}]}]


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
