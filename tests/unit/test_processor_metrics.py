"""What the alarm on a game's reject rate is fed with."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools import Metrics
from processor.arrival import Arrival
from processor.metrics import publish
from telemetry.origin import Origin
from telemetry.rejection import Reason, Rejection


def arrive(game: str, reason: Reason | None = None) -> Arrival:
    rejection = Rejection(reason, "x") if reason else None
    event = None if reason else {"game_id": game}
    origin = Origin(datetime.now(UTC), "stream")
    return Arrival("1", 0, origin, b"", game=game, event=event, rejection=rejection)


def published(capsys: pytest.CaptureFixture[str], arrivals: list[Arrival]) -> list[dict[str, Any]]:
    metrics = Metrics()
    publish(metrics, arrivals)
    metrics.flush_metrics()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_game_has_its_reject_rate(capsys: pytest.CaptureFixture[str]) -> None:
    farm = [arrive("farm"), arrive("farm"), arrive("farm"), arrive("farm", Reason.TOO_OLD)]
    lines = published(capsys, [*farm, arrive("chess")])
    rates = {line["game_id"]: line["RejectRate"] for line in lines if "RejectRate" in line}
    assert rates == {"farm": [25.0], "chess": [0.0]}
    (dimensions,) = {
        tuple(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) for line in lines if "RejectRate" in line
    }
    assert set(dimensions) == {"game_id", "service"}


def test_a_batch_weighs_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = (line for line in published(capsys, [arrive("farm")] * 480) if "RejectRate" in line)
    assert line["RejectRate"] == [0.0] * 10
    (line,) = (line for line in published(capsys, [arrive("farm")] * 9000) if "RejectRate" in line)
    assert len(line["RejectRate"]) == 99


def test_rejects_are_counted_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    withheld = arrive("farm")
    withheld.event = None
    lines = published(capsys, [arrive("farm"), arrive("farm", Reason.FUTURE), withheld])
    counts = {line["reason"]: line["EventsRejectedByReason"] for line in lines if "reason" in line}
    assert counts == {"future": [1.0]}
    (total,) = (line for line in lines if "EventsAccepted" in line)
    assert (total["EventsAccepted"], total["EventsRejected"], total["EventsWithheld"]) == ([1.0],) * 3
