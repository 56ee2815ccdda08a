"""How many shards a stream should have."""

from collections.abc import Sequence
from math import ceil

# Three readers of a shard that is filled beyond two thirds want more than the 2 MB a second it gives; a
# change leaves half for the next one.
FULL, AIM = 0.6, 0.5
RECENT = 5


def target(shards: int, used: Sequence[float], minimum: int, maximum: int) -> int:
    """Return the shards to have, by how many each minute of the last day filled, the newest first.

    Kinesis doubles or halves at most. It is halved only where the whole day would have fitted, and where
    nothing is known of the load it stays.
    """
    wanted = shards
    if used and max(used[:RECENT]) > FULL * shards:
        wanted = ceil(max(used[:RECENT]) / AIM)
    elif used and ceil(max(used) / AIM) < shards:
        wanted = ceil(max(used) / AIM)
    bounded = max(minimum, min(wanted, maximum))
    return max(ceil(shards / 2), min(bounded, 2 * shards))
