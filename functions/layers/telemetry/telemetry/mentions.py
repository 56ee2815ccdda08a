"""Ids of players inside other text: found as whole tokens, and replaced."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

LONG = 12
MAX_REMEMBERED = 1024
# The last word of a field that names a player: friend, guild_leader, target_player.
PERSONS = frozenset(
    {
        "captain", "friend", "inviter", "leader", "member", "opponent", "owner", "player", "recipient",
        "referrer", "sender", "teammate", "user",
    }
)  # fmt: skip
# An account or a receiver may be anything: such a field names a player only with one of IDS behind.
HOLDERS = PERSONS | {"account", "receiver"}
IDS = frozenset({"id", "ids", "uid", "uids", "uuid", "guid"})
DEEDS = frozenset(
    {
        "blocked by", "gift from", "gift to", "gifted by", "gifted to", "invited by",
        "killed by", "recruited by", "referred by", "reported by", "sent by", "sent to",
    }
)  # fmt: skip
# The guidance's fields are stored in lower case, which hides where a word ends: userId is userid.
JOINED = frozenset(f"{holder}{word}" for holder in HOLDERS for word in IDS)
JOINED |= {deed.replace(" ", "") for deed in DEEDS}
WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# What may stand before an id to say what it is: player:1042, u_1042.
BEFORE = "account|friend|id|member|p|player|u|uid|user"
ID_SIGN = "[A-Za-z0-9_.:-]"


def is_long(player_id: str) -> bool:
    """Tell an id that is no word by accident: others may be a platform, a level, an event type, a number."""
    return len(player_id) >= LONG and any(sign.isdigit() for sign in player_id)


@lru_cache(MAX_REMEMBERED)
def tokens(whole: tuple[str, ...], parts: tuple[str, ...] = (), any_case: bool = False) -> re.Pattern[str]:
    """Return what matches an id of `whole` as a token of its own, and one of `parts` between any signs.

    "jo-ann" is no token of the id "ann", for it may be the id of somebody else. "player:ann" is one. With
    `any_case`, a long id of `parts` is matched in any letter case.
    """
    loose = tuple(filter(is_long, parts)) if any_case else ()
    return re.compile(
        f"(?<!{ID_SIGN})(?P<before>(?i:{BEFORE})[_.:-])?{_one_of(whole)}(?!{ID_SIGN})"
        f"|(?<![A-Za-z0-9])(?:{_one_of(parts)}|(?i:{_one_of(loose)}))(?![A-Za-z0-9])"
    )


def _one_of(ids: tuple[str, ...]) -> str:
    """Return the pattern of any of the ids, the longest first; of none it matches nothing."""
    return f"(?:{'|'.join(map(re.escape, sorted(ids, key=len, reverse=True))) or '(?!)'})"


def without(ids: re.Pattern[str], text: str, instead: str) -> str:
    """Return a text in which another word stands for each id that `tokens` matches."""
    return ids.sub(lambda found: (found["before"] or "") + instead, text)


def replaced(value: Any, change: Callable[[tuple[str, ...], Any], Any]) -> Any:
    """Return a JSON value with each scalar as `change` makes it of the names above it and itself.

    The value is changed in place, without recursion: what is refused can be nested as deep as JSON may.
    """
    holder = [value]
    pending: list[tuple[tuple[str, ...], Any]] = [((), holder)]
    while pending:
        path, part = pending.pop()
        for key, item in list(part.items() if isinstance(part, dict) else enumerate(part)):
            # The nearest names say what a value is; longer paths would cost the square of the depth.
            below = (*path[-2:], key) if isinstance(key, str) else path
            if isinstance(item, dict | list):
                pending.append((below, item))
            else:
                part[key] = change(below, item)
    return holder[0]


def names_players(path: tuple[str, ...], text: str) -> bool:
    """Tell whether a text in a field of these names may be a player's id.

    The field's own name decides, and for a field such as `id` the name above it. The number in a field of
    many, such as `players`, is a count.
    """
    if any(_names_one(name) for name in (*path[-1:], " ".join(path[-2:]))):
        return True
    return bool(path) and _names_many(path[-1]) and not text.isdigit()


@lru_cache(MAX_REMEMBERED)
def _names_one(name: str) -> bool:
    words = _words(name)
    if not words:
        return False
    if words[-1] in IDS:
        return words == ["uid"] or (len(words) > 1 and words[-2] in HOLDERS)
    return words[-1] in PERSONS or words[-1] in JOINED or " ".join(words[-2:]) in DEEDS


@lru_cache(MAX_REMEMBERED)
def _names_many(name: str) -> bool:
    words = _words(name)
    return bool(words) and words[-1].endswith("s") and words[-1][:-1] in PERSONS


def _words(name: str) -> list[str]:
    return [word.lower() for word in WORD.findall(name)]
