"""Shards follow the load: the rule by hand, a month of a game, and the calls on Kinesis in memory."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import cos, pi
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from lambda_context import Context
from stream_scaling import collector, handler, rule
from telemetry import shards

DAY = 1440


def test_a_shard_is_full_by_bytes_or_by_records() -> None:
    assert shards.used(2 * 1024**2, 10) == 2
    assert shards.used(10, 1500) == 1.5


@pytest.mark.parametrize(
    ("has", "used", "bounds", "expected"),
    [
        (1, [0.6], (1, 8), 1),
        (1, [0.61], (1, 8), 2),
        (4, [3.1], (1, 64), 7),  # half full of seven
        (2, [9.0], (1, 64), 4),  # Kinesis doubles at most
        (8, [9.0], (1, 8), 8),  # the bill is bounded
        (1, [0.1] * 4 + [0.9], (1, 8), 2),  # the busiest of five minutes
        (1, [0.1] * 5 + [0.9], (1, 8), 1),  # which is over: no reason to grow
        (8, [0.4] * DAY, (1, 8), 4),  # Kinesis halves at most
        (8, [0.4] * (DAY - 1) + [2.4], (1, 8), 5),  # yesterday's peak would fit
        (2, [0.4] * (DAY - 1) + [0.6], (1, 8), 2),
        (8, [0.4] * DAY, (6, 8), 6),
        (1, [0.1], (4, 8), 2),  # a minimum that was raised is reached by doubling
        (4, [], (1, 8), 4),  # silence is not read as zero
        (2, [], (4, 8), 4),
    ],
)
def test_the_rule(has: int, used: list[float], bounds: tuple[int, int], expected: int) -> None:
    assert rule.target(has, used, *bounds) == expected


@pytest.mark.parametrize("readers", range(1, 6))
def test_a_shard_that_is_not_full_yet_has_bytes_for_all_of_its_readers(readers: int) -> None:
    """A shard takes 1 MB a second and gives 2 MB: each reader takes what was put."""
    fills = [n / 1000 for n in range(1, 1001)]
    kept = [fill for fill in fills if rule.target(4, [4 * fill] * DAY, 1, 64, readers) <= 4]
    assert max(kept) == pytest.approx(min(0.6, 1.8 / readers), abs=0.002)
    assert max(kept) * readers < 2
    wanted = rule.target(10, [10 * max(kept) + 0.1], 1, 64, readers)
    assert 10 * max(kept) / wanted <= min(0.5, 1.5 / readers), "half is left for the next change"


def test_a_week_of_a_game_is_never_short_and_rarely_scaled() -> None:
    """Evenings have five times the load of nights, each day a tenth more than the last."""
    load = [1.1 ** (at / DAY) * (1.2 - 0.8 * cos(2 * pi * at / DAY)) for at in range(7 * DAY)]
    has, changing, held = 1, 0, []
    for minute, used in enumerate(load):
        # The metrics come two minutes late, a change takes three.
        seen = load[max(0, minute - 1 - DAY) : max(0, minute - 1)][::-1]
        if minute >= changing and (wanted := rule.target(has, seen, 1, 64)) != has:
            has, changing = wanted, minute + 3
        held.append(has)
        assert used < has, minute
    assert sum(after != before for before, after in pairwise(held)) <= 7
    assert max(held) <= 2 * max(load)


def test_a_spike_of_ten_times_is_held_within_a_quarter_of_an_hour() -> None:
    has, minute = 1, 0
    while has < 5:
        minute += 3 + 2
        # What does not fit is throttled and not counted: a full stream looks like its shards.
        has = rule.target(has, [float(min(has, 5))] * 3, 1, 64)
    assert minute <= 15


class Clients:
    """Kinesis with two streams, and the metrics of their minutes."""

    def __init__(self) -> None:
        self.kinesis = boto3.client("kinesis")
        self.cloudwatch = boto3.client("cloudwatch")
        for name in ("raw", "enriched"):
            self.kinesis.create_stream(StreamName=name, ShardCount=2)

    def __call__(self, service: str) -> Any:
        return {"kinesis": self.kinesis, "cloudwatch": self.cloudwatch}[service]

    def put(self, stream: str, records_a_second: float, minutes_ago: int = 2) -> None:
        dimensions = [{"Name": "StreamName", "Value": stream}]
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        for name, value in (("IncomingRecords", records_a_second * 60), ("IncomingBytes", 6e4)):
            datum = {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": at}
            self.cloudwatch.put_metric_data(Namespace="AWS/Kinesis", MetricData=[datum])

    def shards(self, stream: str) -> int:
        summary = self.kinesis.describe_stream_summary(StreamName=stream)
        return int(summary["StreamDescriptionSummary"]["OpenShardCount"])


@pytest.fixture
def clients(aws: None, monkeypatch: pytest.MonkeyPatch) -> Clients:
    made = Clients()
    monkeypatch.setattr(handler, "client", made)
    bounds = {"minimum": 1, "maximum": 8, "readers": 1}
    monkeypatch.setenv("STREAMS", json.dumps({"raw": bounds, "enriched": bounds}))
    handler._streams.cache_clear()
    return made


@pytest.fixture
def run(clients: Clients) -> Callable[[], dict[str, int]]:
    return lambda: handler.lambda_handler({}, Context())


def test_a_full_stream_gets_shards_and_the_other_is_left(
    clients: Clients, run: Callable[[], dict[str, int]]
) -> None:
    clients.put("raw", 1900)
    clients.put("enriched", 900)
    assert run() == {"raw": 4}
    assert (clients.shards("raw"), clients.shards("enriched")) == (4, 2)
    # The minute that caused it does not cause another change.
    assert run() == {}


def test_a_quiet_day_gives_shards_back(clients: Clients, run: Callable[[], dict[str, int]]) -> None:
    clients.put("raw", 100)
    clients.put("enriched", 100)
    clients.put("enriched", 700, minutes_ago=1200)
    assert run() == {"raw": 1}


def test_a_minute_is_judged_by_records_and_bytes(clients: Clients) -> None:
    clients.put("raw", 500)
    assert collector.minutes(clients.cloudwatch, "raw", datetime.now(UTC)) == [0.5]
    assert collector.minutes(clients.cloudwatch, "enriched", datetime.now(UTC)) == []


def test_a_stream_that_changes_is_left_alone(
    clients: Clients, run: Callable[[], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.put("raw", 1900)
    describe = clients.kinesis.describe_stream_summary

    def updating(**call: str) -> Any:
        answer = describe(**call)
        answer["StreamDescriptionSummary"]["StreamStatus"] = "UPDATING"
        return answer

    monkeypatch.setattr(clients.kinesis, "describe_stream_summary", updating)
    assert run() == {}


def test_one_that_is_refused_does_not_keep_the_other(
    clients: Clients, run: Callable[[], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.put("raw", 1900)
    clients.put("enriched", 1900)
    update = clients.kinesis.update_shard_count

    def refusing(**call: Any) -> Any:
        if call["StreamName"] == "raw":
            raise ClientError({"Error": {"Code": "LimitExceededException"}}, "UpdateShardCount")
        return update(**call)

    monkeypatch.setattr(clients.kinesis, "update_shard_count", refusing)
    with pytest.raises(RuntimeError, match="Not scaled: raw"):
        run()
    assert clients.shards("enriched") == 4
