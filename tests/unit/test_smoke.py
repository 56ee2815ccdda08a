"""The smoke test signs requests for the region of the API, and waits for the usage plan of a new game."""

import httpx
import pytest
from rest_answers import Answer, answering
from tools import CommandError, smoke
from tools.simulate import Platform
from tools.smoke import Signed

NO_PLAN = 403, '{"error": {"code": "no_usage_plan"}}'
TAKEN = 202, '{"accepted": 1, "rejected": 0, "results": []}'


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


def send(monkeypatch: pytest.MonkeyPatch, *answers: Answer, wait_seconds: float = 60) -> list[Answer]:
    """Smoke-test a platform whose REST API gives these answers; return those that were not asked for."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(smoke, "PAUSE_SECONDS", 0.01)
    seen = httpx.MockTransport(lambda _: httpx.Response(200))
    with answering(*answers) as rest, httpx.Client(base_url="https://metrics", transport=seen) as api:
        smoke.smoke(Platform({"ingest": {"url": rest.url}}, api), "smoke", "smoke.key", wait_seconds)
    return rest.answers


def test_the_usage_plan_of_a_new_game_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert send(monkeypatch, NO_PLAN, NO_PLAN, TAKEN) == []


def test_a_usage_plan_that_never_comes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="403 no_usage_plan"):
        send(monkeypatch, *[NO_PLAN] * 200, wait_seconds=0.3)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((403, '{"error": {"code": "game_disabled"}}'), "403 game_disabled"),
        ((401, '{"error": {"code": "bad_key"}}'), "401 bad_key"),
        ((503, "<html>"), "503"),
        (
            (
                422,
                '{"accepted": 0, "rejected": 1, "results": [{"index": 0, "status": "rejected", '
                '"reason": "wrong_game", "pointer": "/game_id", "message": "no"}]}',
            ),
            "wrong_game at /game_id",
        ),
    ],
)
def test_another_refusal_fails_at_once(monkeypatch: pytest.MonkeyPatch, answer: Answer, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        send(monkeypatch, answer, TAKEN)


def test_a_rest_api_that_is_not_there_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="cannot be reached"):
        send(monkeypatch)


def test_the_key_of_another_game_is_told_before_anything_is_sent() -> None:
    with pytest.raises(CommandError, match="the key is one of chess, not of smoke"):
        smoke.smoke(None, "smoke", "chess.key")  # type: ignore[arg-type]
