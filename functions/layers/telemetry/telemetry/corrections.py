"""What a studio took back: each correction is an object of the lake, and raw events stay as they came.

The batch job brings this module along: it imports nothing that Spark's machines do not have.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

PREFIX = "corrections/events"
# The batch job keeps there which corrections the published gold has.
APPLIED = "batch/corrections"
# The row of a bucket of the game_days table that takes back what rows of shards have counted.
ROW = "corrections"


def object_name(text: str) -> str:
    """Return a text as part of an object's key. Hadoop takes no colon in a name."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in text)


@dataclass(frozen=True, slots=True)
class Correction:
    """Events of a game that count no more: those with the ids, or every report of a store transaction.

    `days` are the UTC days whose figures change, as far as they are known. `changes` is what live counters
    lost; `subject` names the player by a hash.
    """

    game_id: str
    corrected_at: str
    by: str
    reason: str
    days: tuple[str, ...]
    event_ids: tuple[str, ...] = ()
    store: str = ""
    transaction_id: str = ""
    subject: str = ""
    changes: Mapping[str, Mapping[str, int]] | None = None

    @property
    def name(self) -> str:
        """Return what keys call it."""
        return object_name(f"{self.game_id}-{self.corrected_at}-{self.transaction_id or self.event_ids[0]}")

    @property
    def key(self) -> str:
        """Return the key of its object in the lake."""
        return f"{PREFIX}/{self.name}.json"

    @property
    def text(self) -> str:
        """Return what its object holds."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the correction that an object holds."""
        found: dict[str, Any] = json.loads(text)
        return cls(**found | {name: tuple(found[name]) for name in ("days", "event_ids")})

    def voids(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an enriched event counts no more."""
        if event["game_id"] != self.game_id:
            return False
        if event["event_id"] in self.event_ids:
            return True
        payload = event["payload"]
        return event["event_type"] == "purchase" and (payload["store"], payload["transaction_id"]) == (
            self.store,
            self.transaction_id,
        )
