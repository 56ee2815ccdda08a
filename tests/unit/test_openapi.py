"""docs/openapi/ingest.json says what the door does: valid, and true of its real answers."""

import json
from typing import Any

import jsonschema
import pytest
from ingest import openapi
from ingest.request import RequestError, verdict
from openapi_spec_validator import validate
from telemetry import catalog
from telemetry.rejection import Reason
from tools import REPOSITORY

DOCUMENT = openapi.document()
RESULT = {"index": 0, "event_id": None, "reason": Reason.TOO_OLD, "pointer": "", "message": "x"}


def check(answer: dict[str, Any]) -> None:
    """Validate an answer by the schema its status has on both routes."""
    for path in DOCUMENT["paths"].values():
        content = path["post"]["responses"][str(answer["statusCode"])]["content"]["application/json"]
        jsonschema.validate(
            json.loads(answer["body"]), content["schema"] | {"components": DOCUMENT["components"]}
        )


def test_the_document_is_openapi() -> None:
    validate(DOCUMENT)
    assert json.loads((REPOSITORY / "docs/openapi/ingest.json").read_text()) == DOCUMENT


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [([], 202), (["rejected"], 207), (["rejected", "rejected"], 422), (["retry", "retry"], 503)],
)
def test_verdicts_are_as_documented(statuses: list[str], expected: int) -> None:
    answer = verdict(2, [RESULT | {"status": status} for status in statuses])
    assert answer["statusCode"] == expected
    check(answer)


@pytest.mark.parametrize("status", [400, 401, 403, 413, 503])
def test_errors_are_as_documented(status: int) -> None:
    check(RequestError(status, "code", "message").response())


def test_the_schema_finds_what_is_no_answer() -> None:
    with pytest.raises(jsonschema.ValidationError):
        check({"statusCode": 202, "body": '{"accepted": -1}'})


def test_examples_of_the_catalogue_are_events_of_the_document() -> None:
    schema = {"$ref": "#/components/schemas/Event", "components": DOCUMENT["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    for event_type, version in catalog.event_schemas():
        folder = catalog.schema_directory() / event_type / "examples"
        for path in folder.glob(f"*.{version}.*.pass.json"):
            assert validator.is_valid(json.loads(path.read_text())), path.name
    assert not validator.is_valid({"event_type": "telepathy"})
