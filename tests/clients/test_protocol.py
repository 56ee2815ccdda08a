"""The examples of clients/protocol keep the protocol, each on an engine or with stubs of it.

Godot 3 runs the translated example of Godot 4, Lua 5.1 runs that of Roblox, g++ compiles that of Unreal, and
bash runs that of plain HTTP.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import protocol_examples
import pytest
import tree_sitter_gdscript as gdscript
import tree_sitter_luau as luau
from client_relay import FAULTS, Relay, RestApi, storm
from deliveries import assert_order, assert_whole_sessions, delivered, numbers
from tools.progress import STILL_SECONDS
from tree_sitter import Language, Parser

PLAYERS, EVENTS = 4, 120
NEEDED = {"godot": "godot3-server", "roblox": "sh", "unreal": "g++"}
RUNS = {
    "godot": protocol_examples.godot,
    "roblox": protocol_examples.roblox,
    "unreal": protocol_examples.unreal,
}
Play = Callable[..., str]


@pytest.fixture
def relay(api: RestApi) -> Iterator[Relay]:
    running = Relay(api)
    yield running
    running.close()


@pytest.fixture(params=sorted(RUNS))
def play(request: pytest.FixtureRequest, relay: Relay, tmp_path: Path) -> Play:
    """Run an engine's example: 120 events of four players; return what it printed."""
    if not shutil.which(NEEDED[request.param]):
        pytest.skip(f"{NEEDED[request.param]} is not on PATH")

    def run(**task: str) -> str:
        given = {"URL": relay.url, "KEY": relay.api.key, "NAMES": "test:event", "QUEUE": "1000"}
        return RUNS[request.param](tmp_path, given | task)

    return run


def test_an_example_loses_doubles_and_reorders_nothing_in_a_storm(play: Play, relay: Relay) -> None:
    relay.plan = storm(4, calm_after=12)
    relay.retry_after = "0"
    play()
    events = delivered(relay)
    assert numbers(events) == list(range(EVENTS))
    assert len(events) == EVENTS + 2 * PLAYERS
    assert_whole_sessions(events)
    assert_order(relay)
    assert {request.fault for request in relay.requests} == {*FAULTS}
    assert relay.api.answers.keys() == {202, 207, 503}


def test_an_example_sends_batches_and_heartbeats(play: Play, relay: Relay) -> None:
    play(HEARTBEATS="yes")
    sizes = [len(request.events) for request in relay.requests]
    assert max(sizes) == 25
    assert len(sizes) < EVENTS / 10
    types = [event["event_type"] for event in delivered(relay).values()]
    assert types.count("session_start") == types.count("session_end") == PLAYERS
    assert relay.api.answers.keys() == {202}


def test_an_example_waits_as_long_as_the_platform_asks(play: Play, relay: Relay) -> None:
    relay.plan = lambda number: "throttle" if number == 0 else "none"
    play()
    first, second = relay.requests[:2]
    assert (second.at - first.at).total_seconds() > 0.99
    sent = [[event["event_id"] for event in request.events] for request in (first, second)]
    assert sent[0] == sent[1][: len(sent[0])]
    assert first.events[0]["sent_at"] < second.events[0]["sent_at"]
    assert first.events[0]["event_time"] == second.events[0]["event_time"]


def test_an_example_drops_and_reports_what_is_refused(play: Play, relay: Relay) -> None:
    said = play(NAMES="test:event,six:parts:are:one:too:many")
    assert said.count("design was refused") == EVENTS / 2
    assert relay.api.answers.keys() <= {202, 207}
    ids = [event["event_id"] for request in relay.requests for event in request.events]
    assert len(ids) == len(set(ids)) == EVENTS + 2 * PLAYERS


def test_an_example_sends_less_where_a_request_is_too_much(
    play: Play, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.request.MAX_EVENTS", 6)
    play()
    assert relay.api.answers[413] > 0
    assert numbers(delivered(relay)) == list(range(EVENTS))
    assert_order(relay)


def test_an_example_keeps_the_newest_where_its_queue_is_full(play: Play, relay: Relay) -> None:
    play(QUEUE="20")
    kept = numbers(delivered(relay))
    assert len(kept) < EVENTS
    assert kept[-10:] == list(range(EVENTS - 10, EVENTS))


def shell(relay: Relay, key: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(protocol_examples.EXAMPLES / "send.sh"), "p-1"],
        env={"URL": relay.url, "KEY": key, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False, timeout=STILL_SECONDS,
    )  # fmt: skip


def test_the_shell_sends_a_session_again_until_it_is_stored(relay: Relay) -> None:
    faults = ("unavailable", "garbage", "lose_answer")
    relay.plan = lambda number: faults[number] if number < len(faults) else "none"
    answer = shell(relay, relay.api.key)
    assert (answer.returncode, answer.stderr) == (0, "")
    events = delivered(relay)
    types = [event["event_type"] for event in events.values()]
    assert types == ["session_start", "progression", "score_submitted", "session_end"]
    assert_whole_sessions(events)
    assert [request.fault for request in relay.requests] == [*faults, "none"]
    assert len({event["event_id"] for request in relay.requests for event in request.events}) == len(types)
    assert len({request.events[0]["sent_at"] for request in relay.requests}) == len(relay.requests)
    assert relay.api.answers.keys() == {202}


def test_the_shell_says_why_nothing_was_taken(relay: Relay) -> None:
    answer = shell(relay, "skyforge.guess")
    assert answer.returncode == 1
    assert "bad_key" in answer.stderr
    assert len(relay.requests) == 1


@pytest.mark.parametrize(("name", "grammar"), [("analytics.gd", gdscript), ("Analytics.luau", luau)])
def test_an_example_has_the_grammar_of_its_engine(name: str, grammar: ModuleType) -> None:
    """Godot 3 and Lua 5.1, which run the examples, have other grammars."""
    parser = Parser(Language(grammar.language()))
    text = (protocol_examples.EXAMPLES / name).read_bytes()
    assert not parser.parse(text).root_node.has_error
    assert parser.parse(text.replace(b"return ", b"return ) ", 1)).root_node.has_error
