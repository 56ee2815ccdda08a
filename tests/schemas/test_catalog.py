"""The catalogue itself: well-formed, described, and judged alike by two independent validators."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
from referencing.jsonschema import DRAFT202012
from telemetry import catalog
from telemetry.rejection import Rejection
from telemetry.validation import validate

ROOT = catalog.schema_directory()
SCHEMAS = sorted(ROOT.glob("*/*.json"))
EXAMPLES = sorted(ROOT.glob("*/examples/*.json"))


def ecma_pattern(
    validator: Any, pattern: str, instance: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    """Match as JSON Schema says (ECMA-262): unlike Python's, `$` is the end and not before a newline."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Reference = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": ecma_pattern})
# Without "$schema" the referenced documents are judged by `Reference` too, not by the stock class.
REGISTRY = referencing.Registry().with_resources(
    (
        catalog.BASE_URI + key,
        DRAFT202012.create_resource({name: value for name, value in schema.items() if name != "$schema"}),
    )
    for key, schema in catalog.documents().items()
)


def reference_accepts(schema_id: str, event: Any) -> bool:
    validator = Reference({"$ref": catalog.BASE_URI + schema_id}, registry=REGISTRY)
    return validator.is_valid(event)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SCHEMAS, ids=relative)
def test_schema_is_well_formed(path: Path) -> None:
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"/{relative(path)}"
    assert schema["title"]
    assert schema["description"].endswith(".")


@pytest.mark.parametrize("path", SCHEMAS, ids=relative)
def test_every_field_is_described(path: Path) -> None:
    def fields(schema: dict[str, Any], at: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, field in schema.get("properties", {}).items():
            yield f"{at}/{name}", field
            yield from fields(field, f"{at}/{name}")

    undescribed = [
        at for at, field in fields(json.loads(path.read_text()), "") if not field.get("description")
    ]
    assert undescribed == []


@pytest.mark.parametrize("path", SCHEMAS, ids=relative)
def test_schema_has_examples_that_pass_and_fail(path: Path) -> None:
    stem = f"{path.parent.name}.{path.stem}."
    kinds = {e.name.split(".")[-2] for e in EXAMPLES if e.name.startswith(stem)}
    assert kinds == {"pass", "fail"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_judged_as_its_name_says_by_both_validators(path: Path) -> None:
    event = json.loads(path.read_text())
    name, version, _, expected, _ = path.name.split(".")
    assert catalog.validators()[name, version].is_valid(event) is (expected == "pass")
    assert reference_accepts(f"/{name}/{version}.json", event) is (expected == "pass")


@pytest.mark.parametrize("path", [e for e in EXAMPLES if ".fail." in e.name], ids=lambda path: path.name)
def test_failing_example_is_rejected_with_a_reason_and_a_place(path: Path) -> None:
    event = json.loads(path.read_text())
    with pytest.raises(Rejection) as caught:
        validate(event)
    assert caught.value.reason == "schema_violation"
    assert caught.value.message
