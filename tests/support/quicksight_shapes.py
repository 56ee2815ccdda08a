"""What QuickSight's service model says of a request, beyond what botocore checks before it sends one."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.session import get_session
from botocore.validate import ParamValidator

UNION = "This is a union type structure"


def faults(request: dict[str, Any], operation: str) -> list[str]:
    """Return what is wrong with the request's types, names, lengths, patterns, choices and unions."""
    shape = get_session().get_service_model("quicksight").operation_model(operation).input_shape
    assert shape is not None
    report: str = ParamValidator().validate(request, shape).generate_report()
    return [*report.splitlines(), *_faults(request, shape, operation)]


def _faults(value: Any, shape: Shape, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    size = len(value) if isinstance(value, str | list | dict) else value
    if isinstance(size, int) and not (least or 0) <= size <= (size if most is None else most):
        yield f"{path} is {size}, not {least} to {most}"
    if isinstance(shape, StringShape) and isinstance(value, str):
        pattern = shape.metadata.get("pattern", "")
        if shape.enum and value not in shape.enum:
            yield f"{path} is {value}, none of {shape.enum}"
        if pattern and not re.search(pattern if pattern.startswith("^") else f"^(?:{pattern})$", value):
            yield f"{path} is {value}, not {pattern}"
    if isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, shape.member, f"{path}[{index}]")
    if isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            yield from _faults(key, shape.key, f"{path} key")
            yield from _faults(item, shape.value, f"{path}[{key}]")
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        if UNION in (shape.documentation or "") and len(value) != 1:
            yield f"{path} has {sorted(value)}, it is one of {sorted(shape.members)}"
        for name, member in value.items():
            if name in shape.members:
                yield from _faults(member, shape.members[name], f"{path}.{name}")
