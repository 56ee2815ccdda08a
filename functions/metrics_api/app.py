"""The metrics API: `uvicorn metrics_api.app:app` locally, Lambda behind an HTTP API on AWS."""

import base64
import hashlib
import re
import threading
from collections import Counter
from datetime import date
from http import HTTPStatus
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from telemetry import environment, metric_model
from telemetry.lake_reader import StillRunning
from telemetry.store import merge, store

from metrics_api import models
from metrics_api.ad_spend import returns
from metrics_api.ads import ads
from metrics_api.annotations import annotations
from metrics_api.callers import Gate, admitted
from metrics_api.dashboard import dashboards
from metrics_api.design import design
from metrics_api.explore import explore
from metrics_api.history import history
from metrics_api.lake_answers import still_running
from metrics_api.leaderboards import leaderboards
from metrics_api.live import catalogue, live
from metrics_api.live_page import PAGES, POLICY, assets, page
from metrics_api.parameters import (
    UNKNOWN_GAME,
    DateRange,
    GameId,
    GameIdOrUnknown,
    PlayerId,
    cached,
    now,
    only_known,
    uncached,
)
from metrics_api.problems import PROBLEM_JSON, RESPONSES, RETRY, install, logger
from metrics_api.quality import quality
from metrics_api.queries import queries
from metrics_api.realtime import realtime
from metrics_api.recent_events import recent
from metrics_api.saved_questions import questions
from metrics_api.schemas import schemas
from metrics_api.verdicts import verdicts

MAKING_THE_DOCUMENT = threading.Lock()
# A smaller answer fits one packet anyway.
LEAST_COMPRESSED_BYTES = 1024
# Level 9 takes up to 1.4 times the time of level 6, and its files are 0.1 % smaller.
COMPRESSION = 6
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class HeadAsGet:
    """Answers HEAD with the headers of GET."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app see GET and drop the body."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app({**scope, "method": "GET"}, receive, send_head)


class Compressed:
    """Compresses answers for clients that take gzip. API Gateway's HTTP APIs compress nothing.

    The length of an answer tells nothing of a token: tokens come in a header, and no answer contains one.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the app."""
        self.app = GZipMiddleware(app, LEAST_COMPRESSED_BYTES, COMPRESSION)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compress, and weaken the tag of what is compressed: a strong tag names the file's own bytes.

        An answer that nothing has changed has the headers of the answer that it stands for.
        """
        takes_gzip = scope["type"] == "http" and "gzip" in Headers(scope=scope).get("accept-encoding", "")

        async def send_tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_unchanged = message["status"] == HTTPStatus.NOT_MODIFIED
                if is_unchanged:
                    headers.add_vary_header("Accept-Encoding")
                tag = headers.get("etag", "W/")
                if not tag.startswith("W/") and (
                    "content-encoding" in headers or (is_unchanged and takes_gzip)
                ):
                    headers["etag"] = f"W/{tag}"
            await send(message)

        await self.app(scope, receive, send_tagged)


class MetricsApi(FastAPI):
    """FastAPI whose document gives errors their media type."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document. Requests that come while the first one makes it wait for it."""
        with MAKING_THE_DOCUMENT:
            if self.openapi_schema:
                return self.openapi_schema
            document = super().openapi()
            for operations in document["paths"].values():
                for operation in operations.values():
                    for status, response in operation["responses"].items():
                        if status >= "400":
                            response["content"] = {PROBLEM_JSON: response["content"].pop("application/json")}
            return document


operations = APIRouter(tags=["operations"], dependencies=[Depends(uncached)])
games = APIRouter(
    prefix="/v1/games/{game_id}", tags=["games"], dependencies=[Depends(cached)], responses=RESPONSES
)


@operations.get("/health", summary="Does the process answer?")
def health() -> models.Status:
    """Answer without looking at any table."""
    return models.Status(as_of=now())


@operations.get("/ready", summary="Can the tables be read?", responses={503: RESPONSES[503]})
def ready() -> models.Status:
    """Read one item; 503 where that fails, whatever the reason."""
    try:
        store().game_exists(UNKNOWN_GAME)
    except (BotoCoreError, ClientError) as error:
        logger.warning("Not ready", exc_info=error)
        raise HTTPException(503, "The tables cannot be read.", RETRY) from error
    return models.Status(as_of=now())


@games.get("/summary", summary="What players did, by day")
def summary(game_id: GameId, days: DateRange) -> models.Summary:
    """Count active players, sessions, purchases, revenue and events by the UTC day they happened on."""
    as_of, tallies = now(), store().game_days(game_id, days)
    total, reach = merge(tallies), store().reach(game_id, days)
    return models.Summary(
        game_id=game_id,
        from_=days[0],
        to=days[-1],
        days=[_day(day, tally.counts, reach) for day, tally in zip(days, tallies, strict=True)],
        totals=models.Counts.of(total.counts),
        as_of=as_of,
        updated_at=total.updated_at,
    )


def _day(day: date, counts: Counter[str], reach: Counter[str]) -> models.Day:
    model, known = metric_model.live(), {**counts, "monthly_active_players": reach[f"mau_{day}"]}
    money = {
        name: {
            currency: value
            for currency in models.prefixed(counts, "revenue_")
            if (value := model[name].of(known, currency)) is not None
        }
        for name in ("arpdau", "arppu")
    }
    return models.Day.of(
        counts,
        date=day,
        weekly_active_players=reach[f"wau_{day}"],
        monthly_active_players=reach[f"mau_{day}"],
        stickiness=model["stickiness"].of(known),
        currency_payers=models.prefixed(counts, "payers_"),
        **money,
    )


@games.get("/ingestion", summary="What arrived, by day")
def ingestion(game_id: GameIdOrUnknown, days: DateRange) -> models.Ingestion:
    """Count accepted and rejected events by the UTC day they arrived on.

    The game `unknown` holds the events whose game could not be told.
    """
    as_of, tallies = now(), store().ingest_stats(game_id, days)
    total = merge(tallies)
    return models.Ingestion.of(
        total.counts,
        game_id=game_id,
        from_=days[0],
        to=days[-1],
        days=[models.ArrivalDay.of(tally.counts, date=day) for day, tally in zip(days, tallies, strict=True)],
        as_of=as_of,
        updated_at=total.updated_at,
    )


@games.get("/players/{player_id}", summary="One player")
def player(game_id: GameId, player_id: PlayerId) -> models.Player:
    """Tell what is known of a player; 404 for one who was never seen."""
    as_of, item = now(), store().player(game_id, player_id)
    if not item or not item["first_seen"]:
        raise HTTPException(404, f"Player {player_id} was never seen in {game_id}.")
    return models.Player.of(item, as_of)


class Access(msgspec.Struct):
    """Settings of who may ask. On AWS the API answers by every name ("*"): API Gateway knows who asks."""

    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")


app = MetricsApi(
    title="Player analytics metrics API",
    version="1.0.0",
    description=(
        "Metrics of games, in real time and over time: what players do, what arrives, players, leaderboards. "
        "Days are UTC; money is in minor units by currency; errors are problem+json (RFC 9457). "
        "Counters are written seconds after an event arrives: `updated_at` tells how fresh they are."
    ),
    redirect_slashes=False,
    dependencies=[Depends(admitted), Depends(only_known)],
    docs_url=None,
    redoc_url=None,
)
app.add_middleware(Compressed)
app.add_middleware(Gate, pages=PAGES)
app.add_middleware(HeadAsGet)
# On a person's machine a page of another site could read the API by a name of its own that leads here.
app.add_middleware(TrustedHostMiddleware, allowed_hosts=environment.parse(Access).allowed_hosts)
install(app)
app.exception_handler(StillRunning)(still_running)
app.include_router(operations)
app.include_router(catalogue)
app.include_router(schemas)
app.include_router(games)
app.include_router(live)
app.include_router(ads)
app.include_router(design)
app.include_router(quality)
app.include_router(realtime)
app.include_router(history)
app.include_router(returns)
app.include_router(verdicts)
app.include_router(explore)
app.include_router(annotations)
app.include_router(dashboards)
app.include_router(questions)
app.include_router(queries)
app.include_router(recent)
app.include_router(page)
app.include_router(leaderboards)


# The pages are served from here: nothing is fetched from another host.
app.mount("/page", assets, name="page")
app.mount("/assets", StaticFiles(packages=[("fastapi_offline", "static")]), name="assets")


@app.get("/docs", include_in_schema=False)
def docs() -> HTMLResponse:
    """Show the documentation, where the API can be tried."""
    shown = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=app.title,
        swagger_js_url="/assets/swagger-ui-bundle.js",
        swagger_css_url="/assets/swagger-ui.css",
        swagger_favicon_url="/assets/favicon.png",
    )
    shown.headers["Content-Security-Policy"] = _docs_policy(bytes(shown.body).decode())
    return shown


def _docs_policy(html: str) -> str:
    """Return the page's policy, which lets only the inline script run that FastAPI writes."""
    scripts = INLINE_SCRIPT.findall(html)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    # Swagger UI sets styles of elements.
    return POLICY.replace("script-src 'self'", f"script-src 'self' {allowed}").replace(
        "style-src 'self'", "style-src 'self' 'unsafe-inline'"
    )
