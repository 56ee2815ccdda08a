"""How many shards a stream should have."""

from collections.abc import Sequence
from math import ceil

# A shard takes 1 MB a second and gives 2 MB to all of its readers. A tenth of these stays for a reader that
# catches up, and three readers take the rest of a shard that is three fifths full. A change leaves half for
# the next one.
GIVEN = 1.8
FULL, AIM = 0.6, 0.5
RECENT = 5


def target(shards: int, used: Sequence[float], minimum: int, maximum: int, readers: int = 3) -> int:
    """Return the shards to have, by how many each minute of the last day filled, the newest first.

    With more than three `readers`, which all get each record, a shard is full sooner. Kinesis doubles or
    halves at most. It is halved only where the whole day would have fitted, and where nothing is known of the
    load it stays.
    """
    share = min(1.0, GIVEN / readers / FULL)
    wanted = shards
    if used and max(used[:RECENT]) > share * FULL * shards:
        wanted = ceil(max(used[:RECENT]) / (share * AIM))
    elif used and ceil(max(used) / (share * AIM)) < shards:
        wanted = ceil(max(used) / (share * AIM))
    bounded = max(minimum, min(wanted, maximum))
    return max(ceil(shards / 2), min(bounded, 2 * shards))
