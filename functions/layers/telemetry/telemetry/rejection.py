"""Why an event is refused: a value that goes on as data, not a failure that is retried."""

from enum import StrEnum


class Reason(StrEnum):
    """The typed reasons of the quarantine; a new one is a change of contract."""

    MALFORMED_JSON = "malformed_json"
    TOO_LARGE = "too_large"
    UNKNOWN_SCHEMA = "unknown_schema"
    SCHEMA_VIOLATION = "schema_violation"
    UNKNOWN_GAME = "unknown_game"
    WRONG_GAME = "wrong_game"
    NOT_ALLOWED = "not_allowed"
    TOO_OLD = "too_old"
    FUTURE = "future"
    DUPLICATE = "duplicate"
    INTERNAL_ERROR = "internal_error"


MAX_MESSAGE = 300


class Rejection(Exception):
    """One refused event.

    `pointer` is the JSON pointer (RFC 6901) of the offending field, "" for the whole event.
    """

    def __init__(self, reason: Reason, message: str, pointer: str = "") -> None:
        """Keep the message short: it may quote the client's own bytes."""
        super().__init__(message)
        self.reason = reason
        self.message = message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
        self.pointer = pointer[:MAX_MESSAGE]
