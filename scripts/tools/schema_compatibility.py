"""Does a new version of a schema keep its promise? SchemaVer, proven on the structure of the documents."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

Schema = dict[str, Any]
Version = tuple[int, int, int]

# A greater value lets less through, or more.
LOWER_BOUNDS = ("minimum", "minLength", "minProperties")
UPPER_BOUNDS = ("maximum", "maxLength", "maxProperties")
ANNOTATIONS = ("$id", "$schema", "$ref", "title", "description", "x-sent-by", "x-client-maximum")
# A keyword of these counts as narrower when its value changed, and as wider when it went.
OPAQUE = ("pattern", "propertyNames", "anyOf", "dependentRequired")
# Event schemas need no other keyword, so that each has a rule here and every step can be judged.
KEYWORDS = frozenset(
    (
        *("minimum", "maximum", "minLength", "maxLength", "minProperties", "maxProperties"),
        *ANNOTATIONS,
        *OPAQUE,
        *("type", "enum", "required", "properties", "additionalProperties"),
    )
)


def parse(version: str) -> Version:
    """Return MODEL, REVISION and ADDITION."""
    model, revision, addition = map(int, version.split("-"))
    return model, revision, addition


def unknown_keywords(schema: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield each keyword that event schemas do not use: the JSON Pointer of its schema, and its name.

    A schema that is no object (true, false) is one, but for an `additionalProperties` of false.
    """
    if not isinstance(schema, dict):
        yield at, str(schema).lower()
        return
    for keyword, value in schema.items():
        if keyword not in KEYWORDS:
            yield at, keyword
        elif keyword == "properties":
            for name, field in value.items():
                yield from unknown_keywords(field, f"{at}/properties/{name}")
        elif keyword == "propertyNames" or (keyword == "additionalProperties" and value is not False):
            yield from unknown_keywords(value, f"{at}/{keyword}")
        elif keyword == "anyOf" and not all(
            isinstance(one, dict) and one.keys() == {"required"} for one in value
        ):
            yield at, "anyOf of more than required"


def narrowed(old: Schema, new: Schema, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield where a document that was valid may no longer be: a JSON Pointer and what changed.

    Both schemas use only KEYWORDS. The result may name a harmless change, and never misses a harmful one.
    """
    for keyword in LOWER_BOUNDS:
        if keyword in new and new[keyword] > old.get(keyword, float("-inf")):
            yield at, f"{keyword} rose to {new[keyword]}"
    for keyword in UPPER_BOUNDS:
        if keyword in new and new[keyword] < old.get(keyword, float("inf")):
            yield at, f"{keyword} fell to {new[keyword]}"
    if "type" in new and not _types(old) <= _types(new):
        yield at, f"type became {new['type']}"
    if "enum" in new and not ("enum" in old and _values(old) <= _values(new)):
        yield at, "enum lost a value"
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield at, f"{name} became required"
    for keyword in OPAQUE:
        if keyword in new and json.dumps(new[keyword]) != json.dumps(old.get(keyword)):
            yield at, f"{keyword} changed"
    yield from _properties(old, new, at)


def _properties(old: Schema, new: Schema, at: str) -> Iterator[tuple[str, str]]:
    before, after = old.get("properties", {}), new.get("properties", {})
    rest_before, rest_after = _rest(old), _rest(new)
    for name in before.keys() | after.keys():
        was, is_ = before.get(name, rest_before), after.get(name, rest_after)
        if was is None:  # the field was not allowed: no valid document has it
            continue
        if is_ is None:
            yield f"{at}/properties/{name}", "the field was removed"
        else:
            yield from narrowed(was, is_, f"{at}/properties/{name}")
    if rest_before is not None and rest_after is None:
        yield at, "unknown fields are no longer allowed"
    elif rest_before is not None and rest_after:
        yield from narrowed(rest_before, rest_after, f"{at}/additionalProperties")


def _rest(schema: Schema) -> Schema | None:
    """Return the schema of the fields that are not named, None where there may be none."""
    rest = schema.get("additionalProperties", {})
    if rest is False:
        return None
    return rest if isinstance(rest, dict) else {}


def _values(schema: Schema) -> set[str]:
    """Return the values of an enum as JSON: Python takes 1 and true for equal, JSON does not."""
    return {json.dumps(value, sort_keys=True) for value in schema["enum"]}


def _types(schema: Schema) -> set[str]:
    kinds = schema.get("type", ["array", "boolean", "null", "number", "object", "string"])
    named = {kinds} if isinstance(kinds, str) else set(kinds)
    return named | {"integer"} if "number" in named else named


def broken(old: Schema, new: Schema, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield what changes a column: a field that is removed, or whose type changes. Null needs no column."""
    before, after = old.get("properties", {}), new.get("properties", {})
    for name, was in before.items():
        where = f"{at}/properties/{name}"
        if name not in after:
            yield where, "the field was removed"
        else:
            yield from _column(was, after[name], where)
    where = f"{at}/additionalProperties"
    rest, rest_after = old.get("additionalProperties"), new.get("additionalProperties")
    if isinstance(rest, dict) and isinstance(rest_after, dict):
        for name in sorted(after.keys() - before.keys()):
            yield from _column(rest, after[name], f"{at}/properties/{name}")
        yield from _column(rest, rest_after, where)
    elif isinstance(rest, dict) or isinstance(rest_after, dict):
        yield where, "only one version has a schema for additional fields"


def _column(old: Schema, new: Schema, at: str) -> Iterator[tuple[str, str]]:
    if _types(old) - {"null"} != _types(new) - {"null"}:
        yield at, f"type became {new.get('type', 'any')}"
    else:
        yield from broken(old, new, at)


def gaps(versions: list[Version]) -> Iterator[str]:
    """Yield what is wrong with the sequence of an event's versions."""
    if versions and versions[0] != (1, 0, 0):
        yield f"the first version is {_text(versions[0])}, not 1-0-0"
    for (model, revision, addition), following in pairwise(versions):
        steps = ((model, revision, addition + 1), (model, revision + 1, 0), (model + 1, 0, 0))
        if following not in steps:
            allowed = ", ".join(map(_text, steps))
            yield f"{_text(following)} does not follow {_text((model, revision, addition))}: {allowed} would"


def misnamed(old: Version, new: Version, before: Schema, after: Schema) -> Iterator[tuple[str, str]]:
    """Yield the changes that are too great for the step from one version to the next.

    A column changes with the MODEL alone. A REVISION may refuse what was valid. An ADDITION does neither, so
    that whatever is an ADDITION may be published as a REVISION, and that as a MODEL.
    """
    model, revision, _ = old
    if new[0] > model:
        return
    changes = list(broken(before, after))
    for at, change in changes:
        yield at, f"{change}: publish it as {model + 1}-0-0"
    if not changes and new[1] == revision:
        for at, change in narrowed(before, after):
            yield at, f"{change}: publish it as {model}-{revision + 1}-0"


def _text(version: Version) -> str:
    return "-".join(map(str, version))
