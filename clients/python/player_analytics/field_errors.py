"""Says in sentences what is wrong with an event: every error at once, each with the pointer of its field.

Only events that were refused come here, so clarity counts before speed. The cost is bounded: a walk ends
after MAX_ERRORS errors, goes no deeper than the schema, and quotes short values only. The keywords are
those that event schemas use. The file is the Python client's too; the TypeScript client says the same.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import islice
from typing import Any, NamedTuple

MAX_ERRORS = 16
MAX_TEXT = 300
# Longer values are described instead of quoted: half of an e-mail address could not be masked.
MAX_QUOTED = 48
# Longer names are not looked for among the known ones, and not part of a pointer.
MAX_NAME = 64
MAX_LISTED = 12
# Python and JavaScript write numbers of this size alike.
GREATEST_SHOWN, SMALLEST_SHOWN = 1e15, 1e-4
# Shorter names resemble too many others.
MIN_MISSPELT = 4
KINDS = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "a whole number",
    "number": "a number",
    "string": "a string",
    "array": "a list",
    "object": "an object",
}
TYPES = {"null": type(None), "boolean": bool, "string": str, "array": list, "object": dict}

Schema = Mapping[str, Any]
Path = tuple[str, ...]


class FieldError(NamedTuple):
    """One error; `pointer` (RFC 6901) is where the field is or should be, "" for the whole event.

    `named` is the part of the pointer that the schema names: what follows it was chosen by the sender.
    """

    pointer: str
    message: str
    named: str


def field_errors(value: Any, schema: Schema, forms: Mapping[str, str]) -> list[FieldError]:
    """Return the errors of a value, at most MAX_ERRORS; `forms` has words for each pattern."""
    return list(islice(_Walk(forms).errors(value, schema, ()), MAX_ERRORS))


def unknown_type(event_type: str, known: tuple[str, ...]) -> FieldError:
    """Return the error of an event type that the catalogue does not have."""
    hint = _meant(event_type, known)
    return _error(f"there is no event type {_name(event_type)}{hint}", ("event_type",))


def unknown_version(event_type: str, version: str, known: tuple[str, ...]) -> FieldError:
    """Return the error of a version that an event type of the catalogue does not have."""
    newest = _listed([_quoted(text) for text in known[-MAX_LISTED:]], "and")
    message = f"{_quoted(event_type)} has no schema_version {_name(version)}; it has {newest}"
    return _error(message, ("schema_version",))


def nearest(name: str, known: tuple[str, ...]) -> str | None:
    """Return the known name that a name is probably meant to be, None where none is near.

    Letter case and signs do not count. At most one letter of each may be too much: that covers a letter
    that is missing, added, wrong, or swapped with its neighbour.
    """
    if len(name) > MAX_NAME:
        return None
    spellings = _spellings(known)
    plain = _plain(name)
    return next((spellings[text] for text in (plain, *_shorter(plain)) if text in spellings), None)


@lru_cache(64)
def _spellings(known: tuple[str, ...]) -> dict[str, str]:
    """Return each known name by its spellings; the whole name wins over one with a letter less."""
    found: dict[str, str] = {}
    for name in known:
        found.setdefault(_plain(name), name)
    for name in known:
        for text in _shorter(_plain(name)):
            found.setdefault(text, name)
    return found


def _plain(name: str) -> str:
    return re.sub("[^A-Za-z0-9]+", "", name).lower()


def _shorter(plain: str) -> list[str]:
    return [plain[:i] + plain[i + 1 :] for i in range(len(plain))] if len(plain) >= MIN_MISSPELT else []


class _Walk:
    """Walks through a value and its schema; a value by itself has one error at most."""

    def __init__(self, forms: Mapping[str, str]) -> None:
        self._forms = forms

    def errors(self, value: Any, schema: Schema, at: Path) -> Iterator[FieldError]:
        if text := self._wrong(value, schema):
            yield _error(f"{_label(at)} must {text}", at)
        if isinstance(value, dict):
            yield from self._members(value, schema, at)

    def _wrong(self, value: Any, schema: Schema) -> str:
        """Return what follows "must" in the error of a value by itself, "" where it has none."""
        kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", ())
        if kinds and not any(_is(value, kind) for kind in kinds):
            return f"be {_listed([KINDS[kind] for kind in kinds], 'or')}{_not(value)}"
        if "enum" in schema and value not in schema["enum"]:
            return _choice(value, schema["enum"])
        if isinstance(value, str):
            if text := _size(len(value), "character", schema.get("minLength"), schema.get("maxLength")):
                return text
            if "pattern" in schema and not _pattern(schema["pattern"]).search(value):
                return f"be {self._forms.get(schema['pattern'], 'of another form')}{_not(value)}"
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if limits := _outside(value, schema.get("minimum"), schema.get("maximum")):
                return f"be {limits}{_not(value)}"
        elif isinstance(value, dict):
            return _size(len(value), "field", schema.get("minProperties"), schema.get("maxProperties"))
        return ""

    def _members(self, value: dict[str, Any], schema: Schema, at: Path) -> Iterator[FieldError]:
        fields: Mapping[str, Schema] = schema.get("properties", {})
        others = schema.get("additionalProperties")
        unknown = [name for name in value if name not in fields] if others is False else []
        known = tuple(fields)
        meant = {name: nearest(name, known) for name in unknown[:MAX_ERRORS]}
        written = {name: own for own, name in meant.items() if name}
        for name, field in fields.items():
            if name in value:
                yield from self.errors(value[name], field, (*at, name))
            elif name in schema.get("required", ()):
                hint = f"; did you write it as {_name(written[name])}?" if name in written else ""
                yield _error(f"{_label((*at, name))} is missing{hint}", (*at, name))
        for name, needed in schema.get("dependentRequired", {}).items():
            for one in needed if name in value else ():
                if one not in value:
                    message = f"{_label((*at, one))} is missing: {_quoted(name)} needs it"
                    yield _error(message, (*at, one))
        for name in unknown[:MAX_ERRORS]:
            hint = f"; did you mean {_quoted(meant[name])}?" if meant[name] else ""
            if not hint and "extra" in fields:
                hint = f"; fields of your own belong in {_label((*at, 'extra'))}"
            yield _error(f"{_label(at)} has no field {_name(name)}{hint}", at, name)
        if isinstance(others, dict):
            yield from self._free_members(value, schema, at)
        # Event schemas use anyOf for "at least one of these fields" only.
        if "anyOf" in schema and not any(value.keys() >= {*each["required"]} for each in schema["anyOf"]):
            ways = [" and ".join(map(_quoted, each["required"])) for each in schema["anyOf"]]
            yield _error(f"{_label(at)} needs {_listed(ways, 'or')}", at)

    def _free_members(self, value: dict[str, Any], schema: Schema, at: Path) -> Iterator[FieldError]:
        """Yield the errors of fields whose names the sender chose."""
        fields = schema.get("properties", {})
        for name, item in value.items():
            if name in fields:
                continue
            if text := self._wrong(name, schema.get("propertyNames", {})):
                yield _error(f"the name of {_label((*at, name))} must {text}", at, name)
            elif text := self._wrong(item, schema["additionalProperties"]):
                yield _error(f"{_label((*at, name))} must {text}", at, name)


def _error(message: str, at: Path, chosen: str = "") -> FieldError:
    """Return an error at a path of named fields, or of a field below it whose name the sender chose."""
    named = pointer(at)
    # An empty name is a name too, but a pointer that ends in "/" would mislead.
    place = pointer((*at, chosen)) if 0 < len(chosen) <= MAX_NAME else named
    return FieldError(clipped(place), clipped(message), clipped(named))


def pointer(path: Path) -> str:
    """Return the RFC 6901 pointer of a path, "" for the whole document."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def clipped(text: str) -> str:
    """Return a text of MAX_TEXT characters at most."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _label(at: Path) -> str:
    """Return how a message calls a field: "client.platform" in quotes."""
    return _quoted(".".join(part if len(part) <= MAX_QUOTED else "…" for part in at)) if at else "an event"


def _name(text: str) -> str:
    return _quoted(text) if len(text) <= MAX_QUOTED else f"of {len(text)} characters"


def _meant(name: str, known: tuple[str, ...]) -> str:
    found = nearest(name, known)
    return f"; did you mean {_quoted(found)}?" if found else ""


def _choice(value: Any, values: list[Any]) -> str:
    shown = [_quoted(one) for one in values]
    if len(shown) <= MAX_LISTED:
        choice = f"be {_listed(shown, 'or')}"
    else:
        choice = f"be one of {len(shown)} values such as {shown[0]}"
    hint = _meant(value, tuple(values)) if isinstance(value, str) else ""
    return f"{choice}{_not(value)}{hint}"


def _size(count: int, noun: str, least: int | None, most: int | None) -> str:
    """Return what is wrong with the length of a value, "" where nothing is."""
    if least == 1 and count == 0:
        return "not be empty"
    limits = _outside(count, least, most)
    unit = noun if limits.endswith(" 1") else f"{noun}s"
    return f"have {limits} {unit}, not {count}" if limits else ""


def _outside(value: float, least: float | None, most: float | None) -> str:
    """Return the limits that a number does not keep, "" where it keeps them."""
    if (least is None or value >= least) and (most is None or value <= most):
        return ""
    if most is None:
        return f"at least {_number(least)}"
    return f"at most {_number(most)}" if least is None else f"from {_number(least)} to {_number(most)}"


def _not(value: Any) -> str:
    shown = _shown(value)
    return f", not {shown}" if shown else ""


def _shown(value: Any) -> str:
    """Return a value as a message shows it, "" for a number that Python and JavaScript write differently."""
    match value:
        case None | bool():
            return json.dumps(value)
        case str():
            return _quoted(value) if len(value) <= MAX_QUOTED else f"a string of {len(value)} characters"
        case int() | float():
            size = abs(value)
            return _number(value) if size == 0 or SMALLEST_SHOWN <= size <= GREATEST_SHOWN else ""
        case _:
            return KINDS["array" if isinstance(value, list) else "object"]


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: float | None) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _listed(words: list[str], last: str) -> str:
    """Return "a", "a or b", "a, b or c"."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _is(value: Any, kind: str) -> bool:
    if kind in TYPES:
        return isinstance(value, TYPES[kind])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return kind == "number" or isinstance(value, int) or value.is_integer()


@cache
def _pattern(text: str) -> re.Pattern[str]:
    # Python's $ also matches before a final newline.
    return re.compile(text.removesuffix("$") + r"\Z" if text.endswith("$") else text)
