"""Lambda of the REST API: POST /v1/events, and POST /applications/{application_id}/events."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError
from telemetry import environment, logs
from telemetry.bots import is_bot
from telemetry.clients import client, resource
from telemetry.decoding import Decoded
from telemetry.enrichment import timestamp
from telemetry.games import GameRegistry
from telemetry.ingest_batch import IngestBatch
from telemetry.key_classes import ClientLimits
from telemetry.quotas import Exceeded, Limits, Quotas, units

from ingest.publisher import Publisher, country
from ingest.request import (
    RequestError,
    Sender,
    body_bytes,
    check_signature,
    events,
    game_of,
    guidance_events,
    sender,
    verdict,
)

logger = logs.logger()
metrics = Metrics()


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


def within_quota(
    who: Sender, batch: Sequence[Decoded], game: Mapping[str, Any], received_at: datetime
) -> None:
    """Count a batch against the game's quota; raise RequestError 429 beyond it.

    Where quotas cannot be counted, events are taken: a fault of a table must not lose them.
    """
    wanted = units(len(event.raw) for event in batch)
    try:
        used = quotas().take(who.game_id, who.key_class, wanted, settings().limits.of(game), received_at)
    except Exceeded as exceeded:
        if exceeded.is_day:
            metrics.add_metric("QuotaUsed", MetricUnit.Percent, 100)
        raise RequestError(
            429, str(exceeded), "the game's events of this day or minute are used up"
        ) from None
    except (ClientError, BotoCoreError):
        logger.exception("Quotas could not be counted")
        return
    if used is not None:
        metrics.add_metric("QuotaUsed", MetricUnit.Percent, 100 * used)


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer 202, 207 or 422 with a result for each event not accepted, or refuse the whole request."""
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
        game = game_of(who.game_id, registry())
        who = check_signature(headers, body, who, game, received_at)
        if is_guidance := "application_id" in (event.get("pathParameters") or {}):
            batch = guidance_events(body, who.game_id, received_at)
        else:
            batch = events(body)
        within_quota(who, batch, game, received_at)
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
        key_class=who.key_class,
    )
    metrics.add_metric("RequestEvents", MetricUnit.Count, len(batch))
    results = publisher().publish(batch, header, ClientLimits.of(game))
    # From here on the events carry game and time of arrival: what leads from a request to its rows, and back.
    told = {"received_at": header.received_at, "events": len(batch)}
    logger.info("Request taken", extra=told | {"not_accepted": len(results)})
    return verdict(len(batch), results)
