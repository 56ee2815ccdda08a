"""What player state costs on DynamoDB an event: players, counters and leaderboards, by how events arrive.

Runs player_state's own stores against a client that bills as DynamoDB does: a write of a transaction
costs two units for each started KB of the item, another write one, a consistent read one for each
started 4 KB, and an index that changes its key two more. The players have played before, so that
their items are as large as they become.
"""

import math
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from dedupe_cost import Item, size
from measured import keep
from player_state.leaderboards import Leaderboards
from player_state.players import PlayerStore
from rich.console import Console
from rich.table import Table
from telemetry.enrichment import enrich, timestamp
from telemetry.origin import Origin
from tools.simulation import LIVE_PAUSE_SECONDS, Game

DOLLARS_PER_MILLION_WRITES, DOLLARS_PER_MILLION_READS = 0.625, 0.125  # on demand, standard table, us-east-1
WARM_EVENTS, MEASURED_EVENTS = 288, 48
KEYS = {"players": ("player",), "game_days": ("game_day", "shard"), "leaderboards": ("board", "player_id")}


class Cancelled(Exception):
    """What a client raises for a condition that does not hold: never here, for there is one writer."""


class Meter:
    """Tables in memory that count units: `writes` by table, `reads`."""

    class exceptions:  # noqa: N801 - as boto3 names it
        """As the stores look them up."""

        TransactionCanceledException = Cancelled
        ConditionalCheckFailedException = Cancelled

    def __init__(self) -> None:
        self.items: dict[tuple[str, ...], Item] = {}
        self.writes: Counter[str] = Counter()
        self.reads = 0
        self._lock = threading.Lock()

    def query(self, **call: Any) -> dict[str, Any]:
        return {"Items": []}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        ((table, request),) = RequestItems.items()
        found = [self.items.get((table, *_key(table, key))) for key in request["Keys"]]
        with self._lock:
            self.reads += sum(math.ceil(size(flat(item)) / 4096) if item else 1 for item in found)
        return {"Responses": {table: [item for item in found if item]}}

    def put_item(self, TableName: str, Item: Item, **_: Any) -> None:  # noqa: N803 - boto3's names
        before = self._keep(TableName, Item, 1)
        with self._lock:
            if before is None or before["rank_key"] != Item["rank_key"]:
                self.writes["by_rank"] += 1 if before is None else 2

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803 - boto3's name
        for write in TransactItems:
            if put := write.get("Put"):
                self._keep(put["TableName"], put["Item"], 2)
            else:
                update = write["Update"]
                where = (update["TableName"], *_key(update["TableName"], update["Key"]))
                self._keep(update["TableName"], _added(self.items.get(where, update["Key"]), update), 2)

    def _keep(self, table: str, item: Item, units: int) -> Item | None:
        where = (table, *_key(table, item))
        with self._lock:
            before = self.items.get(where)
            largest = max(size(flat(item)), size(flat(before)) if before else 0)
            self.items[where] = item
            self.writes[table] += units * math.ceil(largest / 1024)
        return before


def flat(item: Item) -> Item:
    """Return an item whose lists, maps and sets are as long as they are billed."""
    return {name: {"S": "x" * _billed(value)} for name, value in item.items()}


def _billed(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return len(content) // 2 + 1
        case "M":
            return 3 + sum(1 + len(name) + _billed(part) for name, part in content.items())
        case "L":
            return 3 + sum(1 + _billed(part) for part in content)
        case "NS":
            return sum(len(number) // 2 + 1 for number in content)
        case "SS":
            return sum(map(len, content))
        case "BOOL" | "NULL":
            return 1
    return len(content)


def _key(table: str, item: Item) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in KEYS[table])


def _added(before: Item, update: dict[str, Any]) -> Item:
    item, values = dict(before), update["ExpressionAttributeValues"]
    for alias, name in update["ExpressionAttributeNames"].items():
        number = int(item.get(name, {"N": "0"})["N"]) + int(values[":" + alias[1:]]["N"])
        item[name] = {"N": str(number)}
    return item | {"updated_at": values[":now"], "expires_at": values[":expires_at"]}


def batches(players: int, together: int, count: int, start: datetime) -> Iterator[list[dict[str, Any]]]:
    """Yield batches in which each player has `together` events, one each 8 seconds, enriched."""
    game = Game("a-game-with-a-name", players, 1, 1, start)
    crowd = [game.play_on(number) for number in range(players)]
    moment = start
    for _ in range(count // together):
        batch = []
        for _ in range(together):
            moment += timedelta(seconds=LIVE_PAUSE_SECONDS)
            sent = {"event_time": timestamp(moment), "sent_at": timestamp(moment)}
            origin = Origin(moment, "stream")
            batch += [enrich(next(events) | sent, origin) for events in crowd]
        yield batch


def units_an_event(players: int, together: int) -> tuple[Counter[str], float]:
    """Return write units by table, and read units, of an event where the item's history is full."""
    meter = Meter()
    players_store = PlayerStore(meter, "players", "game_days")
    boards = Leaderboards(meter, "leaderboards", "boards")
    played = batches(players, together, WARM_EVENTS + MEASURED_EVENTS, datetime.now(UTC) - timedelta(hours=1))
    for number, batch in enumerate(played):
        if number == WARM_EVENTS // together:
            meter.writes.clear()
            meter.reads = 0
        _, lost = players_store.apply(batch, "shard-1")
        if lost + boards.submit(batch):
            raise SystemExit("nothing can be lost here")
    events = players * MEASURED_EVENTS
    return Counter({table: units / events for table, units in meter.writes.items()}), meter.reads / events


def main() -> None:
    """Print the table of docs/performance.md."""
    columns = ("players", "game_days", "leaderboards", "by_rank")
    table = Table("Players in a batch", "Events of each", *columns, "Writes", "Reads", "$ per million events")
    results: dict[int, dict[str, float]] = {}
    for players in (5, 50):
        for together in (1, 4, 12, 24, 48):
            writes, reads = units_an_event(players, together)
            total = sum(writes.values())
            results[together] = {name: round(writes[name], 3) for name in columns}
            dollars = total * DOLLARS_PER_MILLION_WRITES + reads * DOLLARS_PER_MILLION_READS
            each = (f"{writes[name]:.2f}" for name in columns)
            table.add_row(
                str(players), str(together), *each, f"{total:.2f}", f"{reads:.2f}", f"{dollars:.2f}"
            )
    keep("player_state_writes", results)  # of the 50 players, which come last
    Console(width=140).print("Units an event that DynamoDB bills", table)


if __name__ == "__main__":
    main()
