"""`terraform apply` that says how far it is: it reads what Terraform prints for machines."""

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tools import CommandError, infrastructure

AT_ONCE = 40


@dataclass(slots=True)
class Apply:
    """The progress of one apply, from the messages of `-json`."""

    planned: int = 0
    changed: int = 0
    newest: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def progress(self) -> str:
        """Say how many of the planned resources are changed."""
        if not self.planned:
            return "terraform apply: plans"
        return f"terraform apply: {self.changed} of {self.planned} resources, newest {self.newest}"

    def read(self, line: str) -> None:
        """Take one line; one that is no JSON is an error of Terraform itself."""
        try:
            message = json.loads(line)
        except ValueError:
            self.errors.append(line.rstrip())
            return
        match message.get("type"):
            case "planned_change":
                # A replacement is a deletion and a creation.
                self.planned += 2 if message["change"]["action"] == "replace" else 1
            case "apply_complete":
                self.changed += 1
                self.newest = message["hook"]["resource"]["addr"].removeprefix("module.platform.")
            case "diagnostic" if message["@level"] == "error":
                diagnostic = message["diagnostic"]
                where = f" ({diagnostic['address']})" if diagnostic.get("address") else ""
                detail = diagnostic.get("detail", "")
                self.errors.append(f"{diagnostic['summary']}{where}\n{detail}".rstrip())

    def run(self, directory: Path) -> None:
        """Apply a root without questions. Raises CommandError with Terraform's errors."""
        # Nothing but Terraform changes the emulator's resources, so there is nothing to refresh. The provider
        # sleeps for half a minute in each queue and stream that it makes: many at once cost little.
        command = [
            "terraform", "apply", "-json", "-auto-approve", "-input=false", "-refresh=false",
            f"-parallelism={AT_ONCE}",
        ]  # fmt: skip
        with subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **infrastructure.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as terraform:
            self._read(terraform.stdout or ())
        if terraform.returncode:
            raise CommandError("\n".join(["terraform apply failed:", *self.errors]))

    def _read(self, lines: Iterable[str]) -> None:
        for line in filter(str.strip, lines):
            self.read(line)
