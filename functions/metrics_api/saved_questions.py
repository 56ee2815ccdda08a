"""Questions that people save, and their answers. They are all that the metrics API writes (docs/adr/0034)."""

import json
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from telemetry import environment
from telemetry.store import Item, plain, store

from metrics_api import explore
from metrics_api.callers import Asks, Caller
from metrics_api.explore_models import AnyAnswer
from metrics_api.lake_answers import CSV, PENDING, Reader
from metrics_api.models import Problem
from metrics_api.parameters import CalendarDay, GameId, cached, invalid, invalid_field, now, uncached
from metrics_api.problems import RESPONSES, documented
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

LISTED = "#name, title, kind, #owner, version, created_at, updated_at"
WORDS = {"#name": "name", "#owner": "owner"}
OTHERS = "Only {owner} and admins may change this question: save yours under another name."
CHANGED = "The question was changed meanwhile: open it again, then save your change."

question: TypeAdapter[Any] = TypeAdapter(SavableQuestion)
questions = APIRouter(prefix="/v1/games/{game_id}/questions", tags=["explore"], responses=RESPONSES)


class Saving(msgspec.Struct):
    """The table, which Terraform sets in the environment."""

    saved_questions_table: str


@questions.get("", summary="The saved questions of a game", dependencies=[Depends(uncached)])
def saved(game_id: GameId, asks: Asks) -> SavedQuestions:
    """List the questions without their documents."""
    found = [SavedTitle(**item, may_change=_may_change(asks, item)) for item in _listed(game_id)]
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
    return _shown(_existing(game_id, name), asks)


@questions.put(
    "/{name}",
    summary="Save a question",
    dependencies=[Depends(uncached)],
    responses={
        201: {"model": SavedQuestion, "description": "The question is new."},
        400: {"model": Problem, "description": "The body is no JSON."},
        **documented(403, 409),
    },
)
def save(game_id: GameId, name: Name, body: Save, asks: Asks, response: Response) -> SavedQuestion:
    """Save a new question, or replace the version that the caller has seen."""
    document = _document(game_id, body)
    found = _item(game_id, name)
    if found and not _may_change(asks, found):
        raise HTTPException(403, OTHERS.format(owner=found["owner"]))
    if body.version != (found["version"] if found else 0):
        raise HTTPException(409, CHANGED)
    if not found and len(_listed(game_id)) >= MAX_QUESTIONS:
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
    _put(item, found)
    response.status_code = HTTPStatus.OK if found else HTTPStatus.CREATED
    return _shown(item, asks)


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
    dynamodb = store().dynamodb
    try:
        # A repeated request whose first answer was lost finds no item.
        dynamodb.delete_item(
            TableName=_table(),
            Key=_key(game_id, name),
            ConditionExpression=f"attribute_not_exists(game_id) OR ({SAME})",
            **_same(found),
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        raise HTTPException(409, CHANGED) from None


SAME = "version = :version AND #owner = :owner"


def _same(found: Item) -> dict[str, Any]:
    """Return the values of the condition that an item is still what was read."""
    values = {":version": {"N": str(found["version"])}, ":owner": {"S": found["owner"]}}
    return {"ExpressionAttributeNames": {"#owner": "owner"}, "ExpressionAttributeValues": values}


def _put(item: Item, found: Item | None) -> None:
    """Write an item in the place of what was read. Raises HTTPException 409 where that has changed."""
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(game_id)"}
    if found:
        condition = {"ConditionExpression": SAME, **_same(found)}
    dynamodb = store().dynamodb
    try:
        dynamodb.put_item(
            TableName=_table(),
            Item={
                name: {"N": str(value)} if isinstance(value, int) else {"S": value}
                for name, value in item.items()
            },
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **condition,
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        # A repeated request whose first answer was lost finds its own item.
        there: Any = error.response.get("Item", {})
        if plain(there) != item:
            raise HTTPException(409, CHANGED) from None


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


def _shown(item: Item, asks: Caller) -> SavedQuestion:
    return SavedQuestion(
        **item | {"question": json.loads(item["question"]), "may_change": _may_change(asks, item)}
    )


def _listed(game_id: str) -> list[Item]:
    pages = (
        store()
        .dynamodb.get_paginator("query")
        .paginate(
            TableName=_table(),
            ConsistentRead=True,
            ExpressionAttributeNames=WORDS,
            ExpressionAttributeValues={":game": {"S": game_id}},
            KeyConditionExpression="game_id = :game",
            ProjectionExpression=LISTED,
        )
    )
    return [plain(item) for page in pages for item in page["Items"]]


def _existing(game_id: str, name: str) -> Item:
    found = _item(game_id, name)
    if not found:
        raise HTTPException(404, f"{game_id} has no saved question {name}.")
    return found


def _item(game_id: str, name: str) -> Item | None:
    found = store().dynamodb.get_item(TableName=_table(), Key=_key(game_id, name), ConsistentRead=True)
    return plain(found["Item"]) if "Item" in found else None


def _key(game_id: str, name: str) -> dict[str, Any]:
    return {"game_id": {"S": game_id}, "name": {"S": name}}


def _table() -> str:
    return environment.parse(Saving).saved_questions_table
