"""The envelope of the AWS Game Analytics Pipeline guidance as an event of ours: docs/guidance-envelope.md."""

import hashlib
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

import msgspec
import orjson

from telemetry import ids, normalisation
from telemetry.enrichment import timestamp
from telemetry.event import Event
from telemetry.field_errors import FieldError, clipped, field_errors
from telemetry.key_classes import ClientLimits, KeyClass
from telemetry.money import minor_digits
from telemetry.rejection import Reason, Rejection
from telemetry.sequences import GUIDANCE_SDK
from telemetry.validation import validate

# Events without player and session are spread over so many names: with one, all would meet in one item.
ANONYMOUS = 64
PLAYER_FIELDS = ("player_id", "user_id", "playerId", "userId", "userID")
SESSION_FIELDS = ("session_id", "sessionId")
# Above this a timestamp is in milliseconds: in seconds it would be the year 5138.
MILLISECONDS_FROM = 10**11
MAX_EXTRA = 20
MAX_GAME = 63
MAX_LABEL = 64
MAX_TEXT = 128
WEEK = 7 * 86400
MAX_DEPTH = 3
MAX_AMOUNT = 10**15
# Names that games send and ISO 4217 does not have.
CURRENCIES = {
    "CNH": "CNY", "RMB": "CNY", "YUAN": "CNY", "YEN": "JPY", "WON": "KRW", "NTD": "TWD", "NT$": "TWD",
    "RUR": "RUB", "RUBLE": "RUB", "RUPEE": "INR", "EURO": "EUR", "EUROS": "EUR", "US$": "USD", "R$": "BRL",
    "UKP": "GBP", "STG": "GBP", "€": "EUR", "£": "GBP", "₩": "KRW", "₹": "INR",
}  # fmt: skip
# Floats of binary machines miss a whole minor unit by less.
ROUNDING = Decimal("1e-6")

_namespace = uuid.uuid5(uuid.NAMESPACE_URL, "game-analytics-pipeline")
_identifier = re.compile(ids.PLAYER)
_leading_number = re.compile("[0-9]{1,4}")
_app_version = re.compile(r"[0-9]+(\.[0-9]+){0,3}([.+-][0-9A-Za-z.-]+)?")

# Where a field of a purchase comes from, for the pointer of a refusal.
PURCHASE_FIELDS = {
    "transaction_id": "transaction_id",
    "currency": "currency_type",
    "amount_minor": "currency_amount",
    "quantity": "item_amount",
    "product_id": "item_id",
}
RESULTS = {
    "win": ("win", "won", "victory"),
    "loss": ("loss", "lose", "lost", "defeat"),
    "draw": ("draw", "tie"),
    "abandoned": ("abandoned", "disconnected", "kicked", "left", "quit"),
}
METHODS = ("guest", "email", "platform", "social")
_result_of = {name: result for result, names in RESULTS.items() for name in names}

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=128)]
Fields = dict[str, Any]


class GuidanceEvent(msgspec.Struct):
    """What the guidance demands of an event; times are Unix seconds (or milliseconds)."""

    event_id: Name
    event_type: Name
    event_timestamp: Annotated[float, msgspec.Meta(ge=0, le=253402300799999)]
    event_name: Text = ""
    event_version: Text = ""
    app_version: Text = ""
    event_data: Fields = {}


class Rules(msgspec.Struct, frozen=True):
    """How a game's events are translated.

    `player` and `session` are fields of event_data, of which the first that is there counts. `types` are
    the types that the key may send: of others, a `design` event is made. `currency` is that of money which
    names none: other products leave it out.
    """

    player: tuple[str, ...] = PLAYER_FIELDS
    session: tuple[str, ...] = SESSION_FIELDS
    types: frozenset[str] | None = None
    currency: str = ""

    @classmethod
    def of(cls, game: Mapping[str, Any] | None, key_class: KeyClass = "server") -> "Rules":
        """Return those of a game's item; its own fields (`guidance_fields`) come before the usual ones."""
        own = (game or {}).get("guidance_fields", {})
        types = ClientLimits.of(game or {}).types if key_class == "client" else None
        return cls(
            (*own.get("player", ()), *PLAYER_FIELDS),
            (*own.get("session", ()), *SESSION_FIELDS),
            types,
            (game or {}).get("revenue_currency", ""),
        )

    @property
    def own(self) -> frozenset[str]:
        """The fields that the game named itself."""
        return frozenset({*self.player, *self.session} - {*PLAYER_FIELDS, *SESSION_FIELDS})


USUAL = Rules()


def application_of(value: Any) -> str | None:
    """Return the application of an event that version 1 of the guidance put on a stream; None for others."""
    if not isinstance(value, dict) or set(value) != {"event", "application_id"}:
        return None
    application = value["application_id"]
    return application if isinstance(application, str) and 0 < len(application) <= MAX_GAME else None


def translate(value: Any, game_id: str, received_at: datetime, rules: Rules = USUAL) -> Event:
    """Return {"event": …, "application_id": …} or its inner event alone in the native envelope.

    A type we know is translated, another becomes a `design` event with event_data in payload.extra. So does
    one of a known type with too little data, except a purchase: that is refused, with the field at fault.
    Raises Rejection: schema_violation, wrong_game.
    """
    wrapped = isinstance(value, dict) and "event" in value
    prefix = "/event" if wrapped else ""
    application = value.get("application_id") if wrapped else None
    if application not in (None, game_id):
        raise Rejection(Reason.WRONG_GAME, f"the key belongs to {game_id}", "/application_id")
    inner = value["event"] if wrapped else value
    try:
        source = msgspec.convert(inner, GuidanceEvent)
    except msgspec.ValidationError:
        errors = [_placed(error, prefix) for error in field_errors(inner, _form(), {})]
        raise Rejection.of(Reason.SCHEMA_VIOLATION, errors) from None
    try:
        orjson.dumps(source.event_data)
    except orjson.JSONEncodeError:
        raise Rejection(
            Reason.SCHEMA_VIOLATION, "no event is nested as deep as this", f"{prefix}/event_data"
        ) from None
    envelope = _envelope(source, game_id, received_at, rules)
    for event_type, payload in _payloads(source, rules):
        event = envelope | {"event_type": event_type, "schema_version": "1-0-0", "payload": payload}
        try:
            return validate(event)
        except Rejection as rejection:
            refused = rejection
            refused_type = event_type
    if refused_type == "purchase":
        raise _no_purchase(source.event_data, refused, prefix)
    raise refused


@cache
def _form() -> dict[str, Any]:
    """Return the JSON Schema of GuidanceEvent, to explain errors by."""
    form: dict[str, Any] = msgspec.json.schema(GuidanceEvent)["$defs"][GuidanceEvent.__name__]
    return form


def _placed(error: FieldError, prefix: str) -> FieldError:
    return FieldError(prefix + error.pointer, error.message, prefix + error.named)


def _no_purchase(data: Fields, refused: Rejection, prefix: str) -> Rejection:
    """Return why an event is no purchase in the words of who sent it."""
    errors = [_in_event_data(data, error, prefix) for error in refused.errors]
    return Rejection.of(Reason.SCHEMA_VIOLATION, errors)


def _in_event_data(data: Fields, error: FieldError, prefix: str) -> FieldError:
    """Return an error of a purchase's payload as one of the field that it was made of."""
    field = PURCHASE_FIELDS.get(error.pointer.removeprefix("/payload/"))
    if not field:
        return error
    value = data.get(field)
    match field:
        case "currency_type":
            message = f"{value!r} is no currency of ISO 4217"
        case "currency_amount":
            message = f"{value!r} is no amount above 0 in whole minor units of the currency"
        case _:
            name = error.pointer.removeprefix("/")
            message = error.message.replace(name.replace("/", "."), f"event_data.{field}")
    pointer = f"{prefix}/event_data/{field}"
    return FieldError(pointer, clipped(message), pointer)


def _envelope(source: GuidanceEvent, game_id: str, received_at: datetime, rules: Rules) -> Fields:
    data = source.event_data
    seconds = source.event_timestamp
    happened = datetime.fromtimestamp(seconds / 1000 if seconds >= MILLISECONDS_FROM else seconds, UTC)
    event_id = stable_uuid(source.event_id, game_id)
    named = first_text(data, rules.session)
    player = first_text(data, rules.player)
    player_id = stored_player(player) if player else _anonymous(named, event_id)
    session = named or happened.date().isoformat()
    return {
        "event_id": str(event_id),
        "game_id": game_id,
        "player_id": player_id,
        "session_id": str(stable_uuid(session, game_id, player_id)),
        # The guidance counts no events in a session: any number that is the same when sent again.
        "sequence": event_id.int % 2**31,
        "event_time": timestamp(happened),
        "sent_at": timestamp(received_at),
        "client": {
            "platform": normalisation.platform(str(data.get("platform", ""))),
            "app_version": app_version(source.app_version),
            "sdk": GUIDANCE_SDK,
        },
    }


def _anonymous(session: str | None, event_id: uuid.UUID) -> str:
    """Return the player of an event that names none: one for each session, or one of a few names."""
    if session:
        return f"anonymous-{hashlib.sha256(session.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    return f"anonymous-{event_id.int % ANONYMOUS:02}"


def _payloads(source: GuidanceEvent, rules: Rules) -> Iterator[tuple[str, Fields]]:
    """Yield what the event may be, the most telling first."""
    # Version 1 of the guidance sends the type "client" and the meaning in event_name.
    if known := KNOWN.get(source.event_type) or KNOWN.get(source.event_name):
        event_type, payload, used = known
        found = payload(source)
        rest = {
            name: value
            for name, value in source.event_data.items()
            if name not in rules.player + rules.session
            and name != "platform"
            and not (name in used and str(value) in map(str, found.values()))
        }
        others = dict(flat(rest))
        if event_type == "purchase" or rules.types is None or event_type in rules.types:
            if 0 < len(others) <= MAX_EXTRA:
                yield event_type, found | {"extra": others}
            yield event_type, found
        if event_type == "purchase":
            return
    parts = [source.event_type, *([source.event_name] if source.event_name != source.event_type else [])]
    named = [re.sub(r"[^A-Za-z0-9_-]+", "_", part)[:60] for part in parts if part]
    extra: Fields = {"event_version": source.event_version} if source.event_version else {}
    for key, value in flat({n: v for n, v in source.event_data.items() if n not in rules.own}):
        extra[key if key not in extra else f"{key}_{len(extra)}"] = value
    if len(extra) > MAX_EXTRA:
        message = f"event_data holds {len(extra)} fields, at most {MAX_EXTRA} are taken"
        raise Rejection(Reason.SCHEMA_VIOLATION, message, "/event_data")
    yield "design", {"name": ":".join(named), "extra": extra}


def _purchase(source: GuidanceEvent) -> Fields:
    data = source.event_data
    currency = currency_code(str(data.get("currency_type", "")))
    try:
        amount = Decimal(str(data.get("currency_amount")).strip())
    except ArithmeticError:
        amount = None
    return {
        "transaction_id": unique(first_text(data, ("transaction_id",)) or source.event_id),
        "currency": currency,
        "amount_minor": minor_units(amount, currency),
        "quantity": data.get("item_amount", 1),
        "store": "other",
        "product_id": unique(first_text(data, ("item_id",)) or "unknown"),
    }


def currency_code(named: str) -> str:
    """Return ISO 4217's code of a currency, or the name as it is where it has none."""
    name = named.strip().upper()
    return CURRENCIES.get(name, name)


def minor_units(amount: Decimal | None, currency: str) -> int | None:
    """Return an amount of the major unit in whole minor units; None where it is none above 0."""
    if amount is None:
        return None
    try:
        minor = amount.scaleb(minor_digits(currency))
        nearest = minor.to_integral_value()
        return int(nearest) if 0 < nearest < MAX_AMOUNT and abs(minor - nearest) <= ROUNDING else None
    except ArithmeticError:
        return None


def app_version(text: str) -> str:
    """Return a version that the envelope takes, "0" for other text."""
    return text if _app_version.fullmatch(text) else "0"


def _progression(status: str) -> Callable[[GuidanceEvent], Fields]:
    return lambda source: {"status": status, "level_1": _label(source.event_data, "level_id")}


def _registration(source: GuidanceEvent) -> Fields:
    method = (first_text(source.event_data, ("registration_method", "method")) or "").lower()
    return {"method": method if method in METHODS else "guest"}


def _tutorial(source: GuidanceEvent) -> Fields:
    """A screen such as "2_MOVEMENT" is the second step; one without a number is none."""
    screen = first_text(source.event_data, ("tutorial_screen_id",)) or ""
    number = first_text(source.event_data, ("step",)) or screen
    found = _leading_number.match(number)
    return {
        "step": int(found[0]) if found else None,
        "status": "complete",
    } | ({"name": _label(source.event_data, "tutorial_screen_id")} if screen else {})


def _match(source: GuidanceEvent) -> Fields:
    data = source.event_data
    mode = first_text(data, ("match_type", "mode", "game_mode"))
    return {
        "match_id": unique(first_text(data, ("match_id",)) or "", MAX_LABEL),
        "mode": plain(mode, MAX_LABEL) if mode else "unknown",
    }


def _match_start(source: GuidanceEvent) -> Fields:
    named = first_text(source.event_data, ("map_id",))
    return _match(source) | ({"map": plain(named, MAX_LABEL)} if named else {})


def _match_end(source: GuidanceEvent) -> Fields:
    named = first_text(source.event_data, ("match_result_type", "result")) or ""
    return _match(source) | {"result": _result_of.get(named.lower()), "duration_seconds": _seconds(source)}


def _logout(source: GuidanceEvent) -> Fields:
    return {"duration_seconds": _seconds(source)}


def _seconds(source: GuidanceEvent) -> int:
    """Return the length that the event tells, 0 where it tells none: most games of the guidance do not."""
    given = (source.event_data.get(name) for name in ("duration_seconds", "session_duration", "duration"))
    return next((int(value) for value in given if isinstance(value, int | float) and 0 <= value <= WEEK), 0)


# By their type: ours, the payload, and the fields of event_data that go into it.
KNOWN: dict[str, tuple[str, Callable[[GuidanceEvent], Fields], frozenset[str]]] = {
    "iap_transaction": ("purchase", _purchase, frozenset(PURCHASE_FIELDS.values())),
    "level_completed": ("progression", _progression("complete"), frozenset({"level_id"})),
    "level_failed": ("progression", _progression("fail"), frozenset({"level_id"})),
    "level_started": ("progression", _progression("start"), frozenset({"level_id"})),
    "login": ("session_start", lambda _: {}, frozenset()),
    "logout": ("session_end", _logout, frozenset({"duration", "duration_seconds", "session_duration"})),
    "match_end": (
        "match_end",
        _match_end,
        frozenset({"duration_seconds", "match_id", "match_type", "mode", "game_mode"}),
    ),
    "match_start": (
        "match_start",
        _match_start,
        frozenset({"map_id", "match_id", "match_type", "mode", "game_mode"}),
    ),
    "tutorial_progression": ("tutorial_step", _tutorial, frozenset({"step", "tutorial_screen_id"})),
    "user_registration": ("player_registered", _registration, frozenset({"method", "registration_method"})),
}


def _label(data: Fields, field: str) -> str:
    return plain(first_text(data, (field,)) or "", MAX_LABEL)


def plain(text: str, limit: int) -> str:
    """Return a name that the schemas take: "World 1" is "World_1". A name in other letters is its hash."""
    name = re.sub(r"[^A-Za-z0-9_.:/-]+", "_", text).lstrip("_.:/-")[:limit]
    if not text or (name and text.isascii()):
        return name
    return "h-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def unique(text: str, limit: int = MAX_TEXT) -> str:
    """Return an id that the schemas take; one that must change stays different from all others."""
    name = plain(text, limit)
    if name == text:
        return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name[: limit - 9]}-{digest}".lstrip("-")


def flat(data: Fields, prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """Yield the scalars of nested objects by their joined names; a list stays JSON text."""
    for name, value in data.items():
        key = prefix + re.sub(r"[^a-z0-9_]+", "_", name.lower())
        key = (key if key[:1].isalpha() else f"x_{key}")[:60]
        if isinstance(value, dict) and depth < MAX_DEPTH:
            yield from flat(value, f"{key}_", depth + 1)
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


def stable_uuid(text: str, *scope: str) -> uuid.UUID:
    """Return the UUID that the text is, else one made from it that is the same each time."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid5(_namespace, "/".join((*scope, text)))
