"""Saved questions: a book in plain Python says what each caller may do, and what is there afterwards."""

import json
import random
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import nasty_game
import pytest
from fake_aws import register
from fastapi.testclient import TestClient
from faults import Fault, injected
from gold_tables import DuckGold
from made_events import HOSTILE
from metrics_api.saved_models import HIDDEN, MAX_QUESTION_BYTES, MAX_QUESTIONS, MAX_TITLE, one_line
from signed_in import CLAIMS, IAM, Ask, groups
from telemetry.store import store

GAMES = ("sky", "sky-2")
COHORT = {"kind": "cohort", "event": "purchase", "at_least": 2}
# One of each kind that can be saved, with all that a document can hold.
DOCUMENTS: list[dict[str, Any]] = [
    COHORT,
    {"kind": "events", "from": "2026-01-26", "to": "2026-02-06", "grain": "week", "event": "purchase",
     "measure": {"of": "percentile", "field": "payload.amount_minor", "percentile": 50}, "by": ["platform"],
     "where": [{"field": "payload.currency", "op": "is", "values": ["EUR"]}]},
    {"kind": "funnel", "window_minutes": 60, "by": ["country"], "steps": [
        {"event": "session_start"},
        {"event": "purchase", "where": [{"field": "payload.amount_minor", "op": "at_least", "values": [1]}]},
    ]},
    {"kind": "paths", "event": "session_start", "direction": "before", "depth": 2, "width": 3,
     "leave_out": ["session_heartbeat"]},
    {"kind": "retention", "first": {"event": "session_start"}, "returning": {}, "unit": "24h", "days": 3,
     "grain": "range", "cohort": {"event": "purchase", "from": "2026-01-01", "to": "2026-02-01"}},
]  # fmt: skip
EVERYBODY: dict[str, dict[str, Any]] = {
    "ann": groups("producer:sky", subject="ann"),
    "bob": groups("producer:sky", "reader:sky-2", subject="bob"),
    "eve": groups("producer:sky-2", subject="eve"),
    "rae": groups("reader:sky", subject="rae"),
    "all": groups("admin", subject="all"),
    "ops": IAM,
}
# From the definition in docs/people.md, by hand.
WRITERS = {"sky": {"ann", "bob", "all", "ops"}, "sky-2": {"eve", "all", "ops"}}
READERS = {"sky": WRITERS["sky"] | {"rae"}, "sky-2": WRITERS["sky-2"] | {"bob"}}
CHANGE_ALL = {"all", "ops"}
NAMES = {name: name for name in EVERYBODY} | {"ops": IAM["iam"]["userArn"]}
# Texts that are no name in an address.
NO_NAMES = ["A", "a_b", "-a", "a" * 65, "a b", "%2e%2e", "ä", "a%00", "a%0a", "..%2fsky-2"]
NO_TITLES = [
    "",
    " ",
    "\u00a0",
    "a\nb",
    "a\x00b",
    "a\u202eb",
    "a\u2066b",
    "a\u2028b",
    "\u200b",
    "a\u200bb",
    "a\u200db",
    "\u200d",
    "\u3164",
    "\u2800",
    "\ufeffa",
    "a\U000e0041",
    "x" * (MAX_TITLE + 1),
    None,
    7,
    ["a"],
]


@pytest.fixture
def call(ask: Ask, dynamodb: Any) -> Callable[..., tuple[int, Any]]:
    """Ask as one of everybody: who, method, game, rest of the path, and body."""
    for game in GAMES:
        register(dynamodb, game)

    def asked(
        who: str, method: str, game: str, rest: str = "", body: Any = None, query: str = ""
    ) -> tuple[int, Any]:
        path = f"/v1/games/{game}/questions{rest}"
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        return ask(path if who == "ops" else f"/signed-in{path}", EVERYBODY[who], method, text, query)

    return asked


def saving(question: Any = COHORT, title: str = "Buyers", **more: Any) -> dict[str, Any]:
    return {"title": title, "question": question, **more}


def rows(dynamodb: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dynamodb.Table("saved_questions").scan()["Items"]
    return found


class Book:
    """What docs/explore.md says of saved questions."""

    def __init__(self) -> None:
        """Begin without any."""
        self.saved: dict[tuple[str, str], dict[str, Any]] = {}

    def put(self, who: str, game: str, name: str, title: str, question: Any, version: int) -> int:
        if who not in WRITERS[game]:
            return 403
        there = self.saved.get((game, name))
        if there and there["owner"] != who and who not in CHANGE_ALL:
            return 403
        if version != (there["version"] if there else 0):
            return 409
        owner = there["owner"] if there else who
        self.saved[game, name] = {
            "owner": owner, "title": title.strip(), "question": question, "version": version + 1,
        }  # fmt: skip
        return 200 if there else 201

    def delete(self, who: str, game: str, name: str) -> int:
        if who not in WRITERS[game]:
            return 403
        if (game, name) not in self.saved:
            return 404
        if self.saved[game, name]["owner"] != who and who not in CHANGE_ALL:
            return 403
        del self.saved[game, name]
        return 204

    def shown(self, who: str, game: str) -> list[tuple[Any, ...]]:
        of_game = [(name, one) for (where, name), one in self.saved.items() if where == game]
        return [
            (
                name, one["title"], one["question"]["kind"], NAMES[one["owner"]], one["version"],
                who in CHANGE_ALL or (who in WRITERS[game] and who == one["owner"]),
            )
            for name, one in sorted(of_game, key=lambda pair: (pair[1]["title"].casefold(), pair[0]))
        ]  # fmt: skip


def test_everybody_does_as_the_book_says(call: Any) -> None:
    dice, book, seen = random.Random(20261130), Book(), set()
    titles = ["Buyers", "  buyers ", "Z", *HOSTILE]
    titles = [title for title in titles if title.strip() and title.isprintable() and len(title) <= MAX_TITLE]
    for _ in range(300):
        who, game, name = (
            dice.choice(list(EVERYBODY)),
            dice.choice(GAMES),
            dice.choice(["buyers", "a", "0-x"]),
        )
        there = book.saved.get((game, name))
        match dice.choice(["put", "put", "put", "delete", "get"]):
            case "put":
                version = dice.choice([there["version"] if there else 0] * 4 + [0, 1, 2])
                title, question = dice.choice(titles), dice.choice(DOCUMENTS)
                wanted = book.put(who, game, name, title, question, version)
                code, answer = call(who, "PUT", game, f"/{name}", saving(question, title, version=version))
            case "delete":
                wanted = book.delete(who, game, name)
                code, answer = call(who, "DELETE", game, f"/{name}")
            case _:
                wanted = (200 if there else 404) if who in READERS[game] else 403
                code, answer = call(who, "GET", game, f"/{name}")
                if code == 200:
                    assert there is not None
                    assert (answer["question"], answer["version"]) == (there["question"], there["version"])
        assert code == wanted, answer
        seen.add(code)
        reader = dice.choice(list(EVERYBODY))
        code, answer = call(reader, "GET", game)
        if reader not in READERS[game]:
            assert code == 403
            continue
        listed = [
            (one["name"], one["title"], one["kind"], one["owner"], one["version"], one["may_change"])
            for one in answer["questions"]
        ]
        assert listed == book.shown(reader, game)
        assert answer["may_save"] == (reader in WRITERS[game])
    assert seen == {200, 201, 204, 403, 404, 409}


def test_what_cannot_be_saved_is_refused_with_its_place(call: Any, dynamodb: Any) -> None:
    many = {"field": "platform", "values": [f"{n}{'x' * 120}" for n in range(50)]}
    of_id, free = ({"field": name, "values": ["ann"]} for name in ("player_id", "payload.extra"))
    refused: list[tuple[Any, str, str]] = [
        *(({"title": title, "question": COHORT}, "/title", "") for title in NO_TITLES),
        ({"question": COHORT}, "/title", "required"),
        ({"title": "x"}, "/question", "required"),
        (saving({"kind": "player", "player_id": "ann"}), "/question", "erasure"),
        (saving({"kind": "sql"}), "/question", "expected tags"),
        (saving({"kind": "cohort", "event": "telepathy"}), "/question/event", "there is no event"),
        (saving(COHORT | {"more": 1}), "/question/more", "not permitted"),
        (saving(COHORT | {"from": "2026-01-01", "to": "2026-12-31"}), "/question/from", "at most 92"),
        (saving(COHORT | {"from": "2026-02-01", "to": "2026-01-31"}), "/question/from", "is after"),
        (saving(COHORT | {"where": [free]}), "/question/where/0/field", "payload.extra"),
        (saving(COHORT | {"where": [of_id]}), "/question/where/0/field", "player_id"),
        (saving(COHORT | {"where": [many, many]}), "/question", f"at most {MAX_QUESTION_BYTES}"),
        (saving(version=-1), "/version", "greater"),
        (saving(version=1.5), "/version", "integer"),
        (saving(version=10**30), "/version", "less"),
        (saving(owner="bob"), "/owner", "not permitted"),
        ([], "", ""),
        ('{"title": "\\ud800", "question": {"kind": "cohort"}}', "/title", ""),
    ]
    for body, pointer, words in refused:
        code, answer = call("ann", "PUT", "sky", "/buyers", body)
        assert (code, answer["status"]) == (422, 422), body
        assert f"/body{pointer}" in [error["pointer"] for error in answer["errors"]], (body, answer)
        assert words in json.dumps(answer), (body, answer)
    for body in ("", "{", "nothing", "[" * 100_000):
        assert call("ann", "PUT", "sky", "/buyers", body)[0] in (400, 422), body[:9]
    for name in NO_NAMES:
        assert call("ann", "PUT", "sky", f"/{name}", saving())[0] in (404, 422), name
    assert call("ops", "PUT", "gone", "/buyers", saving())[0] == 404
    assert call("all", "PUT", "gone", "/buyers", saving())[0] == 404
    assert rows(dynamodb) == []


def test_a_title_is_what_everybody_can_see() -> None:
    """Unicode's own categories say what is no letter, mark, number or sign. Some signs are of category Cf."""
    signs = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    selectors = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x180E), 0x180F}
    blank = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0} | selectors
    wrong = []
    for number in range(0x110000):
        kind = unicodedata.category(chr(number))
        if kind in ("Cs", "Cn"):
            continue
        hidden = kind in ("Cc", "Cf", "Co", "Zl", "Zp")
        if (HIDDEN.search(chr(number)) is not None) != ((hidden and number not in signs) or number in blank):
            wrong.append(f"{number:04X}")
    assert wrong == []
    for title in (
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 families",
        "\u2764\ufe0f",
        "1\ufe0f\u20e3 first",
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0915\u094d\u200d\u0937",
        "Caf\u00e9 \u2013 50 %",
    ):
        assert one_line(title) == title


def test_a_document_may_be_as_large_as_the_limit_and_no_larger(call: Any) -> None:
    """A letter such as ä is two bytes, and is stored as them."""
    last = {"field": "country", "op": "is", "values": ["x"]}
    document = COHORT | {"where": [{"field": "platform", "op": "is", "values": ["ä" * 60] * 50}, last]}
    missing = MAX_QUESTION_BYTES - len(json.dumps(document, ensure_ascii=False).encode())
    values, rest = divmod(missing, 104)
    last["values"] = ["x" * 100] * values + ["x" * (1 + rest)]
    assert len(json.dumps(document, ensure_ascii=False).encode()) == MAX_QUESTION_BYTES
    assert call("ann", "PUT", "sky", "/large", saving(document))[0] == 201
    last["values"][0] += "x"
    code, answer = call("ann", "PUT", "sky", "/larger", saving(document))
    assert (code, f"{MAX_QUESTION_BYTES + 1} bytes" in json.dumps(answer)) == (422, True)


def test_a_game_has_so_many_and_another_games_do_not_count(call: Any, dynamodb: Any) -> None:
    assert call("bob", "PUT", "sky", "/first", saving(title="Ä" * MAX_TITLE))[0] == 201
    (item,) = rows(dynamodb)
    item["question"] = item["question"].ljust(MAX_QUESTION_BYTES)
    with dynamodb.Table("saved_questions").batch_writer() as batch:
        for number in range(MAX_QUESTIONS - 2):
            batch.put_item(Item=item | {"name": f"n-{number}"})
        for number in range(MAX_QUESTIONS - 1):
            batch.put_item(Item=item | {"game_id": "sky-2", "name": f"n-{number}"})
    assert call("ann", "PUT", "sky", "/last", saving())[0] == 201
    code, answer = call("ann", "PUT", "sky", "/more", saving())
    assert (code, "delete one" in answer["detail"]) == (409, True)
    assert call("ann", "PUT", "sky", "/last", saving(version=1))[0] == 200
    assert call("all", "DELETE", "sky", "/n-0")[0] == 204
    assert call("ann", "PUT", "sky", "/more", saving())[0] == 201
    assert len(call("ann", "GET", "sky")[1]["questions"]) == MAX_QUESTIONS
    assert len(call("eve", "GET", "sky-2")[1]["questions"]) == MAX_QUESTIONS - 1


def test_of_replacements_at_once_one_is_done(metrics_app: Any, dynamodb: Any, restless_threads: None) -> None:
    """Each thread has seen version 1. Whoever is second hears that it has changed, and overwrites nothing."""
    register(dynamodb, "sky")
    client, path = TestClient(metrics_app), "/v1/games/sky/questions/buyers"
    for version in range(5):
        bodies = [saving(title=f"Title {n}", version=version) for n in range(8)]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda body: client.put(path, json=body), bodies))
        done = [answer.json()["title"] for answer in answers if answer.is_success]
        assert sorted(answer.status_code for answer in answers) == [200 if version else 201] + [409] * 7
        (item,) = rows(dynamodb)
        assert ([item["title"]], item["version"]) == (done, version + 1)


@pytest.mark.parametrize("call_of", ["dynamodb.PutItem", "dynamodb.DeleteItem"])
def test_what_changed_between_reading_and_writing_stays(
    metrics_app: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, call_of: str
) -> None:
    """Another request replaces the question after this one has read it."""
    register(dynamodb, "sky")
    client, path = TestClient(metrics_app), "/v1/games/sky/questions/buyers"
    assert client.put(path, json=saving()).status_code == 201
    dynamodb_client, other = store().dynamodb, boto3.resource("dynamodb").Table("saved_questions")
    (item,) = rows(dynamodb)
    for changed in ({"version": 2}, {"owner": "bob"}):
        name = "put_item" if call_of == "dynamodb.PutItem" else "delete_item"
        real = getattr(dynamodb_client, name)

        def later(real: Any = real, changed: Any = changed, **arguments: Any) -> Any:
            other.put_item(Item=item | changed)
            return real(**arguments)

        with monkeypatch.context() as patch:
            patch.setattr(dynamodb_client, name, later)
            body = saving(title="Mine", version=1)
            answer = client.put(path, json=body) if name == "put_item" else client.delete(path)
        assert (answer.status_code, "changed meanwhile" in answer.json()["detail"]) == (409, True)
        assert rows(dynamodb) == [item | changed]
        other.put_item(Item=item)


def test_a_lost_answer_of_a_call_is_no_conflict(call: Any, dynamodb: Any) -> None:
    """boto3 repeats a call whose answer was lost. DynamoDB then finds what the first one did."""

    def once(name: str) -> Callable[[str, Any], Fault | None]:
        left = [Fault.ANSWER_LOST]
        return lambda called, among: left.pop() if called == name and left else None

    for version in (0, 1):
        with injected(once("dynamodb.PutItem"), {}):
            code, answer = call("ann", "PUT", "sky", "/buyers", saving(version=version))
        assert (code, answer["version"]) == (200 if version else 201, version + 1)
    with injected(once("dynamodb.DeleteItem"), {}):
        assert call("ann", "DELETE", "sky", "/buyers")[0] == 204
    assert rows(dynamodb) == []


def test_the_answer_is_that_of_the_question(
    call: Any, ask: Ask, dynamodb: Any, gold: DuckGold, nasty_bronze: list[dict[str, Any]]
) -> None:
    """A saved question is answered as the same question is, for readers too; it is about the asked days."""
    gold.fill_silver(nasty_bronze)
    game = nasty_game.GAME
    register(dynamodb, game)
    producer, reader = groups(f"producer:{game}"), groups(f"reader:{game}")
    days = sorted({line["event_date"] for line in nasty_bronze if line["game_id"] == game})
    assert len(days) > 2
    with_rows = 0
    for number, document in enumerate(DOCUMENTS):
        path = f"/signed-in/v1/games/{game}/questions/q-{number}"
        question = {name: value for name, value in document.items() if name not in ("from", "to")}
        assert ask(path, producer, "PUT", json.dumps(saving(question)))[0] == 201
        for first, last in ((days[0], days[-1]), (days[1], days[1]), (days[0], days[1])):
            body = json.dumps(question | {"from": first, "to": last})
            code, asked = ask(f"/signed-in/v1/games/{game}/explore", producer, "POST", body)
            assert code == 200
            code, found = ask(f"{path}/answer", reader, query=f"from={first}&to={last}")
            assert (code, found["rows"]) == (200, asked["rows"])
            assert (found["from"], found["to"], found["kind"]) == (first, last, question["kind"])
            with_rows += bool(found["rows"])
        code, text = ask(f"{path}/answer", reader, query=f"from={days[0]}&to={days[-1]}&format=csv")
        assert (code, isinstance(text, str)) == (200, True)
        body = json.dumps(question | {"from": days[0], "to": days[-1], "format": "csv"})
        assert text == ask(f"/signed-in/v1/games/{game}/explore", producer, "POST", body)[1]
        # Days of its own are asked where the caller names none.
        own = question | {"from": days[1], "to": days[1]}
        assert ask(path, producer, "PUT", json.dumps(saving(own, version=1)))[0] == 200
        found = ask(f"{path}/answer", reader)[1]
        assert (found["from"], found["to"]) == (days[1], days[1])
    assert with_rows >= len(DOCUMENTS)
    path = f"/signed-in/v1/games/{game}/questions/q-0/answer"
    for query in ("from=2026-01-01&to=2026-12-31", "from=2026-02-02&to=2026-02-01", "format=xml", "days=3"):
        assert ask(path, reader, query=query)[0] == 422
    assert ask(path.replace("q-0", "none"), reader)[0] == 404


def test_a_question_that_a_release_does_not_know_any_more_can_be_seen_and_deleted(
    call: Any, dynamodb: Any
) -> None:
    call("ann", "PUT", "sky", "/buyers", saving())
    (item,) = rows(dynamodb)
    old = {"kind": "cohort", "event": "purchase", "gone": True}
    dynamodb.Table("saved_questions").put_item(Item=item | {"question": json.dumps(old)})
    assert call("rae", "GET", "sky", "/buyers")[1]["question"] == old
    code, answer = call("rae", "GET", "sky", "/buyers/answer")
    assert (code, "save it anew" in json.dumps(answer)) == (422, True)
    assert call("ann", "DELETE", "sky", "/buyers")[0] == 204


def test_who_owned_a_question_loses_it_with_the_group(call: Any, ask: Ask) -> None:
    assert call("ann", "PUT", "sky", "/buyers", saving())[0] == 201
    path, body = "/signed-in/v1/games/sky/questions/buyers", json.dumps(saving(version=1))
    for names in (("reader:sky",), ("producer:sky-2",), ()):
        assert ask(path, groups(*names, subject="ann"), "PUT", body)[0] == 403
        assert ask(path, groups(*names, subject="ann"), "DELETE")[0] == 403
    assert call("ann", "GET", "sky", "/buyers")[1]["owner"] == "ann"
    assert CLAIMS["sub"] != "ann"


def test_answers_are_never_kept_by_a_browser(metrics_app: Any, dynamodb: Any) -> None:
    """A list that a browser kept would not have what was saved a moment ago."""
    register(dynamodb, "sky")
    client, path = TestClient(metrics_app), "/v1/games/sky/questions"
    answers = [client.put(f"{path}/buyers", json=saving()), client.get(path), client.get(f"{path}/buyers")]
    answers += [client.delete(f"{path}/buyers"), client.get(f"{path}/buyers")]
    assert [(answer.status_code, answer.headers["cache-control"]) for answer in answers] == [
        (code, "no-store") for code in (201, 200, 200, 204, 404)
    ]
