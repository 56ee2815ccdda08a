"""A web game on another origin sends events and reads the answers, in a real browser.

API Gateway's part, preflights and its own errors, is played from the file that Terraform reads.
"""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import web_game
from chromium import in_chromium, launched
from client_relay import GAME, RestApi
from ingest import handler
from ingest.request import READABLE
from playwright.sync_api import Browser, Page
from tools import REPOSITORY, games
from web_game import PLAY, served

CORS: dict[str, dict[str, str]] = json.loads(
    (REPOSITORY / "infrastructure/modules/ingest/cors.json").read_text()
)
ASK = """
async ([url, headers]) => {
  const response = await fetch(`${url}/v1/events`, { method: "POST", headers, body: "{}" });
  const seen = ["date", "retry-after"].map((name) => response.headers.get(name));
  return [response.status, (await response.json()).error?.code ?? null, ...seen];
}
"""


class Gateway:
    """API Gateway before the function: preflights, and errors of its own."""

    def __init__(self, api: RestApi) -> None:
        self.api = api
        self.preflight, self.error = CORS["preflight"], CORS["error"]
        self.asked: list[set[str]] = []
        self.is_throttled = False


@pytest.fixture
def gateway(api: RestApi) -> Gateway:
    return Gateway(api)


@pytest.fixture
def url(gateway: Gateway) -> Iterator[str]:
    """The REST API."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_OPTIONS(self) -> None:
            gateway.asked.append({*self.headers["access-control-request-headers"].split(",")})
            self._answer(204, gateway.preflight, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if gateway.is_throttled:
                error = b'{"error": {"code": "throttled", "message": "too many requests"}}'
                self._answer(429, gateway.error | {"retry-after": "7"}, error)
                return
            status, answered, answer = gateway.api.post(headers, body)
            # The function is not asked where the authorizer finds no key.
            self._answer(status, gateway.error if status == 401 and not answered else answered, answer)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in (headers | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with served(Handler) as origin:
        yield origin


@pytest.fixture(scope="module")
def game_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The web game."""
    return web_game.made(tmp_path_factory.mktemp("game"))


@pytest.fixture
def origin(game_files: Path) -> Iterator[str]:
    """Where the web game is."""
    with web_game.published(game_files) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, origin: str) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(origin)
    yield page
    page.close()


def allow(dynamodb: Any, *origins: str) -> None:
    games.allow_origins(dynamodb.Table("games"), GAME, [*origins])


@in_chromium
@pytest.mark.parametrize("signature", ["none", "beside_key"])
def test_a_web_game_sends_events_and_reads_the_answer(
    page: Page, origin: str, url: str, gateway: Gateway, dynamodb: Any, signature: str
) -> None:
    allow(dynamodb, origin)
    done = page.evaluate(PLAY, [url, gateway.api.key, {"signature": signature}])
    assert done["problems"] == []
    assert done["stats"]["accepted"] == 3
    assert len(gateway.api.stream.events()) == 3
    sent = {"content-encoding", "content-type", "x-api-key"} | ({"x-signature"} - {signature})
    assert gateway.asked
    assert all(asked <= sent for asked in gateway.asked)


@in_chromium
def test_a_page_of_another_origin_cannot_read_answers(
    page: Page, url: str, gateway: Gateway, dynamodb: Any
) -> None:
    allow(dynamodb, "https://play.example.com")
    done = page.evaluate(PLAY, [url, gateway.api.key, {}])
    assert "cannot be reached" in done["problems"][0]
    assert done["stats"]["accepted"] == 0
    # The key counts, not the origin, which every program can claim.
    assert gateway.api.stream.events()
    allow(dynamodb, "*")
    handler.registry.cache_clear()
    assert page.evaluate(PLAY, [url, gateway.api.key, {}])["stats"]["accepted"] == 3


@in_chromium
def test_a_page_reads_errors_of_api_gateway_and_when_to_send_again(
    page: Page, url: str, gateway: Gateway
) -> None:
    status, code, date, _ = page.evaluate(ASK, [url, {"x-api-key": f"{GAME}.wrong"}])
    assert (status, code) == (401, "bad_key")
    assert date
    gateway.is_throttled = True
    answer = page.evaluate(ASK, [url, {"authorization": "secret", "content-type": "application/json"}])
    assert (answer[:2], answer[3]) == ([429, "throttled"], "7")


@in_chromium
def test_without_an_answer_to_the_preflight_nothing_is_sent(
    page: Page, origin: str, url: str, gateway: Gateway, dynamodb: Any
) -> None:
    allow(dynamodb, origin)
    gateway.preflight = {}
    done = page.evaluate(PLAY, [url, gateway.api.key, {}])
    assert "cannot be reached" in done["problems"][0]
    assert gateway.api.stream.events() == []


def test_the_function_exposes_the_headers_that_api_gateway_exposes() -> None:
    assert READABLE["access-control-expose-headers"] == CORS["error"]["access-control-expose-headers"]
