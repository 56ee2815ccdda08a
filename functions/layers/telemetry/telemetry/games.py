"""The registered games: who may send events, and with which key."""

import hashlib
import hmac
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from telemetry import items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource

CACHE_SECONDS = 30
MAX_REMEMBERED = 10_000


@dataclass(slots=True)
class GameRegistry:
    """Reads the games table (boto3 resource `dynamodb`), remembering each answer for 30 seconds."""

    dynamodb: "DynamoDBServiceResource"
    table_name: str
    _known: dict[str, tuple[float, dict[str, Any] | None]] = field(default_factory=dict)

    def active(self, game_ids: Iterable[str]) -> set[str]:
        """Return those of the games that are registered and not disabled."""
        return {game_id for game_id, game in self.registered(game_ids).items() if game["status"] == "active"}

    def registered(self, game_ids: Iterable[str], remembered: bool = True) -> dict[str, dict[str, Any]]:
        """Return the items of those of the games that are registered, disabled ones too.

        Without `remembered` they are read now, however lately they were read before.
        """
        if len(self._known) > MAX_REMEMBERED:
            self._known.clear()
        wanted = set(game_ids)
        missing = [game_id for game_id in wanted if not (remembered and self._fresh(game_id))]
        keys = ({"game_id": game_id} for game_id in missing)
        found = {str(item["game_id"]): item for item in items.read(self.dynamodb, self.table_name, keys)}
        now = time.monotonic()
        self._known.update({game_id: (now, found.get(game_id)) for game_id in missing})
        return {game_id: game for game_id in wanted if (game := self._known[game_id][1])}

    def get(self, game_id: str) -> dict[str, Any] | None:
        """Return the game's item, None where it is not registered."""
        return self.registered([game_id]).get(game_id)

    def _fresh(self, game_id: str) -> bool:
        return game_id in self._known and time.monotonic() - self._known[game_id][0] < CACHE_SECONDS


def secret_hash(secret: str) -> str:
    """Return what the table keeps of a key's secret: SHA-256 in hex; the secret has 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def key_name(kept_hash: str) -> str:
    """Return what names a key in place of its secret: HMAC-SHA256 of "name" in hex. It proves nothing."""
    return hmac.new(kept_hash.encode(), b"name", hashlib.sha256).hexdigest()


def named_key(game: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return what is kept of the game's live key with this name, None for no such key. In constant time."""
    given = name.encode(errors="replace")
    found = [key for key in game["key_hashes"] if hmac.compare_digest(given, key_name(key["hash"]).encode())]
    return found[0] if found else None


def live_key(game: dict[str, Any], secret: str) -> dict[str, Any] | None:
    """Return what is kept of the game's live key with this secret, None for no such key. In constant time."""
    given = secret_hash(secret)
    found = [key for key in game["key_hashes"] if hmac.compare_digest(given, key["hash"])]
    return found[0] if found else None
