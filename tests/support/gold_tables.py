"""The lake in memory: gold and silver in DuckDB, and a reader of them in the place of Athena."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from math import isclose
from typing import Any

import duckdb
import silver_events
import sqlglot
from telemetry import metric_model
from telemetry.lake_reader import Query, Result, StillRunning, Stopped, Version


def batched(rows: Iterable[Sequence[Any]], size: int) -> Iterator[list[Sequence[Any]]]:
    """Yield rows in lists of a size."""
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some


@cache
def as_athena(sql: str) -> str:
    """Return the SQL of DuckDB for what Athena reads in a text: how it divides, what its functions mean."""
    return "".join(sqlglot.transpile(sql, read="athena", write="duckdb"))


def alike(found: list[Any], others: list[Any]) -> bool:
    """Tell whether rows are equal; sums of fractions depend on the order of their parts."""
    if len(found) != len(others):
        return False
    cells = [pair for rows in zip(found, others, strict=True) for pair in zip(*rows, strict=True)]
    return all(
        one == other or (isinstance(one, float) and isinstance(other, float) and isclose(one, other))
        for one, other in cells
    )


class DuckGold:
    """Answers queries of the metrics API; `asked` holds them, in order.

    Queries of a game in `slow` go on under this id until they are cancelled; `cancelled` holds them.
    """

    def __init__(self) -> None:
        self.database = duckdb.connect()
        self.asked: list[Query] = []
        self.commits = 1
        self.slow: dict[str, str] = {}
        self.cancelled: list[tuple[str, str]] = []
        for table in metric_model.tables().values():
            columns = ", ".join(f"{name} {kind}" for name, kind in table.types.items())
            self.database.execute(f"CREATE TABLE {table.name} ({re.sub('string', 'varchar', columns)})")
        silver_events.create(self.database)

    def fill(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Commit rows, in the order of the model's columns."""
        marks = f"({', '.join('?' for _ in metric_model.tables()[table].types)})"
        for some in batched(rows, 100):
            values = [value for row in some for value in row]
            self.database.execute(f"INSERT INTO {table} VALUES {', '.join([marks] * len(some))}", values)
        self.commits += 1

    def fill_silver(self, lines: Iterable[dict[str, Any]]) -> None:
        """Commit lines of bronze to silver."""
        silver_events.fill(self.database, lines)
        self.commits += 1

    def version(self, table: str) -> Version:
        return Version(f"{table}-{self.commits}", "2026-03-01T04:00:00.000Z")

    def run(self, query: Query, version: Version) -> Result:
        self.asked.append(query)
        if query.game_id in self.slow:
            raise StillRunning(self.slow[query.game_id])
        rows = self.database.cursor().execute(query.sql, list(query.values)).fetchall()
        translated = self.database.cursor().execute(as_athena(query.sql), list(query.values)).fetchall()
        assert alike(rows, translated), "Athena reads the SQL in another way than DuckDB does"
        return Result(rows, 12_000_000, 12 * 1024**2)

    def cancel(self, game_id: str, query_id: str) -> Stopped | None:
        if self.slow.get(game_id) == query_id:
            self.cancelled.append((game_id, self.slow.pop(game_id)))
        return "cancelled" if (game_id, query_id) in self.cancelled else None
