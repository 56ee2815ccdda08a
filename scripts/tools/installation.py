"""Commands that install engines one after the other, while the command that started them goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self

from tools.progress import log_tail
from tools.steps import Steps


class Installation:
    """`scripts/<name> install` of some commands, each with a log in a directory; a `with` block runs them.

    They use only CPU time that nobody else wants. What still runs at the end of the block is stopped.
    """

    def __init__(self, directory: Path, names: Sequence[str]) -> None:
        """Name the commands in the order in which they run."""
        self._directory, self._names = directory, names
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._missing: dict[str, Future[str | None]] = {}
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._missing = {name: self._pool.submit(self._install, name) for name in self._names}
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        for future in self._missing.values():
            future.cancel()
        if self._running:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, signal.SIGTERM)
        self._pool.shutdown()

    def then(self, name: str, act: Callable[[], None]) -> None:
        """Do something as soon as a command has installed all it needs."""
        self._missing[name].add_done_callback(
            lambda ended: None if ended.cancelled() or ended.result() else act()
        )

    def wait(self, name: str, steps: Steps) -> str | None:
        """Wait until a command has ended. Return why the engine is missing, None where it is installed."""
        with steps.working(lambda: f"installs what scripts/{name} needs; its log: {self._log(name)}"):
            return self._missing[name].result()

    def _log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def _install(self, name: str) -> str | None:
        with self._log(name).open("wb") as log:
            self._running = subprocess.Popen(
                ["nice", "-n", "19", sys.executable, "-P", "-m", f"tools.{name}", "install"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            status = self._running.wait()
        return log_tail(self._log(name)) if status else None
