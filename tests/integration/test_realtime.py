"""An event at the door is in a window of the Flink job and in the API's answer, every permission enforced."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from telemetry.enrichment import timestamp
from tools.engine import FLINK
from tools.realtime import RealtimeJob

pytestmark = pytest.mark.integration

# The rest of a minute, its lateness, and what a busy machine needs.
WAIT_SECONDS = 150


@pytest.fixture
def job(applied: Any, tmp_path: Path) -> Iterator[None]:
    """Run the job on the applied platform's streams, as its Terraform configures it."""
    if missing := FLINK.why_missing():
        pytest.skip(missing)
    started = RealtimeJob(tmp_path)
    groups = applied.platform.outputs["realtime_analytics"]["application_properties"]
    started.start(groups, applied.emulator.endpoint)
    yield
    started.kill()


def test_events_at_the_door_become_a_window(applied: Any, job: None) -> None:
    now = datetime.now(UTC)
    paid = {"transaction_id": "t-1", "currency": "USD", "amount_minor": 499, "quantity": 1, "store": "web"}
    paid["product_id"] = "starter"
    happened = [
        applied.event("session_start", player_id="ann"),
        applied.event("purchase", player_id="ann", payload=paid),
        applied.event("purchase", player_id="ann", payload=paid),
    ]
    answer = applied.post(orjson.dumps([event | {"event_time": timestamp(now)} for event in happened]))
    assert answer.status_code == 202, answer.text
    window = None
    deadline = time.monotonic() + WAIT_SECONDS
    while not window and time.monotonic() < deadline:
        time.sleep(2)
        url = f"{applied.platform.api.base_url}/v1/games/{applied.game_id}/realtime?minutes=30"
        windows = httpx.get(url, timeout=30).json()["windows"]
        window = next((window for window in windows if window["payers"]), None)
    assert window, "the window was not published"
    assert window["start"] == f"{now:%Y-%m-%dT%H:%M}:00Z"
    assert window["gross"] == {"USD": 499}
    assert window["events"]["purchase"] == 2
