"""What happened on a day, in the words of producers: the page marks it in the charts of the history."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StrictInt,
    StrictStr,
    StringConstraints,
)
from telemetry.store import Item

from metrics_api import saved_items
from metrics_api.callers import Asks, Caller
from metrics_api.explore_models import Closed
from metrics_api.models import Game, Timestamp
from metrics_api.parameters import CalendarDay, GameId, now, uncached
from metrics_api.problems import RESPONSES, UNREADABLE, documented
from metrics_api.saved_models import LAST_VERSION, one_line

MAX_ANNOTATIONS, MAX_TEXT = 100, 80
CHANGED = "The annotations were changed meanwhile: open the page again, then make your change."

annotations = APIRouter(
    prefix="/v1/games/{game_id}/annotations",
    tags=["history"],
    dependencies=[Depends(uncached)],
    responses=RESPONSES,
)


class Annotation(Closed):
    """A day and what happened on it."""

    date: Annotated[CalendarDay, Field(description="UTC day.")]
    text: Annotated[
        StrictStr,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT),
        AfterValidator(one_line),
        Field(description="One line of visible text.", examples=["Winter event begins"]),
    ]


def _few(found: Any) -> Any:
    """Refuse a long list before its parts are looked at."""
    if isinstance(found, list) and len(found) > MAX_ANNOTATIONS:
        raise ValueError(f"a game has at most {MAX_ANNOTATIONS} annotations: remove one first")
    return found


class WrittenAnnotations(Closed):
    """All annotations of a game."""

    annotations: Annotated[
        list[Annotation], BeforeValidator(_few), Field(json_schema_extra={"maxItems": MAX_ANNOTATIONS})
    ]
    version: Annotated[
        StrictInt,
        Field(ge=0, le=LAST_VERSION, description="The version that is replaced; 0 for the first one."),
    ]


class Annotations(BaseModel):
    """All annotations of a game."""

    game_id: Game
    annotations: Annotated[list[Annotation], Field(description="By day.")]
    may_change: Annotated[bool, Field(description="Whether the caller may write annotations.")]
    version: Annotated[
        int, Field(ge=0, description="It grows by 1 with each change; 0 before the first one.")
    ]
    updated_at: Annotated[
        Timestamp | None, Field(description="When they were changed last (UTC); null: never.")
    ]
    max_annotations: Annotated[int, Field(description="Annotations that a game may have.")] = MAX_ANNOTATIONS


@annotations.get("", summary="What happened on days, in the words of producers")
def written(game_id: GameId, asks: Asks) -> Annotations:
    """Return the annotations of a game."""
    return _annotations(game_id, saved_items.item(game_id, saved_items.ANNOTATIONS), asks)


@annotations.put(
    "",
    summary="Write the annotations",
    responses=UNREADABLE | documented(409),
)
def write(game_id: GameId, body: WrittenAnnotations, asks: Asks) -> Annotations:
    """Replace all annotations, in the version that the caller has seen."""
    found = saved_items.item(game_id, saved_items.ANNOTATIONS)
    if body.version != (found["version"] if found else 0):
        raise HTTPException(409, CHANGED)
    by_day = sorted(body.annotations, key=lambda one: (one.date, one.text))
    item = {
        "game_id": game_id,
        "name": saved_items.ANNOTATIONS,
        "annotations": json.dumps([one.model_dump(mode="json") for one in by_day], ensure_ascii=False),
        "version": body.version + 1,
        "updated_at": now(),
    }
    saved_items.put(item, found, CHANGED)
    return _annotations(game_id, item, asks)


def _annotations(game_id: str, item: Item | None, asks: Caller) -> Annotations:
    return Annotations(
        game_id=game_id,
        annotations=json.loads(item["annotations"]) if item else [],
        may_change=asks.may_save,
        version=item["version"] if item else 0,
        updated_at=item["updated_at"] if item else None,
    )
