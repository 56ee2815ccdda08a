"""scripts/_venv brings a virtual environment to what a lock file names, with uv or pip, and checks hashes."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tools import REPOSITORY
from wheels import write_wheel

UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True, slots=True)
class Machine:
    """A repository with scripts/_venv, and a directory of wheels in the place of an index."""

    directory: Path
    uv: bool

    def lock(self, name: str, packages: Iterable[str], *, damaged: bool = False) -> None:
        """Write a lock file of wheels: each has the version 1.0."""
        lines = []
        for package in packages:
            wheel = write_wheel(self.directory / "wheels" / f"{package}-1.0-py3-none-any.whl")
            digest = "0" * 64 if damaged else hashlib.sha256(wheel.read_bytes()).hexdigest()
            lines.append(f"{package}==1.0 \\\n    --hash=sha256:{digest}\n")
        (self.directory / name).write_text("".join(lines))

    def install(self, lock: str = "all.lock", stamp: str = ".installed") -> subprocess.CompletedProcess[str]:
        """Run scripts/_venv; uv is on PATH or cannot be had."""
        wheels, programs = str(self.directory / "wheels"), self.directory / "bin"
        found = [part for part in os.environ["PATH"].split(os.pathsep) if not Path(part, "uv").exists()]
        environment = {name: value for name, value in os.environ.items() if name[:3] not in ("PIP", "UV_")}
        return subprocess.run(
            [self.directory / "scripts" / "_venv", "env", lock, stamp],
            cwd=self.directory,
            env=environment
            | {
                "PATH": os.pathsep.join([*([str(programs)] if self.uv else []), *found]),
                "PIP_FIND_LINKS": wheels,
                "PIP_NO_INDEX": "1",
                "PYTHON": sys.executable,
                "UV_CACHE_DIR": str(self.directory / "cache"),
                "UV_FIND_LINKS": wheels,
                "UV_NO_INDEX": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def packages(self) -> set[str]:
        """Return the modules that the environment has of the wheels."""
        return {path.stem for path in (self.directory / "env").glob("lib/python*/site-packages/lib_*.py")}


def make(tmp_path: Path, *, uv: bool) -> Machine:
    """Return a machine. Without a wheel of uv, only pip is left."""
    for name in ("scripts", "wheels", "bin"):
        (tmp_path / name).mkdir()
    shutil.copy(REPOSITORY / "scripts" / "_venv", tmp_path / "scripts")
    (tmp_path / "bin" / "uv").symlink_to(UV)
    made = Machine(tmp_path, uv)
    (tmp_path / "requirements-uv.lock").write_text("uv==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    made.lock("requirements-build.lock", ["lib_build"])
    return made


@pytest.fixture(params=[True, False], ids=["uv", "pip"])
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Machine:
    return make(tmp_path, uv=request.param)


def test_an_environment_has_what_the_lock_names(machine: Machine) -> None:
    machine.lock("all.lock", ["lib_a", "lib_b"])
    answer = machine.install()
    assert answer.returncode == 0, answer.stderr
    assert machine.packages() == {"lib_a", "lib_b", "lib_build"}
    assert (machine.directory / "env" / ".installed").exists()
    assert ("pip does" in answer.stderr) is not machine.uv


def test_a_file_with_another_hash_is_refused(machine: Machine) -> None:
    machine.lock("all.lock", ["lib_a"], damaged=True)
    answer = machine.install()
    assert answer.returncode != 0
    assert "hash" in answer.stderr.lower()
    assert machine.packages() <= {"lib_build"}
    assert not (machine.directory / "env" / ".installed").exists()


def test_what_the_lock_names_no_more_goes_and_a_part_is_no_whole(machine: Machine) -> None:
    machine.lock("all.lock", ["lib_a", "lib_b"])
    machine.lock("part.lock", ["lib_b"])
    assert machine.install().returncode == 0
    answer = machine.install("part.lock", ".run")
    assert answer.returncode == 0, answer.stderr
    assert machine.packages() == {"lib_b", "lib_build"}
    assert not (machine.directory / "env" / ".installed").exists()
    assert (machine.directory / "env" / ".run").exists()


def test_uv_mends_in_place_so_that_what_runs_goes_on(tmp_path: Path) -> None:
    machine = make(tmp_path, uv=True)
    machine.lock("part.lock", ["lib_b"])
    machine.lock("all.lock", ["lib_a", "lib_b"])
    assert machine.install("part.lock", ".run").returncode == 0
    before = (machine.directory / "env" / "pyvenv.cfg").stat()
    assert machine.install().returncode == 0
    after = (machine.directory / "env" / "pyvenv.cfg").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_link_is_left_alone(machine: Machine) -> None:
    (machine.directory / "elsewhere").mkdir()
    (machine.directory / "env").symlink_to("elsewhere")
    machine.lock("all.lock", ["lib_a"])
    answer = machine.install()
    assert answer.returncode == 1
    assert "env is a link" in answer.stderr
    assert list((machine.directory / "elsewhere").iterdir()) == []
