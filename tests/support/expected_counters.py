"""What counters must be, computed from the events alone."""

from collections import Counter
from typing import Any

from plain_state import is_sale

Event = dict[str, Any]


def days_of(events: list[Event]) -> Counter[str]:
    """Return what the counters of the games' days must be, by "<game>/<counter>"."""
    counts: Counter[str] = Counter()
    seen: set[tuple[str, ...]] = set()

    def once(game: str, name: str, *what: str) -> None:
        counts[f"{game}/{name}"] += (game, name, *what) not in seen
        seen.add((game, name, *what))

    for event in events:
        game, player, day = event["game_id"], event["player_id"], event["event_time"][:10]
        payload, kind = event["payload"], event["event_type"]
        counts.update([f"{game}/events", f"{game}/events_{kind}"])
        once(game, "new_players", player)
        once(game, "active_players", player, day)
        match kind:
            case "purchase" if is_sale(event):
                counts[f"{game}/purchases"] += 1
                counts[f"{game}/revenue_{payload['currency']}"] += payload["amount_minor"]
                once(game, "payers", player, day)
    return counts


def players_of(events: list[Event]) -> dict[str, Counter[str]]:
    """Return what each player's counters must be, by "<game>#<player>"."""
    players: dict[str, Counter[str]] = {}
    for event in events:
        counts = players.setdefault(f"{event['game_id']}#{event['player_id']}", Counter())
        match event["event_type"]:
            case "session_start":
                counts["session_starts"] += 1
            case "purchase" if is_sale(event):
                counts["purchases"] += 1
                counts[event["payload"]["currency"]] += event["payload"]["amount_minor"]
    return players
