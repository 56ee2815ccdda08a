"""Dashboards of saved questions: a book in plain Python says what each caller sees and may change."""

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fake_aws import register
from fastapi.testclient import TestClient
from faults import Fault, injected
from metrics_api.saved_models import MAX_SHOWN
from signed_in import IAM, Ask, groups

GAMES = ("sky", "sky-2")
DOCUMENT = {"kind": "cohort", "event": "purchase", "at_least": 2}
EVERYBODY: dict[str, dict[str, Any]] = {
    "ann": groups("producer:sky", subject="ann"),
    "bob": groups("producer:sky", "reader:sky-2", subject="bob"),
    "eve": groups("producer:sky-2", subject="eve"),
    "rae": groups("reader:sky", subject="rae"),
    "all": groups("admin", subject="all"),
    "ops": IAM,
}
# From the definition in docs/people.md, by hand.
CHOOSERS = {"sky": {"ann", "bob", "all", "ops"}, "sky-2": {"eve", "all", "ops"}}
READERS = {"sky": CHOOSERS["sky"] | {"rae"}, "sky-2": CHOOSERS["sky-2"] | {"bob"}}
NAMES = [f"q-{number}" for number in range(MAX_SHOWN + 2)]


@pytest.fixture
def call(ask: Ask, dynamodb: Any) -> Callable[..., tuple[int, Any]]:
    """Ask as one of everybody: who, method, game, what of the game, and body."""
    for game in GAMES:
        register(dynamodb, game)

    def asked(who: str, method: str, game: str, what: str = "dashboard", body: Any = None) -> tuple[int, Any]:
        path = f"/v1/games/{game}/{what}"
        text = "" if body is None else json.dumps(body)
        return ask(path if who == "ops" else f"/signed-in{path}", EVERYBODY[who], method, text)

    return asked


def save(call: Any, game: str, *names: str, who: str = "all") -> None:
    for name in names:
        body = {"title": f"Title of {name}", "question": DOCUMENT}
        assert call(who, "PUT", game, f"questions/{name}", body)[0] == 201


def board(names: list[Any], version: Any = 0) -> dict[str, Any]:
    return {"questions": names, "version": version}


class Book:
    """What docs/explore.md says of dashboards."""

    def __init__(self) -> None:
        """Begin with questions, and without a dashboard."""
        self.saved: dict[str, set[str]] = {game: set() for game in GAMES}
        self.shown: dict[str, list[str]] = {game: [] for game in GAMES}
        self.version = dict.fromkeys(GAMES, 0)

    def choose(self, who: str, game: str, names: list[str], version: int) -> int:
        if who not in CHOOSERS[game]:
            return 403
        if len(names) > MAX_SHOWN or len(set(names)) < len(names):
            return 422
        if version != self.version[game]:
            return 409
        if not set(names) <= self.saved[game]:
            return 422
        self.shown[game], self.version[game] = names, version + 1
        return 200

    def seen(self, game: str) -> list[str]:
        return [name for name in self.shown[game] if name in self.saved[game]]


def test_everybody_sees_and_changes_what_the_book_says(call: Any) -> None:
    dice, book, seen = random.Random(20261130), Book(), set()
    for _ in range(250):
        who, game, name = dice.choice(list(EVERYBODY)), dice.choice(GAMES), dice.choice(NAMES)
        match dice.choice(["choose", "choose", "save", "delete", "look"]):
            case "choose":
                size = dice.choice([0, 1, 3, 3, MAX_SHOWN, MAX_SHOWN + 1])
                among = dice.choice(
                    [NAMES, sorted(book.saved[game]) or NAMES, sorted(book.saved[game]) or NAMES]
                )
                names = (
                    dice.choices(among, k=size)
                    if dice.random() < 0.1
                    else dice.sample(among, min(size, len(among)))
                )
                version = dice.choice([book.version[game]] * 4 + [0, 1])
                wanted = book.choose(who, game, names, version)
                code, answer = call(who, "PUT", game, body=board(names, version))
                assert code == wanted, (answer, names)
                seen.add(code)
            case "save" if name not in book.saved[game]:
                save(call, game, name)
                book.saved[game].add(name)
            case "delete" if name in book.saved[game]:
                assert call("all", "DELETE", game, f"questions/{name}")[0] == 204
                book.saved[game].remove(name)
            case _:
                pass
        reader = dice.choice(list(EVERYBODY))
        code, answer = call(reader, "GET", game)
        if reader not in READERS[game]:
            assert code == 403
            continue
        assert [one["name"] for one in answer["questions"]] == book.seen(game)
        assert all(one["question"] == DOCUMENT and one["game_id"] == game for one in answer["questions"])
        assert (answer["version"], answer["may_change"]) == (book.version[game], reader in CHOOSERS[game])
        assert (answer["updated_at"] is None) == (not book.version[game])
        # The dashboard is no question.
        listed = call(reader, "GET", game, "questions")[1]["questions"]
        assert {one["name"] for one in listed} == book.saved[game]
    assert seen == {200, 403, 409, 422}


def test_what_a_dashboard_cannot_show_is_refused_with_its_place(call: Any, dynamodb: Any) -> None:
    save(call, "sky", *NAMES)
    save(call, "sky-2", "theirs")
    refused: list[tuple[Any, str, str]] = [
        (board(NAMES[: MAX_SHOWN + 1]), "/questions", f"at most {MAX_SHOWN} questions: take one off first"),
        (board(["x" * 999_999] * 20), "/questions", "take one off first"),
        (board(["q-0", "q-1", "q-0"]), "/questions", "q-0 is named twice"),
        (board(["q-0", "gone"]), "/questions/1", "sky has no saved question gone"),
        (board(["theirs"]), "/questions/0", "no saved question theirs"),
        (board(["#dashboard"]), "/questions/0", "pattern"),
        (board(["q-0 q-1"]), "/questions/0", "pattern"),
        (board(["../sky-2"]), "/questions/0", "pattern"),
        (board([None]), "/questions/0", "string"),
        ({"questions": "q-0", "version": 0}, "/questions", "list"),
        ({"questions": {"q-0": 1}, "version": 0}, "/questions", "list"),
        ({"version": 0}, "/questions", "required"),
        ({"questions": []}, "/version", "required"),
        (board([], -1), "/version", "greater"),
        (board([], 1.5), "/version", "integer"),
        (board([], "0"), "/version", "integer"),
        (board([], 10**30), "/version", "less"),
        (board([]) | {"owner": "ann"}, "/owner", "not permitted"),
        ([], "", ""),
    ]
    for body, pointer, words in refused:
        code, answer = call("ann", "PUT", "sky", body=body)
        assert (code, answer["status"]) == (422, 422), body
        assert f"/body{pointer}" in [error["pointer"] for error in answer["errors"]], answer
        assert words in json.dumps(answer), answer
    assert call("ann", "GET", "sky")[1]["version"] == 0
    assert call("all", "PUT", "gone", body=board([]))[0] == 404
    assert call("all", "GET", "gone")[0] == 404
    items = dynamodb.Table("saved_questions").scan()["Items"]
    assert {item["name"] for item in items} == {*NAMES, "theirs"}


def test_the_order_is_the_producers_and_a_name_is_no_address_of_a_dashboard(call: Any) -> None:
    save(call, "sky", *NAMES)
    wanted = [*reversed(NAMES[:MAX_SHOWN])]
    assert call("ann", "PUT", "sky", body=board(wanted))[0] == 200
    assert [one["name"] for one in call("rae", "GET", "sky")[1]["questions"]] == wanted
    for path in ("questions/%23dashboard", "questions/#dashboard", "questions/%23dashboard/answer"):
        assert call("all", "GET", "sky", path)[0] in (404, 422)
        assert call("all", "DELETE", "sky", path)[0] in (404, 405, 422)
    # An empty one is a dashboard, too.
    assert call("ann", "PUT", "sky", body=board([], 1))[1]["questions"] == []
    assert call("ann", "GET", "sky")[1]["version"] == 2


def test_of_changes_at_once_one_is_made(metrics_app: Any, dynamodb: Any, restless_threads: None) -> None:
    """Each thread has seen the same version. Whoever is second hears that it has changed."""
    register(dynamodb, "sky")
    client, path = TestClient(metrics_app), "/v1/games/sky/dashboard"
    for number in range(4):
        body = {"title": "x", "question": DOCUMENT}
        assert client.put(f"/v1/games/sky/questions/q-{number}", json=body).status_code == 201
    for version in range(4):
        bodies = [board([f"q-{number}"], version) for number in range(4)]
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda one: client.put(path, json=one), bodies))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        (done,) = [answer.json() for answer in answers if answer.is_success]
        assert client.get(path).json()["questions"] == done["questions"]


def test_a_lost_answer_of_a_call_is_no_conflict(call: Any) -> None:
    """boto3 repeats a call whose answer was lost. DynamoDB then finds what the first one did."""
    save(call, "sky", "q-0")
    for version in (0, 1):
        left = [Fault.ANSWER_LOST]

        def once(called: str, among: Any, left: list[Fault] = left) -> Fault | None:
            return left.pop() if called == "dynamodb.PutItem" and left else None

        with injected(once, {}):
            code, answer = call("ann", "PUT", "sky", body=board(["q-0"], version))
        assert (code, answer["version"], left) == (200, version + 1, [])


def test_a_browser_keeps_no_dashboard(metrics_app: Any, dynamodb: Any) -> None:
    register(dynamodb, "sky")
    client, path = TestClient(metrics_app), "/v1/games/sky/dashboard"
    for answer in (client.get(path), client.put(path, json=board([])), client.put(path, json=board([]))):
        assert answer.headers["cache-control"] == "no-store"
    assert answer.status_code == 409
