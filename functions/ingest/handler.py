"""Lambda of the REST API: POST /v1/events, and POST /applications/{application_id}/events."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from telemetry import environment, logs
from telemetry.bots import is_bot
from telemetry.clients import client, resource
from telemetry.enrichment import timestamp
from telemetry.games import GameRegistry
from telemetry.ingest_batch import IngestBatch

from ingest.publisher import Publisher, country
from ingest.request import RequestError, body_bytes, check_signature, events, guidance_events, sender, verdict

logger = logs.logger()
metrics = Metrics()


class Settings(msgspec.Struct, frozen=True):
    """Environment of the function, set by Terraform; a country header is trusted only where named."""

    games_table: str
    raw_stream: str
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
def publisher() -> Publisher:
    """Keep the connection to the stream for the next requests."""
    return Publisher(client("kinesis"), settings().raw_stream)


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer 202 (200 to the guidance's clients), 207 or 422, or refuse the whole request."""
    found = event["requestContext"]["authorizer"]
    logger.append_keys(
        request_id=event["requestContext"].get("requestId"),
        game_id=found["game_id"],
        key_id=found.get("key_id", ""),
    )
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    received_at = datetime.now(UTC)
    try:
        who, body = sender(event), body_bytes(event)
        check_signature(headers, body, who, registry(), received_at)
        if is_guidance := "application_id" in (event.get("pathParameters") or {}):
            batch = guidance_events(body, who.game_id, received_at)
        else:
            batch = events(body)
    except RequestError as error:
        metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
        logger.info("Request refused", extra={"code": error.code})
        return error.response()
    header = IngestBatch(
        game_id=who.game_id,
        received_at=timestamp(received_at),
        country=country(headers.get(settings().country_header.lower(), "")),
        events=[],
        envelope="guidance" if is_guidance else "native",
        bot=is_bot(headers.get("user-agent", "")),
    )
    metrics.add_metric("RequestEvents", MetricUnit.Count, len(batch))
    results = publisher().publish(batch, header)
    # From here on the events carry game and time of arrival: what leads from a request to its rows, and back.
    told = {"received_at": header.received_at, "events": len(batch)}
    logger.info("Request taken", extra=told | {"not_accepted": len(results)})
    # The AWS guidance's clients take any other answer than 200 for a failure.
    return verdict(len(batch), results, 200 if is_guidance else 202)
