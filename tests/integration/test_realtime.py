"""An event sent to the REST API is in a window of the Flink job and in the metrics API's answer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from steps import eventually
from telemetry.enrichment import timestamp
from tools.engine import FLINK
from tools.realtime import RealtimeJob

pytestmark = pytest.mark.integration


@pytest.fixture
def job(applied: Any, tmp_path: Path) -> Iterator[RealtimeJob]:
    """Run the job on the applied platform's streams, as its Terraform configures it."""
    if missing := FLINK.why_missing():
        pytest.skip(missing)
    started = RealtimeJob(tmp_path)
    groups = applied.platform.outputs["realtime_analytics"]["application_properties"]
    started.start(groups, applied.emulator.endpoint)
    yield started
    started.kill()


def test_events_of_the_rest_api_become_a_window(applied: Any, job: RealtimeJob) -> None:
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

    def published() -> list[dict[str, Any]]:
        windows: list[dict[str, Any]] = applied.platform.read(
            f"/v1/games/{applied.game_id}/realtime", minutes=30
        )["windows"]
        return windows

    # The rest of the minute and the lateness that is allowed come first.
    window = eventually(
        lambda: next((window for window in published() if window["reported_payers"]), None),
        "the window of the minute",
        value=lambda: len(published()),
        log=job.log,
    )
    assert window["start"] == f"{now:%Y-%m-%dT%H:%M}:00Z"
    assert window["reported_revenue"] == {"USD": 499}
    assert window["events_by_type"]["purchase"] == 2
