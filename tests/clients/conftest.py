"""The REST API in memory, for the clients."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from client_relay import RestApi, rest_api
from tools.tables import make_tables


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """A resource whose tables bear their plain names."""
    resource = boto3.resource("dynamodb")
    make_tables(resource)
    return resource


@pytest.fixture
def api(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RestApi]:
    """The functions authorizer and ingest, and a stream in memory."""
    with rest_api(monkeypatch, dynamodb) as running:
        yield running
