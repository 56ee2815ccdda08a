"""Each command in scripts/ starts, and its help says what it does."""

import subprocess

import pytest
from tools import REPOSITORY

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
