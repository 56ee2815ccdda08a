"""Every error as problem+json (RFC 9457), with nothing in it that a caller need not know."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from telemetry import logs

from metrics_api.models import FieldError, Problem
from metrics_api.parameters import PLAIN

PROBLEM_JSON = "application/problem+json"
RETRY = {"Retry-After": "2"}
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how OpenAPI describes refusals with these statuses."""
    return {status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in statuses}


RESPONSES = documented(404, 422, 500, 503)
# What the routes with a body answer beside these. A body that is text, but no JSON, is a 422.
UNREADABLE: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is no text of UTF-8, or is nested too deeply."}
}
# What is wrong with text that does not match a pattern, where the pattern itself helps nobody.
IN_WORDS = {PLAIN: "text must not contain control characters, such as tabs and ends of lines"}

logger = logs.logger()


def install(app: FastAPI) -> None:
    """Answer for the app whatever goes wrong in it."""
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(ClientError)(_client_error)
    app.exception_handler(HTTPClientError)(_unavailable)
    app.exception_handler(ConnectionError)(_unavailable)
    app.exception_handler(Exception)(_unexpected)


def problem(
    path: str,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[FieldError] | None = None,
) -> Response:
    """Return the answer to a request that is refused."""
    found = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=quote(path),
        errors=errors,
    )
    return Response(
        found.model_dump_json(exclude_none=True),
        status,
        {**(headers or {}), "Cache-Control": "no-store"},
        PROBLEM_JSON,
    )


def _http(request: Request, error: HTTPException) -> Response:
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(_methods(request))}
    return problem(request.scope["path"], error.status_code, error.detail, headers)


def _methods(request: Request) -> list[str]:
    """Return the documented methods of a path; HEAD is answered wherever GET is."""
    path = getattr(request.scope.get("route"), "path", "")
    documented = request.app.openapi()["paths"].get(path, {"get": {}})
    return sorted({"HEAD", *map(str.upper, documented)})


def _invalid(request: Request, error: RequestValidationError) -> Response:
    errors = [
        FieldError(pointer=_pointer(_location(refused, error.body)), detail=_words(refused))
        for refused in error.errors()
    ]
    return problem(
        request.scope["path"], 422, "The request has parameters that are not valid.", errors=errors
    )


def _words(refused: Mapping[str, Any]) -> str:
    """Return what is wrong with a value."""
    return IN_WORDS.get(refused.get("ctx", {}).get("pattern")) or str(refused["msg"])


def _location(refused: Mapping[str, Any], body: Any) -> list[str | int]:
    """Return where a value is, without the names of models and types that pydantic tried for it."""
    source, *parts = refused["loc"]
    if source != "body" or not isinstance(body, dict):
        return [source, *parts]
    found: list[str | int] = [source]
    for number, part in enumerate(parts, 1):
        is_inside = (
            part in body if isinstance(body, dict) else isinstance(body, list) and part in range(len(body))
        )
        if is_inside:
            body = body[part]
        if is_inside or (refused["type"] == "missing" and number == len(parts)):
            found.append(part)
    return found


def _pointer(location: Sequence[str | int]) -> str:
    """Return where a value is. The names of unknown fields are a caller's, and may be no text of UTF-8."""
    return "".join(f"/{part}" for part in location).encode(errors="replace").decode()


def _client_error(request: Request, error: ClientError) -> Response:
    response = error.response
    failed = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500
    if failed or response["Error"].get("Code") in THROTTLED:
        return _unavailable(request, error)
    return _unexpected(request, error)


def _unavailable(request: Request, error: Exception) -> Response:
    logger.warning("The tables are unavailable", exc_info=error)
    return problem(request.scope["path"], 503, "The metrics cannot be read at the moment; try again.", RETRY)


def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("The request failed", exc_info=error)
    return problem(request.scope["path"], 500, "The request failed; the cause is in the service's log.")
