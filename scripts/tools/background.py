"""A process that goes on after the command that started it, until another command ends it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools import progress

STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Background:
    """One Python process and the directory that keeps its log and record."""

    directory: Path

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.directory / "log"

    def start(
        self,
        *arguments: str,
        environment: dict[str, str] | None = None,
        python: str | Path = sys.executable,
    ) -> "subprocess.Popen[bytes]":
        """Start `python <arguments>`, in place of the one that runs."""
        self.stop()
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            child = subprocess.Popen(
                [python, *arguments],
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = psutil.Process(child.pid).create_time()
        self._record.write_text(json.dumps({"pid": child.pid, "started": started}))
        return child

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End it where it runs, with what it started; kill what has not gone after so many seconds."""
        with suppress(psutil.NoSuchProcess):
            if process := self.process():
                group = [process, *process.children(recursive=True)]
                if seconds:
                    process.send_signal(signal.SIGTERM)
                    psutil.wait_procs([process], timeout=seconds)
                _kill(group)
        self._record.unlink(missing_ok=True)

    def finish(self, what: str) -> None:
        """Ask it to end and wait while it works on that. Raises CommandError where it makes no progress."""
        process = self.process()
        if process is None:
            return
        group = [process, *process.children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        try:
            progress.wait_for(
                what,
                lambda: not psutil.wait_procs([process], timeout=0)[1],
                work=lambda: progress.cpu_seconds(process.pid),
                log=self.log,
            )
        finally:
            _kill(group)
            self._record.unlink(missing_ok=True)

    def process(self) -> psutil.Process | None:
        """Return its process, whoever started it; None where it does not run."""
        try:
            record = json.loads(self._record.read_text())
            process = psutil.Process(record["pid"])
            is_it = process.create_time() == record["started"]
        # A record that was not written to its end is no record.
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None
        return process if is_it else None

    @property
    def _record(self) -> Path:
        return self.directory / "process.json"


def _kill(group: list[psutil.Process]) -> None:
    for process in group:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(group, timeout=STOP_SECONDS)
