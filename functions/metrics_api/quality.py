"""Whether a game's data can be trusted, as data_quality judges it each hour."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from telemetry.store import store

from metrics_api.models import Answer, Count, Game, Timestamp
from metrics_api.parameters import GameId, cached, now
from metrics_api.problems import RESPONSES

MAX_HOURS = 24 * 35

quality = APIRouter(
    prefix="/v1/games/{game_id}", tags=["live"], dependencies=[Depends(cached)], responses=RESPONSES
)


class Check(BaseModel):
    """One check: its verdict and what it rests on."""

    name: Annotated[str, Field(examples=["freshness"])]
    verdict: Annotated[
        Literal["pass", "warn", "fail", "unknown"],
        Field(description="unknown: the facts to judge by are missing, `message` says which."),
    ]
    message: Annotated[str, Field(description="What was found, in a sentence.")]
    value: Annotated[float | None, Field(description="What was measured; `message` has its unit.")]
    bound: Annotated[float | None, Field(description="What the value is held against.")]


class Hour(BaseModel):
    """How one run ended."""

    checked_at: Timestamp
    failed: Annotated[list[str], Field(description="Names of the checks that failed.")]
    warned: Annotated[list[str], Field(description="Names of the checks that warned.")]


class Quality(Answer):
    """The newest checks, and how earlier ones ended."""

    game_id: Game
    checked_at: Annotated[Timestamp | None, Field(description="When the checks ran (UTC); null: never.")]
    failing: Annotated[Count, Field(description="Checks that fail now.")]
    checks: list[Check]
    hours: Annotated[list[Hour], Field(description="Runs of the hours asked for, newest first.")]


@quality.get("/quality", summary="Whether the data can be trusted")
def read_quality(
    game_id: GameId,
    hours: Annotated[int, Query(ge=1, le=MAX_HOURS, description="Hours back from now.")] = 24,
) -> Quality:
    """Return the newest run's checks; runs are hourly and kept for 35 days."""
    as_of = now()
    since = f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"
    runs = [
        (item["checked_at"], [Check.model_validate(check) for check in orjson.loads(item["checks"])])
        for item in reversed(store().quality(game_id, since))
    ]
    checked_at, checks = runs[0] if runs else (None, [])
    return Quality(
        game_id=game_id,
        as_of=as_of,
        updated_at=checked_at,
        checked_at=checked_at,
        failing=len(_named(checks, "fail")),
        checks=checks,
        hours=[
            Hour(checked_at=at, failed=_named(found, "fail"), warned=_named(found, "warn"))
            for at, found in runs
        ],
    )


def _named(checks: list[Check], verdict: str) -> list[str]:
    return [check.name for check in checks if check.verdict == verdict]
