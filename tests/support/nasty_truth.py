"""What the metrics of the nasty game must be: computed in plain Python from the definitions alone.

The definitions are the descriptions in event-schemas/metrics.json. History has its own file: plain_gold.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from math import isclose
from typing import Any, NamedTuple

from nasty_game import DAY, GAME, HOUR, MINUTE, Sent

Event = dict[str, Any]
# The name of a metric and what it is of: a day, a minute, a currency.
Figures = dict[tuple[str, ...], float]
WEEK, MONTH, LAST_DAY_NUMBER, CONCURRENT_MINUTES = 7, 30, 90, 5


def alike(one: float | None, other: float | None) -> bool:
    """Tell whether two figures are the same, but for the order in which floats were added."""
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=1e-13)


class Answer(NamedTuple):
    """What an engine says, and what is true."""

    said: Figures
    true: Figures

    def differing(self) -> dict[tuple[str, ...], tuple[float | None, float | None]]:
        """Return the metrics on which they differ: said, and true."""
        unlike = dict(self.said.items() ^ self.true.items())
        both = {key: (self.said.get(key), self.true.get(key)) for key in sorted(unlike)}
        return {key: (one, other) for key, (one, other) in both.items() if not alike(one, other)}

    def names(self) -> set[str]:
        """Return the metrics that are compared."""
        return {key[0] for key in self.said}


def happened(sent: Iterable[Sent]) -> list[Event]:
    """Return each event once, as it came first, with the moment at which it happened."""
    first: dict[str, Event] = {}
    for one in sorted(sent, key=lambda one: one.received):
        by_client, sent_at = (datetime.fromisoformat(one.event[name]) for name in ("event_time", "sent_at"))
        off = one.received - sent_at
        # A clock that is more than five minutes off is corrected, by a day at most.
        at = by_client + max(-DAY, min(DAY, off)) if abs(off) > 5 * MINUTE else by_client
        client = one.event["client"]
        first.setdefault(
            one.event["event_id"],
            one.event["payload"]
            | {
                "id": one.event["event_id"],
                "kind": one.event["event_type"],
                "player": one.event["player_id"],
                "session": one.event["session_id"],
                "at": at,
                "day": at.date(),
                "received": one.received,
                "late": one.received - at > HOUR,
                "platform": client["platform"],
                "version": client["app_version"],
                "country": client.get("country"),
                "verified": one.key_class == "server",
            },
        )
    return list(first.values())


def flat(event: Event, fields: Iterable[str]) -> Event:
    """Return an event as plain_gold takes it, with these fields of payloads."""
    return {name: event.get(name) for name in fields} | {
        "event_id": event["id"],
        "event_type": event["kind"],
        "game_id": GAME,
        "player_id": event["player"],
        "session_id": event["session"],
        "event_date": event["day"],
        "arrival_date": event["received"].date(),
        "at_ms": (event["at"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1),
        "platform": event["platform"],
        "country": event["country"] or "unknown",
        "app_version": event["version"],
        "verified": event["verified"],
    }


def live(sent: list[Sent]) -> Figures:
    """Return every metric of the live counters that is not 0."""
    events = happened(sent)
    found: Figures = defaultdict(float)
    players: dict[tuple[str, ...], set[Any]] = defaultdict(set)
    acted = [event for event in events if event["kind"] != "refund"]
    days = sorted({event["day"] for event in acted})
    reported: set[tuple[str, ...]] = set()
    first_day = {name: min(e["day"] for e in acted if e["player"] == name) for name in _players(acted)}
    for event in events:
        day, kind, player = str(event["day"]), event["kind"], event["player"]
        found["events", day] += 1
        if kind == "refund":
            continue
        players["active_players", day].add(player)
        named = {
            "session_start": "session_starts", "session_end": "sessions_ended", "crash": "crash_events",
            "error": "errors",
        }  # fmt: skip
        if kind in named:
            found[named[kind], day] += 1
        if kind == "purchase":
            found["purchase_events", day] += 1
            report = player, event["store"], event["transaction_id"]
            if report not in reported and not event["late"] and is_sale(event):
                minute = f"{event['at']:%Y-%m-%dT%H:%M}", event["currency"]
                found["reported_revenue", *minute] += event["amount_minor"]
                if not event["verified"]:
                    found["unverified_reported_revenue", *minute] += event["amount_minor"]
            reported.add(report)
        if kind == "progression":
            step = {"start": "starts", "complete": "completes", "fail": "fails"}[event["status"]]
            found[step, day, event["level_1"]] += 1
            players["players_started", day].add(player)
            if event["status"] == "complete":
                players["players_completed", day].add(player)
        if kind == "economy":
            moved = day, event["currency"], event["reason"]
            found[event["flow"], *moved] += event["amount"]
            found["amount", *moved, event["flow"]] += event["amount"]
        if kind == "ad_impression":
            ad = day, event["network"], event["placement"], event["format"]
            found["impressions", *ad] += 1
            found["completed_impressions", *ad] += bool(event.get("completed"))
            if currency := event.get("currency"):
                found["currency_impressions", *ad, currency] += 1
                found["ad_revenue_micros", *ad, currency] += event["revenue_micros"]
        if kind == "design":
            parts = event["name"].split(":")
            for depth in range(1, len(parts) + 1):
                path = day, ":".join(parts[:depth])
                found["design_events", *path] += 1
                if "value" in event:
                    found["valued_events", *path] += 1
                    found["value_sum", *path] += event["value"]
        session = event["session"], player
        if kind != "purchase":
            players["active_sessions", day, event["version"]].add(session)
        if kind == "crash" and event["fatal"]:
            players["crashed_sessions", day, event["version"]].add(session)
        number = (event["day"] - first_day[player]).days
        if number <= LAST_DAY_NUMBER:
            players["retained_players", str(first_day[player]), str(number)].add(player)
        if not event["late"]:
            minute = event["at"].replace(second=0, microsecond=0)
            for after in range(CONCURRENT_MINUTES):
                at = f"{minute + after * MINUTE:%Y-%m-%dT%H:%M}"
                players["concurrent_players", at].add(player)
    for first in first_day.values():
        found["new_players", str(first)] += 1
        for number in range(LAST_DAY_NUMBER + 1):
            found["cohort_players", str(first), str(number)] += 1
    # Each player who reports a transaction has bought it, as far as the live counters know.
    bought = (transactions(e for e in events if e["player"] == player) for player in _players(events))
    for event in chain.from_iterable(bought):
        day, currency, player = str(event["day"]), event["currency"], event["player"]
        if not is_sale(event):
            found["sandbox_purchases" if event.get("sandbox") else "trials", day] += 1
            continue
        found["purchases", day] += 1
        found["revenue", day, currency] += event["amount_minor"]
        if not event["verified"]:
            found["unverified_revenue", day, currency] += event["amount_minor"]
        found["net_revenue", day, currency] += event["amount_minor"]
        for back, amount in paid_back(event, [e for e in events if e["player"] == player]):
            found["refunds", str(back)] += 1
            found["refunded", str(back), currency] += amount
            found["net_revenue", str(back), currency] -= amount
        players["payers", day].add(player)
        players["currency_payers", day, currency].add(player)
    for day, seconds in playtime_seconds(acted):
        found["playtime_seconds", str(day)] += seconds
    for name, span in (("weekly_active_players", WEEK), ("monthly_active_players", MONTH)):
        for number in range((days[-1] - days[0]).days + span):
            day = days[0] + timedelta(number)
            active = {e["player"] for e in acted if 0 <= (day - e["day"]).days < span}
            found[name, str(day)] = len(active)
    for one in sent:
        found["arrived", str(one.received.date())] += 1
    found |= {key: len(members) for key, members in players.items()}
    for step, name in STEPS.items():
        for key in [key for key in found if key[0] == name]:
            found["step_players", key[1], step] = found[key]
    # A copy goes to the quarantine.
    arrivals = {event["id"]: event["received"] for event in events}
    known: set[str] = set()
    for one in sent:
        identity = one.event["event_id"]
        if identity in known or one.received != arrivals[identity]:
            found["rejected", str(one.received.date())] += 1
        known.add(identity)
    found |= _shares(found)
    return {key: value for key, value in found.items() if value}


STEPS = {
    "active": "active_players", "started a level": "players_started",
    "completed a level": "players_completed", "paid": "payers",
}  # fmt: skip


def _shares(facts: Figures) -> Figures:
    """Return the ratios: null where there is nothing below the line."""
    found: Figures = {}

    def ratio(name: str, top: str, bottom: str, keep: int = 9) -> None:
        for key in list(facts):
            if key[0] == top and facts.get((bottom, *key[1:][:keep])):
                found[(name, *key[1:])] = facts[key] / facts[(bottom, *key[1:][:keep])]

    ratio("stickiness", "active_players", "monthly_active_players")
    ratio("payer_conversion", "payers", "active_players")
    ratio("arpdau", "revenue", "active_players", keep=1)
    ratio("arppu", "revenue", "currency_payers")
    ratio("step_share", "step_players", "active_players", keep=1)
    ratio("retention", "retained_players", "cohort_players")
    ratio("rejected_share", "rejected", "arrived")
    ratio("unverified_share", "unverified_revenue", "revenue")
    ratio("unverified_reported_share", "unverified_reported_revenue", "reported_revenue")
    ratio("completed_share", "completed_impressions", "impressions")
    ratio("ad_arpdau_micros", "ad_revenue_micros", "active_players", keep=1)
    ratio("ad_ecpm_micros", "ad_revenue_micros", "currency_impressions")
    ratio("value_mean", "value_sum", "valued_events")
    ratio("completion", "completes", "starts")
    found |= {key: min(value, 1) for key, value in found.items() if key[0] == "completion"}
    found |= {key: 1000 * value for key, value in found.items() if key[0] == "ad_ecpm_micros"}
    for key, sessions in facts.items():
        if key[0] == "active_sessions":
            crashed = facts.get(("crashed_sessions", *key[1:]), 0)
            found["crash_free_sessions", *key[1:]] = 1 - crashed / sessions
    return found


def transactions(events: Iterable[Event]) -> list[Event]:
    """Return the event that counts of each transaction: a server's before a client's, then the earliest."""
    counted: dict[tuple[str, str], Event] = {}
    for event in events:
        if event["kind"] == "purchase":
            key = event["store"], event["transaction_id"]
            known = counted.setdefault(key, event)
            if _rank(event) < _rank(known):
                counted[key] = event
    return list(counted.values())


def _rank(purchase: Event) -> tuple[Any, ...]:
    return not purchase["verified"], purchase["at"], purchase["id"]


def is_sale(purchase: Event) -> bool:
    """Tell whether a purchase is revenue."""
    return not purchase.get("sandbox") and purchase.get("purchase_kind") != "trial"


def paid_back(purchase: Event, events: Iterable[Event]) -> list[tuple[date, int]]:
    """Return the day and the amount of each refund of a purchase, until nothing of it is left."""
    known: set[str] = set()
    left, found = purchase["amount_minor"], []
    for event in sorted(events, key=lambda event: (event["at"], event["id"])):
        if event["kind"] != "refund" or event["refund_id"] in known:
            continue
        if (event["store"], event["transaction_id"]) == (purchase["store"], purchase["transaction_id"]):
            known.add(event["refund_id"])
            amount = min(left, event.get("amount_minor", left))
            left -= amount
            found += [(max(event["day"], purchase["day"]), amount)] if amount else []
    return found


def playtime_seconds(events: Iterable[Event]) -> list[tuple[date, float]]:
    """Return the day and the length of each stretch of a session without a pause of over half an hour.

    Purchases alone are no stretch.
    """
    stretches = []
    by_session: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        by_session[event["player"], event["session"]].append(event)
    for group in by_session.values():
        group.sort(key=lambda event: event["at"])
        begin, played = group[0]["at"], False
        for event, following in zip(group, [*group[1:], None], strict=True):
            played |= event["kind"] != "purchase"
            if following is None or following["at"] - event["at"] > 30 * MINUTE:
                if played:
                    stretches.append((begin.date(), (event["at"] - begin).total_seconds()))
                begin, played = following and following["at"], False
    return stretches


def window(counted: Iterable[Event]) -> Figures:
    """Return every metric of the windows of a minute and of five, of all platforms and versions.

    `counted` are the events that come before their minute is published, in their order of arrival.
    """
    events, bought, known = list(counted), [], set()
    for minute in sorted({_minute(event) for event in events}):
        for event in transactions(event for event in events if _minute(event) == minute):
            key = event["store"], event["transaction_id"]
            bought += [] if key in known else [event]
            known.add(key)
    found: Figures = defaultdict(float)
    ids: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for label, length in (("1m", 1), ("5m", 5)):
        for event in events:
            for start in _starts(event, label, length):
                if event["kind"] != "refund":
                    ids["active_players", *start].add(event["player"])
                match event["kind"]:
                    case "session_heartbeat":
                        ids["heartbeat_sessions", *start].add(event["session"])
                    case "session_start":
                        found["session_starts", *start] += 1
                    case "session_end":
                        found["sessions_ended", *start] += 1
                        found["ended_seconds", *start] += event["duration_seconds"]
                    case "crash":
                        found["crash_events", *start] += 1
        for event in filter(is_sale, bought):
            for start in _starts(event, label, length):
                found["reported_purchases", *start, event["currency"]] += 1
                found["reported_revenue", *start, event["currency"]] += event["amount_minor"]
                if not event["verified"]:
                    found["unverified_reported_revenue", *start, event["currency"]] += event["amount_minor"]
                ids["reported_payers", *start].add(event["player"])
    found |= {key: len(members) for key, members in ids.items()}
    for key in [key for key in found if key[0] == "sessions_ended"]:
        found["ended_seconds_mean", *key[1:]] = found["ended_seconds", *key[1:]] / found[key]
    for key in [key for key in found if key[0] == "unverified_reported_revenue"]:
        found["unverified_reported_share", *key[1:]] = found[key] / found["reported_revenue", *key[1:]]
    return {key: value for key, value in found.items() if value}


def window_of(sent: Iterable[Sent], timely: Iterable[Event]) -> Figures:
    """Return the same of enriched events that come in time."""
    counted = {event["event_id"] for event in timely}
    return window(event for event in happened(sent) if event["id"] in counted)


def _minute(event: Event) -> datetime:
    """Return the minute of an event, which cannot happen after it came."""
    moment: datetime = min(event["at"], event["received"])
    return moment.replace(second=0, microsecond=0)


def _starts(event: Event, label: str, length: int) -> Iterable[tuple[str, str]]:
    for back in range(length):
        yield label, f"{_minute(event) - back * MINUTE:%Y-%m-%dT%H:%M:%SZ}"


def _players(events: Iterable[Event]) -> set[str]:
    return {event["player"] for event in events}
