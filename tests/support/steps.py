"""What tests on the emulator do more than once: wait until it has caught up, and replay a game's rejects."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from jsonpatch import JsonPatch
from telemetry.games import GameRegistry
from tools.emulator import Emulator
from tools.progress import cpu_seconds, wait_for
from tools.replay import REASONS, Replay, Report

_watched: list[Emulator] = []


def watch(emulator: Emulator) -> None:
    """Name the emulator whose work is progress for `eventually`."""
    _watched[:] = [emulator]


def eventually(check: Callable[[], Any], what: str = "", **progress: Any) -> Any:
    """Return the first true answer of `check`. The functions that the emulator runs are what works on it.

    Raises Stuck where they stand still. `progress` holds more signs of it, as `wait_for` takes them.
    """
    code = check.__code__
    named = what or f"{code.co_qualname} at {Path(code.co_filename).name}:{code.co_firstlineno}"
    for emulator in _watched:
        progress |= {"work": _work_of_functions, "advice": f"The emulator's log: {emulator.log}"}
    return wait_for(named, check, pause_seconds=0.5, **progress)


def _work_of_functions() -> float:
    """Return the CPU seconds of the emulator's functions: its own grow with each question of a test."""
    process = _watched[0].process()
    return cpu_seconds(process.pid, itself=False) if process else 0.0


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
