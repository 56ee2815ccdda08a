"""Writes: packed within the limits of a call, retried where they partly fail, and honest about the rest."""

import gzip
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from telemetry import delivery
from telemetry.delivery import Entry, chunks, put_lines, put_records


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)


class Flaky:
    """Fails entries as told: `failures[data]` times, -1 for ever; keeps what got through."""

    def __init__(self, failures: dict[bytes, int]) -> None:
        self.failures, self.stored, self.calls = failures, [], 0  # type: tuple[dict[bytes, int], list[bytes], int]

    def _answer(self, data: bytes) -> dict[str, str]:
        if left := self.failures.get(data, 0):
            self.failures[data] = left - 1
            return {"ErrorCode": "ProvisionedThroughputExceededException"}
        self.stored.append(data)
        return {}

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.calls += 1
        assert len(Records) <= 500
        return {"Records": [self._answer(record["Data"]) for record in Records]}

    def put_record_batch(self, DeliveryStreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        return {"RequestResponses": [self._answer(record["Data"]) for record in Records]}


def test_chunks_respect_count_and_bytes() -> None:
    assert list(chunks([4, 4, 4, 20, 1], 2, 10)) == [[0, 1], [2], [3], [4]]
    assert list(chunks([], 2, 10)) == []


def test_only_the_failed_entries_are_sent_again() -> None:
    kinesis = Flaky({b"b": 2})
    entries = [Entry("k", data) for data in (b"a", b"b", b"c")]
    assert put_records(kinesis, "raw", entries) == set()
    assert kinesis.stored == [b"a", b"c", b"b"]
    assert kinesis.calls == 3


def test_what_never_gets_through_is_named() -> None:
    kinesis = Flaky({b"900": -1, b"3": -1})
    entries = [Entry("k", str(i).encode()) for i in range(1200)]
    assert put_records(kinesis, "raw", entries) == {3, 900}
    assert len(kinesis.stored) == 1198


def test_a_dead_endpoint_loses_nothing_silently() -> None:
    class Dead:
        def put_records(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="http://localhost")

    assert put_records(Dead(), "raw", [Entry("k", b"a"), Entry("k", b"b")]) == {0, 1}


def test_lines_are_packed_into_gzip_members_that_concatenate() -> None:
    firehose = Flaky({})
    lines = [str(i).encode() * 1000 for i in range(1000)]
    assert put_lines(firehose, "bronze", lines) == set()
    assert len(firehose.stored) == 4
    assert gzip.decompress(b"".join(firehose.stored)).splitlines() == lines


def test_all_lines_of_a_lost_record_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MAX_FIREHOSE_RECORD_BYTES", 4)
    firehose = Flaky({gzip.compress(b"b\nc\n", 6, mtime=0): -1})
    assert put_lines(firehose, "bronze", [b"aaa", b"b", b"c", b"d"]) == {1, 2}
