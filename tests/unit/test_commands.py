"""Each command in scripts/ starts, its help says what it does, and its errors say what to do."""

import argparse
import importlib
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from fake_aws import register
from moto.server import ThreadedMotoServer
from tools import REPOSITORY, run
from tools.tables import make_tables

SCRIPTS = REPOSITORY / "scripts"
COMMANDS = sorted(path.name for path in SCRIPTS.iterdir() if path.suffix == "" and path.is_file())


@cache
def help_of(command: str) -> str:
    """Return what --help prints."""
    shown = subprocess.run([SCRIPTS / command, "--help"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


@pytest.mark.parametrize("command", [name for name in COMMANDS if not name.startswith("_")])
def test_a_command_is_a_link_and_shows_its_help(command: str) -> None:
    path = SCRIPTS / command
    assert path.is_symlink()
    assert path.readlink().name == "_python"
    assert help_of(command).startswith("usage: ")
    assert f"`{command}`" in (SCRIPTS / "README.md").read_text()


class Parsed(Exception):
    """A line was understood; nothing was done."""


def examples(command: str) -> list[str]:
    """Return the example lines of a command's help."""
    return help_of(command).partition("\nexamples:\n")[2].splitlines()


@pytest.mark.parametrize("command", [name for name in COMMANDS if not name.startswith("_")])
def test_the_help_of_a_command_ends_with_lines_that_it_understands(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, lines = importlib.import_module(f"tools.{command.replace('-', '_')}"), examples(command)
    understands = argparse.ArgumentParser.parse_args

    def parse(*given: Any, **named: Any) -> None:
        understands(*given, **named)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)
    monkeypatch.setenv("GAME_KEY", "key")
    assert lines
    for line in lines:
        own = [part for part in re.split(r" [|>] ", line) if f"scripts/{command}" in part]
        words = shlex.split(own[0])
        start = words.index(f"scripts/{command}")
        monkeypatch.setattr("sys.argv", words[start:])
        with pytest.raises(Parsed):
            module.main()


def test_every_module_with_an_entry_point_has_a_command() -> None:
    modules = {
        path.stem for path in (SCRIPTS / "tools").glob("*.py") if "\nif __name__ ==" in path.read_text()
    }
    commands = {name.replace("-", "_") for name in COMMANDS}
    assert modules - commands == {"launch_ministack"}


DAY = ("--from", "2026-01-01", "--to", "2026-01-01")
# Lines that ask for something of an environment. GAME_KEY is set.
LINES = {
    "advise": (),
    "batch": ("run",),
    "boards": ("list", "my-game"),
    "games": ("list",),
    "guidance-report": ("--game", "my-game"),
    "load": ("--game", "my-game", "--rate", "1", "--duration", "1"),
    "players": ("adjust", "my-game", "2026-01-01", "players", "1", "--reason", "test", "--yes"),
    "privacy": ("export", "--game", "my-game", "--player", "p", "--to", "player.zip"),
    "quality": (),
    "replay": DAY,
    "report": ("--game", "my-game", "--date", "2026-01-01"),
    "restore": ("state", "--since", "2026-01-01T00:00:00Z", "--game", "my-game"),
    "simulate": ("--players", "1", "--days", "1"),
    "smoke": ("--game", "my-game"),
    "spend": ("show", "--game", "my-game"),
    "tail": ("--game", "my-game"),
}
# Of AWS alone, or of nothing that is applied.
OTHERS = {
    "backfill", "build", "cost", "demo", "emulator", "micro", "modules", "plan-summary", "realtime",
    "schemas", "stop-spark", "terraform", "warehouse",
}  # fmt: skip
TABLES = (
    "boards", "dedupe", "game_days", "games", "ingest_stats", "leaderboards", "players", "quality",
    "quotas", "realtime", "recent_events", "reports", "saved_questions",
)  # fmt: skip
APPLIED = {
    "batch_state_machine_arn": None,
    "enriched_stream_name": "enriched",
    "ingest": {"id": "abc", "stage": "v1", "url": "http://127.0.0.1:9/v1"},
    "ingest_usage_plan_ids": {"games": "plan", "unproven": "small"},
    "lake_bucket": "lake",
    "lake_database": "lake",
    "metrics_api": {"url": "http://127.0.0.1:9"},
    "metrics_api_environment": {f"{name.upper()}_TABLE": name for name in TABLES},
    "raw_stream_name": "raw",
    "scheduled_functions": {name: name for name in ("advice", "erasure", "quality", "reports")},
    "state_functions": ["leaderboards", "player-state"],
    "tables": {name: name for name in TABLES},
    "warehouse": None,
}
# An address of which nothing listens.
NOWHERE = "http://127.0.0.1:9"


def told(directory: Path, outputs: dict[str, object], *line: str, **more: str) -> tuple[int, str]:
    """Run a command where Terraform has these outputs and no AWS answers; return its status and errors."""
    terraform = directory / "terraform"
    answer = json.dumps({"platform": {"value": outputs}} if outputs else {})
    terraform.write_text(
        "#!/bin/sh\n"
        """case "$1" in version) echo '{"terraform_version": "1.11.0"}';; """
        f"""output) echo '{answer}';; esac\n"""
    )
    terraform.chmod(0o755)
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_ENDPOINT_URL": NOWHERE,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_SECRET_ACCESS_KEY": "test",
        "API_PORT": "9",
        "GAME_KEY": "my-game.key",
        "PATH": f"{directory}:{os.environ['PATH']}",
        # A root of the repository must not seem to be initialised afterwards.
        "TF_DATA_DIR": str(directory),
    }
    name, *arguments = line
    found = subprocess.run(
        [SCRIPTS / name, *arguments],
        capture_output=True,
        cwd=directory,
        env=environment | more,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=600,
        check=False,
    )
    return found.returncode, found.stderr


def is_clear(status: int, error: str) -> bool:
    """Tell whether a command failed with a message of its own, and with no traceback."""
    return status in (1, 2) and "Traceback" not in error and "scripts/" in error


def test_every_command_has_a_line_here() -> None:
    assert LINES.keys() | OTHERS == {name for name in COMMANDS if not name.startswith("_")}


@pytest.mark.parametrize("command", LINES)
def test_a_command_says_how_to_begin_where_nothing_is_applied(command: str, tmp_path: Path) -> None:
    status, error = told(tmp_path, {}, command, *LINES[command])
    assert is_clear(status, error), error
    assert "nothing is applied to local: run `make demo`" in error


@pytest.mark.parametrize("command", LINES)
def test_a_command_says_what_to_check_where_nothing_answers(command: str, tmp_path: Path) -> None:
    status, error = told(tmp_path, APPLIED, command, *LINES[command])
    assert is_clear(status, error), error
    assert "127.0.0.1:9" in error
    assert "make demo" in error


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (("backfill", *DAY), "on AWS only: name the environment with --environment dev or prod"),
        (("backfill", *DAY, "--environment", "local"), "local has no batch runs"),
        (("boards", "list", "my-game", "--environment", "nowhere"), "nowhere is neither"),
        (("cost",), "on AWS only: name the environment with --environment dev or prod"),
        (("cost", "--environment", "local"), "local is no environment on AWS"),
        (("demo", "--players", "0"), "above 0"),
        (("emulator", "start", "--port", "70000"), "1 to 65535"),
        (("plan-summary", "missing.json"), "missing.json is no plan"),
        (("stop-spark", "--plan", "missing.json"), "missing.json is no plan"),
        (("terraform", "nowhere", "plan"), "nowhere is neither"),
        (("warehouse", "status"), "on AWS only: name the environment with --environment dev or prod"),
        (("warehouse", "--environment", "local", "status"), "local has no warehouse"),
    ],
)
def test_a_wrong_line_gets_a_clear_error(line: tuple[str, ...], what: str, tmp_path: Path) -> None:
    status, error = told(tmp_path, APPLIED, *line)
    assert is_clear(status, error), error
    assert what in error


@pytest.mark.parametrize("port", ["x", "0", "70000"])
def test_a_wrong_port_of_the_environment_gets_a_clear_error(port: str, tmp_path: Path) -> None:
    status, error = told(tmp_path, APPLIED, "simulate", API_PORT=port)
    assert is_clear(status, error), error
    assert f"API_PORT: '{port}' is no port" in error


def test_a_refusal_of_aws_is_a_message_and_a_defect_is_a_traceback() -> None:
    def refused() -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "Query")

    def broken() -> None:
        raise KeyError("defect")

    with pytest.raises(SystemExit, match=r"AccessDenied.*not you"):
        run(refused)
    with pytest.raises(KeyError, match="defect"):
        run(broken)


# Lines that name a game which is not registered.
UNKNOWN = "nosuch-game"
NAMING_A_GAME = (
    ("boards", "add", UNKNOWN, "best"),
    ("boards", "list", UNKNOWN),
    ("games", "rotate", UNKNOWN),
    ("guidance-report", "--game", UNKNOWN),
    ("load", "--game", UNKNOWN, "--rate", "1", "--duration", "1"),
    ("players", "adjust", UNKNOWN, "2026-01-01", "players", "1", "--reason", "test", "--yes"),
    ("players", "void-events", UNKNOWN, "some-id", "--day", "2026-01-01", "--reason", "test", "--yes"),
    ("privacy", "export", "--game", UNKNOWN, "--player", "p", "--to", "player.zip"),
    ("privacy", "erase", "--game", UNKNOWN, "--player", "p", "--reason", "test", "--yes"),
    ("replay", *DAY, "--game", UNKNOWN),
    ("report", "--game", UNKNOWN, "--date", "2026-01-01"),
    ("restore", "state", "--since", "2026-01-01T00:00:00Z", "--game", UNKNOWN),
    ("simulate", "--game", UNKNOWN, "--live", "1"),
    ("spend", "list", "--game", UNKNOWN),
    ("tail", "--game", UNKNOWN),
)
# Commands with a game's id that are not asked here: the REST API answers smoke, which tests/integration runs.
ASKED_ELSEWHERE = {"smoke"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Start AWS in another process's reach: it has the platform's tables, a lake, and one game."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    session = boto3.Session("test", "test", region_name="us-east-1")
    dynamodb = session.resource("dynamodb", endpoint_url=address)
    make_tables(dynamodb)
    register(dynamodb, "my-game")
    session.client("s3", endpoint_url=address).create_bucket(Bucket="lake")
    yield address
    server.stop()


@pytest.mark.parametrize("line", NAMING_A_GAME, ids=" ".join)
def test_a_game_that_is_not_registered_is_named(line: tuple[str, ...], endpoint: str, tmp_path: Path) -> None:
    status, error = told(tmp_path, APPLIED, *line, AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION="us-east-1")
    assert is_clear(status, error), error
    assert UNKNOWN in error
    assert "scripts/games list" in error
    assert not list(tmp_path.glob("*.zip"))


def test_every_command_that_takes_a_game_is_asked_for_an_unknown_one() -> None:
    takes = {
        name
        for name, line in LINES.items()
        if "my-game" in line or "--game" in (SCRIPTS / "tools" / f"{name}.py").read_text()
    }
    assert takes == {line[0] for line in NAMING_A_GAME} - {"games"} | ASKED_ELSEWHERE


@pytest.mark.parametrize(
    "line",
    [
        ("privacy", "export", "--game", "my-game", "--player", "p", "--to", "file/player.zip"),
        ("replay", *DAY, "--report", "file/report.json"),
        ("report", "--game", "my-game", "--date", "2026-01-01", "--out", "file/reports"),
    ],
    ids=lambda line: line[0],
)
def test_a_target_that_cannot_be_written_is_named(
    line: tuple[str, ...], endpoint: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    status, error = told(tmp_path, APPLIED, *line, AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION="us-east-1")
    assert is_clear(status, error), error
    assert re.search(r"file\S*: Not a directory", error), error


def test_output_that_nobody_reads_ends_a_command_quietly(endpoint: str) -> None:
    shown = subprocess.run(
        ["bash", "-c", "set -o pipefail; { scripts/cost --environment prod --json; echo $? >&2; } | true"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stderr in ("0\n", "141\n"), shown.stderr
