"""The metrics API: `uvicorn metrics_api.app:app` locally, Lambda behind an HTTP API on AWS."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BeforeValidator
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from telemetry.enrichment import timestamp

from metrics_api import models
from metrics_api.problems import PROBLEM_JSON, RESPONSES, RETRY, install, logger
from metrics_api.store import merge, store

DEFAULT_DAYS = 7
MAX_DAYS = 400
UNKNOWN_GAME = "unknown"


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


class MetricsApi(FastAPI):
    """FastAPI whose document gives errors their media type."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if not self.openapi_schema:
            for operations in super().openapi()["paths"].values():
                for status, response in operations["get"]["responses"].items():
                    if status in map(str, RESPONSES):
                        response["content"] = {PROBLEM_JSON: response["content"].pop("application/json")}
        return super().openapi()


def _calendar_day(value: object) -> date:
    day = date.fromisoformat(str(value))
    if day.isoformat() != str(value) or day.year < 2000:
        raise ValueError("give YYYY-MM-DD, from 2000-01-01 on")
    return day


CalendarDay = Annotated[date, BeforeValidator(_calendar_day)]
AnyGameId = Annotated[
    str, Path(pattern="^[a-z0-9][a-z0-9-]{1,62}$", description="The game.", examples=["space-race"])
]
PlayerId = Annotated[
    str, Path(pattern="^[A-Za-z0-9_.:-]{1,64}$", description="The player.", examples=["p-1001"])
]
BoardId = Annotated[str, Path(pattern="^[a-z0-9_-]{1,64}$", description="The board.", examples=["weekly"])]
Limit = Annotated[int, Query(ge=1, le=100, description="Entries to return.")]


def _days(
    first: Annotated[
        CalendarDay | None,
        Query(alias="from", description="First UTC day; 6 days before `to` where absent."),
    ] = None,
    last: Annotated[
        CalendarDay | None,
        Query(alias="to", description="Last UTC day, inclusive; today where absent."),
    ] = None,
) -> list[date]:
    last = last or datetime.now(UTC).date()
    first = first or last - timedelta(days=DEFAULT_DAYS - 1)
    count = (last - first).days + 1
    if count < 1:
        raise _invalid("from", f"{first} is after {last}, the last day")
    if count > MAX_DAYS:
        raise _invalid("from", f"{count} days are asked for, at most {MAX_DAYS} are answered")
    return [first + timedelta(days=n) for n in range(count)]


def _invalid(parameter: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("query", parameter), "msg": message}])


def _registered(game_id: AnyGameId) -> str:
    if not store().game_exists(game_id):
        raise HTTPException(404, f"Game {game_id} is not registered.")
    return game_id


def _registered_or_unknown(game_id: AnyGameId) -> str:
    return game_id if game_id == UNKNOWN_GAME else _registered(game_id)


def _cached(response: Response) -> None:
    response.headers["Cache-Control"] = "private, max-age=5"


def _uncached(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _now() -> str:
    return timestamp(datetime.now(UTC))


GameId = Annotated[str, Depends(_registered)]
GameIdOrUnknown = Annotated[str, Depends(_registered_or_unknown)]
DateRange = Annotated[list[date], Depends(_days)]

operations = APIRouter(tags=["operations"], dependencies=[Depends(_uncached)])
games = APIRouter(
    prefix="/v1/games/{game_id}", tags=["games"], dependencies=[Depends(_cached)], responses=RESPONSES
)


@operations.get("/health", summary="Does the process answer?")
def health() -> models.Status:
    """Answer without looking at any table."""
    return models.Status(as_of=_now())


@operations.get("/ready", summary="Can the tables be read?", responses={503: RESPONSES[503]})
def ready() -> models.Status:
    """Read one item; 503 where that fails, whatever the reason."""
    try:
        store().game_exists(UNKNOWN_GAME)
    except (BotoCoreError, ClientError) as error:
        logger.warning("Not ready", exc_info=error)
        raise HTTPException(503, "The tables cannot be read.", RETRY) from error
    return models.Status(as_of=_now())


@games.get("/summary", summary="What players did, by day")
def summary(game_id: GameId, days: DateRange) -> models.Summary:
    """Count active players, sessions, purchases, revenue and events by the UTC day they happened on."""
    as_of, tallies = _now(), store().game_days(game_id, days)
    total = merge(tallies)
    return models.Summary(
        game_id=game_id,
        from_=days[0],
        to=days[-1],
        days=[models.Day.of(tally.counts, date=day) for day, tally in zip(days, tallies, strict=True)],
        totals=models.Counts.of(total.counts),
        as_of=as_of,
        updated_at=total.updated_at,
    )


@games.get("/ingestion", summary="What arrived, by day")
def ingestion(game_id: GameIdOrUnknown, days: DateRange) -> models.Ingestion:
    """Count accepted and rejected events by the UTC day they arrived on.

    The game `unknown` holds the events whose game could not be told.
    """
    as_of, tallies = _now(), store().ingest_stats(game_id, days)
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
    as_of, item = _now(), store().player(game_id, player_id)
    if not item:
        raise HTTPException(404, f"Player {player_id} was never seen in {game_id}.")
    return models.Player.of(item, as_of)


@games.get("/leaderboards/{board_id}", summary="The best players of a board")
def leaderboard(game_id: GameId, board_id: BoardId, limit: Limit = 10) -> models.Leaderboard:
    """Rank players by best score, the earlier achievement first on ties; 404 for a board without scores."""
    as_of, items = _now(), store().leaderboard(game_id, board_id, limit)
    if not items:
        raise HTTPException(404, f"Board {board_id} of {game_id} has no score yet.")
    entries = [models.Entry.model_validate({**item, "rank": n}) for n, item in enumerate(items, start=1)]
    return models.Leaderboard(game_id=game_id, board_id=board_id, entries=entries, as_of=as_of)


app = MetricsApi(
    title="Player analytics metrics API",
    version="1.0.0",
    description=(
        "Real-time metrics of games: what players do, what arrives, players and leaderboards. "
        "Days are UTC; money is in minor units by currency; errors are problem+json (RFC 9457). "
        "Counters are written seconds after an event arrives: `updated_at` tells how fresh they are."
    ),
    redirect_slashes=False,
    docs_url=None,
    redoc_url=None,
)
app.add_middleware(HeadAsGet)
install(app)
app.include_router(operations)
app.include_router(games)


# The page of /docs is served from here: nothing is fetched from another host.
app.mount("/assets", StaticFiles(packages=[("fastapi_offline", "static")]), name="assets")


@app.get("/docs", include_in_schema=False)
def docs() -> HTMLResponse:
    """Show the documentation, where the API can be tried."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=app.title,
        swagger_js_url="/assets/swagger-ui-bundle.js",
        swagger_css_url="/assets/swagger-ui.css",
        swagger_favicon_url="/assets/favicon.png",
    )


@app.get("/", include_in_schema=False)
def root() -> RedirectResponse:
    """Lead to the documentation."""
    return RedirectResponse("/docs")
