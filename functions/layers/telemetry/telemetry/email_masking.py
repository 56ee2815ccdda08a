"""Personal data where it does not belong: e-mail addresses are masked in everything that is kept."""

import re

# No longer than the shortest address, so that masking never takes a text over its limit.
MASK = "[mail]"

# Letters and pictures beyond ASCII, no spaces, punctuation and dots. The last range is of bytes that
# are no UTF-8.
_LETTERS = (
    "A-Za-z\u00aa-\u1fff\u2100-\u218f\u2600-\u27bf\u2c00-\u2fef\u3005-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe"
    "\uff10-\uff60\uff62-\uffdc"
    "\U00010000-\U000efffd\udc80-\udcff"
)
# An escape of JSON that is no punctuation, or a percent-encoded byte.
_ESCAPE = r"\\{1,8}u(?!20(?!0[cCdD]))[0-9A-Fa-f]{4}|%(?:25){0,3}[0-9A-Fa-f]{2}"
# Beside the full stop those that IDNA takes for one.
_ESCAPED_DOT = r"\\{1,8}u(?:002[eE]|3002|[fF][fF]0[eE]|[fF][fF]61)|%(?:25){0,3}2[eE]"
_DOT = rf"(?:[.\u3002\uff0e\uff61]|{_ESCAPED_DOT})"
# IDNA allows the joiners U+200C and U+200D. There is no dot in it.
_LABEL_SIGN = rf"(?:[{_LETTERS}\u200c\u200d0-9-]|(?!{_ESCAPED_DOT})(?:{_ESCAPE}))"
_LABEL = rf"{_LABEL_SIGN}{{1,63}}+"
_TOP = rf"(?:[xX][nN]--[A-Za-z0-9-]{{2,59}}|(?:[{_LETTERS}]|{_ESCAPE}){{2,63}})"
_LITERAL = r"\[(?:IPv6:)?[0-9A-Fa-f:.]{3,45}\]"
# JSON within a text of JSON has several backslashes.
_at = re.compile(r"@|\\{1,8}u0040|%(?:25){0,3}40")
_domain = re.compile(rf"(?:{_LABEL}{_DOT}){{1,126}}{_TOP}|{_LITERAL}")
_label_signs = re.compile(rf"{_LABEL_SIGN}*+")
_dot = re.compile(_DOT)
# Unicode's spaces and control characters, as an escape of JSON that is read from its end.
_SPACE_REVERSED = "(?i:.[0189]00|0200|0a00|0861|[0-9a]002|[89f]202|f502|0003)"
# What RFC 5322 and 6531 allow before the sign, read from its end. RFC 6531 allows everything beyond ASCII,
# punctuation such as an ellipsis too. Spaces are left out.
_local_reversed = re.compile(
    rf"(?:(?!{_SPACE_REVERSED}u\\)[0-9A-Fa-f]{{4}}u\\{{1,8}}|[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~."
    "\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\U0010ffff-])+"
)
_WIDE = ("utf-16-le", "utf-16-be")
# 64 letters, each as two escapes of JSON.
_MAX_LOCAL = 64 * 2 * 6
# 63 letters, each as the longest escape: eight backslashes, "u" and four digits.
_MAX_LABEL = 63 * 13
# 253 letters, each as an escape of JSON.
_MAX_DOMAIN = 253 * 6


def mask(text: str) -> str:
    """Return the text with every e-mail address replaced, percent-encoded ones included."""
    return _masked(text, '"') if "@" in text or "%" in text or "\\u0040" in text else text


def mask_bytes(raw: bytes) -> bytes:
    """Return bytes that may be JSON with every e-mail address replaced, whatever is escaped in it."""
    if b"@" not in raw and b"%" not in raw and b"\\u0040" not in raw:
        return raw
    for codec in _WIDE:
        raw = _masked_wide(raw, codec)
    return _masked(raw.decode("utf-8", "surrogateescape"), '\\"').encode("utf-8", "surrogateescape")


def _masked_wide(raw: bytes, codec: str) -> bytes:
    """Mask bytes of UTF-16, which nobody may send and which the quarantine keeps."""
    end = len(raw) - len(raw) % 2
    if "@".encode(codec) not in raw:
        return raw
    try:
        text = raw[:end].decode(codec, "surrogatepass")
    except UnicodeDecodeError:
        return raw
    return mask(text).encode(codec, "surrogatepass") + raw[end:]


def _masked(text: str, quote: str) -> str:
    """Return the text without addresses, in linear time: each sign is looked at with its surroundings."""
    parts: list[str] = []
    done = at = label = 0
    has_dot = False
    while sign := _at.search(text, at):
        at = sign.end()
        if at >= label:
            label = _label_signs.match(text, at).end()  # type: ignore[union-attr]
            has_dot = bool(_dot.match(text, label))
        # Escaped signs are part of one long label: whether a dot follows it is found out once.
        if at < label and not (has_dot and label - at <= _MAX_LABEL):
            continue
        if not (domain := _domain.match(text, at, at + _MAX_DOMAIN)):
            continue
        at = domain.end()
        start = _start(text, sign.start(), done, quote)
        if start < sign.start():
            parts += [text[done:start], MASK]
            done = at
    return "".join([*parts, text[done:]]) if parts else text


def _start(text: str, at: int, done: int, quote: str) -> int:
    """Return where the local part before a sign begins: the sign itself where there is none."""
    before = text[max(done, at - _MAX_LOCAL) : at]
    if before.endswith(quote) and (opened := _opened(before, quote)) >= 0:
        return at - len(before) + opened
    local = _local_reversed.match(before[::-1])
    start = at - len(local[0]) if local else at
    if quote != '"' and start < at and _is_escape(text, start):
        # What follows a backslash belongs to it: "\\t" is one sign of JSON.
        start += len("u2026") if text[start] == "u" else 1
    return min(start, at)


def _opened(before: str, quote: str) -> int:
    """Return where the quoted text begins that a text ends with, -1 where it does not."""
    end = len(before) - len(quote)
    # 64 letters hold 32 escaped quotes.
    for _ in range(33):
        at = before.rfind(quote, 0, end)
        end = at
        while end > 0 and before[end - 1] == "\\":
            end -= 1
        # An odd number of backslashes escapes the quote. In JSON each of them is two.
        if at < 0 or (at - end) // len(quote) % 2 == 0:
            return at
    return -1


def _is_escape(text: str, at: int) -> bool:
    """Tell a letter that ends an escape of JSON: an odd number of backslashes comes before it."""
    before = at
    while before and text[before - 1] == "\\":
        before -= 1
    return (at - before) % 2 == 1 and text[at] in "bfnrtu"
