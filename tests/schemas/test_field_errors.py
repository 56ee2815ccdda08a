"""jsonschema, the reference implementation, finds errors at the same places as the API's messages name."""

import copy
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from telemetry import catalog
from telemetry.field_errors import MAX_ERRORS, MAX_NAME, MAX_TEXT, field_errors, pointer
from telemetry.rejection import Reason, Rejection
from telemetry.validation import validate

Event = dict[str, Any]

EVENTS = sorted(catalog.event_types())
MUTANTS = 150
VALUES: list[Any] = [
    None, True, 0, -1, 1, 2**31, 2**53, 10**12 + 1, 0.5, -0.0, 1e15, 1e16, 1e-5, 1e308, "", "a", "A", "a\n",
    "é", "EURO", "\u0000", "x" * 65, "x" * 257, "x" * 1025, "USD", "ios", [], {}, [1], {"A": 1}, {"a": {}},
]  # fmt: skip
NAMES = ["extra", "unknown", "it's", "d~/e", "A", "", "x" * 65, "playerId", "a.b"]
QUOTED = re.compile(r'"(\\.|[^"\\])*"')
JARGON = ("^", "$", "\\u", "regular", "property", "is not of type", "anyOf", "enum", "schema")


def members(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each object of an event with each of its names, at any depth."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield value, name
            yield from members(item)


def misspelt(name: str, chance: random.Random) -> str:
    at = chance.randrange(len(name) or 1)
    return chance.choice([name[:at] + name[at + 1 :], name.title().replace("_", ""), name + "s"])


def mutant(event: Event, chance: random.Random) -> Event:
    """Return an example of which several members are replaced, removed, renamed or added."""
    changed = copy.deepcopy(event)
    if chance.random() < 0.5:
        names = [*NAMES, *(f"free_{n}" for n in range(25))]
        chosen = chance.sample(names, chance.choice([1, 3, 25]))
        changed["payload"]["extra"] = {name: copy.deepcopy(chance.choice(VALUES)) for name in chosen}
    for _ in range(chance.choice([1, 2, 4, 12])):
        holder, name = chance.choice(list(members(changed)))
        if name in ("event_type", "schema_version"):
            continue
        match chance.choice(["replace", "remove", "rename", "add"]):
            case "replace":
                holder[name] = copy.deepcopy(chance.choice(VALUES))
            case "remove":
                del holder[name]
            case "rename":
                holder[misspelt(name, chance)] = holder.pop(name)
            case "add":
                holder[chance.choice(NAMES)] = copy.deepcopy(chance.choice(VALUES))
    parsed: Event = orjson.loads(json.dumps(changed))
    return parsed


def places(errors: Iterator[Any]) -> set[str]:
    """Return where the reference finds errors; a missing or unknown field has a place of its own."""
    found: set[str] = set()
    for error in errors:
        path, names = [*error.absolute_path], [""]
        match error.validator:
            case "required":
                names = [name for name in error.validator_value if name not in error.instance]
            case "dependentRequired":
                given = [
                    error.validator_value[name] for name in error.instance if name in error.validator_value
                ]
                names = [name for needed in given for name in needed if name not in error.instance]
            case "additionalProperties":
                names = [name for name in error.instance if name not in error.schema["properties"]]
            case "const":
                continue
        if "propertyNames" in error.absolute_schema_path:
            names = [error.instance]
        if path and not 0 < len(path[-1]) <= MAX_NAME:
            path.pop()
        for name in names:
            # Names that are empty or long are no part of a pointer.
            found.add(pointer((*path, name) if 0 < len(name) <= MAX_NAME else (*path,)))
    return found


def examples(event_type: str, version: str) -> list[Event]:
    paths = catalog.examples(catalog.schema_directory(), f"/{event_type}/{version}.json")
    return [json.loads(path.read_text()) for path in paths if path.name.endswith(".pass.json")]


@pytest.mark.parametrize(("event_type", "version"), EVENTS, ids=["/".join(kind) for kind in EVENTS])
def test_the_reference_finds_errors_at_the_same_places(
    event_type: str, version: str, reference_errors: Callable[[str, Any], Iterator[Any]]
) -> None:
    chance = random.Random(f"{event_type}/{version}")
    schema, counts = catalog.described(event_type, version), {"none": 0, "some": 0, "many": 0}
    for number in range(MUTANTS):
        event = mutant(chance.choice(examples(event_type, version)), chance)
        expected = places(reference_errors(f"/{event_type}/{version}.json", event))
        errors = field_errors(event, schema, catalog.forms())
        found = {error.pointer for error in errors}
        assert found == expected if len(errors) < MAX_ERRORS else found <= expected, (number, event)
        assert bool(errors) is not catalog.validators()[event_type, version].is_valid(event)
        counts["none" if not errors else "some" if len(errors) < 3 else "many"] += 1
        for error in errors:
            assert len(error.pointer) <= MAX_TEXT
            assert len(error.message) < MAX_TEXT, "a message must not need to be cut"
            words = QUOTED.sub("", error.message)
            assert not [word for word in JARGON if word in words], error
            assert error.pointer.startswith(error.named)
    assert min(counts["some"], counts["many"]) >= MUTANTS / 10, counts


def test_an_error_at_another_place_is_found(reference_errors: Callable[[str, Any], Iterator[Any]]) -> None:
    event = examples("purchase", "1-0-0")[0]
    event["payload"]["store"] = "Aple"
    expected = places(reference_errors("/purchase/1-0-0.json", event))
    assert expected == {"/payload/store"}
    event["payload"]["quantity"] = 0
    assert {
        error.pointer for error in field_errors(event, catalog.described("purchase", "1-0-0"), {})
    } != expected


def test_every_error_of_the_examples_is_explained() -> None:
    """No event comes to the words for what nobody foresaw, and a field of another form is described."""
    paths = [
        path for path in catalog.examples(catalog.schema_directory()) if path.name.endswith(".fail.json")
    ]
    assert len(paths) > 20
    for path in paths:
        with pytest.raises(Rejection) as caught:
            validate(json.loads(path.read_text()))
        for error in caught.value.errors:
            assert "the form of its schema" not in error.message
            assert "of another form" not in error.message


def test_each_pattern_has_words_that_are_no_pattern() -> None:
    assert len(catalog.forms()) > 10
    for pattern, words in catalog.forms().items():
        assert not [sign for sign in "^${}\\" if sign in words], pattern
        assert len(words) < 100


@pytest.mark.parametrize(
    "hostile",
    [
        {"x" * 60_000: 1},
        {f"playr_id{n:05}": n for n in range(4_000)},
        {f"k{n}": [] for n in range(9_000)},
        {"a" * n: 1 for n in range(350)},
        {"event_id": "0" * 65_000, "player_id": "\u0000" * 10_000},
        {"client": {"app_version": "1." * 30_000 + "!", "locale": "en" + "-aa" * 20_000 + "!"}},
        {"payload": {"extra": {f"N{n}": "\n" * 5 for n in range(3_000)}}},
    ],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("event_type", ["design", "purchase", "desing", 5, None, "x" * 60_000])
def test_hostile_input_costs_little_and_says_little(hostile: Event, event_type: Any) -> None:
    event = hostile | {"event_type": event_type, "schema_version": "1-0-0"}
    with pytest.raises(Rejection) as caught:
        validate(event)
    started = time.process_time()
    for _ in range(20):
        with pytest.raises(Rejection):
            validate(event)
    # A request holds 1 MB, so 15 of these. The limit is far above what is needed, and far below a time-out.
    assert time.process_time() - started < 2
    assert len(caught.value.errors) <= MAX_ERRORS
    assert sum(len(error.pointer) + len(error.message) for error in caught.value.errors) < 6_000
    assert caught.value.reason in (Reason.SCHEMA_VIOLATION, Reason.UNKNOWN_SCHEMA)
