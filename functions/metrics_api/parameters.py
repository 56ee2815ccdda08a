"""What the routes take, and the checks and headers they share."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Depends, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator
from telemetry import ids
from telemetry.enrichment import timestamp
from telemetry.store import store

DEFAULT_DAYS = 7
MAX_DAYS = 400
# Each day of these has a row for each name and shard.
MAX_DAYS_OF_NAMES = 92
UNKNOWN_GAME = "unknown"
# Text of clients, as events may have it.
PLAIN = r"^[^\x00-\x1f\x7f]+$"


def _calendar_day(value: object) -> date:
    day = date.fromisoformat(str(value))
    if day.isoformat() != str(value) or day.year < 2000:
        raise ValueError("give YYYY-MM-DD, from 2000-01-01 on")
    return day


CalendarDay = Annotated[date, BeforeValidator(_calendar_day)]
AnyGameId = Annotated[str, Path(pattern=ids.GAME, description="The game.", examples=["space-race"])]
PlayerId = Annotated[str, Path(pattern=ids.PLAYER, description="The player.", examples=["p-1001"])]
Limit = Annotated[int, Query(ge=1, le=100, description="Entries to return.")]


def registered(game_id: AnyGameId) -> str:
    """Return the game's id; 404 where it is not registered."""
    if not store().game_exists(game_id):
        raise HTTPException(404, f"Game {game_id} is not registered.")
    return game_id


def _registered_or_unknown(game_id: AnyGameId) -> str:
    return game_id if game_id == UNKNOWN_GAME else registered(game_id)


GameId = Annotated[str, Depends(registered)]
GameIdOrUnknown = Annotated[str, Depends(_registered_or_unknown)]


def days_between(
    first: Annotated[
        CalendarDay | None,
        Query(alias="from", description="First UTC day; 6 days before `to` where absent."),
    ] = None,
    last: Annotated[
        CalendarDay | None,
        Query(alias="to", description="Last UTC day, inclusive; today where absent."),
    ] = None,
) -> list[date]:
    """Return the UTC days that are asked for, 7 to today where none are."""
    last = last or datetime.now(UTC).date()
    first = first or last - timedelta(days=DEFAULT_DAYS - 1)
    count = (last - first).days + 1
    if count < 1:
        raise invalid("from", f"{first} is after {last}, the last day")
    if count > MAX_DAYS:
        raise invalid("from", f"{count} days are asked for, at most {MAX_DAYS} are answered")
    return [first + timedelta(days=n) for n in range(count)]


DateRange = Annotated[list[date], Depends(days_between)]


def days_of_names(days: DateRange) -> list[date]:
    """Return the UTC days of an answer by names that clients choose."""
    if len(days) > MAX_DAYS_OF_NAMES:
        raise invalid("from", f"{len(days)} days are asked for, at most {MAX_DAYS_OF_NAMES} are answered")
    return days


NamedRange = Annotated[list[date], Depends(days_of_names)]


def invalid(parameter: str, message: str) -> RequestValidationError:
    """Return the error of a query parameter that is refused."""
    return RequestValidationError([{"loc": ("query", parameter), "msg": message}])


def invalid_field(field: str, message: str) -> RequestValidationError:
    """Return the error of a field of the body that is refused, for example of "where/0/field"."""
    return RequestValidationError([{"loc": ("body", field), "msg": message}])


def only_known(request: Request) -> None:
    """Refuse a query parameter that the route does not take, or that is given twice.

    An answer about all platforms would be taken for that of the platform in an unknown parameter.
    """
    path = request.scope["route"].path
    if not path.startswith("/v1/"):
        return
    described = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    taken = {one["name"] for one in described.get("parameters", ()) if one["in"] == "query"}
    given = [name for name, _ in request.query_params.multi_items()]
    names = ", ".join(sorted(taken)) or "no parameters"
    refused = [
        (name, f"this route takes {names}" if name not in taken else "give it once")
        for name in dict.fromkeys(given)
        if name not in taken or given.count(name) > 1
    ]
    if refused:
        raise RequestValidationError([{"loc": ("query", name), "msg": words} for name, words in refused])


def cached(response: Response) -> None:
    """Let a browser keep an answer as long as counters take to change."""
    response.headers["Cache-Control"] = "private, max-age=5"


def uncached(response: Response) -> None:
    """Let a browser ask each time."""
    response.headers["Cache-Control"] = "no-store"


def now() -> str:
    """Return the time an answer was read."""
    return timestamp(datetime.now(UTC))
