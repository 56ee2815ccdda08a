"""The smoke test signs requests for the region of the API, and waits for the usage plan of a new game."""

import httpx
import pytest
from tools import CommandError, smoke
from tools.simulate import Platform
from tools.smoke import Signed

REFUSED = httpx.Response(403, json={"error": {"code": "no_usage_plan"}})
DISABLED = httpx.Response(403, json={"error": {"code": "game_disabled"}})


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


def send(monkeypatch: pytest.MonkeyPatch, answers: list[httpx.Response]) -> list[httpx.Response]:
    """Smoke-test a platform whose REST API gives these answers; return those that were not asked for."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(smoke, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(httpx, "post", lambda *_, **__: answers.pop(0))
    seen = httpx.MockTransport(lambda _: httpx.Response(200))
    with httpx.Client(base_url="https://metrics", transport=seen) as api:
        smoke.smoke(Platform({"ingest": {"url": "https://ingest.example"}}, api), "smoke", "smoke.key")
    return answers


def test_the_usage_plan_of_a_new_game_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert send(monkeypatch, [REFUSED, REFUSED, httpx.Response(202)]) == []


def test_another_refusal_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="403"):
        send(monkeypatch, [DISABLED, httpx.Response(202)])
