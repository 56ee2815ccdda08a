"""Hands events to player_state as the enriched stream does: each at a position behind all before it."""

import itertools
from collections.abc import Iterable
from typing import Any

from leaderboards.entries import Leaderboards
from player_state.players import Applied, PlayerStore, Record
from telemetry.client_names import NameLimits, Names

_positions = itertools.count(1)


def positioned(events: Iterable[dict[str, Any]]) -> list[Record]:
    """Return the events as records that come next in the stream."""
    return [Record(next(_positions), event) for event in events]


def feed(
    store: PlayerStore, events: Iterable[dict[str, Any]], shard: str = "shardId-000000000000"
) -> Applied:
    """Apply the events as the next ones of a shard."""
    return store.apply(positioned(events), shard)


def leaderboards_of(
    client: Any, limits: NameLimits | None = None, *, consistent: bool = False
) -> Leaderboards:
    """Return the writer of leaderboards as the function makes it, with the default limits of names."""
    names = Names(client, "game_days", limits or NameLimits())
    return Leaderboards(client, "leaderboards", "boards", names, consistent=consistent)
