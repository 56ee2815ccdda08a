"""The load command: its shapes, whom it may load, and an audit that finds what is planted."""

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from player_analytics import Connection
from rest_answers import Answer, answering
from telemetry.rejection import Rejection
from telemetry.validation import validate
from tools import CommandError, load
from tools.event_audit import Reply, audit
from tools.load import Sender, counts, crowd, require_permission

TAKEN, REFUSED = Reply.TAKEN, Reply.REFUSED


def test_an_event_that_was_taken_and_is_nowhere_is_lost() -> None:
    result = audit({"a": TAKEN, "b": TAKEN, "c": TAKEN}, bronze=["a"], quarantine=["b"])
    assert result.lost == ("c",)
    assert not result.is_exact


def test_what_the_sender_knows_of_is_not_lost() -> None:
    result = audit({"a": TAKEN, "b": REFUSED, "c": REFUSED}, bronze=["a"], quarantine=["b"])
    assert (result.accepted, result.rejected, result.reported) == (1, 1, 1)
    assert result.is_exact


def test_the_lake_decides_of_an_event_whose_sender_gave_up() -> None:
    result = audit({"a": REFUSED}, bronze=["a"], quarantine=[])
    assert (result.accepted, result.reported) == (1, 0)


def test_repetitions_are_counted_and_strangers_are_not() -> None:
    result = audit({"a": TAKEN}, bronze=["a", "a", "stranger"], quarantine=["a", "other"])
    assert (result.sent, result.accepted, result.rejected, result.repeated) == (1, 1, 0, 1)
    assert result.is_exact


@pytest.mark.parametrize(
    ("shape", "events"), [("steady", 1000), ("ramp", 1000), ("spike", 1900), ("hot", 1000)]
)
def test_shapes_send_what_they_say(shape: str, events: int) -> None:
    plan = list(counts(shape, rate=100, seconds=10))
    assert len(plan) == 20
    assert sum(plan) == pytest.approx(events, abs=1)


def test_a_reconnect_sends_at_once_what_a_silence_kept() -> None:
    plan = list(counts("reconnect", rate=100, seconds=100))
    assert sum(plan) == pytest.approx(10_000, abs=1)
    assert sum(plan[60:100]) == 0
    assert sum(plan[100:120]) == pytest.approx(3_000, abs=1)


def test_half_of_a_hot_load_is_one_players() -> None:
    players = Counter(event["player_id"] for event in islice(crowd("skyforge", "hot", 1), 2000))
    assert players.most_common(1)[0][1] / 2000 == pytest.approx(0.5, abs=0.05)


def test_a_load_has_invalid_events_and_duplicates() -> None:
    events = list(islice(crowd("skyforge", "steady", 1), 5000))
    ids = {event["event_id"] for event in events}
    invalid = 0
    for event in events:
        try:
            validate(event)
        except Rejection:
            invalid += 1
    assert 20 < invalid < 100
    assert 20 < len(events) - len(ids) < 100


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566/x", "http://localhost:4566/x", "http://[::1]:4566/x"])
def test_this_machine_may_be_loaded(url: str) -> None:
    require_permission(url, None, is_meant=False)


@pytest.mark.parametrize(
    ("endpoint", "is_meant"),
    [(None, True), ("https://games.example/live", False), ("https://other.example/live", True)],
)
def test_another_machine_must_be_named_and_meant(endpoint: str | None, is_meant: bool) -> None:
    url = "https://games.example/live/v1/events"
    require_permission(url, "https://games.example/live", is_meant=True)
    with pytest.raises(CommandError, match=r"games\.example is not this machine"):
        require_permission(url, endpoint, is_meant)


def test_a_name_that_begins_like_this_machine_is_not() -> None:
    for host in ("127.0.0.1.example.com", "localhost.example.com"):
        with pytest.raises(CommandError):
            require_permission(f"http://{host}/v1/events", None, is_meant=False)


def replies(*answers: Answer) -> tuple[list[Reply], dict[str, int]]:
    """Return what a sender remembers of two events in a request, and the statuses that it counted."""
    sender = Sender(SimpleNamespace(), "key")  # type: ignore[arg-type]
    with answering(*answers) as rest:
        sender.post(Connection(rest.url, "key"), [{"event_id": "a"}, {"event_id": "b"}])
    return [sender.replies["a"], sender.replies["b"]], dict(sender.answers)


@pytest.mark.parametrize(
    ("status", "body", "known"),
    [
        (202, {"accepted": 2, "results": []}, [TAKEN, TAKEN]),
        (
            207,
            {
                "accepted": 1,
                "results": [{"index": 0, "status": "rejected", "reason": "schema_violation", "message": ""}],
            },
            [REFUSED, TAKEN],
        ),
        (207, {"accepted": 1, "results": [{"index": 1, "status": "retry"}]}, [TAKEN, REFUSED]),
        (202, "<html>", [REFUSED, REFUSED]),
        (503, {}, [REFUSED, REFUSED]),
        (429, {}, [REFUSED, REFUSED]),
        (413, {"error": {"code": "too_large"}}, [REFUSED, REFUSED]),
    ],
)
def test_what_the_rest_api_answers_is_remembered(status: int, body: Any, known: list[Reply]) -> None:
    assert replies((status, json.dumps(body))) == (known, {str(status): 1})


def test_a_request_without_an_answer_took_nothing_for_sure() -> None:
    assert replies() == ([REFUSED, REFUSED], {"unanswered": 1})


def test_a_record_the_stream_did_not_take_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "put_records", lambda *_: {1})
    sender = Sender(SimpleNamespace(outputs={"raw_stream_name": "raw"}), "key")  # type: ignore[arg-type]
    events = [{"event_id": name, "game_id": "g", "player_id": name} for name in "ab"]
    sender.put(None, [[event] for event in events])
    assert sender.replies == {"a": TAKEN, "b": REFUSED}


def test_an_event_of_which_only_a_duplicate_is_left_is_lost(aws: None) -> None:
    s3, since = boto3.client("s3"), datetime.now(UTC)
    s3.create_bucket(Bucket="lake")
    lines = ({"event_id": "a", "reason": "duplicate"}, {"event_id": "b", "reason": "schema_violation"})
    s3.put_object(Bucket="lake", Key="rejected/x", Body="\n".join(map(json.dumps, lines)).encode())
    platform: Any = SimpleNamespace(outputs={"lake_bucket": "lake"})
    assert load.settle(platform, {"a": TAKEN, "b": TAKEN}, since, 0).lost == ("a",)


def test_a_load_that_is_interrupted_accounts_for_what_it_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def send(sender: Sender, events: Any, plan: list[int], advance: Any) -> None:
        sender.replies["a"] = TAKEN
        advance(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(load, "send", send)
    monkeypatch.setattr(load, "settle", lambda platform, replies, *_: audit(replies, [], []))
    with pytest.raises(CommandError, match="events are lost: a"):
        load.play(SimpleNamespace(), "skyforge", "key", "steady", 10, 10)  # type: ignore[arg-type]
    assert "1 events in" in capsys.readouterr().out
