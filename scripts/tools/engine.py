"""Flink and Spark on this machine: each in an environment of its own, on Python 3.11 and a known Java."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools import REPOSITORY, CommandError


class EngineMissing(CommandError):
    """This machine lacks what an engine needs; the message says what."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine's Python package, the versions of Java it knows, and the command that installs it."""

    name: str
    package: str
    java: tuple[int, ...]
    java_tools: tuple[str, ...]
    command: str

    @property
    def environment(self) -> Path:
        """Its virtual environment."""
        return REPOSITORY / f".venv-{self.name.lower()}"

    @property
    def python(self) -> Path:
        """The interpreter that has its package."""
        return self.environment / "bin" / "python"

    def install(self) -> None:
        """Install the package where it is not yet. Raises EngineMissing."""
        self._require()
        lock = REPOSITORY / f"requirements-{self.name.lower()}.lock"
        installed = self.environment / ".installed"
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        command = [str(REPOSITORY / "scripts" / "_venv"), self.environment.name, lock.name]
        environment = {**os.environ, "PYTHON": "python3.11"}
        if subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode:
            raise EngineMissing(f"{self.package} could not be installed; the lines above say why.")

    def why_missing(self) -> str | None:
        """Return what this machine lacks to run it, or None."""
        try:
            self._require()
        except EngineMissing as missing:
            return str(missing)
        installed = (self.environment / ".installed").exists()
        return None if installed else f"{self.package} is not installed: {self.command} install"

    def _require(self) -> None:
        """Raise EngineMissing where Java or Python do not fit."""
        needed = f"a JDK of {', '.join(map(str, self.java))}"
        for tool in self.java_tools:
            if not shutil.which(tool):
                raise EngineMissing(f"{self.name} needs {needed} and there is no {tool} on PATH.")
        answer = subprocess.run([tool, "-version"], capture_output=True, text=True, check=False)
        printed = (answer.stderr + answer.stdout).strip()
        version = re.search(r'(?:version "|javac )(?:1\.)?(\d+)', printed)
        found = printed.partition("\n")[0] or "one that does not say its version"
        if not version or int(version[1]) not in self.java:
            raise EngineMissing(f"{self.name} needs {needed}; PATH has {found}.")
        if not shutil.which("python3.11"):
            raise EngineMissing(f"{self.package} runs on Python 3.11, and there is no python3.11 on PATH.")


FLINK = Engine("Flink", "PyFlink 1.20", (17, 18, 19, 20, 21), ("java", "javac"), "scripts/realtime")
SPARK = Engine("Spark", "PySpark 3.5", (8, 11, 17), ("java",), "scripts/batch")
