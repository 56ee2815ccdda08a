"""The schemas of events, for generators of types and for tools that validate events."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from pydantic import BaseModel, Field
from telemetry import catalog, ids

from metrics_api.parameters import cached
from metrics_api.problems import RESPONSES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NEWEST = "newest"

schemas = APIRouter(
    prefix="/v1/schemas",
    tags=["schemas"],
    dependencies=[Depends(cached)],
    responses={status: RESPONSES[status] for status in (422, 500)},
)


class EventType(BaseModel):
    """A version of an event type."""

    event_type: str
    schema_version: str
    description: str
    path: str = Field(description="Where this API has the JSON Schema of its events.")


class EventTypes(BaseModel):
    """The catalogue."""

    schemas: list[EventType]


@schemas.get("", summary="The event types and their versions")
def event_types() -> EventTypes:
    """List every version of every event type."""
    payloads = catalog.payloads(catalog.documents())
    return EventTypes(
        schemas=[
            EventType(
                event_type=name,
                schema_version=version,
                description=payloads[name, version]["description"],
                path=f"{schemas.prefix}/{name}/{version}",
            )
            for name, version in sorted(payloads)
        ]
    )


@schemas.get(
    "/{event_type}/{schema_version}",
    summary="The JSON Schema of an event type",
    responses={404: RESPONSES[404]},
)
def event_schema(
    request: Request,
    event_type: Annotated[str, Path(pattern=ids.EVENT_TYPE, examples=["purchase"])],
    schema_version: Annotated[
        str,
        Path(
            pattern=f"^({NEWEST}|[1-9][0-9]{{0,3}}-[0-9]{{1,4}}-[0-9]{{1,4}})$",
            description=f"SchemaVer, or `{NEWEST}`.",
            examples=["1-0-0"],
        ),
    ],
) -> dict[str, Any]:
    """Return the schema of whole events: the envelope around the payload, without references.

    Generators of types, such as quicktype or datamodel-codegen, read it as it is.
    """
    documents = catalog.documents()
    if schema_version == NEWEST:
        found = [catalog.version_of(key) for key in documents if catalog.name_of(key) == event_type]
        schema_version = max(found, key=lambda version: tuple(map(int, version.split("-"))), default="")
    if f"/{event_type}/{schema_version}.json" not in documents:
        raise HTTPException(404, f"There is no event type {event_type} of this version.")
    title = documents[f"/{event_type}/{schema_version}.json"]["title"]
    schema = catalog.whole(event_type, schema_version, documents)
    return {"$schema": DIALECT, "$id": request.url.path, **schema, "title": title}
