"""The metrics API on this machine: uvicorn, in the background, on the tables of an environment."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tools import REPOSITORY, CommandError, emulator

START_SECONDS = 30
STOP_SECONDS = 10
PORT = 8000


@dataclass(frozen=True, slots=True)
class MetricsApi:
    """One uvicorn and the directory that keeps its log and process record."""

    port: int = PORT
    directory: Path = REPOSITORY / ".local" / "metrics_api"

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, environment: dict[str, Any]) -> None:
        """Start anew with an environment's variables. Raises CommandError where it cannot."""
        self.stop()
        if emulator.is_taken(self.port):
            raise CommandError(
                f"port {self.port} is taken; choose another for the page: API_PORT={self.port + 1}"
            )
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / "log"
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "metrics_api.app:app", "--port", str(self.port)],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = psutil.Process(child.pid).create_time()
        self._record.write_text(json.dumps({"pid": child.pid, "started": started}))
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise CommandError(f"the metrics API does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End it where it runs."""
        try:
            record = json.loads(self._record.read_text())
            process = psutil.Process(record["pid"])
        except (FileNotFoundError, psutil.NoSuchProcess):
            return
        if process.create_time() == record["started"]:
            process.send_signal(signal.SIGTERM)
            psutil.wait_procs([process], timeout=STOP_SECONDS)
        self._record.unlink()

    @property
    def _record(self) -> Path:
        return self.directory / "process.json"

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/ready", timeout=5).is_success
        except httpx.TransportError:
            return False
