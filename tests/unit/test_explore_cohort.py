"""Cohorts: players by what they did, as a question and as a filter of every other question."""

import random
from datetime import date, timedelta
from typing import Any

import made_events
import nasty_game
import pytest
from explore_sql import judge, scans
from explore_truth import Event, Question, filtered, members, of_cohort, with_cohort
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from made_events import HOSTILE, line
from metrics_api import explore_cohort
from metrics_api.explore_models import CohortQuestion
from metrics_api.history_query import Days

FIRST, LAST = date(2026, 1, 26), date(2026, 2, 6)
URL = "/v1/games/arena/explore"


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any) -> TestClient:
    for game in ("arena", "arena-2", nasty_game.GAME):
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return TestClient(metrics_app)


def true_row(lines: list[Event], game: str, asked: Question) -> Question:
    """Return the players of a cohort, and how many events they have."""
    found = members(of_cohort(lines, game, asked), game, asked)
    return {"players": len(found), "events": sum(found.values())}


def questions(lines: list[Event], seed: str, count: int) -> list[tuple[str, Question]]:
    """Return cohorts at random of events that there are."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        one = chance.choice(lines)
        first = date.fromisoformat(one["event_date"]) - timedelta(days=chance.randrange(3))
        asked: Question = {
            "kind": "cohort",
            "at_least": chance.choice((1, 1, 2, 3, 10)),
            "from": str(first),
            "to": str(first + timedelta(days=chance.randrange(8))),
        }
        if chance.random() < 0.8:
            asked["event"] = one["event_type"]
        names = chance.sample(("platform", "country", "bot", "client.locale"), chance.randrange(3))
        asked["where"] = [filtered(chance, one, name, None) for name in names]
        found.append((one["game_id"], with_cohort(chance, lines, asked)))
    return found


def check(client: TestClient, gold: DuckGold, lines: list[Event], asked: list[tuple[str, Question]]) -> int:
    """Compare each answer with its definition; return how many players the cohorts have."""
    gold.fill_silver(lines)
    players = 0
    for game, question in asked:
        answer = client.post(f"/v1/games/{game}/explore", json=question)
        assert answer.status_code == 200, (question, answer.text)
        assert answer.json()["rows"] == [true_row(lines, game, question)], question
        players += answer.json()["rows"][0]["players"]
        judge(compiled(question, game))
    return players


def compiled(question: Question, game: str = "arena") -> Any:
    asked = CohortQuestion.model_validate(question)
    return explore_cohort.query(asked, game, Days(FIRST, LAST))


def test_cohorts_of_the_nasty_game_are_those_of_the_definition(
    client: TestClient, gold: DuckGold, nasty_bronze: list[Event]
) -> None:
    assert check(client, gold, nasty_bronze, questions(nasty_bronze, "nasty", 60)) > 60


def test_cohorts_of_events_at_random_are_those_of_the_definition(client: TestClient, gold: DuckGold) -> None:
    lines = made_events.events("cohorts", 500, ("session_start", "design", "purchase", "crash"))
    assert check(client, gold, lines, questions(lines, "cohorts", 100)) > 150


def asked_cohort(**fields: Any) -> Question:
    return {"kind": "cohort", "event": "purchase", "from": str(FIRST), "to": str(FIRST), **fields}


PLAYED = [
    line("session_start", "ann", 1),
    line("purchase", "ann", 2),
    line("purchase", "ann", 3, platform="android"),
    line("session_start", "bob", 1),
    line("purchase", "bob", 2),
    # The day after, and of another game.
    line("purchase", "bob", 30),
    line("purchase", "bob", 3, game_id="arena-2"),
    line("session_start", "eve", 1),
    line("session_start", "Ann", 1),
]


def test_a_cohort_by_hand(client: TestClient, gold: DuckGold) -> None:
    """Ann buys twice on the first day, bob once, eve never, and another player's id differs in its case."""
    gold.fill_silver(PLAYED)

    def counted(**fields: Any) -> tuple[int, int]:
        (row,) = client.post(URL, json=asked_cohort(**fields)).json()["rows"]
        return row["players"], row["events"]

    assert counted() == (2, 3)
    assert counted(at_least=2) == (1, 2)
    assert counted(at_least=3) == (0, 0)
    assert counted(to=str(FIRST + timedelta(days=1)), at_least=2) == (2, 4)
    ios = [{"field": "platform", "values": ["ios"]}]
    assert (counted(where=ios), counted(where=ios, at_least=2)) == ((2, 2), (0, 0))
    # Of those who bought twice: one. The times of the filter and of the question are not mixed up.
    assert counted(event="session_start", cohort={"event": "purchase", "at_least": 2}) == (1, 1)
    text = client.post(URL, json=asked_cohort(format="csv")).text.splitlines()
    assert text == ["players,events", "2,3"]


def test_every_kind_of_question_counts_the_players_of_a_cohort_alone(
    client: TestClient, gold: DuckGold
) -> None:
    """With the days of the question two players bought; on the day after only bob did."""
    gold.fill_silver(PLAYED)
    days = {"from": str(FIRST), "to": str(FIRST)}
    after = str(FIRST + timedelta(days=1))
    kinds: list[tuple[Question, Any]] = [
        ({"kind": "events", "event": "session_start", "grain": "range"}, lambda row: row["figure"]),
        ({"kind": "funnel", "steps": [{"event": "session_start"}, {}]}, lambda row: row["players"]),
        ({"kind": "retention", "first": {"event": "session_start"}}, lambda row: row["players"]),
        ({"kind": "paths", "event": "session_start", "depth": 1}, lambda row: row["sessions"]),
        ({"kind": "cohort", "event": "session_start"}, lambda row: row["players"]),
    ]
    for asked, of in kinds:
        for cohort, players in (
            (None, 4),
            ({"event": "purchase"}, 2),
            ({"event": "purchase", "from": after, "to": after}, 1),
            ({"event": "crash"}, 0),
        ):
            answer = client.post(URL, json=asked | days | {"cohort": cohort})
            assert answer.status_code == 200, answer.text
            rows = answer.json()["rows"]
            counted = sum(map(of, rows)) if asked["kind"] == "paths" else sum(map(of, rows[:1]))
            assert counted == players, (asked, cohort, rows)


SET: Question = {"field": "platform", "op": "is_set"}
REFUSALS: list[tuple[Question, str, str]] = [
    ({"event": "bought"}, "event", "there is no event bought"),
    ({"at_least": 0}, "at_least", "greater than or equal to 1"),
    ({"at_least": 1001}, "at_least", "less than or equal to 1000"),
    ({"at_least": "2"}, "at_least", "valid integer"),
    ({"by": ["platform"]}, "by", "not permitted"),
    ({"cohort": {"event": "bought"}}, "cohort/event", "there is no event bought"),
    ({"cohort": {"at_least": 0}}, "cohort/at_least", "greater than or equal to 1"),
    ({"cohort": {"where": [SET] * 11}}, "cohort/where", "at most 10 items"),
    (
        {"cohort": {"where": [{"field": "payload.store", "values": ["x"]}]}},
        "cohort/where/0/field",
        "these events have no payload.store",
    ),
    ({"cohort": {"cohort": {"event": "purchase"}}}, "cohort/cohort", "not permitted"),
    ({"cohort": {"kind": "cohort"}}, "cohort/kind", "not permitted"),
    (
        {"cohort": {"from": "2025-10-01"}},
        "cohort/from",
        "118 days are asked for, at most 92 are answered",
    ),
    ({"cohort": {"from": "2026-02-01"}}, "cohort/from", "2026-02-01 is after 2026-01-26"),
    ({"cohort": {"to": "20260126"}}, "cohort/to", "YYYY-MM-DD"),
]


@pytest.mark.parametrize("kind", ["cohort", "events", "funnel", "paths", "retention"])
def test_a_cohort_without_a_right_answer_is_refused(client: TestClient, gold: DuckGold, kind: str) -> None:
    parts: dict[str, Question] = {
        "events": {"event": "purchase"},
        "funnel": {"steps": [{}, {"event": "purchase"}]},
        "paths": {"event": "purchase"},
        "retention": {},
    }
    days = {"from": str(FIRST), "to": str(FIRST)}
    asked = asked_cohort() if kind == "cohort" else {"kind": kind, **days, **parts[kind]}
    # Other kinds have these refusals of the filter, and the rest of their own.
    refusals = [one for one in REFUSALS if kind == "cohort" or "cohort" in one[0]]
    for changed, pointer, words in refusals:
        answer = client.post(URL, json=asked | changed)
        assert answer.status_code == 422, (changed, answer.text)
        errors = answer.json()["errors"]
        assert {error["pointer"] for error in errors} == {f"/body/{pointer}"}, changed
        assert words in " ".join(error["detail"] for error in errors)
    assert not gold.asked


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_value_of_a_cohort_escapes_its_game(client: TestClient, gold: DuckGold, hostile: str) -> None:
    lines = made_events.events("hostile", 200, ("design",))
    gold.fill_silver(lines)
    where = [{"field": "payload.name", "values": [hostile]}]
    asked = asked_cohort(event="design", to=str(LAST), cohort={"event": "design", "where": where})
    answer = client.post(URL, json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"] == [true_row(lines, "arena", asked)]
    (query,) = gold.asked
    judge(query)
    assert len(scans(query.sql)) == 2


def test_the_judge_of_cohorts_sees_a_wrong_one() -> None:
    """A limit that is one too high, the players of another game, and a filter that is left out."""
    asked = asked_cohort(at_least=2)
    true = true_row(PLAYED, "arena", asked)
    assert true == {"players": 1, "events": 2}
    assert true_row(PLAYED, "arena", asked | {"at_least": 3}) != true
    mixed = [one | {"game_id": "arena"} for one in PLAYED]
    assert true_row(mixed, "arena", asked) != true
    others = {"event": "session_start", "at_least": 2}
    assert true_row(PLAYED, "arena", asked | {"cohort": others}) != true
