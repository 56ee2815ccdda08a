"""Each client against the function ingest, through a network that fails in every way that networks have."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import mono
import npm_packages
import pytest
from client_relay import FAULTS, GAME, Relay, RestApi, storm
from deliveries import assert_order, assert_whole_sessions, delivered, numbers
from tools import REPOSITORY
from tools.progress import STILL_SECONDS

HERE = Path(__file__).parent
PLAYERS = 4
# What a client that was just started takes to its first answer, on a busy machine.
FIRST_ANSWER_SECONDS = 3.0
# The seconds of all waits are short; their proportions are those of the defaults.
QUICK = {"batch_seconds": 0.05, "batch_events": 25, "first_retry_seconds": 0.01, "longest_retry_seconds": 0.2}

Run = Callable[..., dict[str, Any]]


def command_python() -> list[str]:
    return [sys.executable, str(REPOSITORY / "tests" / "support" / "client_driver.py")]


def command_typescript() -> list[str]:
    folder = npm_packages.compiled(REPOSITORY / "clients" / "typescript", "client-typescript")
    # A heap that could not hold the events of the largest test.
    return [
        npm_packages.node(),
        "--max-old-space-size=64",
        "--expose-gc",
        str(HERE / "driver.mjs"),
        str(folder),
    ]


def command_csharp() -> list[str]:
    return mono.program("driver")


CLIENTS = {"csharp": command_csharp, "python": command_python, "typescript": command_typescript}


@pytest.fixture(params=sorted(CLIENTS))
def command(request: pytest.FixtureRequest) -> list[str]:
    """The command that starts a game which uses one of the clients."""
    return CLIENTS[request.param]()


@pytest.fixture
def relay(api: RestApi) -> Iterator[Relay]:
    running = Relay(api)
    yield running
    running.close()


class Game:
    """A process that uses a client."""

    def __init__(self, command: list[str], relay: Relay, **task: Any) -> None:
        settings = QUICK | task.pop("settings", {})
        given = {"url": relay.url, "key": relay.api.key, "players": PLAYERS, "flush_seconds": STILL_SECONDS}
        environment = {"PYTHONPATH": str(REPOSITORY / "clients" / "python"), "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            [*command, json.dumps(given | {"settings": settings} | task)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def result(self) -> dict[str, Any]:
        """Return what the client counted, once the process has ended."""
        out, problems = self.process.communicate(timeout=STILL_SECONDS * 2)
        assert self.process.returncode == 0, problems
        counted: dict[str, Any] = json.loads(out.splitlines()[-1])
        return counted

    def killed_after(self, lines: int) -> int:
        """Kill the process after it has printed lines; return the last event that it knew to be safe."""
        assert self.process.stdout
        for _ in range(lines):
            stored = int(self.process.stdout.readline().split()[1])
        self.process.kill()
        rest = self.process.communicate()[0].split("\n")[:-1]
        return int(rest[-1].split()[1]) if rest else stored


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_doubled_or_out_of_order_in_a_storm(
    command: list[str], relay: Relay, tmp_path: Path, seed: int
) -> None:
    relay.plan = storm(seed, calm_after=20)
    relay.retry_after = "0"
    directory = str(tmp_path) if seed == 1 else None
    result = Game(command, relay, events=400, settings={"directory": directory}).result()
    events = delivered(relay)
    assert numbers(events) == list(range(400))
    assert len(events) == 400 + PLAYERS
    assert_whole_sessions(events)
    assert_order(relay)
    assert {request.fault for request in relay.requests} == {*FAULTS}
    statuses = relay.api.answers
    assert {202, 207, 503} <= statuses.keys(), "the storm must have partial answers"
    stats = result["stats"]
    assert (stats["tracked"], stats["accepted"], stats["queued"]) == (404, 404, 0)
    assert (stats["dropped"], stats["invalid"], stats["rejected"]) == (0, 0, 0)
    assert stats["failed_requests"] > 0
    assert result["is_empty"]


def test_events_travel_in_batches(command: list[str], relay: Relay) -> None:
    Game(
        command,
        relay,
        events=200,
        settings={"batch_events": 100, "batch_bytes": 200_000, "batch_seconds": 30},
    ).result()
    assert [len(request.events) for request in relay.requests] == [100, 100, 4]
    assert all(request.headers["content-encoding"] == "gzip" for request in relay.requests)
    raw = sum(len(json.dumps(event)) for request in relay.requests for event in request.events)
    assert sum(request.size for request in relay.requests) < raw / 4


def test_a_batch_stays_below_its_bytes(command: list[str], relay: Relay) -> None:
    Game(
        command, relay, events=60, padding=10, settings={"batch_events": 500, "batch_bytes": 50_000}
    ).result()
    assert len(relay.requests) >= 60 * 3_000 / 50_000
    assert all(
        sum(len(json.dumps(event, separators=(",", ":"))) for event in request.events) <= 51_000
        for request in relay.requests
    )
    assert numbers(delivered(relay)) == list(range(60))


def test_a_game_that_is_killed_sends_the_rest_when_it_starts_again(
    command: list[str], relay: Relay, tmp_path: Path
) -> None:
    relay.plan = storm(3, calm_after=1000, faults=("none", "lose_answer", "refuse", "partly"))
    safe = []
    settings = {"directory": str(tmp_path), "queue_bytes": 100_000_000}
    for _ in range(2):
        game = Game(command, relay, events=100_000, tells_stored=True, settings=settings)
        safe.append(game.killed_after(lines=12))
    relay.plan = lambda number: "none"
    result = Game(command, relay, events=0, settings=settings).result()
    assert result["is_empty"]
    assert not any(tmp_path.rglob("*.ndjson"))
    events = delivered(relay)
    assert_whole_sessions(events)
    runs = {event["session_id"]: event for event in events.values() if event["event_type"] == "session_start"}
    assert len(runs) == 2 * PLAYERS
    counts = Counter(numbers(events))
    # Events of both runs have the same numbers: all that were safe in both arrived twice, each once.
    assert all(counts[number] == 2 for number in range(min(safe) + 1))
    assert all(counts[number] >= 1 for number in range(max(safe) + 1))


def test_the_oldest_go_when_the_queue_is_full_and_memory_stays_bounded(
    command: list[str], relay: Relay
) -> None:
    relay.plan = lambda number: "refuse"
    limits = {"queue_bytes": 1_000_000, "memory_bytes": 1_000_000, "first_retry_seconds": 0.3}
    game = Game(
        command, relay, events=12_000, padding=10, flush_seconds=0.5, close_seconds=0.5, settings=limits
    )
    result = game.result()
    stats = result["stats"]
    assert (stats["tracked"], stats["accepted"]) == (12_000 + PLAYERS, 0)
    assert stats["dropped"] == stats["tracked"]
    assert not result["is_empty"]
    assert any("dropped" in problem for problem in result["problems"])
    # All events together are 40 MB.
    assert result["grown_bytes"] < 20_000_000


def test_the_newest_survive_a_full_queue(command: list[str], relay: Relay, tmp_path: Path) -> None:
    relay.plan = lambda number: "refuse"
    settings: dict[str, Any] = {"directory": str(tmp_path), "queue_bytes": 100_000}
    task = {"events": 2_000, "settings": settings}
    stats = Game(command, relay, flush_seconds=0.1, close_seconds=0.5, **task).result()["stats"]
    # One batch is open and one may be on its way.
    assert 0 < bytes_on_disk(tmp_path) < 1.5 * settings["queue_bytes"]
    relay.plan = lambda number: "none"
    again = Game(command, relay, events=0, settings=settings).result()["stats"]
    kept = numbers(delivered(relay))
    assert bytes_on_disk(tmp_path) == 0
    newest = [number for at, number in enumerate(kept) if kept[at:] == list(range(number, 2_000))]
    assert len(newest) > 2 * QUICK["batch_events"]
    # One batch may have been kept out of turn, because it was being sent when room was made.
    assert len(kept) - len(newest) <= QUICK["batch_events"]
    assert stats["dropped"] + again["accepted"] == 2_000 + PLAYERS


def bytes_on_disk(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*.ndjson"))


def test_what_was_tracked_just_before_the_end_is_on_disk(
    command: list[str], relay: Relay, tmp_path: Path
) -> None:
    relay.plan = lambda number: "refuse"
    task = {"settings": {"directory": str(tmp_path)}}
    assert Game(command, relay, events=95, exits=True, **task).process.wait(STILL_SECONDS) == 0
    relay.plan = lambda number: "none"
    assert Game(command, relay, events=0, **task).result()["stats"]["accepted"] == 95 + PLAYERS
    assert numbers(delivered(relay)) == list(range(95))


def test_a_request_that_is_too_much_is_sent_in_parts(
    command: list[str], relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.request.MAX_EVENTS", 6)
    result = Game(command, relay, events=60).result()
    assert result["stats"]["accepted"] == 60 + PLAYERS
    assert relay.api.answers[413] > 0
    assert numbers(delivered(relay)) == list(range(60))
    assert_order(relay)


def test_retry_after_is_honoured(command: list[str], relay: Relay) -> None:
    relay.plan = lambda number: "throttle" if number == 0 else "none"
    Game(command, relay, events=5).result()
    first, second = relay.requests[:2]
    assert (second.at - first.at).total_seconds() > 0.99
    assert [event["event_id"] for event in first.events] == [event["event_id"] for event in second.events[:9]]
    assert first.events[0]["sent_at"] < second.events[0]["sent_at"]


def test_a_refused_event_is_reported_in_the_words_of_the_rest_api(command: list[str], relay: Relay) -> None:
    result = Game(command, relay, events=1, name="six:parts:are:one:too:many").result()
    said = [problem for problem in result["problems"] if "five parts" in problem]
    assert [problem.split(":")[0] for problem in said] == [
        "design will be refused", "design was refused"
    ]  # fmt: skip
    before, after = (problem.partition(": ")[2] for problem in said)
    assert before == after
    assert before.startswith("schema_violation at /payload/name: ")
    assert result["stats"]["rejected"] == 1


@pytest.mark.parametrize("mode", ["beside_key", "instead_of_key"])
def test_requests_are_signed_by_the_platforms_clock(
    command: list[str], relay: Relay, dynamodb: Any, mode: str
) -> None:
    from tools import games

    games.demand_signatures(dynamodb.Table("games"), GAME, "required")
    # The machine's clock is a day behind: its first signature is stale, the next is right.
    task = {"events": 5, "settings": {"signature": mode}}
    result = Game(command, relay, clock_off_seconds=-86_400, **task).result()
    assert result["stats"]["accepted"] == 5 + PLAYERS
    assert relay.api.answers[401] == 1
    secret = relay.api.key.partition(".")[2]
    sent = [request.headers["x-api-key"] for request in relay.requests]
    assert all((secret in key) == (mode == "beside_key") for key in sent)
    assert all(relay.api.key_ids)


def test_a_clock_that_is_days_off_is_corrected_once_the_platform_has_answered(
    command: list[str], relay: Relay
) -> None:
    Game(command, relay, events=40, flushes_after=20, clock_off_seconds=-3 * 86_400).result()
    last = max(relay.api.stream.events(), key=lambda event: event["payload"].get("value", -1))
    seen = next(r for r in relay.requests if any(e["event_id"] == last["event_id"] for e in r.events))
    assert abs((seen.at - datetime.fromisoformat(last["event_time"])).total_seconds()) < 3_600


def test_a_wrong_key_keeps_events_and_is_reported(command: list[str], relay: Relay, tmp_path: Path) -> None:
    task = {"events": 5, "settings": {"directory": str(tmp_path)}}
    result = Game(
        command, relay, key=f"{GAME}.guess", flush_seconds=FIRST_ANSWER_SECONDS, close_seconds=0.1, **task
    ).result()
    assert any("401 bad_key" in problem for problem in result["problems"])
    assert result["stats"]["queued"] == 5 + PLAYERS
    task["events"] = 0
    assert Game(command, relay, **task).result()["stats"]["accepted"] == 5 + PLAYERS


def test_a_host_that_does_not_answer_is_reported(command: list[str], relay: Relay) -> None:
    result = Game(
        command,
        relay,
        events=3,
        url="http://127.0.0.1:9",
        flush_seconds=FIRST_ANSWER_SECONDS,
        close_seconds=0.1,
    ).result()
    assert result["stats"]["accepted"] == 0
    assert any("cannot be reached" in problem for problem in result["problems"])


def test_the_storm_has_every_fault() -> None:
    plan = storm(1, calm_after=20)
    assert {plan(number) for number in range(20)} == {*FAULTS}
    assert all(first != "none" or second for first, second in pairwise(map(plan, range(20))))
