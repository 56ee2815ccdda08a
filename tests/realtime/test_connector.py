"""The test double takes the options of AWS's connector, and reads and writes as that one does."""

import json
import os
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import pytest
from fake_kinesis import LAST_HASH, FakeKinesis, Shard
from tools import connectors, realtime
from tools.engine import FLINK
from tools.progress import wait_for

PROGRAM = Path(__file__).parents[1] / "support" / "connector_program.py"
BASE = {
    "connector": "kinesis",
    "stream.arn": "arn:aws:kinesis:us-east-1:000000000000:stream/any",
    "aws.region": "us-east-1",
    "aws.endpoint": "http://127.0.0.1:1",
    "format": "json",
}
# Of KinesisSourceConfigOptions, KinesisConnectorOptions, AWSConfigConstants and AsyncSinkConnectorOptions of
# version 5.1.0, with a value that each takes.
SOURCE_OPTIONS = {
    "source.init.position": "AT_TIMESTAMP",
    "source.init.timestamp": "2026-01-31T12:00:00.000Z",
    "source.init.timestamp.format": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "source.shard.discovery.interval": "5 s",
    "source.shard.get-records.max-record-count": "1000",
    "source.shard-assigner": "default",
    "source.reader.type": "POLLING",
    "source.reader.empty-records-fetch-interval": "1 s",
    "source.efo.lifecycle": "JOB_MANAGED",
    "source.efo.consumer.name": "name",
    "source.efo.subscription.timeout": "60 s",
    "source.efo.deregister.timeout": "10 s",
    "source.efo.describe.retry-strategy.delay.min": "2 s",
    "source.efo.describe.retry-strategy.delay.max": "60 s",
    "source.efo.describe.retry-strategy.attempts.max": "100",
    "aws.credentials.provider": "AUTO",
    "aws.trust.all.certificates": "false",
    "aws.http.protocol.version": "HTTP1_1",
    "aws.http-client.max-concurrency": "10",
    "aws.http-client.read-timeout": "1000",
    "sink.partitioner-field-delimiter": "|",
    "sink.fail-on-error": "false",
    "sink.batch.max-size": "500",
    "sink.requests.max-inflight": "50",
    "sink.requests.max-buffered": "10000",
    "sink.flush-buffer.size": "5242880",
    "sink.flush-buffer.timeout": "500",
    "sink.http-client.max-concurrency": "10",
    "sink.http-client.read-timeout": "1000",
    "sink.http-client.protocol.version": "HTTP1_1",
    "scan.watermark.emit.strategy": "on-event",
}
WRONG = {
    "source.reader.empty-record-fetch-interval": "1 s",
    "sink.flush.timeout": "500",
    "aws.http.protocol": "HTTP1_1",
    "stream": "name",
    "source.init.position": "YESTERDAY",
    "source.shard.discovery.interval": "soon",
    "source.reader.type": "EFO",
}


@pytest.fixture(scope="module", autouse=True)
def _flink() -> None:
    """Skip where this machine cannot run Flink."""
    if missing := FLINK.why_missing():
        pytest.skip(missing)


def start(directory: Path, what: object) -> "subprocess.Popen[bytes]":
    """Start the program with what it reads as JSON; its output goes to the directory."""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return subprocess.Popen(
        [FLINK.python, "-W", "ignore", PROGRAM, realtime.compiled_connector().as_uri(), json.dumps(what)],
        env={**os.environ, **credentials},
        stdout=(directory / "out").open("wb"),
        stderr=(directory / "log").open("wb"),
    )


def test_exactly_the_options_of_the_real_connector_are_taken(tmp_path: Path) -> None:
    tables = {"all": BASE | SOURCE_OPTIONS, "plain": BASE}
    tables |= {f"{key}={value}": BASE | {key: value} for key, value in WRONG.items()}
    for missing in ("stream.arn", "aws.region", "format"):
        tables[f"no {missing}"] = {key: value for key, value in BASE.items() if key != missing}
    child = start(tmp_path, tables)
    wait_for("the options", lambda: child.poll() is not None, process=child, log=tmp_path / "log")
    assert child.returncode == 0, (tmp_path / "log").read_text()[-2000:]
    refused = json.loads((tmp_path / "out").read_text().splitlines()[-1])
    assert {name for name, why in refused.items() if not why} == {"all", "plain"}, refused


SPLIT, RECORDS = "shardId-000000000000", 2500
CHILDREN = {
    "shardId-000000000001": (0, LAST_HASH // 2),
    "shardId-000000000002": (LAST_HASH // 2 + 1, LAST_HASH),
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeKinesis]:
    """Copy a stream that was split into another with the double, and wait until its shards are empty."""
    directory = tmp_path_factory.mktemp("copied")

    def rows(shard: str) -> list[bytes]:
        return [json.dumps({"shard": shard, "number": number}).encode() for number in range(RECORDS)]

    shards = {SPLIT: Shard(rows(SPLIT), closed=True)}
    shards |= {name: Shard(rows(name), *hashes, parent=SPLIT) for name, hashes in CHILDREN.items()}
    fake = FakeKinesis(shards)
    options = {"source.init.position": "TRIM_HORIZON", "source.reader.empty-records-fetch-interval": "1 s"}
    child = start(directory, BASE | {"aws.endpoint": fake.endpoint} | options)
    try:
        wait_for(
            "the copy of all records",
            lambda: len(fake.written) >= 3 * RECORDS and len(empty_reads(fake)) > 6,
            value=lambda: len(fake.written),
            process=child,
            log=directory / "log",
        )
        yield fake
    finally:
        child.kill()
        fake.server.shutdown()


def moments(fake: FakeKinesis, action: str, shard: str) -> list[float]:
    return [at for at, called, of in fake.calls if (called, of) == (action, shard)]


def empty_reads(fake: FakeKinesis) -> list[float]:
    """Return the moments of a child's reads after its records and the first empty answer."""
    (reads, *_) = (moments(fake, "GetRecords", child) for child in CHILDREN)
    return reads[1:]


def test_nothing_is_lost_though_records_are_refused(copied: FakeKinesis) -> None:
    assert max(copied.batches) > 100, "rows must be written in batches"
    found = sorted((row["shard"], row["number"]) for row in map(json.loads, copied.written))
    assert found == sorted((shard, number) for shard in copied.shards for number in range(RECORDS))


def test_no_shard_is_assigned_before_the_second_discovery(copied: FakeKinesis) -> None:
    discoveries = [at for at, action, _ in copied.calls if action == "ListShards"]
    assert discoveries[1] - discoveries[0] > 5
    assert moments(copied, "GetShardIterator", SPLIT)[0] >= discoveries[1]


def test_children_are_read_after_their_parent(copied: FakeKinesis) -> None:
    last_of_parent = max(moments(copied, "GetRecords", SPLIT))
    assert all(moments(copied, "GetShardIterator", child)[0] >= last_of_parent for child in CHILDREN)


def test_an_empty_shard_is_read_once_in_the_given_interval(copied: FakeKinesis) -> None:
    assert min(after - before for before, after in pairwise(empty_reads(copied))) > 0.95


def test_our_connector_runs_on_the_java_of_the_service(tmp_path: Path) -> None:
    (libraries,) = FLINK.environment.glob("lib/python*/site-packages/pyflink/lib")
    published = tmp_path / "published.jar"
    connectors.write(published, {connectors.SERVICES: b"org.example.First\n", "org/example/First.class": b""})
    sources = sorted(connectors.BY_SHARD.glob("*.java"))
    jars = [tmp_path / name for name in ("one.jar", "two.jar")]
    for jar in jars:
        connectors.with_factories(published, sources, list(libraries.glob("*.jar")), jar)
    assert jars[0].read_bytes() == jars[1].read_bytes()
    with ZipFile(jars[0]) as archive:
        assert archive.read(connectors.SERVICES).decode().split() == [
            "org.example.First",
            "KinesisByShardFactory",
        ]
        classes = [archive.read(name) for name in archive.namelist() if name.startswith("KinesisByShard")]
    # Bytes 6 and 7 of a class are its version: 55 is Java 11.
    assert {int.from_bytes(content[6:8]) for content in classes} == {55}
