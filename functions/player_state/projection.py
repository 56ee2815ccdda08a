"""What events mean for a player and for a game's day: pure functions, no AWS."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

DIGEST_BYTES = 8
REMEMBERED_EVENTS = 256
REMEMBERED_DAYS = 62
MAX_CURRENCIES = 50

Event = dict[str, Any]
Player = dict[str, Any]


@dataclass(slots=True)
class Projection:
    """A player's item, changed in place, and what the change adds to the counters of each day."""

    player: Player
    days: dict[str, Counter[str]] = field(default_factory=dict)
    changed: bool = False

    def apply(self, event: Event) -> bool:
        """Apply an event once; return False for one whose id is among the last 256 applied."""
        digest = hashlib.blake2b(event["event_id"].encode(), digest_size=DIGEST_BYTES).digest()
        applied: list[bytes] = self.player["applied"]
        if digest in applied:
            return False
        applied.append(digest)
        self.changed = True
        day = self.days.setdefault(event["event_date"], Counter())
        day["events"] += 1
        day[f"events_{event['event_type']}"] += 1
        self._seen(event, day)
        handler = _HANDLERS.get(event["event_type"])
        if handler:
            handler(self.player, event, day)
        return True

    def _seen(self, event: Event, day: Counter[str]) -> None:
        player, moment = self.player, event["corrected_time"]
        if not player["first_seen"]:
            day["new_players"] += 1
        player["first_seen"] = min(player["first_seen"] or moment, moment)
        if moment >= player["last_seen"]:
            player["last_seen"] = moment
            player["platform"] = event["client"]["platform"]
            player["app_version"] = event["client"]["app_version"]
            player["country"] = event["country"]
        ordinal = date.fromisoformat(event["event_date"]).toordinal()
        if ordinal not in player["active_days"]:
            player["active_days"].add(ordinal)
            day["active_players"] += 1


def new_player(game_id: str, player_id: str) -> Player:
    """Return the item of a player who was never seen."""
    return {
        "game_id": game_id,
        "player_id": player_id,
        "first_seen": "",
        "last_seen": "",
        "platform": None,
        "app_version": None,
        "country": None,
        "level": None,
        "level_at": "",
        "sessions": 0,
        "playtime_seconds": 0,
        "purchases": 0,
        "spend": {},
        "balances": {},
        "balances_at": {},
        "active_days": set(),
        "paid_days": set(),
        "applied": [],
        "version": 0,
    }


def forget_old(player: Player, batch_size: int) -> None:
    """Bound what the item remembers, at least one batch of event ids so that its retry is recognised."""
    del player["applied"][: -max(REMEMBERED_EVENTS, batch_size)]
    for name in ("active_days", "paid_days"):
        player[name] = set(sorted(player[name])[-REMEMBERED_DAYS:])


def _session_start(player: Player, event: Event, day: Counter[str]) -> None:
    player["sessions"] += 1
    day["sessions"] += 1


def _session_end(player: Player, event: Event, day: Counter[str]) -> None:
    seconds = int(event["payload"]["duration_seconds"])
    player["playtime_seconds"] += seconds
    day["session_seconds"] += seconds
    day["sessions_ended"] += 1


def _purchase(player: Player, event: Event, day: Counter[str]) -> None:
    currency, amount = event["payload"]["currency"], int(event["payload"]["amount_minor"])
    player["purchases"] += 1
    player["spend"][currency] = player["spend"].get(currency, 0) + amount
    day["purchases"] += 1
    day[f"revenue_{currency}"] += amount
    ordinal = date.fromisoformat(event["event_date"]).toordinal()
    if ordinal not in player["paid_days"]:
        player["paid_days"].add(ordinal)
        day["payers"] += 1


def _economy(player: Player, event: Event, day: Counter[str]) -> None:
    currency, moment = event["payload"]["currency"], event["corrected_time"]
    known = player["balances"]
    room = currency in known or len(known) < MAX_CURRENCIES
    if room and moment >= player["balances_at"].get(currency, ""):
        known[currency] = int(event["payload"]["balance_after"])
        player["balances_at"][currency] = moment


def _progression(player: Player, event: Event, day: Counter[str]) -> None:
    payload, moment = event["payload"], event["corrected_time"]
    if payload["status"] == "complete" and moment >= player["level_at"]:
        levels = (payload.get(f"level_{n}") for n in (1, 2, 3))
        player["level"] = "/".join(level for level in levels if level)
        player["level_at"] = moment


_HANDLERS = {
    "session_start": _session_start,
    "session_end": _session_end,
    "purchase": _purchase,
    "economy": _economy,
    "progression": _progression,
}
