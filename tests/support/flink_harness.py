"""The streams of a Flink job on an emulator, and events made for them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from realtime_windows.items import item_of
from telemetry.enrichment import timestamp
from tools.emulator import Emulator
from tools.progress import wait_for
from tools.realtime import RealtimeJob

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SHARDS = 2

Event = dict[str, Any]
# Series and window.
Key = tuple[str, str]


def event(event_type: str = "session_start", at: float = 0, player: str = "p", **fields: Any) -> Event:
    """Build an enriched event `at` seconds after noon; `payload` and other fields can be given."""
    moment = timestamp(NOON + timedelta(seconds=at))
    made = {
        "event_id": str(uuid4()),
        "event_type": event_type,
        "game_id": "game",
        "player_id": player,
        "session_id": f"s-{player}",
        "corrected_time": moment,
        "received_at": moment,
        "platform": "ios",
        "app_version": "1.0.0",
        "late": False,
        "payload": {},
    }
    return made | fields


@dataclass
class FlinkHarness:
    """What the job reads and writes, under names of its own."""

    name: str
    emulator: Emulator
    directory: Path
    sent: list[list[Any]] = field(default_factory=lambda: [[] for _ in range(SHARDS)])

    def __post_init__(self) -> None:
        """Create the streams."""
        self.kinesis = boto3.client("kinesis")
        self.kinesis.create_stream(StreamName=f"{self.name}-enriched", ShardCount=SHARDS)
        self.kinesis.create_stream(StreamName=f"{self.name}-metrics", ShardCount=1)
        self.job, self.rows = RealtimeJob(self.directory), 0

    def start(self, savepoint: str = "", idle_seconds: int = 20, tasks: int = SHARDS) -> None:
        """Start the job on them, from the streams' beginning or a savepoint."""
        groups = {
            "streams": {
                "enriched.arn": self._arn("enriched"),
                "metrics.arn": self._arn("metrics"),
                "region": "us-east-1",
                "initial.position": "TRIM_HORIZON",
            },
            "windows": {"idle.timeout.seconds": str(idle_seconds)},
        }
        listed: list[dict[str, object]] = [
            {"PropertyGroupId": name, "PropertyMap": values} for name, values in groups.items()
        ]
        self.job.start(listed, self.emulator.endpoint, tasks, savepoint)

    def send(self, records: Sequence[Event | bytes], shard: int = 0) -> None:
        """Put events, or bytes that are none, into a shard in this order."""
        self.sent[shard].extend(record for record in records if not isinstance(record, bytes))
        for first in range(0, len(records), 500):
            self.kinesis.put_records(
                StreamName=f"{self.name}-enriched",
                Records=[
                    {
                        "Data": record if isinstance(record, bytes) else json.dumps(record).encode(),
                        "PartitionKey": "any",
                        "ExplicitHashKey": str(shard * 2**128 // SHARDS),
                    }
                    for record in records[first : first + 500]
                ],
            )

    def close(self, at: float) -> None:
        """Let time pass in every shard, so that all windows before it are published."""
        for shard in range(SHARDS):
            self.send([event("design", at, game_id="clock"), event("design", at + 1, game_id="clock")], shard)

    def windows(self, *keys: Key) -> dict[Key, dict[str, Any]]:
        """Return the measures of what was published by its keys in the table, once those named are there."""
        if keys:
            few = ", ".join(f"{series} {window}" for series, window in keys[:3])
            self._wait(f"{len(keys)} windows such as {few}", lambda: set(keys) <= self._items().keys())
        return self._items()

    def total(self, series: str, measure: str, expected: int) -> int:
        """Return the sum of a measure over a series' windows, once it is as large as expected."""

        def total() -> int:
            return sum(measures[measure] for key, measures in self._items().items() if key[0] == series)

        self._wait(f"{expected} {measure} of {series}", lambda: total() >= expected)
        return total()

    def published(self) -> list[dict[str, Any]]:
        """Return what the metrics stream holds."""
        stream = f"{self.name}-metrics"
        shard = self.kinesis.list_shards(StreamName=stream)["Shards"][0]["ShardId"]
        start = self.kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )
        records, iterator = [], start["ShardIterator"]
        while True:
            answer = self.kinesis.get_records(ShardIterator=iterator, Limit=10000)
            records += [json.loads(record["Data"]) for record in answer["Records"]]
            if not answer["Records"]:
                self.rows = len(records)
                return records
            iterator = answer["NextShardIterator"]

    def _wait(self, what: str, check: Callable[[], bool]) -> None:
        """Wait while the job publishes, prints or computes."""
        wait_for(
            what,
            check,
            value=lambda: self.rows,
            work=self.job.cpu_seconds,
            log=self.job.log,
            pause_seconds=0.5,
        )

    def _items(self) -> dict[Key, dict[str, Any]]:
        items = (item_of(row, timedelta(hours=1)) for row in self.published())
        return {
            (str(item["series"]), str(item["window"])): json.loads(str(item["measures"])) for item in items
        }

    def _arn(self, stream: str) -> str:
        answer = self.kinesis.describe_stream_summary(StreamName=f"{self.name}-{stream}")
        return answer["StreamDescriptionSummary"]["StreamARN"]
