"""Reads of the leaderboards: the partitions of a board merged, by key only."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from telemetry import items
from telemetry.boards import SAMPLE_STEP, Board, Period, Standing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef

# So many players of a sample give an error of 4% or less: two standard deviations of their count.
SAMPLED_PLAYERS = 2500
FIRST = " "


class Rank(NamedTuple):
    """A place from 1; where it is not exact, it is within `error` of the truth 19 times out of 20."""

    rank: int
    exact: bool = True
    error: int = 0


@dataclass(frozen=True, slots=True)
class LeaderboardReader:
    """One period of a board (low-level DynamoDB client; the pool runs its queries)."""

    dynamodb: "DynamoDBClient"
    table: str
    board: Board
    period: Period
    pool: Executor

    def after(self, rank_key: str, limit: int) -> list[Standing]:
        """Return the entries next after a rank key, best first; from `FIRST` on they are the best."""
        return self._merged(rank_key, limit, worse=True)

    def around(self, mine: Standing, limit: int) -> tuple[int, list[Standing]]:
        """Return `limit` entries with this one in the middle, fewer where the board has no more.

        The number is that of the entries before it.
        """
        # The index may still show where the player was before.
        above, below = (
            [one for one in self._merged(mine.rank_key, limit, worse) if one.player_id != mine.player_id]
            for worse in (False, True)
        )
        before = min(len(above), max(limit // 2, limit - 1 - len(below)))
        return before, [*reversed(above[:before]), mine, *below[: limit - 1 - before]]

    def players(self, player_ids: Iterable[str]) -> list[Standing]:
        """Return the entries of up to 100 players, best first; those without one are left out."""
        keys = (
            {"board": {"S": self.board.partition(self.period, player_id)}, "player_id": {"S": player_id}}
            for player_id in set(player_ids)
        )
        found = items.read(self.dynamodb, self.table, keys, ProjectionExpression="rank_key")
        return sorted(self._entries(found), key=lambda one: one.rank_key)

    def rank(self, rank_key: str) -> Rank:
        """Return the place of a rank key: exact up to the board's exact_rank_limit.

        Beyond it the players of a sample are counted: every 4096th, every 256th, or every 16th,
        whichever is the first sample with enough of them.
        """
        limit = self.board.exact_rank_limit
        better = self._count(self.board.partitions(self.period), rank_key, limit)
        if better < limit:
            return Rank(better + 1)
        sampled, samples = 0, self.board.samples(self.period)
        for level, partition in zip(range(len(samples), 0, -1), samples, strict=True):
            share = SAMPLE_STEP**level
            sampled += self._count([partition], rank_key)
            if sampled >= SAMPLED_PLAYERS:
                break
        error = ceil(2 * share * sqrt(sampled + 1))
        return Rank(max(sampled * share, limit) + 1, exact=False, error=error)

    def _merged(self, rank_key: str, limit: int, worse: bool) -> list[Standing]:
        def read(partition: str) -> Iterator[Standing]:
            query = self._query(partition, rank_key, worse)
            return self._entries(self.dynamodb.query(**query, ScanIndexForward=worse, Limit=limit)["Items"])

        pages = self.pool.map(read, self.board.partitions(self.period))
        merged = heapq.merge(*pages, key=lambda one: one.rank_key, reverse=not worse)
        return list(islice(merged, limit))

    def _count(self, partitions: Sequence[str], rank_key: str, enough: int | None = None) -> int:
        """Count better entries in rounds of a page each, until there are none or enough."""
        count = 0
        left: list[tuple[str, dict[str, Any]]] = [(partition, {}) for partition in partitions]

        def read(part: tuple[str, dict[str, Any]]) -> "QueryOutputTypeDef":
            partition, start = part
            size: dict[str, Any] = {"Limit": (enough - count) // len(left) + 1} if enough else {}
            query = self._query(partition, rank_key, worse=False)
            return self.dynamodb.query(**query, **start, **size, Select="COUNT")

        while left and (enough is None or count < enough):
            answers = list(self.pool.map(read, left))
            count += sum(answer["Count"] for answer in answers)
            left = [
                (partition, {"ExclusiveStartKey": answer["LastEvaluatedKey"]})
                for (partition, _), answer in zip(left, answers, strict=True)
                if answer.get("LastEvaluatedKey")
            ]
        return count

    def _query(self, partition: str, rank_key: str, worse: bool) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "IndexName": "by_rank",
            "KeyConditionExpression": f"board = :board AND rank_key {'>' if worse else '<'} :rank_key",
            "ExpressionAttributeValues": {":board": {"S": partition}, ":rank_key": {"S": rank_key}},
        }

    def _entries(self, items: Iterable[dict[str, Any]]) -> Iterator[Standing]:
        """Yield the standings; an entry that was removed has no rank."""
        return (self.board.standing(item["rank_key"]["S"]) for item in items if "rank_key" in item)
