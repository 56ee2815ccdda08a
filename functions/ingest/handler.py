"""Lambda of the REST door: POST /v1/events."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from pydantic_settings import BaseSettings
from telemetry.clients import client, resource
from telemetry.games import GameRegistry

from ingest.acceptance import Door
from ingest.request import RequestError, authenticate, events, response

logger = Logger()
metrics = Metrics()


class Settings(BaseSettings):
    """Environment of the function, set by Terraform; a country header is trusted only where named."""

    games_table: str
    raw_stream: str
    country_header: str = ""


@cache
def settings() -> Settings:
    """Parse the environment once an execution environment."""
    return Settings()


@cache
def registry() -> GameRegistry:
    """Keep the games that were read for the next requests."""
    return GameRegistry(resource("dynamodb"), settings().games_table)


@cache
def door() -> Door:
    """Keep the connection to the stream for the next requests."""
    return Door(client("kinesis"), settings().raw_stream)


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer 202, 207 or 422 with a result for each event not accepted, or refuse the whole request."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        game_id = authenticate(headers, registry())
        batch = events(event)
    except RequestError as error:
        metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
        logger.info("Request refused", extra={"code": error.code})
        return error.response()
    country = headers.get(settings().country_header.lower())
    results = door().accept(batch, game_id, datetime.now(UTC), country)
    accepted = len(batch) - len(results)
    lost = sum(result["status"] == "retry" for result in results)
    metrics.add_metric("RequestEvents", MetricUnit.Count, len(batch))
    body = {"accepted": accepted, "rejected": len(results) - lost, "results": results}
    if lost == len(batch):
        return response(503, body, **{"retry-after": "2"})
    return response(202 if not results else 207 if accepted or lost else 422, body)
