"""Personal data where it does not belong: e-mail addresses are masked in everything that is kept."""

import re

# No longer than the shortest address, so that masking never takes a text over its limit.
MASK = "[mail]"

# The lookbehind lets a match start at a boundary only, which keeps the search linear in hostile text.
_LOCAL = r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}"
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}[A-Za-z]{2,63}"
_text = re.compile(f"{_LOCAL}@{_DOMAIN}")
_bytes = re.compile(rf"{_LOCAL}(?:@|\\u0040){_DOMAIN}".encode())


def mask(text: str) -> str:
    """Return the text with every e-mail address replaced."""
    return _text.sub(MASK, text) if "@" in text else text


def mask_bytes(raw: bytes) -> bytes:
    """Return bytes that may be JSON with every e-mail address replaced, an escaped @ included."""
    return _bytes.sub(MASK.encode(), raw) if b"@" in raw or b"\\u0040" in raw else raw
