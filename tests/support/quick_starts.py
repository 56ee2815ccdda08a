"""The quick start of each client's README, run with the package that a game installs."""

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import mono
import npm_packages
from tools import REPOSITORY

CLIENTS = ("csharp", "python", "typescript")
URL, KEY = '"https://events.example.com"', '"my-game.SECRET"'


def readme(client: str) -> str:
    """Return the README of a client."""
    return (REPOSITORY / "clients" / client / "README.md").read_text()


def code(client: str) -> str:
    """Return the first block of code in a client's language."""
    found = re.search(rf"^```{client}\n(.*?)^```$", readme(client), re.MULTILINE | re.DOTALL)
    assert found, f"the README of {client} has no quick start"
    return found[1]


def patient(client: str, seconds: float) -> tuple[str, str]:
    """Return the change that lets a client close slowly: 2 seconds are few on a busy machine."""
    closes = {"csharp": "client.Close()", "typescript": "client.close()"}.get(client, "")
    return closes, closes.replace("()", f"({seconds})")


def run(
    client: str, url: str, key: str, folder: Path, change: tuple[str, str] = ("", "")
) -> subprocess.CompletedProcess[str]:
    """Install a client into an empty folder, and run its quick start there, with one `change` of its text."""
    program = code(client)
    for old, new in ((URL, f'"{url}"'), (KEY, f'"{key}"'), change):
        assert not old or program.count(old) == 1, old
        program = program.replace(old, new)
    start = {"csharp": _csharp, "python": _python, "typescript": _typescript}[client]
    return subprocess.run(
        start(program, folder), cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )


def _csharp(program: str, folder: Path) -> list[str]:
    runtime, library = mono.runtime(), mono.compiled("PlayerAnalytics")
    shutil.copy(library, folder)
    first, statements = program.split("\n", 1)
    # The statements of a game are in a method.
    (folder / "game.cs").write_text(
        f"{first}\nstatic class Game {{ static void Main() {{\n{statements}}} }}\n"
    )
    command = [*mono.COMPILER, f"-r:{library.name}", "game.cs"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return [runtime, "game.exe"]


def _python(program: str, folder: Path) -> list[str]:
    # A build leaves files beside the sources. Nothing comes from an index: the client needs no other package,
    # and this environment has the locked setuptools.
    source = shutil.copytree(REPOSITORY / "clients" / "python", folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-build-isolation", "--no-deps"]
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *quiet, "--target", str(folder), str(source)], check=True)
    (folder / "game.py").write_text(program)
    return [sys.executable, "game.py"]


def _typescript(program: str, folder: Path) -> list[str]:
    compiled = npm_packages.compiled(REPOSITORY / "clients" / "typescript", "client-typescript")
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder)]
    subprocess.run(command, cwd=compiled, check=True, capture_output=True)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    (folder / "node_modules").mkdir()
    (folder / "package").rename(folder / "node_modules" / "player-analytics")
    (folder / "game.mjs").write_text(program)
    return [npm_packages.node(), "game.mjs"]
