"""What the pipeline adds to a valid event: times it can be trusted by, and what metrics group by."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import orjson

from telemetry import normalisation
from telemetry.bots import is_bot
from telemetry.dimensions import NOTHING, Declared
from telemetry.event import EnrichedEvent, Event
from telemetry.lateness import TOO_OLD_AFTER
from telemetry.origin import Origin
from telemetry.rejection import Reason, Rejection

SKEW_TOLERANCE = timedelta(minutes=5)
# What `sent_at` may shift an event by at most: time zones and wrong days, but no old body made new.
MAX_SHIFT = timedelta(days=1)
LATE_AFTER = timedelta(hours=1)
FUTURE_AFTER = timedelta(hours=1)
# Of the form of `timestamp`.
TIMESTAMP_LENGTH = len("2026-01-31T12:00:00.000Z")
MAX_REMEMBERED = 4096
# Values of these types are tidy, but for addresses in texts.
_same = frozenset((bool, int, str, type(None)))


class Bounds(NamedTuple):
    """The times between which an event that comes at a moment has to lie; `received_at` is the moment."""

    received_at: datetime
    text: str
    sent_from: datetime
    sent_to: datetime
    oldest: datetime
    late_before: datetime
    newest: datetime


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds and Z, the form of every time the pipeline writes."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


@lru_cache(MAX_REMEMBERED)
def bounds(received_at: datetime) -> Bounds:
    """Return the bounds of what comes at a moment (aware), the same for many events."""
    return Bounds(
        received_at,
        timestamp(received_at),
        received_at - SKEW_TOLERANCE,
        received_at + SKEW_TOLERANCE,
        received_at - TOO_OLD_AFTER,
        received_at - LATE_AFTER,
        received_at + FUTURE_AFTER,
    )


def clock(event: Event, limits: Bounds) -> tuple[str, bool, bool]:
    """Return when a valid event happened, in the form of `timestamp`, and whether it is late, and skewed.

    A client clock more than 5 minutes off at sending shifts event_time by the difference, at most by a day.
    Raises Rejection: schema_violation for a date that does not exist, too_old after 31 days, future.
    """
    received_at, _, sent_from, sent_to, oldest, late_before, newest = limits
    text = event["event_time"]
    try:
        happened, sent_at = datetime.fromisoformat(text), datetime.fromisoformat(event["sent_at"])
    except ValueError:
        raise _no_date(event) from None
    skewed = not sent_from <= sent_at <= sent_to
    if skewed:
        try:
            happened += max(-MAX_SHIFT, min(MAX_SHIFT, received_at - sent_at))
        except OverflowError:
            raise Rejection(Reason.SCHEMA_VIOLATION, "event_time is out of range", "/event_time") from None
    if not oldest <= happened <= newest:
        raise _out_of_time(limits, happened, sent_at)
    if skewed or len(text) != TIMESTAMP_LENGTH:
        text = timestamp(happened)
    return text, happened < late_before, skewed


def enrich(event: Event, origin: Origin, declared: Declared = NOTHING) -> EnrichedEvent:
    """Return a valid event with the pipeline's fields; raises Rejection as `clock` does."""
    _, line, _ = encode(event, origin, timestamp(datetime.now(UTC)), declared)
    enriched: EnrichedEvent = orjson.loads(line)
    return enriched


def encode(
    event: Event, origin: Origin, processed_at: str, declared: Declared = NOTHING
) -> tuple[Event, bytes, tuple[str, ...]]:
    """Return a valid event in tidy form, its JSON with the pipeline's fields, and the flags that are set.

    The fields (event-schemas/common/enriched) are the same for many events but for the times: they are kept
    as text and put behind the event's own. `declared` are the game's custom dimensions. Raises Rejection as
    `clock` does.
    """
    limits = bounds(origin.received_at)
    time, late, skewed = clock(event, limits)
    line = orjson.dumps(event)
    masked = False
    if not _is_tidy(event, line):
        event, masked = _tidied(event)
        line = orjson.dumps(event)
    client = event["client"]
    labels, flags = _labels(
        client["platform"],
        client["app_version"],
        client.get("sdk", ""),
        origin.source,
        event["event_type"],
        event["schema_version"],
        late,
        skewed,
        origin.bot,
        masked,
        verified=origin.key_class == "server",
    )
    custom = declared.fields(event.get("dimensions", {})) if declared.slots else ""
    country = _country(origin.country or client.get("country"))
    added = (
        f',"received_at":"{limits.text}","processed_at":"{processed_at}","corrected_time":"{time}",'
        f'"event_date":"{time[:10]}","country":{country},{custom}{labels}'
    )
    return event, line[:-1] + added.encode(), flags


@lru_cache(MAX_REMEMBERED)
def _country(code: str | None) -> str:
    return orjson.dumps(normalisation.country(code)).decode()


def _is_tidy(event: Event, line: bytes) -> bool:
    """Tell that `_tidied` would change nothing, cheaply: a no may be wrong. A client holds texts only."""
    ids: str = event["event_id"] + event["session_id"]
    return (
        ids == ids.lower()
        and b"@" not in line
        and b"%" not in line
        and type(event["sequence"]) is int
        and _same.issuperset(map(type, event["payload"].values()))
    )


def _tidied(event: Event) -> tuple[Event, bool]:
    """Return the event with one spelling for each value, and whether an e-mail address was masked."""
    client, payload = normalisation.tidy(event["client"]), normalisation.tidy(event["payload"])
    dimensions = normalisation.tidy(event.get("dimensions", {}))
    tidy: Event = {
        **event,
        "event_id": event["event_id"].lower(),
        "session_id": event["session_id"].lower(),
        "sequence": int(event["sequence"]),
        "client": client,
        "payload": payload,
    }
    if dimensions:
        tidy["dimensions"] = dimensions
    before = event["client"], event["payload"], event.get("dimensions", {})
    return tidy, (client, payload, dimensions) != before


@lru_cache(MAX_REMEMBERED)
def _labels(
    platform: str,
    app_version: str,
    sdk: str,
    source: str,
    event_type: str,
    schema_version: str,
    *raised: bool,
    verified: bool,
) -> tuple[str, tuple[str, ...]]:
    """Return the end of the line, and the flags that are set."""
    late, skewed, bot, masked = raised
    flags = {"late": late, "skewed": skewed, "bot": bot or is_bot(sdk), "masked": masked}
    fields = {
        "platform": normalisation.platform(platform),
        "app_version": normalisation.version(app_version),
        "ingest_source": source,
        "schema_id": f"{event_type}/{schema_version}",
    }
    text = orjson.dumps(fields | flags | {"verified": verified}).decode().removeprefix("{")
    return text, tuple(name for name, is_set in flags.items() if is_set)


def _out_of_time(limits: Bounds, happened: datetime, sent_at: datetime) -> Rejection:
    """Return why an event is refused: by its clock, where it would be in time by a right one."""
    age, behind = limits.received_at - happened, limits.received_at - sent_at
    reason = Reason.TOO_OLD if age > TOO_OLD_AFTER else Reason.FUTURE
    shifted = max(-MAX_SHIFT, min(MAX_SHIFT, behind))
    if behind != shifted and age - TOO_OLD_AFTER <= behind - shifted <= age + FUTURE_AFTER:
        off = f"{abs(behind)} {'behind' if behind > timedelta(0) else 'ahead'}"
        message = f"the client's clock was {off} when it sent the event: a clock is repaired by a day at most"
        return Rejection(reason, message, "/sent_at")
    if reason is Reason.TOO_OLD:
        return Rejection(reason, f"happened {age.days} days before it came", "/event_time")
    return Rejection(reason, f"happens {-age} after it came", "/event_time")


def _no_date(event: Event) -> Rejection:
    for field in ("event_time", "sent_at"):
        try:
            datetime.fromisoformat(event[field])
        except ValueError:
            break
    return Rejection(Reason.SCHEMA_VIOLATION, f"no such date: {event[field]}", f"/{field}")
