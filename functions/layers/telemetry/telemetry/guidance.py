"""The envelope of the AWS Game Analytics Pipeline guidance as an event of ours: docs/guidance-envelope.md."""

import hashlib
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import orjson

from telemetry import normalisation
from telemetry.decoding import Decoded
from telemetry.enrichment import timestamp
from telemetry.event import Event
from telemetry.money import minor_digits
from telemetry.rejection import Reason, Rejection
from telemetry.validation import validate

ANONYMOUS = "anonymous"
PLAYER_FIELDS = ("player_id", "user_id", "playerId", "userId")
SESSION_FIELDS = ("session_id", "sessionId")
# Above this a timestamp is in milliseconds: in seconds it would be the year 5138.
MILLISECONDS_FROM = 10**11
MAX_EXTRA = 20
MAX_DEPTH = 3
MAX_AMOUNT = 10**15
# Names that games send and ISO 4217 does not have.
CURRENCIES = {"RMB": "CNY", "YEN": "JPY"}
# Floats of binary machines miss a whole minor unit by less.
ROUNDING = Decimal("1e-6")

_namespace = uuid.uuid5(uuid.NAMESPACE_URL, "game-analytics-pipeline")
_identifier = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_app_version = re.compile(r"[0-9]+(\.[0-9]+){0,3}([.+-][0-9A-Za-z.-]+)?")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=128)]
Fields = dict[str, Any]


class GuidanceEvent(msgspec.Struct):
    """What the guidance demands of an event; times are Unix seconds (or milliseconds)."""

    event_id: Name
    event_type: Name
    event_timestamp: Annotated[float, msgspec.Meta(ge=0, lt=253402300800000)]
    event_name: Text = ""
    event_version: Text = ""
    app_version: Text = ""
    event_data: Fields = {}


def translated(item: Decoded, game_id: str, received_at: datetime) -> Decoded:
    """Return a decoded event in the native envelope with the bytes it came in, or why it cannot be."""
    if item.rejection:
        return item
    try:
        return Decoded(item.raw, translate(item.value, game_id, received_at))
    except Rejection as rejection:
        return Decoded(item.raw, item.value, rejection)


def translate(value: Any, game_id: str, received_at: datetime) -> Event:
    """Return {"event": …, "application_id": …} or its inner event alone in the native envelope.

    A type we know is translated, another becomes a `design` event with event_data in payload.extra.
    Raises Rejection: schema_violation, wrong_game.
    """
    wrapped = isinstance(value, dict) and "event" in value
    prefix = "/event" if wrapped else ""
    application = value.get("application_id") if wrapped else None
    if application not in (None, game_id):
        raise Rejection(Reason.WRONG_GAME, f"the key belongs to {game_id}", "/application_id")
    try:
        source = msgspec.convert(value["event"] if wrapped else value, GuidanceEvent)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        pointer = prefix + path.strip("`").replace(".", "/")
        raise Rejection(Reason.SCHEMA_VIOLATION, message, pointer) from None
    try:
        orjson.dumps(source.event_data)
    except orjson.JSONEncodeError:
        raise Rejection(
            Reason.SCHEMA_VIOLATION, "no event is nested as deep as this", f"{prefix}/event_data"
        ) from None
    envelope = _envelope(source, game_id, received_at)
    for event_type, payload in _payloads(source):
        event = envelope | {"event_type": event_type, "schema_version": "1-0-0", "payload": payload}
        try:
            return validate(event)
        except Rejection as rejection:
            refused = rejection
    raise refused


def _envelope(source: GuidanceEvent, game_id: str, received_at: datetime) -> Fields:
    data = source.event_data
    seconds = source.event_timestamp
    happened = datetime.fromtimestamp(seconds / 1000 if seconds >= MILLISECONDS_FROM else seconds, UTC)
    player = first_text(data, PLAYER_FIELDS)
    player_id = stored_player(player) if player else ANONYMOUS
    session = first_text(data, SESSION_FIELDS) or happened.date().isoformat()
    event_id = _uuid(source.event_id, game_id)
    return {
        "event_id": str(event_id),
        "game_id": game_id,
        "player_id": player_id,
        "session_id": str(_uuid(session, game_id, player_id)),
        # The guidance counts no events in a session: any number that is the same when sent again.
        "sequence": event_id.int % 2**31,
        "event_time": timestamp(happened),
        "sent_at": timestamp(received_at),
        "client": {
            "platform": normalisation.platform(str(data.get("platform", ""))),
            "app_version": source.app_version if _app_version.fullmatch(source.app_version) else "0",
        },
    }


def _payloads(source: GuidanceEvent) -> Iterator[tuple[str, Fields]]:
    """Yield what the event may be, the most telling first."""
    # Version 1 of the guidance sends the type "client" and the meaning in event_name.
    if known := KNOWN.get(source.event_type) or KNOWN.get(source.event_name):
        event_type, payload = known
        yield event_type, payload(source.event_data)
    parts = [source.event_type, *([source.event_name] if source.event_name != source.event_type else [])]
    names = [re.sub(r"[^A-Za-z0-9_-]+", "_", part)[:60] for part in parts if part]
    extra: Fields = {"event_version": source.event_version} if source.event_version else {}
    for key, value in _flat(source.event_data):
        extra[key if key not in extra else f"{key}_{len(extra)}"] = value
    if len(extra) > MAX_EXTRA:
        message = f"event_data holds {len(extra)} fields, at most {MAX_EXTRA} are taken"
        raise Rejection(Reason.SCHEMA_VIOLATION, message, "/event_data")
    yield "design", {"name": ":".join(names), "extra": extra}


def _purchase(data: Fields) -> Fields:
    named = str(data.get("currency_type", "")).upper()
    currency = CURRENCIES.get(named, named)
    try:
        amount = Decimal(str(data.get("currency_amount"))).scaleb(minor_digits(currency))
        nearest = amount.to_integral_value()
        whole = int(nearest) if 0 < nearest < MAX_AMOUNT and abs(amount - nearest) <= ROUNDING else None
    except ArithmeticError:
        whole = None
    return {
        "transaction_id": str(data.get("transaction_id", "")),
        "currency": currency,
        "amount_minor": whole,
        "quantity": data.get("item_amount", 1),
        "store": "other",
        "product_id": str(data.get("item_id", "")),
    }


def _progression(status: str) -> Callable[[Fields], Fields]:
    return lambda data: {"status": status, "level_1": str(data.get("level_id", ""))}


KNOWN: dict[str, tuple[str, Callable[[Fields], Fields]]] = {
    "iap_transaction": ("purchase", _purchase),
    "level_completed": ("progression", _progression("complete")),
    "level_failed": ("progression", _progression("fail")),
    "level_started": ("progression", _progression("start")),
    "login": ("session_start", lambda _: {}),
}


def _flat(data: Fields, prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """Yield the scalars of nested objects by their joined names; a list stays JSON text."""
    for name, value in data.items():
        key = prefix + re.sub(r"[^a-z0-9_]+", "_", name.lower())
        key = (key if key[:1].isalpha() else f"x_{key}")[:60]
        if isinstance(value, dict) and depth < MAX_DEPTH:
            yield from _flat(value, f"{key}_", depth + 1)
        elif isinstance(value, dict | list):
            yield key, orjson.dumps(value).decode()
        else:
            yield key, value


def first_text(data: Fields, names: tuple[str, ...]) -> str | None:
    """Return the first of the fields that holds a text or a number, as text."""
    found = (data[name] for name in names if isinstance(data.get(name), str | int) and data[name] != "")
    return next((str(value) for value in found), None)


def stored_player(player: str) -> str:
    """Return an id the envelope allows; one it does not may be an e-mail address, so its hash serves."""
    if _identifier.fullmatch(player):
        return player
    return "h-" + hashlib.sha256(player.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _uuid(text: str, *scope: str) -> uuid.UUID:
    """Return the UUID that the text is, else one made from it that is the same each time."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid5(_namespace, "/".join((*scope, text)))
