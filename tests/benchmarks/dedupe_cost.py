"""What finding duplicates costs on DynamoDB: claims that share an item, beside one item an event.

Runs the processor's own Claims against a client that bills as DynamoDB does: a write costs one unit
for each started KB of the item, before or after the write, whichever is larger. Prints write units
an event and dollars per million events, by how many events of a session reach one batch.
"""

import math
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from processor import dedupe
from processor.arrival import Arrival
from processor.dedupe import Claims
from rich.console import Console
from rich.table import Table
from telemetry.origin import Origin

DOLLARS_PER_MILLION_UNITS = 0.625  # on demand, standard table, us-east-1
GAME = "a-game-with-a-name-of-some-length"
SESSIONS, EVENTS_A_SESSION = 40, 240
DESIGNS = {"one item an event": 1, "stretch of 28": 28, "stretch of 64": 64, "whole session": 10**9}
Item = dict[str, dict[str, Any]]


class Meter:
    """A table that counts write units."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.units = 0
        self._lock = threading.Lock()

    def update_item(self, **call: Any) -> dict[str, Any]:
        names, values = call["ExpressionAttributeNames"], call["ExpressionAttributeValues"]
        item = self.items.setdefault(call["Key"]["bucket"]["S"], dict(call["Key"]))
        for alias, name in names.items():
            item.setdefault(name, values[":" + alias[1:]])
        item["expires_at"] = values[":expires_at"]
        with self._lock:
            self.units += math.ceil(size(item) / 1024)
        return {"Attributes": item}


def size(item: Item) -> int:
    """Return an item's bytes by DynamoDB's rules: names and values, a number half its digits and one."""
    total = 0
    for name, value in item.items():
        ((kind, content),) = value.items()
        total += len(name) + (len(content) // 2 + 1 if kind == "N" else len(content))
    return total


def units_an_event(stretch: int, together: int) -> float:
    """Play sessions whose events come `together` in a batch; return write units an event."""
    dedupe.EVENTS_PER_BUCKET = stretch
    meter, now, number = Meter(), datetime.now(UTC), 0
    claims = Claims(meter, "dedupe", window_hours=48)
    sessions = [str(uuid.uuid4()) for _ in range(SESSIONS)]
    for start in range(0, EVENTS_A_SESSION, together):
        batch = []
        for session in sessions:
            for sequence in range(start, start + together):
                number += 1
                event = {"game_id": GAME, "session_id": session, "sequence": sequence}
                event["event_id"] = str(uuid.uuid4())
                batch.append(Arrival(str(number), 0, Origin(now, "stream"), b"", event=event))
        repeated, unknown = claims.duplicates(batch)
        if repeated or unknown:
            raise SystemExit("no event of this run is a duplicate")
    return meter.units / number


def main() -> None:
    """Print the table of docs/performance.md."""
    table = Table("Events of a session in a batch", *DESIGNS, "one item ÷ stretch of 28")
    for together in (1, 4, 12, 24, 48):
        units = [units_an_event(stretch, together) for stretch in DESIGNS.values()]
        cells = (f"{unit:.3f} (${unit * DOLLARS_PER_MILLION_UNITS:.3f})" for unit in units)
        table.add_row(str(together), *cells, f"{units[0] / units[1]:.1f}")
    Console(width=140).print("Write units an event ($ per million events)", table)


if __name__ == "__main__":
    main()
