"""Why an event is refused: a value that goes on as data, not a failure that is retried."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from telemetry.field_errors import MAX_ERRORS, FieldError, clipped


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


class Rejection(Exception):
    """One refused event: the reason, and at least one error.

    `pointer` is the JSON pointer (RFC 6901) of the offending field, "" for the whole event. It and `message`
    are those of the first error.
    """

    def __init__(self, reason: Reason, message: str, pointer: str = "") -> None:
        """Keep the message short: it may quote the client's own bytes."""
        super().__init__(message)
        self.reason = reason
        error = FieldError(clipped(pointer), clipped(message), clipped(pointer))
        self.errors: tuple[FieldError, ...] = (error,)

    @classmethod
    def of(cls, reason: Reason, errors: Sequence[FieldError]) -> Self:
        """Return a rejection with several errors, the first of which matters most."""
        made = cls(reason, errors[0].message)
        made.errors = tuple(errors)
        return made

    @property
    def message(self) -> str:
        """What is wrong, in a sentence."""
        return self.errors[0].message

    @property
    def pointer(self) -> str:
        """The field at fault."""
        return self.errors[0].pointer


def joined(rejections: Sequence[Rejection]) -> Rejection:
    """Return one rejection with the errors of several, for the reason of the first."""
    errors = [error for each in rejections for error in each.errors]
    return Rejection.of(rejections[0].reason, errors[:MAX_ERRORS])
