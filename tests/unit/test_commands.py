"""Each command in scripts/ starts, its help says what it does, and its errors say what to do."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tools import REPOSITORY, run

SCRIPTS = REPOSITORY / "scripts"
COMMANDS = sorted(path.name for path in SCRIPTS.iterdir() if path.suffix == "" and path.is_file())


@pytest.mark.parametrize("command", [name for name in COMMANDS if not name.startswith("_")])
def test_a_command_is_a_link_and_shows_its_help(command: str) -> None:
    path = SCRIPTS / command
    assert path.is_symlink()
    assert path.readlink().name == "_python"
    shown = subprocess.run([path, "--help"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("usage: ")
    assert f"`{command}`" in (SCRIPTS / "README.md").read_text()


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
    "tail": ("--game", "my-game"),
}
# Of AWS alone, or of nothing that is applied.
OTHERS = {
    "backfill", "build", "cost", "demo", "emulator", "modules", "plan-summary", "realtime", "schemas",
    "stop-spark", "terraform", "warehouse",
}  # fmt: skip
TABLES = (
    "boards", "dedupe", "game_days", "games", "ingest_stats", "leaderboards", "players", "quality",
    "quotas", "realtime", "recent_events", "reports",
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
        "GAME_KEY": "key",
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
        (("backfill", *DAY), "--environment"),
        (("backfill", *DAY, "--environment", "local"), "local has no batch runs"),
        (("boards", "list", "my-game", "--environment", "nowhere"), "nowhere is neither"),
        (("cost", "--environment", "local"), "local is no environment on AWS"),
        (("demo", "--players", "0"), "above 0"),
        (("emulator", "start", "--port", "70000"), "1 to 65535"),
        (("plan-summary", "missing.json"), "missing.json is no plan"),
        (("stop-spark", "--plan", "missing.json"), "missing.json is no plan"),
        (("terraform", "nowhere", "plan"), "nowhere is neither"),
        (("warehouse", "status"), "--environment dev or prod"),
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
