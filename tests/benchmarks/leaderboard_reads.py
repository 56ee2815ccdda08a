"""How long reads of a leaderboard take with more and more players, and how many queries each needs.

The API's own reader over a table in memory that pages as DynamoDB does, a megabyte at a time. Times are
those of the code and its threads; each round of queries is a round trip to DynamoDB more, some 5 ms.
"""

import random
import statistics
import threading
import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from measured import keep
from rich.console import Console
from rich.table import Table
from telemetry.boards import Board, Period
from telemetry.leaderboard_reader import FIRST, LeaderboardReader

READS = 200
PAGE_BYTES, ENTRY_BYTES = 1024 * 1024, 150
PAGE_ENTRIES = PAGE_BYTES // ENTRY_BYTES
MOMENT = "2026-01-31T12:00:00.000Z"


class Memory:
    """The index by rank and the entries of one board; counts queries and the units they read."""

    def __init__(self, board: Board, players: int) -> None:
        dice = random.Random(1)
        self.by_rank: dict[str, list[str]] = defaultdict(list)
        self.keys: dict[str, str] = {}
        self.queries = self.entries = 0
        self._lock = threading.Lock()
        for number in range(players):
            player = f"p-{number:07}"
            key = board.rank_key(int(dice.gauss(50_000, 15_000)), MOMENT, player)
            self.keys[player] = key
            self.by_rank[board.partition(Period(), player)].append(key)
        for keys in self.by_rank.values():
            keys.sort()

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        ((table, request),) = RequestItems.items()
        found = [self.keys.get(key["player_id"]["S"]) for key in request["Keys"]]
        return {"Responses": {table: [{"rank_key": {"S": key}} for key in found if key]}}

    def query(self, **call: Any) -> dict[str, Any]:
        values = call["ExpressionAttributeValues"]
        keys, mine = self.by_rank[values[":board"]["S"]], values[":rank_key"]["S"]
        start = call.get("ExclusiveStartKey", 0)
        limit = min(call.get("Limit", PAGE_ENTRIES), PAGE_ENTRIES)
        if ">" in call["KeyConditionExpression"]:
            first = bisect_right(keys, mine)
            found = keys[first : first + limit]
            more = False
        elif call.get("Select") == "COUNT":
            end = bisect_left(keys, mine)
            found = keys[start : min(end, start + limit)]
            more = start + limit < end
        else:
            end = bisect_left(keys, mine)
            found = keys[max(0, end - limit) : end][::-1]
            more = False
        with self._lock:
            self.queries += 1
            self.entries += len(found)
        last = {"LastEvaluatedKey": start + limit} if more else {}
        items = [] if call.get("Select") == "COUNT" else [{"rank_key": {"S": key}} for key in found]
        return {"Items": items, "Count": len(found), **last}


def measured(
    memory: Memory, read: Callable[[str], object], players: int
) -> tuple[float, float, float, float]:
    """Return p50 and p99 milliseconds of reads of random players, queries and entries of each."""
    dice = random.Random(2)
    times = []
    memory.queries = memory.entries = 0
    for _ in range(READS):
        player = f"p-{dice.randrange(players):07}"
        start = time.perf_counter()
        read(player)
        times.append(1000 * (time.perf_counter() - start))
    return (
        statistics.median(times),
        sorted(times)[int(READS * 0.99)],
        memory.queries / READS,
        memory.entries / READS,
    )


def main() -> None:
    """Print the table of docs/performance.md."""
    table = Table("Players", "Read", "p50, ms", "p99, ms", "Queries", "Entries read", "Worst rank error")
    results: dict[str, dict[int, tuple[float, float]]] = defaultdict(dict)
    board = Board(game_id="a-game", board_id="global", title="All", source="global", shards=4)
    with ThreadPoolExecutor(8) as pool:
        for players in (1_000, 100_000, 1_000_000):
            memory = Memory(board, players)
            reader = LeaderboardReader(memory, "leaderboards", board, Period(), pool)
            ranks = {key: rank for rank, key in enumerate(sorted(memory.keys.values()), 1)}
            dice, worst = random.Random(3), 0.0
            for number in dice.sample(range(players), READS):
                key = memory.keys[f"p-{number:07}"]
                worst = max(worst, abs(reader.rank(key).rank - ranks[key]) / players)
            reads: dict[str, Callable[[str], object]] = {
                "the best 10": lambda _, s=reader: s.after(FIRST, 10),
                "a player's rank": lambda player, s=reader: s.rank(s.players([player])[0].rank_key),
                "11 around a player": lambda player, s=reader: s.around(s.players([player])[0], 11),
            }
            for name, read in reads.items():
                p50, p99, queries, entries = measured(memory, read, players)
                results[name][players] = (round(p50, 3), round(p99, 3))
                error = f"{worst:.2%} of players" if "rank" in name else ""
                cells = (f"{p50:.2f}", f"{p99:.2f}", f"{queries:.1f}", f"{entries:,.0f}", error)
                table.add_row(f"{players:,}", name, *cells)
    keep("leaderboard_reads", results)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
