"""Takes a request of the REST API: who sends it, which events it has, whether the quota allows them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from telemetry import emf, logs
from telemetry.bots import is_bot
from telemetry.decoding import Decoded, readable
from telemetry.enrichment import timestamp
from telemetry.games import GameRegistry
from telemetry.guidance import Rules
from telemetry.ingest_batch import Envelope, IngestBatch, Refusal
from telemetry.key_classes import ClientLimits
from telemetry.quotas import Exceeded, Limits, Quotas, units

from ingest import compat
from ingest.publisher import Publisher, country
from ingest.request import (
    RequestError,
    Sender,
    body_bytes,
    check_enabled,
    check_signature,
    events,
    game_of,
    guidance_events,
    sender,
    vendor_events,
    verdict,
)

# Of the body of a request that is refused as a whole.
MAX_KEPT_BYTES = 256 * 1024

logger = logs.logger()
request_events, requests_refused = emf.Count("RequestEvents"), emf.Count("RequestsRefused")
quota_used = emf.Count("QuotaUsed", "Percent")


@dataclass(frozen=True, slots=True)
class Intake:
    """Answers requests. `country_header` is the lower-case name of the header to trust, or empty."""

    registry: GameRegistry
    quotas: Quotas
    publisher: Publisher
    limits: Limits
    country_header: str = ""

    def answer(self, event: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        """Answer 202, 207 or 422, or refuse the request; to another product's client as its own service does.

        `headers` have lower-case names.
        """
        found = event["requestContext"]["authorizer"]
        keys = {
            "request_id": event["requestContext"].get("requestId"),
            "game_id": found["game_id"],
            "key_id": found.get("key_id", ""),
        }
        logger.append_keys(**keys)
        received_at = datetime.now(UTC)
        arrival = timestamp(received_at)
        is_guidance = "application_id" in (event.get("pathParameters") or {})
        route: compat.Route | None = None
        try:
            route = compat.route_of(event)
            who, body = sender(event), body_bytes(event)
            game = game_of(who.game_id, self.registry)
            who = check_signature(headers, body, who, game, received_at)
            keys["key_id"] = who.key_id
            logger.append_keys(key_id=who.key_id)
            if headers.get("x-signature"):
                check_enabled(who, self.quotas)
            if route and route.is_init:
                return route.init()
            envelope: Envelope = route.envelope if route else "guidance" if is_guidance else "native"
            header = IngestBatch(
                game_id=who.game_id,
                received_at=arrival,
                country=country(headers.get(self.country_header, "")),
                events=[],
                envelope=envelope,
                bot=is_bot(headers.get("user-agent", "")),
                key_class=who.key_class,
            )
            try:
                if route:
                    rules = Rules.of(game, who.key_class)
                    batch = vendor_events(body, envelope, who.game_id, received_at, rules)
                elif is_guidance:
                    batch = guidance_events(body, who.game_id, received_at, Rules.of(game, who.key_class))
                else:
                    batch = events(body)
            except RequestError as error:
                self._keep_body(body, error, who, game, header)
                raise
            self.within_quota(who, batch, game, received_at)
        except RequestError as error:
            _tell("Request refused", arrival, keys | {"code": error.code}, requests_refused.line(1))
            return route.error(error) if route else error.response()
        results = self.publisher.publish(batch, header, ClientLimits.of(game))
        # Events carry game and time of arrival from here on, so that a request leads to its rows and back.
        told = {"received_at": arrival, "events": len(batch), "not_accepted": len(results)}
        _tell("Request taken", arrival, keys | told, request_events.line(len(batch)))
        if route:
            return route.verdict(len(batch), results, len(body))
        # The AWS guidance's clients take any other answer than 200 for a failure.
        return verdict(len(batch), results, 200 if is_guidance else 202)

    def within_quota(
        self, who: Sender, batch: Sequence[Decoded], game: Mapping[str, Any], received_at: datetime
    ) -> None:
        """Count a batch against the game's quota; raise RequestError 429 beyond it.

        Where quotas cannot be counted, events are taken: a fault of a table must not lose them.
        """
        wanted = units(len(event.raw) for event in batch)
        try:
            used = self.quotas.take(who.game_id, who.key_class, wanted, self.limits.of(game), received_at)
        except Exceeded as exceeded:
            if exceeded.is_day:
                _write(quota_used.line(100))
            raise RequestError(
                429, str(exceeded), "the game's events of this day or minute are used up"
            ) from None
        except (ClientError, BotoCoreError):
            logger.exception("Quotas could not be counted")
            return
        if used is not None:
            _write(quota_used.line(int(100 * used)))

    def _keep_body(
        self, body: bytes, error: RequestError, who: Sender, game: Mapping[str, Any], header: IngestBatch
    ) -> None:
        """Send the beginning of a refused body to the quarantine, within the game's quota."""
        if error.kept_as is None or not body:
            return
        kept = readable(body, MAX_KEPT_BYTES)
        try:
            self.within_quota(who, [Decoded(kept)], game, datetime.fromisoformat(header.received_at))
        except RequestError:
            return
        self.publisher.keep(kept, Refusal(error.kept_as, error.message, len(body)), header)


def _tell(message: str, at: str, fields: dict[str, Any], metric: str) -> None:
    """Write a request's line of the log, where the log's level lets it pass, and its metric."""
    line = logs.info_line(logger.service, message, at, fields) if logger.log_level <= logging.INFO else ""
    _write(f"{line}\n{metric}" if line else metric)


def _write(lines: str) -> None:
    stream = logger.registered_handler.stream  # type: ignore[attr-defined]
    stream.write(f"{lines}\n")
    stream.flush()
