"""Writes to Kinesis and Firehose that tell exactly which entries did not get through."""

import gzip
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_firehose.client import FirehoseClient
    from mypy_boto3_firehose.type_defs import RecordTypeDef
    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

MAX_PUT_RECORDS = 500
MAX_PUT_BYTES = 5 * 1024 * 1024
MAX_FIREHOSE_PUT_BYTES = 4 * 1024 * 1024
MAX_FIREHOSE_RECORD_BYTES = 900_000
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.05

logger = Logger(child=True)


class Entry(NamedTuple):
    """One record for a stream: the key that keeps its order, and its bytes."""

    partition_key: str
    data: bytes


def chunks(sizes: Iterable[int], max_count: int, max_bytes: int) -> Iterator[list[int]]:
    """Yield runs of indexes whose count and added sizes stay within the limits of one call."""
    run: list[int] = []
    total = 0
    for index, size in enumerate(sizes):
        if run and (len(run) == max_count or total + size > max_bytes):
            yield run
            run, total = [], 0
        run.append(index)
        total += size
    if run:
        yield run


def put_records(kinesis: "KinesisClient", stream: str, entries: Sequence[Entry]) -> set[int]:
    """Write to a Kinesis stream; return the indexes of the entries that failed after 5 attempts."""

    def attempt(indexes: list[int]) -> list[int]:
        records: list[PutRecordsRequestEntryTypeDef] = [
            {"PartitionKey": entries[i].partition_key, "Data": entries[i].data} for i in indexes
        ]
        answer = kinesis.put_records(StreamName=stream, Records=records)
        return [i for i, record in zip(indexes, answer["Records"], strict=True) if "ErrorCode" in record]

    sizes = (len(entry.data) + len(entry.partition_key) for entry in entries)
    return _deliver(chunks(sizes, MAX_PUT_RECORDS, MAX_PUT_BYTES), attempt)


def put_lines(firehose: "FirehoseClient", delivery_stream: str, lines: Sequence[bytes]) -> set[int]:
    """Write NDJSON lines to Firehose, many a record; return the indexes of the lines that failed.

    Each record is one gzip member: members one after the other are again a valid .gz file, and
    Firehose bills by bytes in steps of 5 KB a record (docs/adr/0002).
    """
    groups = list(chunks((len(line) + 1 for line in lines), len(lines), MAX_FIREHOSE_RECORD_BYTES))
    packed = [gzip.compress(b"".join(lines[i] + b"\n" for i in group), 6, mtime=0) for group in groups]
    failed = put_each(firehose, delivery_stream, packed)
    return {line for group in failed for line in groups[group]}


def put_each(firehose: "FirehoseClient", delivery_stream: str, records: Sequence[bytes]) -> set[int]:
    """Write records of at most 1,000 KiB to Firehose as they are; return the indexes of those that failed."""

    def attempt(indexes: list[int]) -> list[int]:
        batch: list[RecordTypeDef] = [{"Data": records[i]} for i in indexes]
        answer = firehose.put_record_batch(DeliveryStreamName=delivery_stream, Records=batch)
        responses = answer["RequestResponses"]
        return [i for i, record in zip(indexes, responses, strict=True) if "ErrorCode" in record]

    return _deliver(chunks(map(len, records), MAX_PUT_RECORDS, MAX_FIREHOSE_PUT_BYTES), attempt)


def _deliver(batches: Iterable[list[int]], attempt: Callable[[list[int]], list[int]]) -> set[int]:
    failed: set[int] = set()
    for batch in batches:
        left = batch
        for number in range(ATTEMPTS):
            if number:
                time.sleep(random.uniform(0, FIRST_PAUSE_SECONDS * 2**number))  # noqa: S311 - jitter
            try:
                left = attempt(left)
            except (ClientError, BotoCoreError) as error:
                logger.warning("A write failed", extra={"attempt": number + 1, "error": str(error)})
                continue
            if not left:
                break
        failed.update(left)
    return failed
