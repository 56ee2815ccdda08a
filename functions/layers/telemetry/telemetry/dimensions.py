"""Custom dimensions of a game: what it declares, and what an event counts by: docs/adr/0031."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import orjson

Rule = Literal["install", "current"]
RULES: tuple[Rule, ...] = get_args(Rule)
SLOTS = (1, 2)
MAX_VALUES = 20
MAX_NAME, MAX_VALUE = 32, 64
# What an event may tell; a value that is longer than a declared one counts as other.
MAX_TOLD = 128
NAME = "^[a-z][a-z0-9_]*$"
# What a value counts as that the game has not declared, and what an event without a value does.
OTHER, UNKNOWN = "other", "unknown"
# "*" is all values together.
RESERVED = (OTHER, UNKNOWN, "*")


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a game declares: a name, whether the install day's value counts or the current one, its values."""

    name: str
    rule: Rule
    values: frozenset[str]

    def counted(self, told: Mapping[str, str]) -> str:
        """Return what an event with these dimensions counts by."""
        value = told.get(self.name)
        if value is None:
            return UNKNOWN
        value = normal(value)
        return value if value in self.values else OTHER


@dataclass(frozen=True, slots=True)
class Declared:
    """The dimensions of a game by their slot, 1 and 2."""

    slots: Mapping[int, Dimension]

    @classmethod
    def of(cls, game: Mapping[str, Any] | None) -> Self:
        """Return what a game's item (`dimensions`) declares."""
        given = (game or {}).get("dimensions", {})
        return cls(
            {
                slot: Dimension(one["name"], one["rule"], frozenset(one["values"]))
                for slot in SLOTS
                if (one := given.get(str(slot)))
            }
        )

    def fields(self, told: Mapping[str, str]) -> str:
        """Return the fields of an enriched event as JSON, each with a comma behind it."""
        return "".join(
            f'"{"custom" if one.rule == "current" else "install"}_{slot}":{_quoted(one.counted(told))},'
            for slot, one in self.slots.items()
        )


NOTHING = Declared({})


def normal(value: str) -> str:
    """Return a text in Unicode's form NFC: two spellings of one letter are one value."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _quoted(value: str) -> str:
    return orjson.dumps(value).decode()
