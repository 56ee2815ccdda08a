"""The HTTP side of the REST API: what a request must be, and the answers it can get."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
import orjson
from botocore.exceptions import BotoCoreError, ClientError
from telemetry import envelopes, key_classes
from telemetry.decoding import GZIP_MAGIC, Decoded, array_at, decode, decompress, parse, split_array
from telemetry.games import GameRegistry
from telemetry.guidance import Rules
from telemetry.ingest_batch import Envelope
from telemetry.key_classes import KeyClass
from telemetry.products import recognised
from telemetry.quotas import Quotas
from telemetry.rejection import Reason, Rejection
from telemetry.vendors import VENDORS

MAX_BODY_BYTES = 1_000_000
MAX_EVENTS = 500
SIGNATURE = re.compile(r"t=([0-9]{1,12}),sha256=([0-9a-f]{64})", re.ASCII)
# The beginning of the AWS guidance's several events, where the whole cannot be parsed.
GUIDANCE_EVENTS = re.compile(rb'\s*+\{\s*+"events"\s*+:\s*+(?=\[)')
# A request is refused outside of these seconds around the time that its signature covers.
SIGNED_FOR = 300
# Seconds, by status.
RETRY_AFTER = {429: "60", 503: "2"}
# What a page of another origin may read besides the body: cors.json of the Terraform module has the same.
READABLE = {"access-control-expose-headers": "date,retry-after"}


class RequestError(Exception):
    """The request as a whole is refused: no event of it was taken."""

    def __init__(self, status: int, code: str, message: str, kept_as: Reason | None = None) -> None:
        """`code` is for programs, `message` for people; neither repeats a key.

        `kept_as` is the reason by which the quarantine keeps the body, None where it keeps nothing.
        """
        super().__init__(message)
        self.status, self.code, self.message, self.kept_as = status, code, message, kept_as

    def response(self) -> dict[str, Any]:
        """Return the proxy response of API Gateway."""
        body = {"error": {"code": self.code, "message": self.message}}
        return response(
            self.status,
            body,
            **({"retry-after": RETRY_AFTER[self.status]} if self.status in RETRY_AFTER else {}),
        )


@dataclass(frozen=True, slots=True)
class Sender:
    """The game that sends, and the key that its request counts for.

    A sender that has shown the authorizer no secret must sign. Until then its key is only named, or empty.
    """

    game_id: str
    must_sign: bool
    key_class: KeyClass = "client"
    key_id: str = ""


class GuidanceBody(msgspec.Struct):
    """What the AWS guidance's clients post: several events, each bare or wrapped."""

    events: msgspec.Raw


def response(status: int, body: Mapping[str, Any], **headers: str) -> dict[str, Any]:
    """Return a proxy response with a JSON body."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"} | headers,
        "body": orjson.dumps(body).decode(),
    }


def readable_by(origin: str, answer: dict[str, Any], game: Mapping[str, Any]) -> dict[str, Any]:
    """Let a page of this origin read an answer, where the game's setting `origins` has it: docs/adr/0027."""
    origins = game.get("origins", ())
    allowed = "*" if "*" in origins else origin if origin in origins else ""
    headers = READABLE | {"access-control-allow-origin": allowed} if allowed else {}
    return {**answer, "headers": {**answer["headers"], "vary": "origin", **headers}}


def verdict(count: int, results: Sequence[Mapping[str, Any]], taken: int = 202) -> dict[str, Any]:
    """Return the response to `count` events: `taken`, 207, 422, or 503 where none was stored."""
    body = counted(count, results)
    lost = len(results) - body["rejected"]
    if lost == count:
        return response(503, body, **{"retry-after": "2"})
    return response(taken if not results else 207 if body["accepted"] or lost else 422, body)


def counted(count: int, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the body of an answer to `count` events."""
    rejected = sum(result["status"] == "rejected" for result in results)
    return {"accepted": count - len(results), "rejected": rejected, "results": results}


def sender(request: Mapping[str, Any]) -> Sender:
    """Return whom the authorizer found; raises RequestError 403 in the path of another game."""
    found = request["requestContext"]["authorizer"]
    game_id: str = found["game_id"]
    application_id = (request.get("pathParameters") or {}).get("application_id")
    if application_id not in (None, game_id):
        raise RequestError(403, Reason.WRONG_GAME, f"the key belongs to {game_id}")
    key_class, must_sign = key_classes.parse(found.get("key_class")), found.get("must_sign") == "true"
    return Sender(game_id, must_sign, key_class, found.get("key_id", ""))


def body_bytes(request: Mapping[str, Any]) -> bytes:
    """Return the body as it was sent; raises RequestError 400."""
    text = request.get("body") or ""
    try:
        return (
            base64.b64decode(text) if request.get("isBase64Encoded") else text.encode(errors="surrogatepass")
        )
    except ValueError as error:
        raise RequestError(400, Reason.MALFORMED_JSON, f"the body cannot be read: {error}") from None


def signature(secret_hash: str, body: bytes, seconds: int) -> str:
    """Return the value of x-signature for a body that is sent at a time (Unix seconds): docs/adr/0007.

    The key is the SHA-256 of the secret, in hex.
    """
    signed = str(seconds).encode() + b"." + body
    return f"t={seconds},sha256={hmac.new(secret_hash.encode(), signed, hashlib.sha256).hexdigest()}"


def check_signature(
    headers: Mapping[str, str], body: bytes, who: Sender, game: Mapping[str, Any], received_at: datetime
) -> Sender:
    """Check x-signature, which covers the time of sending and the body, by the live keys of the game.

    Returns the sender with the key that signed; a client key's signature leaves a server key its rights.
    Raises RequestError 401 where it is wrong, more than 5 minutes off, or missing though it is demanded;
    what this function remembers of a game and what the authorizer does may differ for a minute: who has
    shown no secret signs in any case.
    """
    given = headers.get("x-signature", "")
    if not given:
        if who.must_sign or game.get("signature") == "required":
            raise RequestError(401, "missing_signature", f"{who.game_id} must sign its requests: x-signature")
        return who
    parts = SIGNATURE.fullmatch(given)
    seconds = int(parts[1]) if parts else 0
    signed_by = [key for key in game.get("key_hashes", ()) if parts and _signs(key, given, body, seconds)]
    if not signed_by:
        raise RequestError(
            401, "bad_signature", "x-signature is not that of this time and body by a live key"
        )
    if abs(received_at.timestamp() - seconds) > SIGNED_FOR:
        raise RequestError(
            401, "stale_signature", f"x-signature is more than {SIGNED_FOR} seconds off our time"
        )
    key = signed_by[0]
    key_class = key_classes.parse(key.get("key_class"))
    if who.key_class == "server" and key_class == "client" and not who.must_sign:
        return who
    return replace(who, key_class=key_class, key_id=key.get("key_id", ""))


def check_enabled(who: Sender, quotas: Quotas) -> None:
    """Refuse keys that are disabled at their quota, as API Gateway does for a key that is shown.

    The authorizer does not know who signs. Raises RequestError 403, and 503 where that cannot be read.
    """
    try:
        is_disabled = quotas.is_disabled(who.game_id, who.key_class)
    except (ClientError, BotoCoreError):
        raise _unavailable() from None
    if is_disabled:
        message = "the game is disabled, or its keys are: a day's events are used up"
        raise RequestError(403, "game_disabled", message)


def _signs(key: Mapping[str, Any], given: str, body: bytes, seconds: int) -> bool:
    return hmac.compare_digest(given, signature(key["hash"], body, seconds))


def game_of(game_id: str, registry: GameRegistry) -> Mapping[str, Any]:
    """Return a game's item, empty for none; raises RequestError 503 where it cannot be read."""
    try:
        return registry.get(game_id) or {}
    except (ClientError, BotoCoreError):
        raise _unavailable() from None


def _unavailable() -> RequestError:
    return RequestError(503, "unavailable", "keys cannot be checked now, send the events again")


def events(body: bytes) -> list[Decoded]:
    """Return the events of a body; raises RequestError 400 for no JSON, 413 beyond a limit."""
    text = _unzipped(body)
    try:
        return _checked(list(decode(text)))
    except RequestError as error:
        raise _advised(error, text) from None


def _advised(error: RequestError, text: bytes, envelope: Envelope = "native") -> RequestError:
    """Return a refusal that says what to change where the body is not of the route's product."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return error
    product = recognised(value)
    if product is None or (envelope in VENDORS and product.name == VENDORS[envelope].title):
        return error
    message = f"{error.message}. {product.message}"
    return RequestError(error.status, error.code, message, error.kept_as)


def guidance_events(body: bytes, game_id: str, received_at: datetime, rules: Rules) -> list[Decoded]:
    """Return the events of a body in the AWS guidance's form, translated; raises RequestError as `events`."""
    text = _unzipped(body)
    try:
        several = msgspec.json.decode(text, type=GuidanceBody).events
        found = [parse(bytes(raw)) for raw in split_array(bytes(several))]
    except (msgspec.DecodeError, RecursionError):
        events_at = GUIDANCE_EVENTS.match(text)
        found = list(decode(text[events_at.end() :] if events_at else text))
    except Rejection as rejection:
        raise _refused(rejection) from None
    return [envelopes.translated("guidance", event, game_id, received_at, rules) for event in _checked(found)]


def vendor_events(
    body: bytes, envelope: Envelope, game_id: str, received_at: datetime, rules: Rules
) -> list[Decoded]:
    """Return the events of a vendor's body, translated; raises RequestError as `events`.

    The body is a list of events, or an object with such a list, or one event.
    """
    text = _unzipped(body)
    member = VENDORS[envelope].batch
    try:
        found = _checked(list(decode(_list_in(text, member) if member else text)))
    except RequestError as error:
        raise _advised(error, text, envelope) from None
    return [envelopes.translated(envelope, event, game_id, received_at, rules) for event in found]


def _list_in(text: bytes, member: str) -> bytes:
    """Return the list that a body holds in this member, the whole body where it holds none.

    In a body that is no JSON, the list is found by its name and its brackets: one broken event must not lose
    the others.
    """
    try:
        outer = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        return bytes(outer[member]) if member in outer else text
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = re.search(rb'"%s"\s*+:\s*+(?=\[)' % member.encode(), text)
        return array_at(text, found.end()) if found else text


def _unzipped(body: bytes) -> bytes:
    try:
        data = decompress(body, MAX_BODY_BYTES)
    except Rejection as rejection:
        raise _refused(rejection) from None
    if len(data) > MAX_BODY_BYTES:
        raise _refused(Rejection(Reason.TOO_LARGE, f"a request has at most {MAX_BODY_BYTES} bytes"))
    if data.startswith(GZIP_MAGIC):
        raise _refused(Rejection(Reason.MALFORMED_JSON, "the body is compressed twice"))
    return data


def _checked(found: list[Decoded]) -> list[Decoded]:
    if not found:
        raise RequestError(400, "no_events", "the request holds no event")
    if len(found) > MAX_EVENTS:
        message = f"a request has at most {MAX_EVENTS} events"
        raise RequestError(413, "too_many_events", message, Reason.TOO_LARGE)
    first = found[0].rejection
    if len(found) == 1 and first:
        raise _refused(first)
    return found


def _refused(rejection: Rejection) -> RequestError:
    status = 413 if rejection.reason is Reason.TOO_LARGE else 400
    return RequestError(status, rejection.reason, rejection.message, rejection.reason)
