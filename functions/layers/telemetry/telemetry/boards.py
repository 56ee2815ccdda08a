"""Leaderboards: their definitions, the periods they reset by, and the keys that place and rank entries."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Self

from aws_lambda_powertools import Logger
from boto3.dynamodb.types import TypeDeserializer
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from telemetry import ids
from telemetry.enrichment import FUTURE_AFTER, timestamp
from telemetry.lateness import TOO_OLD_AFTER

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# Three levels of samples, each a sixteenth of the one before; with 16 shards all partitions are level.
SAMPLE_STEP = 16
SAMPLE_LEVELS = 3
MAX_SHARDS = 16
# Ten to the 24th is a hundred million scores of the greatest value a score_submitted may have.
SCORE_OFFSET = 10**24
SCORE_DIGITS = 25
TIME_DIGITS = 14
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

logger = Logger(child=True)
_deserialize = TypeDeserializer().deserialize

BoardId = Annotated[str, StringConstraints(pattern=ids.BOARD)]
GameId = Annotated[str, StringConstraints(pattern=ids.GAME)]


class Operator(StrEnum):
    """What a further score of a player does to the entry."""

    SET = "set"
    BEST = "best"
    INCREMENT = "increment"
    DECREMENT = "decrement"


class Order(StrEnum):
    """Which score comes first: the lowest (ascending) or the highest."""

    ASCENDING = "ascending"
    DESCENDING = "descending"


class Reset(StrEnum):
    """How long a period of a board is, in UTC; weeks begin on Monday."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    SEASON = "season"


@dataclass(frozen=True, slots=True)
class Period:
    """The UTC days from `first` up to, not including, `end`; all days for a board that is never reset."""

    first: date = date.min
    end: date = date.max

    @property
    def name(self) -> str:
        """What keys and answers call it: its first day, or `all`."""
        return "all" if self == Period() else str(self.first)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rank key says: who has which score, and since when (RFC 3339, UTC)."""

    player_id: str
    score: int
    achieved_at: str
    rank_key: str


class Board(BaseModel):
    """A board's definition. A new one keeps the best score for ever, highest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    game_id: GameId
    board_id: BoardId
    title: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    source: BoardId
    operator: Operator = Operator.BEST
    order: Order = Order.DESCENDING
    reset: Reset = Reset.NEVER
    season_dates: Annotated[tuple[date, ...], Field(max_length=200)] = ()
    season_days: Annotated[int, Field(ge=1, le=366)] | None = None
    exact_rank_limit: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    shards: Annotated[int, Field(ge=1, le=MAX_SHARDS)] = 4
    archive_days: Annotated[int, Field(gt=TOO_OLD_AFTER.days, le=3660)] = 400
    verified_only: bool = False
    late_score_hours: Annotated[int, Field(ge=0, le=24 * TOO_OLD_AFTER.days)] = 24
    created_on: date = EPOCH.date()

    @model_validator(mode="after")
    def _seasons_are_whole(self) -> Self:
        dates, lasting = self.season_dates, self.season_days
        if (self.reset is Reset.SEASON) != bool(dates) or (lasting and not dates):
            raise ValueError("season_dates, and season_days with them, belong to reset season and only there")
        if any(first >= second for first, second in pairwise(dates)):
            raise ValueError("season_dates must ascend")
        if dates and (len(dates) == 1) != bool(lasting):
            raise ValueError("give one date with season_days, or at least two: the last is the end")
        return self

    @classmethod
    def default(cls, game_id: str, board_id: str) -> Self:
        """Return the board that a score makes where no definition has taken the name."""
        return cls(game_id=game_id, board_id=board_id, title=board_id, source=board_id)

    @property
    def is_defined(self) -> bool:
        """Was it defined, not made by a score?"""
        return self.created_on > EPOCH.date()

    def period(self, day: date) -> Period | None:
        """Return the period of a UTC day, None for a day outside all seasons."""
        match self.reset:
            case Reset.NEVER:
                return Period()
            case Reset.DAILY:
                return Period(day, day + timedelta(days=1))
            case Reset.WEEKLY:
                monday = day - timedelta(days=day.weekday())
                return Period(monday, monday + timedelta(weeks=1))
        if self.season_days:
            since = (day - self.season_dates[0]).days
            first = day - timedelta(days=since % self.season_days)
            return Period(first, first + timedelta(days=self.season_days)) if since >= 0 else None
        seasons = (Period(first, end) for first, end in pairwise(self.season_dates))
        return next((season for season in seasons if season.first <= day < season.end), None)

    def expires_at(self, period: Period) -> int | None:
        """Return when a period leaves the archive, in Unix seconds; None for never."""
        if period == Period():
            return None
        kept = datetime.combine(period.end, time(), UTC) + timedelta(days=self.archive_days)
        return int(kept.timestamp())

    def takes(self, period: Period, received_at: str) -> bool:
        """Tell whether a score for a period came in time: until some hours after its end (UTC)."""
        if period == Period():
            return True
        closes = datetime.combine(period.end, time(), UTC) + timedelta(hours=self.late_score_hours)
        return datetime.fromisoformat(received_at) < closes

    def archive(self, now: datetime, before: date | None, limit: int) -> list[Period]:
        """Return the periods that may hold scores, newest first, those before a day where one is given.

        The oldest is that of the oldest event the board could take when it was defined.
        """
        newest = (now + FUTURE_AFTER).date()
        day = min(newest, before - timedelta(days=1)) if before else newest
        oldest = max(self.created_on - TOO_OLD_AFTER, (now - timedelta(days=self.archive_days)).date())
        periods: list[Period] = []
        while day >= oldest and len(periods) < limit:
            period = self.period(day)
            periods += [period] if period else []
            if period == Period():
                break
            day = (period.first if period else day) - timedelta(days=1)
        return periods

    def partition(self, period: Period, player_id: str) -> str:
        """Return the partition that holds a player's entry.

        A sixteenth of the players, told by a hash, are in the samples, the others in the shards.
        """
        root = self._root(period)
        number = int.from_bytes(hashlib.blake2b(f"{root}#{player_id}".encode(), digest_size=8).digest())
        level = 0
        while level < SAMPLE_LEVELS and number % SAMPLE_STEP == 0:
            level, number = level + 1, number // SAMPLE_STEP
        return f"{root}#s{level}" if level else f"{root}#{number // SAMPLE_STEP % self.shards}"

    def partitions(self, period: Period) -> list[str]:
        """Return every partition of a period."""
        root = self._root(period)
        return [*(f"{root}#{number}" for number in range(self.shards)), *self.samples(period)]

    def samples(self, period: Period) -> list[str]:
        """Return the sampled partitions, coarsest first: the first n of them hold 1 in 16^(4 - n) players."""
        return [f"{self._root(period)}#s{level}" for level in range(SAMPLE_LEVELS, 0, -1)]

    def _root(self, period: Period) -> str:
        # The rules are in the key: what was kept under other rules is never ranked together with it.
        rules = f"{self.operator}-{self.order}-{self.reset}-{self.shards}"
        return f"{self.game_id}#{self.board_id}#{rules}#{period.name}"

    def rank_key(self, score: int, achieved_at: str, player_id: str) -> str:
        """Return a string that sorts as the board does: better score, earlier time, player's id."""
        worth = -score if self.order is Order.DESCENDING else score
        milliseconds = (datetime.fromisoformat(achieved_at) - EPOCH) // MILLISECOND
        return f"{SCORE_OFFSET + worth:0{SCORE_DIGITS}}#{milliseconds:0{TIME_DIGITS}}#{player_id}"

    def standing(self, rank_key: str) -> Standing:
        """Return what a rank key was made of. Raises ValueError where it is none."""
        worth, milliseconds, player_id = rank_key.split("#")
        score = int(worth) - SCORE_OFFSET
        achieved_at = timestamp(EPOCH + int(milliseconds) * MILLISECOND)
        return Standing(player_id, -score if self.order is Order.DESCENDING else score, achieved_at, rank_key)

    def to_item(self) -> dict[str, Any]:
        """Return the item of the boards table (boto3 resource form)."""
        return self.model_dump(mode="json", exclude_none=True)


def fed_by(boards: Iterable[Board], game_id: str, name: str) -> list[Board]:
    """Return the boards of a game that a score for a name feeds.

    Besides those defined with it as their source, that is the default board of the name, unless a
    definition has taken it: no score is lost for want of a definition.
    """
    boards = list(boards)
    fed = [board for board in boards if board.source == name]
    taken = any(board.board_id == name for board in boards)
    return fed if taken else [*fed, Board.default(game_id, name)]


def defined(dynamodb: "DynamoDBClient", table: str, game_id: str) -> list[Board]:
    """Return a game's definitions by id (low-level DynamoDB client): a hundred fit in one answer.

    One that is not valid, which `scripts/boards` does not write, is left out and logged.
    """
    answer = dynamodb.query(
        TableName=table,
        KeyConditionExpression="game_id = :game_id",
        ExpressionAttributeValues={":game_id": {"S": game_id}},
        ConsistentRead=True,
    )
    boards: list[Board] = []
    for item in answer["Items"]:
        try:
            boards.append(Board.model_validate({k: _deserialize(v) for k, v in item.items()}))
        except ValidationError:
            logger.exception("A board's definition is not valid", extra={"board": item["board_id"]})
    return boards
