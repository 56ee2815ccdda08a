"""What a game may set, and what the client counts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SDK = "player-analytics-python/1.0.0"
MAX_REQUEST_EVENTS = 500
MAX_REQUEST_BYTES = 1_000_000
# What `sent_at` adds to an event when it is sent, and a line break.
STAMP_BYTES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the client keeps and sends events.

    The client sends a batch when it holds `batch_events` events or `batch_bytes` bytes, or when its oldest
    event is `batch_seconds` old. `directory` is the offline queue; without one, events wait in memory and
    end with the process. The queue holds at most `queue_bytes`, and the oldest events go first.
    """

    batch_seconds: float = 30.0
    batch_events: int = 100
    batch_bytes: int = 256_000
    directory: Path | str | None = None
    queue_bytes: int = 20_000_000
    # Events between `track` and the queue; they stay there for milliseconds unless the disk is stuck.
    memory_bytes: int = 4_000_000
    heartbeat_seconds: float = 60.0
    timeout_seconds: float = 15.0
    # Waits between attempts: a random time below first_retry_seconds, doubled with each attempt.
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 300.0
    # "instead_of_key" is for games that demand signatures: a name of the key is sent, never its secret.
    signature: Literal["none", "beside_key", "instead_of_key"] = "none"
    validate: bool = True
    # Called with a sentence on each problem, by a thread of the client; None writes to the log.
    on_problem: Callable[[str], None] | None = None
    clock: Callable[[], float] = time.time

    def events_of_a_request(self) -> int:
        """Return how many events a request has at most."""
        return max(1, min(self.batch_events, MAX_REQUEST_EVENTS))

    def bytes_of_a_request(self) -> int:
        """Return how many bytes of stored events a request has at most."""
        return max(1, min(self.batch_bytes, MAX_REQUEST_BYTES - MAX_REQUEST_EVENTS * STAMP_BYTES))


@dataclass(slots=True)
class Stats:
    """What became of events since the client began; `queued` wait now.

    `invalid` events never left the process; `rejected` ones the REST API refused for good; `dropped` ones the
    queue had no room for. An event may be accepted and then sent again, when the answer to it was lost.
    """

    tracked: int = 0
    accepted: int = 0
    rejected: int = 0
    invalid: int = 0
    dropped: int = 0
    queued: int = 0
    requests: int = 0
    failed_requests: int = 0
