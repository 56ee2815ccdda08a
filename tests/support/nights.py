"""Events of months that arrive day by day, with all that makes counting hard."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from batch_analytics import kept

Event = dict[str, Any]
START = date(2026, 1, 1)
DAY_MS = 86_400_000
LATE = (0, 0, 0, 0, 0, 0, 1, 2, 20, 31)
KINDS = (
    "session_start",
    "purchase",
    "economy",
    "progression",
    "performance",
    "crash",
    "design",
    "ad_impression",
    "tutorial_step",
    "match_start",
    "match_end",
    "player_registered",
    "experiment_exposure",
    "refund",
)


class World:
    """Players who do what hurts: sessions over midnight, half-hour pauses, ties, two devices, absences."""

    def __init__(self, seed: int, days: int, players: int = 5) -> None:
        """Play all events; each has the day on which it arrives."""
        self.chance, self.late = random.Random(seed), LATE
        self.events: list[Event] = []
        for game in ("g", "k"):
            for number in range(players):
                self._play(game, f"p-{number}", days)
        self.chance.shuffle(self.events)

    def _play(self, game: str, player: str, days: int) -> None:
        chance = self.chance
        day = chance.randrange(chance.choice((days // 2 + 1, max(days - 10, 1))))
        while day < days:
            if chance.random() < 0.1:
                # Hours without a pause: a session that goes on over midnights.
                moment, session = day * DAY_MS + 20 * 3_600_000, f"s-{player}-{day}"
                step, count = 1_700_000, chance.choice((40, 40, 160))
            else:
                at = chance.choice((0, 43_200_000, 85_500_000)) + chance.randrange(3) * 600_000
                moment, session = day * DAY_MS + at, f"s-{player}-{day // 3}"
                step, count = 0, chance.randrange(1, 5)
            for _ in range(count):
                if moment // DAY_MS < days:
                    # A refund is no event of a session: it would be a pause.
                    kinds = KINDS[:-1] if step else KINDS
                    self.events.append(self._event(game, player, session, moment, kinds))
                moment += step or chance.choice((0, 60_000, 1_799_999, 1_800_000, 1_800_001))
            day += chance.choice((1, 1, 1, 2, 3, 7, 29, 30, 31, 32, 64, 95))

    def _event(
        self, game: str, player: str, session: str, moment: int, kinds: Sequence[str] = KINDS[:-1]
    ) -> Event:
        chance, kind = self.chance, self.chance.choice(kinds)
        happened = START + timedelta(moment // DAY_MS)
        late = chance.choice(self.late)
        event: Event = dict.fromkeys(kept.PAYLOAD) | {
            "event_id": f"{chance.getrandbits(64):016x}", "event_type": kind, "game_id": game,
            "player_id": player, "session_id": session,
            "event_date": happened, "arrival_date": happened + timedelta(late),
            "at_ms": int(datetime.combine(START, datetime.min.time(), UTC).timestamp()) * 1000 + moment,
            "platform": chance.choice(("ios", "ios", "ios", "web")),
            "country": chance.choice(("DE", "DE", "US")), "verified": False,
            "app_version": f"1.{moment // DAY_MS // 40}", **dict.fromkeys(kept.CUSTOM),
        }  # fmt: skip
        if kind == "purchase":
            event |= {"store": "web", "transaction_id": f"t-{chance.randrange(60)}"}
            event |= {"currency": chance.choice(("EUR", "USD")), "amount_minor": chance.randrange(1, 900)}
            event |= {"verified": int(event["event_id"], 16) % 10 < 3}
            event |= {"sandbox": chance.choice((None, None, None, False, True))}
            event |= {"purchase_kind": chance.choice((None, None, "one_off", "subscription", "trial"))}
            event |= {"tax_minor": chance.choice((None, 0, event["amount_minor"] // 5))}
            event |= {"store_fee_minor": chance.choice((None, event["amount_minor"] // 7))}
        if kind == "refund":
            # Of purchases that came, never come, or are still to come; twice, in parts, and too much.
            event |= {"store": "web", "transaction_id": f"t-{chance.randrange(60)}"}
            event |= {
                "refund_id": f"r-{chance.randrange(3)}",
                "refund_kind": chance.choice(("refund", "chargeback")),
            }
            event |= {"amount_minor": chance.choice((None, chance.randrange(1, 300), 2000))}
        if kind == "economy":
            event |= {"flow": chance.choice(("source", "sink")), "reason": chance.choice("rs")}
            event |= {
                "currency": "gold",
                "amount": chance.randrange(1, 90),
                "balance_after": chance.randrange(99),
            }
        if kind == "progression":
            event |= {"status": chance.choice(("start", "complete", "fail")), "level_1": chance.choice("ab")}
            event |= {"level_2": chance.choice((None, "x"))}
        if kind == "design":
            event |= {"name": chance.choice(("a", "a:b", "a:b:c", "a:d", "e:f:g:h:i"))}
            event |= {"value": chance.choice((None, 0.25, -3.5, 7.0))}
        if kind == "ad_impression":
            event |= {
                "network": chance.choice("mn"),
                "placement": "shop",
                "format": chance.choice(("banner", "native")),
            }
            event |= chance.choice(({}, {"currency": "USD", "revenue_micros": chance.randrange(1, 9000)}))
            event |= {"completed": chance.choice((None, True, False))}
        if kind == "session_start":
            event |= {"install_source": chance.choice((None, "organic", "north", "south"))}
        if kind == "player_registered":
            event |= {"campaign": chance.choice((None, "spring", "autumn"))}
        if kind == "experiment_exposure":
            event |= {"experiment": chance.choice(("gate", "shop")), "variant": chance.choice(("a", "b"))}
        if kind == "tutorial_step":
            event |= {"step": chance.randrange(1, 5), "status": chance.choice(("start", "complete", "skip"))}
        if kind in ("match_start", "match_end"):
            event |= {"match_id": f"m-{chance.randrange(30)}", "mode": chance.choice(("duel", "team"))}
        if kind == "match_start":
            event |= {"queue_seconds": chance.choice((None, 0, 45))}
        if kind == "match_end":
            event |= {"result": chance.choice(("win", "loss", "draw", "abandoned"))}
            event |= {"duration_seconds": chance.randrange(900)}
        if kind == "crash":
            event |= {"fatal": int(event["event_id"], 16) % 4 > 0}
        if kind == "performance":
            event |= {"fps": chance.uniform(5, 144), "memory_mb": chance.choice((None, 250.0))}
        return event


def identified(events: Sequence[Event], seed: int, strangers: bool = False) -> list[Event]:
    """Return the events with players who become accounts: one id, or two after each other, or a new device.

    Links come late and twice. With `strangers`, some link players who have nothing to do with each other.
    """
    chance, found = random.Random(seed), list(events)
    told: list[Event] = []

    def link(at: Event, guest: str, account: str, ms: int) -> None:
        for _ in range(chance.choice((1, 1, 2))):
            told.append(
                at | dict.fromkeys(kept.PAYLOAD)
                | {
                    "event_id": f"{chance.getrandbits(64):016x}", "event_type": "identify", "at_ms": ms,
                    "player_id": account, "previous_player_id": guest, "verified": True,
                    "event_date": _day(ms),
                    "arrival_date": _day(ms) + timedelta(chance.choice((0, 0, 0, 1, 2))),
                }
            )  # fmt: skip
            ms += chance.choice((0, 1, 60_000))

    players = sorted({(event["game_id"], event["player_id"]) for event in events})
    for game, player in players:
        own = sorted(
            (n for n, e in enumerate(found) if (e["game_id"], e["player_id"]) == (game, player)),
            key=lambda n: (found[n]["at_ms"], found[n]["event_id"]),
        )
        what = chance.choice(("account", "account", "chain", "device", "none"))
        if len(own) < 4 or what == "none":
            continue
        begins = sorted(chance.sample(range(1, len(own)), 2))
        if what == "device":
            # Some days on another device, then the account there too.
            days = found[own[begins[0]]]["event_date"], found[own[begins[0]]]["event_date"] + timedelta(9)
            some = [n for n in own if days[0] <= found[n]["event_date"] <= days[1]][:-1]
            for n in some:
                if chance.random() < 0.6:
                    found[n] = found[n] | {"player_id": f"n-{player}"}
            last = found[some[-1] if some else own[0]]
            link(last, f"n-{player}", player, last["at_ms"] + chance.choice((0, 1, 60_000)))
            continue
        for n in own[begins[0] :]:
            found[n] = found[n] | {"player_id": f"a-{player}"}
        first = found[own[begins[0]]]
        link(first, player, f"a-{player}", first["at_ms"] + chance.choice((-60_000, 0, 1, 90_000)))
        if what == "chain":
            for n in own[begins[1] :]:
                found[n] = found[n] | {"player_id": f"b-{player}"}
            first = found[own[begins[1]]]
            link(first, f"a-{player}", f"b-{player}", first["at_ms"] + chance.choice((-60_000, 0, 1)))
    for event in chance.sample(found, 6) if strangers else ():
        named = sorted({e["player_id"] for e in found if e["game_id"] == event["game_id"]})
        link(event, chance.choice(named), chance.choice(named), event["at_ms"])
    return found + told


def valued(events: Sequence[Event], seed: int, declared: int = 0) -> list[Event]:
    """Return the events with custom dimensions of the game "g", as the processor writes them.

    The first one has the rule install, the second the rule current, from what arrives on a day on. Values
    change from event to event.
    """
    chance = random.Random(seed)
    values = ("mage", "rogue", "Żuk 🚀", "other", "unknown", "unknown")
    return [
        event
        if event["game_id"] != "g" or event["arrival_date"] < START + timedelta(declared)
        else event | {"install_1": chance.choice(values), "custom_2": chance.choice(values)}
        for event in events
    ]


def _day(ms: int) -> date:
    return datetime.fromtimestamp(ms / 1000, UTC).date()


def exact(value: Any) -> Any:
    """Return a value to be compared; two engines add floats in another order."""
    return float(f"{value:.10g}") if isinstance(value, float) else value


def by_arrival(events: Sequence[Event], days: int) -> list[list[Event]]:
    """Return the events of each day of arrival."""
    found: list[list[Event]] = [[] for _ in range(days)]
    for event in events:
        found[min((event["arrival_date"] - START).days, days - 1)].append(event)
    return found


def make_mistake(monkeypatch: pytest.MonkeyPatch, file: str, right: str, wrong: str) -> None:
    """Replace a part of one SQL file while a test runs. LookupError: the file has no such part."""
    read = kept.sql

    def mistaken(name: str) -> str:
        text = read(name)
        if name != file:
            return text
        if right not in text:
            raise LookupError(f"{file} has no {right!r}")
        return text.replace(right, wrong)

    monkeypatch.setattr(kept, "sql", mistaken)
