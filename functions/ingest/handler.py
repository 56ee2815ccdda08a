"""Lambda of the REST API: POST /v1/events, and the routes of other products' clients.

Those are POST /applications/{application_id}/events and POST /v1/compat/{vendor}/…
"""

from functools import cache
from typing import Any

import msgspec
from telemetry import environment
from telemetry.clients import client, resource
from telemetry.games import GameRegistry
from telemetry.quotas import Limits, Quotas

from ingest.intake import Intake
from ingest.publisher import Publisher
from ingest.request import RequestError, game_of, readable_by


class Settings(msgspec.Struct, frozen=True):
    """Environment of the function, set by Terraform; a country header is trusted only where named."""

    games_table: str
    quotas_table: str
    raw_stream: str
    limits: Limits
    country_header: str = ""


@cache
def settings() -> Settings:
    """Parse the environment once an execution environment."""
    return environment.parse(Settings)


@cache
def registry() -> GameRegistry:
    """Keep the games that were read for the next requests."""
    return GameRegistry(resource("dynamodb"), settings().games_table)


@cache
def quotas() -> Quotas:
    """Keep what is taken in advance for the next requests."""
    return Quotas(client("dynamodb"), settings().quotas_table)


@cache
def publisher() -> Publisher:
    """Keep the connection to the stream for the next requests."""
    return Publisher(client("kinesis"), settings().raw_stream)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a request, so that pages of the game's origins can read the answer."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    intake = Intake(registry(), quotas(), publisher(), settings().limits, settings().country_header.lower())
    answer = intake.answer(event, headers)
    if not (origin := headers.get("origin")):
        return answer
    try:
        game = game_of(event["requestContext"]["authorizer"]["game_id"], registry())
    except RequestError:
        game = {}
    return readable_by(origin, answer, game)
