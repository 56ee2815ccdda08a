"""Reads of the metrics tables, by key only: never a Scan."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import msgspec
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

from telemetry import ad_spend, environment, recent_events
from telemetry.ad_spend import Spend
from telemetry.boards import Board, Period, defined
from telemetry.dimensions import Declared
from telemetry.leaderboard_reader import LeaderboardReader
from telemetry.player_item import described

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

PARALLEL_QUERIES = 16
_config = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "max_attempts": 3},
    max_pool_connections=2 * PARALLEL_QUERIES,
)
_deserialize = TypeDeserializer().deserialize

Item = dict[str, Any]


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the tables, which Terraform sets in the environment."""

    boards_table: str
    game_days_table: str
    games_table: str
    ingest_stats_table: str
    leaderboards_table: str
    players_table: str
    quality_table: str
    realtime_table: str
    recent_events_table: str


class Tally(NamedTuple):
    """The counters of one game and day, summed over the shards that wrote them."""

    counts: Counter[str]
    updated_at: str | None


@dataclass(frozen=True, slots=True)
class Store:
    """Reads through a low-level DynamoDB client, which threads may share."""

    dynamodb: "DynamoDBClient"
    tables: Tables
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(PARALLEL_QUERIES))

    def game_exists(self, game_id: str) -> bool:
        """Is the game registered, be it active or disabled? Its key hashes are not read."""
        return (
            self._get(self.tables.games_table, "game_id", game_id, ProjectionExpression="game_id") is not None
        )

    def shows_recent_events(self, game_id: str) -> bool:
        """Tell whether the game lets its recent events be seen."""
        wanted = "game_id, recent_events"
        return recent_events.is_on(
            self._get(self.tables.games_table, "game_id", game_id, ProjectionExpression=wanted)
        )

    def dimensions(self, game_id: str) -> Declared:
        """Return the custom dimensions that the game declares."""
        wanted = "game_id, dimensions"
        return Declared.of(
            self._get(self.tables.games_table, "game_id", game_id, ProjectionExpression=wanted)
        )

    def experiment_shares(self, game_id: str, experiment: str) -> dict[str, int] | None:
        """Return the shares of players that variants are meant to have; None where all are equal."""
        found = self._get(
            self.tables.games_table, "game_id", game_id, ProjectionExpression="game_id, experiment_shares"
        )
        shares: dict[str, int] | None = (found or {}).get("experiment_shares", {}).get(experiment)
        return shares

    def recent_events(self, game_id: str, items: int, now: float) -> list[recent_events.Batch]:
        """Return the newest batches of a game's recent events."""
        return recent_events.newest(self.dynamodb, self.tables.recent_events_table, game_id, items, now)

    def player(self, game_id: str, player_id: str) -> Item | None:
        """Return what is kept of a player, None for one who was never seen."""
        key = {"player": {"S": f"{game_id}#{player_id}"}}
        answer = self.dynamodb.get_item(TableName=self.tables.players_table, Key=key)
        return described(answer["Item"]) if "Item" in answer else None

    def boards(self, game_id: str) -> list[Board]:
        """Return the boards that are defined for a game, by id."""
        return defined(self.dynamodb, self.tables.boards_table, game_id)

    def leaderboard(self, board: Board, period: Period) -> LeaderboardReader:
        """Return the reader of one period of a board."""
        return LeaderboardReader(self.dynamodb, self.tables.leaderboards_table, board, period, self._pool)

    def games(self) -> list[Item]:
        """Return id, title, status and report_to of every game, by id; never its keys."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.tables.games_table,
            ProjectionExpression="game_id, #name, #status, report_to",
            ExpressionAttributeNames={"#name": "name", "#status": "status"},
        )
        return sorted(
            (plain(item) for page in pages for item in page["Items"]), key=lambda game: game["game_id"]
        )

    def rows(self, keys: Iterable[str]) -> list[list[Item]]:
        """Return the rows of each partition of the game_days table."""
        read = lambda key: list(self._query(self.tables.game_days_table, "game_day", key))  # noqa: E731
        return list(self._pool.map(read, keys))

    def game_days(self, game_id: str, days: Iterable[date]) -> list[Tally]:
        """Return what players did on each of the days."""
        return self._tallies(self.tables.game_days_table, game_id, days)

    def reach(self, game_id: str, days: Iterable[date]) -> Counter[str]:
        """Return unique players of the week and 30 days to each day, by "wau_2026-01-31", "mau_…"."""
        months = sorted({f"{day:%Y-%m}" for day in days})
        found: Counter[str] = Counter()
        for month, rows in zip(
            months, self.rows(f"{game_id}#{month}#active" for month in months), strict=True
        ):
            for name, value in ((name, value) for row in rows for name, value in row.items()):
                window, _, number = name.partition("_")
                if window in ("wau", "mau"):
                    found[f"{window}_{month}-{int(number):02}"] += value
        return found

    def ad_spend(self, game_id: str, first: date, last: date) -> list[Spend]:
        """Return the costs of advertising that are kept of some days, in order."""
        return ad_spend.spends(self.rows(ad_spend.partitions(game_id, first, last)), first, last)

    def ingest_stats(self, game_id: str, days: Iterable[date]) -> list[Tally]:
        """Return what arrived on each of the days."""
        return self._tallies(self.tables.ingest_stats_table, game_id, days)

    def series(self, series: Iterable[str], since: str, until: str = "~") -> list[list[Item]]:
        """Return the items of each series of the real-time table between two keys, oldest first.

        A key begins with a time, ISO 8601 in UTC. Where `until` is absent, it is later than all.
        """
        return list(self._pool.map(lambda name: list(self._between(name, since, until)), series))

    def quality(self, game_id: str, since: str) -> list[Item]:
        """Return what data_quality found of a game from a time on, oldest first."""
        return list(
            self._query(
                self.tables.quality_table,
                "game_id",
                game_id,
                KeyConditionExpression="#key = :key AND checked_at >= :since",
                ExpressionAttributeValues={":key": {"S": game_id}, ":since": {"S": since}},
            )
        )

    def _between(self, series: str, since: str, until: str) -> Iterator[Item]:
        return self._query(
            self.tables.realtime_table,
            "series",
            series,
            KeyConditionExpression="#key = :key AND #window BETWEEN :since AND :until",
            ExpressionAttributeNames={"#key": "series", "#window": "window"},
            ExpressionAttributeValues={":key": {"S": series}, ":since": {"S": since}, ":until": {"S": until}},
        )

    def _tallies(self, table: str, game_id: str, days: Iterable[date]) -> list[Tally]:
        keys = [f"{game_id}#{day}" for day in days]
        return list(self._pool.map(lambda key: tally(self._query(table, "game_day", key)), keys))

    def _get(self, table: str, key: str, value: str, **options: Any) -> Item | None:
        answer = self.dynamodb.get_item(TableName=table, Key={key: {"S": value}}, **options)
        return plain(answer["Item"]) if "Item" in answer else None

    def _query(self, table: str, key: str, value: str, **options: Any) -> Iterator[Item]:
        request = {
            "TableName": table,
            "KeyConditionExpression": "#key = :key",
            "ExpressionAttributeNames": {"#key": key},
            "ExpressionAttributeValues": {":key": {"S": value}},
            **options,
        }
        while True:
            answer = self.dynamodb.query(**request)
            yield from map(plain, answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


@cache
def store() -> Store:
    """Connect once a process, at the first request; timeouts end before the gateway's 30 seconds."""
    return Store(boto3.client("dynamodb", config=_config), environment.parse(Tables))


def by_name(partitions: Iterable[Iterable[Item]], parts: int) -> dict[tuple[str, ...], Counter[str]]:
    """Sum rows by the parts of their name, over all partitions and shards."""
    totals: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for row in (row for rows in partitions for row in rows):
        totals[tuple(row["shard"].split("#")[:parts])].update(numbers(row))
    return totals


def numbers(row: Item) -> Counter[str]:
    """Return what a row counts."""
    return Counter({name: n for name, n in row.items() if isinstance(n, int) and name != "expires_at"})


def tally(shards: Iterable[Item]) -> Tally:
    """Sum the counters of a day's shards."""
    return merge(
        Tally(
            Counter({name: value for name, value in shard.items() if isinstance(value, int)}),
            shard.get("updated_at"),
        )
        for shard in shards
    )


def merge(tallies: Iterable[Tally]) -> Tally:
    """Sum the counters; what was written last tells how fresh they are."""
    counts: Counter[str] = Counter()
    written: list[str] = []
    for part in tallies:
        counts.update(part.counts)
        written += [part.updated_at] if part.updated_at else []
    return Tally(counts, max(written, default=None))


def plain(item: Item) -> Item:
    """Return the item with Python values; every number of these tables is an integer."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        number = int(value)
        if number != value:
            raise ValueError(f"not an integer: {value}")
        return number
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return {_plain(part) for part in value} if isinstance(value, set) else value
