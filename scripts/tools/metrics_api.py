"""The metrics API on this machine: uvicorn, in the background, on the tables of an environment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tools import REPOSITORY, CommandError, emulator, port_of, progress
from tools.background import Background

APP = "tools.local_lake:make"
PORT = 8000
DIRECTORY = REPOSITORY / ".local" / "metrics_api"


@dataclass(frozen=True, slots=True)
class MetricsApi:
    """One uvicorn and the directory that keeps its log and process record."""

    port: int = PORT
    directory: Path = DIRECTORY

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, environment: dict[str, Any]) -> None:
        """Start anew with an environment's variables. Raises CommandError where it cannot."""
        self.stop()
        self.require_port()
        background = Background(self.directory)
        arguments = ("-m", "uvicorn", "--factory", APP, "--port", str(self.port))
        child = background.start(*arguments, environment=environment)
        try:
            progress.wait_for(
                f"the start of the metrics API at {self.address}",
                self._is_ready,
                process=child,
                log=background.log,
            )
        except progress.Stuck:
            self.stop()
            raise

    def require_port(self) -> None:
        """Raise CommandError where another program listens on the port."""
        if emulator.is_taken(self.port) and not Background(self.directory).process():
            raise CommandError(
                f"port {self.port} is taken; choose another for the page: API_PORT={self.port + 1}"
            )

    def stop(self) -> None:
        """End it where it runs."""
        Background(self.directory).stop()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/ready", timeout=emulator.ANSWER_SECONDS).is_success
        except httpx.TransportError:
            return False


def current() -> MetricsApi:
    """Return this checkout's API: at API_PORT, else at the port where it runs, else at 8000.

    Raises CommandError where API_PORT is no port.
    """
    if wanted := port_of("API_PORT"):
        return MetricsApi(wanted)
    process = Background(DIRECTORY).process()
    arguments = process.cmdline() if process else ["--port", str(PORT)]
    return MetricsApi(int(arguments[arguments.index("--port") + 1]))
