"""Applies events to players and to the counters of their games: counters first, then players."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from telemetry import items, raw_position
from telemetry.client_names import Mapped, NameLimits, Names, TooBusyError
from telemetry.event import EnrichedEvent
from telemetry.player_item import Player, from_item
from telemetry.raw_position import RawPosition

from player_state.buckets import Bucket
from player_state.corrections import CorrectedPlayers, Correction, Step, replacement
from player_state.counters import Addition, Counters, Delta
from player_state.projection import Projection
from player_state.watermarks import forget_old

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ATTEMPTS = 6
# Games with at most so many writes are written together. A game with more is written by itself.
WRITES_TOGETHER = 128

logger = Logger(child=True)


class Record(NamedTuple):
    """An event at its position in a shard of the enriched stream."""

    position: int
    event: EnrichedEvent

    def raw_position(self, shard: str) -> RawPosition:
        """Return where the event stood in the raw stream; here, where no processor has put it there."""
        if "raw_position" in self.event:
            return raw_position.parse(self.event["raw_position"])
        return RawPosition(raw_position.shard_number(shard), self.position, self.position, 0)


class Applied(NamedTuple):
    """How many events changed something, how many count under another name, and which are not written."""

    events: int
    capped: int
    lost: list[EnrichedEvent]


@dataclass(slots=True)
class Change:
    """What a batch's events make of a player."""

    records: list[Record]
    player: Player
    applied: int = 0
    additions: set[Bucket] = field(default_factory=set)
    is_corrected: bool = False


@dataclass(slots=True)
class Game:
    """What a batch changes in a game."""

    additions: dict[Bucket, Addition] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    @property
    def writes(self) -> int:
        """Count the writes."""
        return len(self.additions) + sum(1 for change in self.changes if change.applied)


@dataclass(frozen=True, slots=True)
class PlayerStore:
    """Keeps players and the counters of their games (low-level DynamoDB client; `lanes` writes at once).

    No write depends on another one. Each counter item adds what lies behind the position that it holds; then
    each player is replaced, on the condition that nobody else has done so. After a crash between any two
    writes the batch comes again: players that are not written make the same additions again, and the items
    that have them skip them.
    """

    dynamodb: "DynamoDBClient"
    players_table: str
    game_days_table: str
    limits: NameLimits = field(default_factory=NameLimits)
    lanes: int = 1
    # Tells a restore which purchases were taken back: it takes them back as soon as they are counted.
    is_void: Callable[[EnrichedEvent], bool] = lambda event: False
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        """Remember names as long as the store lives."""
        object.__setattr__(self, "names", Names(self.dynamodb, self.game_days_table, self.limits))

    def apply(self, records: Sequence[Record], shard: str) -> Applied:
        """Apply the records of one shard, in the order of their positions."""
        try:
            with self._pool() as mapped:
                self.names.admit((record.event for record in records), mapped)
            games = self._read_all(records)
        except (ClientError, BotoCoreError, TooBusyError):
            unread = [record.event for record in records]
            logger.exception("Player state could not be written", extra={"event_ids": _ids(unread)})
            return Applied(0, 0, unread)
        for game in games.values():
            for change in game.changes:
                self._project(change, game, shard)
        applied, lost = 0, list[EnrichedEvent]()
        with self._pool() as mapped:
            # A game waits for those with fewer writes only: none is held up by one that is larger.
            for together in _rounds(sorted(games.values(), key=lambda game: game.writes)):
                done, unwritten = self._write(together, shard, mapped)
                applied += done
                lost += unwritten
        if lost:
            logger.error("Player state could not be written", extra={"event_ids": _ids(lost)})
        capped = sum(self.names.capped(record.event) for record in records)
        return Applied(applied, capped, lost)

    def _read_all(self, records: Sequence[Record]) -> dict[str, Game]:
        by_player: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            by_player[f"{record.event['game_id']}#{record.event['player_id']}"].append(record)
        players = self._read(list(by_player))
        games: dict[str, Game] = defaultdict(Game)
        for key, own in by_player.items():
            first = own[0].event
            player = players.get(key) or Player(first["game_id"], first["player_id"])
            games[first["game_id"]].changes.append(Change(own, player))
        return games

    def _read(self, keys: list[str]) -> dict[str, Player]:
        wanted = ({"player": {"S": key}} for key in keys)
        found = items.read(self.dynamodb, self.players_table, wanted, ConsistentRead=True)
        return {item["player"]["S"]: from_item(item) for item in found}

    def _project(self, change: Change, game: Game, shard: str) -> None:
        """Apply the events to the player as reported, and note what they add where."""
        projection = Projection(change.player.reported or change.player, self.names.name_of)
        change.applied, change.is_corrected = 0, change.player.reported is not None
        for record in change.records:
            if not projection.apply(record.event, record.raw_position(shard)):
                continue
            change.applied += 1
            change.is_corrected |= self.is_void(record.event)
            for bucket, counts in projection.buckets.items():
                if any(counts.values()):
                    change.additions.add(bucket)
                    addition = game.additions.setdefault(bucket, Addition(change.player.game_id, bucket))
                    addition.deltas.append(Delta(record.position, dict(counts)))
        forget_old(change.player)

    def _write(self, games: list[Game], shard: str, mapped: Mapped) -> tuple[int, list[EnrichedEvent]]:
        """Write the counters of games, then the players whose counters are all written."""
        additions = [addition for game in games for addition in game.additions.values()]
        for addition in additions:
            addition.deltas.sort(key=lambda delta: delta.position)
        failed = {
            (addition.game_id, addition.bucket)
            for addition, written in zip(
                additions, mapped(lambda one: self._add(one, shard), additions), strict=True
            )
            if not written
        }
        applied, lost = 0, list[EnrichedEvent]()
        whole: list[Change] = []
        for change in (change for game in games for change in game.changes if change.applied):
            if failed and any((change.player.game_id, bucket) in failed for bucket in change.additions):
                lost += [record.event for record in change.records]
            else:
                whole.append(change)
        for change, written in zip(whole, mapped(lambda one: self._keep(one, shard), whole), strict=True):
            applied += change.applied if written else 0
            lost += [] if written else [record.event for record in change.records]
        return applied, lost

    def _add(self, addition: Addition, shard: str) -> bool:
        try:
            Counters(self.dynamodb, self.game_days_table).add(addition, shard)
        except (ClientError, BotoCoreError):
            logger.exception("Counters could not be written", extra={"period": addition.bucket.period})
            return False
        return True

    def _keep(self, change: Change, shard: str) -> bool:
        """Write a player; where another reader of the shard was faster, apply what it has not."""
        try:
            for attempt in range(ATTEMPTS):
                if change.is_corrected:
                    return self._keep_corrected(change, shard)
                if not change.applied or self._replaced(change.player):
                    return True
                time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter
                before = change.player
                found = self._read([before.key]).get(before.key)
                change.player = found or Player(before.game_id, before.player_id)
                self._project(change, Game(), shard)
            logger.error("A player changes too often", extra={"game_id": change.player.game_id})
        except (ClientError, BotoCoreError):
            logger.exception("A player could not be written", extra={"game_id": change.player.game_id})
        return False

    def _keep_corrected(self, change: Change, shard: str) -> bool:
        """Write a player of whom something was taken back, with the corrections that this changes."""
        key, tables = change.player.key, (self.players_table, self.game_days_table)
        steps = [Step(one.event, one.raw_position(shard), self.is_void(one.event)) for one in change.records]
        failures = 0
        while failures < ATTEMPTS:
            player = self._read([key]).get(key) or Player(change.player.game_id, change.player.player_id)
            correction = Correction(player, self.names.name_of)
            correction.apply(steps)
            if not correction.applied:
                return True
            if not (
                CorrectedPlayers(self.dynamodb, *tables).write(player, correction.changes)
                if correction.changes
                else self._replaced(player)
            ):
                time.sleep(random.uniform(0, 0.05 * 2**failures))  # noqa: S311 - jitter
                failures += 1
        logger.error("A player changes too often", extra={"game_id": change.player.game_id})
        return False

    def _replaced(self, player: Player) -> bool:
        try:
            self.dynamodb.put_item(**replacement(self.players_table, player))
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _pool(self) -> AbstractContextManager[Mapped]:
        return nullcontext(map) if self.lanes == 1 else _Pool(self.lanes)


class _Pool(ThreadPoolExecutor):
    """A pool whose context is its map."""

    def __enter__(self) -> Mapped:  # type: ignore[override]
        super().__enter__()
        return self.map


def _ids(events: Iterable[EnrichedEvent]) -> list[str]:
    return [event["event_id"] for event in events]


def _rounds(games: list[Game]) -> Iterator[list[Game]]:
    """Yield games that are written together, so that many small ones do not wait for each other."""
    together: list[Game] = []
    writes = 0
    for game in games:
        if together and writes + game.writes > WRITES_TOGETHER:
            yield together
            together, writes = [], 0
        together.append(game)
        writes += game.writes
    if together:
        yield together
