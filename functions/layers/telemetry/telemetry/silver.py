"""What a batch run counted of a game's silver, and what of it keeps gold from being published.

The batch job brings this module along: it imports nothing that Spark's machines do not have.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["pass", "warn", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Check:
    """A verdict with what it rests on: the value, the bound that it is held against, and a sentence."""

    name: str
    verdict: Verdict
    message: str
    value: float | None = None
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Lake:
    """What a batch run counted of a game: the lines of bronze it took, and silver on the days they touched.

    `nulls` and `ranges` are rows by field; `sequences` are sessions, `gapped` those that lack a sequence
    number; `days` are gold's figures of the days, by the names that player_state counts them by. `refunds`
    are all refunds of the game, `unmatched_refunds` those whose purchase no event has reported. `links` are
    all pairs of ids that events link, `ignored_links` those that count as two players all the same. `values`
    are what events give custom dimensions, `undeclared_values` those that the game has not declared.
    """

    lines: int = 0
    distinct: int = 0
    held: int = 0
    new: int = 0
    duplicates: int = 0
    events: int = 0
    nulls: Mapping[str, int] = field(default_factory=dict)
    ranges: Mapping[str, int] = field(default_factory=dict)
    sequences: int = 0
    gapped: int = 0
    refunds: int = 0
    unmatched_refunds: int = 0
    links: int = 0
    ignored_links: int = 0
    values: int = 0
    undeclared_values: int = 0
    days: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def merged(lake: Lake) -> Check:
    """Silver must hold each event of the run's bronze exactly once."""
    lost = abs(lake.lines - lake.new - lake.duplicates) + abs(lake.distinct - lake.held)
    message = (
        f"Of {lake.lines:,} lines of bronze {lake.new:,} were new and {lake.duplicates:,} duplicates;"
        f" silver holds {lake.held:,} of their {lake.distinct:,} events."
    )
    return Check("merged", "fail" if lost else "pass", message, lost, 0)


def _fields(name: str, broken: Mapping[str, int], fault: str) -> Check:
    if not broken:
        return Check(name, "pass", f"No values of silver are {fault}.", 0, 0)
    total, worst = sum(broken.values()), max(broken, key=lambda field: broken[field])
    told = (
        f"{total:,} values in {len(broken)} fields of silver are {fault}; most in {worst}: {broken[worst]:,}."
    )
    return Check(name, "fail", told, total, 0)


def nulls(lake: Lake) -> Check:
    """What every version of a schema requires must be there."""
    return _fields("nulls", lake.nulls, "missing")


def ranges(lake: Lake) -> Check:
    """Numbers must be within the widest limits of their schemas."""
    return _fields("ranges", lake.ranges, "out of range")


def refused(lake: Lake) -> list[str]:
    """Return why gold must not be published from a game's silver, in words.

    Gaps in sequences do not stop it: what a client never sent is in no older gold either.
    """
    return [check.message for check in (merged(lake), nulls(lake), ranges(lake)) if check.verdict == "fail"]
