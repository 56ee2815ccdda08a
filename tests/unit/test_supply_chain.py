"""Nothing is installed that was not reviewed: a lock file has each package's version and hashes."""

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from tools import REPOSITORY, CommandError, build
from wheels import write_wheel

FILES = [
    REPOSITORY / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
]
REQUIREMENTS = [path for path in FILES if re.fullmatch(r"requirements.*\.txt", path.name)]
LOCKS = [path.with_suffix(".lock") for path in REQUIREMENTS]
NAME = r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?"
PIN = re.compile(NAME + r"(?:==(?P<version>[\w.]+))?(?: ?;.*)?")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")
# As a shell command, or as the list of a Python program.
INSTALLATION = re.compile(r"""\bpip3?["']?,?\s+["']?(?:install|download|wheel|sync)\b""")
# What names packages of its own, and takes only reviewed or local files.
CHECKED = re.compile(r"--require-hashes|--no-index")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.lstrip().startswith("#")]


def named(path: Path) -> set[tuple[str, str | None]]:
    """Return the packages that a requirements file names, with those of the files that it includes."""
    found: set[tuple[str, str | None]] = set()
    for line in lines(path):
        if included := re.fullmatch(r"-r (\S+)", line):
            found |= named(path.parent / included[1])
        elif not line.startswith("-c "):
            match = PIN.fullmatch(line)
            assert match, line
            found.add((canonical(match["name"]), match["version"]))
    return found


def locked(text: str) -> dict[str, set[str]]:
    """Return the versions that a lock file allows of each package. Fails on anything without a hash."""
    versions: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=\S)", "\n".join(line for line in text.splitlines() if "#" not in line)):
        first, *hashes = entry.strip("\n").split("\n")
        match = PIN.fullmatch(first.removesuffix(" \\"))
        assert match, first
        assert match["version"], f"{first} has no exact version"
        assert hashes, f"{first} has no hash"
        assert all(HASH.fullmatch(line) for line in hashes), entry
        versions.setdefault(canonical(match["name"]), set()).add(match["version"])
    return versions


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_requirements_file_is_locked_with_hashes(path: Path) -> None:
    versions = locked(path.with_suffix(".lock").read_text())
    for name, version in named(path):
        assert name in versions, f"{name}: run `make lock`"
        assert version is None or versions[name] == {version}, f"{name}: run `make lock`"


@pytest.mark.parametrize(
    "text",
    [
        "orjson==3.13.0",
        "orjson==3.13.0 \\\n    --hash=md5:" + "0" * 32,
        "orjson>=3 \\\n    --hash=sha256:" + "0" * 64,
        "orjson @ https://example.com/orjson.whl \\\n    --hash=sha256:" + "0" * 64,
        "--index-url https://example.com",
    ],
)
def test_a_lock_without_exact_versions_and_hashes_is_refused(text: str) -> None:
    with pytest.raises(AssertionError):
        locked("msgspec==0.22.0 \\\n    --hash=sha256:" + "0" * 64 + "\n" + text)


def test_locks_agree_on_what_functions_ship() -> None:
    """Tests run with requirements.lock; the packages, the image and the demo are made from others."""
    tested = locked((REPOSITORY / "requirements.lock").read_text())
    for lock in LOCKS:
        if "functions" in lock.parts or re.search(r"-(image|run|uv)\.lock$", lock.name):
            for name, versions in locked(lock.read_text()).items():
                assert versions <= tested[name], (lock, name)


# What the engines' environments have, and our own modules.
ELSEWHERE = {"pyflink", "pyspark", "tools"}
OURS = (
    ELSEWHERE
    | {path.name for path in (REPOSITORY / "functions").iterdir()}
    | {"player_analytics", "telemetry"}
)


def imported(source: str) -> set[str]:
    """Return the top-level modules that a program imports anywhere, but for its types alone."""
    found, todo = set[str](), list[ast.AST]([ast.parse(source)])
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
        todo += ast.iter_child_nodes(node)
    return found - sys.stdlib_module_names


def test_the_commands_need_no_more_than_the_demo_installs() -> None:
    installed = locked((REPOSITORY / "requirements-run.lock").read_text()).keys()
    distributions = packages_distributions()
    programs = [*(REPOSITORY / "scripts" / "tools").rglob("*.py"), *(REPOSITORY / "functions").rglob("*.py")]
    for program in programs:
        for module in imported(program.read_text()) - OURS:
            providers = {canonical(name) for name in distributions[module]}
            assert providers & installed, f"{program} imports {module}: add it to requirements-run.txt"


def test_imports_are_found_where_they_are_used() -> None:
    source = """
import os, hcl2.api
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import mypy_boto3_s3
else:
    import orjson
def later():
    from rich.table import Table
"""
    assert imported(source) == {"hcl2", "orjson", "rich"}


def installations(text: str) -> list[str]:
    """Return each installation by pip that a text holds, with the arguments near it."""
    return [text[match.start() : match.start() + 200] for match in INSTALLATION.finditer(text)]


def test_nothing_is_installed_without_hashes() -> None:
    """Documentation is left out: it tells people what to type."""
    found = []
    for path in FILES:
        if path.suffix in (".md", ".lock", ".png") or path == Path(__file__) or not path.is_file():
            continue
        for command in installations(path.read_text(errors="replace")):
            found.append(path)
            assert CHECKED.search(command), f"{path}: {command}"
    assert {path.name for path in found} >= {"Dockerfile", "_venv", "build.py"}


@pytest.mark.parametrize(
    "command",
    [
        "pip install boto3",
        "python -m pip download x",
        '["pip", "install", "-q", "boto3"]',
        "pip3 install x",
        "uv pip sync x",
    ],
)
def test_an_installation_without_hashes_is_found(command: str) -> None:
    (found,) = installations(command)
    assert not CHECKED.search(found)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], list[build.Built]]:
    """Build one function whose requirements pip finds in a directory, and nowhere else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_wheel(wheels / "lib-1.0-py3-none-any.whl")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    function = tmp_path / "functions" / "ingest"
    function.mkdir(parents=True)
    (function / "handler.py").write_text("")
    (tmp_path / "functions" / "layers" / "telemetry" / "telemetry").mkdir(parents=True)
    (tmp_path / "event-schemas").mkdir()
    for name in ("metrics.json", "patterns.json"):
        (tmp_path / "event-schemas" / name).write_text("{}")

    def make(requirements: str, lock: str) -> list[build.Built]:
        (function / "requirements.txt").write_text(requirements)
        (function / "requirements.lock").write_text(lock)
        return build.build("local", tmp_path, left_out=["telemetry-layer"])

    make.wheel = wheels / "lib-1.0-py3-none-any.whl"  # type: ignore[attr-defined]
    return make


def test_a_package_is_built_from_the_locked_file(package: Callable[[str, str], list[build.Built]]) -> None:
    digest = hashlib.sha256(package.wheel.read_bytes()).hexdigest()  # type: ignore[attr-defined]
    (built,) = package("lib==1.0\n", f"lib==1.0 \\\n    --hash=sha256:{digest}\n")
    with ZipFile(built.path) as zipped:
        assert "lib.py" in zipped.namelist()
    bill = json.loads(built.path.with_suffix(".cdx.json").read_text())
    (component,) = bill["components"]
    assert component["hashes"] == [{"alg": "SHA-256", "content": digest}]


@pytest.mark.parametrize(
    ("requirements", "lock", "message"),
    [
        ("lib==1.0\n", "lib==1.0\n", r"require-hashes mode"),
        ("lib==1.0\n", "lib==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n", r"DO NOT MATCH THE HASHES"),
        ("lib==1.0\nother==2.0\n", "lib==1.0\n", r"other==2\.0.*`make lock`"),
        ("lib==1.1\n", "lib==1.0\n", r"lib==1\.0, lib==1\.1.*`make lock`"),
        ("lib==1.0\n", "lib==1.0\nsneaked-in==6.6\n", r"sneaked-in==6\.6.*`make lock`"),
        ("lib>=1.0\n", "lib==1.0\n", r"lib>=1\.0.*`make lock`"),
    ],
)
def test_a_package_is_not_built_from_anything_else(
    package: Callable[[str, str], list[build.Built]], requirements: str, lock: str, message: str
) -> None:
    with pytest.raises(CommandError, match=f"(?s){message}"):
        package(requirements, lock)


AUDITOR = """#!/bin/sh
echo "$@" >> "$LOG"
case "$*" in *"$BAD"*) exit 1;; esac
"""


@pytest.mark.parametrize(("bad", "code"), [("none of them", 0), ("telemetry/requirements.lock", 2)])
def test_audit_reads_every_lock_and_fails_with_a_finding(tmp_path: Path, bad: str, code: int) -> None:
    program, log, stamp = tmp_path / "pip-audit", tmp_path / "log", tmp_path / "installed"
    program.write_text(AUDITOR)
    program.chmod(0o755)
    stamp.touch()
    answer = subprocess.run(
        ["make", "-s", "audit", f"BIN={tmp_path}", f"VENV={stamp}"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "BAD": bad, "LOG": str(log)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == code, answer.stderr
    runs = log.read_text().splitlines()
    # Without --strict pip-audit passes over a package that its service does not know.
    assert all({"--strict", "--require-hashes", "--disable-pip"} <= set(run.split()) for run in runs)
    if code == 0:
        assert {REPOSITORY / run.split()[-1] for run in runs} == set(LOCKS)


def test_ci_audits_each_push_and_pull_request() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text())
    assert {"push", "pull_request"} <= workflow[True].keys()
    job = workflow["jobs"]["audit"]
    assert "if" not in job
    assert "continue-on-error" not in job
    assert job["steps"][-1] == {"run": "make audit"}
