"""Leaderboards on the emulator: defined by command, fed by the REST API, read over HTTP; IAM is enforced."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from steps import eventually
from telemetry.enrichment import timestamp
from tools import boards
from tools.progress import STILL_SECONDS

pytestmark = pytest.mark.integration

NAME = "arena"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def path(applied: Any) -> str:
    """Define boards that one name feeds, send scores, some twice, and wait for them."""
    table = boto3.resource("dynamodb").Table(applied.platform.outputs["tables"]["boards"])
    for board_id, rules in {
        "arena-daily": {"reset": "daily", "exact_rank_limit": 2},
        "arena-total": {"operator": "increment"},
        "arena-least": {"operator": "set", "order": "ascending"},
    }.items():
        fields = {"game_id": applied.game_id, "board_id": board_id, "title": board_id, "source": NAME}
        boards.add_board(table, boards.new_board(**fields, **rules))
    events = [
        applied.event(
            "score_submitted",
            player_id=f"arena-{player}",
            sequence=number,
            event_time=timestamp(NOW - timedelta(days=days) + timedelta(milliseconds=number)),
            payload={"leaderboard": NAME, "score": 10 * player + number},
        )
        for player in range(6)
        for number, days in enumerate((0, 1, 0))
    ]
    for _ in range(2):
        assert applied.post(json.dumps(events).encode()).status_code == 202
    path = f"/v1/games/{applied.game_id}/leaderboards"
    expected = [30 * player + 3 for player in range(5, -1, -1)]
    eventually(lambda: totals(applied, path) == expected, value=lambda: totals(applied, path))
    return path


def totals(applied: Any, path: str) -> list[int]:
    return [entry["score"] for entry in applied.platform.read(f"{path}/arena-total")["entries"]]


def places(body: dict[str, Any]) -> list[tuple[int, str, int]]:
    return [(entry["rank"], entry["player_id"], entry["score"]) for entry in body["entries"]]


def test_each_board_ranks_by_its_own_rules(applied: Any, path: str) -> None:
    read = applied.platform.read
    best = [(rank, f"arena-{6 - rank}", 10 * (6 - rank) + 2) for rank in range(1, 7)]
    assert places(read(f"{path}/{NAME}")) == best
    today, earlier = (str((NOW - timedelta(days=days)).date()) for days in (0, 1))
    assert places(read(f"{path}/arena-daily", period=today)) == best
    assert places(read(f"{path}/arena-daily", period=earlier))[0] == (1, "arena-5", 51)
    assert places(read(f"{path}/arena-least"))[0] == (1, "arena-0", 2)
    assert [board["board_id"] for board in read(path)["boards"]] == [
        "arena-daily",
        "arena-least",
        "arena-total",
    ]
    names = [period["name"] for period in read(f"{path}/arena-daily/periods")["periods"]]
    assert earlier in names


def test_pages_places_and_friends(applied: Any, path: str) -> None:
    read = applied.platform.read
    first = read(f"{path}/arena-total", limit=4)
    rest = read(f"{path}/arena-total", limit=4, cursor=first["next_cursor"])
    assert [rank for rank, _, _ in places(first) + places(rest)] == [1, 2, 3, 4, 5, 6]
    assert rest["next_cursor"] is None
    place = read(f"{path}/arena-total/players/arena-2")
    assert (places(place), place["exact"]) == ([(4, "arena-2", 63)], True)
    around = read(f"{path}/arena-total/players/arena-2/around", limit=3)
    assert [name for _, name, _ in places(around)] == ["arena-3", "arena-2", "arena-1"]
    friends = read(f"{path}/arena-total/friends", player_ids="arena-1,arena-4,nobody")
    assert places(friends) == [(1, "arena-4", 123), (2, "arena-1", 33)]


def test_the_function_may_do_all_of_it(applied: Any, path: str) -> None:
    """The function has a role of its own; the server on this machine has not."""

    def get(route: str) -> dict[str, Any]:
        host = f"{applied.platform.outputs['metrics_api']['id']}.execute-api.localhost"
        request = AWSRequest("GET", f"{applied.emulator.endpoint}{path}{route}", headers={"Host": host})
        credentials = botocore.session.get_session().get_credentials()
        SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
        answer = httpx.get(request.url, headers=dict(request.headers), timeout=STILL_SECONDS)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    assert len(get("")["boards"]) == 3
    assert len(get("/arena-total")["entries"]) == 6
    assert get(f"/arena-daily/players/arena-4?period={NOW.date()}")["exact"]
    around = get(f"/arena-daily/players/arena-0/around?period={NOW.date()}")
    assert (around["exact"], len(around["entries"])) == (False, 6)
    assert len(get("/arena-total/friends?player_ids=arena-1")["entries"]) == 1
