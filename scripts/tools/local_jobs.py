"""Queries that run in threads: whoever asks the same again takes one up, and it can be cancelled."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillBusy
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from uuid import uuid4

import duckdb
from telemetry.lake_reader import Result, StillRunning, Stopped

THREADS = 8
# Jobs that are over are remembered for a while, so that cancelling one twice has the same answer.
REMEMBERED = 64


@dataclass(slots=True, eq=False)
class Job:
    """A query of a game. `database` is where its SQL runs, and where it is interrupted."""

    game_id: str
    key: Any
    id: str = field(default_factory=lambda: str(uuid4()))
    database: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    future: "Future[Result] | None" = None
    is_cancelled: bool = False
    is_taken: bool = False

    def check(self) -> None:
        """Raise CancelledError where somebody has cancelled it."""
        if self.is_cancelled:
            raise CancelledError


class Jobs:
    """The newest jobs."""

    def __init__(self) -> None:
        """Begin without any."""
        self._threads, self._jobs, self._lock = ThreadPoolExecutor(THREADS), list[Job](), Lock()

    def result(self, game_id: str, key: Any, work: Callable[[Job], Result], wait_seconds: float) -> Result:
        """Return the result of a new job, or of the one with the same key. Raises StillRunning."""
        job, future = self._taken_up(game_id, key, work)
        try:
            found = future.result(wait_seconds)
        except StillBusy:
            raise StillRunning(job.id) from None
        except (CancelledError, duckdb.InterruptException):
            raise StillRunning from None
        finally:
            job.is_taken = future.done()
        return found

    def cancel(self, game_id: str, job_id: str) -> Stopped | None:
        """Stop a job of a game; None where there is none of this id."""
        with self._lock:
            job = next((one for one in self._jobs if (one.game_id, one.id) == (game_id, job_id)), None)
            if job is None or job.future is None:
                return None
            if job.future.done() and not job.is_cancelled:
                return "ended"
            job.is_cancelled = True
        job.future.cancel()
        # It may have ended meanwhile, and closed its database.
        with suppress(duckdb.ConnectionException):
            job.database.interrupt()
        return "cancelled"

    def _taken_up(
        self, game_id: str, key: Any, work: Callable[[Job], Result]
    ) -> "tuple[Job, Future[Result]]":
        with self._lock:
            for job in self._jobs:
                if job.future and job.key == key and not (job.is_cancelled or job.is_taken):
                    return job, job.future
            over = [one for one in self._jobs if one.future and one.future.done()]
            for one in over[: max(0, len(self._jobs) - REMEMBERED + 1)]:
                self._jobs.remove(one)
            job = Job(game_id, key)
            job.future = future = self._threads.submit(work, job)
            self._jobs.append(job)
            return job, future
