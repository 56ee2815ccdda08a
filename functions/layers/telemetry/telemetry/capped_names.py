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
    rows: Mapping[Name, Counter[str]], size: Callable[[Counter[str]], int], shown: int = SHOWN, apart: int = 0
) -> Shown:
    """Return the rows that are largest by a size; the rest is added up under `other`.

    Sizes of names whose first `apart` parts differ, such as amounts of two currencies, are neither compared
    nor added up: each of these parts has its largest rows in turn, and an `other` of its own.
    """
    named = {name: counts for name, counts in rows.items() if OTHER not in name}
    places, ranks = Counter[Name](), dict[Name, int]()
    for name in sorted(named, key=lambda name: (-size(named[name]), name)):
        ranks[name] = places[name[:apart]]
        places[name[:apart]] += 1
    order = sorted(ranks, key=lambda name: (ranks[name], name[:apart]))
    kept = {name: named[name] for name in order[:shown]}
    told = {name[:apart] for name in kept}
    left: dict[Name, list[Counter[str]]] = {}
    for name, counts in rows.items():
        if name not in kept:
            known = name[:apart] if name[:apart] in told else (LABEL,) * apart
            left.setdefault((*known, *(LABEL,) * (len(name) - apart)), []).append(counts)
    for label, others in left.items():
        # A client may send a name like the label. Adding with + would drop sums below nothing.
        other = Counter(kept.get(label, {}))
        for counts in others:
            other.update(counts)
        kept[label] = other
    return Shown(kept, capped=bool(left))
