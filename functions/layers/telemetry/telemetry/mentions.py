"""Ids of players inside other text: found as whole tokens, and replaced."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

LONG = 12
MAX_REMEMBERED = 1024
# Fields that name a player, in whatever form a studio writes them.
NAMING = re.compile("player|user|uid|friend|opponent|member|sender|recipient|target|owner|account", re.I)


def is_long(player_id: str) -> bool:
    """Tell an id that is no word by accident: others may be a platform, a level, an event type, a number."""
    return len(player_id) >= LONG and any(sign.isdigit() for sign in player_id)


@lru_cache(MAX_REMEMBERED)
def tokens(ids: tuple[str, ...]) -> re.Pattern[str]:
    """Return what matches any of the ids as a whole token.

    Any sign separates a long id from its neighbours; a short one ends where no id could go on.
    """
    found = []
    for one in sorted(ids, key=len, reverse=True):
        around = "[A-Za-z0-9]" if len(one) >= LONG else "[A-Za-z0-9_.:-]"
        found.append(f"(?<!{around}){re.escape(one)}(?!{around})")
    return re.compile("|".join(found))


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


def names_players(path: tuple[str, ...]) -> bool:
    """Tell whether a field of these names may hold a player's id."""
    return any(NAMING.search(name) for name in path)
