"""The validator of an event and the reference implementation agree on whatever they are given."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import (
    Any,
    Literal,
    NotRequired,
    TypedDict,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telemetry import catalog, ids
from telemetry.event import Client, EnrichedEvent, Event, Privacy
from tools import REPOSITORY

# The newest version of each type: it takes the examples of those before, too.
EVENTS = sorted(dict(sorted(catalog.event_types())).items())
EDGES = [0, -1, 1, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 10**12, 10**12 + 1, 0.5, 1.0, -0.0, 1e15, 1e308]
TEXTS = ["", "a", "A", "a\n", "é", "\u0000", "x" * 65, "x" * 257, "x" * 1025, "USD", "usd", "ios", "start"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(EDGES),
    st.sampled_from(TEXTS),
    st.integers(),
    st.text(max_size=8),
)
MEMBERS = st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(MEMBERS, inner, max_size=3)
)
EXTRAS = st.dictionaries(st.from_regex(r"\A[a-z][a-z0-9_]{0,9}\Z"), LEAVES, max_size=3)


def places(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every member of an object, at any depth."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*at, name)
            yield from places(item, (*at, name))


@st.composite
def mutants(draw: st.DrawFn, examples: list[dict[str, Any]]) -> dict[str, Any]:
    """Draw an example with free fields, and up to two members replaced, removed or added."""
    event = copy.deepcopy(draw(st.sampled_from(examples)))
    if draw(st.booleans()):
        event["payload"] = event.get("payload", {}) | {"extra": draw(EXTRAS)}
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        *parents, name = draw(st.sampled_from(sorted(places(event))))
        target = event
        for parent in parents:
            target = target[parent]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                target[name] = draw(VALUES)
            case "remove":
                del target[name]
            case "add":
                target[draw(st.sampled_from(["extra", "unknown", name + "2"]))] = draw(VALUES)
    return event


def examples_of(event_type: str, version: str) -> list[dict[str, Any]]:
    folder = catalog.schema_directory() / event_type / "examples"
    found = (json.loads(path.read_text()) for path in sorted(folder.glob(f"{event_type}.*.json")))
    return [example | {"schema_version": version} for example in found]


@pytest.mark.parametrize(("event_type", "version"), EVENTS, ids=["/".join(key) for key in EVENTS])
def test_both_validators_agree_on_mutants_of_the_examples(
    event_type: str, version: str, reference_accepts: Callable[[str, Any], bool]
) -> None:
    validator = catalog.validators()[event_type, version]
    verdicts = {True: 0, False: 0}

    @settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(mutants(examples_of(event_type, version)))
    def agree(event: dict[str, Any]) -> None:
        verdict = validator.is_valid(event)
        assert verdict is reference_accepts(f"/{event_type}/{version}.json", event)
        verdicts[verdict] += 1

    agree()
    assert min(verdicts.values()) >= 10, "the mutants must be valid and invalid ones"


def test_ids_look_as_the_schemas_say() -> None:
    envelope = catalog.documents()["/common/envelope/1-0-0.json"]["properties"]
    score = catalog.documents()["/score_submitted/1-0-0.json"]
    board = score["properties"]["leaderboard"]["pattern"]
    patterns = [envelope[name]["pattern"] for name in ("game_id", "player_id", "event_type")]
    assert [*patterns, board] == [ids.GAME, ids.PLAYER, ids.EVENT_TYPE, ids.BOARD]


def test_no_other_file_of_python_repeats_a_pattern_of_ids() -> None:
    own = REPOSITORY / "functions/layers/telemetry/telemetry/ids.py"
    code = {*(REPOSITORY / "functions").rglob("*.py"), *(REPOSITORY / "scripts").rglob("*.py")} - {own}
    patterns = [pattern.strip("^$") for pattern in (ids.GAME, ids.PLAYER, ids.EVENT_TYPE, ids.BOARD)]
    assert [path for path in code if any(pattern in path.read_text() for pattern in patterns)] == []


# JSON Schema's names of the types that the code declares.
JSON_TYPES = {
    str: "string", str | None: ["string", "null"], bool: "boolean", dict: "object", int | float: "integer",
}  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "path"), [(Event, ()), (Client, ("client",)), (Privacy, ("privacy",))], ids=str
)
def test_the_type_of_an_event_has_the_fields_of_the_envelope(declared: Any, path: tuple[str, ...]) -> None:
    schema = catalog.documents()["/common/envelope/1-0-0.json"]
    for name in path:
        schema = schema["properties"][name]
    assert differences(declared, schema) == set()


def test_the_type_of_an_enriched_event_has_the_fields_of_both_schemas() -> None:
    envelope, enriched = (
        catalog.documents()[f"/common/{name}/1-0-0.json"] for name in ("envelope", "enriched")
    )
    both = {
        "properties": envelope["properties"] | enriched["properties"],
        "required": [*envelope["required"], *enriched["required"]],
    }
    assert differences(EnrichedEvent, both) == set()


def differences(declared: Any, schema: dict[str, Any]) -> set[str]:
    """Return the fields whose presence or type is not the same."""
    types = get_type_hints(declared)
    found = types.keys() ^ schema["properties"].keys()
    found |= declared.__required_keys__ ^ set(schema.get("required", ()))
    for name, field in schema["properties"].items():
        kind = types.get(name)
        if get_origin(kind) is Literal:
            same = set(get_args(kind)) == set(field.get("enum", ()))
        else:
            plain = dict if is_typeddict(kind) else get_origin(kind) if get_origin(kind) is dict else kind
            same = JSON_TYPES.get(plain) == field["type"]
        found |= set() if same else {name}
    return found


def test_a_type_that_differs_is_found() -> None:
    class Wrong(TypedDict):
        a: str
        b: NotRequired[int]
        c: Literal["x"]

    fields = {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "string", "enum": ["y"]}}
    assert differences(Wrong, {"properties": fields, "required": ["a", "b"]}) == {"a", "b", "c"}
    other = {"properties": {"d": {"type": "string"}}, "required": ["a", "c"]}
    assert differences(Wrong, other) == {"a", "b", "c", "d"}
