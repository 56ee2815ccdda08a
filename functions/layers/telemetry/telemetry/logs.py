"""What gets into logs: no key, signature, address or webhook, whatever an error quotes."""

import re
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from telemetry.email_masking import mask

# The secret of a key is 32 bytes in base64; a webhook's is the path of its URL.
_SECRETS = (
    (re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])", re.ASCII), "[key]"),
    (re.compile(r"sha256=[0-9A-Fa-f]+"), "[signature]"),
    (re.compile(r"(https?://[^/\s\"']+)/[^\s\"']+"), r"\1/[path]"),
)


def logger() -> Logger:
    """Return the logger of a function; those of its modules are its children."""
    return Logger(logger_formatter=_Redacting())


class _Redacting(LambdaPowertoolsFormatter):
    def serialize(self, log: Any) -> str:
        return super().serialize(_redacted(log))


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _redacted(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(held) for held in value]
    if value is None or isinstance(value, int | float):
        return value
    # Errors among them, which are written as they call themselves.
    text = mask(str(value))
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text
