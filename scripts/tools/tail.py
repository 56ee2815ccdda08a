"""Show a game's events as they arrive, and why events are rejected. Ends with Ctrl+C."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from telemetry import recent_events
from telemetry.email_masking import mask
from telemetry.enrichment import timestamp
from telemetry.recent_events import RecentEvent

from tools import CommandError, Parser, emulator, infrastructure, run

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

PAUSE_SECONDS = 1.0
# An event of a busy game may be written so long after it arrived.
LOOK_BACK = timedelta(minutes=5)


@dataclass(slots=True)
class Follower:
    """Reads the recent events of a game from now on."""

    dynamodb: "DynamoDBClient"
    table: str
    game: str
    left_out: int = 0
    _newest: str = ""
    _seen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin behind what the table holds already."""
        list(self.read())
        self.left_out = 0

    def read(self) -> Iterator[RecentEvent]:
        """Yield what has come since the last call, oldest first; add to `left_out` what was not kept."""
        since = self._since()
        self._seen = {key: at for key, at in self._seen.items() if at >= since}
        new: dict[str, RecentEvent] = {}
        for batch in recent_events.batches(self.dynamodb, self.table, self.game, since):
            key = str(batch.key["batch"]["S"])
            self.left_out += 0 if key in self._seen else batch.left_out
            for name, at, event in ((e.position, e.received_at, e) for e in batch.events):
                if name not in self._seen:
                    new[name] = event
                self._seen[name] = max(at, key)
            self._seen[key] = key
            self._newest = max(self._newest, key)
        yield from sorted(new.values(), key=lambda event: event.order)

    def _since(self) -> str:
        """Return the sort key to read from, by the clock of the platform and not of this machine."""
        if not self._newest:
            return ""
        return timestamp(datetime.fromisoformat(self._newest.partition("#")[0]) - LOOK_BACK)


def described(event: RecentEvent) -> str:
    """Return the line of an event, with all its errors."""
    words = [event.received_at, f"{event.result:8}", event.source]
    if event.result != "withheld":
        words += [mask(text or "-") for text in (event.event_type, event.player_id, event.event_id)]
    if event.reason:
        errors = "; ".join(f"at {error.pointer or '/'}: {error.message}" for error in event.errors)
        words.append(f"{event.reason} {errors}")
    return printable("  ".join(words))


def printable(text: str) -> str:
    """Return a text that clients chose without the characters that would steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def is_wanted(event: RecentEvent, player: str | None, refused: bool) -> bool:
    """Tell whether an event fits what the user asked for."""
    return (not refused or event.result == "rejected") and player in (None, event.player_id)


def main() -> None:
    """Follow the recent events of a game in an environment."""
    parser = Parser(
        prog="scripts/tail",
        description=__doc__,
        examples=(
            "scripts/tail --game my-game",
            "scripts/tail --game my-game --player p-42 --refused",
        ),
    )
    parser.add_argument("--game", required=True, help="show this game's events; `unknown`: those of no game")
    parser.add_argument("--player", help="only this player's; the pseudonym where the game has them")
    parser.add_argument("--refused", action="store_true", help="only events that are rejected")
    options = parser.parse_args()
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    tables = infrastructure.outputs(options.environment)["tables"]
    check(options.game, tables["games"])
    follower = Follower(boto3.client("dynamodb"), tables["recent_events"], options.game)
    print(f"Following {options.game}. Send an event.", flush=True)
    while True:
        for event in follower.read():
            if is_wanted(event, options.player, options.refused):
                print(described(event), flush=True)
        if follower.left_out:
            print(f"… and {follower.left_out} events that came at once: a sample is kept.", flush=True)
            follower.left_out = 0
        time.sleep(PAUSE_SECONDS)


def check(game_id: str, games_table: str) -> None:
    """Raise CommandError for a game that is not registered, or that keeps no recent events."""
    if game_id == "unknown":
        return
    game = boto3.resource("dynamodb").Table(games_table).get_item(Key={"game_id": game_id}).get("Item")
    if game is None:
        raise CommandError(f"no game {game_id!r} is registered: scripts/games list")
    if not recent_events.is_on(game):
        raise CommandError(f"{game_id} keeps no recent events: scripts/games recent-events {game_id} on")


if __name__ == "__main__":
    run(main)
