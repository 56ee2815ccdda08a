"""Requests to the function ingest, as API Gateway hands them over."""

import base64
import hashlib
import hmac
import json
import time
from functools import cache
from typing import Any

import boto3
import openapi_contract
from ingest import handler
from telemetry.quotas import Quotas


def rest_api_settings(monkeypatch: Any, **limits: int) -> None:
    """Set what the function reads from its environment, and count quotas in moto's table."""
    given = {"events_a_day": 1_000_000, "events_a_minute": 100_000} | limits
    for name, value in {"GAMES_TABLE": "games", "QUOTAS_TABLE": "quotas", "RAW_STREAM": "raw"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LIMITS", json.dumps(given))
    monkeypatch.setattr(handler, "quotas", cache(lambda: Quotas(boto3.client("dynamodb"), "quotas")))
    handler.settings.cache_clear()
    handler.registry.cache_clear()


def post(
    body: bytes, key: str, encoded: bool = True, path: str | None = None, **headers: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Send what API Gateway hands over once the authorizer found the key's game; `path` is the guidance's.

    Every answer must be one that the OpenAPI document has.
    """
    game_id, _, secret = key.partition(".")
    text = base64.b64encode(body).decode() if encoded else body.decode()
    request = {
        "headers": {"X-Api-Key": key} | {name.replace("_", "-"): value for name, value in headers.items()},
        "body": text,
        "isBase64Encoded": encoded,
        "pathParameters": {"application_id": path} if path else None,
        "requestContext": {
            "authorizer": {
                "game_id": game_id,
                "key_id": "k1" if secret else "",
                "must_sign": "false" if secret else "true",
            }
        },
    }
    answer = handler.lambda_handler(request, None)
    openapi_contract.check(answer, "/applications/{application_id}/events" if path else "/v1/events")
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def sign(key: str, body: bytes, ago: float = 0) -> str:
    """Sign as docs/adr/0007 tells clients to, `ago` seconds before now."""
    secret, sent = key.partition(".")[2], str(int(time.time() - ago))
    signing_key = hashlib.sha256(secret.encode()).hexdigest().encode()
    signed = f"{sent}.".encode() + body
    return f"t={sent},sha256={hmac.new(signing_key, signed, hashlib.sha256).hexdigest()}"
