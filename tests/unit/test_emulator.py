"""Emulators start, live side by side, end without a trace, and say why they cannot start."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from tools import CommandError, emulator
from tools.emulator import Emulator, free_port
from tools.launch_ministack import Message, Repeatable


def test_says_who_has_the_port_and_how_to_choose_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CommandError) as told:
            Emulator(port, tmp_path).start()
    assert f"port {port} is taken by {psutil.Process().name()} (process {psutil.Process().pid})" in str(
        told.value
    )
    assert f"EMULATOR_PORT={port + 1}" in str(told.value)


def test_shows_the_log_of_one_that_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Emulator, "_server_environment", lambda _: {"GATEWAY_PORT": "none"})
    words = r"(?s)start of MiniStack .*: its process ended with status 1\..*ValueError"
    with pytest.raises(CommandError, match=words):
        Emulator(free_port(), tmp_path / "emulator").start()
    assert not (tmp_path / "emulator").exists()


def test_two_run_side_by_side_and_leave_nothing(tmp_path: Path) -> None:
    first, second = (Emulator(free_port(), tmp_path / name) for name in ("first", "second"))
    with first, second:
        processes = [first.process(), second.process()]
        for each in (first, second):
            s3 = boto3.client(
                "s3", endpoint_url=each.endpoint, aws_access_key_id="test", aws_secret_access_key="test"
            )
            s3.create_bucket(Bucket=f"bucket-{each.port}")
            assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == [f"bucket-{each.port}"]
            health = each.health()
            assert health
            assert health["auth"] == "enabled"
    assert not any(process and process.is_running() for process in processes)
    assert not list(tmp_path.iterdir())
    assert first.process() is None


def test_whoever_finds_its_directory_can_stop_it(tmp_path: Path) -> None:
    started = Emulator(free_port(), tmp_path / "emulator")
    started.start()
    found = Emulator(directory=tmp_path / "emulator")
    assert found.recorded_port() == started.port
    assert found.stop()
    assert not found.stop()
    assert not emulator.is_taken(started.port)


def test_functions_inherit_nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "studio")
    monkeypatch.setenv("PYTHONPATH", "functions")
    inherited = Emulator(free_port(), tmp_path)._server_environment()
    assert not [name for name in inherited if name.startswith(("AWS_", "PYTHONPATH"))]
    assert inherited["AUTH"] == "true"


def test_an_invocation_that_is_repeated_hears_the_first_answer_unless_it_failed() -> None:
    statuses, carried_out = iter([200, 200, 503, 200]), []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        carried_out.append(scope["headers"])
        await send({"type": "http.response.start", "status": next(statuses)})
        await send({"type": "http.response.body", "body": str(len(carried_out)).encode()})

    async def call(server: Repeatable, invocation: bytes) -> tuple[int, bytes]:
        heard: list[Message] = []

        async def send(message: Message) -> None:
            heard.append(message)

        await server({"headers": [(b"amz-sdk-invocation-id", invocation)]}, None, send)  # type: ignore[arg-type]
        return heard[0]["status"], heard[1]["body"]

    async def calls() -> list[tuple[int, bytes]]:
        server = Repeatable(app)
        return [await call(server, invocation) for invocation in (b"a", b"a", b"b", b"c", b"c", b"a")]

    answers = [(200, b"1"), (200, b"1"), (200, b"2"), (503, b"3"), (200, b"4"), (200, b"1")]
    assert asyncio.run(calls()) == answers
