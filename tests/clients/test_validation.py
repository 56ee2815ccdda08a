"""The clients say what is wrong with an event in the words of the REST API."""

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mono
import npm_packages
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from player_analytics.validation import Problem, newest_version, problem, schemas, unknown
from telemetry import catalog
from telemetry.normalisation import repaired
from telemetry.rejection import Rejection
from telemetry.validation import validate
from tools import REPOSITORY
from tools.schemas import generated

Event = dict[str, Any]

NEWEST = {name: known["version"] for name, known in schemas()["payloads"].items()}
NUMBERS = [
    0,
    -1,
    1,
    2**31,
    2**53,
    10**12 + 1,
    0.5,
    1.0,
    -0.0,
    1e15,
    1e16,
    1e17,
    1e-5,
    1.5e-5,
    1e-7,
    2**63,
    2**64,
]
TEXTS = [
    "",
    "a",
    "A",
    "a\n",
    "é",
    "\u0000",
    "x" * 65,
    "x" * 257,
    "x" * 1025,
    "USD",
    "ios",
    'q"\\\u2028\x7f',
    "\U0001f600",
]
OTHERS: list[Any] = [None, True, False, [], {}, [1, {"b": 1, "a": 2.5}], {"A": 1}]
# Drawn values are copied: a later step of the same example may change them.
VALUES = (
    st.sampled_from([*NUMBERS, *TEXTS, *OTHERS])
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
)
NAMES = st.sampled_from(["extra", "unknown", "it's", "d~/e", "A", "x" * 65])


def places(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every member of an object, at any depth."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*at, name)
            yield from places(item, (*at, name))


@st.composite
def mutants(draw: st.DrawFn) -> Event:
    """Draw an example in the catalogue's form, of which up to two members are replaced, removed or added."""
    event_type = draw(st.sampled_from(sorted(NEWEST)))
    paths = catalog.examples(catalog.schema_directory(), f"/{event_type}/{NEWEST[event_type]}.json")
    kind: Event = {"event_type": event_type, "schema_version": NEWEST[event_type]}
    event: Event = copy.deepcopy(json.loads(draw(st.sampled_from(paths)).read_text())) | kind
    if draw(st.booleans()):
        extra = copy.deepcopy(draw(st.dictionaries(NAMES, VALUES, max_size=3)))
        event["payload"] = event.get("payload", {}) | {"extra": extra}
    for _ in range(draw(st.integers(0, 2))):
        *parents, name = draw(st.sampled_from(sorted(places(event))))
        target = event
        for parent in parents:
            target = target[parent]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                target[name] = copy.deepcopy(draw(VALUES))
            case "remove":
                del target[name]
            case "add":
                target[draw(NAMES)] = copy.deepcopy(draw(VALUES))
    # The REST API also corrects what engines send in other forms. A client checks the form of the schemas.
    whole: Event = repaired(event | kind)
    return whole


def refusal(event: Event) -> Problem | None:
    """Return what the REST API says of an event that it parses from its JSON."""
    try:
        validate(orjson.loads(json.dumps(event)))
    except Rejection as rejection:
        return Problem(rejection.reason.value, rejection.errors)
    return None


def shown(found: Problem | None) -> dict[str, Any] | None:
    """Return a problem as the REST API answers it."""
    if found is None:
        return None
    errors = [{"pointer": error.pointer, "message": error.message} for error in found.errors]
    return {"reason": found.reason, "errors": errors}


def drawn(examples: int) -> list[Event]:
    """Return events that hypothesis draws; there must be valid and invalid ones among them."""
    found: list[Event] = []

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(mutants())
    def draw(event: Event) -> None:
        found.append(event)

    draw()
    return found


@pytest.fixture(scope="module")
def events() -> list[Event]:
    found = drawn(2_000)
    valid = sum(refusal(event) is None for event in found)
    assert 100 <= valid <= len(found) - 100
    return found


def test_python_says_what_the_rest_api_says(events: list[Event]) -> None:
    for event in events:
        assert problem(json.loads(json.dumps(event))) == refusal(event)


def judge_typescript() -> list[str]:
    folder = npm_packages.compiled(REPOSITORY / "clients" / "typescript", "client-typescript")
    return [npm_packages.node(), str(Path(__file__).with_name("judge.mjs")), str(folder)]


def judge_csharp() -> list[str]:
    return mono.program("judge")


JUDGES = {"csharp": judge_csharp, "typescript": judge_typescript}


def judged(command: list[str], given: list[Any]) -> list[Any]:
    """Return, for each object that a client reads, the JSON that it would send and what it says of it."""
    answer = subprocess.run(
        command, input="\n".join(map(json.dumps, given)), capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in answer.stdout.split("\n") if line]
    assert len(lines) == len(given)
    return lines


@pytest.mark.parametrize("client", sorted(JUDGES))
def test_clients_in_other_languages_say_what_the_rest_api_says(client: str, events: list[Event]) -> None:
    for sent, said in judged(JUDGES[client](), events):
        # These languages send 1.0 as 1.
        assert said == shown(refusal(orjson.loads(sent))), sent


@pytest.mark.parametrize("client", sorted(JUDGES))
def test_the_clients_know_what_a_misspelt_event_type_is_meant_to_be(client: str) -> None:
    names = [
        *(name[:2] + name[3:] for name in NEWEST),
        *(name.upper() for name in NEWEST),
        "telepathy",
        "",
        "x" * 99,
    ]
    said = judged(JUDGES[client](), [{"name": name} for name in names])
    for name, (_, by_client) in zip(names, said, strict=True):
        event = drawn(1)[0] | {"event_type": name}
        first = refusal(event)
        assert first
        assert unknown(name) == Problem("unknown_schema", first.errors[:1])
        assert by_client == shown(unknown(name))
    hints = [unknown(name).errors[0].message.partition("did you mean ")[2] for name in names]
    assert hints == [*(f'"{name}"?' for name in NEWEST), *(f'"{name}"?' for name in NEWEST), "", "", ""]


def test_a_wrong_word_is_found() -> None:
    event = drawn(1)[0] | {"sequence": -1}
    said = problem(event)
    assert said
    assert said == refusal(event)
    error = said.errors[0]
    others = (error._replace(message=error.message + "."), *said.errors[1:])
    assert said._replace(errors=others) != refusal(event)


@pytest.mark.parametrize("event_type", sorted(NEWEST))
def test_examples_are_judged_as_their_names_say(event_type: str) -> None:
    schema_id = f"/{event_type}/{NEWEST[event_type]}.json"
    paths = catalog.examples(catalog.schema_directory(), schema_id)
    assert paths
    for path in paths:
        assert (problem(json.loads(path.read_text())) is None) == path.name.endswith(".pass.json"), path


def test_the_clients_know_every_event_type_by_its_newest_version() -> None:
    assert {*NEWEST} == {event_type for event_type, _ in catalog.event_types()}
    for event_type, version in catalog.event_types():
        newest = newest_version(event_type) or ""
        assert [*map(int, newest.split("-"))] >= [*map(int, version.split("-"))]
    assert newest_version("telepathy") is None


def test_the_generated_files_of_the_clients_are_those_of_the_schemas() -> None:
    files = {name: text for name, text in generated(REPOSITORY).items() if name.startswith("clients/")}
    assert len(files) == 5
    assert {name for name, text in files.items() if (REPOSITORY / name).read_text() != text} == set()
