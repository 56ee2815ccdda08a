"""A web game on another origin against the emulated platform: API Gateway answers preflights and errors."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import web_game
from chromium import in_chromium, launched
from tools import REPOSITORY, games
from tools.progress import STILL_SECONDS

pytestmark = pytest.mark.integration

CORS: dict[str, dict[str, str]] = json.loads(
    (REPOSITORY / "infrastructure/modules/ingest/cors.json").read_text()
)
GAME = "web-game"
ROUTES = ("/v1/events", f"/applications/{GAME}/events", "/v1/compat/amplitude/2/httpapi")


@pytest.mark.parametrize("path", ROUTES)
def test_api_gateway_answers_preflights_as_terraform_says(applied: Any, path: str) -> None:
    asks = {"origin": "https://play.example.com", "access-control-request-method": "POST"}
    answer = httpx.options(f"{applied.platform.ingest_url}{path}", headers=asks, timeout=STILL_SECONDS)
    assert answer.status_code == 204
    assert CORS["preflight"].items() <= answer.headers.items()


@in_chromium
def test_a_web_game_sends_its_events_to_the_platform(applied: Any, tmp_path: Path) -> None:
    table, plan = games.registry(applied.platform.outputs)
    key = games.add_game(table, GAME, "Web game", plan)
    with web_game.published(web_game.made(tmp_path)) as origin, launched() as browser:
        games.allow_origins(table, GAME, [origin])
        page = browser.new_page()
        page.goto(origin)
        patient = {"timeoutSeconds": STILL_SECONDS}
        done = page.evaluate(web_game.PLAY, [applied.platform.ingest_url, key, patient])
    assert done["problems"] == []
    assert done["stats"]["accepted"] == 3
