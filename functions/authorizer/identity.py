"""From the header of a request to the game its key belongs to."""

import re
from dataclasses import dataclass
from typing import Any

from telemetry import games, ids, key_classes
from telemetry.games import GameRegistry
from telemetry.key_classes import KeyClass

_game_id = re.compile(ids.GAME)


class Unauthorized(Exception):
    """No live key of a registered game; API Gateway answers 401 to exactly this message.

    `game_id` is the registered game that the request named, "" for none: for the log, not for the client.
    """

    def __init__(self, game_id: str = "") -> None:
        """Say no more: who guesses must not learn which part was wrong."""
        super().__init__("Unauthorized")
        self.game_id = game_id


@dataclass(frozen=True, slots=True)
class Identity:
    """A game's item, and id and class of the key that was shown or named.

    A name is no secret, and a game's id alone names no key: then the request must be signed.
    """

    game: dict[str, Any]
    key_id: str = ""
    key_class: KeyClass = "client"
    must_sign: bool = False


def identify(key: str, application_id: str | None, registry: GameRegistry) -> Identity:
    """Return whose key "<game_id>.<secret>" it is, whatever game the path names.

    Clients of the AWS guidance send the secret alone, and name the game in the path. A game that
    demands signatures may send "<game_id>.<name of the key>", or its id alone: the function behind checks
    the signature.
    Raises Unauthorized.
    """
    game_id, _, secret = key.partition(".")
    named = ""
    for candidate, given in ((application_id, key), (game_id, secret)):
        game = registry.get(candidate) if candidate and _game_id.fullmatch(candidate) else None
        if game and (live := games.live_key(game, given)):
            return Identity(game, live["key_id"], key_classes.parse(live.get("key_class")))
        if game and game.get("signature") == "required":
            if kept := games.named_key(game, given):
                return Identity(
                    game, kept["key_id"], key_classes.parse(kept.get("key_class")), must_sign=True
                )
            if key == candidate:
                return Identity(game, must_sign=True)
        named = game["game_id"] if game else named
    raise Unauthorized(named)
