"""Funnels: every player in the step that the definition says, and the exact median of the times."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import made_events
import nasty_game
import pytest
from explore_sql import judge
from explore_truth import Event, Question, of_cohort, passes, percentile, players, value, with_cohort, written
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from metrics_api import explore_funnel
from metrics_api.explore_models import FunnelQuestion
from metrics_api.history_query import Days

Reached = dict[tuple[Any, ...], list[list[datetime]]]
FIRST, LAST = date(2026, 1, 26), date(2026, 2, 6)
URL = "/v1/games/arena/explore"


@pytest.fixture
def client(metrics_app: Any, dynamodb: Any) -> TestClient:
    for game in ("arena", "arena-2", nasty_game.GAME):
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return TestClient(metrics_app)


def at(event: Event) -> datetime:
    return datetime.fromisoformat(event["corrected_time"])


def attempt(events: list[Event], begin: int, asked: Question) -> list[datetime]:
    """Return the times of the steps of the attempt that begins with an event."""
    times = [at(events[begin])]
    place = begin
    for step in asked["steps"][1:]:
        later = (n for n in range(place + 1, len(events)) if passes(events[n], step))
        place = next(later, -1)
        if place < 0 or at(events[place]) - times[0] > timedelta(minutes=asked["window_minutes"]):
            break
        times.append(at(events[place]))
    return times


def furthest(events: list[Event], begin: int, asked: Question) -> int:
    """Return the most steps of any choice of later events, tried one by one."""
    until = at(events[begin]) + timedelta(minutes=asked["window_minutes"])

    def deeper(place: int, step: int) -> int:
        if step == len(asked["steps"]):
            return step
        tried = (
            deeper(n, step + 1)
            for n in range(place + 1, len(events))
            if at(events[n]) <= until and passes(events[n], asked["steps"][step])
        )
        return max(tried, default=step)

    return deeper(begin, 1)


def reached(lines: list[Event], game: str, asked: Question) -> Reached:
    """Return the times of the steps of each player, by slice."""
    found: Reached = defaultdict(list)
    of_players = of_cohort(lines, game, asked)
    for events in players([line for line in of_players if line["game_id"] == game]).values():
        begins = [
            n
            for n, event in enumerate(events)
            if asked["from"] <= event["event_date"] <= asked["to"] and passes(event, asked["steps"][0])
        ]
        attempts = [(attempt(events, n, asked), n) for n in begins]
        if attempts:
            times, begin = max(attempts, key=lambda one: (len(one[0]), -one[1]))
            place = tuple(written(value(events[begin], name)) for name in asked["by"])
            found[place].append(times)
    return found


def figures(found: Reached, steps: int) -> dict[tuple[Any, ...], tuple[int, Fraction | None]]:
    """Return players and median seconds by slice and step."""
    rows: dict[tuple[Any, ...], tuple[int, Fraction | None]] = {}
    for place, attempts in found.items():
        for step in range(1, steps + 1):
            there = [times for times in attempts if len(times) >= step]
            waits = [
                Fraction((times[step - 1] - times[step - 2]) / timedelta(milliseconds=1)) for times in there
            ]
            median = percentile(waits, 50) / 1000 if step > 1 and waits else None
            rows[(*place, step)] = len(there), median
    return rows


def questions(lines: list[Event], seed: str, count: int) -> list[tuple[str, Question]]:
    """Return funnels at random of events that there are, mostly of one player."""
    chance, of_players = random.Random(seed), random.Random(f"{seed} cohorts")
    found = []
    for _ in range(count):
        line = chance.choice(lines)
        own = [
            one for one in lines if (one["game_id"], one["player_id"]) == (line["game_id"], line["player_id"])
        ]
        steps: list[Question] = [{"event": line["event_type"]}]
        for _ in range(chance.choice((1, 2, 2, 3))):
            steps.append({"event": chance.choice((*(one["event_type"] for one in own[:6]), None))})
        for step in steps:
            if step["event"] is None:
                del step["event"]
            if chance.random() < 0.3:
                step["where"] = [{"field": "bot", "op": "is_not", "values": [True]}]
        first = date.fromisoformat(line["event_date"]) - timedelta(days=chance.randrange(3))
        found.append(
            (
                line["game_id"],
                {
                    "kind": "funnel",
                    "steps": steps,
                    "from": str(first),
                    "to": str(first + timedelta(days=chance.randrange(3, 12))),
                    "window_minutes": chance.choice((1, 5, 30, 24 * 60, 25 * 60, 30 * 24 * 60)),
                    "by": chance.sample(["platform", "country", "bot"], chance.randrange(3)),
                },
            )
        )
    return [(game, with_cohort(of_players, lines, asked)) for game, asked in found]


def check(client: TestClient, gold: DuckGold, lines: list[Event], asked: list[tuple[str, Question]]) -> int:
    """Compare each answer with its definition; return how many players came beyond the first step."""
    gold.fill_silver(lines)
    further = 0
    for game, question in asked:
        answer = client.post(f"/v1/games/{game}/explore", json=question)
        assert answer.status_code == 200, (question, answer.text)
        true = figures(reached(lines, game, question), len(question["steps"]))
        said = {
            (*row["slices"].values(), row["step"]): (row["players"], row["median_seconds"])
            for row in answer.json()["rows"]
        }
        assert said.keys() == true.keys(), question
        for place, (count, median) in true.items():
            shown = None if median is None else pytest.approx(float(median), abs=1e-6)
            assert said[place] == (count, shown), (question, place)
            further += count if place[-1] > 1 else 0
        judge(compiled(question, game))
    return further


def compiled(question: Question, game: str = "arena") -> Any:
    asked = FunnelQuestion.model_validate(question)
    return explore_funnel.query(asked, game, Days(FIRST, LAST))


def test_funnels_of_the_nasty_game_are_those_of_the_definition(
    client: TestClient, gold: DuckGold, nasty_bronze: list[Event]
) -> None:
    assert check(client, gold, nasty_bronze, questions(nasty_bronze, "nasty", 80)) > 50


def test_funnels_of_events_at_random_are_those_of_the_definition(client: TestClient, gold: DuckGold) -> None:
    lines = made_events.events("funnel", 700, ("session_start", "design", "purchase", "crash"))
    assert check(client, gold, lines, questions(lines, "funnel", 120)) > 500


def test_an_attempt_comes_as_far_as_any_choice_of_events_does() -> None:
    """The first later event of each step is never worse than another one."""
    lines = made_events.events("greedy", 90, ("session_start", "design", "purchase"))
    tried = 0
    for game, asked in questions(lines, "greedy", 60):
        for events in players([line for line in lines if line["game_id"] == game]).values():
            for n, event in enumerate(events):
                if passes(event, asked["steps"][0]):
                    tried += 1
                    assert len(attempt(events, n, asked)) == furthest(events, n, asked)
    assert tried > 300


def line(kind: str, player: str, minute: float, **fields: Any) -> Event:
    """Return an event some minutes after noon of the first day."""
    return made_events.line(kind, player, 12, minute, **fields)


def asked_funnel(**fields: Any) -> Question:
    steps = [{"event": name} for name in ("session_start", "match_start", "purchase")]
    days = {"from": str(FIRST), "to": str(FIRST)}
    return {"kind": "funnel", "steps": steps, "window_minutes": 60, **days, **fields}


def test_a_funnel_by_hand(client: TestClient, gold: DuckGold) -> None:
    """Of three players two buy: ann after 10 and 50 minutes, bob with his second attempt after 20 and 1."""
    gold.fill_silver(
        [
            line("session_start", "ann", 0),
            line("match_start", "ann", 10),
            # A millisecond more would be out of the window.
            line("purchase", "ann", 60),
            line("purchase", "bob", -5),
            line("session_start", "bob", 0),
            line("match_start", "bob", 61),
            # The second attempt comes further, after midnight, and is the one that counts.
            line("session_start", "bob", 11 * 60 + 50),
            line("match_start", "bob", 12 * 60 + 10),
            line("purchase", "bob", 12 * 60 + 11),
            line("session_start", "eve", 0, platform="android"),
            # Before the start, and of another game.
            line("match_start", "eve", -1),
            line("match_start", "eve", 5, game_id="arena-2"),
            # It begins after the last asked day.
            line("session_start", "zoe", 24 * 60),
        ]
    )
    rows = client.post(URL, json=asked_funnel()).json()["rows"]
    assert [(row["event"], row["players"], row["median_seconds"]) for row in rows] == [
        ("session_start", 3, None),
        ("match_start", 2, 15 * 60),
        ("purchase", 2, (50 + 1) / 2 * 60),
    ]
    assert [(row["of_first"], row["of_previous"]) for row in rows] == [
        (1, None), (pytest.approx(2 / 3), pytest.approx(2 / 3)), (pytest.approx(2 / 3), 1),
    ]  # fmt: skip
    by = client.post(URL, json=asked_funnel(by=["platform"])).json()["rows"]
    assert [(row["slices"]["platform"], row["step"], row["players"]) for row in by] == [
        ("android", 1, 1), ("android", 2, 0), ("android", 3, 0), ("ios", 1, 2), ("ios", 2, 2), ("ios", 3, 2),
    ]  # fmt: skip
    assert [row["of_previous"] for row in by[:3]] == [None, 0, None]
    shorter = client.post(URL, json=asked_funnel(window_minutes=59)).json()["rows"]
    assert [row["players"] for row in shorter] == [3, 2, 1]
    text = client.post(URL, json=asked_funnel(format="csv")).text.splitlines()
    assert text[:2] == ["step,event,players,of_first,of_previous,median_seconds", "1,session_start,3,1.0,,"]


def test_the_same_event_is_no_two_steps(client: TestClient, gold: DuckGold) -> None:
    gold.fill_silver([line("purchase", "ann", 0), line("purchase", "bob", 0), line("purchase", "bob", 1)])
    steps = [{"event": "purchase"}, {"event": "purchase"}]
    rows = client.post(URL, json=asked_funnel(steps=steps)).json()["rows"]
    assert [row["players"] for row in rows] == [2, 1]


SET: list[Question] = [{"field": "platform", "op": "is_set"}]
REFUSALS: list[tuple[Question, str, str]] = [
    ({"steps": [{"event": "purchase"}]}, "steps", "at least 2 items"),
    ({"steps": [{"event": "purchase"}] * 9}, "steps", "at most 8 items"),
    ({"steps": [{"event": "bought"}, {}]}, "steps/0/event", "there is no event bought"),
    ({"steps": [{}, {"event": "bought"}]}, "steps/1/event", "there is no event bought"),
    (
        {"steps": [{}, {"where": [{"field": "payload.store", "values": ["x"]}]}]},
        "steps/1/where/0/field",
        "these events have no payload.store",
    ),
    ({"by": ["payload.store"]}, "by", "these events have no payload.store"),
    ({"window_minutes": 0}, "window_minutes", "greater than or equal to 1"),
    ({"window_minutes": 43_201}, "window_minutes", "less than or equal to 43200"),
    ({"steps": [{}, {"where": SET * 6}, {"where": SET * 5}]}, "steps", "has 11 filters together, at most 10"),
    ({"grain": "day"}, "grain", "not permitted"),
]


def test_a_funnel_without_a_right_answer_is_refused(client: TestClient, gold: DuckGold) -> None:
    for changed, pointer, words in REFUSALS:
        answer = client.post(URL, json=asked_funnel(**changed))
        assert answer.status_code == 422, (changed, answer.text)
        errors = answer.json()["errors"]
        assert {error["pointer"] for error in errors} == {f"/body/{pointer}"}, changed
        assert words in " ".join(error["detail"] for error in errors)
    assert not gold.asked


def test_the_judge_of_funnels_sees_a_wrong_one(nasty_bronze: list[Event]) -> None:
    """An event in the wrong order, and a window that is too short."""
    asked = asked_funnel(by=[])
    lines = [line("session_start", "ann", 0), line("match_start", "ann", 10), line("purchase", "ann", 60)]
    true = figures(reached(lines, "arena", asked), 3)
    turned = [one | {"corrected_time": lines[-n - 1]["corrected_time"]} for n, one in enumerate(lines)]
    assert figures(reached(turned, "arena", asked), 3) != true
    assert figures(reached(lines, "arena", asked | {"window_minutes": 59}), 3) != true
    assert figures(reached(lines, "arena-2", asked), 3) != true
