"""Register games and give out their API keys; the table keeps hashes only."""

import argparse
import os
import re
import secrets
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table as Listing
from telemetry.enrichment import timestamp
from telemetry.games import secret_hash

from tools import CommandError, emulator, run, terraform

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

GAME_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
RESERVED = "unknown"
MAX_LIVE_KEYS = 2


def add_game(table: "Table", game_id: str, name: str) -> str:
    """Register a game and return its API key, which cannot be read again.

    Raises CommandError for an id that is malformed, reserved or registered.
    """
    if not GAME_ID.fullmatch(game_id) or game_id == RESERVED:
        raise CommandError(f"{game_id!r} cannot be a game's id: 2 to 63 of a-z, 0-9 and -, not {RESERVED!r}")
    key, kept = _new_key(game_id)
    game = {"game_id": game_id, "name": name, "status": "active", "created_at": kept["created_at"]}
    try:
        table.put_item(
            Item={**game, "key_hashes": [kept]}, ConditionExpression="attribute_not_exists(game_id)"
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise CommandError(f"{game_id} is registered already: `rotate` gives it a new key") from None
    return key


def rotate_key(table: "Table", game_id: str) -> str:
    """Return a new API key; the newest one before it works on until the next rotation.

    Raises CommandError for a game that is not registered.
    """
    before = _get(table, game_id)["key_hashes"]
    key, kept = _new_key(game_id)
    try:
        table.update_item(
            Key={"game_id": game_id},
            UpdateExpression="SET key_hashes = :after",
            ConditionExpression="key_hashes = :before",
            ExpressionAttributeValues={":before": before, ":after": [*before, kept][-MAX_LIVE_KEYS:]},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise CommandError(f"the keys of {game_id} changed meanwhile: try again") from None
    return key


def set_status(table: "Table", game_id: str, status: str) -> None:
    """Let a game send events ("active") or not ("disabled"). Raises CommandError for an unregistered game."""
    try:
        table.update_item(
            Key={"game_id": game_id},
            UpdateExpression="SET #status = :status",
            ConditionExpression="attribute_exists(game_id)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": status},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        raise _not_registered(game_id) from None


def list_games(table: "Table") -> list[dict[str, Any]]:
    """Return every game by id."""
    pages = table.meta.client.get_paginator("scan").paginate(TableName=table.name)
    return sorted((game for page in pages for game in page["Items"]), key=lambda game: str(game["game_id"]))


def _get(table: "Table", game_id: str) -> dict[str, Any]:
    game = table.get_item(Key={"game_id": game_id}, ConsistentRead=True).get("Item")
    if not game:
        raise _not_registered(game_id)
    return game


def _not_registered(game_id: str) -> CommandError:
    return CommandError(f"{game_id} is not registered: `add` it first")


def _new_key(game_id: str) -> tuple[str, dict[str, str]]:
    """Return a key and what the table keeps of it."""
    secret = secrets.token_urlsafe(32)
    kept = {
        "key_id": secrets.token_hex(4),
        "hash": secret_hash(secret),
        "created_at": timestamp(datetime.now(UTC)),
    }
    return f"{game_id}.{secret}", kept


def _open(table: str | None, environment: str) -> "Table":
    if environment == "local":
        os.environ.update(emulator.local_environment())
    name = (
        table
        or os.environ.get("GAMES_TABLE")
        or terraform.outputs(terraform.root(environment))["tables"]["games"]
    )
    return boto3.resource("dynamodb").Table(name)


def _print_games(games: list[dict[str, Any]]) -> None:
    listing = Listing("Game", "Name", "Status", "Registered", "Keys", box=None)
    for game in games:
        keys = ", ".join(key["key_id"] for key in game["key_hashes"])
        listing.add_row(game["game_id"], game["name"], game["status"], game["created_at"][:10], keys)
    Console().print(listing)


def _print_key(key: str) -> None:
    print("This key is not shown again; it goes into the x-api-key header:", file=sys.stderr)
    print(key)


def main() -> None:
    """Do what the command line says; the key alone goes to standard output."""
    parser = argparse.ArgumentParser(prog="scripts/games", description=__doc__)
    parser.add_argument("--environment", default="local", help="local, dev or prod (default: local)")
    parser.add_argument("--table", help="default: GAMES_TABLE, else the environment's")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="show every game")
    for command, effect in {
        "add": "register a game and print its API key",
        "rotate": "print a new API key; the one before works until the next rotation",
        "disable": "refuse a game's events",
        "enable": "take them again",
    }.items():
        commands.add_parser(command, help=effect).add_argument("game_id")
    commands.choices["add"].add_argument("--name", required=True, help="the game's title")
    options = parser.parse_args()
    try:
        table = _open(options.table, options.environment)
        match options.command:
            case "list":
                _print_games(list_games(table))
            case "add":
                _print_key(add_game(table, options.game_id, options.name))
            case "rotate":
                _print_key(rotate_key(table, options.game_id))
            case command:
                set_status(table, options.game_id, {"disable": "disabled", "enable": "active"}[command])
                print(f"{options.game_id} is {command}d")
    except (BotoCoreError, ClientError) as error:
        raise CommandError(str(error)) from error


if __name__ == "__main__":
    run(main)
