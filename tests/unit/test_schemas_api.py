"""The metrics API serves the schemas of events, each as one document that generators read."""

import json
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient
from telemetry import catalog


@pytest.fixture
def client(metrics_app: Any) -> TestClient:
    return TestClient(metrics_app)


def test_every_event_type_is_listed_and_served(client: TestClient) -> None:
    listed = client.get("/v1/schemas").json()["schemas"]
    folders = {path.parent.name for path in catalog.schema_directory().glob("*/*-*-*.json")}
    assert {each["event_type"] for each in listed} == folders
    for each in listed:
        schema = client.get(each["path"]).json()
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "$ref" not in json.dumps(schema)
        assert schema["$id"] == each["path"]
        examples = catalog.schema_directory() / each["event_type"] / "examples"
        for path in examples.glob(f"*.{each['schema_version']}.*.json"):
            is_valid = jsonschema.Draft202012Validator(schema).is_valid(json.loads(path.read_text()))
            assert is_valid == path.name.endswith(".pass.json"), path.name


def test_the_newest_version_has_a_name(client: TestClient) -> None:
    newest = client.get("/v1/schemas/purchase/newest").json()
    assert newest["properties"]["event_type"] == {"const": "purchase"}
    version = newest["properties"]["schema_version"]["const"]
    assert client.get(f"/v1/schemas/purchase/{version}").json()["properties"] == newest["properties"]


@pytest.mark.parametrize("path", ["telepathy/1-0-0", "purchase/9-0-0", "telepathy/newest", "common/newest"])
def test_what_is_no_event_type_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(f"/v1/schemas/{path}").status_code == 404


def test_a_path_is_no_file(client: TestClient) -> None:
    assert client.get("/v1/schemas/..%2fcommon/1-0-0").status_code in (404, 422)
