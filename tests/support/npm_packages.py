"""Packages of npm at their locked versions, installed into .local/ when they are missing there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tools import REPOSITORY

OLDEST_NODE = 20


def node() -> str:
    """Return the path of Node.js; skips the test where it is missing or too old."""
    found = shutil.which("node")
    if not (found and shutil.which("npm")):
        pytest.skip(f"npm is missing: install Node.js {OLDEST_NODE} or newer")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.findall(r"\d+", version)[0]) < OLDEST_NODE:
        pytest.skip(f"Node.js is {version.strip()}: install Node.js {OLDEST_NODE} or newer")
    return found


def installed(package: Path, name: str) -> Path:
    """Return the folder in .local/ where the packages of a lock file are installed."""
    node()
    directory = REPOSITORY / ".local" / name
    lock = (package / "package-lock.json").read_text()
    done = directory / "installed-lock.json"
    if not done.exists() or done.read_text() != lock:
        directory.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(package / file, directory)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        answer = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        done.write_text(lock)
    return directory


def compiled(package: Path, name: str) -> Path:
    """Return the folder with a TypeScript package and, in dist/, its JavaScript: made when it has changed."""
    directory = installed(package, name)
    files = [
        "package.json",
        "tsconfig.json",
        *sorted(f"src/{path.name}" for path in (package / "src").iterdir()),
    ]
    sources = "".join((package / file).read_text() for file in files)
    done = directory / "compiled-sources"
    if not done.exists() or done.read_text() != sources:
        for old in ("src", "dist"):
            shutil.rmtree(directory / old, ignore_errors=True)
        shutil.copytree(package / "src", directory / "src")
        for file in files[:2]:
            shutil.copy(package / file, directory)
        command = [str(directory / "node_modules" / ".bin" / "tsc"), "--project", str(directory)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout
        done.write_text(sources)
    return directory
