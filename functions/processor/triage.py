"""Decides of each arrival whether it is an event of the platform or goes to the quarantine, and why."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence, Set
from datetime import UTC, datetime
from typing import Any

import orjson
from aws_lambda_powertools import Logger
from telemetry import consent, envelopes
from telemetry.decoding import Decoded
from telemetry.dimensions import NOTHING, Declared
from telemetry.email_masking import mask, mask_bytes
from telemetry.enrichment import encode, timestamp
from telemetry.games import GameRegistry
from telemetry.guidance import PLAYER_FIELDS, Rules, stored_player
from telemetry.key_classes import ClientLimits
from telemetry.pseudonyms import Pseudonyms
from telemetry.recent_events import is_on
from telemetry.rejection import Reason, Rejection, joined
from telemetry.validation import validate
from telemetry.vendors import VENDORS

from processor.arrival import Arrival

MAX_ORIGINAL_BYTES = 512 * 1024
UNKNOWN = "unknown"
SEALED = "what was sent is sealed: scripts/replay --dry-run tells what is wrong with it"

logger = Logger(child=True)


def triage(arrivals: Sequence[Arrival], registry: GameRegistry) -> None:
    """Set `event` or `rejection`, and `game`, of each arrival; never raises for what a client sent.

    Of what a player did not agree to neither is set.
    """
    claimed = [arrival.claimed_game for arrival in arrivals]
    named = [game or arrival.presumed_game for game, arrival in zip(claimed, arrivals, strict=True)]
    # Somebody changes a setting and replays at once: by the former one the event would be refused for good.
    is_replay = any(arrival.origin.source == "replay" for arrival in arrivals)
    games = registry.registered(set(named) - {""}, remembered=not is_replay)
    active = {game_id for game_id, game in games.items() if _takes_events(game)}
    pseudonyms = {game_id: Pseudonyms.wanted(game) for game_id, game in games.items()}
    declared = {game_id: Declared.of(game) for game_id, game in games.items()}
    now = timestamp(datetime.now(UTC))
    for arrival, claim, name in zip(arrivals, claimed, named, strict=True):
        arrival.game = claim if claim and claim in active else UNKNOWN
        arrival.pseudonyms = pseudonyms.get(name)
        arrival.recent_game = (name if name in games else UNKNOWN) if is_on(games.get(name)) else None
        if arrival.envelope != "native":
            _translate(arrival, games.get(name))
        if consent.concerns(arrival.value):
            arrival.raw, arrival.value = consent.honoured(arrival.raw, arrival.value)
            if consent.is_denied(arrival.value):
                arrival.rejection = None
                continue
        if arrival.rejection:
            continue
        try:
            _accept(arrival, now, games.get(arrival.game, {}), declared.get(arrival.game, NOTHING))
        except Rejection as rejection:
            arrival.rejection = rejection
        except Exception as error:
            logger.exception("An event could not be judged", extra={"position": arrival.position})
            arrival.rejection = Rejection(Reason.INTERNAL_ERROR, type(error).__name__)


def _translate(arrival: Arrival, game: dict[str, Any] | None) -> None:
    item = Decoded(arrival.raw, arrival.value, arrival.rejection)
    rules = Rules.of(game, arrival.origin.key_class)
    key_game, received_at = arrival.key_game or "", arrival.origin.received_at
    item = envelopes.translated(arrival.envelope, item, key_game, received_at, rules)
    arrival.value, arrival.rejection = item.value, item.rejection


def _takes_events(game: dict[str, Any]) -> bool:
    """Tell a game that is active; one whose pseudonyms lost their key would have new players each time."""
    return game["status"] == "active" and ("privacy_key" in game or game.get("pseudonyms") != "on")


def _accept(arrival: Arrival, now: str, game: dict[str, Any], declared: Declared) -> None:
    """Make an event of an arrival. Raises Rejection with all that is wrong with it."""
    event = validate(arrival.value)
    found = []
    if arrival.key_game and event["game_id"] != arrival.key_game:
        found.append(Rejection(Reason.WRONG_GAME, f"the key belongs to {arrival.key_game}", "/game_id"))
    elif arrival.game == UNKNOWN:
        found.append(Rejection(Reason.UNKNOWN_GAME, "the game is not registered or disabled", "/game_id"))
    if arrival.origin.key_class == "client":
        found += ClientLimits.of(game).refused(event)
    try:
        accepted = encode(event, arrival.origin, now, declared)
    except Rejection as rejection:
        found.append(rejection)
    if found:
        raise joined(found)
    arrival.event, arrival.line, arrival.flags = accepted
    if arrival.pseudonyms:
        arrival.event = arrival.pseudonyms.replaced(orjson.loads(arrival.line))
        arrival.line = orjson.dumps(arrival.event)
    arrival.order_key = order_key(
        bytes(game.get("privacy_key", b"")), arrival.game, arrival.event["player_id"]
    )


def order_key(key: bytes, game_id: str, player_id: str) -> str:
    """Return the partition key of a player's events: 32 hexadecimal digits, made with the key of the game.

    A stream puts a key into a shard, and Lambda into one of the batches of the shard that it runs at once.
    A client chooses its players' ids. Without the game's key it cannot choose them so that all come to the
    same batch.
    """
    return hashlib.blake2b(f"{game_id}/{player_id}".encode(), digest_size=16, key=key).hexdigest()


def rejected_line(arrival: Arrival, shard: str) -> bytes:
    """Return the quarantine's line (event-schemas/common/rejected), newline included.

    It holds the client's own bytes for replay, at most 512 KiB and without e-mail addresses. Where the game
    has pseudonyms, they are sealed; message and pointer then repeat nothing that the client chose.
    """
    rejection = arrival.rejection or Rejection(Reason.INTERNAL_ERROR, "rejected for no reason")
    event_id, event_type, version = (
        mask(arrival.label(field) or "") for field in ("event_id", "event_type", "schema_version")
    )
    original = arrival.raw[:MAX_ORIGINAL_BYTES]
    size = arrival.size_bytes or len(arrival.raw)
    line = {
        "reject_id": f"{shard}:{arrival.position}",
        "reason": rejection.reason,
        "message": SEALED if arrival.pseudonyms else mask(rejection.message),
        "pointer": mask(rejection.errors[0].named if arrival.pseudonyms else rejection.pointer),
        "game_id": arrival.game,
        "event_id": event_id or None,
        "schema_id": f"{event_type}/{version}" if event_type and version else None,
        "received_at": timestamp(arrival.origin.received_at),
        "rejected_at": timestamp(datetime.now(UTC)),
        "ingest_source": arrival.origin.source,
        "key_class": arrival.origin.key_class,
        "envelope": arrival.envelope,
        "country": arrival.origin.country,
        "bot": arrival.origin.bot,
        "position": arrival.position,
        "size_bytes": size,
        "truncated": len(original) < size,
        **_content(mask_bytes(_with_stored_players(arrival, original)), arrival.pseudonyms),
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _with_stored_players(arrival: Arrival, original: bytes) -> bytes:
    """Return the bytes with ids of players that would be masked replaced by what is stored of such an id.

    If all of them were masked alike, a replay would make one player of several.
    """
    if arrival.envelope == "native" or b"@" not in original:
        return original
    fields = {*PLAYER_FIELDS, *(VENDORS[arrival.envelope].player if arrival.envelope in VENDORS else ())}
    for player in _texts(arrival.value, fields):
        stored = orjson.dumps(stored_player(player))
        for written in {orjson.dumps(player), json.dumps(player).encode()}:
            original = original.replace(written, stored)
    return original


def _texts(value: Any, fields: Set[str], depth: int = 3) -> Iterator[str]:
    """Yield the texts of some fields that hold an address, also in objects within."""
    if not isinstance(value, dict):
        return
    for name, held in value.items():
        if name in fields and isinstance(held, str) and mask(held) != held:
            yield held
        elif depth:
            yield from _texts(held, fields, depth - 1)


def _content(original: bytes, pseudonyms: Pseudonyms | None) -> dict[str, str]:
    """Return the bytes as text where JSON can carry them so, without growing much by escapes."""
    if pseudonyms:
        return {"original_sealed": pseudonyms.seal(original), "sealed_for": pseudonyms.game_id}
    try:
        text = original.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None and len(orjson.dumps(text)) <= len(original) * 4 / 3 + 64:
        return {"original": text}
    return {"original_base64": base64.b64encode(original).decode()}
