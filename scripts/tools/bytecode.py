"""Bytecode of Lambda's Python for the packages: without it, each cold start compiles all that it imports.

It holds the hash of its source and is never checked against it, because Lambda's files do not change.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from tools import CommandError

VERSION = "3.13"
# What Python looks for beside a source.
SUFFIX = ".cpython-313.pyc"
# The version of the format is that without references: which objects are shared depends on what ran before.
PROGRAM = """
import importlib.util, json, marshal, pathlib, sys
for name, source, target in json.load(sys.stdin):
    content = pathlib.Path(source).read_bytes()
    code = compile(content, name, "exec", dont_inherit=True, optimize=0)
    unchecked = (1).to_bytes(4, "little")
    head = importlib.util.MAGIC_NUMBER + unchecked + importlib.util.source_hash(content)
    pathlib.Path(target).write_bytes(head + marshal.dumps(code, 2))
"""


def missing() -> str:
    """Say how to get Lambda's Python; nothing where it is here."""
    if interpreter():
        return ""
    return (
        f"packages for AWS hold bytecode of CPython {VERSION}: put python{VERSION} on PATH, or install it "
        f"with `pyenv install {VERSION}` or `apt-get install python{VERSION} python{VERSION}-venv`."
    )


@cache
def interpreter() -> str | None:
    """Return a CPython of Lambda's version: the one on PATH, or one of pyenv."""
    candidates = [f"python{VERSION}"]
    if shutil.which("pyenv"):
        answer = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False)
        versions = Path(answer.stdout.strip(), "versions").glob(f"{VERSION}.*")
        # Not those without a global interpreter lock, such as 3.13.1t: Lambda's Python has it.
        candidates += [
            str(path / "bin" / "python") for path in versions if path.name.rpartition(".")[2].isdigit()
        ]
    # A shim of pyenv works only in an environment that chose its version, so the interpreter itself is named.
    program = "import sys; print(sys.version_info[:2], sys.implementation.name, sys.executable)"
    wanted = f"({VERSION.replace('.', ', ')}) cpython "
    for candidate in filter(shutil.which, candidates):
        answer = subprocess.run([candidate, "-c", program], capture_output=True, text=True, check=False)
        if answer.stdout.startswith(wanted):
            return answer.stdout.removeprefix(wanted).strip()
    return None


def compiled(files: Mapping[str, Path], directory: Path) -> dict[str, Path]:
    """Return the bytecode of the Python files among some, by its name in the package; written to a directory.

    Raises CommandError where Lambda's Python is missing, or a file is no Python of its version.
    """
    python = interpreter()
    if not python:
        raise CommandError(missing())
    directory.mkdir(parents=True, exist_ok=True)
    sources = [name for name in sorted(files) if name.endswith(".py")]
    targets = {name: directory / str(number) for number, name in enumerate(sources)}
    asked = json.dumps([(name, str(files[name]), str(target)) for name, target in targets.items()])
    answer = subprocess.run(
        [python, "-S", "-c", PROGRAM],
        input=asked,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"},
    )
    if answer.returncode:
        raise CommandError(f"{python} cannot compile a file:\n{answer.stderr}")
    return {_beside(name): target for name, target in targets.items()}


def _beside(source: str) -> str:
    path = PurePosixPath(source)
    return str(path.parent / "__pycache__" / f"{path.stem}{SUFFIX}")
