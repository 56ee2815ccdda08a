"""Retention by any first and returning event: each cohort and day as the definition says."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import made_events
import nasty_game
import pytest
from explore_sql import judge
from explore_truth import Event, Question, of_cohort, passes, players, start_of, value, with_cohort, written
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from made_events import line
from metrics_api import explore_retention
from metrics_api.explore_models import RetentionQuestion
from metrics_api.history_query import Days

Cohorts = dict[tuple[Any, ...], list[tuple[int, int]]]
Sizes = dict[tuple[Any, ...], int]
DAY = timedelta(days=1)
FIRST, LAST = date(2026, 1, 26), date(2026, 2, 6)
# Some days of the events at random are over, and some are not.
TODAY = date(2026, 2, 7)
URL = "/v1/games/arena/explore"


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(explore_retention, "today", lambda: TODAY)
    for game in ("arena", "arena-2", nasty_game.GAME):
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return TestClient(metrics_app)


def at(event: Event) -> datetime:
    return datetime.fromisoformat(event["corrected_time"]).replace(tzinfo=None)


def true_cohorts(
    lines: list[Event], game: str, asked: Question
) -> tuple[Cohorts, dict[tuple[Any, ...], int]]:
    """Return players and those who return by cohort and day number, and the players of each cohort."""
    found: Cohorts = defaultdict(lambda: [(0, 0)] * (asked["days"] + 1))
    sizes: Sizes = defaultdict(int)
    of_players = of_cohort(lines, game, asked)
    for events in players([one for one in of_players if one["game_id"] == game]).values():
        starts = [
            n
            for n, event in enumerate(events)
            if asked["from"] <= event["event_date"] <= asked["to"] and passes(event, asked["first"])
        ]
        if not starts:
            continue
        begin, later = events[starts[0]], events[starts[0] + 1 :]
        began = date.fromisoformat(begin["event_date"])
        back = set()
        for event in later:
            if passes(event, asked["returning"]):
                days = (date.fromisoformat(event["event_date"]) - began).days
                back.add(days if asked["unit"] == "day" else (at(event) - at(begin)) // DAY)
        place = (start_of(began, asked["grain"]), *(written(value(begin, name)) for name in asked["by"]))
        sizes[place] += 1
        for number in range(asked["days"] + 1):
            ends = began + (number + 1) * DAY
            if asked["unit"] == "24h":
                # The last moment of the first day begins the latest 24 hours.
                ends += DAY
            if ends <= TODAY:
                count, returned = found[place][number]
                found[place][number] = count + 1, returned + (number in back)
        found[place] = list(found[place])
    return found, sizes


def questions(lines: list[Event], seed: str, count: int) -> list[tuple[str, Question]]:
    chance, of_players = random.Random(seed), random.Random(f"{seed} cohorts")
    kinds = sorted({one["event_type"] for one in lines})
    found = []
    for _ in range(count):
        picked = chance.choice(lines)
        first = date.fromisoformat(picked["event_date"]) - timedelta(days=chance.randrange(3))
        chosen: list[Question] = []
        for kind in (picked["event_type"], chance.choice(kinds)):
            one: Question = {"event": kind} if chance.random() < 0.7 else {}
            if chance.random() < 0.3:
                one["where"] = [{"field": "bot", "op": "is_not", "values": [True]}]
            chosen.append(one)
        found.append(
            (
                picked["game_id"],
                {
                    "kind": "retention",
                    "first": chosen[0],
                    "returning": chosen[1],
                    "unit": chance.choice(("day", "24h")),
                    "days": chance.choice((1, 3, 7, 30)),
                    "grain": chance.choice(("day", "week", "month", "range")),
                    "from": str(first),
                    "to": str(first + timedelta(days=chance.randrange(8))),
                    "by": chance.sample(["platform", "country", "bot"], chance.randrange(3)),
                },
            )
        )
    return [(game, with_cohort(of_players, lines, asked)) for game, asked in found]


def check(client: TestClient, gold: DuckGold, lines: list[Event], asked: list[tuple[str, Question]]) -> int:
    """Compare each answer with its definition; return how many returns there were."""
    gold.fill_silver(lines)
    returns = 0
    for game, question in asked:
        answer = client.post(f"/v1/games/{game}/explore", json=question)
        assert answer.status_code == 200, (question, answer.text)
        true, sizes = true_cohorts(lines, game, question)
        rows = {
            (start_of(date.fromisoformat(row["from"]), question["grain"]), *row["slices"].values()): row
            for row in answer.json()["rows"]
        }
        assert len(rows) == len(answer.json()["rows"])
        assert {place: row["players"] for place, row in rows.items()} == sizes, question
        for place, row in rows.items():
            assert [(one["players"], one["returned"]) for one in row["days"]] == true[place], (
                question,
                place,
            )
            for one in row["days"]:
                assert one["share"] == (one["returned"] / one["players"] if one["players"] else None)
                returns += one["returned"]
        judge(compiled(question, game))
    return returns


def compiled(question: Question, game: str = "arena") -> Any:
    asked = RetentionQuestion.model_validate(question)
    return explore_retention.query(asked, game, Days(FIRST, LAST))


def test_retention_of_the_nasty_game_is_that_of_the_definition(
    client: TestClient, gold: DuckGold, nasty_bronze: list[Event]
) -> None:
    assert check(client, gold, nasty_bronze, questions(nasty_bronze, "nasty", 60)) > 100


def test_retention_of_events_at_random_is_that_of_the_definition(client: TestClient, gold: DuckGold) -> None:
    lines = made_events.events("retention", 400, ("session_start", "design", "purchase"))
    assert check(client, gold, lines, questions(lines, "retention", 100)) > 300


def asked_retention(**fields: Any) -> Question:
    days = {"from": str(FIRST), "to": str(FIRST + DAY)}
    first, returning = {"event": "session_start"}, {"event": "purchase"}
    return {"kind": "retention", "first": first, "returning": returning, "days": 2, **days, **fields}


def test_retention_by_hand(client: TestClient, gold: DuckGold) -> None:
    """Ann buys after two hours and midnight, bob after 25 hours. Eve plays again and buys nothing."""
    gold.fill_silver(
        [
            line("purchase", "ann", 22),
            line("session_start", "ann", 23),
            line("purchase", "ann", 25),
            line("session_start", "bob", 10),
            line("purchase", "bob", 35),
            line("session_start", "eve", 10, platform="android"),
            line("session_start", "eve", 34),
            line("purchase", "eve", 34, game_id="arena-2"),
            line("session_start", "zoe", 30),
        ]
    )
    for unit, days in (("day", [(3, 0), (3, 2), (3, 0)]), ("24h", [(3, 1), (3, 1), (3, 0)])):
        first, second = client.post(URL, json=asked_retention(unit=unit)).json()["rows"]
        assert [(one["players"], one["returned"]) for one in first["days"]] == days
        assert (first["from"], first["players"]) == (str(FIRST), 3)
        assert (second["from"], second["players"]) == (str(FIRST + DAY), 1)
    by = client.post(URL, json=asked_retention(by=["platform"], grain="range")).json()["rows"]
    assert [(row["slices"]["platform"], row["players"], row["days"][1]["returned"]) for row in by] == [
        ("android", 1, 0),
        ("ios", 3, 2),
    ]
    text = client.post(URL, json=asked_retention(format="csv")).text.splitlines()
    assert text[0] == "from,to,cohort_players,day,players,returned,share"
    assert text[2] == f"{FIRST},{FIRST},3,1,3,2,{2 / 3}"


def test_a_day_counts_once_it_is_over(
    client: TestClient, gold: DuckGold, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold.fill_silver([line("session_start", "ann", 23.9), line("purchase", "ann", 24.1)])
    for unit, today, over in (("day", 1, [1, 0, 0]), ("day", 2, [1, 1, 0]), ("24h", 2, [1, 0, 0])):
        monkeypatch.setattr(explore_retention, "today", lambda today=today: FIRST + today * DAY)
        (row,) = client.post(URL, json=asked_retention(unit=unit)).json()["rows"]
        assert [one["players"] for one in row["days"]] == over
        assert [one["share"] is None for one in row["days"]] == [not one for one in over]


SET: Question = {"where": [{"field": "platform", "op": "is_set"}] * 6}
REFUSALS: list[tuple[Question, str, str]] = [
    ({"first": {"event": "bought"}}, "first/event", "there is no event bought"),
    ({"returning": {"event": "bought"}}, "returning/event", "there is no event bought"),
    (
        {"returning": {"where": [{"field": "payload.store", "values": ["x"]}]}},
        "returning/where/0/field",
        "these events have no payload.store",
    ),
    ({"by": ["payload.store"]}, "by", "these events have no payload.store"),
    ({"first": SET, "returning": SET}, "returning/where", "has 12 filters together, at most 10"),
    ({"days": 0}, "days", "greater than or equal to 1"),
    ({"days": 31}, "days", "less than or equal to 30"),
    ({"unit": "hour"}, "unit", "'day' or '24h'"),
]


def test_retention_without_a_right_answer_is_refused(client: TestClient, gold: DuckGold) -> None:
    for changed, pointer, words in REFUSALS:
        answer = client.post(URL, json=asked_retention(**changed))
        assert answer.status_code == 422, (changed, answer.text)
        errors = answer.json()["errors"]
        assert {error["pointer"] for error in errors} == {f"/body/{pointer}"}, changed
        assert words in " ".join(error["detail"] for error in errors)
    assert not gold.asked
