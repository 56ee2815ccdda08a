"""Questions of producers about single events: small JSON documents that become SQL over silver."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from telemetry import catalog
from telemetry.lake_reader import LakeReader, Query

from metrics_api import (
    explore_cohort,
    explore_events,
    explore_fields,
    explore_funnel,
    explore_paths,
    explore_player,
    explore_retention,
)
from metrics_api import explore_models as models
from metrics_api.explore_fields import Field
from metrics_api.explore_query import MAX_DAYS, Refused
from metrics_api.history_query import Days
from metrics_api.lake_answers import CSV, PENDING, Reader, Refuse, csv_file, days_of, read
from metrics_api.parameters import GameId, cached, invalid_field, now
from metrics_api.problems import RESPONSES, UNREADABLE

# The module of each kind has its query, its rows, and the lines of its file.
KINDS: dict[str, tuple[Any, type[models.ExploreAnswer]]] = {
    "cohort": (explore_cohort, models.CohortAnswer),
    "events": (explore_events, models.EventsAnswer),
    "funnel": (explore_funnel, models.FunnelAnswer),
    "paths": (explore_paths, models.PathsAnswer),
    "player": (explore_player, models.PlayerAnswer),
    "retention": (explore_retention, models.RetentionAnswer),
}

EXAMPLES: dict[str, Any] = {
    "cohort": {
        "summary": "Players who bought at least twice",
        "value": {
            "kind": "cohort",
            "from": "2026-01-01",
            "to": "2026-01-31",
            "event": "purchase",
            "at_least": 2,
        },
    },
    "of_cohort": {
        "summary": "Players who come back, of those who bought",
        "value": {
            "kind": "retention",
            "from": "2026-01-01",
            "to": "2026-01-31",
            "grain": "week",
            "first": {"event": "session_start"},
            "returning": {"event": "session_start"},
            "cohort": {"event": "purchase"},
        },
    },
    "player": {
        "summary": "The newest events of one player",
        "value": {"kind": "player", "player_id": "p-1001", "from": "2026-01-01", "to": "2026-01-31"},
    },
}

explore = APIRouter(
    prefix="/v1/games/{game_id}", tags=["explore"], dependencies=[Depends(cached)], responses=RESPONSES
)


@explore.get("/explore", summary="What can be asked about events")
def fields(game_id: GameId) -> models.ExploreCatalogue:
    """List the event types with their properties, and the fields that every event has."""
    schemas = catalog.documents()
    events = {name: catalog.newest(name, schemas) for name in explore_fields.events()}
    return models.ExploreCatalogue(
        game_id=game_id,
        events=[
            models.ExploreEvent(
                name=name,
                label=events[name]["title"],
                description=events[name]["description"],
                fields=_described(found.values()),
            )
            for name, found in explore_fields.events().items()
        ],
        fields=_described(explore_fields.dimensions().values()),
        max_days=MAX_DAYS,
    )


@explore.post(
    "/explore",
    summary="An answer about events",
    response_model=models.AnyAnswer,
    responses={200: CSV, **UNREADABLE, **PENDING},
)
def ask(
    game_id: GameId, asked: Annotated[models.Question, Body(openapi_examples=EXAMPLES)], lake: Reader
) -> Any:
    """Read silver, which has each event once.

    Events count as they were sent, whatever gold makes of them: a purchase in a store's test environment
    counts, unless a filter leaves it out.
    """
    return answered(game_id, asked, lake, invalid_field)


def compiled(game_id: str, asked: Any, refuse: Refuse) -> tuple[Days, Query]:
    """Return the days and the query of a question. Raises what refuses a question that has no answer."""
    days = days_of(asked.from_, asked.to, MAX_DAYS, refuse)
    try:
        return days, KINDS[asked.kind][0].query(asked, game_id, days)
    except Refused as refused:
        raise refuse(refused.at, refused.reason) from None


def answered(game_id: str, asked: Any, lake: LakeReader, refuse: Refuse) -> Any:
    """Return the answer of a question as the routes do. Raises StillRunning, or what refuses the question."""
    kind, answer = KINDS[asked.kind]
    days, query = compiled(game_id, asked, refuse)
    as_of = now()
    answers = read(lake, [query], refuse)
    result = answers.results[0]
    rows = list(kind.rows(asked, days, result))
    if asked.format == "csv":
        return csv_file(f"{game_id}-{asked.kind}-{days.first}-{days.last}", kind.lines(asked, rows))
    more = {"profile": explore_player.profile(result)} if asked.kind == "player" else {}
    return answer(
        game_id=game_id,
        from_=days.first,
        to=days.last,
        rows=rows,
        cost=answers.cost,
        as_of=as_of,
        updated_at=answers.version.written_at,
        **more,
    )


def _described(fields: Iterable[Field]) -> list[models.ExploreField]:
    return [models.ExploreField.model_validate(one, from_attributes=True) for one in fields]
