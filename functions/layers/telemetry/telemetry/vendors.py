"""Events of GameAnalytics, Unity Analytics and Amplitude as events of ours: docs/moving-over.md.

Each vendor is a row of VENDORS, and one translator reads it. The rules are those of the guidance's envelope.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from telemetry import normalisation
from telemetry.enrichment import timestamp
from telemetry.event import Event
from telemetry.field_errors import MAX_ERRORS, FieldError, clipped
from telemetry.guidance import (
    MAX_EXTRA,
    MILLISECONDS_FROM,
    USUAL,
    WEEK,
    Rules,
    app_version,
    currency_code,
    flat,
    minor_units,
    plain,
    stable_uuid,
    stored_player,
    unique,
)
from telemetry.ingest_batch import Envelope
from telemetry.money import MICROS_DIGITS
from telemetry.products import recognised
from telemetry.rejection import Reason, Rejection
from telemetry.validation import validate

MAX_NAME = 128
MAX_LABEL = 64
MAX_MICROS = 10**12
MAX_NUMBER = 10**30
MAX_DIGITS = 400
YEAR_9999 = 253402300799
# They identify a device beyond the game, and serve no metric.
DEVICE_IDS = frozenset({"idfa", "idfv"})

Fields = dict[str, Any]
_printable = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_country = re.compile("[A-Za-z]{2}")
_offset = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")
_code = re.compile(r"[^\s:(\[{]+")


class Source:
    """An event as it was sent; its fields are read by paths such as "eventParams/platform"."""

    def __init__(self, vendor: "Vendor", value: Fields, rules: Rules) -> None:
        self.vendor, self.value, self.rules = vendor, value, rules
        self.event_id = ""

    def get(self, path: str) -> Any:
        """Return the value of a field, None where it is not there."""
        found: Any = self.value
        for name in path.split("/"):
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def text(self, *paths: str) -> str:
        """Return the first of the fields that holds a text or a number, as text; "" for none."""
        for path in paths:
            value = self.get(path)
            if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
                return str(value)
        return ""

    def number(self, *paths: str) -> Decimal | None:
        """Return the first of the fields that is there as a number, None for none."""
        given = next((value for path in paths if (value := self.get(path)) is not None), None)
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            return None
        try:
            value = Decimal(str(given).strip())
        except ArithmeticError:
            return None
        # Comparing is exact. Arithmetic with an exponent of a million would fail.
        if not value.is_finite() or not -MAX_NUMBER < value < MAX_NUMBER:
            return None
        return value if value.adjusted() > -MAX_DIGITS else Decimal(0)

    def is_money(self, *paths: str) -> bool:
        """Tell whether one of the fields holds anything but nothing: 0 is no revenue."""
        return any(self.get(path) not in (None, "", False) and self.number(path) != 0 for path in paths)

    def parts(self, path: str) -> list[str]:
        """Return the parts of an id such as "Start:world:level"."""
        return [part for part in self.text(path).split(":") if part]

    def own(self, *used: str) -> Fields:
        """Return the fields that the sender chose, without those that are used elsewhere.

        Fields of the envelope's `client` and ids of the device are left out.
        """
        known = {*used, *(path for paths in self.vendor.client.values() for path in paths)}
        own: Fields = {}
        for member in self.vendor.own:
            value = self.value.get(member)
            for name, item in (value if isinstance(value, dict) else {"": value}).items():
                path = f"{member}/{name}" if name else member
                if item is None or path in known or name in DEVICE_IDS:
                    continue
                key = name or member
                own[key if key not in own else path] = item
        return own


class Design(NamedTuple):
    """A `design` event: its fields, what its `extra` is made of, and the field that its `value` is from."""

    fields: Fields
    own: Fields
    value: str = ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What an event becomes. `payload` makes its payload, None where this event has no counterpart.

    `places` says for fields of the payload which field of the vendor they come from. It names the field
    at fault in a refusal, and keeps it out of `extra`. Money is refused rather than kept as a `design` event.
    """

    event_type: str
    payload: Callable[[Source], Fields | None]
    places: Mapping[str, str] = field(default_factory=dict)
    is_money: Callable[[Source], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class Vendor:
    """How events of a product are read: the names of its fields, and what its events become.

    `batch` is the member of a body that holds its events, "" where the body itself is the list. `own` are
    the members with fields that the sender chose. `client` names the fields of the envelope's `client`.
    `any_event` is tried before `types`, whatever the event's name.
    """

    title: str
    sdk: str
    paths: tuple[str, ...]
    batch: str
    name: str
    event_id: str
    player: tuple[str, ...]
    session: str
    time: str
    client: Mapping[str, tuple[str, ...]]
    own: tuple[str, ...]
    design: Callable[[Source], Design]
    types: Mapping[str, Mapped]
    any_event: Mapped | None = None


def translate(name: Envelope, value: Any, game_id: str, received_at: datetime, rules: Rules = USUAL) -> Event:
    """Return an event of a vendor in the native envelope. Raises Rejection: schema_violation.

    An event that has a counterpart is translated. Another one, or one with too little data, becomes a
    `design` event, except money: that is refused, with the field at fault.
    """
    vendor = VENDORS[name]
    if not isinstance(value, dict):
        raise _refused("", f"an event of {vendor.title} is an object")
    try:
        raw = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        raise _refused("", "no event is nested as deep as this") from None
    source = Source(vendor, value, rules)
    envelope = _envelope(source, raw, game_id, received_at)
    refused = _refused("", "the event has no counterpart")
    for event_type, payload, places in _candidates(source):
        event = envelope | {"event_type": event_type, "schema_version": "1-0-0", "payload": payload}
        try:
            return validate(event)
        except Rejection as rejection:
            refused = _placed(rejection, vendor, places)
    raise refused


def _refused(path: str, message: str) -> Rejection:
    pointer = f"/{path}" if path else ""
    return Rejection.of(Reason.SCHEMA_VIOLATION, [FieldError(pointer, clipped(message), pointer)])


def _missing(vendor: Vendor, value: Fields, path: str, message: str) -> Rejection:
    """Return why an event is none of the vendor's, with what to do where it is another product's."""
    product = recognised(value)
    if product and product.name != vendor.title:
        return _refused("", product.message)
    return _refused(path, message)


def _envelope(source: Source, raw: bytes, game_id: str, received_at: datetime) -> Fields:
    vendor, value = source.vendor, source.value
    name = value.get(vendor.name)
    if not isinstance(name, str) or not name:
        raise _missing(vendor, value, vendor.name, f'"{vendor.name}" must be the name of an event')
    player = source.text(*vendor.player)
    if not player:
        fields = " or ".join(f'"{path}"' for path in vendor.player)
        raise _missing(vendor, value, vendor.player[0], f"{fields} must name the player")
    player_id = stored_player(player)
    happened = _time(source, received_at)
    named = source.text(vendor.event_id)
    if not named:
        # The event itself is its id: a copy has the same. Without a time, a later one would have it too.
        moment = timestamp(received_at) if source.get(vendor.time) is None else ""
        named = hashlib.sha256(moment.encode() + raw).hexdigest()
    event_id = stable_uuid(named, game_id, vendor.sdk, player_id)
    source.event_id = str(event_id)
    session = source.text(vendor.session)
    if session in ("", "-1"):
        session = happened.date().isoformat()
    return {
        "event_id": str(event_id),
        "game_id": game_id,
        "player_id": player_id,
        "session_id": str(stable_uuid(session, game_id, player_id)),
        # These products do not number the events of a session: any number that is the same when sent again.
        "sequence": event_id.int % 2**31,
        "event_time": timestamp(happened),
        "sent_at": timestamp(received_at),
        "client": _client(source),
    }


def _time(source: Source, received_at: datetime) -> datetime:
    """Return the time of the event, from Unix time or ISO 8601; without one, the time of arrival."""
    path = source.vendor.time
    given = source.get(path)
    if given is None:
        return received_at
    try:
        if isinstance(given, str) and not given.isdigit():
            if len(given) > MAX_LABEL:
                raise ValueError
            moment = datetime.fromisoformat(_offset.sub("", given.strip()))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        number = source.number(path)
        if number is None:
            raise ValueError
        seconds = number / 1000 if number >= MILLISECONDS_FROM else number
        if not 0 <= seconds <= YEAR_9999:
            raise ValueError
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError):
        raise _refused(path, f'"{path}" must be the time of the event') from None


def _client(source: Source) -> Fields:
    fields = {name: source.text(*paths) for name, paths in source.vendor.client.items()}
    client: Fields = {
        "platform": normalisation.platform(fields.pop("platform", "")),
        "app_version": app_version(fields.pop("app_version", "")),
        "sdk": source.vendor.sdk,
    }
    for name, text in fields.items():
        match name:
            case "country":
                kept = text.upper() if _country.fullmatch(text) else None
            case "locale":
                kept = normalisation.locale(text)
            case _:
                kept = text if _printable.fullmatch(text) else None
        if kept:
            client[name] = kept
    return client


def _candidates(source: Source) -> Iterator[tuple[str, Fields, Mapping[str, str]]]:
    """Yield what the event may be, the most telling first, and where its fields come from."""
    vendor, rules = source.vendor, source.rules
    mapped = vendor.any_event if vendor.any_event and vendor.any_event.is_money(source) else None
    mapped = mapped or vendor.types.get(source.value[vendor.name])
    if mapped and (payload := mapped.payload(source)) is not None:
        is_money = mapped.is_money(source)
        if is_money or rules.types is None or mapped.event_type in rules.types:
            others = dict(flat(source.own(*mapped.places.values())))
            if 0 < len(others) <= MAX_EXTRA:
                yield mapped.event_type, payload | {"extra": others}, mapped.places
            yield mapped.event_type, payload, mapped.places
        if is_money:
            return
    design = vendor.design(source)
    extra: Fields = {}
    for key, item in flat(design.own):
        extra[key if key not in extra else f"{key}_{len(extra)}"] = item
    if len(extra) > MAX_EXTRA:
        message = f"the event holds {len(extra)} fields of its own, at most {MAX_EXTRA} are taken"
        raise _refused(vendor.own[0], message)
    places = {"name": vendor.name, "extra": vendor.own[0], "value": design.value}
    yield "design", design.fields | ({"extra": extra} if extra else {}), places


def _placed(rejection: Rejection, vendor: Vendor, places: Mapping[str, str]) -> Rejection:
    """Return errors of a translated event as errors of the fields that they come from."""
    known = {"/event_id": vendor.event_id, "/event_time": vendor.time}
    known |= {f"/payload/{name}": path for name, path in places.items()}
    found: dict[str, FieldError] = {}
    for error in rejection.errors:
        name = error.pointer if error.pointer in known else error.pointer.rpartition("/")[0]
        if name not in known:
            found.setdefault(error.pointer, error)
            continue
        path = f"{known[name]}{error.pointer.removeprefix(name)}"
        message = f'"{path.replace("/", ".")}" does not fit: {error.message}'
        if name == "/payload/currency":
            message += "; scripts/games revenue-currency sets the currency of money that names none"
        found.setdefault(path, FieldError(clipped(f"/{path}"), clipped(message), f"/{known[name]}"))
    return Rejection.of(rejection.reason, list(found.values())[:MAX_ERRORS])


def _name(*parts: str) -> str:
    """Return the name of a `design` event: up to five parts in the letters that its schema takes."""
    whole = ":".join([part for part in map(_part, parts) if part][:5]) or "unnamed"
    return whole if len(whole) <= MAX_NAME else f"{whole[: MAX_NAME - 9]}-{_digest(whole)}"


def _part(text: str) -> str:
    if not text.isascii():
        return f"h-{_digest(text)}"
    part = re.sub("[^A-Za-z0-9_-]+", "_", text).lstrip("_-")
    return part if len(part) <= MAX_LABEL else f"{part[: MAX_LABEL - 9]}-{_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _label(text: str) -> str | None:
    """Return a label that the schemas take, None for no text."""
    return plain(text, MAX_LABEL) or None


def _whole(number: Decimal | None) -> int | None:
    return int(number) if number is not None and number == number.to_integral_value() else None


def _seconds(source: Source, path: str) -> int:
    """Return a length, 0 if the event has none."""
    number = source.number(path)
    return int(number) if number is not None and 0 <= number <= WEEK else 0


def _micros(amount: Decimal | None, digits: int = MICROS_DIGITS) -> int | None:
    """Return an amount of advertising revenue in millionths of the currency's unit."""
    scaled = None if amount is None else amount.scaleb(digits)
    return int(scaled.to_integral_value()) if scaled is not None and 0 <= scaled <= MAX_MICROS else None


def _without_nothing(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value not in (None, "")}


# GameAnalytics: https://docs.gameanalytics.com/integrations/api and /event-types


def _ga_business(source: Source) -> Fields:
    """An amount is the price times a hundred, whatever the currency's minor unit is."""
    currency = currency_code(source.text("currency") or source.rules.currency)
    amount = source.number("amount")
    store = {"apple": "apple", "google_play": "google"}.get(source.text("receipt_info/store"), "other")
    return {
        "transaction_id": source.event_id,
        "currency": currency,
        "amount_minor": minor_units(None if amount is None else amount / 100, currency),
        "quantity": 1,
        "store": store,
        "product_id": unique(source.text("event_id") or "unknown"),
    }


def _ga_progression(source: Source) -> Fields:
    status, *levels = source.parts("event_id") or [""]
    fields = {"status": status.lower(), "attempt": _whole(source.number("attempt_num")) or None}
    return _without_nothing(fields | {f"level_{n}": _label(level) for n, level in enumerate(levels[:3], 1)})


def _ga_error(source: Source) -> Fields:
    message = source.text("message")
    found = _code.search(message)
    code = unique(found[0], MAX_LABEL) if found else "unknown"
    fields = {"severity": source.text("severity").lower(), "code": code or "unknown"}
    return fields | {"message": message[:1024]}


def _ga_ad(source: Source) -> Fields | None:
    """Only an advertisement that was shown is an impression."""
    if source.text("ad_action").lower() != "show":
        return None
    return {
        "network": _label(source.text("ad_sdk_name")),
        "placement": _label(source.text("ad_placement")),
        "format": _ad_format(source.text("ad_type")),
    }


def _ga_impression(source: Source) -> Fields:
    """What the SDK of an advertising network tells goes along as it is, so units and names differ by network.

    AdMob gives revenue in millionths. MAX and ironSource give dollars and name no currency.
    """
    sdk = source.text("ad_network_name").lower()
    usual = "USD" if sdk in ("max", "ironsource") else source.rules.currency
    currency = currency_code(source.text("impression_data/currency") or usual)
    revenue = _micros(source.number("impression_data/revenue"), 0 if sdk == "admob" else MICROS_DIGITS)
    money = {"revenue_micros": revenue, "currency": currency}
    placement = source.text("impression_data/placement", "impression_data/adunit_id")
    network = source.text("impression_data/network", "impression_data/ad_network", "ad_network_name")
    forms = ("adunit_format", "ad_format", "ad_unit")
    return {
        "network": _label(network),
        "placement": _label(placement) or "unknown",
        "format": _ad_format(source.text(*(f"impression_data/{form}" for form in forms))),
    } | (money if source.is_money("impression_data/revenue") else {})


AD_FORMATS = {
    "banner": ("banner", "leader", "mrec"),
    "interstitial": ("interstitial", "inter"),
    "rewarded": ("rewarded", "rewardedvideo", "rewardedinterstitial", "rewardedinter"),
    "native": ("native",),
    "playable": ("playable",),
}
_format_of = {name: form for form, names in AD_FORMATS.items() for name in names}


def _ad_format(text: str) -> str | None:
    return _format_of.get(re.sub("[^a-z]", "", text.lower()))


def _ga_design(source: Source) -> Design:
    category, parts = source.value["category"], source.parts("event_id")
    is_design = category == "design"
    path = "value" if is_design else "amount"
    name = _name(*parts) if is_design and parts else _name(category, *parts)
    number = source.number(path)
    if number is None:
        return Design({"name": name}, source.own("event_id"))
    value = int(number) if number == number.to_integral_value() else float(number)
    return Design({"name": name, "value": value}, source.own("event_id", path), path)


# Unity Analytics: https://docs.unity.com/en-us/analytics/rest-api and /events/standard-events


REAL_CURRENCY = "eventParams/productsSpent/realCurrency"


def _unity_transaction(source: Source) -> Fields | None:
    """What was paid for in money is a purchase; amounts are in minor units already."""
    if not source.is_money(f"{REAL_CURRENCY}/realCurrencyAmount") and source.get(REAL_CURRENCY) is None:
        return None
    servers = {"APPLE": "apple", "GOOGLE": "google", "VALVE": "steam"}
    return {
        "transaction_id": unique(source.text("eventParams/transactionID") or source.event_id),
        "currency": currency_code(source.text(f"{REAL_CURRENCY}/realCurrencyType") or source.rules.currency),
        "amount_minor": _whole(source.number(f"{REAL_CURRENCY}/realCurrencyAmount")),
        "quantity": 1,
        "store": servers.get(source.text("eventParams/transactionServer").upper(), "other"),
        "product_id": unique(
            source.text("eventParams/productID", "eventParams/transactionName") or "unknown"
        ),
    }


def _unity_ad(source: Source) -> Fields:
    """The event gives revenue per thousand impressions, in dollars."""
    completed = {"COMPLETED": True, "PARTIAL": False, "INCOMPLETE": False}
    money = {"revenue_micros": _micros(source.number("eventParams/adEcpmUsd"), 3), "currency": "USD"}
    fields = {
        "network": _label(source.text("eventParams/adProvider")),
        "placement": _label(
            source.text("eventParams/placementName", "eventParams/placementId", "eventParams/placementID")
        ),
        "format": _ad_format(source.text("eventParams/placementType")),
        "completed": completed.get(source.text("eventParams/adCompletionStatus").upper()),
    } | (money if source.is_money("eventParams/adEcpmUsd") else {})
    return {name: value for name, value in fields.items() if name != "completed" or value is not None}


def _unity_end(source: Source) -> Fields:
    """How long the game ran is not told."""
    reasons = {"QUIT": "exit", "PAUSED": "background", "KILLEDINBACKGROUND": "background"}
    reason = reasons.get(source.text("eventParams/sessionEndState").upper().replace("_", ""))
    return {"duration_seconds": 0} | ({"end_reason": reason} if reason else {})


# Amplitude: https://amplitude.com/docs/apis/analytics/http-v2

REVENUE = ("revenue", "event_properties/$revenue")
PRICE = ("price", "event_properties/$price")
QUANTITY = ("quantity", "event_properties/$quantity")


def _amplitude_purchase(source: Source) -> Fields:
    """The event gives revenue, or a price and a quantity, in the currency's major unit."""
    currency = currency_code(source.text("currency", "event_properties/$currency") or source.rules.currency)
    is_told = any(source.get(path) is not None for path in QUANTITY)
    count = source.number(*QUANTITY) if is_told else Decimal(1)
    amount, price = source.number(*REVENUE), source.number(*PRICE)
    if not source.is_money(*REVENUE):
        amount = None if price is None or count is None else price * count
    return {
        "transaction_id": source.event_id,
        "currency": currency,
        "amount_minor": minor_units(amount, currency),
        "quantity": _whole(count),
        "store": "other",
        "product_id": unique(source.text("productId", "event_properties/$productId") or "unknown"),
    }


def _amplitude_design(source: Source) -> Design:
    """Properties of the player are kept of the events that exist to set them."""
    name = source.value["event_type"]
    if name in ("$identify", "$groupidentify"):
        own = source.get("user_properties") or source.get("group_properties")
        return Design({"name": _name(name)}, own if isinstance(own, dict) else {})
    return Design({"name": _name(name)}, source.own())


def _nothing(_: Source) -> Fields:
    return {}


VENDORS: dict[str, Vendor] = {
    "gameanalytics": Vendor(
        title="GameAnalytics",
        sdk="gameanalytics",
        paths=(r"(v2/)?[^/]+/events",),
        batch="",
        name="category",
        event_id="event_uuid",
        player=("user_id",),
        session="session_id",
        time="client_ts",
        client={
            "platform": ("platform",),
            "app_version": ("build",),
            "os_version": ("os_version",),
            "device_model": ("device",),
            "country": ("country_code",),
        },
        own=(
            "custom_fields",
            "event_id",
            "custom_01",
            "custom_02",
            "custom_03",
            "value",
            "amount",
            "score",
            "attempt_num",
            "cart_type",
            "currency",
            "length",
            "severity",
            "message",
            "ad_action",
            "ad_type",
            "ad_sdk_name",
            "ad_placement",
            "ad_fail_show_reason",
            "ad_duration",
            "ad_network_name",
            "impression_data",
        ),
        design=_ga_design,
        types={
            "user": Mapped("session_start", _nothing),
            "session_end": Mapped(
                "session_end",
                lambda source: {"duration_seconds": _seconds(source, "length")},
                {"duration_seconds": "length"},
            ),
            "business": Mapped(
                "purchase",
                _ga_business,
                {"currency": "currency", "amount_minor": "amount", "product_id": "event_id"},
                lambda source: source.number("amount") != 0,
            ),
            "progression": Mapped(
                "progression",
                _ga_progression,
                {"status": "event_id", "level_1": "event_id", "attempt": "attempt_num"},
            ),
            "error": Mapped("error", _ga_error, {"severity": "severity", "message": "message"}),
            "ads": Mapped(
                "ad_impression",
                _ga_ad,
                {"network": "ad_sdk_name", "placement": "ad_placement", "format": "ad_type"},
            ),
            "impression": Mapped(
                "ad_impression",
                _ga_impression,
                {
                    "network": "ad_network_name",
                    "placement": "impression_data/placement",
                    "format": "impression_data/adunit_format",
                    "revenue_micros": "impression_data/revenue",
                    "currency": "impression_data/currency",
                },
                lambda source: source.is_money("impression_data/revenue"),
            ),
        },
    ),
    "unity": Vendor(
        title="Unity Analytics",
        sdk="unity-analytics",
        paths=(r"api/analytics/collect/v1/projects/[^/]+/environments/[^/]+",),
        batch="eventList",
        name="eventName",
        event_id="eventUUID",
        player=("userID",),
        session="sessionID",
        time="eventTimestamp",
        client={
            "platform": ("eventParams/platform",),
            "app_version": ("eventParams/clientVersion",),
            "os_version": ("eventParams/osVersion",),
            "device_model": ("eventParams/deviceModel",),
            "locale": ("eventParams/userLocale",),
            "country": ("eventParams/userCountry",),
        },
        own=("eventParams",),
        design=lambda source: Design({"name": _name(source.value["eventName"])}, source.own()),
        types={
            "gameStarted": Mapped("session_start", _nothing),
            "gameEnded": Mapped("session_end", _unity_end, {"end_reason": "eventParams/sessionEndState"}),
            "newPlayer": Mapped("player_registered", lambda _: {"method": "guest"}),
            "transaction": Mapped(
                "purchase",
                _unity_transaction,
                {
                    "transaction_id": "eventParams/transactionID",
                    "currency": "eventParams/productsSpent/realCurrency/realCurrencyType",
                    "amount_minor": "eventParams/productsSpent/realCurrency/realCurrencyAmount",
                    "product_id": "eventParams/productID",
                },
                lambda source: (
                    source.get(REAL_CURRENCY) is not None
                    and source.number(f"{REAL_CURRENCY}/realCurrencyAmount") != 0
                ),
            ),
            "adImpression": Mapped(
                "ad_impression",
                _unity_ad,
                {
                    "network": "eventParams/adProvider",
                    "placement": "eventParams/placementName",
                    "format": "eventParams/placementType",
                    "completed": "eventParams/adCompletionStatus",
                    "revenue_micros": "eventParams/adEcpmUsd",
                },
                lambda source: source.is_money("eventParams/adEcpmUsd"),
            ),
        },
    ),
    "amplitude": Vendor(
        title="Amplitude",
        sdk="amplitude",
        paths=("2/httpapi", "batch"),
        batch="events",
        name="event_type",
        event_id="insert_id",
        player=("user_id", "device_id"),
        session="session_id",
        time="time",
        client={
            "platform": ("platform", "os_name"),
            "app_version": ("app_version", "version_name"),
            "os_version": ("os_version",),
            "device_model": ("device_model",),
            "locale": ("language",),
            "country": ("country",),
        },
        own=("event_properties",),
        design=_amplitude_design,
        types={
            "session_start": Mapped("session_start", _nothing),
            "session_end": Mapped("session_end", lambda _: {"duration_seconds": 0}),
        },
        any_event=Mapped(
            "purchase",
            _amplitude_purchase,
            {
                "currency": "event_properties/$currency",
                "amount_minor": "event_properties/$revenue",
                "quantity": "event_properties/$quantity",
                "product_id": "event_properties/$productId",
            },
            lambda source: source.is_money(*REVENUE, *PRICE),
        ),
    ),
}
