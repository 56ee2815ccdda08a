"""Two games with the same players: neither is ever seen, changed or erased through the other."""

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import botocore.session
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from privacy.data_stores import KEPT
from steps import eventually
from tools import games, privacy
from tools.progress import STILL_SECONDS
from tools.simulate import lake_lines

pytestmark = pytest.mark.integration

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
PLAYERS = ("ann", "bob")
# Scores tell the games apart: hundreds in the first, single points in the second.
WORTH = {"first": 100, "second": 1}
Event = dict[str, Any]


@dataclass(frozen=True)
class Game:
    """A game, its key, and what was sent for it."""

    applied: Any
    game_id: str
    key: str
    sent: list[Event]

    def get(self, path: str) -> httpx.Response:
        """Ask the metrics API about the game."""
        answer: httpx.Response = self.applied.platform.api.get(f"/v1/games/{self.game_id}{path}")
        return answer

    def bronze(self) -> list[Event]:
        """Return the game's lines."""
        lines = lake_lines(self.applied.platform, "bronze/", BEGINNING)
        return [line for line in lines if line["game_id"] == self.game_id]

    def figures(self) -> list[Any]:
        """Return what the API says of the game as a whole, but for the time of asking."""
        summary = self.get("/summary").json()
        return [summary["days"], Counter(line["player_id"] for line in self.bronze())]


@pytest.fixture(scope="module")
def pair(applied: Any) -> dict[str, Game]:
    """Register two games and send the same players' scores for both, half by REST API and half by stream."""
    table, plan = games.registry(applied.platform.outputs)
    found: dict[str, Game] = {}
    for name, worth in WORTH.items():
        game_id = f"{name}-{uuid4().hex[:8]}"
        key = games.add_game(table, game_id, name, plan)
        sent = [
            applied.event(
                "score_submitted",
                game_id=game_id,
                player_id=player,
                sequence=number,
                payload={"leaderboard": "global", "score": worth * (number + 1)},
            )
            for player in PLAYERS
            for number in range(4)
        ]
        assert applied.post(json.dumps(sent[::2]).encode(), key).status_code == 202
        for event in sent[1::2]:
            applied.put(json.dumps(event).encode(), "the same for both")
        found[name] = Game(applied, game_id, key, sent)
    for game in found.values():
        eventually(lambda game=game: len(game.bronze()) == len(game.sent))
        eventually(lambda game=game: total(game) == len(game.sent))
    return found


def total(game: Game) -> int:
    return sum(day["events"] for day in game.get("/summary").json()["days"])


def test_a_key_cannot_write_for_another_game(pair: dict[str, Game]) -> None:
    first, second = pair.values()
    before = second.figures()
    foreign = second.applied.event(game_id=second.game_id, player_id="dan")
    own = first.applied.event(game_id=first.game_id, player_id="cid")
    answer = first.applied.post(json.dumps([own, foreign]).encode(), first.key)
    assert (answer.status_code, answer.json()["results"][0]["reason"]) == (207, "wrong_game")
    assert first.applied.post(json.dumps(own).encode(), second.key).status_code == 422
    eventually(lambda: any(line["event_id"] == own["event_id"] for line in first.bronze()))

    def refused() -> Any:
        lines = lake_lines(first.applied.platform, "rejected/", BEGINNING)
        return next((line for line in lines if line["event_id"] == foreign["event_id"]), None)

    assert eventually(refused)["game_id"] == first.game_id
    assert second.figures() == before


def test_players_and_boards_of_the_same_name_are_apart(pair: dict[str, Game]) -> None:
    for name, game in pair.items():
        board = game.get("/leaderboards/global").json()
        assert {(e["player_id"], e["score"]) for e in board["entries"]} == {
            (p, 4 * WORTH[name]) for p in PLAYERS
        }
        (own,) = game.get("/leaderboards/global/players/ann").json()["entries"]
        assert own["score"] == 4 * WORTH[name]
        other = next(g for g in pair.values() if g is not game)
        for path in ("/players/ann", "/live", "/economy", "/funnel", "/realtime"):
            answer = game.get(path)
            assert answer.status_code == 200, path
            assert other.game_id not in answer.text
            assert answer.json()["game_id"] == game.game_id
        with game.applied.platform.api.stream("GET", f"/v1/games/{game.game_id}/live/stream") as stream:
            message = next(line for line in stream.iter_lines() if line.startswith("data:"))
        assert game.game_id in message
        assert other.game_id not in message


@pytest.fixture
def reader(pair: dict[str, Game]) -> Iterator[Credentials]:
    """A user who may ask about the first game only, as docs/security.md says."""
    iam, game = boto3.client("iam"), pair["first"]
    name, api = f"reader-{game.game_id}", game.applied.platform.outputs["metrics_api"]["id"]
    iam.create_user(UserName=name)
    path = f"arn:aws:execute-api:*:*:{api}/*/GET/v1/games/{game.game_id}"
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [f"{path}/*"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    yield Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="read")
    iam.delete_user(UserName=name)


def ask(game: Game, path: str, credentials: Credentials) -> httpx.Response:
    """GET from the HTTP API, signed."""
    host = f"{game.applied.platform.outputs['metrics_api']['id']}.execute-api.localhost"
    request = AWSRequest("GET", f"{game.applied.emulator.endpoint}{path}", headers={"Host": host})
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    return httpx.get(request.url, headers=dict(request.headers), timeout=STILL_SECONDS)


def test_a_reader_of_one_game_cannot_read_the_other(pair: dict[str, Game], reader: Credentials) -> None:
    first, second = pair.values()
    for path in ("/summary", "/players/ann", "/leaderboards/global"):
        assert ask(first, f"/v1/games/{first.game_id}{path}", reader).status_code == 200
        assert ask(first, f"/v1/games/{second.game_id}{path}", reader).status_code == 403
    assert ask(first, "/v1/games", reader).status_code == 403
    credentials = botocore.session.get_session().get_credentials()
    assert ask(first, f"/v1/games/{second.game_id}/summary", credentials).status_code == 200


def test_the_reader_reaches_no_table_and_no_object(pair: dict[str, Game], reader: Credentials) -> None:
    outputs = pair["first"].applied.platform.outputs
    keys = {"aws_access_key_id": reader.access_key, "aws_secret_access_key": reader.secret_key}
    dynamodb, s3 = boto3.client("dynamodb", **keys), boto3.client("s3", **keys)
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.scan(TableName=outputs["tables"]["players"])
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=outputs["lake_bucket"], Prefix="bronze/")


def test_erasing_a_player_takes_all_of_them_and_nothing_else(pair: dict[str, Game], tmp_path: Path) -> None:
    first, second = pair.values()
    platform = privacy.Platform(first.applied.platform.outputs, local=True)
    broken = first.applied.event("purchase", game_id=first.game_id, player_id="ann")
    assert first.applied.post(json.dumps(broken).encode(), first.key).status_code == 422
    rejects = lambda: lake_lines(first.applied.platform, "rejected/", BEGINNING)  # noqa: E731
    eventually(lambda: any(line["event_id"] == broken["event_id"] for line in rejects()))
    counts, others = first.get("/summary").json()["days"], second.figures()
    bob = first.get("/players/bob").json()["session_starts"]

    platform.export(first.game_id, "ann", tmp_path / "ann.zip")
    with zipfile.ZipFile(tmp_path / "ann.zip") as archive:
        lines = {name: archive.read(name).decode() for name in archive.namelist()}
    mine = {event["event_id"] for event in first.sent if event["player_id"] == "ann"}
    assert {json.loads(line)["event_id"] for line in lines["bronze.ndjson"].splitlines()} == mine
    (refused,) = map(json.loads, lines["rejected.ndjson"].splitlines())
    assert json.loads(refused["original"]) == broken
    assert second.game_id not in str(lines)

    receipt = platform.erase(first.game_id, "ann", "asked")
    deleted = {step["store"]: step["deleted"] for step in receipt["steps"]}
    assert deleted.pop("recent events") > 0
    assert deleted == {
        "profile": 1, "leaderboards": 1, "bronze": 4, "rejected": 1, "errors": 0, "silver": 0,
    } | dict.fromkeys(KEPT, 0)  # fmt: skip
    assert not first.get("/events/recent?player=ann").json()["events"]
    assert first.get("/players/ann").status_code == 404
    assert first.get("/leaderboards/global/players/ann").status_code == 404
    board = first.get("/leaderboards/global").json()["entries"]
    assert [(entry["rank"], entry["player_id"]) for entry in board] == [(1, "bob")]
    assert "ann" not in {line["player_id"] for line in first.bronze()}
    assert not any(line["event_id"] == broken["event_id"] for line in rejects())
    assert first.get("/summary").json()["days"] == counts, "what was counted stays"
    assert first.get("/players/bob").json()["session_starts"] == bob
    assert second.figures() == others

    event = first.applied.event(
        game_id=first.game_id, player_id="ann", event_time=first.sent[0]["event_time"]
    )
    assert first.applied.post(json.dumps(event).encode(), first.key).status_code == 202
    eventually(lambda: any(line["player_id"] == "ann" for line in first.bronze()))
    eventually(lambda: first.get("/players/ann").status_code == 200)
    assert platform.again() == 1
    assert first.get("/players/ann").status_code == 404
    assert second.get("/players/ann").status_code == 200
