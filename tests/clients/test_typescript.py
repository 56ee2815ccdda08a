"""The TypeScript client's own tests, under Node.js, and what its package holds."""

import json
import os
import re
import subprocess
from pathlib import Path

import npm_packages
import pytest
from tools import REPOSITORY

PACKAGE = REPOSITORY / "clients" / "typescript"


@pytest.fixture(scope="module")
def folder() -> Path:
    return npm_packages.compiled(PACKAGE, "client-typescript")


def test_its_own_tests_pass(folder: Path) -> None:
    command = [npm_packages.node(), "--test", str(Path(__file__).with_name("typescript.test.mjs"))]
    environment = {**os.environ, "CLIENT": str(folder)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout[-5000:]
    counts = dict(re.findall(r"^# (tests|pass) (\d+)$", answer.stdout, re.MULTILINE))
    assert counts["tests"] == counts["pass"] != "0"


def test_its_own_tests_can_fail(folder: Path, tmp_path: Path) -> None:
    tests = Path(__file__).with_name("typescript.test.mjs").read_text()
    (tmp_path / "wrong.test.mjs").write_text(tests.replace("86_400", "86_401"))
    environment = {**os.environ, "CLIENT": str(folder)}
    command = [npm_packages.node(), "--test", str(tmp_path / "wrong.test.mjs")]
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("session.track('purchase', { store: 'appel' })", "appel"),
        ("session.track('purchas', {})", "purchas"),
        ("session.track('design')", "payload|arguments|not assignable"),
        ("session.track('session_start', {})", ""),
        ("session.track('design', { name: 'a:b', extra: { deck: 'fire' } })", ""),
    ],
)
def test_the_compiler_knows_the_events(folder: Path, tmp_path: Path, call: str, problem: str) -> None:
    source = (
        f"import {{ Client }} from '{folder}/dist/index.js';\n"
        "const client = new Client('', '', { platform: 'web', app_version: '1' });\n"
        f"const session = client.startSession('p-1');\n{call};\n"
    )
    (tmp_path / "game.ts").write_text(source)
    tsc = folder / "node_modules" / ".bin" / "tsc"
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"]
    answer = subprocess.run(
        [str(tsc), *options, "game.ts"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (answer.returncode == 0) == (problem == ""), answer.stdout
    assert re.search(problem, answer.stdout)


def test_it_needs_no_package_at_run_time_and_its_lock_names_no_registry() -> None:
    described = json.loads((PACKAGE / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & described.keys()
    locks = [path for path in REPOSITORY.glob("*/**/package-lock.json") if "node_modules" not in path.parts]
    assert PACKAGE / "package-lock.json" in locks
    for lock in locks:
        assert "resolved" not in lock.read_text(), lock
        assert all(
            "integrity" in package
            for name, package in json.loads(lock.read_text())["packages"].items()
            if name
        )
