"""What the metrics API says of a game does not depend on any other: asked at every route that it has."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from enriched_stream import feed, leaderboards_of
from fake_aws import Streams, encode, processor, records
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from metrics_api.saved_items import ANNOTATIONS, DASHBOARD
from player_state.players import PlayerStore
from telemetry import metric_model
from telemetry.enrichment import timestamp

# What is asked at routes that take a document.
BODIES: dict[str, list[dict[str, Any]]] = {
    "explore": [
        {"kind": "events", "grain": "range", "by": ["event_type"], "measure": {"of": "players"}},
        {"kind": "funnel", "steps": [{"event": "session_start"}, {}]},
        {"kind": "paths", "event": "session_start"},
        {"kind": "retention"},
        {"kind": "cohort", "event": "purchase"},
        {"kind": "player", "player_id": "ann"},
        {"kind": "events", "grain": "range", "cohort": {"event": "purchase"}},
    ]
}
TIMES = ("as_of", "created_at", "updated_at", "fresh")
MakeEvent = Callable[..., dict[str, Any]]
# One is a prefix of the other: a key that is cut at the wrong place would mix them.
OURS, OTHERS = "sky", "sky-2"
PLAYERS = ("ann", "bob")
VALUES = {
    "{game_id}": OURS, "{player_id}": "ann", "{board_id}": "weekly", "{table}": "daily", "{name}": "buyers",
    "{query_id}": "q-1",
}  # fmt: skip
BOARD = {"questions": ["buyers"], "version": 0}
# What is put, and asked besides, at routes that end so.
WRITTEN: dict[str, dict[str, Any]] = {
    "annotations": {"annotations": [{"date": "2026-01-31", "text": "Winter event"}], "version": 0},
    "dashboard": BOARD,
}
PARAMETERS = {"friends": {"player_ids": ",".join(PLAYERS)}, "verdicts": {"experiment": "gate"}}
SAVED: dict[str, Any] = {"title": "Buyers", "question": {"kind": "cohort", "event": "purchase"}}


def play(dynamodb: Any, gold: DuckGold, make_event: MakeEvent, game: str, sessions: int) -> None:
    """Have two players do all there is to do, and every writer keep it."""
    kinds = ("session_start", "score_submitted", "economy", "progression", "purchase")
    sent = [
        make_event(kind, game_id=game, player_id=player, sequence=number)
        for number in range(sessions)
        for player in PLAYERS
        for kind in kinds
    ]
    streams, client = Streams(), boto3.client("dynamodb")
    broken = make_event("purchase", game_id=game, payload={})
    batch = records(*map(encode, [*sent, broken]), shard=f"shard-{game}")
    processor(dynamodb, client, streams).process(batch)
    gold.fill_silver(streams.lines("bronze"))
    enriched = streams.lines("enriched")
    assert len(enriched) == len(sent)
    assert not feed(PlayerStore(client, "players", "game_days"), enriched, f"shard-{game}").lost
    leaderboards_of(client).submit(enriched)
    alert = f"{timestamp(datetime.now(UTC))}#crashes#{game}"
    item = {"series": f"{game}#alerts", "window": alert, "measures": '{"observed": 1, "reference": 2}'}
    dynamodb.Table("realtime").put_item(Item=item)


def keep(gold: DuckGold, game: str, players: int) -> None:
    """Write the history of a game, of today."""
    today = datetime.now(UTC).date()
    row = {
        "event_date": today,
        "game_id": game,
        **dict.fromkeys(("platform", "country", "app_version", "custom_1", "custom_2"), "*"),
    }
    columns = metric_model.tables()["daily"].types
    gold.fill("daily", [[row.get(name, players) for name in columns]])


def answers(client: TestClient) -> dict[str, Any]:
    """Ask at every route of a game, and leave out when that was. Its saved question is deleted at last."""
    found = {}
    for name in (ANNOTATIONS, DASHBOARD):
        boto3.resource("dynamodb").Table("saved_questions").delete_item(Key={"game_id": OURS, "name": name})
    assert client.put(f"/v1/games/{OURS}/questions/buyers", json=SAVED).status_code == 201
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        if "{game_id}" not in path:
            continue
        for name, value in VALUES.items():
            path = path.replace(name, value)
        wanted = PARAMETERS.get(path.rpartition("/")[2], {})
        for method in operations:
            bodies = BODIES[path.rpartition("/")[2]] if method == "post" else [None]
            if method == "put":
                bodies = [WRITTEN.get(path.rpartition("/")[2], SAVED | {"version": 1})]
            for body in bodies:
                answer = client.request(method, path, params=wanted, json=body)
                assert answer.status_code == (204 if method == "delete" else 200), (path, answer.text)
                found[f"{method} {path} {body}"] = without_times(answer.json() if answer.content else None)
    return found


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {n: without_times(v) for n, v in value.items() if n not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """The API, whose clock stands still: live figures move with each minute."""
    begun = datetime.now(UTC)

    class Still(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return begun

    monkeypatch.setattr("metrics_api.live.datetime", Still)
    for game in (OURS, OTHERS):
        dynamodb.Table("games").put_item(
            Item={"game_id": game, "name": game, "status": "active", "key_hashes": []}
        )
    return TestClient(metrics_app)


def test_no_answer_changes_for_what_another_game_does(
    client: TestClient, dynamodb: Any, gold: DuckGold, make_event: MakeEvent
) -> None:
    gold.cancelled.append((OURS, "q-1"))
    play(dynamodb, gold, make_event, OURS, 1)
    keep(gold, OURS, 1)
    before = answers(client)
    assert len(before) > 10
    assert [one["name"] for one in before[f"put /v1/games/{OURS}/dashboard {BOARD}"]["questions"]] == [
        "buyers"
    ]
    play(dynamodb, gold, make_event, OTHERS, 3)
    keep(gold, OTHERS, 3)
    theirs = {"title": "Theirs", "question": {"kind": "retention"}}
    assert client.put(f"/v1/games/{OTHERS}/questions/buyers", json=theirs).status_code == 201
    assert client.put(f"/v1/games/{OTHERS}/dashboard", json=BOARD).status_code == 200
    assert answers(client) == before
    assert all(len(found["rows"]) for name, found in before.items() if name.startswith("post"))
    assert OTHERS not in str(before)
    (kept,) = client.get(f"/v1/games/{OTHERS}/questions").json()["questions"]
    assert (kept["title"], kept["version"]) == ("Theirs", 1)
    others = client.get(f"/v1/games/{OTHERS}/summary").json()
    assert sum(day["events"] for day in others["days"]) == 30
