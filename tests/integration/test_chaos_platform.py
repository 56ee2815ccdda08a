"""A load on the platform while workers are killed, or replays run: all is accounted for."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import psutil
import pytest
from event_source import happening
from jsonpatch import JsonPatch
from steps import eventually, replay
from tools import games, load
from tools.event_audit import Audit
from tools.simulate import lake_lines

pytestmark = pytest.mark.integration

# A worker that has just begun imports still: it holds no batch.
KILLS, WARM_SECONDS = 6, 1.5


def bear(applied: Any, seconds: float, during: Callable[[threading.Event, str], Any]) -> Audit:
    """Load a game of its own while something happens; hold what the platform counts against the lake."""
    game, started = f"chaos-{uuid4().hex[:8]}", datetime.now(UTC)
    table = boto3.resource("dynamodb").Table(applied.platform.outputs["tables"]["games"])
    key = games.add_game(table, game, "Chaos")
    with happening(lambda is_over: during(is_over, game)):
        result = load.play(applied.platform, game, key, "hot", rate=50, seconds=seconds)
    assert result.is_exact
    eventually(
        lambda: counted(applied, game) == kept(applied, game, started),
        value=lambda: counted(applied, game),
    )
    return result


def kept(applied: Any, game: str, since: datetime) -> list[int]:
    """Return how many events of a game the lake has, and of the sessions that began."""
    lines = lake_lines(applied.platform, "bronze/", since)
    events = {line["event_id"]: line["event_type"] for line in lines if line["game_id"] == game}
    return [len(events), len(events), list(events.values()).count("session_start")]


def counted(applied: Any, game: str) -> list[int]:
    """Return what ingest_stats and player_state have counted of it."""
    arrived, played = (applied.platform.read(f"/v1/games/{game}/{path}") for path in ("ingestion", "summary"))
    return [arrived["accepted"], played["totals"]["events"], played["totals"]["session_starts"]]


def test_workers_are_killed_in_the_middle_of_a_batch(applied: Any) -> None:
    killed: list[str] = []

    def kill(is_over: threading.Event, game: str) -> None:
        while len(killed) < KILLS and not is_over.wait(random.uniform(0.2, 0.6)):
            for process, name in workers(applied):
                if killed[-1:] != [name] and time.time() - process.create_time() > WARM_SECONDS:
                    process.kill()
                    killed.append(name)

    # On a busy machine a load may end before each function has a worker that is warm.
    for _ in range(5):
        bear(applied, 5, kill)
        if both := set(killed) == {"processor", "player-state"}:
            break
    assert both, killed


def workers(applied: Any) -> Iterator[tuple[psutil.Process, str]]:
    """Yield the processes of the stream's functions, with their names."""
    for process in applied.emulator.process().children(recursive=True):
        with suppress(psutil.Error):
            name = process.environ().get("AWS_LAMBDA_FUNCTION_NAME", "").rpartition("-local-")[2]
            if name in ("processor", "player-state"):
                yield process, name


def test_two_replays_run_at_once_during_a_load(applied: Any) -> None:
    repair = JsonPatch([{"op": "remove", "path": "/payload/unheard_of"}])
    events: list[dict[str, Any]] = []

    def replay_twice(is_over: threading.Event, game: str) -> None:
        player, began = f"p-{uuid4().hex[:8]}", datetime.now(UTC)
        for number in range(40):
            fields = {"player_id": player, "sequence": number, "payload": {"unheard_of": True}}
            events.append(applied.event(game_id=game, **fields))
            applied.put(json.dumps(events[-1]).encode(), f"{game}/{player}")
        ids = {event["event_id"] for event in events}
        lines = lambda: lake_lines(applied.platform, "rejected/", began)  # noqa: E731
        eventually(lambda: len(ids & {line["event_id"] for line in lines()}) == len(ids))
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda _: replay(applied, game, repair), range(2)))
        assert sum(report.total("replayed") for report in reports) >= len(ids)

    bear(applied, 5, replay_twice)
    game, player = events[0]["game_id"], events[0]["player_id"]
    path = f"/v1/games/{game}/players/{player}"
    assert eventually(lambda: applied.platform.api.get(path).json().get("session_starts")) == len(events)
    arrivals = applied.platform.read(f"/v1/games/{game}/ingestion")
    assert arrivals["replayed"] >= len(events)
    assert "duplicate" not in arrivals["rejected"] or arrivals["rejected"]["duplicate"] < len(events)
