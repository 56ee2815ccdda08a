"""Queries of the lake that still run: whoever may ask them may cancel them."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path

from metrics_api.lake_answers import Reader
from metrics_api.parameters import GameId, uncached
from metrics_api.problems import RESPONSES, documented

QueryId = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="An id that an answer 202 has under `queries`.",
        examples=["a1b2c3d4-5678-90ab-cdef-example11111"],
    ),
]

queries = APIRouter(
    prefix="/v1/games/{game_id}/queries",
    tags=["explore"],
    dependencies=[Depends(uncached)],
    responses=RESPONSES,
)


@queries.delete(
    "/{query_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Cancel a query that still runs",
    responses=documented(409),
)
def cancel(game_id: GameId, query_id: QueryId, lake: Reader) -> None:
    """Stop the query. To cancel it once more changes nothing; to ask the same again starts it anew."""
    stopped = lake.cancel(game_id, query_id)
    if stopped is None:
        raise HTTPException(404, f"{game_id} has no query {query_id}.")
    if stopped == "ended":
        raise HTTPException(409, "The query has ended already: ask again for its answer.")
