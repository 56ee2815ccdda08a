"""The C# client and programs that use it, compiled by Mono into .local/ when a source has changed."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from tools import REPOSITORY

CLIENT = REPOSITORY / "clients" / "csharp"
# C# 7.0, which Unity 2018.3 and all that came later compile. A warning is an error.
COMPILER = ("mcs", "-langversion:7", "-warnaserror")


def runtime() -> str:
    """Return the path of Mono; skips the test where it or its compiler is missing."""
    found = shutil.which("mono")
    if not (found and shutil.which("mcs")):
        pytest.skip("Mono is missing: apt-get install mono-mcs")
    return found


def library() -> list[Path]:
    """Return the sources of the client."""
    return sorted((CLIENT / "src").glob("*.cs"))


def compiled(name: str, programs: Iterable[Path] = ()) -> Path:
    """Return the assembly of the client and of programs that see its internals; without any, a library."""
    runtime()
    sources = [*library(), *programs]
    assembly = REPOSITORY / ".local" / "client-csharp" / f"{name}.{'exe' if programs else 'dll'}"
    done = assembly.with_suffix(".sources")
    text = "".join(f"{path}\n{path.read_text()}" for path in sources)
    if not (assembly.exists() and done.exists() and done.read_text() == text):
        assembly.parent.mkdir(parents=True, exist_ok=True)
        target = [] if programs else ["-target:library"]
        command = [*COMPILER, *target, f"-out:{assembly}", *map(str, sources)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        done.write_text(text)
    return assembly


def program(*names: str) -> list[str]:
    """Return the command that runs programs of tests/clients; the first has the method Main."""
    folder = REPOSITORY / "tests" / "clients"
    sources = [folder / f"{name}.cs" for name in (*names, "cultures")]
    return [runtime(), str(compiled(names[0], sources))]
