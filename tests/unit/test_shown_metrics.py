"""What the objective of latency is fed with."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Metrics
from player_state.metrics import count_shown


def came(event_id: str, seconds_ago: float, source: str = "rest") -> dict[str, Any]:
    received_at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return {"event_id": event_id, "received_at": received_at.isoformat(), "ingest_source": source}


def test_late_events_count_but_not_lost_or_replayed_ones(capsys: pytest.CaptureFixture[str]) -> None:
    lost = came("c", 50)
    metrics = Metrics()
    count_shown(metrics, [came("a", 2), came("b", 30), lost, came("d", 90000, "replay")], [lost])
    metrics.flush_metrics()
    line = json.loads(capsys.readouterr().out)
    assert (line["EventsShown"], line["EventsShownLate"]) == ([2.0], [1.0])
    assert 30 <= line["ShownAfter"][0] < 35
