"""The README of each client: its quick start sends events, and its table names every setting."""

import json
import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import mono
import npm_packages
import pytest
import quick_starts
from client_relay import Relay, RestApi
from player_analytics import Settings
from quick_starts import patient
from tools import REPOSITORY
from tools.progress import STILL_SECONDS

SENT = ["session_start", "score_submitted", "session_end"]


@pytest.mark.parametrize("client", quick_starts.CLIENTS)
def test_the_quick_start_sends_its_events(client: str, api: RestApi, tmp_path: Path) -> None:
    relay = Relay(api)
    try:
        answer = quick_starts.run(client, relay.url, api.key, tmp_path, patient(client, STILL_SECONDS))
    finally:
        relay.close()
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    events = api.stream.events()
    assert [event["event_type"] for event in events] == SENT
    assert [event["sequence"] for event in events] == [0, 1, 2]
    assert api.answers.keys() == {202}


# A queue in memory, whose events would be lost.
@pytest.mark.parametrize("client", quick_starts.CLIENTS)
def test_the_end_of_the_game_waits_for_a_cold_start(client: str, api: RestApi, tmp_path: Path) -> None:
    relay = Relay(api, lambda number: "slow")
    in_memory = {
        "csharp": (', new Settings { Directory = "events" });', ");"),
        "typescript": (', { store: directoryStore("events") });', ");"),
    }.get(client, ("", ""))
    try:
        answer = quick_starts.run(client, relay.url, api.key, tmp_path, in_memory)
    finally:
        relay.close()
    assert (answer.returncode, answer.stderr) == (0, "")
    assert [event["event_type"] for event in api.stream.events()] == SENT


@pytest.mark.parametrize("client", quick_starts.CLIENTS)
def test_a_quick_start_with_a_wrong_key_says_so(client: str, api: RestApi, tmp_path: Path) -> None:
    relay = Relay(api)
    try:
        answer = quick_starts.run(client, relay.url, "skyforge.guess", tmp_path, patient(client, 5))
    finally:
        relay.close()
    assert "401 bad_key" in answer.stderr
    assert api.stream.events() == []


@pytest.mark.parametrize("client", quick_starts.CLIENTS)
def test_the_quick_start_has_five_lines(client: str) -> None:
    assert len([*filter(None, quick_starts.code(client).splitlines())]) == 5


def table(client: str) -> dict[str, str]:
    """Return the default of each setting by the README."""
    rows = quick_starts.readme(client).partition("## Settings")[2]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", rows, re.MULTILINE))


def as_python(value: Any) -> str:
    if callable(value):
        return f"{value.__module__}.{value.__name__}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_the_table_of_python_names_every_setting() -> None:
    settings = Settings()
    named = {field.name: as_python(getattr(settings, field.name)) for field in fields(settings)}
    assert table("python") == named


def test_the_table_of_typescript_names_every_setting() -> None:
    folder = npm_packages.compiled(REPOSITORY / "clients" / "typescript", "client-typescript")
    code = f"import {{ DEFAULTS }} from '{folder}/dist/settings.js'; console.log(JSON.stringify(DEFAULTS))"
    answer = subprocess.run(
        [npm_packages.node(), "--input-type=module", "--eval", code],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # JSON leaves functions out.
    functions = {"onProblem": "console.warn", "clock": "Date.now"}
    values = {name: json.dumps(value) for name, value in json.loads(answer.stdout).items()}
    assert table("typescript") == values | functions


def test_the_table_of_csharp_names_every_setting() -> None:
    answer = subprocess.run(mono.program("defaults"), capture_output=True, text=True, check=True)
    named: dict[str, str] = json.loads(answer.stdout)
    # They are null until the game sets them.
    functions = {"OnProblem": "Console.Error", "Clock": "DateTime.UtcNow"}
    assert {named[name] for name in functions} == {"null"}
    assert table("csharp") == named | functions
