"""What is wrong with an event is said in sentences, all at once, with the name that was probably meant."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from telemetry import catalog
from telemetry.field_errors import MAX_ERRORS, FieldError, field_errors, nearest
from telemetry.rejection import Reason, Rejection, joined
from telemetry.validation import NIL, validate

MakeEvent = Callable[..., dict[str, Any]]


def said(value: Any) -> tuple[str, dict[str, str]]:
    """Return the reason of a refusal, and the message of each pointer."""
    with pytest.raises(Rejection) as caught:
        validate(value)
    found = caught.value
    assert (found.pointer, found.message) == found.errors[0][:2]
    return found.reason, {error.pointer: error.message for error in found.errors}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(("playerId", "player_id"), ("PlayerID", "player_id"), ("player-id", "player_id")),
        *(("plyer_id", "player_id"), ("playerr_id", "player_id"), ("plaeyr_id", "player_id")),
        *(("player_it", "player_id"), ("sesion_id", "session_id"), ("sequense", "sequence")),
        *(("SentAt", "sent_at"), ("event_tme", "event_time"), ("paylod", "payload")),
        *(("id", None), ("", None), ("__", None), ("score", None), ("x" * 1000, None), ("plyr_it", None)),
    ],
)
def test_the_nearest_known_name(name: str, meant: str | None) -> None:
    assert nearest(name, tuple(catalog.described()["properties"])) == meant


def test_a_whole_name_wins_over_a_similar_one() -> None:
    assert nearest("LEVEL_1", ("level_10", "level_2", "level_1", "level")) == "level_1"
    assert nearest("abc", ("abd",)) is None


@pytest.mark.parametrize("event_type", sorted(catalog.versions()))
def test_a_misspelt_event_type_is_named_with_the_right_one(make_event: MakeEvent, event_type: str) -> None:
    for name in (event_type[:3] + event_type[4:], event_type + "s", event_type.title().replace("_", "")):
        reason, errors = said(make_event() | {"event_type": name})
        assert reason == "unknown_schema"
        hint = f'there is no event type "{name}"; did you mean "{event_type}"?'
        assert errors == {"/event_type": hint}


def test_the_envelope_of_an_unknown_event_is_judged_too(make_event: MakeEvent) -> None:
    reason, errors = said(make_event(sequence="1", payload={"anything": 1}) | {"event_type": "telepathy"})
    assert (reason, errors) == (
        "unknown_schema",
        {
            "/event_type": 'there is no event type "telepathy"',
            "/sequence": '"sequence" must be a whole number, not "1"',
        },
    )


def test_an_unknown_version_is_judged_by_the_newest(make_event: MakeEvent) -> None:
    reason, errors = said(make_event("purchase", schema_version="7-0-0", payload={"store": "Apple"}))
    assert reason == "unknown_schema"
    assert errors["/schema_version"] == '"purchase" has no schema_version "7-0-0"; it has "1-0-0"'
    assert errors["/payload/store"].endswith('or "other", not "Apple"; did you mean "apple"?')


@pytest.mark.parametrize(
    ("value", "kind"), [([], "a list"), ("x", '"x"'), (5, "5"), (None, "null"), (True, "true")]
)
def test_what_is_no_object(value: Any, kind: str) -> None:
    assert said(value) == ("schema_violation", {"": f"an event must be an object, not {kind}"})


def test_the_nil_uuid_is_one_error_of_several(make_event: MakeEvent) -> None:
    _, errors = said(make_event(event_id=NIL, sequence=-1))
    assert [*errors] == ["/event_id", "/sequence"]
    assert "make a new UUID" in errors["/event_id"]


# The value of a field with this schema, and what is said of it.
SAID = [
    ({"type": "integer"}, 1.5, '"a" must be a whole number, not 1.5'),
    ({"type": "integer"}, 1e300 + 0.0, None),
    ({"type": "integer"}, True, '"a" must be a whole number, not true'),
    ({"type": ["string", "null"]}, [], '"a" must be a string or null, not a list'),
    ({"type": "integer", "minimum": 1}, 0, '"a" must be at least 1, not 0'),
    ({"type": "integer", "maximum": 5}, 1e16, '"a" must be at most 5'),
    ({"type": "number", "minimum": -1e15, "maximum": 1e15}, -2e15,
     '"a" must be from -1000000000000000 to 1000000000000000'),
    ({"type": "number", "minimum": 1.5}, 1.0, '"a" must be at least 1.5, not 1'),
    ({"type": "string", "minLength": 1}, "", '"a" must not be empty'),
    ({"type": "string", "minLength": 2, "maxLength": 4}, "x", '"a" must have from 2 to 4 characters, not 1'),
    ({"type": "string", "maxLength": 1}, "xy", '"a" must have at most 1 character, not 2'),
    ({"type": "string", "enum": ["x"]}, "y", '"a" must be "x", not "y"'),
    ({"type": "string", "pattern": "^a$"}, "a\n", '"a" must be the letter a, not "a\\n"'),
    ({"type": "string", "pattern": "^a$"}, "b" * 49,
     '"a" must be the letter a, not a string of 49 characters'),
    ({"type": "string", "pattern": "^b$"}, "c", '"a" must be of another form, not "c"'),
    ({"type": "object", "maxProperties": 1}, {"b": 1, "c": 2}, '"a" must have at most 1 field, not 2'),
    ({"anyOf": [{"required": ["b"]}, {"required": ["c"]}]}, {}, '"a" needs "b" or "c"'),
    ({"dependentRequired": {"b": ["c"]}}, {"b": 1}, '"a.c" is missing: "b" needs it'),
    ({"propertyNames": {"maxLength": 1}, "additionalProperties": {}}, {"bb": 1},
     'the name of "a.bb" must have at most 1 character, not 2'),
    ({"additionalProperties": {"type": "string"}}, {"x" * 49: 1}, '"a.…" must be a string, not 1'),
    ({"properties": {}, "additionalProperties": False}, {"x" * 49: 1}, '"a" has no field of 49 characters'),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "message"), SAID, ids=[str(one[2]) for one in SAID])
def test_what_is_said_of_a_value(field: dict[str, Any], value: Any, message: str | None) -> None:
    errors = field_errors({"a": value}, {"properties": {"a": field}}, {"^a$": "the letter a"})
    assert [error.message for error in errors] == ([message] if message else [])


def test_a_name_that_the_sender_chose_is_no_named_part() -> None:
    schema = {
        "properties": {"extra": {"additionalProperties": {"type": "string"}}},
        "additionalProperties": False,
    }
    found = field_errors({"extra": {"a/b": 1, "": 2, "x" * 65: 3}, "bob": 1}, schema, {})
    assert [(error.pointer, error.named) for error in found] == [
        ("/extra/a~1b", "/extra"), ("/extra", "/extra"), ("/extra", "/extra"), ("/bob", ""),
    ]  # fmt: skip


def test_there_are_so_many_errors_at_most(make_event: MakeEvent) -> None:
    _, errors = said(make_event(payload={f"n{n}": n for n in range(500)}))
    assert len(errors) == MAX_ERRORS
    several = [Rejection.of(Reason.FUTURE, [FieldError("", "x", "")] * 12)] * 3
    assert len(joined(several).errors) == MAX_ERRORS


def test_no_message_holds_a_part_of_an_address(make_event: MakeEvent) -> None:
    """Half of an e-mail address could not be masked: long texts are described instead of cut."""
    address = "x" * 40 + "@example.com"
    _, errors = said(make_event(event_id=address, **{address: 1, "p" * 60 + address: 2}))
    assert "xxx" not in json.dumps([*errors.values()])
