"""Times the platform can trust: skew, lateness, what is beyond repair; and the line that is written."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hostile import good_examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference_enrichment import reference_line
from telemetry import catalog
from telemetry.enrichment import encode, enrich, timestamp
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
    event = make_event(event_time=at(days=1, minutes=10), sent_at=at(days=1))
    enriched = enrich(event, Origin(NOW, "stream"))
    assert enriched["corrected_time"] == at(minutes=10)
    assert enriched["skewed"] is True
    assert enriched["late"] is False
    assert enriched["country"] == "DE"


def test_a_clock_shifts_an_event_by_a_day_at_most(make_event: MakeEvent) -> None:
    """A body that was captured a year ago was once shifted to now, and its purchase counted again."""
    event = make_event(event_time=at(days=10), sent_at=at(days=10))
    assert enrich(event, Origin(NOW, "rest"))["corrected_time"] == at(days=9)
    event = make_event(event_time=at(days=-2, hours=3), sent_at=at(days=-1))
    with pytest.raises(Rejection, match="happens"):
        enrich(event, Origin(NOW, "rest"))


def test_an_event_from_an_offline_device_is_late(make_event: MakeEvent) -> None:
    assert enrich(make_event(event_time=at(days=30), sent_at=at()), Origin(NOW, "rest"))["late"] is True


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({"event_time": at(days=31, seconds=1), "sent_at": at()}, "too_old"),
        ({"event_time": at(hours=-1, seconds=-1), "sent_at": at()}, "future"),
        ({"event_time": at(days=365), "sent_at": at(days=320)}, "too_old"),
        ({"event_time": "2026-02-30T00:00:00Z"}, "schema_violation"),
        ({"event_time": "9999-12-31T23:59:59Z", "sent_at": "2001-01-01T00:00:00Z"}, "schema_violation"),
    ],
)
def test_beyond_repair(make_event: MakeEvent, times: dict[str, str], reason: str) -> None:
    with pytest.raises(Rejection) as caught:
        enrich(make_event(**times), Origin(NOW, "rest"))
    assert (caught.value.reason, caught.value.pointer) == (reason, "/event_time")


@pytest.mark.parametrize(
    ("times", "reason", "said"),
    [
        ({"event_time": at(days=365), "sent_at": at(days=365)}, "too_old", "365 days, 0:00:00 behind"),
        (
            {"event_time": at(days=32, seconds=1), "sent_at": at(days=32)},
            "too_old",
            "32 days, 0:00:00 behind",
        ),
        ({"event_time": at(days=-3), "sent_at": at(days=-3)}, "future", "3 days, 0:00:00 ahead"),
        ({"event_time": "1970-01-01T00:00:07Z", "sent_at": "1970-01-01T00:00:09Z"}, "too_old", "20513 days"),
    ],
)
def test_the_clock_is_blamed_where_it_is_at_fault(
    make_event: MakeEvent, times: dict[str, str], reason: str, said: str
) -> None:
    with pytest.raises(Rejection, match=said) as caught:
        enrich(make_event(**times), Origin(NOW, "rest"))
    assert (caught.value.reason, caught.value.pointer) == (reason, "/sent_at")


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


# Minutes before it came, to the microsecond, in each length that a fraction of a second may have.
TIMES = st.builds(
    lambda minutes, length: f"{(NOW - timedelta(minutes=minutes)).isoformat()[:19]}{'.1234560'[:length]}Z",
    st.floats(-55, 60 * 24 * 30),
    st.sampled_from([0, 2, 3, 4, 5, 6, 7]),
)
TEXTS = st.one_of(st.text(max_size=40), st.sampled_from(["a@b.co", "@", "7.0", "x.0}", "é\u2028", '"\\']))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(-(2.0**53), 2.0**53),
    st.sampled_from([7.0, -0.0, 0.5, 1e15, 9007199254740991.0]),
    TEXTS,
)
FREE = st.dictionaries(st.from_regex(r"\A[a-z][a-z0-9_]{0,9}\Z"), VALUES, max_size=3)
ORIGINS = st.builds(
    Origin,
    st.just(NOW) | st.just(NOW + timedelta(microseconds=999_999)),
    st.sampled_from(["rest", "stream", "replay"]),
    st.sampled_from([None, "FR"]),
    st.booleans(),
)
SPELLINGS = st.sampled_from([str.lower, str.upper, str.title])
SDKS = st.sampled_from([None, "unity/1.2", "headless a@b.co", "Googlebot"])


@settings(max_examples=1500, deadline=None, database=None)
@given(st.data())
def test_the_line_is_to_the_byte_what_plain_enrichment_writes(data: st.DataObject) -> None:
    event = dict(data.draw(st.sampled_from(good_examples())))
    event["payload"] = event["payload"] | data.draw(st.just({}) | st.fixed_dictionaries({"extra": FREE}))
    event |= {"event_time": data.draw(TIMES), "sent_at": data.draw(TIMES | st.just(at()))}
    event |= {name: data.draw(SPELLINGS)(event[name]) for name in ("event_id", "session_id")}
    event["sequence"] = data.draw(st.sampled_from([7, 7.0, 0]))
    if sdk := data.draw(SDKS):
        event["client"] = event["client"] | {"sdk": sdk}
    assume(catalog.validators()[event["event_type"], event["schema_version"]].is_valid(event))
    origin, before = data.draw(ORIGINS), orjson.dumps(event)
    try:
        tidy, line, flags = encode(event, origin, "2026-03-01T00:30:01.000Z")
    except Rejection:
        assume(False)
    assert line == reference_line(event, origin, "2026-03-01T00:30:01.000Z")
    written = orjson.loads(line)
    assert set(flags) == {name for name in ("late", "skewed", "bot", "masked") if written[name]}
    assert written.items() >= tidy.items()
    assert orjson.dumps(event) == before, "the client's own event is left as it came"


def test_a_client_holds_texts_only() -> None:
    """`_is_tidy` looks for numbers in the payload alone: should this fail, let it look at the client too."""
    client = catalog.documents()["/common/envelope/1-0-0.json"]["properties"]["client"]
    assert {part["type"] for part in client["properties"].values()} == {"string"}
