"""From the header of a request to the game its key belongs to."""

from typing import Any

from telemetry import games
from telemetry.games import GameRegistry

MAX_GAME_ID = 63


class Unauthorized(Exception):
    """No live key of a registered game; API Gateway answers 401 to exactly this message."""

    def __init__(self) -> None:
        """Say no more: who guesses must not learn which part was wrong."""
        super().__init__("Unauthorized")


def identify(key: str, application_id: str | None, registry: GameRegistry) -> dict[str, Any]:
    """Return the game of a key "<game_id>.<secret>".

    Clients of the AWS guidance send the secret alone, and name the game in the path. A game that
    demands signatures may send its id alone: the function behind checks the signature.
    Raises Unauthorized.
    """
    game_id, dot, secret = key.partition(".")
    if application_id and not (dot and game_id == application_id):
        game_id, secret = application_id, key
    game = registry.get(game_id) if 0 < len(game_id) <= MAX_GAME_ID else None
    if game is None:
        raise Unauthorized
    signs = game.get("signature") == "required" and key == game_id
    if not signs and not games.matches(game, secret):
        raise Unauthorized
    return game
