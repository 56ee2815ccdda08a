"""One player's events: the newest of a game and its days, in order, with what the event's schema has."""

import csv
import io
import json
import random
from datetime import date, datetime, timedelta
from typing import Any

import made_events
import nasty_game
import pytest
from explore_sql import judge
from explore_truth import Event, Question, of_game, ordered
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from made_events import HOSTILE, line
from metrics_api import explore_player
from metrics_api.explore_models import PlayerQuestion
from metrics_api.history_query import Days
from telemetry import catalog
from telemetry.lake_reader import Result
from telemetry.pseudonyms import Pseudonyms

FIRST, LAST = date(2026, 1, 26), date(2026, 2, 6)
URL = "/v1/games/arena/explore"
SAME = ("event_id", "event_type", "session_id", "sequence", "platform", "country", "app_version")


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any) -> TestClient:
    for game in ("arena", "arena-2", nasty_game.GAME):
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return TestClient(metrics_app)


def scalars() -> dict[str, set[str]]:
    """Return the properties of each event type that have one value, without ids of players."""
    found: dict[str, set[str]] = {}
    for (kind, _), schema in catalog.payloads(catalog.documents()).items():
        names = {name for name, one in schema["properties"].items() if one["type"] != "object"}
        names.discard("previous_player_id")
        found.setdefault(kind, set()).update(names)
    return found


def true_answer(lines: list[Event], game: str, asked: Question) -> tuple[Question | None, list[Question]]:
    """Return the figures of a player's events, and the newest of them."""
    found = [one for one in of_game(lines, game, asked) if one["player_id"] == asked["player_id"]]
    found, known = ordered(found)[::-1], scalars()
    if not found:
        return None, []
    profile = {
        "events": len(found),
        "sessions": len({one["session_id"] for one in found}),
        "first_at": found[-1]["corrected_time"],
        "last_at": found[0]["corrected_time"],
    }
    rows = []
    for one in found[: asked.get("events", 50)]:
        has = known[one["event_type"]]
        payload = {name: value for name, value in one["payload"].items() if name in has and value is not None}
        row = {name: one.get(name) for name in SAME}
        rows.append(row | {"at": one["corrected_time"], "payload": payload})
    return profile, rows


def check(client: TestClient, gold: DuckGold, lines: list[Event], seed: str, count: int) -> int:
    """Ask about players at random and compare each answer with its definition; return how many rows."""
    chance = random.Random(seed)
    gold.fill_silver(lines)
    rows = 0
    for _ in range(count):
        picked = chance.choice(lines)
        first = date.fromisoformat(picked["event_date"]) - timedelta(days=chance.randrange(3))
        asked = {
            "kind": "player",
            "player_id": picked["player_id"],
            "from": str(first),
            "to": str(first + timedelta(days=chance.randrange(8))),
            "events": chance.choice((1, 2, 10, 200)),
        }
        answer = client.post(f"/v1/games/{picked['game_id']}/explore", json=asked)
        assert answer.status_code == 200, (asked, answer.text)
        said = answer.json()
        assert (said["profile"], said["rows"]) == true_answer(lines, picked["game_id"], asked), asked
        rows += len(said["rows"])
        judge(compiled(asked, picked["game_id"]))
    return rows


def compiled(question: Question, game: str = "arena") -> Any:
    return explore_player.query(PlayerQuestion.model_validate(question), game, Days(FIRST, LAST))


def test_players_of_the_nasty_game_are_those_of_the_definition(
    client: TestClient, gold: DuckGold, nasty_bronze: list[Event]
) -> None:
    assert check(client, gold, nasty_bronze, "nasty", 40) > 60


def test_players_of_events_at_random_are_those_of_the_definition(client: TestClient, gold: DuckGold) -> None:
    """Every event type has all of its properties somewhere."""
    assert check(client, gold, made_events.events("player", 1500), "player", 40) > 400


def asked_player(**fields: Any) -> Question:
    return {"kind": "player", "player_id": "ann", "from": str(FIRST), "to": str(LAST), **fields}


PLAYED = [
    line("session_start", "ann", 1, session_id="a"),
    line("purchase", "ann", 2, session_id="a", payload={"currency": "EUR", "amount_minor": 499}),
    line("purchase", "ann", 26, session_id="b", payload={"currency": "EUR", "sandbox": False}),
    line("session_start", "Ann", 3),
    line("crash", "ann", 4, game_id="arena-2"),
    line("crash", "ann", -1),
]


def test_a_player_by_hand(client: TestClient, gold: DuckGold) -> None:
    """Two events on the first day and one on the next; of another game, player and day there are three."""
    gold.fill_silver(PLAYED)
    answer = client.post(URL, json=asked_player()).json()
    assert [(row["at"], row["event_type"], row["session_id"]) for row in answer["rows"]] == [
        ("2026-01-27T02:00:00.000Z", "purchase", "b"),
        ("2026-01-26T02:00:00.000Z", "purchase", "a"),
        ("2026-01-26T01:00:00.000Z", "session_start", "a"),
    ]
    assert [row["payload"] for row in answer["rows"]] == [
        {"currency": "EUR", "sandbox": False},
        {"currency": "EUR", "amount_minor": 499},
        {},
    ]
    profile = {
        "events": 3,
        "sessions": 2,
        "first_at": "2026-01-26T01:00:00.000Z",
        "last_at": "2026-01-27T02:00:00.000Z",
    }
    assert answer["profile"] == profile
    newest = client.post(URL, json=asked_player(events=1)).json()
    assert (newest["profile"], newest["rows"]) == (profile, answer["rows"][:1])
    nobody = client.post(URL, json=asked_player(player_id="zoe")).json()
    assert (nobody["profile"], nobody["rows"]) == (None, [])
    header, first, *_ = csv.reader(io.StringIO(client.post(URL, json=asked_player(format="csv")).text))
    assert header[:3] == ["at", "event_type", "session_id"]
    assert json.loads(first[-1]) == {"currency": "EUR", "sandbox": False}


def test_a_pseudonym_finds_its_player_and_the_id_behind_it_nobody(client: TestClient, gold: DuckGold) -> None:
    """Silver of such a game has pseudonyms. Whoever asks needs the game's key to make one."""
    stored = Pseudonyms("arena", b"k" * 32).replaced(
        line("design", "anna-1234", 1, event_id="e", client={}, payload={"name": "anna-1234"})
    )
    gold.fill_silver([stored])
    answer = client.post(URL, json=asked_player(player_id=stored["player_id"]))
    assert len(answer.json()["rows"]) == 1
    assert "anna-1234" not in answer.text
    assert client.post(URL, json=asked_player(player_id="anna-1234")).json()["rows"] == []


def test_free_fields_are_not_shown(client: TestClient, gold: DuckGold) -> None:
    gold.fill_silver([line("design", "ann", 1, payload={"name": "n", "extra": {"user_id": "secret"}})])
    answer = client.post(URL, json=asked_player())
    assert answer.json()["rows"][0]["payload"] == {"name": "n"}


def test_athena_answers_text_and_the_values_are_the_same(gold: DuckGold) -> None:
    flags = [line("purchase", "ann", 1 + n, payload={"sandbox": one}) for n, one in enumerate((True, False))]
    gold.fill_silver([*made_events.events("text", 800), *flags])
    asked = PlayerQuestion.model_validate(asked_player(events=200))
    days = Days(FIRST, LAST)
    found = gold.run(explore_player.query(asked, "arena", days), gold.version("events"))
    # Athena writes true and false in small letters.
    written = [
        tuple(None if one is None else str(one).lower() if isinstance(one, bool) else str(one) for one in row)
        for row in found.rows
    ]
    shown = list(explore_player.rows(asked, days, found))
    assert {row.payload.get("sandbox") for row in shown} == {True, False, None}
    kinds = {type(value) for row in shown for value in row.payload.values()}
    assert kinds == {bool, float, int, str}
    texts = Result(written)
    assert list(explore_player.rows(asked, days, texts)) == shown
    assert explore_player.profile(texts) == explore_player.profile(found)


REFUSALS: list[tuple[Question, str, str]] = [
    *(({"player_id": text}, "player_id", "should match pattern") for text in ("", "x" * 65, *HOSTILE[:4])),
    ({"player_id": 7}, "player_id", "valid string"),
    ({"events": 0}, "events", "greater than or equal to 1"),
    ({"events": 201}, "events", "less than or equal to 200"),
    ({"cohort": {"event": "purchase"}}, "cohort", "not permitted"),
    ({"where": []}, "where", "not permitted"),
    ({"from": "2025-10-01"}, "from", "129 days are asked for, at most 92 are answered"),
]


def test_a_player_without_a_right_answer_is_refused(client: TestClient, gold: DuckGold) -> None:
    for changed, pointer, words in REFUSALS:
        answer = client.post(URL, json=asked_player(**changed))
        assert answer.status_code == 422, (changed, answer.text)
        errors = answer.json()["errors"]
        assert {error["pointer"] for error in errors} == {f"/body/{pointer}"}, changed
        assert words in " ".join(error["detail"] for error in errors)
    assert client.post(URL, json={"kind": "player"}).json()["errors"][0]["pointer"] == "/body/player_id"
    assert not gold.asked


def test_the_judge_of_players_sees_a_wrong_one() -> None:
    """The order of two events, the events of another game, and a property that is left out."""
    asked = asked_player()
    true = true_answer(PLAYED, "arena", asked)
    later = PLAYED[0] | {"corrected_time": datetime(2026, 1, 28).isoformat()}
    assert true_answer([later, *PLAYED[1:]], "arena", asked) != true
    assert true_answer([one | {"game_id": "arena"} for one in PLAYED], "arena", asked) != true
    bare = PLAYED[1] | {"payload": {}}
    assert true_answer([PLAYED[0], bare, *PLAYED[2:]], "arena", asked) != true
