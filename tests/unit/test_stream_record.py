"""KPL aggregates, as another implementation makes them, and broken ones."""

import gzip
import hashlib
import json

import pytest
from aws_kinesis_agg.aggregator import RecordAggregator
from processor.stream_record import MAGIC, decode_record
from telemetry import decoding
from telemetry.rejection import Reason


def aggregate(*user_records: bytes) -> bytes:
    aggregator = RecordAggregator()
    for number, data in enumerate(user_records):
        aggregator.add_user_record(f"player-{number % 3}", data, explicit_hash_key=str(number))
    contents: bytes = aggregator.clear_and_get().get_contents()[2]
    return contents


def sealed(message: bytes) -> bytes:
    return MAGIC + message + hashlib.md5(message).digest()


def reasons(data: bytes) -> list[Reason | None]:
    return [item.rejection.reason if item.rejection else None for item in decode_record(data)]


def test_user_records_come_out_in_their_order_in_all_forms() -> None:
    events = [json.dumps({"n": n}).encode() for n in range(7)]
    data = aggregate(
        events[0],
        b"[" + events[1] + b"," + events[2] + b"]",
        events[3] + b"\n" + events[4],
        gzip.compress(events[5] + b"\n" + events[6]),
    )
    assert [item.raw for item in decode_record(data)] == events


def test_a_bad_user_record_leaves_its_neighbours_alone() -> None:
    data = aggregate(b'{"n": 1}', b"{no json", b"\x1f\x8bbroken", b'{"n": 2}')
    assert reasons(data) == [None, Reason.MALFORMED_JSON, Reason.MALFORMED_JSON, None]


def test_an_aggregate_that_was_changed_on_its_way_is_one_reject_with_all_its_bytes() -> None:
    data = bytearray(aggregate(b'{"n": 1}', b'{"n": 2}'))
    data[-1] ^= 1
    (item,) = decode_record(bytes(data))
    assert item.raw == data
    assert item.rejection
    assert item.rejection.reason is Reason.MALFORMED_JSON


@pytest.mark.parametrize(
    "message",
    [
        b"\x1a\x7f{",  # a record that ends early
        b"\x1a\x02\x08\x00",  # a record without data
        b"\x1a",  # a tag and no length
        b"\xff" * 11,  # a number of more than 64 bits
        b"\x1b",  # a wire type that is none
    ],
)
def test_a_broken_message_under_a_right_digest_is_one_reject(message: bytes) -> None:
    assert reasons(sealed(message)) == [Reason.MALFORMED_JSON]


def test_fields_of_other_numbers_and_types_are_passed_over() -> None:
    other = b"\x20\x05" + b"\x29" + bytes(8) + b"\x35" + bytes(4) + b"\x3a\x01x"
    record = b"\x08\x00\x1a\x02{}"
    (item,) = decode_record(sealed(other + b"\x1a" + bytes([len(record)]) + record + other))
    assert item.raw == b"{}"


def test_the_limits_hold_for_the_record_and_not_for_each_user_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processor.stream_record.MAX_DECOMPRESSED_BYTES", 1000)
    bomb = gzip.compress(b'"' + b"x" * 600 + b'"')
    assert reasons(aggregate(bomb, bomb, b"{}")) == [None, Reason.TOO_LARGE, None]
    monkeypatch.setattr("processor.stream_record.MAX_EVENTS", 5)
    assert reasons(aggregate(b"[1,2,3]", b"[1,2,3]", b"{}")) == [None] * 3 + [Reason.TOO_LARGE, None]
    assert reasons(aggregate(*[b"{}"] * 6)) == [Reason.TOO_LARGE]
    assert decoding.MAX_EVENTS == 10_000
