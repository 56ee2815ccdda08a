"""The Python client by itself: it never raises, honours a player's choices, and mends its queue."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from player_analytics import Client, Connection, Settings, settings
from player_analytics.queue import Queue
from player_analytics.transport import judged, retry_delay
from rest_answers import answering
from tools.progress import STILL_SECONDS, wait_for

DEVICE: Any = {
    "platform": "ios", "app_version": "1.4.2", "device_model": "iPhone17,1", "locale": "de", "country": "DE"
}  # fmt: skip
NOWHERE = "http://127.0.0.1:9"
Make = Callable[..., Client]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make clients that reach nobody and keep their events in a directory."""
    made: list[Client] = []

    def make_client(**settings: Any) -> Client:
        defaults: dict[str, Any] = {
            "directory": tmp_path, "on_problem": lambda problem: None, "first_retry_seconds": 60.0
        }  # fmt: skip
        made.append(Client(NOWHERE, "skyforge.secret", DEVICE, Settings(**defaults | settings)))
        return made[-1]

    yield make_client
    for each in made:
        each.close(0.1)


def stored(directory: Path) -> list[dict[str, Any]]:
    """Return the events on disk."""
    lines = [line for path in sorted(directory.rglob("*.ndjson")) for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def deep(levels: int) -> dict[str, Any]:
    """Return an object in objects."""
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"a": found}
    return found


def cyclic() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["itself"] = found
    return found


@pytest.mark.parametrize(
    ("event_type", "payload", "reason"),
    [
        ("design", {"name": "a", "value": float("nan")}, "malformed_json"),
        ("design", {"name": b"bytes"}, "malformed_json"),
        ("design", {"name": "half \ud800"}, "malformed_json"),
        ("design", cyclic(), "malformed_json"),
        ("design", deep(100_000), "malformed_json"),
        ("design", {"name": "x" * 70_000}, "too_large"),
        ("telepathy", {}, "unknown_schema"),
        (None, {}, "unknown_schema"),
    ],
    ids=["nan", "bytes", "surrogate", "cycle", "deep", "large", "type", "none"],
)
def test_what_cannot_be_sent_is_reported_and_never_raised(
    make: Make, tmp_path: Path, event_type: Any, payload: Any, reason: str
) -> None:
    problems: list[str] = []
    game = make(on_problem=problems.append)
    session: Any = game.start_session("p-1")
    session.track(event_type, payload)
    session.track("design", {"name": "after"})
    assert game.pause(STILL_SECONDS)
    assert [event["sequence"] for event in stored(tmp_path)] == [0, 1]
    assert (game.stats.invalid, game.stats.tracked) == (1, 3)
    assert any(f"was not sent: {reason}" in problem for problem in problems), problems


def test_a_mistake_in_the_games_own_callback_stops_nothing(make: Make, tmp_path: Path) -> None:
    def fail(problem: str) -> None:
        raise RuntimeError(problem)

    game = make(on_problem=fail)
    session: Any = game.start_session("p-1")
    session.track("telepathy")
    session.track("design", {"name": "after"})
    assert game.pause(STILL_SECONDS)
    assert len(stored(tmp_path)) == 2


@pytest.mark.parametrize("privacy", [{"analytics_storage": "denied"}, {"analytics_storage": "perhaps"}])
def test_without_consent_an_event_names_nobody_and_leaves_no_gap(
    make: Make, tmp_path: Path, privacy: Any
) -> None:
    game = make(validate=False)
    session = game.start_session("p-1")
    session.track("design", {"name": "before", "extra": {"diary": "a"}})
    session.set_privacy(privacy)
    session.track("design", {"name": "without", "extra": {"diary": "b"}})
    session.set_privacy({"analytics_storage": "granted"})
    session.track("design", {"name": "after"})
    assert game.pause(STILL_SECONDS)
    first, before, without, after = stored(tmp_path)
    assert [event["sequence"] for event in (first, before, after)] == [0, 1, 2]
    assert first["session_id"] == after["session_id"] == session.session_id
    assert without["privacy"] == privacy
    assert "p-1" not in json.dumps(without)
    assert without["session_id"] != session.session_id
    assert without["payload"] == {"name": "without"}
    assert without["client"].keys() == {"sdk", "platform", "app_version", "country"}
    assert after["privacy"] == {"analytics_storage": "granted"}


def test_of_a_child_device_and_free_fields_stay_here(make: Make, tmp_path: Path) -> None:
    game = make()
    session = game.start_session("p-1", {"launch_reason": "push"}, privacy={"age_group": "child"})
    session.track("design", {"name": "a", "extra": {"diary": "b"}})
    assert game.pause(STILL_SECONDS)
    start, event = stored(tmp_path)
    assert (start["player_id"], event["sequence"], event["payload"]) == ("p-1", 1, {"name": "a"})
    assert event["client"].keys() == {"sdk", "platform", "app_version", "country"}


def test_a_dimension_goes_with_each_event_from_now_on(make: Make, tmp_path: Path) -> None:
    problems: list[str] = []
    game = make(on_problem=problems.append)
    session: Any = game.start_session("p-1")
    for name, value in (("class", "mage"), ("shard", "Żuk"), ("class", "rogue")):
        session.set_dimension(name, value)
    session.track("design", {"name": "both"})
    for name, wrong in (
        ("Class", "a"),
        ("class", ""),
        ("class", "x" * 129),
        ("class", 7),
        ("a\n", "b"),
        (7, "c"),
    ):
        session.set_dimension(name, wrong)
    assert sum("the dimension was not set" in one for one in problems) == 6
    session.track("design", {"name": "same"})
    session.set_dimension("shard", None)
    session.set_privacy({"analytics_storage": "granted", "age_group": "child"})
    session.track("design", {"name": "child"})
    session.set_privacy(None)
    session.track("design", {"name": "one"})
    assert game.pause(STILL_SECONDS)
    _, *told = [event.get("dimensions") for event in stored(tmp_path)]
    both = {"class": "rogue", "shard": "Żuk"}
    assert told == [both, both, None, {"class": "rogue"}]


def test_heartbeats_come_each_minute_until_pause_and_end(make: Make, tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    game = make(clock=lambda: now[0])
    session = game.start_session("p-1")

    def beats() -> list[int]:
        game.flush(0)
        found = [event for event in stored(tmp_path) if event["event_type"] == "session_heartbeat"]
        return [event["payload"]["elapsed_seconds"] for event in found]

    now[0] += 61
    wait_for("the first heartbeat", lambda: beats() == [61], pause_seconds=0.05)
    game.pause(STILL_SECONDS)
    now[0] += 600
    game.flush(0.1)
    assert beats() == [61]
    game.resume()
    wait_for("one heartbeat for the pause", lambda: beats() == [61, 661], pause_seconds=0.05)
    session.end()
    session.end()
    now[0] += 61
    assert game.pause(STILL_SECONDS)
    last = stored(tmp_path)[-1]
    assert (last["event_type"], last["payload"]) == (
        "session_end", {"duration_seconds": 661, "end_reason": "exit"}
    )  # fmt: skip


def test_what_comes_faster_than_it_can_be_stored_is_dropped_and_counted(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = threading.Event()
    monkeypatch.setattr(Queue, "append", lambda self, lines: stuck.wait(STILL_SECONDS))
    game = make(memory_bytes=10_000)
    session = game.start_session("p-1")
    assert not game.pause(0.2)
    for _ in range(200):
        session.track("design", {"name": "a"})
    assert 170 < game.stats.dropped < 200
    stuck.set()


def test_a_torn_queue_keeps_its_good_lines(make: Make, tmp_path: Path) -> None:
    game = make()
    session = game.start_session("p-1")
    for _ in range(3):
        session.track("design", {"name": "a"})
    game.close(0.1)
    (path,) = tmp_path.rglob("*.ndjson")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        lines[0] + b"\0" * 20 + b"\n" + b'{"sent_at": "x"}\n' + b"".join(lines[2:]) + lines[1][:50]
    )
    again = make()
    assert again.pause(STILL_SECONDS)
    assert [event["sequence"] for event in stored(tmp_path)] == [0, 2, 3]
    assert (again.stats.queued, again.stats.dropped) == (3, 3)


def test_events_wait_in_memory_where_the_disk_fails(make: Make, tmp_path: Path) -> None:
    problems: list[str] = []
    taken = tmp_path / "file"
    taken.write_text("not a directory")
    game = make(directory=taken, on_problem=problems.append)
    game.start_session("p-1")
    assert game.pause(STILL_SECONDS)
    assert game.stats.queued == 1
    assert any("the queue on disk fails" in problem for problem in problems)


def test_a_disk_that_fails_later_loses_nothing(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = make()
    session = game.start_session("p-1")
    assert game.pause(STILL_SECONDS)

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("player_analytics.queue.os.write", full)
    session.track("design", {"name": "a"})
    assert game.pause(STILL_SECONDS)
    assert game.stats.queued == 2
    monkeypatch.undo()


def test_two_processes_share_a_directory_and_the_next_takes_over(make: Make, tmp_path: Path) -> None:
    one, two = make(), make()
    one.start_session("p-1")
    two.start_session("p-2")
    assert one.pause(STILL_SECONDS)
    assert two.pause(STILL_SECONDS)
    assert {path.parent.name for path in tmp_path.rglob("*.ndjson")} == {"0", "1"}
    one.close(0.1)
    two.close(0.1)
    third = make()
    assert third.stats.queued == 2
    assert {path.parent.name for path in tmp_path.rglob("*.ndjson")} == {"0"}


def test_no_event_is_taken_after_the_end(make: Make) -> None:
    game = make()
    session = game.start_session("p-1")
    game.close(0.1)
    session.track("design", {"name": "late"})
    assert (game.stats.tracked, game.stats.dropped) == (2, 1)
    game.close()


def test_retries_wait_longer_each_time_and_never_less_than_asked() -> None:
    settings = Settings(first_retry_seconds=1, longest_retry_seconds=30)
    for attempt, most in enumerate([1, 2, 4, 8, 16, 30, 30]):
        delays = [retry_delay(attempt, 0, settings) for _ in range(500)]
        assert max(delays) <= most
        # Full jitter: the whole range is used, so that clients do not come back together.
        assert min(delays) < most * 0.1
        assert max(delays) > most * 0.9
    assert min(retry_delay(0, 7, settings) for _ in range(100)) >= 7
    assert retry_delay(10_000, 0, settings) <= 30


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '{"accepted": 2, "rejected": 0, "results": []}'),
        (202, "<html>"),
        (202, "[]"),
        (202, '{"accepted": 1, "rejected": 0, "results": []}'),
        (207, '{"accepted": 1, "rejected": 1, "results": [{"index": 2, "status": "rejected"}]}'),
        (207, '{"accepted": 1, "rejected": 1, "results": [{"status": "rejected"}]}'),
        (207, '{"accepted": 1, "results": 3}'),
        (207, '{"accepted": null, "results": []}'),
        (302, ""),
        (403, '{"error": "text"}'),
        (500, '{"error": {"code": 3}}'),
        (503, ""),
    ],
)
def test_an_answer_that_says_nothing_of_the_events_keeps_them(status: int, body: str) -> None:
    answer = judged(status, "", body.encode(), 2)
    assert (answer.retry, answer.accepted, dict(answer.rejected)) == ({0, 1}, 0, {})
    assert answer.problem.startswith(f"the REST API answered {status}")


def test_each_event_gets_its_own_verdict() -> None:
    results = [
        {"index": 0, "status": "retry"},
        {"index": 2, "status": "rejected", "reason": "too_old", "pointer": "/event_time", "message": "old"},
    ]
    body = json.dumps({"accepted": 1, "rejected": 1, "results": results}).encode()
    answer = judged(207, "", body, 3)
    assert (answer.accepted, answer.retry, dict(answer.rejected)) == (
        1, {0}, {2: "too_old at /event_time: old"}
    )  # fmt: skip


def test_retry_after_may_be_a_date_and_is_bounded() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    assert 40 < judged(429, soon, b"", 1).retry_after <= 50
    for text, seconds in (
        ("3", 3),
        ("", 0),
        ("-3", 0),
        ("nan", 0),
        ("inf", 86_400),
        ("x", 0),
        ("1e9", 86_400),
    ):
        assert judged(429, text, b"", 1).retry_after == seconds


def test_the_device_names_the_library() -> None:
    assert settings.SDK.startswith("player-analytics-python/")


def test_a_connection_sends_whole_events_once_and_returns_the_answer() -> None:
    said = {"index": 1, "status": "rejected", "reason": "malformed_json", "pointer": "", "message": "no"}
    answer = 207, json.dumps({"accepted": 1, "rejected": 1, "results": [said]})
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    own = Settings(clock=moment.timestamp, signature="beside_key")
    events: list[Any] = [{"event_id": "a", "sent_at": "of the first attempt", "note": "ü"}, b'{"broken"']
    with answering(answer) as rest:
        found = Connection(rest.url, "skyforge.secret", own).send(events)
    assert (found.status, found.accepted, dict(found.rejected), found.retry) == (
        207, 1, {1: "malformed_json at /: no"}, frozenset()
    )  # fmt: skip
    ((headers, body),) = rest.requests
    first, second = gzip.decompress(body).splitlines()
    assert json.loads(first) == {"event_id": "a", "sent_at": "2026-03-01T12:00:00.000Z", "note": "ü"}
    assert second == events[1]
    assert headers["x-api-key"] == "skyforge.secret"
    assert headers["x-signature"].startswith(f"t={int(moment.timestamp())},")


def test_a_connection_signs_again_with_the_time_of_the_answer() -> None:
    stale = 401, json.dumps({"error": {"code": "stale_signature", "message": "no"}})
    wrong = lambda: time.time() - 7200  # noqa: E731
    own = Settings(clock=wrong, signature="beside_key")
    with answering(stale, (202, json.dumps({"accepted": 1, "rejected": 0, "results": []}))) as rest:
        found = Connection(rest.url, "skyforge.secret", own).send([{"event_id": "a"}])
    assert (found.status, found.accepted) == (202, 1)
    (_, refused), (headers, body) = rest.requests
    # The device's own time stays in the event: only with it can the platform correct event_time.
    assert gzip.decompress(body) == gzip.decompress(refused)
    signed_at = int(headers["x-signature"].partition(",")[0].removeprefix("t="))
    assert abs(signed_at - time.time()) < 60
    with answering(stale, stale) as rest:
        answer = Connection(rest.url, "skyforge.secret", own).send([{"event_id": "a"}])
    assert (answer.retry, len(rest.requests)) == ({0}, 2)


def test_a_connection_says_what_it_cannot_send() -> None:
    connection = Connection(NOWHERE, "skyforge.secret")
    with pytest.raises(ValueError, match="JSON compliant"):
        connection.send([{"value": float("nan")}])
    answer = connection.send([{}, {}])
    assert (answer.status, answer.retry) == (0, {0, 1})
    assert "cannot be reached" in answer.problem
