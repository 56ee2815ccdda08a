"""Times the platform can trust: skew, lateness, and what is beyond repair."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telemetry.enrichment import enrich, timestamp
from telemetry.origin import Origin
from telemetry.rejection import Rejection

NOW = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
MakeEvent = Callable[..., dict[str, Any]]


def at(**ago: float) -> str:
    return timestamp(NOW - timedelta(**ago))


def test_a_right_clock_is_left_alone(make_event: MakeEvent) -> None:
    event = make_event(event_time=at(minutes=40), sent_at=at(minutes=4))
    enriched = enrich(event, Origin(NOW, "rest", "FR"))
    assert enriched["corrected_time"] == event["event_time"]
    assert enriched["event_date"] == "2026-02-28"
    assert enriched["received_at"] == "2026-03-01T00:30:00.000Z"
    assert (enriched["late"], enriched["skewed"]) == (False, False)
    assert (enriched["country"], enriched["ingest_source"]) == ("FR", "rest")
    assert enriched["schema_id"] == "session_start/1-0-0"


def test_a_wrong_clock_is_repaired_by_what_it_said_at_sending(make_event: MakeEvent) -> None:
    event = make_event(event_time=at(days=400, minutes=10), sent_at=at(days=400))
    enriched = enrich(event, Origin(NOW, "stream"))
    assert enriched["corrected_time"] == at(minutes=10)
    assert enriched["skewed"] is True
    assert enriched["late"] is False
    assert enriched["country"] == "DE"


def test_an_event_from_an_offline_device_is_late(make_event: MakeEvent) -> None:
    assert enrich(make_event(event_time=at(days=30), sent_at=at()), Origin(NOW, "rest"))["late"] is True


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({"event_time": at(days=31, seconds=1), "sent_at": at()}, "too_old"),
        ({"event_time": at(hours=-1, seconds=-1), "sent_at": at()}, "future"),
        ({"event_time": "2026-02-30T00:00:00Z"}, "schema_violation"),
        ({"event_time": "9999-12-31T23:59:59Z", "sent_at": "2001-01-01T00:00:00Z"}, "schema_violation"),
    ],
)
def test_beyond_repair(make_event: MakeEvent, times: dict[str, str], reason: str) -> None:
    with pytest.raises(Rejection) as caught:
        enrich(make_event(**times), Origin(NOW, "rest"))
    assert (caught.value.reason, caught.value.pointer) == (reason, "/event_time")


def test_ids_are_compared_in_lower_case(make_event: MakeEvent) -> None:
    event = make_event(event_id="0B6F2A54-4C86-4F0E-9D5A-6F1F3A1C7E01", event_time=at(), sent_at=at())
    assert enrich(event, Origin(NOW, "rest"))["event_id"] == "0b6f2a54-4c86-4f0e-9d5a-6f1f3a1c7e01"


@pytest.mark.parametrize("hours", [-5, 40])
def test_the_clock_of_the_function_decides_nothing(
    make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    class Wrong(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Wrong":
            return cls.fromtimestamp(datetime.now(tz).timestamp() + hours * 3600, tz)

    def told() -> dict[str, Any]:
        event = enrich(sent, Origin(NOW, "stream"))
        return {name: value for name, value in event.items() if name != "processed_at"}

    sent = make_event(event_time=at(minutes=40), sent_at=at(minutes=4))
    truth = told()
    monkeypatch.setattr("telemetry.enrichment.datetime", Wrong)
    assert told() == truth
