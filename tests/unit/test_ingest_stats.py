"""The counters of what came in: exact, whichever part of a batch is read again or could not be written."""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hooked_dynamodb import HookedDynamoDB, quiet
from processor.arrival import Arrival
from processor.stats import RETENTION_SECONDS, IngestStats
from telemetry.origin import Origin
from telemetry.rejection import Reason, Rejection

SHARD = "shardId-000000000000"
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
ERROR = ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "UpdateItem")


@pytest.fixture
def table(dynamodb: Any) -> HookedDynamoDB:
    return HookedDynamoDB()


@pytest.fixture
def stats(table: HookedDynamoDB) -> IngestStats:
    return IngestStats(table, "ingest_stats")


def arrive(number: int, index: int = 0, game: str = "skyforge", flags: tuple[str, ...] = ()) -> Arrival:
    origin = Origin(DAY, "stream")
    return Arrival(str(number), index, origin, b"", game=game, event={"event_id": "e"}, flags=flags)


def reject(number: int, reason: Reason, game: str = "skyforge") -> Arrival:
    return Arrival(str(number), 0, Origin(DAY, "stream"), b"", game=game, rejection=Rejection(reason, "x"))


def counts(dynamodb: Any, game: str = "skyforge", day: str = "2026-03-01") -> Counter[str]:
    totals: Counter[str] = Counter()
    for item in dynamodb.Table("ingest_stats").scan()["Items"]:
        if item["game_day"] == f"{game}#{day}":
            kept = {"game_day", "shard", "position", "updated_at", "expires_at"}
            totals.update({name: int(value) for name, value in item.items() if name not in kept})
    outcomes = sum(n for name, n in totals.items() if name == "accepted" or name.startswith("rejected_"))
    assert (totals.pop("arrived", 0), totals.pop("hour_12", 0)) == (outcomes, totals["accepted"])
    return +totals


def test_outcomes_are_counted_by_game_and_day_of_arrival(stats: IngestStats, dynamodb: Any) -> None:
    batch = [
        arrive(1, flags=("late", "skewed")),
        arrive(2, flags=("late",)),
        arrive(3),
        reject(4, Reason.DUPLICATE),
        reject(5, Reason.MALFORMED_JSON, "unknown"),
        arrive(6, game="farm"),
    ]
    before = int(time.time())
    assert stats.add(SHARD, batch) == []
    assert counts(dynamodb) == {"accepted": 3, "late": 2, "skewed": 1, "rejected_duplicate": 1}
    assert counts(dynamodb, "unknown") == {"rejected_malformed_json": 1}
    assert counts(dynamodb, "farm") == {"accepted": 1}
    items = dynamodb.Table("ingest_stats").scan()["Items"]
    assert {item["shard"] for item in items} == {SHARD}
    written = [int(item["expires_at"]) - RETENTION_SECONDS for item in items]
    assert before <= min(written) <= max(written) <= time.time()
    for item in items:
        at = datetime.fromisoformat(item["updated_at"]).timestamp()
        assert before <= at <= time.time()


@pytest.mark.parametrize("reread", [slice(0, 9), slice(3, 9), slice(3, 20), slice(0, 20), slice(9, 20)])
def test_what_is_read_again_is_not_counted_again(stats: IngestStats, dynamodb: Any, reread: slice) -> None:
    batch = [arrive(n) for n in range(20)]
    stats.add(SHARD, batch[:9])
    stats.add(SHARD, batch[reread])
    stats.add(SHARD, batch)
    assert counts(dynamodb) == {"accepted": 20}


def test_sequence_numbers_are_compared_as_numbers(stats: IngestStats, dynamodb: Any) -> None:
    for number in (9, 10, 99, 10**55, 10**55 + 1):
        stats.add(SHARD, [arrive(number)])
    assert counts(dynamodb) == {"accepted": 5}


def test_a_record_of_very_many_events_is_counted_whole(stats: IngestStats, dynamodb: Any) -> None:
    stats.add(SHARD, [arrive(7, 999_999)])
    stats.add(SHARD, [arrive(7, index) for index in (999_999, 1_000_000, 1_000_001)])
    stats.add(SHARD, [arrive(7, 1_000_001), arrive(8)])
    assert counts(dynamodb) == {"accepted": 4}


def test_shards_count_apart(stats: IngestStats, dynamodb: Any) -> None:
    for shard in (SHARD, "shardId-000000000001"):
        stats.add(shard, [arrive(5)])
    assert counts(dynamodb) == {"accepted": 2}


def test_only_the_item_that_failed_is_handed_back(
    stats: IngestStats, table: HookedDynamoDB, dynamodb: Any
) -> None:
    batch = [arrive(n, game="farm" if n % 2 else "skyforge") for n in range(10)]
    table.before = lambda key: ERROR if key["game_day"]["S"].startswith("farm") else None
    assert stats.add(SHARD, batch) == batch[1::2]
    assert (counts(dynamodb), counts(dynamodb, "farm")) == ({"accepted": 5}, {})
    table.before = quiet
    assert stats.add(SHARD, batch[1:]) == []
    assert counts(dynamodb) == counts(dynamodb, "farm") == {"accepted": 5}


def test_a_lost_answer_is_not_counted_twice(stats: IngestStats, table: HookedDynamoDB, dynamodb: Any) -> None:
    batch = [arrive(n) for n in range(4)]
    table.after = lambda key: ERROR
    assert stats.add(SHARD, batch) == batch
    table.after = quiet
    assert stats.add(SHARD, [*batch, arrive(4)]) == []
    assert counts(dynamodb) == {"accepted": 5}
