"""Sends events that a program made itself, and returns what the REST API said of each."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from player_analytics.settings import SDK, Settings
from player_analytics.transport import Answer, Transport, timestamp

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Connection:
    """Sends whole events in one request, once and at once: for imports, tests and tools.

    It has no queue and no thread, and validates nothing. Several threads may use one connection.
    """

    def __init__(self, url: str, key: str, settings: Settings | None = None) -> None:
        """`url`: the REST API without a path; `key`: the game's.

        Of the settings, `clock`, `signature` and `timeout_seconds` count.
        """
        self._clock = (settings or Settings()).clock
        self._transport = Transport(url, key, settings or Settings(), SDK)

    def send(self, events: Sequence[Mapping[str, Any] | bytes]) -> Answer:
        """Send at most 500 events, each with a `sent_at` of now; bytes are sent as they are, as one line.

        Waits for the answer. Raises ValueError for what cannot be JSON. What the network does is no error,
        but part of the answer. A signature of a wrong clock is refused with everything in the request. The
        answer tells the right time, and the events are sent again with it.
        """
        sent_at = timestamp(self._clock())
        lines = [_line(event, sent_at) for event in events]
        answer = self._transport.post(lines)
        return self._transport.post(lines) if answer.is_clock_wrong else answer


def _line(event: Mapping[str, Any] | bytes, sent_at: str) -> bytes:
    return (event if isinstance(event, bytes) else _encode({**event, "sent_at": sent_at}).encode()) + b"\n"
