"""The catalogue's examples, judged alike by two independent validators; test_registry.py checks its form."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from telemetry import catalog
from telemetry.rejection import Rejection
from telemetry.validation import validate

ROOT = catalog.schema_directory()
EVENTS = catalog.examples(ROOT)
EXAMPLES = [*EVENTS, *sorted(ROOT.glob("common/*/examples/*.json"))]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_judged_as_its_name_says_by_both_validators(
    path: Path, reference_accepts: Callable[[str, Any], bool]
) -> None:
    event = json.loads(path.read_text())
    _, version, _, expected, _ = path.name.split(".")
    schema_id = f"/{path.parents[1].relative_to(ROOT)}/{version}.json"
    assert catalog.validator(schema_id).is_valid(event) is (expected == "pass")
    assert reference_accepts(schema_id, event) is (expected == "pass")


@pytest.mark.parametrize("path", [e for e in EVENTS if ".fail." in e.name], ids=lambda path: path.name)
def test_failing_example_is_rejected_with_a_reason_and_a_place(path: Path) -> None:
    event = json.loads(path.read_text())
    with pytest.raises(Rejection) as caught:
        validate(event)
    assert caught.value.reason == "schema_violation"
    assert caught.value.message
