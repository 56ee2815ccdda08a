"""The job across a restart, and with shards that fall silent."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flink_harness import FlinkHarness, event
from tools.emulator import Emulator


@pytest.fixture
def harness(flink_emulator: Emulator, tmp_path: Path) -> Iterator[FlinkHarness]:
    """Yield streams, and end the job on them."""
    made = FlinkHarness(f"restart-{uuid4().hex[:8]}", flink_emulator, tmp_path)
    try:
        yield made
    finally:
        made.job.kill()


def test_restart_from_a_savepoint_neither_loses_nor_doubles(harness: FlinkHarness) -> None:
    paid = {"store": "web", "transaction_id": "t-1", "currency": "USD", "amount_minor": 499}
    first = event("session_start", 1, "ann")
    harness.send([first, event("purchase", 2, "ann", payload=paid), event("session_heartbeat", 61, "ann")])
    harness.send([event("session_start", 125, "bob"), event("session_start", 126, "bob")], shard=1)
    harness.send([event("session_start", 127, "ann"), event("session_start", 128, "ann")])
    harness.start(idle_seconds=600)
    harness.windows(("game#1m#*#*", "2026-01-31T12:00:00Z"))

    savepoint = harness.job.stop()
    assert savepoint
    # In the open minute: one event again, and one transaction that was counted before the stop.
    harness.send([event("purchase", 130, "ann", payload=paid), event("session_heartbeat", 70, "ann")])
    harness.start(savepoint, idle_seconds=600)
    harness.close(3600)

    windows = harness.windows(*((f"game#{size}#*#*", "2026-01-31T12:02:00Z") for size in ("1m", "5m")))
    assert windows["game#1m#*#*", "2026-01-31T12:00:00Z"]["reported_revenue.USD"] == 499
    assert windows["game#1m#*#*", "2026-01-31T12:01:00Z"]["events.session_heartbeat"] == 2
    assert windows["game#1m#*#*", "2026-01-31T12:02:00Z"] == {
        "events.purchase": 1,
        "events.session_start": 4,
        "unique.active_players": 2,
    }
    assert windows["game#5m#*#*", "2026-01-31T12:00:00Z"]["reported_revenue.USD"] == 499
    rows = [
        (row["kind"], row["platform"], row["app_version"], row["window_start"])
        for row in harness.published()
        if row["kind"] != "dropped"
    ]
    assert len(rows) == len(set(rows)), "a window was published twice"


def test_a_job_that_has_just_started_can_be_stopped(harness: FlinkHarness) -> None:
    harness.start()
    assert Path(harness.job.stop().removeprefix("file:")).is_dir()


def test_silence_closes_windows_without_losing_a_part(harness: FlinkHarness) -> None:
    for shard in range(2):
        beats = [event("session_heartbeat", number, f"p-{number % 97}") for number in range(shard, 540, 2)]
        harness.send(beats, shard)
    harness.start()
    windows = harness.windows(*((f"game#{size}#*#*", "2026-01-31T12:08:00Z") for size in ("1m", "5m")))
    minutes = {
        start: m["events.session_heartbeat"]
        for (series, start), m in windows.items()
        if series == "game#1m#*#*"
    }
    assert minutes == {f"2026-01-31T12:0{minute}:00Z": 60 for minute in range(9)}
    fives = [
        m["events.session_heartbeat"] for (series, _), m in sorted(windows.items()) if series == "game#5m#*#*"
    ]
    assert fives == [60, 120, 180, 240, *[300] * 5, 240, 180, 120, 60]

    # The clock has passed them: what comes now is late, on whichever shard, and counted as such.
    for shard in range(2):
        harness.send([event("session_heartbeat", number) for number in range(50)], shard)
    assert harness.total("game#dropped#*#*", "dropped.events", 100) == 100
    after = harness.windows()
    assert {key: after[key] for key in windows} == windows


def test_one_task_reads_a_backlog_of_busy_and_quiet_shards_without_drops(harness: FlinkHarness) -> None:
    minutes, busy, quiet = 40, 6000, 60
    for shard, events in enumerate((busy, quiet)):
        seconds = minutes * 60 / events
        harness.send([event("session_heartbeat", number * seconds) for number in range(events)], shard)
    harness.start(tasks=1)
    starts = [f"2026-01-31T12:{minute:02}:00Z" for minute in range(minutes)]
    windows = harness.windows(*(("game#1m#*#*", start) for start in starts))
    counted = sum(windows["game#1m#*#*", start]["events.session_heartbeat"] for start in starts)
    assert counted == busy + quiet
    assert not [series for series, _ in windows if "#dropped#" in series]


def test_a_busy_shard_beside_an_empty_one_stays_exact(harness: FlinkHarness) -> None:
    harness.send([event("session_heartbeat", number / 10, f"p-{number % 97}") for number in range(3000)])
    harness.start()
    windows = harness.windows(("game#5m#*#*", "2026-01-31T12:04:00Z"))
    assert windows["game#5m#*#*", "2026-01-31T12:00:00Z"] == {
        "events.session_heartbeat": 3000,
        "unique.active_players": 97,
        "unique.heartbeat_sessions": 97,
    }
