"""The newest events of a game, accepted and rejected, seconds after they arrived."""

import time
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from telemetry import environment, ids
from telemetry.field_errors import MAX_ERRORS
from telemetry.ingest_batch import Envelope
from telemetry.recent_events import MAX_ITEMS_READ, Batch, RecentEvent
from telemetry.store import store

from metrics_api.models import Answer, Count, Game, Timestamp
from metrics_api.parameters import GameIdOrUnknown, now, uncached
from metrics_api.problems import RESPONSES

MAX_EVENTS = 200

Result = Literal["accepted", "rejected", "withheld"]


class Sending(msgspec.Struct, frozen=True):
    """Where events are sent to, which Terraform sets in the environment."""

    ingest_url: str = ""
    # Where the page's test events go: on a developer's machine only.
    test_stream: str = ""


recent = APIRouter(
    prefix="/v1/games/{game_id}", tags=["live"], dependencies=[Depends(uncached)], responses=RESPONSES
)


class RecentError(BaseModel):
    """One error of an event."""

    pointer: Annotated[
        str, Field(description="JSON pointer of the field, empty for the event.", examples=["/payload/store"])
    ]
    message: Annotated[
        str, Field(description="What is wrong, in a sentence.", examples=['"payload.store" is missing'])
    ]


class Recent(BaseModel):
    """One event and what became of it."""

    position: Annotated[
        str,
        Field(description="Place in the raw stream, unique.", examples=["shardId-000000000000:4951…/0"]),
    ]
    received_at: Annotated[Timestamp, Field(description="When it arrived (UTC).")]
    result: Annotated[
        Result,
        Field(description="withheld: the player did not agree to analytics, so nothing more is kept of it."),
    ]
    source: Annotated[
        Literal["rest", "stream", "replay"], Field(description="The REST API, the stream, or a replay.")
    ]
    key_class: Annotated[Literal["client", "server"], Field(description="Class of the key that sent it.")]
    envelope: Annotated[
        Envelope,
        Field(description="guidance: of the AWS guidance's clients. Others: of that product's clients."),
    ]
    event_type: Annotated[str | None, Field(examples=["purchase"])] = None
    event_id: str | None = None
    player_id: Annotated[
        str | None, Field(description="The pseudonym where the game has them.", examples=["p-1001"])
    ] = None
    reason: Annotated[
        str | None, Field(description="Why it was rejected.", examples=["schema_violation"])
    ] = None
    errors: Annotated[
        list[RecentError], Field(description=f"All errors of a rejected event, at most {MAX_ERRORS}.")
    ] = []
    flags: Annotated[
        list[str],
        Field(description="As counted in /ingestion, such as late or skewed.", examples=[["late"]]),
    ] = []
    original: Annotated[
        str | None,
        Field(
            description="What the client sent, with e-mail addresses masked; null over 2 KB, and where the"
            " game has pseudonyms."
        ),
    ] = None


class RecentEvents(Answer):
    """The newest events of a game, newest first."""

    game_id: Game
    enabled: Annotated[bool, Field(description="False: the game keeps no recent events.")]
    left_out: Annotated[
        Count, Field(description="Events of the same time that were not kept, because many came at once.")
    ]
    ingest_url: Annotated[str, Field(description="Where events are sent to: POST {ingest_url}/v1/events.")]
    takes_test_events: Annotated[
        bool, Field(description="True on a developer's machine, where the page can send a test event.")
    ]
    events: list[Recent]


@recent.get("/events/recent", summary="The newest events, and what became of them")
def recent_events(
    game_id: GameIdOrUnknown,
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS, description="Events to return.")] = MAX_EVENTS,
    player: Annotated[str | None, Query(pattern=ids.PLAYER, description="Only this player's events.")] = None,
    event_type: Annotated[
        str | None, Query(alias="type", pattern=ids.EVENT_TYPE, description="Only this event type.")
    ] = None,
    result: Annotated[Result | None, Query(description="Only events with this result.")] = None,
) -> RecentEvents:
    """Return up to 200 events of the last 24 hours, seconds after they arrived, from both sources.

    A filter searches the newest 1 MB of what is kept, which is some thousands of events. Of a game with
    many events a second, a sample is kept: `left_out` counts the others. The game `unknown` has the events
    whose game could not be told.
    """
    as_of, enabled = now(), store().shows_recent_events(game_id)
    wanted = {"player_id": player, "event_type": event_type, "result": result}
    filters = {name: value for name, value in wanted.items() if value is not None}
    items = MAX_ITEMS_READ if filters else limit
    sending = environment.parse(Sending)
    batches = store().recent_events(game_id, items, time.time()) if enabled else []
    events = matching(batches, filters)[:limit]
    return RecentEvents(
        game_id=game_id,
        as_of=as_of,
        updated_at=events[0].received_at if events else None,
        enabled=enabled,
        left_out=sum(batch.left_out for batch in batches),
        ingest_url=sending.ingest_url,
        takes_test_events=bool(sending.test_stream),
        events=[_recent(event) for event in events],
    )


def _recent(event: RecentEvent) -> Recent:
    """Return an event as the API answers it; RecentError has names for what the table holds in order."""
    errors = [msgspec.structs.asdict(error) for error in event.errors]
    return Recent.model_validate(msgspec.structs.asdict(event) | {"errors": errors})


def matching(batches: Iterable[Batch], filters: dict[str, Any]) -> list[RecentEvent]:
    """Return the events that match, newest first; a batch that Lambda handed in twice counts once."""
    found = {
        event.position: event
        for batch in batches
        for event in batch.events
        if all(getattr(event, name) == value for name, value in filters.items())
    }
    return sorted(found.values(), key=lambda event: event.order, reverse=True)
