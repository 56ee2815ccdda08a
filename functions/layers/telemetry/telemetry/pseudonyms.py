"""What a game with pseudonyms keeps in the place of its players' ids, and how its rejects are sealed."""

import base64
import hmac
import os
import re
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from telemetry import catalog, mentions
from telemetry.dimensions import MAX_TOLD
from telemetry.event import Event

NONCE_BYTES = 12
# Of a pseudonym, where a field has no room for all of it.
SHORT = 16
# A shorter id is too often a part of a version or a level to be replaced inside other words.
MIN_PART = 4
MAX_EXTRA_LENGTH = 256
MAX_ANY_LENGTH = 64 * 1024
# What clients of the guidance call their player, in payload.extra; the value may be no id of the envelope.
PLAYER_FIELDS = {"player_id", "playerid", "user_id", "userid"}


@cache
def _limits() -> dict[str, int]:
    """Return how long a text of client or payload may be, for those that may hold anything.

    A field of given values, such as a platform or a currency, holds no id; a board is named by the game.
    """
    schemas = catalog.documents()
    client = catalog.newest("common/envelope", schemas)["properties"]["client"]
    payloads = catalog.payloads(schemas).values()
    limits: dict[str, int] = {}
    for fields in (client["properties"], *(payload["properties"] for payload in payloads)):
        for name, field in fields.items():
            free = field.get("type") == "string" and "enum" not in field and name != "leaderboard"
            free = free and bool(re.search(field.get("pattern", ""), "x0"))
            limits[name] = min(limits.get(name, MAX_ANY_LENGTH), field.get("maxLength", 0) if free else 0)
    return {name: limit for name, limit in limits.items() if limit}


class Unopened(Exception):
    """A sealed reject cannot be read: its key is gone, or it was changed."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Names that only who holds the game's key (`privacy_key` of its item) can make: HMAC-SHA256."""

    game_id: str
    key: bytes

    @classmethod
    def held(cls, game: dict[str, Any] | None) -> "Pseudonyms | None":
        """Return those of a game that has, or once had, the option; None where it never did."""
        if not game or "pseudonyms" not in game or "privacy_key" not in game:
            return None
        return cls(game["game_id"], bytes(game["privacy_key"]))

    @classmethod
    def wanted(cls, game: dict[str, Any] | None) -> "Pseudonyms | None":
        """Return those of a game whose ids must not be kept: without its key, under one that nobody has."""
        if not game or game.get("pseudonyms") != "on":
            return None
        return cls.held(game) or cls(game["game_id"], os.urandom(32))

    def player(self, player_id: str) -> str:
        """Return what is stored for an id: 64 hexadecimal digits."""
        return self._digest("player", player_id).hex()

    def session(self, session_id: str) -> str:
        """Return a UUID for a session: the guidance's envelope makes some of player and day."""
        return str(uuid.UUID(bytes=self._digest("session", session_id.lower())[:16], version=4))

    def replaced(self, event: Event) -> Event:
        """Return an event under its pseudonyms; the studio's own fields may repeat the id.

        The id is replaced in every text of client, dimensions and payload that is not one of a few given
        values. In a field for players only a whole id counts: "jo-anna" may be a friend of "anna". A field
        that links two ids holds the other one's own pseudonym.
        """
        player_id, payload = event["player_id"], event["payload"]
        pseudonym = self.player(player_id)
        extra = payload.get("extra") or {}
        named = {str(extra[name]) for name in PLAYER_FIELDS & extra.keys() if extra[name] not in (None, "")}
        others = {str(payload[name]) for name in catalog.player_fields() & payload.keys()}
        ids = tuple(sorted({player_id, *named, *others}))
        long = tuple(filter(mentions.is_long, ids))
        parts = tuple(one for one in ids if len(one) >= MIN_PART)
        of_players, of_others = (mentions.tokens(ids, some, any_case=True) for some in (long, parts))

        def change(path: tuple[str, ...], item: Any) -> Any:
            name, limit = path[-1], MAX_EXTRA_LENGTH if len(path) > 1 else _limits().get(path[-1], 0)
            limit = MAX_TOLD if path[0] == "dimensions" else limit
            if len(path) > 1 and name in PLAYER_FIELDS:
                return pseudonym
            if len(path) == 1 and name in catalog.player_fields():
                return self.player(item)
            if not limit or isinstance(item, bool | None):
                return item
            text = str(item)
            found = of_players if mentions.names_players(path, text) else of_others
            if not found.search(text):
                return item
            written = (mentions.without(found, text, by) for by in (pseudonym, pseudonym[:SHORT], "x"))
            return next(one for one in written if len(one) <= limit)

        replaced: Event = event | {
            "player_id": pseudonym,
            "session_id": self.session(event["session_id"]),
            "client": mentions.replaced(event["client"], change),
            "payload": mentions.replaced(payload, change),
        }
        if "dimensions" in event:
            mentions.replaced({"dimensions": event["dimensions"]}, change)
        return replaced

    def seal(self, raw: bytes) -> str:
        """Return bytes that only the key opens again (AES-256-GCM), in base64."""
        nonce = os.urandom(NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher().encrypt(nonce, raw, self.game_id.encode())).decode()

    def opened(self, sealed: str) -> bytes:
        """Return the bytes that were sealed. Raises Unopened."""
        from cryptography.exceptions import InvalidTag

        data = base64.b64decode(sealed)
        try:
            cipher, nonce, content = self._cipher(), data[:NONCE_BYTES], data[NONCE_BYTES:]
            return bytes(cipher.decrypt(nonce, content, self.game_id.encode()))
        except InvalidTag:
            raise Unopened(f"the key of {self.game_id} is another one now") from None

    def _cipher(self) -> Any:
        # Only games with pseudonyms pay for this import.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._digest("seal", ""))

    def _digest(self, purpose: str, text: str) -> bytes:
        """Separate what the key is used for: no id holds a NUL."""
        return hmac.digest(self.key, f"{purpose}\0{text}".encode(), "sha256")


def original_of(reject: dict[str, Any], pseudonyms: Pseudonyms | None) -> bytes:
    """Return what the client sent, as far as it was kept. Raises Unopened."""
    if "original" in reject:
        return str(reject["original"]).encode()
    if "original_base64" in reject:
        return base64.b64decode(reject["original_base64"])
    if pseudonyms is None:
        raise Unopened(f"the key of {reject['sealed_for']} is gone")
    return pseudonyms.opened(reject["original_sealed"])


def with_original(reject: dict[str, Any], original: bytes, pseudonyms: Pseudonyms | None) -> dict[str, Any]:
    """Return a reject that keeps other bytes, in the form in which it kept its own."""
    if "original_sealed" in reject and pseudonyms:
        return reject | {"original_sealed": pseudonyms.seal(original)}
    if "original_base64" in reject:
        return reject | {"original_base64": base64.b64encode(original).decode()}
    return reject | {"original": original.decode(errors="replace")}
