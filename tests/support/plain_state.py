"""What a game's counters must be, computed from the definitions alone: all events at once, no state, no AWS.

The definitions are those of event-schemas/metrics.json: a play is a run of one player's events with one
session_id and gaps of at most 30 minutes, at least one of them no purchase. Its length, last event minus
first, belongs to the day on which it begins. Of the events that report one store transaction, the first by
time counts; so of those that report one refund of it. A refund is nothing that a player does. A transaction
that was taken back does not count, and its refunds pay nothing back.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

PAUSE = timedelta(minutes=30)
ONE_MILLISECOND = timedelta(milliseconds=1)
Event = dict[str, Any]
# Game, player, store and transaction.
Paid = tuple[str, str, str | None, str | None]
# Game, then what is counted of it.
Counts = Counter[tuple[str, ...]]


def unique(events: Iterable[Event]) -> list[Event]:
    """Return the events once each: an event_id names one."""
    return list({event["event_id"]: event for event in events}.values())


def activity(events: Iterable[Event]) -> list[Event]:
    """Return what players do, once each."""
    return [event for event in unique(events) if event["event_type"] != "refund"]


def at(event: Event) -> datetime:
    return datetime.fromisoformat(event["corrected_time"])


def plays(events: Iterable[Event]) -> list[tuple[Event, datetime]]:
    """Return the first event and the last moment of each play."""
    by_session: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in activity(events):
        by_session[event["game_id"], event["player_id"], event["session_id"]].append(event)
    found: list[tuple[Event, datetime]] = []
    for group in by_session.values():
        runs: list[list[Event]] = []
        for event in sorted(group, key=at):
            if not runs or at(event) - at(runs[-1][-1]) > PAUSE:
                runs.append([])
            runs[-1].append(event)
        found += [(run[0], at(run[-1])) for run in runs if any(map(is_play, run))]
    return found


def is_play(event: Event) -> bool:
    """A server may send purchases: they alone are no session."""
    return bool(event["event_type"] != "purchase")


def play_milliseconds(events: Iterable[Event]) -> Counts:
    """Return the milliseconds played, by game and the day on which the play begins."""
    counts: Counts = Counter()
    for first, last in plays(events):
        counts[first["game_id"], first["event_date"]] += (last - at(first)) // ONE_MILLISECOND
    return +counts


def transactions(events: Iterable[Event], voided: Collection[Paid] = ()) -> list[Event]:
    """Return the event of each store transaction that counts, without those that were taken back."""
    first: dict[Paid, Event] = {}
    for event in unique(events):
        key = paid_by(event)
        if event["event_type"] == "purchase" and key not in voided:
            known = first.setdefault(key, event)
            if _order(event) < _order(known):
                first[key] = event
    return list(first.values())


def _order(event: Event) -> tuple[Any, ...]:
    return not event.get("verified"), at(event), event["event_id"]


def paid_by(event: Event) -> Paid:
    """Return whose store transaction an event tells of; of other events, a key that no transaction has."""
    payload = event["payload"]
    return event["game_id"], event["player_id"], payload.get("store"), payload.get("transaction_id")


def is_sale(purchase: Event) -> bool:
    """Tell whether a purchase is revenue: neither a trial nor paid in a test environment."""
    payload = purchase["payload"]
    return not payload.get("sandbox") and payload.get("purchase_kind") != "trial"


def refunds(events: Iterable[Event], voided: Collection[Paid] = ()) -> list[tuple[Event, str, int]]:
    """Return of each refund the purchase, the day on which it counts and what it pays back of it."""
    events, found = unique(events), []
    for purchase in filter(is_sale, transactions(events, voided)):
        own = [e for e in events if e["event_type"] == "refund" and paid_by(e) == paid_by(purchase)]
        left, known = purchase["payload"]["amount_minor"], set()
        for event in sorted(own, key=lambda event: (at(event), event["event_id"])):
            if left and event["payload"]["refund_id"] not in known:
                known.add(event["payload"]["refund_id"])
                amount = min(left, event["payload"].get("amount_minor", left))
                left -= amount
                found.append((purchase, max(event["event_date"], purchase["event_date"]), amount))
    return found


def days(events: Iterable[Event], voided: Collection[Paid] = ()) -> Counts:
    """Return the counters of each day, by game, day and name. Transactions in `voided` were taken back."""
    events = unique(events)
    counts: Counts = Counter()
    met: set[tuple[str, ...]] = set()

    def once(game: str, day: str, name: str, *what: str) -> None:
        counts[game, day, name] += (game, day, name, *what) not in met
        met.add((game, day, name, *what))

    first: dict[tuple[str, str], str] = {}
    for event in activity(events):
        player = event["game_id"], event["player_id"]
        first[player] = min(first.get(player, "9"), event["corrected_time"])
    for (game, _), moment in first.items():
        counts[game, moment[:10], "new_players"] += 1
    for event in events:
        game, day, player = event["game_id"], event["event_date"], event["player_id"]
        kind, payload = event["event_type"], event["payload"]
        counts[game, day, "events"] += 1
        counts[game, day, f"events_{kind}"] += 1
        if kind != "refund":
            once(game, day, "active_players", player)
        match kind:
            case "progression":
                once(game, day, "players_started", player)
                if payload["status"] == "complete":
                    once(game, day, "players_completed", player)
    for event in transactions(events, voided):
        game, day = event["game_id"], event["event_date"]
        if not is_sale(event):
            counts[game, day, "sandbox_purchases" if event["payload"].get("sandbox") else "trials"] += 1
            continue
        counts[game, day, "purchases"] += 1
        for name in ("revenue",) if event.get("verified") else ("revenue", "unverified_revenue"):
            counts[game, day, f"{name}_{event['payload']['currency']}"] += event["payload"]["amount_minor"]
        once(game, day, "payers", event["player_id"])
        once(game, day, f"payers_{event['payload']['currency']}", event["player_id"])
    for purchase, day, amount in refunds(events, voided):
        counts[purchase["game_id"], day, "refunds"] += 1
        counts[purchase["game_id"], day, f"refunded_{purchase['payload']['currency']}"] += amount
    for (game, day), played in play_milliseconds(events).items():
        counts[game, day, "play_ms"] += played
    return +counts


def advertisements(events: Iterable[Event]) -> Counts:
    """Return impressions, completed ones and money, by game, day, network, placement, format and name."""
    counts: Counts = Counter()
    for event in unique(events):
        if event["event_type"] == "ad_impression":
            payload = event["payload"]
            where = event["game_id"], event["event_date"]
            where += payload["network"], payload["placement"], payload["format"]
            counts[*where, "impressions"] += 1
            if payload.get("completed"):
                counts[*where, "completed_impressions"] += 1
            if "currency" in payload:
                counts[*where, f"impressions_{payload['currency']}"] += 1
                counts[*where, f"ad_revenue_{payload['currency']}"] += payload.get("revenue_micros", 0)
    return +counts


def designs(events: Iterable[Event]) -> Counts:
    """Return events, those with a value and the sum of values, by game, day, name and counter."""
    counts: Counts = Counter()
    for event in unique(events):
        if event["event_type"] == "design":
            where, value = (
                (event["game_id"], event["event_date"], event["payload"]["name"]),
                event["payload"].get("value"),
            )
            counts[*where, "design_events"] += 1
            if value is not None:
                counts[*where, "valued_events"] += 1
                counts[*where, "value_millionths"] += int(Fraction(str(value)) * 1_000_000)
    # A sum may be less than nothing.
    return Counter({name: count for name, count in counts.items() if count})


def stability(events: Iterable[Event]) -> Counts:
    """Return sessions, crashes and sessions with a fatal crash, by game, day and name, over all versions."""
    counts: Counts = Counter()
    sessions: set[tuple[str, ...]] = set()
    crashed: set[tuple[str, ...]] = set()
    for event in activity(events):
        where = event["game_id"], event["event_date"]
        session = *where, event["player_id"], event["session_id"]
        if is_play(event):
            sessions.add(session)
        if event["event_type"] == "crash":
            counts[*where, "crash_events"] += 1
            if event["payload"]["fatal"]:
                crashed.add(session)
    for name, found in (("active_sessions", sessions), ("crashed_sessions", crashed)):
        for game, day, *_ in found:
            counts[game, day, name] += 1
    return counts
