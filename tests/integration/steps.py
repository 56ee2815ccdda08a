"""What tests on the emulator do more than once: wait until it has caught up, and replay a game's rejects."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
from jsonpatch import JsonPatch
from telemetry.games import GameRegistry
from tools.replay import REASONS, Replay, Report


def eventually(check: Callable[[], Any], seconds: float = 90) -> Any:
    """Return the first true answer of `check`."""
    deadline = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)
    return answer


def replay(
    applied: Any, game: str, patch: JsonPatch | None = None, reasons: Sequence[str] = REASONS
) -> Report:
    """Send what was rejected of a game today again."""
    outputs = applied.platform.outputs
    run = Replay(
        s3=boto3.client("s3"),
        kinesis=boto3.client("kinesis"),
        registry=GameRegistry(boto3.resource("dynamodb"), outputs["tables"]["games"]),
        bucket=outputs["lake_bucket"],
        stream=outputs["raw_stream_name"],
        patch=patch,
        game=game,
    )
    return run.run([datetime.now(UTC).date()], reasons)
