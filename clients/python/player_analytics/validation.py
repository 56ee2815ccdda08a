"""Finds what the REST API would refuse in an event, and says it with the REST API's own words.

Only the keywords that event schemas use are known. The REST API stays the judge: this check spares a
developer the round trip.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

MAX_EVENT_BYTES = 64 * 1024
MAX_MESSAGE = 300
_TYPES = {"null": type(None), "boolean": bool, "object": dict, "array": list, "string": str}


class Problem(NamedTuple):
    """Why an event is refused, as the REST API says it; `pointer` is a JSON Pointer."""

    reason: str
    message: str
    pointer: str = ""


@cache
def schemas() -> dict[str, Any]:
    """Return the envelope's schema, and version and payload schema of each event type."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("schemas.json").read_text("utf-8"))
    return loaded


@cache
def newest_version(event_type: str) -> str | None:
    """Return the newest schema_version of an event type, None where the catalogue has no such type."""
    found = schemas()["payloads"].get(event_type)
    return found["version"] if found else None


@cache
def _whole(event_type: str) -> dict[str, Any]:
    envelope = schemas()["envelope"]
    payload = schemas()["payloads"][event_type]["schema"]
    whole: dict[str, Any] = envelope | {"properties": envelope["properties"] | {"payload": payload}}
    return whole


def first_problem(event: dict[str, Any]) -> Problem | None:
    """Return the first problem of an event of a known type, None where it has the form of its schema."""
    for message, path in _errors(event, _whole(event["event_type"]), ()):
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
        short = message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
        return Problem("schema_violation", short, pointer[:MAX_MESSAGE])
    return None


Errors = Iterator[tuple[str, tuple[str, ...]]]


def _errors(value: Any, schema: dict[str, Any], at: tuple[str, ...]) -> Errors:
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if kinds and not any(_is(value, kind) for kind in kinds):
        named = ", ".join(f'"{kind}"' for kind in sorted(kinds, key=_type_order))
        yield f"{_text(value)} is not of type{'s' if len(kinds) > 1 else ''} {named}", at
    if "enum" in schema and value not in schema["enum"]:
        yield f"{_text(value)} is not one of {_candidates(schema['enum'])}", at
    if isinstance(value, str):
        yield from _text_errors(value, schema, at)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            yield f"{_text(value)} is less than the minimum of {_text(schema['minimum'])}", at
        if "maximum" in schema and value > schema["maximum"]:
            yield f"{_text(value)} is greater than the maximum of {_text(schema['maximum'])}", at
    elif isinstance(value, dict):
        yield from _object_errors(value, schema, at)


def _text_errors(value: str, schema: dict[str, Any], at: tuple[str, ...]) -> Errors:
    if "minLength" in schema and len(value) < schema["minLength"]:
        yield f"{_text(value)} is shorter than {_count(schema['minLength'], 'character')}", at
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield f"{_text(value)} is longer than {_count(schema['maxLength'], 'character')}", at
    if "pattern" in schema and not _pattern(schema["pattern"]).search(value):
        yield f'{_text(value)} does not match "{schema["pattern"]}"', at


def _object_errors(value: dict[str, Any], schema: dict[str, Any], at: tuple[str, ...]) -> Errors:
    if len(value) < schema.get("minProperties", 0):
        yield f"{_text(value)} has less than {_count(schema['minProperties'], 'property')}", at
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"{_text(value)} has more than {_count(schema['maxProperties'], 'property')}", at
    fields, others = schema.get("properties", {}), schema.get("additionalProperties")
    missing = [f'"{name}" is a required property' for name in schema.get("required", ()) if name not in value]
    # The REST API's validator reports a single required field of a closed object last.
    comes_last = others is False and len(schema.get("required", ())) == 1
    yield from ((message, at) for message in missing if not comes_last)
    for name, needed in schema.get("dependentRequired", {}).items():
        if name in value:
            yield from ((f'"{one}" is a required property', at) for one in needed if one not in value)
    unexpected = []
    for name, item in value.items():
        if name in fields:
            yield from _errors(item, fields[name], (*at, name))
        elif others is False:
            unexpected.append(f"'{name}'")
        elif others:
            yield from _errors(item, others, (*at, name))
    if unexpected:
        were = "were" if len(unexpected) > 1 else "was"
        yield f"Additional properties are not allowed ({', '.join(unexpected)} {were} unexpected)", at
    yield from ((message, at) for message in missing if comes_last)
    for name in value if "propertyNames" in schema else ():
        yield from _errors(name, schema["propertyNames"], at)
    # Event schemas use anyOf for "at least one of these fields" only.
    if "anyOf" in schema and not any(value.keys() >= {*each["required"]} for each in schema["anyOf"]):
        yield f"{_text(value)} is not valid under any of the schemas listed in the 'anyOf' keyword", at


def _is(value: Any, kind: str) -> bool:
    if kind in _TYPES:
        return isinstance(value, _TYPES[kind])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return kind == "number" or isinstance(value, int) or value.is_integer()


def _type_order(kind: str) -> int:
    return ("array", "null", "boolean", "integer", "number", "object", "string").index(kind)


def _candidates(values: list[Any]) -> str:
    shown = [_text(value) for value in values]
    if len(shown) <= 3:
        return " or ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
    return f"{shown[0]}, {shown[1]} or {len(shown) - 2} other candidates"


def _count(number: int, noun: str) -> str:
    several = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else several}"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    # Python's $ also matches before a final newline.
    return re.compile(text.removesuffix("$") + r"\Z" if text.endswith("$") else text)


def _text(value: Any) -> str:
    """Return a value as the REST API quotes it: JSON with sorted names and its own form of numbers."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(name)}:{_text(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        return _number(float(value))
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa
    if exponent == "-05":
        sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
        return f"{sign}0.0000{digits.replace('.', '')}"
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"
