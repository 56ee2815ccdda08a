"""How evenly load lies at a million events a second, by the partition keys and board partitions of the code.

Players are of games whose sizes are Zipf distributed, and so is what they do. Kinesis places a key by its
MD5; leaderboard entries lie where `Board.partition` puts them. Prints the fullest part over the mean, and
how many parts hold more than they may, so that docs/scale.md can tell what breaks first.
"""

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rich.console import Console
from rich.table import Table
from stream_scaling.rule import AIM
from telemetry.boards import MAX_SHARDS, Board, Period
from tools.costs import model
from tools.costs.model import Load

EVENTS_PER_SECOND = 1_000_000
GAMES, PLAYERS = 200, 1_000_000
# Exponents of Zipf's law: the greatest of 200 games has a sixth of the players; a player at most 50 an event.
GAME_EXPONENT, PLAYER_EXPONENT = 1.0, 0.4
# A shard takes a thousand records or a megabyte a second: an enriched event of 1.3 KB fills it by its bytes.
EVENT_BYTES = 1000 + model.usage("enriched_extra_bytes")
SHARD_EVENTS = min(model.SHARD_RECORDS, model.SHARD_BYTES / EVENT_BYTES)
# DynamoDB splits partitions by heat, but a key takes 1,000 write units a second.
PARTITION_WRITES = 1000
SCORES_A_SECOND_AND_PLAYER = 1 / 60


@dataclass(frozen=True, slots=True)
class Spread:
    """Loads of parts: the mean, the fullest over it, and the share of parts above a limit."""

    mean: float
    fullest: float
    over: float


def spread(loads: Sequence[float], limit: float) -> Spread:
    """Return how loads lie over their parts, empty ones included."""
    mean = sum(loads) / len(loads)
    return Spread(mean, max(loads) / mean, sum(load > limit for load in loads) / len(loads))


def partition_key(game: int, player: int) -> str:
    """Return the key that the REST API writes with. That of the processor, a hash, lies as evenly."""
    return f"game-{game:03}/p-{player:07}"


def shard_of(key: str, shards: int) -> int:
    """Return the shard that holds a key, where the 128 bits of MD5 are split evenly."""
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest()) * shards >> 128


def population(seed: int = 1) -> Iterator[tuple[int, int, float]]:
    """Yield game, player, and the player's share of all events."""
    dice = random.Random(seed)
    sizes = list(accumulate(1 / rank**GAME_EXPONENT for rank in range(1, GAMES + 1)))
    games = dice.choices(range(GAMES), cum_weights=sizes, k=PLAYERS)
    weights = [1 / rank**PLAYER_EXPONENT for rank in range(1, PLAYERS + 1)]
    total = sum(weights)
    for player, (game, weight) in enumerate(zip(games, weights, strict=True)):
        yield game, player, weight / total


def stream_spread(shards: int, hot_share: float = 0.0) -> Spread:
    """Return the spread of events over shards; `hot_share` of all events come from one player more."""
    loads = [0.0] * shards
    for game, player, share in population():
        loads[shard_of(partition_key(game, player), shards)] += share * EVENTS_PER_SECOND * (1 - hot_share)
    loads[shard_of("game-000/bot", shards)] += hot_share * EVENTS_PER_SECOND
    return spread(loads, SHARD_EVENTS)


def board_spread(shards: int) -> Spread:
    """Return the spread of the greatest game's scores over a board's partitions."""
    board = Board(game_id="game-000", board_id="global", title="All", source="global", shards=shards)
    players = [player for game, player, _ in population() if game == 0]
    loads = Counter(board.partition(Period(), f"p-{player:07}") for player in players)
    each = [loads[name] * SCORES_A_SECOND_AND_PLAYER for name in board.partitions(Period())]
    # Two more units of the index by rank, in a partition of the same key.
    return spread(each, PARTITION_WRITES / 2)


def main() -> None:
    """Print the tables of docs/scale.md."""
    console = Console(width=120)
    needed = model.shards_needed(Load(EVENTS_PER_SECOND), "enriched")
    scaled = model.shards_needed(Load(EVENTS_PER_SECOND), "enriched", AIM)
    table = Table(
        "Shards of `enriched`",
        "Events/s a shard, mean",
        "Fullest ÷ mean",
        f"Shards over {SHARD_EVENTS:.0f}/s",
    )
    for label, shards, hot in (
        (f"{math.ceil(needed * 0.8):,}, full on average", math.ceil(needed * 0.8), 0.0),
        (f"{needed:,}, four fifths full", needed, 0.0),
        (f"{scaled:,}, half full as the scaler leaves them", scaled, 0.0),
        (f"{scaled:,}, one player sends 0.5 %", scaled, 0.005),
    ):
        found = stream_spread(shards, hot)
        table.add_row(label, f"{found.mean:,.0f}", f"{found.fullest:.2f}", f"{found.over:.2%}")
    console.print(table)
    table = Table(
        "Shards of a board", "Scores/s a partition, mean", "Fullest ÷ mean", "Partitions over 500/s"
    )
    for shards in (1, 4, MAX_SHARDS):
        found = board_spread(shards)
        table.add_row(str(shards), f"{found.mean:,.0f}", f"{found.fullest:.2f}", f"{found.over:.0%}")
    console.print(table)


if __name__ == "__main__":
    main()
