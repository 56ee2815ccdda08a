"""Lambda authorizer of the REST API: API Gateway keeps its answer for a key a minute."""

from functools import cache
from typing import Any

import msgspec
from telemetry import environment, logs
from telemetry.clients import client, resource
from telemetry.games import GameRegistry
from telemetry.quotas import Quotas

from authorizer.identity import Unauthorized, identify

logger = logs.logger()


class Settings(msgspec.Struct, frozen=True):
    """Environment of the function, set by Terraform."""

    games_table: str
    quotas_table: str


@cache
def registry() -> GameRegistry:
    """Keep the games that were read for the next requests."""
    return GameRegistry(resource("dynamodb"), environment.parse(Settings).games_table)


@cache
def quotas() -> Quotas:
    """Keep which games are disabled for the next requests."""
    return Quotas(client("dynamodb"), environment.parse(Settings).quotas_table)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Allow the game's requests, or deny those of a disabled one or with a spent quota.

    Raises Unauthorized where there is no live key.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    application_id = (event.get("pathParameters") or {}).get("application_id")
    key = headers.get("authorization" if application_id else "x-api-key", "")
    try:
        identity = identify(key, application_id, registry())
    except Unauthorized as refused:
        # The access log knows no game of a request that was not let in.
        request_id = (event.get("requestContext") or {}).get("requestId")
        logger.info("Key refused", extra={"game_id": refused.game_id, "request_id": request_id})
        raise
    game = identity.game
    stage = "/".join(event["methodArn"].split("/")[:2])
    is_spent = bool(identity.key_id) and quotas().is_disabled(game["game_id"], identity.key_class)
    effect = "Allow" if game["status"] == "active" and not is_spent else "Deny"
    # All methods of the stage: the answer is kept by key, whatever is called next.
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{stage}/POST/*"}
    answer = {
        "principalId": game["game_id"],
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {
            "game_id": game["game_id"],
            "key_id": identity.key_id,
            "key_class": identity.key_class,
            "must_sign": str(identity.must_sign).lower(),
        },
    }
    # Whoever knows only a game's id must not use up what the game may send: they have a plan of their own.
    usage_key = game.get("usage_key" if identity.key_id else "unproven_usage_key")
    return answer | ({"usageIdentifierKey": usage_key} if usage_key else {})
