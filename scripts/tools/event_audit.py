"""What became of every event that was sent: none may be missing without its sender knowing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reply(StrEnum):
    """What a sender heard of an event: it was taken, or it must be sent again or mended."""

    TAKEN = "taken"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Audit:
    """Distinct events by where they are; `lost` were taken and are nowhere."""

    sent: int
    accepted: int
    rejected: int
    reported: int
    lost: tuple[str, ...]
    repeated: int

    @property
    def is_exact(self) -> bool:
        """Tell whether every event sent is in exactly one of the places, none lost."""
        return not self.lost and self.accepted + self.rejected + self.reported == self.sent


def audit(replies: Mapping[str, Reply], bronze: Iterable[str], quarantine: Iterable[str]) -> Audit:
    """Return where the events are, by id: `replies` of those sent, and the lines of the lake.

    The lake decides: an event whose sender gave up, and which is there, was accepted. `repeated` are lines
    of bronze beyond the first of an event, which its readers drop.
    """
    lines = Counter(event_id for event_id in bronze if event_id in replies)
    accepted = set(lines)
    rejected = {event_id for event_id in quarantine if event_id in replies} - accepted
    missing = replies.keys() - accepted - rejected
    reported = {event_id for event_id in missing if replies[event_id] is Reply.REFUSED}
    lost = tuple(sorted(missing - reported))
    repeated = lines.total() - len(lines)
    return Audit(len(replies), len(accepted), len(rejected), len(reported), lost, repeated)
