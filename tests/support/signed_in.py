"""Requests to the metrics API as API Gateway hands them to its function (payload format 2.0)."""

import json
from collections.abc import Callable
from typing import Any

from metrics_api.callers import SignIn

CLIENT = SignIn(
    "the-client", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC", "metrics/use", "https://x"
)
CLAIMS = {
    "client_id": CLIENT.sign_in_client_id,
    "iss": CLIENT.sign_in_issuer,
    "scope": "openid metrics/use",
    "sub": "4f0c8a52-ann",
    "token_use": "access",
}
IAM = {"iam": {"accessKey": "of-the-caller", "userArn": "arn:aws:iam::111122223333:user/ops"}}

Ask = Callable[..., tuple[int, Any]]


def groups(*names: str, subject: str = CLAIMS["sub"]) -> dict[str, Any]:
    """Return what API Gateway says of somebody in groups. It writes a list as text: `[one two]`."""
    claims = CLAIMS | {"sub": subject, "cognito:groups": f"[{' '.join(names)}]"}
    return {"jwt": {"claims": claims, "scopes": ["metrics/use"]}}


def asking(handler: Callable[..., dict[str, Any]]) -> Ask:
    """Return what asks the function: path, who asks, method, body and query; it returns status and body."""

    def answer(
        path: str, authorizer: Any = None, method: str = "GET", body: str = "", query: str = ""
    ) -> tuple[int, Any]:
        context: dict[str, Any] = {"http": {"method": method, "path": path, "sourceIp": "192.0.2.1"}}
        if authorizer is not None:
            context["authorizer"] = authorizer
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "player_ids=ann" if path.endswith("/friends") else query,
            # What a client writes about itself counts for nothing.
            "headers": {"host": "testserver", "content-type": "application/json", "x-authorizer": "iam"},
            "requestContext": context,
            "body": body,
            "isBase64Encoded": False,
        }
        found = handler(event, None)
        text = found["body"]
        is_json = text and "json" in found["headers"]["content-type"]
        return found["statusCode"], json.loads(text) if is_json else text

    return answer
