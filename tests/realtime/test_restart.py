"""The job across a restart, and with a shard that falls silent."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from stage import Stage, event
from tools.emulator import Emulator


@pytest.fixture
def stage(flink_emulator: Emulator, tmp_path: Path) -> Iterator[Stage]:
    """Yield streams, and end the job on them."""
    made = Stage(f"restart-{uuid4().hex[:8]}", flink_emulator, tmp_path)
    try:
        yield made
    finally:
        made.job.kill()


def test_restart_from_a_savepoint_neither_loses_nor_doubles(stage: Stage) -> None:
    paid = {"store": "web", "transaction_id": "t-1", "currency": "USD", "amount_minor": 499}
    first = event("session_start", 1, "ann")
    stage.send([first, event("purchase", 2, "ann", payload=paid), event("session_heartbeat", 61, "ann")])
    stage.send([event("session_start", 125, "bob"), event("session_start", 126, "bob")], shard=1)
    stage.send([event("session_start", 127, "ann"), event("session_start", 128, "ann")])
    stage.start()
    stage.windows(("game#1m#*#*", "2026-01-31T12:00:00Z"))

    savepoint = stage.job.stop()
    assert savepoint
    # In the open minute: one event again, and one transaction that was counted before the stop.
    stage.send([event("purchase", 130, "ann", payload=paid), event("session_heartbeat", 70, "ann")])
    stage.start(savepoint)
    stage.close(3600)

    windows = stage.windows(("game#5m#*#*", "2026-01-31T12:02:00Z"))
    assert windows["game#1m#*#*", "2026-01-31T12:00:00Z"]["gross_minor.USD"] == 499
    assert windows["game#1m#*#*", "2026-01-31T12:01:00Z"]["events.session_heartbeat"] == 2
    assert windows["game#1m#*#*", "2026-01-31T12:02:00Z"] == {
        "events.purchase": 1,
        "events.session_start": 4,
        "unique.active_players": 2,
    }
    assert windows["game#5m#*#*", "2026-01-31T12:00:00Z"]["gross_minor.USD"] == 499
    rows = [
        (row["kind"], row["platform"], row["app_version"], row["window_start"])
        for row in stage.published()
        if row["kind"] != "dropped"
    ]
    assert len(rows) == len(set(rows)), "a window was published twice"


def test_a_silent_shard_holds_up_nothing_and_a_busy_one_stays_exact(stage: Stage) -> None:
    stage.start()
    stage.send([event("session_heartbeat", number / 10, f"p-{number % 97}") for number in range(3000)])
    stage.send([event("design", 900, game_id="clock"), event("design", 901, game_id="clock")])

    windows = stage.windows(("game#5m#*#*", "2026-01-31T12:00:00Z"))

    assert windows["game#5m#*#*", "2026-01-31T12:00:00Z"] == {
        "events.session_heartbeat": 3000,
        "unique.active_players": 97,
        "unique.concurrent_players": 97,
    }
