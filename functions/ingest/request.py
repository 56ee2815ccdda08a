"""The HTTP side of the REST door: what a request must be, and the answers it can get."""

import base64
from collections.abc import Mapping
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError
from telemetry import games
from telemetry.decoding import GZIP_MAGIC, Decoded, decode, decompress
from telemetry.games import GameRegistry
from telemetry.rejection import Reason, Rejection

MAX_BODY_BYTES = 1_000_000
MAX_EVENTS = 500


class RequestError(Exception):
    """The request as a whole is refused: no event of it was taken."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """`code` is for programs, `message` for people; neither repeats a key."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> dict[str, Any]:
        """Return the proxy response of API Gateway."""
        body = {"error": {"code": self.code, "message": self.message}}
        return response(self.status, body, **({"retry-after": "2"} if self.status == 503 else {}))


def response(status: int, body: Mapping[str, Any], **headers: str) -> dict[str, Any]:
    """Return a proxy response with a JSON body."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"} | headers,
        "body": orjson.dumps(body).decode(),
    }


def authenticate(headers: Mapping[str, str], registry: GameRegistry) -> str:
    """Return the game the request's key belongs to; raises RequestError 401, 403 or 503."""
    game_id, _, secret = headers.get("x-api-key", "").partition(".")
    if not (game_id and secret):
        raise RequestError(401, "missing_key", 'header x-api-key must be "<game_id>.<secret>"')
    try:
        game = registry.get(game_id) if len(game_id) <= 63 else None
    except (ClientError, BotoCoreError):
        raise RequestError(503, "unavailable", "keys cannot be checked now, send the events again") from None
    if game is None or not games.matches(game, secret):
        raise RequestError(401, "bad_key", "no live key of a registered game")
    if game["status"] != "active":
        raise RequestError(403, "game_disabled", f"game {game_id} is disabled")
    return game_id


def events(request: Mapping[str, Any]) -> list[Decoded]:
    """Return the events of the body; raises RequestError 400 for no JSON, 413 beyond a limit."""
    text = request.get("body") or ""
    try:
        data = base64.b64decode(text) if request.get("isBase64Encoded") else text.encode()
        data = decompress(data, MAX_BODY_BYTES)
    except Rejection as rejection:
        raise RequestError(_status(rejection), rejection.reason, rejection.message) from None
    except ValueError as error:
        raise RequestError(400, Reason.MALFORMED_JSON, f"the body cannot be read: {error}") from None
    if len(data) > MAX_BODY_BYTES:
        raise RequestError(413, Reason.TOO_LARGE, f"a request has at most {MAX_BODY_BYTES} bytes")
    if data.startswith(GZIP_MAGIC):
        raise RequestError(400, Reason.MALFORMED_JSON, "the body is compressed twice")
    found = list(decode(data))
    if not found:
        raise RequestError(400, "no_events", "the request holds no event")
    if len(found) > MAX_EVENTS:
        raise RequestError(413, "too_many_events", f"a request has at most {MAX_EVENTS} events")
    first = found[0].rejection
    if len(found) == 1 and first:
        raise RequestError(_status(first), first.reason, first.message)
    return found


def _status(rejection: Rejection) -> int:
    return 413 if rejection.reason is Reason.TOO_LARGE else 400
