"""Define the leaderboards of a game: what feeds them, how they rank, and when they begin anew."""

import argparse
import os
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.conditions import Key
from privacy.erasure import Game
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table as Listing
from telemetry.boards import Board, Operator, Order, Reset
from telemetry.enrichment import timestamp

from tools import CommandError, Parser, confirmed, corrections, emulator, games, infrastructure, run
from tools.corrections import Removal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

MAX_BOARDS = 100
# A score is a write for each board that it feeds, and other games of the shard wait for these.
MAX_BOARDS_OF_A_SCORE = 4


def new_board(**fields: Any) -> Board:
    """Return a definition made today. Raises CommandError where it is not valid."""
    try:
        return Board(**fields, created_on=datetime.now(UTC).date())
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}".removeprefix(": ") for e in error.errors()
        )
        raise CommandError(f"this cannot be a board: {wrong}") from None


def add_board(table: "Table", board: Board) -> None:
    """Define a board; scores count for it within a minute.

    Raises CommandError where the game has the board already, or 100 others, or four others of the source.
    """
    known = list_boards(table, board.game_id)
    if len(known) >= MAX_BOARDS:
        raise CommandError(f"{board.game_id} has {MAX_BOARDS} boards: `remove` one first")
    if sum(one.source == board.source for one in known) >= MAX_BOARDS_OF_A_SCORE:
        raise CommandError(
            f"scores for {board.source} feed {MAX_BOARDS_OF_A_SCORE} boards: `remove` one first, or submit "
            "scores under a second name"
        )
    try:
        table.put_item(Item=board.to_item(), ConditionExpression="attribute_not_exists(board_id)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise CommandError(f"{board.board_id} is defined already: `remove` it first") from None


def get_board(table: "Table", game_id: str, board_id: str) -> Board:
    """Return a definition. Raises CommandError where there is none."""
    item = table.get_item(Key={"game_id": game_id, "board_id": board_id}, ConsistentRead=True).get("Item")
    if not item:
        raise _not_defined(game_id, board_id)
    return Board.model_validate(item)


def remove_board(table: "Table", game_id: str, board_id: str) -> None:
    """Take a definition away; its entries stay. Raises CommandError where there is none."""
    try:
        table.delete_item(
            Key={"game_id": game_id, "board_id": board_id},
            ConditionExpression="attribute_exists(board_id)",
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise _not_defined(game_id, board_id) from None


def list_boards(table: "Table", game_id: str) -> list[Board]:
    """Return the boards of a game by id; a hundred fit in one answer."""
    answer = table.query(KeyConditionExpression=Key("game_id").eq(game_id), ConsistentRead=True)
    return [Board.model_validate(item) for item in answer["Items"]]


def removal(
    boards: "Table", entries: "Table", game: Game, board_id: str, player_id: str, day: date
) -> Removal:
    """Plan to remove a player's entry from the period that contains a day. Earlier scores no longer count.

    Raises CommandError where there is no such period or entry.
    """
    defined = {board.board_id: board for board in list_boards(boards, game.game_id)}
    board = defined.get(board_id, Board.default(game.game_id, board_id))
    period = board.period(day)
    if not period:
        raise CommandError(f"{board_id} has no season on {day}")
    key = {"board": board.partition(period, player_id), "player_id": player_id}
    before = entries.get_item(Key=key, ConsistentRead=True).get("Item", {})
    if "rank_key" not in before:
        raise CommandError(f"{player_id} has no entry on {board_id} on {day}")
    return Removal(
        game.game_id,
        timestamp(datetime.now(UTC)),
        board_id,
        period.name,
        key["board"],
        game.name(player_id),
        str(before["score"]),
        str(before["achieved_at"]),
        board.expires_at(period),
    )


def _not_defined(game_id: str, board_id: str) -> CommandError:
    return CommandError(f"{board_id} is not defined for {game_id}: `add` it first")


def _open(environment: str, game_id: str) -> dict[str, Any]:
    """Return the outputs of an environment. Raises CommandError where it has no such game."""
    if environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(environment)
    games.require(outputs, game_id)
    return outputs


def _print_boards(boards: list[Board]) -> None:
    listing = Listing("Board", "Title", "Source", "Keeps", "First", "Reset", "Takes", box=None)
    for board in boards:
        first = "lowest" if board.order is Order.ASCENDING else "highest"
        takes = "verified" if board.verified_only else "all"
        listing.add_row(board.board_id, board.title, board.source, board.operator, first, board.reset, takes)
    Console().print(listing)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="scripts/boards",
        description=__doc__,
        examples=(
            "scripts/boards list my-game",
            "scripts/boards add my-game weekly --source global --reset weekly",
            "scripts/boards remove-entry my-game weekly p-42",
        ),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command, effect in {
        "list": "show the boards of a game",
        "add": "define a board",
        "show": "print a definition as JSON",
        "remove": "take a definition away; its entries stay and count again where the same rules are added",
        "remove-entry": "remove a player from a period, with what was scored until now; writes a receipt",
    }.items():
        commands.add_parser(command, help=effect).add_argument("game_id")
    for command in ("add", "show", "remove", "remove-entry"):
        commands.choices[command].add_argument("board_id")
    entry = commands.choices["remove-entry"].add_argument
    entry("player_id", help="the id as the board shows it: the pseudonym where the game has them")
    entry("--day", type=date.fromisoformat, help="any UTC day of the period (default: today)")
    entry("--yes", action="store_true", help="do not ask")
    add = commands.choices["add"].add_argument
    add("--title", help="default: the board's id")
    add("--source", help="`leaderboard` of the scores that feed it (default: the board's id)")
    add("--operator", choices=list(Operator), help="what a further score does (default: best)")
    add("--order", choices=list(Order), help="descending (default): the highest score is first")
    add("--reset", choices=list(Reset), help="when a period begins, in UTC (default: never)")
    add("--season-dates", type=_dates, help="first days of the seasons and the day after the last, by comma")
    add("--season-days", type=int, help="length of a season that follows the one before")
    add("--exact-rank-limit", type=int, help="ranks up to here are exact (default: 10000)")
    add("--shards", type=int, help="1 to 16, for hot boards (default: 4); another number begins anew")
    add(
        "--late-score-hours",
        type=int,
        help="hours after its end in which a period takes scores (default: 24)",
    )
    add("--verified-only", action="store_const", const=True, help="take only scores that a server sends")
    add("--archive-days", type=int, help="days a period stays readable after its end (default: 400)")
    return parser


def _dates(text: str) -> list[date]:
    return [date.fromisoformat(day) for day in text.split(",")]


def main() -> None:
    """Do what the command line says."""
    given = {name: value for name, value in vars(_parser().parse_args()).items() if value is not None}
    command, environment = given.pop("command"), given.pop("environment")
    outputs = _open(environment, given["game_id"])
    table = boto3.resource("dynamodb").Table(outputs["tables"]["boards"])
    match command:
        case "list":
            _print_boards(list_boards(table, **given))
        case "add":
            board = new_board(**{"title": given["board_id"], "source": given["board_id"]} | given)
            add_board(table, board)
            print(f"{board.board_id} is fed by scores for {board.source} from now on")
        case "show":
            print(get_board(table, **given).model_dump_json(indent=2))
        case "remove":
            remove_board(table, **given)
            print(f"{given['board_id']} is removed")
        case "remove-entry":
            entries = boto3.resource("dynamodb").Table(outputs["tables"]["leaderboards"])
            day = given.pop("day", datetime.now(UTC).date())
            question = f"The entry of {given['player_id']} on {given['board_id']} on {day} is removed"
            if not given.pop("yes") and not confirmed(question, given["player_id"]):
                raise CommandError("nothing was removed")
            game_table = boto3.resource("dynamodb").Table(outputs["tables"]["games"])
            game = games.named(game_table, given.pop("game_id"))
            planned = removal(table, entries, game, **given, day=day)
            key = corrections.keep(boto3.client("s3"), outputs["lake_bucket"], planned)
            planned.apply(entries, given["player_id"])
            print(f"{given['player_id']} is removed with a score of {planned.score}: {key}")


if __name__ == "__main__":
    run(main)
