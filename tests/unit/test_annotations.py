"""Annotations of a game: what producers write is what everybody reads, one change at a time, and bounded."""

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fake_aws import register
from fastapi.testclient import TestClient
from metrics_api.annotations import MAX_ANNOTATIONS, MAX_TEXT
from signed_in import IAM, Ask, groups

GAMES = ("sky", "sky-2")
EVERYBODY: dict[str, Any] = {
    "ann": groups("producer:sky"),
    "bob": groups("producer:sky-2", "reader:sky"),
    "all": groups("admin"),
    "ops": IAM,
}
WRITERS = {"sky": {"ann", "all", "ops"}, "sky-2": {"bob", "all", "ops"}}
READERS = {"sky": WRITERS["sky"] | {"bob"}, "sky-2": WRITERS["sky-2"]}
TEXTS = ["Winter event", "<img src=x onerror=alert(1)>", "=1+1", "ä" * MAX_TEXT, "\N{HEBREW LETTER ALEF} 1.0"]


@pytest.fixture
def call(ask: Ask, dynamodb: Any) -> Callable[..., tuple[int, Any]]:
    """Ask as one of everybody: who, method, game, and body."""
    for game in GAMES:
        register(dynamodb, game)

    def asked(who: str, method: str, game: str, body: Any = None) -> tuple[int, Any]:
        path = f"/v1/games/{game}/annotations"
        text = "" if body is None else json.dumps(body)
        return ask(path if who == "ops" else f"/signed-in{path}", EVERYBODY[who], method, text)

    return asked


def written(*found: tuple[str, str], version: Any = 0) -> dict[str, Any]:
    return {"annotations": [{"date": day, "text": text} for day, text in found], "version": version}


def test_everybody_reads_what_the_last_writer_wrote(call: Any) -> None:
    dice = random.Random(5)
    kept: dict[str, tuple[list[tuple[str, str]], int]] = dict.fromkeys(GAMES, ([], 0))
    seen = set()
    for _ in range(120):
        who, game = dice.choice(list(EVERYBODY)), dice.choice(GAMES)
        days = [
            f"2026-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}" for _ in range(dice.randrange(4))
        ]
        found = [(day, dice.choice(TEXTS)) for day in days]
        version = dice.choice([kept[game][1]] * 3 + [0, 1])
        wanted = 403 if who not in WRITERS[game] else 409 if version != kept[game][1] else 200
        code, answer = call(who, "PUT", game, written(*found, version=version))
        assert code == wanted, answer
        seen.add(code)
        if code == 200:
            kept[game] = sorted(found), version + 1
        reader = dice.choice(list(EVERYBODY))
        code, answer = call(reader, "GET", game)
        assert code == (200 if reader in READERS[game] else 403)
        if code == 200:
            assert [(one["date"], one["text"]) for one in answer["annotations"]] == kept[game][0]
            assert (answer["version"], answer["may_change"]) == (kept[game][1], reader in WRITERS[game])
    assert seen == {200, 403, 409}


def test_what_is_no_annotation_is_refused_with_its_place(call: Any, dynamodb: Any) -> None:
    day = "2026-01-31"
    refused: list[tuple[Any, str, str]] = [
        (written(*[(day, "x")] * (MAX_ANNOTATIONS + 1)), "/annotations", "remove one first"),
        (written((day, "x" * (MAX_TEXT + 1))), "/annotations/0/text", "at most 80"),
        (written((day, " ")), "/annotations/0/text", "at least 1"),
        (written((day, "a\nb")), "/annotations/0/text", "visible text: U+000A is none"),
        (written((day, "a\u202eb")), "/annotations/0/text", "visible text: U+202E is none"),
        (written((day, "\u200b")), "/annotations/0/text", "visible text: U+200B is none"),
        (written((day, "ok"), ("2026-02-30", "x")), "/annotations/1/date", ""),
        (written(("1999-12-31", "x")), "/annotations/0/date", "2000"),
        (written(("31.01.2026", "x")), "/annotations/0/date", ""),
        (written((day, 7)), "/annotations/0/text", "string"),  # type: ignore[arg-type]
        ({"annotations": [{"date": day}], "version": 0}, "/annotations/0/text", "required"),
        ({"annotations": [{"date": day, "text": "x", "by": "ann"}], "version": 0}, "/annotations/0/by", ""),
        ({"annotations": {}, "version": 0}, "/annotations", "list"),
        ({"annotations": []}, "/version", "required"),
        (written(version=-1), "/version", "greater"),
        (written(version=10**30), "/version", "less"),
    ]
    for body, pointer, words in refused:
        code, answer = call("ann", "PUT", "sky", body)
        assert code == 422, body
        assert f"/body{pointer}" in [error["pointer"] for error in answer["errors"]], answer
        assert words in json.dumps(answer), answer
    assert call("all", "GET", "gone")[0] == call("all", "PUT", "gone", written())[0] == 404
    assert dynamodb.Table("saved_questions").scan()["Items"] == []
    assert call("ann", "PUT", "sky", written(*[(day, "ä" * MAX_TEXT)] * MAX_ANNOTATIONS))[0] == 200


def test_of_changes_at_once_one_is_made(metrics_app: Any, dynamodb: Any, restless_threads: None) -> None:
    register(dynamodb, "sky")
    client, path = TestClient(metrics_app), "/v1/games/sky/annotations"
    for version in range(3):
        bodies = [written(("2026-01-01", f"text {n}"), version=version) for n in range(4)]
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda one: client.put(path, json=one), bodies))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        (done,) = [answer.json() for answer in answers if answer.is_success]
        assert client.get(path).json()["annotations"] == done["annotations"]
    # They are no questions.
    assert client.get("/v1/games/sky/questions").json()["questions"] == []
    assert client.get("/v1/games/sky/dashboard").json()["version"] == 0
