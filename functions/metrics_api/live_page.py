"""The pages at `/` and `/history`: a game in the browser, live and over time, with nothing from other hosts."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from metrics_api.live import read_live
from metrics_api.parameters import registered

FOLDER = Path(__file__).parent / "page"
SECONDS_BETWEEN = 2.0
MAX_SECONDS = 600
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

page = APIRouter(include_in_schema=False)
assets = StaticFiles(directory=FOLDER)


@page.get("/")
def index() -> FileResponse:
    """Show the live page."""
    return _html("index.html")


@page.get("/history")
def history_page() -> FileResponse:
    """Show the page of the history."""
    return _html("history.html")


def _html(name: str) -> FileResponse:
    headers = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
    }
    return FileResponse(FOLDER / name, headers=headers)


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


async def _messages(game_id: str) -> AsyncIterator[str]:
    until = time.monotonic() + MAX_SECONDS
    while time.monotonic() < until:
        answer = await run_in_threadpool(read_live, game_id)
        yield f"data: {answer.model_dump_json()}\n\n"
        await asyncio.sleep(SECONDS_BETWEEN)
