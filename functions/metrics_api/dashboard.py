"""The dashboard of a game: saved questions that people see together, each with a request of its own."""

import json

from fastapi import APIRouter, Depends, HTTPException
from telemetry.store import Item

from metrics_api import saved_items
from metrics_api.callers import Asks, Caller
from metrics_api.parameters import GameId, invalid_field, now, uncached
from metrics_api.problems import RESPONSES, UNREADABLE, documented
from metrics_api.saved_models import ChosenQuestions, Dashboard
from metrics_api.saved_questions import described, naming

CHANGED = "The dashboard was changed meanwhile: open it again, then make your change."
DOCUMENTS = f"{saved_items.LISTED}, game_id, question"

dashboards = APIRouter(
    prefix="/v1/games/{game_id}/dashboard",
    tags=["explore"],
    dependencies=[Depends(uncached)],
    responses=RESPONSES,
)


@dashboards.get("", summary="The dashboard of a game")
def shown(game_id: GameId, asks: Asks) -> Dashboard:
    """Return the questions that it shows. A question that was deleted is left out."""
    return _dashboard(game_id, saved_items.item(game_id, saved_items.DASHBOARD), asks)


@dashboards.put(
    "",
    summary="Choose what the dashboard shows",
    responses=UNREADABLE | documented(409),
)
def choose(game_id: GameId, body: ChosenQuestions, asks: Asks) -> Dashboard:
    """Replace the questions and their order, in the version that the caller has seen."""
    found = saved_items.item(game_id, saved_items.DASHBOARD)
    if body.version != (found["version"] if found else 0):
        raise HTTPException(409, CHANGED)
    known = {one["name"]: one for one in saved_items.listed(game_id, DOCUMENTS)}
    for place, name in enumerate(body.questions):
        if name not in known:
            raise invalid_field(f"questions/{place}", f"{game_id} has no saved question {name}")
    for place, name in enumerate(body.mailed):
        if name not in body.questions:
            raise invalid_field(f"mailed/{place}", f"{name} is not on the dashboard")
        if field := naming(json.loads(known[name]["question"])):
            # Mails and their archive stay, whoever is erased.
            detail = f"{name} is not mailed: {field} tells single players or their words apart"
            raise invalid_field(f"mailed/{place}", detail)
    item = {
        "game_id": game_id,
        "name": saved_items.DASHBOARD,
        "questions": " ".join(body.questions),
        "mailed": " ".join(body.mailed),
        "version": body.version + 1,
        "updated_at": now(),
    }
    saved_items.put(item, found, CHANGED)
    return _dashboard(game_id, item, asks)


def _dashboard(game_id: str, item: Item | None, asks: Caller) -> Dashboard:
    names = item["questions"].split() if item else []
    known = {one["name"]: one for one in saved_items.listed(game_id, DOCUMENTS)} if names else {}
    return Dashboard(
        game_id=game_id,
        questions=[described(known[name], asks) for name in names if name in known],
        mailed=[name for name in (item["mailed"].split() if item else []) if name in known],
        may_change=asks.may_save,
        version=item["version"] if item else 0,
        updated_at=item["updated_at"] if item else None,
    )
