"""jsonschema, the reference implementation: slow, and independent of the validator of the hot path."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
import referencing
from referencing.jsonschema import DRAFT202012
from telemetry import catalog


def ecma_pattern(
    validator: Any, pattern: str, instance: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    """Match as JSON Schema says (ECMA-262): unlike Python's, `$` is the end and not before a newline."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Reference = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": ecma_pattern})
BASE_URI = "https://event-schemas"
# Without "$schema" the referenced documents are judged by `Reference` too, not by the stock class.
REGISTRY = referencing.Registry().with_resources(
    (
        BASE_URI + key,
        DRAFT202012.create_resource({name: value for name, value in schema.items() if name != "$schema"}),
    )
    for key, schema in catalog.documents().items()
)
ENVELOPE = {"$ref": f"{BASE_URI}/common/envelope/1-0-0.json"}


@cache
def _reference(schema_id: str) -> Any:
    """Compose the schema of whole events by references, not as `telemetry.catalog` composes it."""
    document = {"$ref": BASE_URI + schema_id}
    if not schema_id.startswith("/common/"):
        _, event_type, version = schema_id.removesuffix(".json").split("/")
        own = {
            "event_type": {"const": event_type},
            "schema_version": {"const": version},
            "payload": document,
        }
        document = {"allOf": [ENVELOPE, {"properties": own}]}
    return Reference(document, registry=REGISTRY)


@pytest.fixture
def reference_accepts() -> Callable[[str, Any], bool]:
    """Return a function that judges a value by a document, or a whole event by its type's."""
    return lambda schema_id, value: bool(_reference(schema_id).is_valid(value))


@pytest.fixture
def reference_errors() -> Callable[[str, Any], Iterator[jsonschema.ValidationError]]:
    """Return a function that yields the errors of a value by a document, or of an event by its type's."""
    return lambda schema_id, value: _reference(schema_id).iter_errors(value)
