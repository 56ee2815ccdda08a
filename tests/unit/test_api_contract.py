"""The API keeps its OpenAPI document: schemathesis asks what it promises, and what it must refuse."""

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance


def document() -> Any:
    """Load the app's document; the app itself reads its environment at the first request only."""
    from metrics_api.app import app

    return schemathesis.openapi.from_asgi("/openapi.json", app)


schema = document()


@pytest.fixture
def tables(metrics_app: Any, dynamodb: Any) -> None:
    for game in ("space-race", "skyforge"):
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)


@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_documented(tables: None, case: schemathesis.Case) -> None:
    assert "AWS_ENDPOINT_URL" not in os.environ
    # A range of too many days is refused, which OpenAPI has no words for.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])
