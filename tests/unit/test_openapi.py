"""The document of the REST API is OpenAPI, and says what the code enforces.

That real answers are as it says is checked of each answer in test_ingest.
"""

import json

import jsonschema
import pytest
from openapi_contract import DOCUMENT, check
from openapi_spec_validator import validate
from telemetry import catalog


def test_the_document_is_openapi() -> None:
    validate(DOCUMENT)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_the_schemas_find_what_is_no_answer(path: str) -> None:
    responses = DOCUMENT["paths"][path]["post"]["responses"]
    (taken,) = [status for status in map(int, responses) if 200 <= status < 207]
    for status, body in ((taken, '{"accepted": -1, "rejected": 0, "results": []}'), (401, '{"error": "x"}')):
        with pytest.raises(jsonschema.ValidationError):
            check({"statusCode": status, "body": body}, path)


def test_examples_of_the_catalogue_are_events_of_the_document() -> None:
    schema = {"$ref": "#/components/schemas/Event", "components": DOCUMENT["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    for event_type, version in catalog.event_types():
        folder = catalog.schema_directory() / event_type / "examples"
        for path in folder.glob(f"*.{version}.*.pass.json"):
            assert validator.is_valid(json.loads(path.read_text())), path.name
    assert not validator.is_valid({"event_type": "telepathy"})
