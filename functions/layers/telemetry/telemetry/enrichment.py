"""What the pipeline adds to a valid event: times it can be trusted by, and what metrics group by."""

from datetime import UTC, datetime, timedelta
from typing import Any

from telemetry import normalisation
from telemetry.bots import is_bot
from telemetry.origin import Origin
from telemetry.rejection import Reason, Rejection

SKEW_TOLERANCE = timedelta(minutes=5)
LATE_AFTER = timedelta(hours=1)
TOO_OLD_AFTER = timedelta(days=31)
FUTURE_AFTER = timedelta(hours=1)


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds and Z, the form of every time the pipeline writes."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


def enrich(event: dict[str, Any], origin: Origin) -> dict[str, Any]:
    """Return a valid event with the pipeline's fields (event-schemas/enriched).

    A client clock more than 5 minutes off at sending shifts event_time by the difference.
    Raises Rejection: schema_violation for a date that does not exist, too_old after 31 days, future.
    """
    event_time, sent_at = _moment(event, "event_time"), _moment(event, "sent_at")
    skew = origin.received_at - sent_at
    skewed = abs(skew) > SKEW_TOLERANCE
    try:
        corrected = event_time + skew if skewed else event_time
    except OverflowError:
        raise Rejection(Reason.SCHEMA_VIOLATION, "event_time is out of range", "/event_time") from None
    age = origin.received_at - corrected
    if age > TOO_OLD_AFTER:
        raise Rejection(Reason.TOO_OLD, f"happened {age.days} days before it came", "/event_time")
    if -age > FUTURE_AFTER:
        raise Rejection(Reason.FUTURE, f"happens {-age} after it came", "/event_time")
    client, payload = normalisation.tidy(event["client"]), normalisation.tidy(event["payload"])
    return {
        **event,
        "event_id": event["event_id"].lower(),
        "session_id": event["session_id"].lower(),
        "sequence": int(event["sequence"]),
        "client": client,
        "payload": payload,
        "received_at": timestamp(origin.received_at),
        "processed_at": timestamp(datetime.now(UTC)),
        "corrected_time": timestamp(corrected),
        "event_date": corrected.date().isoformat(),
        "country": origin.country or client.get("country"),
        "platform": normalisation.platform(client["platform"]),
        "app_version": normalisation.version(client["app_version"]),
        "ingest_source": origin.source,
        "schema_id": f"{event['event_type']}/{event['schema_version']}",
        "late": age > LATE_AFTER,
        "skewed": skewed,
        "bot": origin.bot or is_bot(client.get("sdk", "")),
        "masked": (client, payload) != (event["client"], event["payload"]),
    }


def _moment(event: dict[str, Any], field: str) -> datetime:
    try:
        return datetime.fromisoformat(event[field])
    except ValueError:
        raise Rejection(Reason.SCHEMA_VIOLATION, f"no such date: {event[field]}", f"/{field}") from None
