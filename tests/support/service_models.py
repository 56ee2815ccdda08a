"""Judge the arguments of resources by botocore's service models: what AWS's calls take."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
import regex
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from plans import Json

# Java reads a pair of surrogates as one character.
SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
ALL_BEYOND_THE_FIRST_PLANE = r"\U00010000-\U0010FFFF"

NUMBERS = {"double", "float", "integer", "long"}


@dataclass(frozen=True)
class Mapping:
    """How the arguments of a type of resource become members of the input of AWS's calls.

    An argument becomes the member that has its name, whatever its case. `renames` names the member of every
    other argument. Its keys are paths such as "rule.filter". Its members are found below the member that the
    block became; "Operation#Member" is a member of another call's input. `ignored` gives the reason why an
    argument has no member. The provider fills in what is `supplied`. A value in `unset` means "not set".
    """

    service: str
    operations: tuple[str, ...]
    renames: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    supplied: frozenset[str] = frozenset()
    unset: dict[str, Any] = field(default_factory=dict)


@dataclass
class Review:
    """What the models say of one resource."""

    findings: list[str] = field(default_factory=list)
    judged: int = 0
    limited: int = 0
    limited_arguments: set[str] = field(default_factory=set)
    ignored: list[str] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    unreadable_patterns: set[str] = field(default_factory=set)


def judge(kind: str, arguments: Json, mapping: Mapping) -> Review:
    """Judge the arguments of a resource, as the configuration has them."""
    return _Judge(kind, mapping).judge(arguments)


def required_arguments(arguments: Json, mapping: Mapping) -> tuple[tuple[str, str], ...]:
    """Return the texts that the call which makes a resource must have, by argument."""
    shape = _input(mapping.service, mapping.operations[0])
    return tuple(
        (name, value)
        for name, value in sorted(arguments.items())
        if isinstance(value, str)
        and (mapping.renames.get(name) or _member(shape, name)) in shape.required_members
    )


class _Judge:
    def __init__(self, kind: str, mapping: Mapping) -> None:
        self.kind = kind
        self.mapping = mapping
        self.result = Review()
        # What each call is given, to see what it lacks.
        self.requests: dict[str, Json] = {name: {} for name in mapping.operations}

    def judge(self, arguments: Json) -> Review:
        first = self.mapping.operations[0]
        self._structure(arguments, self._input(first), self.requests[first], "", top=True)
        for operation, request in self.requests.items():
            # The first call makes the resource; others are made only where they have something to say.
            if request or operation == first:
                self._required(request, self._input(operation), operation)
        return self.result

    def _input(self, operation: str) -> StructureShape:
        return _input(self.mapping.service, operation)

    def _structure(
        self, values: Json, shape: StructureShape, request: Json, path: str, top: bool = False
    ) -> None:
        for name, value in values.items():
            where = f"{path}.{name}" if path else name
            if where in self.mapping.ignored:
                self.result.ignored += [where] * count(value)
                continue
            if where in self.mapping.unset and self.mapping.unset[where] == value:
                continue
            found = self._find(name, self.mapping.renames.get(where), shape, request, top)
            if found is None:
                self.result.unmapped += [f"{self.kind}.{where}"] * count(value)
            else:
                member, container, key = found
                container[key] = self._value(value, member, container.get(key), where)

    def _find(
        self, name: str, rename: str | None, shape: StructureShape, request: Json, top: bool
    ) -> tuple[Shape, Json, str] | None:
        """Return the member's shape, and where its value is put."""
        if rename is None:
            for operation in self.mapping.operations if top else [""]:
                inside = self._input(operation) if operation else shape
                member = _member(inside, name)
                if member:
                    container = self.requests[operation] if operation else request
                    return inside.members[member], container, member
            return None
        operation, _, steps = rename.rpartition("#")
        if operation:
            shape, request = self._input(operation), self.requests[operation]
        *parents, last = steps.split(".")
        for parent in parents:
            shape = shape.members[parent]
            if isinstance(shape, ListShape):
                shape, (request, *_) = shape.member, request.setdefault(parent, [{}])
            else:
                request = request.setdefault(parent, {})
        if isinstance(shape, MapShape):
            self._scalar(last, shape.key, f"{name} (key)")
            return shape.value, request, last
        return shape.members[last], request, last

    def _value(self, value: Any, shape: Shape, before: Any, path: str) -> Any:
        if isinstance(shape, StructureShape):
            request: Json = before if isinstance(before, dict) else {}
            for block in value if isinstance(value, list) else [value]:
                self._structure(block, shape, request, path)
            return request
        if isinstance(shape, ListShape):
            items = _pairs(value, shape.member) if isinstance(value, dict) else value
            items = items if isinstance(items, list) else [items]
            self._size(len(items), shape, path, "items")
            return [*(before or []), *(self._value(item, shape.member, None, path) for item in items)]
        if isinstance(shape, MapShape):
            entries = value if isinstance(value, dict) else dict(_keyed(value, path))
            self._size(len(entries), shape, path, "entries")
            for key in entries:
                self._scalar(key, shape.key, f"{path} (key)")
            return {key: self._value(item, shape.value, None, path) for key, item in entries.items()}
        for one in value if isinstance(value, list) else [value]:
            self._scalar(one, shape, path)
        return value

    def _scalar(self, value: Any, shape: Shape, path: str) -> None:
        self.result.judged += 1
        if {"enum", "max", "pattern"} & shape.metadata.keys():
            self.result.limited += 1
            self.result.limited_arguments.add(path)
        if isinstance(shape, StringShape):
            text = _text(value)
            self._size(len(text), shape, path, "characters")
            if shape.enum and text not in shape.enum:
                self._refuse(path, text, f"is none of {', '.join(shape.enum)}")
            pattern = shape.metadata.get("pattern")
            if pattern:
                self._pattern(text, pattern, path)
        elif shape.type_name in NUMBERS:
            try:
                number = float(value)
            except (TypeError, ValueError):
                self._refuse(path, value, "is no number")
            else:
                self._size(number, shape, path, "")
        elif shape.type_name == "boolean" and str(value).lower() not in ("true", "false"):
            self._refuse(path, value, "is neither true nor false")

    def _pattern(self, text: str, pattern: str, path: str) -> None:
        expression = _compile(pattern)
        if expression is None:
            self.result.unreadable_patterns.add(pattern)
        elif not expression.fullmatch(text):
            self._refuse(path, text, f"does not match {pattern}")

    def _size(self, size: float, shape: Shape, path: str, unit: str) -> None:
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if least is not None and size < least:
            self._refuse(path, size, f"{unit} are fewer than {least}".strip())
        if most is not None and size > most:
            self._refuse(path, size, f"{unit} are more than {most}".strip())

    def _required(self, value: Any, shape: Shape, path: str) -> None:
        if isinstance(shape, StructureShape) and isinstance(value, dict):
            for name in shape.required_members:
                if name not in value and name not in self.mapping.supplied:
                    self.result.findings.append(f"{self.kind}: {path} lacks {name}")
            for name, inner in value.items():
                self._required(inner, shape.members[name], f"{path}.{name}")
        elif isinstance(shape, ListShape) and isinstance(value, list):
            for inner in value:
                self._required(inner, shape.member, path)
        elif isinstance(shape, MapShape) and isinstance(value, dict):
            for inner in value.values():
                self._required(inner, shape.value, path)

    def _refuse(self, path: str, value: Any, why: str) -> None:
        self.result.findings.append(f"{self.kind}.{path}: {str(value)[:200]!r} {why}")


@cache
def _input(service: str, operation: str) -> StructureShape:
    return _service(service).operation_model(operation).input_shape


@cache
def _service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


@cache
def _compile(pattern: str) -> Any:
    try:
        return regex.compile(pattern.replace(SURROGATES, ALL_BEYOND_THE_FIRST_PLANE))
    except regex.error:
        return None


def _member(shape: Shape, name: str) -> str | None:
    """Return the member of the argument's name: a block that may be repeated is in the singular."""
    if not isinstance(shape, StructureShape):
        return None
    members = {member.lower(): member for member in shape.members}
    plain = name.replace("_", "").lower()
    singular = plain.removesuffix("s")
    for candidate in (
        plain,
        f"{plain}s",
        f"{plain}es",
        f"{plain[:-1]}ies",
        f"{plain}list",
        f"{singular}list",
    ):
        if candidate in members:
            return members[candidate]
    return None


def _pairs(value: Json, item: Shape) -> list[Json]:
    """Return the entries of a map as AWS lists them: Name or Key, and Value."""
    names = [name for name in item.members if name.lower() in ("key", "name", "parameterkey")]
    values = [name for name in item.members if name.lower() in ("value", "parametervalue")]
    return [{names[0]: key, values[0]: one} for key, one in value.items()]


def _keyed(blocks: list[Json], path: str) -> Iterator[tuple[str, Json]]:
    """Give each block of a map by its key, which Terraform writes into the block as <name>_id."""
    key = f"{path.rpartition('.')[2]}_id"
    for block in blocks:
        yield block[key], {name: value for name, value in block.items() if name != key}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)


def count(value: Any) -> int:
    """Count the values that blocks, lists and maps hold."""
    if isinstance(value, dict):
        return sum(map(count, value.values()))
    if isinstance(value, list):
        return sum(map(count, value))
    return 1
