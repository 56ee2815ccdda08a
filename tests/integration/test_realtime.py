"""An event at the door is in a window of the Flink job and in the API's answer, every permission enforced."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from telemetry.enrichment import timestamp
from tools import realtime
from tools.realtime import RealtimeJob

pytestmark = pytest.mark.integration

WAIT_SECONDS = 90
LONG_AGO = timedelta(minutes=10)


@pytest.fixture
def job(applied: Any, tmp_path: Path) -> Iterator[None]:
    """Run the job on the applied platform's streams, as its Terraform configures it."""
    if missing := realtime.why_missing():
        pytest.skip(missing)
    started = RealtimeJob(tmp_path)
    groups = applied.platform.outputs["realtime_analytics"]["application_properties"]
    started.start(groups, applied.emulator.endpoint)
    yield
    started.kill()


def test_events_at_the_door_become_a_window(applied: Any, job: None) -> None:
    then = datetime.now(UTC).replace(second=1) - LONG_AGO
    paid = {"transaction_id": "t-1", "currency": "USD", "amount_minor": 499, "quantity": 1, "store": "web"}
    paid["product_id"] = "starter"
    happened = [
        at(applied.event("session_start", player_id="ann"), then),
        at(applied.event("purchase", player_id="ann", payload=paid), then + timedelta(seconds=1)),
        at(applied.event("purchase", player_id="ann", payload=paid), then + timedelta(seconds=2)),
    ]
    post(applied, happened)
    # Later events move the time on: whoever reads a shard then knows that the minute is over.
    window = None
    deadline = time.monotonic() + WAIT_SECONDS
    while not window and time.monotonic() < deadline:
        post(applied, [applied.event("session_start", player_id=f"p-{number}") for number in range(20)])
        time.sleep(2)
        answer = httpx.get(
            f"{applied.platform.api.base_url}/v1/games/{applied.game_id}/realtime?minutes=30", timeout=30
        ).json()
        window = next((w for w in answer["windows"] if w["start"] == minute_of(then)), None)
    assert window, "the window was not published"
    assert window["active_players"] == 1
    assert window["events"] == {"purchase": 2, "session_start": 1}
    assert window["gross"] == {"USD": 499}
    assert window["payers"] == 1


def at(event: dict[str, Any], moment: datetime) -> dict[str, Any]:
    """Return the event as one that happened then and is sent now."""
    return event | {"event_time": timestamp(moment)}


def post(applied: Any, events: list[dict[str, Any]]) -> None:
    """Send events by the REST door."""

    answer = applied.post(orjson.dumps(events))
    assert answer.status_code == 202, answer.text


def minute_of(moment: datetime) -> str:
    """Return the start of a minute as the API writes it."""
    return f"{moment:%Y-%m-%dT%H:%M}:00Z"
