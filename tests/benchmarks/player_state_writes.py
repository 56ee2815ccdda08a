"""What player state costs on DynamoDB an event: players, counters and leaderboards, by how events arrive.

Runs the functions' own stores against a client that bills as DynamoDB does: a write costs a unit for each
started KB of the item, a consistent read one for each started 4 KB and any other read half of it, and an
index that changes its key two more. Players send their events in requests, each of which is a record of the
raw stream with a position as long as Kinesis gives it. `new` players have played for an hour; `loyal` ones
on 100 days before, in more sessions than an item remembers, with purchases; `busy` ones are loyal and send a
performance event with every other.
"""

import argparse
import json
import math
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dedupe_cost import Item, size
from enriched_stream import leaderboards_of
from measured import keep
from player_state.players import PlayerStore, Record
from rich.console import Console
from rich.table import Table
from telemetry import catalog
from telemetry.enrichment import enrich, timestamp
from telemetry.origin import Origin
from telemetry.raw_position import RawPosition
from tools.simulation import LIVE_PAUSE_SECONDS, Game

DOLLARS_PER_MILLION_WRITES, DOLLARS_PER_MILLION_READS = 0.625, 0.125  # on demand, standard table, us-east-1
GAME, PLAYERS = "a-game-with-a-name", 50
WARM_EVENTS, MEASURED_EVENTS = 288, 48
KEYS = {"players": ("player",), "game_days": ("game_day", "shard"), "leaderboards": ("board", "player_id")}


class Refused(Exception):
    """What a client raises for a condition that does not hold: never here, for there is one writer."""


class Meter:
    """Tables in memory that count units: `writes` by table, `reads`."""

    class exceptions:  # noqa: N801 - as boto3 names it
        """As the stores look them up."""

        ConditionalCheckFailedException = Refused

    def __init__(self) -> None:
        self.items: dict[tuple[str, ...], Item] = {}
        self.writes: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.reads = 0.0
        self._lock = threading.Lock()

    def query(self, **call: Any) -> dict[str, Any]:
        return {"Items": []}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        ((table, request),) = RequestItems.items()
        found = [self.items.get((table, *_key(table, key))) for key in request["Keys"]]
        with self._lock:
            units = sum(math.ceil(size(flat(item)) / 4096) if item else 1 for item in found)
            self.reads += units if request.get("ConsistentRead") else units / 2
        return {"Responses": {table: [item for item in found if item]}}

    def get_item(self, TableName: str, Key: Item, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names
        item = self.items.get((TableName, *_key(TableName, Key)))
        with self._lock:
            self.reads += math.ceil(size(flat(item)) / 4096) if item else 1
        return {"Item": item} if item else {}

    def put_item(self, TableName: str, Item: Item, **_: Any) -> None:  # noqa: N803 - boto3's names
        before = self._keep(TableName, Item)
        if TableName != "leaderboards":
            return
        with self._lock:
            if before is None or before["rank_key"] != Item["rank_key"]:
                self.writes["by_rank"] += 1 if before is None else 2

    def update_item(self, TableName: str, Key: Item, **update: Any) -> None:  # noqa: N803 - boto3's names
        where = (TableName, *_key(TableName, Key))
        self._keep(TableName, _updated(self.items.get(where, Key), update))
        period = Key["game_day"]["S"].partition("#")[2]
        with self._lock:
            kind = "minutes" if period.startswith("hour-") and "#" not in period else "other counters"
            self.kinds[kind] += math.ceil(size(flat(self.items[where])) / 1024)

    def _keep(self, table: str, item: Item) -> Item | None:
        where = (table, *_key(table, item))
        with self._lock:
            before = self.items.get(where)
            largest = max(size(flat(item)), size(flat(before)) if before else 0)
            self.items[where] = item
            self.writes[table] += math.ceil(largest / 1024)
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
        case "SS" | "BS":
            return sum(map(len, content))
        case "BOOL" | "NULL":
            return 1
    return len(content)


def _key(table: str, item: Item) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in KEYS[table])


def _updated(before: Item, update: dict[str, Any]) -> Item:
    item, values = dict(before), update["ExpressionAttributeValues"]
    names = update["ExpressionAttributeNames"]
    for alias, name in names.items():
        value = values.get(":" + alias[1:], {})
        if "N" in value:
            item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(value["N"]))}
        if "BS" in value:
            item[name] = {"BS": sorted({*item.get(name, {"BS": []})["BS"], *value["BS"]})}
    if ":last" in values:
        item |= {"position": values[":last"], "updated_at": values[":now"]}
    return item | {"expires_at": values[":expires_at"]}


@dataclass(frozen=True, slots=True)
class Crowd:
    """Players of one kind, who send `together` events in a request."""

    kind: str
    players: int
    together: int

    def history(self, meter: Meter, end: datetime) -> None:
        """Give loyal players the past of which an item remembers as much as it can."""
        if self.kind == "new":
            return
        store = PlayerStore(meter, "players", "game_days")
        position = 0
        for age in range(110, 0, -1):
            records = []
            for number in range(self.players):
                session = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{age} {number}"))
                own = {"player_id": player_id(number), "session_id": session}
                for kind in ("session_start", "progression", "purchase")[
                    : 3 if age % 20 == number % 20 else 2
                ]:
                    position += 1
                    event = example(kind) | own
                    if kind == "purchase":
                        event["payload"] |= {"transaction_id": f"{age} {number}"}
                    event = placed(enriched(event, end - timedelta(days=age)), position, position, 0)
                    records.append(Record(position, event))
            if store.apply(records, "shardId-000000000001").lost:
                raise SystemExit("nothing can be lost here")

    def batches(self, count: int, start: datetime) -> Iterator[list[Record]]:
        """Yield batches in which each player has `together` events, one each 8 seconds."""
        game = Game(GAME, self.players, 1, 1, start)
        crowd = [game.play_on(number) for number in range(self.players)]
        moment, sequence, sent = start, 496 * 10**53, 0
        for _ in range(count // self.together):
            first, batch = sequence, []
            times = [moment + timedelta(seconds=LIVE_PAUSE_SECONDS * n) for n in range(self.together)]
            moment = times[-1] + timedelta(seconds=LIVE_PAUSE_SECONDS)
            for events in crowd:
                sequence += 2**66
                for index, at in enumerate(times):
                    event, sent = next(events), sent + 1
                    if self.kind == "busy" and (sent + sent // self.players) % 2:
                        event = example("performance") | {
                            name: event[name] for name in ("player_id", "session_id", "client")
                        }
                    batch.append(placed(enriched(event, at, times[-1]), first, sequence, index))
            yield [Record(first + number, event) for number, event in enumerate(batch)]


def player_id(number: int) -> str:
    """Return the id that the simulated game gives a player."""
    return str(next(Game(GAME, number + 1, 1, 1, datetime.now(UTC)).play_on(number))["player_id"])


def example(kind: str) -> dict[str, Any]:
    """Return the typical event of a type."""
    path = catalog.schema_directory() / kind / "examples" / f"{kind}.1-0-0.typical.pass.json"
    event: dict[str, Any] = json.loads(path.read_text())
    return event | {"event_id": str(uuid.uuid4()), "game_id": GAME}


def enriched(event: dict[str, Any], at: datetime, sent: datetime | None = None) -> dict[str, Any]:
    """Return an event as the processor enriches it."""
    sent = sent or at
    return enrich(event | {"event_time": timestamp(at), "sent_at": timestamp(sent)}, Origin(sent, "rest"))


def placed(event: dict[str, Any], start: int, sequence: int, index: int) -> dict[str, Any]:
    """Return an event with its position in the raw stream."""
    return event | {"raw_position": RawPosition(1, start, sequence, index).text}


def measured(crowd: Crowd) -> tuple[Counter[str], float, Counter[str], list[int]]:
    """Return write units by table, read units, writes by kind of counter, and the sizes of players' items."""
    meter = Meter()
    # Noon, so that no day ends in between.
    start = datetime.now(UTC).replace(hour=12, minute=0) - timedelta(days=1)
    crowd.history(meter, start)
    store, boards = PlayerStore(meter, "players", "game_days"), leaderboards_of(meter)
    for number, batch in enumerate(crowd.batches(WARM_EVENTS + MEASURED_EVENTS, start)):
        if number == WARM_EVENTS // crowd.together:
            meter.writes.clear()
            meter.kinds.clear()
            meter.reads = 0
        lost = store.apply(batch, "shardId-000000000001").lost
        if lost + boards.submit([record.event for record in batch]):
            raise SystemExit("nothing can be lost here")
    events = crowd.players * MEASURED_EVENTS
    share = lambda counts: Counter({name: units / events for name, units in counts.items()})  # noqa: E731
    sizes = [size(flat(item)) for (table, *_), item in meter.items.items() if table == "players"]
    return share(meter.writes), meter.reads / events, share(meter.kinds), sizes


def main() -> None:
    """Print the table of docs/performance.md, whose figures are of 50 players in a batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", type=int, default=PLAYERS, help="players in a batch (default: 50)")
    players = parser.parse_args().players
    columns = ("players", "game_days", "leaderboards", "by_rank")
    table = Table(
        "Players",
        "Events of each",
        *columns,
        "of it minutes",
        "Writes",
        "Reads",
        "$ per million events",
        "Item",
    )
    results: dict[int, dict[str, float]] = {}
    for kind in ("new", "loyal", "busy"):
        for together in (1, 4, 12, 24, 48):
            writes, reads, kinds, sizes = measured(Crowd(kind, players, together))
            total = sum(writes.values())
            if kind == "loyal":
                results[together] = {name: round(writes[name], 3) for name in columns}
            dollars = total * DOLLARS_PER_MILLION_WRITES + reads * DOLLARS_PER_MILLION_READS
            each = (f"{writes[name]:.3f}" for name in columns)
            table.add_row(
                kind, str(together), *each, f"{kinds['minutes']:.3f}", f"{total:.3f}", f"{reads:.3f}",
                f"{dollars:.3f}", f"{sum(sizes) // len(sizes)} to {max(sizes)}",
            )  # fmt: skip
    if players == PLAYERS:
        keep("player_state_writes", results)
    Console(width=160).print("Units an event that DynamoDB bills", table)


if __name__ == "__main__":
    main()
