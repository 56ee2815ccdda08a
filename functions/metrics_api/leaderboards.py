"""Leaderboards over HTTP: the definitions, the best, a player's place, those around and friends."""

import base64
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from telemetry import boards, ids
from telemetry.boards import Operator, Order, Period, Reset, Standing
from telemetry.leaderboard_reader import FIRST, LeaderboardReader
from telemetry.store import store

from metrics_api.models import Answer, Game, Timestamp
from metrics_api.parameters import CalendarDay, GameId, Limit, PlayerId, cached, invalid, now
from metrics_api.problems import RESPONSES

MAX_FRIENDS = 100
CURSOR = re.compile(rf"[0-9]{{1,9}} [0-9]{{25}}#[0-9]{{14}}#{ids.PLAYER.strip('^$')}")
BoardId = Annotated[str, Path(pattern=ids.BOARD, description="The board.", examples=["weekly"])]
_player_ids = TypeAdapter(list[Annotated[str, StringConstraints(pattern=ids.PLAYER)]])


class Board(BaseModel):
    """How a board ranks; scores for `source` feed it."""

    model_config = ConfigDict(from_attributes=True)

    board_id: Annotated[str, Field(description="The board within the game.", examples=["weekly"])]
    title: Annotated[str, Field(description="What people call it.", examples=["Best of the week"])]
    source: Annotated[str, Field(description="Name in score_submitted that feeds it.", examples=["global"])]
    operator: Annotated[Operator, Field(description="What a further score does to a player's entry.")]
    order: Annotated[Order, Field(description="descending: the highest score is first.")]
    reset: Annotated[Reset, Field(description="When a new period begins (00:00 UTC; weeks on Monday).")]
    season_dates: Annotated[
        list[dt.date],
        Field(description="Beginnings of the seasons; the last is the end without season_days."),
    ]
    season_days: Annotated[int | None, Field(description="Length of each season in days.")]
    exact_rank_limit: Annotated[int, Field(description="Ranks up to here are exact, others estimated.")]
    archive_days: Annotated[int, Field(description="Days a period stays readable after its end.")]
    late_score_hours: Annotated[int, Field(description="Hours after its end in which a period takes scores.")]


class Boards(Answer):
    """The boards that are defined for a game. Others are made by the scores that name them."""

    game_id: Game
    boards: list[Board]


class BoardPeriod(BaseModel):
    """A period of a board; dates are null for one that is never reset."""

    name: Annotated[str, Field(description="Its first UTC day, or all.", examples=["2026-03-09"])]
    from_: Annotated[dt.date | None, Field(alias="from", description="First UTC day, inclusive.")]
    to: Annotated[dt.date | None, Field(description="Last UTC day, inclusive.")]

    @classmethod
    def of(cls, period: Period) -> Self:
        """Build from the period of a definition."""
        days = (period.first, period.end - timedelta(days=1)) if period != Period() else (None, None)
        return cls.model_validate({"name": period.name, "from": days[0], "to": days[1]})


class Periods(Answer):
    """The periods of a board, newest first."""

    game_id: Game
    board_id: str
    periods: list[BoardPeriod]


class Entry(BaseModel):
    """One place on a leaderboard."""

    rank: Annotated[int, Field(ge=1, description="Place, from 1; ties are ranked by time.", examples=[1])]
    player_id: Annotated[str, Field(description="The player within the game.", examples=["p-1001"])]
    score: Annotated[int, Field(description="The player's score by the board's operator.", examples=[98500])]
    score_text: Annotated[
        str,
        Field(description="The same in digits: JavaScript rounds a number beyond 2^53.", examples=["98500"]),
    ]
    achieved_at: Annotated[Timestamp, Field(description="When it was reached (UTC).")]


class Leaderboard(Answer):
    """Entries of one period of a board, best first; of equal scores the earlier is first."""

    game_id: Game
    board_id: Annotated[str, Field(description="The board within the game.", examples=["weekly"])]
    period: BoardPeriod
    entries: Annotated[list[Entry], Field(description="Best first.")]


class Page(Leaderboard):
    """The best players, page by page."""

    next_cursor: Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]


class Place(Leaderboard):
    """Entries whose ranks follow from one player's."""

    exact: Annotated[bool, Field(description="Are the ranks exact?")]
    rank_error: Annotated[
        int, Field(description="Where not exact: the most they are off by, 19 times out of 20.", examples=[0])
    ]


def _reader(
    game_id: GameId,
    board_id: BoardId,
    period: Annotated[
        CalendarDay | None, Query(description="Any UTC day of the period; today where absent.")
    ] = None,
) -> LeaderboardReader:
    today = datetime.now(UTC).date()
    day = period or today
    if day > today + timedelta(days=1):
        raise invalid("period", f"{day} has not begun")
    board = _board(game_id, board_id)
    found = board.period(day)
    if not found:
        raise HTTPException(404, f"Board {board_id} of {game_id} has no season on {day}.")
    return store().leaderboard(board, found)


def _board(game_id: str, board_id: str) -> boards.Board:
    defined = (board for board in store().boards(game_id) if board.board_id == board_id)
    return next(defined, boards.Board.default(game_id, board_id))


def _cursor(
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before.")
    ] = None,
) -> tuple[int, str]:
    if cursor is None:
        return 0, FIRST
    try:
        text = base64.b64decode(cursor, b"-_", validate=True).decode()
    except ValueError:
        text = ""
    if not CURSOR.fullmatch(text):
        raise invalid("cursor", "this is not the cursor of a page")
    rank, _, rank_key = text.partition(" ")
    return int(rank), rank_key


Reader = Annotated[LeaderboardReader, Depends(_reader)]
Cursor = Annotated[tuple[int, str], Depends(_cursor)]

leaderboards = APIRouter(
    prefix="/v1/games/{game_id}/leaderboards",
    tags=["leaderboards"],
    dependencies=[Depends(cached)],
    responses=RESPONSES,
)


@leaderboards.get("", summary="The boards of a game")
def definitions(game_id: GameId) -> Boards:
    """List the boards that are defined, by id."""
    as_of, found = now(), store().boards(game_id)
    return Boards(game_id=game_id, boards=[Board.model_validate(board) for board in found], as_of=as_of)


@leaderboards.get("/{board_id}", summary="The best players of a board")
def best(reader: Reader, cursor: Cursor, limit: Limit = 10) -> Page:
    """Rank players page by page; 404 for a board that is neither defined nor has a score.

    Ranks of a further page count on from the page before: they are of the time the pages are read.
    """
    as_of, (before, rank_key) = now(), cursor
    board, found = reader.board, reader.after(rank_key, limit + 1)
    if not (found or before or board.is_defined):
        found_none = f"Board {board.board_id} of {board.game_id} has no score yet."
        raise HTTPException(404, f"{found_none} The number of boards without a definition is limited.")
    shown = found[:limit]
    last = f"{before + limit} {shown[-1].rank_key}" if len(found) > limit else None
    return Page(
        **_entries(reader, shown, before + 1),
        next_cursor=last and base64.urlsafe_b64encode(last.encode()).decode(),
        as_of=as_of,
    )


@leaderboards.get("/{board_id}/periods", summary="The archive of a board")
def periods(
    game_id: GameId,
    board_id: BoardId,
    before: Annotated[
        CalendarDay | None, Query(description="Only periods before this UTC day: `from` of the last one.")
    ] = None,
    limit: Limit = 30,
) -> Periods:
    """List the periods that may hold scores, newest first, back to where the archive ends."""
    found = _board(game_id, board_id).archive(datetime.now(UTC), before, limit)
    return Periods(game_id=game_id, board_id=board_id, periods=[*map(BoardPeriod.of, found)], as_of=now())


@leaderboards.get("/{board_id}/friends", summary="Some players of a board")
def friends(
    reader: Reader,
    player_ids: Annotated[
        str, Query(description=f"Up to {MAX_FRIENDS} players, comma-separated.", examples=["p-1001,p-1002"])
    ],
) -> Leaderboard:
    """Rank players among themselves; those without an entry are left out."""
    try:
        wanted = _player_ids.validate_python(player_ids.split(","))
    except ValidationError:
        raise invalid("player_ids", "give players' ids, comma-separated") from None
    if len(wanted) > MAX_FRIENDS:
        raise invalid(
            "player_ids", f"{len(wanted)} players are asked for, at most {MAX_FRIENDS} are answered"
        )
    as_of, found = now(), reader.players(wanted)
    return Leaderboard(**_entries(reader, found, 1), as_of=as_of)


@leaderboards.get("/{board_id}/players/{player_id}", summary="A player's place on a board")
def place(reader: Reader, player_id: PlayerId) -> Place:
    """Tell a player's score and rank; 404 for one without a score in the period."""
    return _placed(reader, player_id, 1)


@leaderboards.get("/{board_id}/players/{player_id}/around", summary="The players around one")
def around(reader: Reader, player_id: PlayerId, limit: Limit = 11) -> Place:
    """Show a player amid those next to them; 404 for one without a score in the period."""
    return _placed(reader, player_id, limit)


def _placed(reader: LeaderboardReader, player_id: str, limit: int) -> Place:
    as_of, found = now(), reader.players([player_id])
    if not found:
        raise HTTPException(404, f"Player {player_id} has no score on {reader.board.board_id}.")
    rank = reader.rank(found[0].rank_key)
    before, shown = reader.around(found[0], limit) if limit > 1 else (0, found)
    entries = _entries(reader, shown, max(1, rank.rank - before))
    return Place(**entries, exact=rank.exact, rank_error=rank.error, as_of=as_of)


def _entries(reader: LeaderboardReader, shown: Sequence[Standing], first: int) -> dict[str, Any]:
    return {
        "game_id": reader.board.game_id,
        "board_id": reader.board.board_id,
        "period": BoardPeriod.of(reader.period),
        "entries": [
            Entry(**asdict(one), score_text=str(one.score), rank=rank)
            for rank, one in enumerate(shown, first)
        ],
    }
