"""What player_state's tables hold of a game, whichever writer a count came from and whenever that was."""

from collections import Counter
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from telemetry.player_item import described
from tools import restore

WHEN_AND_HOW = ("applied", "expires_at", "position", "updated_at", "version")
_serialize = TypeSerializer().serialize


def state(tables: dict[str, str], game: str | None = None) -> dict[str, Any]:
    """Return players and entries of leaderboards, and counters summed over the shards that wrote them."""
    dynamodb = boto3.resource("dynamodb")
    found: dict[str, Any] = {}
    counts: dict[str, Counter[str]] = {}
    for table in ("players", "leaderboards", "game_days"):
        for item in restore.items(dynamodb.Table(tables[table]), game):
            left = {name: value for name, value in item.items() if name not in WHEN_AND_HOW}
            if table == "game_days" and "names" in item:
                continue
            if table == "game_days":
                row = f"{left.pop('game_day')} {left.pop('shard').rpartition('#')[0]}"
                counts.setdefault(row, Counter()).update(left)
            else:
                if "state" in left:
                    left["state"] = {**described({key: _serialize(value) for key, value in item.items()})}
                    del left["state"]["version"]
                found[f"{table} {item.get('player', item.get('board'))} {item.get('player_id')}"] = left
    return found | counts
