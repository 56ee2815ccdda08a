"""Gold in plain Python, from the descriptions in event-schemas/metrics.json alone: slow, and easy to check.

It shares no code and no idea with the SQL: each figure is counted over all events, one row at a time.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any

Event = dict[str, Any]
Rows = list[dict[str, Any]]
PAUSE_MS = 30 * 60 * 1000
MEASURES = ("fps", "frame_time_ms", "latency_ms", "load_time_ms", "memory_mb")
DIMENSIONS = ("platform", "country", "app_version")
# Custom dimensions: rows of each are of all values of the other dimensions.
CUSTOM = ("custom_1", "custom_2")
# Millionths in a minor unit, of the currencies of the tests that do not count in hundredths.
MICROS = {"JPY": 1_000_000, "KWD": 1_000}
# The values of DIMENSIONS, then those of CUSTOM.
Place = tuple[str, str, str, str, str]


def gold(events: Iterable[Event]) -> dict[str, Rows]:
    """Return the rows of each table. Events have silver's columns, flat, with at_ms and arrival_date."""
    tables: dict[str, Rows] = {name: [] for name in (*_TABLES, *_WITHOUT_PLACES)}
    games: dict[str, list[Event]] = {}
    for event in events:
        games.setdefault(event["game_id"], []).append(event)
    for game_id, found in games.items():
        game = _Game(under_accounts(sorted(found, key=_order)))
        for name, table in _TABLES.items():
            for place in (*game.places, *game.custom_places):
                for row in table(game, place):
                    where = dict(zip(DIMENSIONS + CUSTOM, place, strict=True))
                    tables[name].append({"game_id": game_id, **where, **row})
        for name, whole in _WITHOUT_PLACES.items():
            tables[name] += [{"game_id": game_id, **row} for row in whole(game)]
    return tables


def _order(event: Event) -> tuple[int, str]:
    return event["at_ms"], event["event_id"]


def under_accounts(events: list[Event]) -> list[Event]:
    """Return a game's events in order of time, each under the account that its player became."""
    account_of = accounts(events)
    return [event | {"player_id": _end(event["player_id"], account_of)} for event in events]


def accounts(events: list[Event]) -> dict[str, str]:
    """Return the account of each guest whose link counts, from a game's events in order of time.

    The first link of a guest counts, where the guest, or the account with the guests it was linked with
    before, has its first event at most 30 days before. An account takes 100 such guests.
    """
    first: dict[str, date] = {}
    for event in events:
        if event["event_type"] != "refund":
            first.setdefault(event["player_id"], event["event_date"])
    decided: set[str] = set()
    earlier: dict[str, list[date]] = {}
    taken = Counter[str]()
    account_of: dict[str, str] = {}
    for event in events:
        guest, account = event.get("previous_player_id"), event["player_id"]
        if event["event_type"] != "identify" or guest == account or guest in decided:
            continue
        decided.add(guest)
        oldest = event["event_date"] - timedelta(30)
        family = [first[account], *earlier.get(account, [])]
        is_new = first.get(guest, event["event_date"]) >= oldest or min(family) >= oldest
        if guest in first:
            earlier.setdefault(account, []).append(first[guest])
        if is_new and taken[account] < 100:
            taken[account] += 1
            account_of[guest] = account
    return account_of


def _end(player: str, account_of: dict[str, str]) -> str:
    """Return the end of a chain of at most three links; who is in a longer one or in a circle stays alone."""
    at = player
    for _ in range(3):
        at = account_of.get(at, at)
    return player if at in account_of else at


def _is_in(event: Event, place: Place) -> bool:
    names = (*DIMENSIONS, *(f"value_of_{name}" for name in CUSTOM))
    return all(wanted in ("*", event[name]) for name, wanted in zip(names, place, strict=True))


class _Game:
    """A game's events in order of time, and who its players are."""

    def __init__(self, everything: list[Event]) -> None:
        # A refund is something that happens to a purchase, and nothing that a player does.
        events = [event for event in everything if event["event_type"] != "refund"]
        self.told = _told(events)
        self.events = events = [self._valued(event) for event in events]
        values = [[*sorted({event[name] for event in events}), "*"] for name in DIMENSIONS]
        self.places: list[Place] = [(*place, "*", "*") for place in product(*values)]  # type: ignore[misc]
        # A game has rows of a custom dimension if an event, of whatever kind, has it.
        self.custom_places: list[Place] = []
        for nth, name in enumerate(CUSTOM):
            if any(
                event.get(one) is not None for event in everything for one in (name, f"install_{nth + 1}")
            ):
                known = {event[f"value_of_{name}"] for event in events}
                known |= {
                    self.told.get((player, name), "unknown") for player in {e["player_id"] for e in events}
                }
                for value in sorted(known):
                    pair = (value, "*") if nth == 0 else ("*", value)
                    self.custom_places.append(("*", "*", "*", *pair))
        self.first: dict[str, Event] = {}
        self.of_player: dict[str, list[Event]] = {}
        for event in events:
            self.first.setdefault(event["player_id"], event)
            self.of_player.setdefault(event["player_id"], []).append(event)
        self.last_day: date = max(event["arrival_date"] for event in everything) - timedelta(1)
        self.transactions: dict[Hashable, Event] = {}
        for event in sorted(events, key=lambda e: (not e.get("verified"), _order(e))):
            if event["event_type"] == "purchase":
                self.transactions.setdefault(_transaction(event), event)
        self.purchases = [event for event in self.transactions.values() if _earns(event)]
        self.purchases.sort(key=_order)
        self.refunds = list(_refunds(everything, self.transactions))
        self.first_payment: dict[str, Event] = {}
        for event in self.purchases:
            self.first_payment.setdefault(event["player_id"], event)
        self.sessions = list(_sessions(events))
        paying = ("purchase", "ad_impression")
        self.currencies = sorted(
            {e["currency"] for e in events if e["event_type"] in paying and e["currency"]}
        )
        self.shown = [e for e in events if e["event_type"] == "ad_impression" and e["revenue_micros"]]

    def _valued(self, event: Event) -> Event:
        """Return an event with what it counts by: its own value, else what the player's first day told."""
        own = {
            f"value_of_{name}": event[name]
            if event.get(name) is not None
            else self.told.get((event["player_id"], name), "unknown")
            for name in CUSTOM
        }
        return event | own

    def players(self, place: Place, first: date, last: date) -> set[str]:
        return {
            event["player_id"]
            for event in self.events
            if first <= event["event_date"] <= last and _is_in(event, place)
        }

    def days(self, place: Place) -> list[date]:
        return sorted({event["event_date"] for event in self.events if _is_in(event, place)})

    def last_before(self, player: str, day: date) -> Event | None:
        return max((e for e in self.of_player[player] if e["event_date"] < day), key=_order, default=None)

    def cohorts(self, place: Place) -> dict[date, set[str]]:
        found: dict[date, set[str]] = {}
        for player, event in self.first.items():
            # A cohort is told apart by what its first day says, whatever the rule is.
            told = {f"value_of_{name}": self.told.get((player, name), "unknown") for name in CUSTOM}
            if _is_in(event | told, place):
                found.setdefault(event["event_date"], set()).add(player)
        return found


def _told(events: list[Event]) -> dict[tuple[str, str], str]:
    """Return the first value of each custom dimension that a player's first day tells."""
    day: dict[str, date] = {}
    found: dict[tuple[str, str], str] = {}
    for event in events:
        if day.setdefault(event["player_id"], event["event_date"]) != event["event_date"]:
            continue
        for slot, name in enumerate(CUSTOM, start=1):
            for value in (event.get(name), event.get(f"install_{slot}")):
                if value not in (None, "unknown"):
                    found.setdefault((event["player_id"], name), value)
    return found


def _transaction(event: Event) -> Hashable:
    return event["store"], event["transaction_id"]


def _earns(purchase: Event) -> bool:
    return not purchase["sandbox"] and purchase["purchase_kind"] != "trial"


def _refunds(events: list[Event], transactions: dict[Hashable, Event]) -> Iterator[Event]:
    """Yield what each refund pays back of its purchase, whose player, place and currency it has.

    Of the reports of one refund the first counts. A purchase is paid back until nothing of it is left.
    """
    known: set[Hashable] = set()
    left: dict[Hashable, int] = {}
    for event in events:
        purchase = transactions.get(_transaction(event)) if event["event_type"] == "refund" else None
        name = _transaction(event), event["refund_id"]
        if not purchase or not _earns(purchase) or name in known:
            continue
        known.add(name)
        amount = purchase["amount_minor"]
        before = left.get(_transaction(event), amount)
        asked = event["amount_minor"]
        back = before if asked is None else min(asked, before)
        left[_transaction(event)] = before - back
        if back:
            returned = {
                name: _share(purchase[name] or 0, amount - before + back, amount)
                - _share(purchase[name] or 0, amount - before, amount)
                for name in ("tax_minor", "store_fee_minor")
            }
            day = max(event["event_date"], purchase["event_date"])
            kind = {"refund_kind": event["refund_kind"]}
            yield purchase | returned | kind | {"event_date": day, "amount_minor": back}


def _share(whole: int, part: int, of: int) -> int:
    """Return whole * part / of, rounded half up."""
    return (2 * whole * part + of) // (2 * of)


def _sessions(events: list[Event]) -> Iterator[tuple[Event, float]]:
    """Yield the first event of each session and its length in seconds: purchases alone are no session."""
    grouped: dict[Hashable, list[Event]] = {}
    for event in events:
        grouped.setdefault((event["player_id"], event["session_id"]), []).append(event)
    for found in grouped.values():
        parts = [[found[0]]]
        for event in found[1:]:
            if event["at_ms"] - parts[-1][-1]["at_ms"] > PAUSE_MS:
                parts.append([])
            parts[-1].append(event)
        for part in parts:
            if any(event["event_type"] != "purchase" for event in part):
                yield part[0], (part[-1]["at_ms"] - part[0]["at_ms"]) / 1000


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile, interpolated between the two values next to it."""
    ordered = sorted(values)
    at = (len(ordered) - 1) * share
    low = ordered[int(at)]
    return low + (ordered[min(int(at) + 1, len(ordered) - 1)] - low) * (at - int(at))


def _daily(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    for day in game.days(place):
        active = game.players(place, day, day)
        month = game.players(place, day - timedelta(29), day)
        new = {player for player in active if game.first[player]["event_date"] == day}
        before = [game.last_before(player, day) for player in active - new]
        gaps = [(day - last["event_date"]).days for last in before if last]
        dormant = 0
        for player in game.first:
            last = game.last_before(player, day + timedelta(1))
            if last and (day - last["event_date"]).days > 30 and _is_in(last, place):
                dormant += 1
        lengths = [length for e, length in game.sessions if e["event_date"] == day and _is_in(e, place)]
        payers = {e["player_id"] for e in game.purchases if e["event_date"] == day and _is_in(e, place)}
        firsts = [e for e in game.first_payment.values() if e["event_date"] == day and _is_in(e, place)]
        yield {
            "event_date": day,
            "active_players": len(active),
            "weekly_active_players": len(game.players(place, day - timedelta(6), day)),
            "monthly_active_players": len(month),
            "stickiness": len(active) / len(month),
            "new_players": len(new),
            "returning_players": sum(gap <= 30 for gap in gaps),
            "resurrected_players": sum(gap > 30 for gap in gaps),
            "dormant_players": dormant,
            "sessions": len(lengths),
            "playtime_seconds": sum(lengths),
            "session_seconds_mean": sum(lengths) / len(lengths) if lengths else None,
            "session_seconds_median": percentile(lengths, 0.5) if lengths else None,
            "payers": len(payers),
            "first_time_payers": len(firsts),
            "payer_conversion": len(payers) / len(active),
            "first_purchase_conversion": len(firsts) / len(active),
        }


def _revenue(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    every = [event for event in game.transactions.values() if _is_in(event, place)]
    back = [event for event in game.refunds if _is_in(event, place)]
    days = sorted({*game.days(place), *(event["event_date"] for event in back)})
    total = lambda events, name="amount_minor": sum(event[name] or 0 for event in events)  # noqa: E731
    for day, currency in product(days, game.currencies):
        mine = [e for e in every if e["currency"] == currency and _earns(e)]
        today = [e for e in mine if e["event_date"] == day]
        others = [e for e in every if e["currency"] == currency and e["event_date"] == day and not _earns(e)]
        sandbox = [e for e in others if e["sandbox"]]
        renewed = [e for e in today if e["purchase_kind"] == "subscription"]
        returned = [e for e in back if e["currency"] == currency]
        refunds = [e for e in returned if e["event_date"] == day]
        payers = len({e["player_id"] for e in today})
        of_month = lambda events, day=day: [e for e in events if 0 <= (day - e["event_date"]).days < 30]  # noqa: E731
        gross, refunded = total(today), total(refunds)
        month = total(of_month(mine))
        month_net = month - total(of_month(returned))
        tax, fee = (total(today, name) - total(refunds, name) for name in ("tax_minor", "store_fee_minor"))
        active = len(game.players(place, day, day))
        monthly = len(game.players(place, day - timedelta(29), day))
        over = lambda minor, players: minor / players if players else None  # noqa: E731
        yield {
            "event_date": day,
            "currency": currency,
            "purchases": len(today),
            "currency_payers": payers,
            "gross_minor": gross,
            "unverified_minor": sum(e["amount_minor"] for e in today if not e.get("verified")),
            "refunds": len(refunds),
            "chargebacks": sum(e["refund_kind"] == "chargeback" for e in refunds),
            "refunded_minor": refunded,
            "net_minor": gross - refunded,
            "tax_minor": tax,
            "store_fee_minor": fee,
            "proceeds_minor": gross - refunded - tax - fee,
            "purchases_with_fee": sum(e["store_fee_minor"] is not None for e in today),
            "subscription_purchases": len(renewed),
            "subscription_minor": total(renewed),
            "trials": sum(e["purchase_kind"] == "trial" and not e["sandbox"] for e in others),
            "sandbox_purchases": len(sandbox),
            "sandbox_minor": total(e for e in sandbox if e["purchase_kind"] != "trial"),
            "active_players": active,
            "month_gross_minor": month,
            "month_net_minor": month_net,
            "monthly_active_players": monthly,
            "arpdau_minor": over(gross, active),
            "net_arpdau_minor": over(gross - refunded, active),
            "arppu_minor": over(gross, payers),
            "net_arppu_minor": over(gross - refunded, payers),
            "arpu_minor": over(month, monthly),
            "net_arpu_minor": over(month_net, monthly),
        }


def _numbers(game: _Game, cohort: date) -> Iterator[tuple[int, date]]:
    for number in range(91):
        day = cohort + timedelta(number)
        if day <= game.last_day:
            yield number, day


def _retention(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    for cohort, players in game.cohorts(place).items():
        for number, day in _numbers(game, cohort):
            dates = {player: {event["event_date"] for event in game.of_player[player]} for player in players}
            retained = sum(day in found for found in dates.values())
            rolling = sum(max(found) >= day for found in dates.values())
            yield {
                "cohort_date": cohort,
                "day_number": number,
                "cohort_players": len(players),
                "retained_players": retained,
                "rolling_players": rolling,
                "retention": retained / len(players),
                "rolling_retention": rolling / len(players),
            }


def _lifetime_value(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    for cohort, players in game.cohorts(place).items():
        theirs, back = (
            [event for event in events if event["player_id"] in players]
            for events in (game.purchases, game.refunds)
        )
        for number, day in _numbers(game, cohort):
            for currency in game.currencies:
                gross, refunded = (
                    sum(
                        e["amount_minor"]
                        for e in events
                        if e["currency"] == currency and e["event_date"] <= day
                    )
                    for events in (theirs, back)
                )
                yield {
                    "cohort_date": cohort,
                    "day_number": number,
                    "currency": currency,
                    "cohort_players": len(players),
                    "lifetime_gross_minor": gross,
                    "lifetime_unverified_minor": sum(
                        e["amount_minor"]
                        for e in theirs
                        if e["currency"] == currency and e["event_date"] <= day and not e.get("verified")
                    ),
                    "lifetime_refunded_minor": refunded,
                    "lifetime_net_minor": gross - refunded,
                    "ltv_minor": gross / len(players),
                    "net_ltv_minor": (gross - refunded) / len(players),
                }


def _sources(game: _Game, place: Place) -> Iterator[tuple[date, str, str, set[str]]]:
    """Yield the players of each install day by the first source and campaign that this day tells."""
    for cohort, players in game.cohorts(place).items():
        found: dict[tuple[str, str], set[str]] = {}
        for player in players:
            first = [event for event in game.of_player[player] if event["event_date"] == cohort]
            source, campaign = (
                next((event[name] for event in first if event[name] is not None), "unknown")
                for name in ("install_source", "campaign")
            )
            found.setdefault((source, campaign), set()).add(player)
        for (source, campaign), members in found.items():
            yield cohort, source, campaign, members


def _acquisition(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    for cohort, source, campaign, players in _sources(game, place):
        for number, day in _numbers(game, cohort):
            retained = sum(any(e["event_date"] == day for e in game.of_player[player]) for player in players)
            yield {
                "event_date": day,
                "install_source": source,
                "campaign": campaign,
                "cohort_date": cohort,
                "day_number": number,
                "cohort_players": len(players),
                "retained_players": retained,
                "retention": retained / len(players),
            }


def _acquisition_value(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    for cohort, source, campaign, players in _sources(game, place):
        shown = [event for event in game.shown if event["player_id"] in players]
        for (number, day), currency in product(_numbers(game, cohort), game.currencies):
            gross, refunded = (
                sum(
                    e["amount_minor"]
                    for e in events
                    if e["player_id"] in players and e["currency"] == currency and e["event_date"] <= day
                )
                for events in (game.purchases, game.refunds)
            )
            seen = [e for e in shown if e["currency"] == currency and e["event_date"] <= day]
            ads = sum(event["revenue_micros"] for event in seen)
            total = gross * MICROS.get(currency, 10_000) + ads
            net_total = (gross - refunded) * MICROS.get(currency, 10_000) + ads
            yield {
                "event_date": day,
                "install_source": source,
                "campaign": campaign,
                "cohort_date": cohort,
                "day_number": number,
                "currency": currency,
                "cohort_players": len(players),
                "lifetime_gross_minor": gross,
                "lifetime_unverified_minor": sum(
                    e["amount_minor"]
                    for e in game.purchases
                    if e["player_id"] in players
                    and e["currency"] == currency
                    and e["event_date"] <= day
                    and not e.get("verified")
                ),
                "lifetime_refunded_minor": refunded,
                "lifetime_net_minor": gross - refunded,
                "ltv_minor": gross / len(players),
                "net_ltv_minor": (gross - refunded) / len(players),
                "lifetime_ad_micros": ads,
                "lifetime_total_micros": total,
                "lifetime_net_total_micros": net_total,
                "total_ltv_micros": total / len(players),
                "net_total_ltv_micros": net_total / len(players),
            }


def _total_revenue(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    back = [event for event in game.refunds if _is_in(event, place)]
    days = sorted({*game.days(place), *(event["event_date"] for event in back)})
    for day, currency in product(days, game.currencies):
        gross, refunded, ads = (
            sum(
                event[amount]
                for event in events
                if event["currency"] == currency and event["event_date"] == day and _is_in(event, place)
            )
            for events, amount in (
                (game.purchases, "amount_minor"),
                (game.refunds, "amount_minor"),
                (game.shown, "revenue_micros"),
            )
        )
        micros, active = MICROS.get(currency, 10_000), len(game.players(place, day, day))
        total, net = gross * micros + ads, (gross - refunded) * micros + ads
        yield {
            "event_date": day,
            "currency": currency,
            "purchase_micros": gross * micros,
            "refunded_micros": refunded * micros,
            "ad_revenue_micros": ads,
            "total_micros": total,
            "net_total_micros": net,
            "active_players": active,
            "total_arpdau_micros": total / active if active else None,
            "net_total_arpdau_micros": net / active if active else None,
            "ad_arpdau_micros": ads / active if active else None,
        }


def _groups(
    game: _Game, place: Place, kind: str, key: Callable[[Event], tuple[Any, ...]]
) -> Iterator[tuple[tuple[Any, ...], list[Event]]]:
    """Yield the events of a type in a place by day and key."""
    found: dict[tuple[Any, ...], list[Event]] = {}
    for event in game.events:
        if event["event_type"] == kind and _is_in(event, place):
            found.setdefault((event["event_date"], *key(event)), []).append(event)
    yield from found.items()


def _economy(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    keys: list[Callable[[Event], tuple[Any, ...]]] = [
        lambda e: (e["currency"], e["flow"], e["reason"]),
        lambda e: (e["currency"], e["flow"], "*"),
    ]
    for key in keys:
        for (day, currency, flow, reason), events in _groups(game, place, "economy", key):
            yield {
                "event_date": day,
                "currency": currency,
                "flow": flow,
                "reason": reason,
                "economy_events": len(events),
                "players": len({event["player_id"] for event in events}),
                "amount": sum(event["amount"] for event in events),
                "balance_after_median": percentile([event["balance_after"] for event in events], 0.5),
            }


def _progression(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    levels = lambda e: (e["level_1"], e["level_2"] or "", e["level_3"] or "")  # noqa: E731
    for (day, *names), events in _groups(game, place, "progression", levels):
        counted = Counter(event["status"] for event in events)
        starts, completes, fails = counted["start"], counted["complete"], counted["fail"]
        yield {
            "event_date": day,
            **dict(zip(("level_1", "level_2", "level_3"), names, strict=True)),
            "starts": starts,
            "completes": completes,
            "fails": fails,
            "attempts": completes + fails,
            "completion": min(completes / starts, 1) if starts else None,
            "players": len({event["player_id"] for event in events}),
        }


def _stability(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    for day in game.days(place):
        events = [e for e in game.events if e["event_date"] == day and _is_in(e, place)]
        crashes = [e for e in events if e["event_type"] == "crash" and e["fatal"]]
        nonfatal = [e for e in events if e["event_type"] == "crash" and not e["fatal"]]
        played = [e for e in events if e["event_type"] != "purchase"]
        unique = lambda found, *names: len({tuple(event[name] for name in names) for event in found})  # noqa: E731
        sessions, players = unique(played, "player_id", "session_id"), unique(events, "player_id")
        crashed_sessions = unique(crashes, "player_id", "session_id")
        crashed_players = unique(crashes, "player_id")
        yield {
            "event_date": day,
            "active_sessions": sessions,
            "crashes": len(crashes),
            "nonfatal_crashes": len(nonfatal),
            "crashed_sessions": crashed_sessions,
            "crash_free_sessions": 1 - crashed_sessions / sessions if sessions else None,
            "active_players": players,
            "crashed_players": crashed_players,
            "crash_free_players": 1 - crashed_players / players,
        }


def _design(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    for depth in range(1, 6):
        prefix = lambda e, depth=depth: (":".join(e["name"].split(":")[:depth]),)  # noqa: E731
        for (day, name), events in _groups(game, place, "design", prefix):
            deep = [event for event in events if event["name"].count(":") >= depth - 1]
            values = [event["value"] for event in deep if event["value"] is not None]
            if deep:
                yield {
                    "event_date": day,
                    "name": name,
                    "depth": str(depth),
                    "design_events": len(deep),
                    "players": len({event["player_id"] for event in deep}),
                    "valued_events": len(values),
                    "value_sum": sum(values),
                    "value_mean": sum(values) / len(values) if values else None,
                }


def _ads(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    kind = lambda e: (e["network"], e["placement"], e["format"], e["currency"] or "")  # noqa: E731
    for (day, network, placement, form, currency), events in _groups(game, place, "ad_impression", kind):
        micros = sum(event["revenue_micros"] or 0 for event in events)
        completed = sum(event["completed"] is True for event in events)
        yield {
            "event_date": day,
            "network": network,
            "placement": placement,
            "format": form,
            "currency": currency,
            "impressions": len(events),
            "players": len({event["player_id"] for event in events}),
            "completed_impressions": completed,
            "revenue_micros": micros,
            "completed_share": completed / len(events),
            "ecpm_micros": 1000 * micros / len(events),
        }


def _tutorial(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    """Count each player once a step and outcome: at the first event, wherever that was."""
    first: dict[tuple[str, int, str], Event] = {}
    for event in game.events:
        if event["event_type"] == "tutorial_step":
            first.setdefault((event["player_id"], event["step"], "any"), event)
            first.setdefault((event["player_id"], event["step"], event["status"]), event)
    rows: dict[tuple[date, int], dict[str, list[Any]]] = {}
    for (player, step, outcome), event in first.items():
        if outcome == "start" or not _is_in(event, place):
            continue
        row = rows.setdefault(
            (event["event_date"], step), {"any": [], "complete": [], "skip": [], "waits": []}
        )
        row[outcome].append(player)
        before = first.get((player, step - 1, "any"))
        if outcome == "any" and before and 0 <= event["at_ms"] - before["at_ms"] <= 24 * 60 * 60 * 1000:
            row["waits"].append((event["at_ms"] - before["at_ms"]) / 1000)
    for (day, step), row in rows.items():
        reached, waits = len(row["any"]), row["waits"]
        yield {
            "event_date": day,
            "step": step,
            "reached_players": reached,
            "completed_players": len(row["complete"]),
            "skipped_players": len(row["skip"]),
            "step_completion": min(len(row["complete"]) / reached, 1) if reached else None,
            "timed_players": len(waits),
            "step_seconds": sum(waits),
            "step_seconds_mean": sum(waits) / len(waits) if waits else None,
            **{
                f"within_{limit}_seconds": sum(wait <= limit for wait in waits)
                for limit in (10, 30, 60, 300, 1800)
            },
        }


def _matches(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    found: dict[tuple[date, str], list[Event]] = {}
    for event in game.events:
        if event["event_type"] in ("match_start", "match_end") and _is_in(event, place):
            found.setdefault((event["event_date"], event["mode"]), []).append(event)
    for (day, mode), events in found.items():
        starts = [event for event in events if event["event_type"] == "match_start"]
        ends = [event for event in events if event["event_type"] == "match_end"]
        results = Counter(event["result"] for event in ends)
        matches = len({event["match_id"] for event in starts})
        entries = len({(event["player_id"], event["match_id"]) for event in starts})
        queues = [event["queue_seconds"] for event in starts if event["queue_seconds"] is not None]
        seconds = sum(event["duration_seconds"] for event in ends)
        yield {
            "event_date": day,
            "mode": mode,
            "matches": matches,
            "players": len({event["player_id"] for event in events}),
            "match_entries": entries,
            "players_per_match": entries / matches if matches else None,
            "match_starts": len(starts),
            "match_ends": len(ends),
            "wins": results["win"],
            "losses": results["loss"],
            "draws": results["draw"],
            "abandons": results["abandoned"],
            "win_share": results["win"] / len(ends) if ends else None,
            "abandon_share": results["abandoned"] / len(ends) if ends else None,
            "match_seconds": seconds,
            "match_seconds_mean": seconds / len(ends) if ends else None,
            "queued_starts": len(queues),
            "queue_seconds": sum(queues),
            "queue_seconds_mean": sum(queues) / len(queues) if queues else None,
        }


def _variants(game: _Game) -> Iterator[tuple[tuple[date, str, str], set[str]]]:
    """Yield the players of each day, experiment and variant: the first exposure of a player decides.

    A day has at most 50 experiments, and each of them 10 variants: those with the most players.
    """
    first: dict[tuple[str, str], Event] = {}
    for event in game.events:
        if event["event_type"] == "experiment_exposure":
            first.setdefault((event["player_id"], event["experiment"]), event)
    found: dict[date, dict[str, dict[str, set[str]]]] = {}
    for (player, experiment), event in first.items():
        of_day = found.setdefault(event["event_date"], {}).setdefault(experiment, {})
        of_day.setdefault(event["variant"], set()).add(player)
    for day, experiments in found.items():
        size = lambda name, experiments=experiments: (-sum(map(len, experiments[name].values())), name)  # noqa: E731
        for experiment in sorted(experiments, key=size)[:50]:
            ordered = sorted(experiments[experiment].items(), key=lambda one: (-len(one[1]), one[0]))
            for variant, players in ordered[:10]:
                yield (day, experiment, variant), players


def _after(exposed: date, last_day: date) -> Iterator[tuple[int, date]]:
    for number in range(31):
        if exposed + timedelta(number) <= last_day:
            yield number, exposed + timedelta(number)


def _experiments(game: _Game) -> Iterator[dict[str, Any]]:
    for (exposed, experiment, variant), players in _variants(game):
        for number, day in _after(exposed, game.last_day):
            until = lambda event, day=day, exposed=exposed: exposed <= event["event_date"] <= day  # noqa: E731
            sessions = Counter(e["player_id"] for e, _ in game.sessions if until(e))
            payers = {event["player_id"] for event in game.purchases if until(event)} & players
            back = sum(any(e["event_date"] == day for e in game.of_player[player]) for player in players)
            count = sum(sessions[player] for player in players)
            yield {
                "event_date": day,
                "experiment": experiment,
                "variant": variant,
                "exposure_date": exposed,
                "day_number": number,
                "exposed_players": len(players),
                "returned_players": back,
                "exposed_retention": back / len(players),
                "exposed_payers": len(payers),
                "exposed_conversion": len(payers) / len(players),
                "exposed_sessions": count,
                "exposed_sessions_squared": sum(sessions[player] ** 2 for player in players),
                "exposed_sessions_mean": count / len(players),
            }


def _experiment_revenue(game: _Game) -> Iterator[dict[str, Any]]:
    for (exposed, experiment, variant), players in _variants(game):
        for (number, day), currency in product(_after(exposed, game.last_day), game.currencies):
            gross, back = Counter[str](), Counter[str]()
            for events, sums in ((game.purchases, gross), (game.refunds, back)):
                for event in events:
                    if event["currency"] == currency and exposed <= event["event_date"] <= day:
                        sums[event["player_id"]] += event["amount_minor"]
            unverified = sum(
                event["amount_minor"]
                for event in game.purchases
                if event["player_id"] in players
                and event["currency"] == currency
                and exposed <= event["event_date"] <= day
                and not event.get("verified")
            )
            paid, refunded = (sum(sums[player] for player in players) for sums in (gross, back))
            yield {
                "event_date": day,
                "experiment": experiment,
                "variant": variant,
                "exposure_date": exposed,
                "day_number": number,
                "currency": currency,
                "exposed_players": len(players),
                "exposed_gross_minor": paid,
                "exposed_unverified_minor": unverified,
                "exposed_refunded_minor": refunded,
                "exposed_net_minor": paid - refunded,
                "exposed_net_squared": sum(float((gross[one] - back[one]) ** 2) for one in players),
                "exposed_net_mean_minor": (paid - refunded) / len(players),
            }


def _experiment_design(game: _Game) -> Iterator[dict[str, Any]]:
    """Count the names of each day anew: 20 of an experiment and depth, by how many players had sent them."""
    sent: dict[str, list[Event]] = {}
    for event in game.events:
        if event["event_type"] == "design":
            sent.setdefault(event["player_id"], []).append(event)
    cohorts: dict[tuple[str, date], list[tuple[int, date, str, set[str]]]] = {}
    for (exposed, experiment, variant), players in _variants(game):
        for number, day in _after(exposed, game.last_day):
            cohorts.setdefault((experiment, day), []).append((number, exposed, variant, players))
    for ((experiment, day), found), depth in product(cohorts.items(), range(1, 6)):
        # Of each cohort and name: each player's values, one for each event.
        values: list[dict[str, dict[str, list[float | None]]]] = []
        for _, exposed, _, players in found:
            by_name: dict[str, dict[str, list[float | None]]] = {}
            for player in players:
                for event in sent.get(player, ()):
                    parts = event["name"].split(":")
                    if exposed <= event["event_date"] <= day and len(parts) >= depth:
                        of_name = by_name.setdefault(":".join(parts[:depth]), {})
                        of_name.setdefault(player, []).append(event["value"])
            values.append(by_name)
        senders = Counter[str]()
        for by_name in values:
            senders.update({name: len(of_name) for name, of_name in by_name.items()})
        del senders["other"]
        shown = sorted(senders, key=lambda name: (-senders[name], name))[:20]
        rest = {name for by_name in values for name in by_name} - set(shown)
        for (number, exposed, variant, players), by_name in zip(found, values, strict=True):
            for name, names in [*((name, {name}) for name in shown), *([("other", rest)] if rest else [])]:
                of_player: dict[str, list[float | None]] = {}
                for one in names:
                    for player, told in by_name.get(one, {}).items():
                        of_player.setdefault(player, []).extend(told)
                events = sum(map(len, of_player.values()))
                sums = [sum(value or 0 for value in told) for told in of_player.values()]
                yield {
                    "event_date": day,
                    "experiment": experiment,
                    "variant": variant,
                    "exposure_date": exposed,
                    "day_number": number,
                    "depth": str(depth),
                    "name": name,
                    "exposed_players": len(players),
                    "exposed_senders": len(of_player),
                    "exposed_sender_share": len(of_player) / len(players),
                    "exposed_design_events": events,
                    "exposed_design_squared": sum(len(told) ** 2 for told in of_player.values()),
                    "exposed_design_mean": events / len(players),
                    "exposed_valued_events": sum(
                        value is not None for told in of_player.values() for value in told
                    ),
                    "exposed_value_sum": float(sum(sums)),
                    "exposed_value_squared": float(sum(value**2 for value in sums)),
                    "exposed_value_mean": sum(sums) / len(players),
                }


def _performance(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    for (day,), events in _groups(game, place, "performance", lambda _: ()):
        for measure in MEASURES:
            samples = [event[measure] for event in events if event[measure] is not None]
            if samples:
                shares = {f"p{number}": percentile(samples, number / 100) for number in (1, 5, 50, 95, 99)}
                # Few frames a second are slow, many milliseconds or megabytes are.
                slow = ("p5", "p1") if measure == "fps" else ("p95", "p99")
                yield {
                    "event_date": day, "measure": measure, "samples": len(samples), **shares,
                    "slow_5": shares[slow[0]], "slow_1": shares[slow[1]],
                }  # fmt: skip


def _performance_bins(game: _Game, place: Place) -> Iterator[dict[str, Any]]:
    for (day,), events in _groups(game, place, "performance", lambda _: ()):
        for measure in MEASURES:
            values = [event[measure] for event in events if event[measure] is not None]
            for number, count in Counter(map(_bin, values)).items():
                yield {"event_date": day, "measure": measure, "bin": number, "binned_samples": count}


def _bin(value: float) -> int:
    """Return the first bin that reaches the value; each goes 5 % further than the one before."""
    number, top = 0, 1.0
    while top < value:
        number, top = number + 1, top * 1.05
    return number


_TABLES: dict[str, Callable[[_Game, Place], Iterator[dict[str, Any]]]] = {
    "daily": _daily, "revenue": _revenue, "retention": _retention, "lifetime_value": _lifetime_value,
    "economy": _economy, "progression": _progression, "stability": _stability, "performance": _performance,
    "design": _design, "ads": _ads, "tutorial": _tutorial, "matches": _matches,
    "total_revenue": _total_revenue, "performance_bins": _performance_bins,
    "acquisition": _acquisition, "acquisition_value": _acquisition_value,
}  # fmt: skip
# Tables that do not tell platforms, countries and versions apart.
_WITHOUT_PLACES: dict[str, Callable[[_Game], Iterator[dict[str, Any]]]] = {
    "experiments": _experiments, "experiment_revenue": _experiment_revenue,
    "experiment_design": _experiment_design,
}  # fmt: skip
