"""What events mean: sessions and pauses, cohorts, minutes, levels, currencies; in any order."""

import itertools
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from player_state.players import PlayerStore, from_item, to_item
from player_state.projection import Bucket, Projection, forget_old, new_player
from telemetry.enrichment import timestamp
from telemetry.histogram import bin_of, percentiles

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE = int(NOON.timestamp()) // 60


def happen(
    event_type: str = "session_heartbeat",
    at: float = 0,
    session: str = "s-1",
    late: bool = True,
    **payload: Any,
) -> dict[str, Any]:
    """Return what player_state reads of an enriched event, `at` minutes after noon."""
    moment = NOON + timedelta(minutes=at)
    return {
        "event_id": str(uuid4()),
        "event_type": event_type,
        "game_id": "skyforge",
        "player_id": "p-1",
        "session_id": session,
        "corrected_time": timestamp(moment),
        "event_date": moment.date().isoformat(),
        "country": "DE",
        "platform": "ios",
        "app_version": "1.0.0",
        "late": late,
        "payload": payload,
    }


def project(*events: dict[str, Any]) -> Projection:
    projection = Projection(new_player("skyforge", "p-1"))
    for event in events:
        projection.apply(event)
    return projection


def counted(projection: Projection, bucket: Bucket) -> dict[str, int]:
    return {name: count for name, count in projection.buckets[bucket].items() if count}


def test_a_session_that_never_ends_counts_what_was_played() -> None:
    player = project(*(happen(at=at) for at in (0, 5, 12, 20))).player
    assert player["playtime_seconds"] == 20 * 60


def test_a_pause_of_over_30_minutes_is_not_played() -> None:
    player = project(*(happen(at=at) for at in (0, 10, 41, 50))).player
    assert player["playtime_seconds"] == (10 + 9) * 60


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_reported_length_of_a_session_wins_in_any_order(order: tuple[int, ...]) -> None:
    events = [
        happen("session_start", 0),
        happen(at=10),
        happen(at=20),
        happen("session_end", 21, duration_seconds=1200),
    ]
    projection = project(*(events[n] for n in order))
    assert projection.player["playtime_seconds"] == 1200
    assert projection.buckets[Bucket.day("2026-03-10")]["session_seconds"] == 1200


def test_sessions_of_a_player_do_not_mix() -> None:
    player = project(happen(at=0, session="a"), happen(at=1, session="b"), happen(at=5, session="a")).player
    assert player["playtime_seconds"] == 300


def test_a_cohort_counts_who_comes_back_on_which_day() -> None:
    projection = project(*(happen(at=1440 * day) for day in (0, 1, 1.01, 7, 91)))
    cohort = counted(projection, Bucket.cohort("2026-03-10"))
    assert cohort == {"retained_0": 1, "retained_1": 1, "retained_7": 1}


@pytest.mark.parametrize("seed", range(20))
def test_cohorts_and_new_players_are_right_in_any_order(seed: int) -> None:
    events = [happen(at=1440 * day) for day in (0, 1, 3, 3.2, 8)]
    shuffled = random.Random(seed).sample(events, len(events))
    late, right = project(*shuffled), project(*events)
    totals = [defaultdict(Counter), defaultdict(Counter)]
    for total, projection in zip(totals, (late, right), strict=True):
        for bucket, counts in projection.buckets.items():
            total[bucket] += Counter(counts)
    assert {b: +c for b, c in totals[0].items() if +c} == {b: +c for b, c in totals[1].items() if +c}
    assert late.player["first_seen"] == timestamp(NOON)


@pytest.mark.parametrize("seed", range(20))
def test_weeks_and_months_hold_a_player_once_in_any_order(seed: int) -> None:
    dice = random.Random(seed)
    offsets = dice.sample(range(70), dice.randint(1, 12))
    projection = project(*(happen(at=1440 * day) for day in offsets))
    for window, length in (("wau", 7), ("mau", 30)):
        for last in range(-5, 110):
            day = (NOON + timedelta(days=last)).date()
            active = any(last - length < offset <= last for offset in offsets)
            assert projection.buckets[Bucket.month(day)][f"{window}_{day.day}"] == active


def test_a_player_is_active_once_a_minute_and_concurrent_for_five() -> None:
    projection = project(*(happen(at=at, late=False) for at in (0, 0.5, 1, 3)))
    by_minute = {
        offset: counted(projection, Bucket.minute(MINUTE + offset, "ios", "1.0.0")) for offset in range(9)
    }
    assert [by_minute[n].get("active_players", 0) for n in range(9)] == [1, 1, 0, 1, 0, 0, 0, 0, 0]
    assert [by_minute[n].get("concurrent_players", 0) for n in range(9)] == [1] * 8 + [0]
    assert by_minute[0]["events_session_heartbeat"] == 2


def test_late_events_change_days_and_no_minutes() -> None:
    projection = project(happen(at=0))
    assert not any(bucket.is_live for bucket in projection.buckets)
    assert counted(projection, Bucket.day("2026-03-10"))["events"] == 1


def test_money_and_measurements_are_counted_by_the_minute() -> None:
    projection = project(
        happen("purchase", 0, late=False, currency="EUR", amount_minor=499),
        happen("performance", 0, late=False, fps=59.7, latency_ms=40),
        happen("performance", 0, late=False, fps=0),
    )
    minute = counted(projection, Bucket.minute(MINUTE, "ios", "1.0.0"))
    assert (minute["revenue_EUR"], minute["events_performance"]) == (499, 2)
    assert (minute[f"fps_bin_{bin_of(59.7)}"], minute["fps_bin_0"]) == (1, 1)


def test_levels_and_currencies_are_counted_by_name() -> None:
    projection = project(
        happen("progression", 0, status="start", level_1="forest"),
        happen("progression", 1, status="fail", level_1="forest"),
        happen("progression", 2, status="start", level_1="forest"),
        happen("progression", 3, status="complete", level_1="forest"),
        happen("economy", 4, currency="gold", flow="source", amount=50, reason="quest", balance_after=50),
        happen("economy", 5, currency="gold", flow="sink", amount=20, reason="shop", balance_after=30),
    )
    day = counted(projection, Bucket.day("2026-03-10"))
    assert (day["players_started"], day["players_completed"]) == (1, 1)
    assert counted(projection, Bucket.level("2026-03-10", "forest")) == {"start": 2, "fail": 1, "complete": 1}
    assert counted(projection, Bucket.currency("2026-03-10", "gold", "quest")) == {"source": 50}
    assert counted(projection, Bucket.currency("2026-03-10", "gold", "shop")) == {"sink": 20}


def test_what_a_player_remembers_stays_small() -> None:
    events = [happen(at=n / 10, session=f"s-{n}", late=False) for n in range(3000)]
    player = project(*events).player
    forget_old(player, 1)
    assert len(player["sessions_seen"]) == 16
    assert max(len(player["active_minutes"]), len(player["present_minutes"])) <= 70


def test_percentiles_are_within_their_bins() -> None:
    values = [random.Random(1).uniform(5, 500) for _ in range(5000)]
    found = percentiles(Counter(str(bin_of(value)) for value in values))
    assert found
    for percent in (5, 50, 95, 99):
        exact = sorted(values)[int(percent / 100 * len(values))]
        assert found[f"p{percent}"] == pytest.approx(exact, rel=0.05)
    assert percentiles({}) is None
    assert percentiles({"0": 3}) == {"p5": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0}


def test_a_player_who_touches_more_than_a_transaction_holds_is_written_in_parts(dynamodb: Any) -> None:
    store = PlayerStore(boto3.client("dynamodb"), "players", "game_days")
    events = [
        happen("progression", 1440 * n, status="start", level_1=f"level-{n}", session=f"s-{n}")
        for n in range(90)
    ]
    assert store.apply(events, "shard-0") == (90, [])
    assert store.apply(events, "shard-0") == (0, [])
    items = dynamodb.Table("game_days").scan()["Items"]
    assert sum(int(item.get("start", 0)) for item in items) == 90
    assert sum(int(item.get("new_players", 0)) for item in items) == 1


@pytest.mark.parametrize("seed", range(8))
def test_a_version_counts_each_session_of_a_day_and_each_that_crashed_once(seed: int) -> None:
    events = [
        happen("session_start", 0),
        happen("crash", 1),
        happen("crash", 2),
        happen("session_end", 3, duration_seconds=180),
        happen("session_start", 5, session="s-2"),
        *(happen(at=24 * 60 * day, session="s-3") for day in range(4)),
        happen("crash", 24 * 60, session="s-3"),
        happen("performance", 4, session="s-4", fps=60) | {"app_version": "1.1.0"},
        happen("performance", 4, session="s-4", latency_ms=20) | {"app_version": "1.1.0"},
    ]
    random.Random(seed).shuffle(events)
    # Batches lie between: what the item keeps must be enough.
    projection = Projection(new_player("skyforge", "p-1"))
    total: dict[Bucket, Counter[str]] = defaultdict(Counter)
    for event in events:
        projection = Projection(from_item(to_item("k", projection.player)))
        projection.apply(event)
        for bucket, counts in projection.buckets.items():
            total[bucket].update(counts)
    first, second = ({**total[Bucket.version(f"2026-03-{day}", "1.0.0")]} for day in (10, 11))
    assert first == {"sessions": 3, "crashes": 2, "crashed_sessions": 1}
    assert second == {"sessions": 1, "crashes": 1, "crashed_sessions": 1}
    assert total[Bucket.version("2026-03-10", "1.1.0")] == {"sessions": 1, f"fps_bin_{bin_of(60)}": 1}
