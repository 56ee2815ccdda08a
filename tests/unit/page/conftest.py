"""The page as `make demo` serves it, in a browser."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
import uvicorn
from chromium import launched
from enriched_stream import feed, leaderboards_of
from player_state.players import PlayerStore
from playwright.sync_api import Browser, Page, expect
from telemetry.enrichment import enrich, timestamp
from telemetry.origin import Origin
from tools.emulator import free_port
from tools.progress import STILL_SECONDS, wait_for

# How long a page may take on a busy machine; expectations are checked again and again until then.
expect.set_options(timeout=1000 * STILL_SECONDS)

Send = Callable[..., None]


@pytest.fixture
def app(metrics_app: Any, dynamodb: Any) -> Any:
    for game in ("empty", "skyforge"):
        item = {"game_id": game, "name": game.title(), "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return metrics_app


@pytest.fixture
def send(dynamodb: Any, make_event: Callable[..., dict[str, Any]]) -> Send:
    """Apply an event of a player that happened some seconds ago."""
    client = boto3.client("dynamodb")
    players = PlayerStore(client, "players", "game_days")
    boards = leaderboards_of(client)

    def apply(event_type: str, player: str, ago: float = 0, **payload: Any) -> None:
        now = datetime.now(UTC)
        moment = timestamp(now - timedelta(seconds=ago))
        event = make_event(
            event_type,
            player_id=player,
            session_id=str(uuid4()),
            event_time=moment,
            sent_at=timestamp(now),
            payload=payload,
        )
        enriched = enrich(event, Origin(now, "rest"))
        assert feed(players, [enriched]) == (1, 0, [])
        assert boards.submit([enriched]) == []

    return apply


@pytest.fixture
def address(app: Any) -> Iterator[str]:
    """Serve the app as `make demo` does."""
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for("the start of the page's server", lambda: server.started or not thread.is_alive())
    assert server.started
    yield f"http://127.0.0.1:{server.config.port}"
    server.force_exit = server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails its test for an error in its console, or a request to another host."""
    page, wrong = browser.new_page(locale="en-US"), []
    page.set_default_timeout(1000 * STILL_SECONDS)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on(
        "request", lambda r: None if r.url.startswith(("http://127.0.0.1", "data:")) else wrong.append(r.url)
    )
    yield page
    page.close()
    # The page copes with a 404 (a board without scores) and a 501 (no streaming); Chromium logs both.
    assert [text for text in wrong if "Failed to load resource" not in text] == []
