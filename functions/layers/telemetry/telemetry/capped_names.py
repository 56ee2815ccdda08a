"""Names that clients choose: a game has only so many a day, and an answer shows the largest."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

# What names beyond a day's limit are counted under: no client can send it.
OTHER = "*"
# What people see instead.
LABEL = "other"
SHOWN = 100

Name = tuple[str, ...]
Rows = dict[Name, Counter[str]]


class Shown(NamedTuple):
    """The largest rows, and one of all others where there are any: then `capped` is true."""

    rows: Rows
    capped: bool


def largest(
    rows: Mapping[Name, Counter[str]], size: Callable[[Counter[str]], int], shown: int = SHOWN
) -> Shown:
    """Return the rows that are largest by a size; the rest is added up under `other`."""
    named = {name: counts for name, counts in rows.items() if OTHER not in name}
    order = sorted(named, key=lambda name: (-size(named[name]), name))
    kept = {name: named[name] for name in order[:shown]}
    left = [named[name] for name in order[shown:]]
    left += [counts for name, counts in rows.items() if OTHER in name]
    if not left:
        return Shown(kept, capped=False)
    label = (LABEL,) * len(next(iter(rows)))
    # A client may send a name like the label. Adding with + would drop sums below nothing.
    other = Counter(kept.get(label, {}))
    for counts in left:
        other.update(counts)
    kept[label] = other
    return Shown(kept, capped=True)
