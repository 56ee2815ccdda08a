"""Requests to the metrics API are signed for the region of the API, whatever the caller's is."""

import httpx
import pytest
from tools.smoke import Signed


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


def test_the_region_is_the_apis(credentials: None) -> None:
    request = httpx.Request("GET", "https://abc.execute-api.eu-west-1.amazonaws.com/v1/games")
    (signed,) = Signed().auth_flow(request)
    assert "/eu-west-1/execute-api/aws4_request" in signed.headers["Authorization"]
