"""The page of a game: a shell whose views the browser draws from the API, with nothing from other hosts."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import boto3
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.responses import FileResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles
from telemetry import environment

from metrics_api.callers import SignIn
from metrics_api.live import read_live
from metrics_api.parameters import registered
from metrics_api.recent_events import Sending

FOLDER = Path(__file__).parent / "page"
# As in page/tabs.js, which says what each shows.
VIEWS = (
    "overview", "retention", "revenue", "economy", "stability", "dashboard", "explore", "experiments",
    "players", "events", "quality",
)  # fmt: skip
# Anybody opens them. Terraform has a route for each (infrastructure/modules/metrics_api/pages.tf).
PAGES = ("/", *(f"/{view}" for view in VIEWS))
SECONDS_BETWEEN = 2.0
MAX_SECONDS = 600
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

page = APIRouter(include_in_schema=False)
assets = StaticFiles(directory=FOLDER)


def shell() -> FileResponse:
    """Show the page; the address says which view it draws."""
    # The page exchanges its code for tokens there.
    connected = f"connect-src 'self' {environment.parse(SignIn).sign_in_url}".rstrip()
    headers = {
        "Content-Security-Policy": POLICY.replace("connect-src 'self'", connected),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
    }
    return FileResponse(FOLDER / "index.html", headers=headers)


for path in PAGES:
    page.add_api_route(path, shell)


@page.get("/page/sign-in.json")
def sign_in() -> dict[str, str | None]:
    """Tell page/session.js where people sign in; nulls where nobody does, on a developer's machine."""
    found = environment.parse(SignIn)
    return {
        "client_id": found.sign_in_client_id or None,
        "issuer": found.sign_in_issuer or None,
        "scope": found.sign_in_scope or None,
        "url": found.sign_in_url or None,
    }


@page.get("/v1/games/{game_id}/live/stream")
def stream(game_id: Annotated[str, Depends(registered)]) -> StreamingResponse:
    """Send what /live answers every two seconds; the browser comes again after 10 minutes.

    Lambda behind an HTTP API cannot stream: 501, and the page asks by itself.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        raise HTTPException(501, "Ask /live again and again: this server cannot stream.")
    return StreamingResponse(
        _messages(game_id), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


@page.post("/v1/games/{game_id}/events/test", status_code=202)
async def send_test_event(
    game_id: Annotated[str, Depends(registered)],
    request: Request,
    is_test: Annotated[str, Header(alias="x-test-event")] = "",
) -> None:
    """Put the body on the raw stream: on a developer's machine, whose emulator has no other data.

    A page of another site cannot send the header, because nothing here answers its preflight.
    """
    stream = environment.parse(Sending).test_stream
    if not stream or not is_test:
        raise HTTPException(404, "Test events are sent from the page, and on a developer's machine only.")
    body = await request.body()
    await run_in_threadpool(
        boto3.client("kinesis").put_record, StreamName=stream, Data=body, PartitionKey=f"{game_id}/test"
    )


async def _messages(game_id: str) -> AsyncIterator[str]:
    until = time.monotonic() + MAX_SECONDS
    while time.monotonic() < until:
        answer = await run_in_threadpool(read_live, game_id)
        yield f"data: {answer.model_dump_json()}\n\n"
        await asyncio.sleep(SECONDS_BETWEEN)
