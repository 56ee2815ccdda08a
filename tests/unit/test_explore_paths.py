"""Paths of sessions: each link as the definition says, the rest as `other`."""

import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import made_events
import nasty_game
import pytest
from explore_sql import judge
from explore_truth import Event, Question, of_cohort, ordered, passes, with_cohort
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from made_events import line
from metrics_api import explore_fields, explore_paths
from metrics_api.explore_models import PathsQuestion
from metrics_api.history_query import Days

FIRST, LAST = date(2026, 1, 26), date(2026, 2, 6)
URL = "/v1/games/arena/explore"
Links = dict[tuple[int, str, str | None], int]


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any) -> TestClient:
    for game in ("arena", "arena-2", nasty_game.GAME):
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return TestClient(metrics_app)


def paths(lines: list[Event], game: str, asked: Question) -> list[list[str]]:
    """Return the types of the events of each session from the one that a path begins with."""
    first, last = date.fromisoformat(asked["from"]), date.fromisoformat(asked["to"])
    day = timedelta(days=1)
    sessions = defaultdict(list)
    for event in ordered(of_cohort(lines, game, asked)):
        near = str(first - day) <= event["event_date"] <= str(last + day)
        if event["game_id"] == game and near and event["event_type"] not in asked["leave_out"]:
            sessions[event["player_id"], event["session_id"]].append(event)
    found = []
    for events in sessions.values():
        begins = [
            n
            for n, event in enumerate(events)
            if str(first) <= event["event_date"] <= str(last) and passes(event, asked)
        ]
        if begins:
            after, before = events[begins[0] :], events[begins[0] :: -1]
            walked = after if asked["direction"] == "after" else before
            found.append([event["event_type"] for event in walked])
    return found


def true_links(lines: list[Event], game: str, asked: Question) -> Links:
    """Return how many sessions went from one event to the next one, by level."""
    walked = paths(lines, game, asked)
    shown = [{asked["event"]}]
    for level in range(1, asked["depth"] + 1):
        counts = Counter(path[level] for path in walked if len(path) > level)
        by_count = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        shown.append({name for name, _ in by_count[: asked["width"]]})
    links: Links = Counter()
    for path in walked:
        names = [
            name if name in shown[level] else "other" for level, name in enumerate(path[: asked["depth"] + 1])
        ]
        for level in range(1, asked["depth"] + 1):
            if len(names) >= level:
                links[level, names[level - 1], names[level] if len(names) > level else None] += 1
    return dict(links)


def questions(lines: list[Event], seed: str, count: int) -> list[tuple[str, Question]]:
    chance, of_players = random.Random(seed), random.Random(f"{seed} cohorts")
    kinds = sorted({line["event_type"] for line in lines})
    found = []
    for _ in range(count):
        one = chance.choice(lines)
        first = date.fromisoformat(one["event_date"]) - timedelta(days=chance.randrange(3))
        left_out = [kind for kind in chance.sample(kinds, chance.randrange(3)) if kind != one["event_type"]]
        asked: Question = {
            "kind": "paths",
            "event": one["event_type"],
            "direction": chance.choice(("after", "before")),
            "depth": chance.randrange(1, 6),
            "width": chance.choice((1, 2, 3, 10)),
            "leave_out": left_out,
            "from": str(first),
            "to": str(first + timedelta(days=chance.randrange(6))),
        }
        if chance.random() < 0.3:
            asked["where"] = [{"field": "platform", "op": "is_not", "values": ["ios"]}]
        found.append((one["game_id"], with_cohort(of_players, lines, asked)))
    return found


def check(client: TestClient, gold: DuckGold, lines: list[Event], asked: list[tuple[str, Question]]) -> int:
    """Compare each answer with its definition; return how many sessions its links have."""
    gold.fill_silver(lines)
    sessions = 0
    for game, question in asked:
        answer = client.post(f"/v1/games/{game}/explore", json=question)
        assert answer.status_code == 200, (question, answer.text)
        rows = answer.json()["rows"]
        said = {(row["level"], row["source"], row["target"]): row["sessions"] for row in rows}
        assert len(said) == len(rows)
        assert said == true_links(lines, game, question), question
        sessions += sum(said.values())
        judge(compiled(question, game))
    return sessions


def compiled(question: Question, game: str = "arena") -> Any:
    asked = PathsQuestion.model_validate(question)
    return explore_paths.query(asked, game, Days(FIRST, LAST))


def test_paths_of_the_nasty_game_are_those_of_the_definition(
    client: TestClient, gold: DuckGold, nasty_bronze: list[Event]
) -> None:
    assert check(client, gold, nasty_bronze, questions(nasty_bronze, "nasty", 80)) > 300


def test_paths_of_events_at_random_are_those_of_the_definition(client: TestClient, gold: DuckGold) -> None:
    kinds = ("session_start", "design", "purchase", "crash", "progression", "session_end")
    lines = made_events.events("paths", 600, kinds)
    assert check(client, gold, lines, questions(lines, "paths", 120)) > 1500


def asked_paths(**fields: Any) -> Question:
    return {"kind": "paths", "event": "purchase", "from": str(FIRST), "to": str(FIRST), **fields}


def test_paths_by_hand(client: TestClient, gold: DuckGold) -> None:
    """Of three sessions with a purchase two go on: to a match, and to a crash. One goes on after midnight."""
    other = {"session_id": "t"}
    gold.fill_silver(
        [
            line("session_start", "ann", 10),
            line("purchase", "ann", 11),
            line("match_start", "ann", 12),
            # The second purchase of a session begins no other path.
            line("purchase", "ann", 13),
            line("purchase", "ann", 23, **other),
            line("crash", "ann", 24.5, **other),
            line("session_start", "bob", 9),
            line("session_heartbeat", "bob", 9.5),
            line("purchase", "bob", 10),
            line("match_start", "bob", 11, game_id="arena-2"),
            line("match_start", "bob", 11, **other),
        ]
    )

    def links(**fields: Any) -> list[tuple[int, str, str | None, int]]:
        rows = client.post(URL, json=asked_paths(**fields)).json()["rows"]
        return [(row["level"], row["source"], row["target"], row["sessions"]) for row in rows]

    assert links(depth=2) == [
        (1, "purchase", None, 1),
        (1, "purchase", "crash", 1),
        (1, "purchase", "match_start", 1),
        (2, "crash", None, 1),
        (2, "match_start", "purchase", 1),
    ]
    assert links(depth=1, width=1) == [
        (1, "purchase", None, 1),
        (1, "purchase", "crash", 1),
        (1, "purchase", "other", 1),
    ]
    assert links(depth=1, direction="before", leave_out=["session_heartbeat"]) == [
        (1, "purchase", "session_start", 2),
        (1, "purchase", None, 1),
    ]
    text = client.post(URL, json=asked_paths(depth=1, format="csv")).text.splitlines()
    assert text[:2] == ["level,source,target,sessions", "1,purchase,,1"]


REFUSALS: list[tuple[Question, str, str]] = [
    ({"event": "bought"}, "event", "there is no event bought"),
    ({"leave_out": ["bought"]}, "leave_out/0", "there is no event bought"),
    ({"leave_out": ["purchase"]}, "leave_out", "the path begins with purchase: it cannot be left out"),
    ({"where": [{"field": "payload.step", "op": "is_set"}]}, "where/0/field", "have no payload.step"),
    ({"depth": 6}, "depth", "less than or equal to 5"),
    ({"width": 11}, "width", "less than or equal to 10"),
    ({"by": ["platform"]}, "by", "not permitted"),
]


def test_paths_without_a_right_answer_are_refused(client: TestClient, gold: DuckGold) -> None:
    for changed, pointer, words in REFUSALS:
        answer = client.post(URL, json=asked_paths(**changed))
        assert answer.status_code == 422, (changed, answer.text)
        errors = answer.json()["errors"]
        assert {error["pointer"] for error in errors} == {f"/body/{pointer}"}, changed
        assert words in " ".join(error["detail"] for error in errors)
    assert not gold.asked


def test_the_rest_has_a_name_that_no_event_has() -> None:
    assert explore_paths.OTHER not in explore_fields.events()
