"""Questions that people save, and their answers (docs/adr/0034)."""

import json
import re
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from telemetry.store import Item

from metrics_api import explore, saved_items
from metrics_api.callers import Asks, Caller
from metrics_api.explore_models import AnyAnswer
from metrics_api.lake_answers import CSV, PENDING, Reader
from metrics_api.parameters import CalendarDay, GameId, cached, invalid, invalid_field, now, uncached
from metrics_api.problems import RESPONSES, UNREADABLE, documented
from metrics_api.saved_models import (
    MAX_QUESTION_BYTES,
    MAX_QUESTIONS,
    Name,
    SavableQuestion,
    Save,
    SavedQuestion,
    SavedQuestions,
    SavedTitle,
)

OTHERS = "Only {owner} and admins may change this question: save yours under another name."
# Names of products are no names of players.
NAMING = re.compile(r"(?!payload\.product_id$)(payload|client)\.(\w*_id|message|stack|extra(\.\w+)?)")
CHANGED = "The question was changed meanwhile: open it again, then save your change."

question: TypeAdapter[Any] = TypeAdapter(SavableQuestion)
questions = APIRouter(prefix="/v1/games/{game_id}/questions", tags=["explore"], responses=RESPONSES)


@questions.get("", summary="The saved questions of a game", dependencies=[Depends(uncached)])
def saved(game_id: GameId, asks: Asks) -> SavedQuestions:
    """List the questions without their documents."""
    found = [SavedTitle(**item, may_change=_may_change(asks, item)) for item in saved_items.listed(game_id)]
    return SavedQuestions(
        game_id=game_id,
        questions=sorted(found, key=lambda one: (one.title.casefold(), one.name)),
        may_save=asks.may_save,
    )


@questions.get(
    "/{name}/answer",
    summary="The answer of a saved question",
    dependencies=[Depends(cached)],
    response_model=AnyAnswer,
    responses={200: CSV, **PENDING},
)
def answer(
    game_id: GameId,
    name: Name,
    lake: Reader,
    first: Annotated[
        CalendarDay | None,
        Query(alias="from", description="First UTC day, in place of the question's days."),
    ] = None,
    last: Annotated[
        CalendarDay | None,
        Query(alias="to", description="Last UTC day, inclusive, in place of the question's days."),
    ] = None,
    format: Annotated[Literal["json", "csv"], Query(description="csv: a file for a spreadsheet.")] = "json",
) -> Any:
    """Ask the question as `POST /explore` does. Readers may, who cannot ask questions of their own."""
    item = _existing(game_id, name)
    try:
        asked = question.validate_json(item["question"])
    except ValidationError:
        message = "this release does not know the saved question any more: save it anew"
        raise RequestValidationError([{"loc": ("path", "name"), "msg": message}]) from None
    days: dict[str, date | None] = {"from_": first, "to": last} if first or last else {}
    return explore.answered(game_id, asked.model_copy(update={**days, "format": format}), lake, invalid)


@questions.get("/{name}", summary="A saved question", dependencies=[Depends(uncached)])
def one(game_id: GameId, name: Name, asks: Asks) -> SavedQuestion:
    """Return the question with its document."""
    return described(_existing(game_id, name), asks)


@questions.put(
    "/{name}",
    summary="Save a question",
    dependencies=[Depends(uncached)],
    responses={
        201: {"model": SavedQuestion, "description": "The question is new."},
        **UNREADABLE,
        **documented(403, 409),
    },
)
def save(game_id: GameId, name: Name, body: Save, asks: Asks, response: Response) -> SavedQuestion:
    """Save a new question, or replace the version that the caller has seen."""
    document = _document(game_id, body)
    found = saved_items.item(game_id, name)
    if found and not _may_change(asks, found):
        raise HTTPException(403, OTHERS.format(owner=found["owner"]))
    if body.version != (found["version"] if found else 0):
        raise HTTPException(409, CHANGED)
    if not found and len(saved_items.listed(game_id)) >= MAX_QUESTIONS:
        raise HTTPException(409, f"The game has {MAX_QUESTIONS} saved questions: delete one first.")
    moment = now()
    item = {
        "game_id": game_id,
        "name": name,
        "title": body.title,
        "kind": body.question.kind,
        "question": document,
        "owner": found["owner"] if found else asks.name,
        "version": body.version + 1,
        "created_at": found["created_at"] if found else moment,
        "updated_at": moment,
    }
    saved_items.put(item, found, CHANGED)
    response.status_code = HTTPStatus.OK if found else HTTPStatus.CREATED
    return described(item, asks)


@questions.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Delete a saved question",
    dependencies=[Depends(uncached)],
    responses=documented(403, 409),
)
def delete(game_id: GameId, name: Name, asks: Asks) -> None:
    """Delete the question for everybody."""
    found = _existing(game_id, name)
    if not _may_change(asks, found):
        raise HTTPException(403, OTHERS.format(owner=found["owner"]))
    saved_items.delete(found, CHANGED)


def _document(game_id: str, body: Save) -> str:
    """Return the question's JSON. Raises RequestValidationError where it cannot be asked or is too large."""
    explore.compiled(game_id, body.question, lambda field, reason: invalid_field(f"question/{field}", reason))
    asked = body.question.model_dump(mode="json", by_alias=True, exclude={"format"}, exclude_unset=True)
    document = json.dumps(asked, ensure_ascii=False)
    size = len(document.encode())
    if size > MAX_QUESTION_BYTES:
        raise invalid_field("question", f"it has {size} bytes, at most {MAX_QUESTION_BYTES} are saved")
    return document


def _may_change(asks: Caller, item: Item) -> bool:
    return asks.may_change_all or (asks.may_save and item["owner"] == asks.name)


def described(item: Item, asks: Caller) -> SavedQuestion:
    """Return a question as the caller sees it."""
    document = json.loads(item["question"])
    more = {
        "question": document,
        "may_change": _may_change(asks, item),
        "may_be_mailed": not naming(document),
    }
    return SavedQuestion(**item | more)


def naming(part: Any) -> str | None:
    """Return a property in a question's document that names single events or holds free text."""
    if isinstance(part, str):
        return part if NAMING.fullmatch(part) else None
    parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return next(filter(None, map(naming, parts)), None)


def _existing(game_id: str, name: str) -> Item:
    found = saved_items.item(game_id, name)
    if not found:
        raise HTTPException(404, f"{game_id} has no saved question {name}.")
    return found
