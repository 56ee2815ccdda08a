"""Which events of a player are applied already: found by their position in the raw stream."""

from telemetry.player_item import Player, Watermark
from telemetry.raw_position import RawPosition

# A stream keeps records for a week at most: a shard that was silent for longer repeats nothing.
KEPT_DAYS = 8
# A player's events come from one shard of the raw stream, from two after a resharding.
MAX_SHARDS = 8
# Only a producer with AWS credentials can send so much of one player in one batch.
MAX_BYTES = 100_000
RECORD_BYTES = 12


def is_new(player: Player, position: RawPosition, day: int) -> bool:
    """Note that an event is applied; False where it was before. `day` is the ordinal of its arrival.

    The processor goes on to a later batch only when all before it is sent. So whatever lies before the
    latest start is applied, whether it comes again or not.
    """
    mark = next((one for one in player.watermarks if one.shard == position.shard), None)
    if mark is None:
        mark = Watermark(position.shard, position.start, day)
        player.watermarks.append(mark)
    elif position.start > mark.start:
        moved = position.start - mark.start
        mark.applied = {at - moved: events for at, events in mark.applied.items() if at >= moved}
        mark.start = position.start
    distance = position.sequence - mark.start
    known = mark.applied.get(distance, 0)
    if distance < 0 or known >> position.place & 1:
        return False
    mark.applied[distance] = known | 1 << position.place
    mark.day = max(mark.day, day)
    return True


def forget_old(player: Player) -> None:
    """Bound what is kept: shards that fell silent go, and of a batch the first records."""
    newest = max((mark.day for mark in player.watermarks), default=0)
    recent = [mark for mark in player.watermarks if mark.day >= newest - KEPT_DAYS]
    player.watermarks = sorted(recent, key=lambda mark: (mark.day, mark.start))[-MAX_SHARDS:]
    room = MAX_BYTES
    for mark in reversed(player.watermarks):
        for distance in sorted(mark.applied, reverse=True):
            room -= RECORD_BYTES + mark.applied[distance].bit_length() // 7
            if room < 0:
                del mark.applied[distance]
