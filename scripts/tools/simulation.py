"""A game as its players play it over some days: seeded, with planted faults and the truth about them."""

import json
import math
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from telemetry.ad_spend import NUMBERS, Spend
from telemetry.decoding import MAX_EVENT_BYTES
from telemetry.enrichment import timestamp
from telemetry.key_classes import client_types

PLATFORMS = {"android": 45, "ios": 35, "windows": 12, "switch": 8}
COUNTRIES = {"DE": 3, "US": 5, "JP": 2, "BR": 2, "GB": 2, "IN": 3}
PRODUCTS = {"gems_small": 499, "gems_large": 1999, "season_pass": 999}
LEVELS = ("forest", "harbour", "citadel")
# The simulated store pays back in this currency only, half of what was paid.
REFUNDED_CURRENCY, REFUNDED_SHARE, SANDBOX_SHARE = "EUR", 0.2, 0.1
# A season pass is a subscription, which begins with a trial. A store tells tax and fee of most purchases.
TRIAL_SHARE, TAXED_SHARE = 0.3, 0.8
BOARDS = ("global", "weekly")
# Late events bring a day at most five names of a kind (telemetry.client_names), and all of a game's days are
# sent at once: with more names, the live figures could not be foretold.
NETWORKS, PLACEMENTS = ("admob", "unity"), ("level_end", "shop")
BOSSES = ("dragon", "giant")
REST_SHARE, PAYER_SHARE, MATCH_SHARE = 0.3, 0.06, 0.4
# Of the players at a step of the tutorial, how many complete it and reach the next one.
STEP_SHARES = (0.9, 0.8, 0.95, 0.7)
MODES = {"ranked": 3, "casual": 2}
RESULTS = {"win": 45, "loss": 45, "draw": 5, "abandoned": 5}
SOURCES = {"organic": 5, "north": 3, "south": 2}
# What a player of a source costs about, in millionths of a currency. The costs of a day are known exactly.
PRICES = {"north": ("USD", 600_000), "south": ("EUR", 400_000)}
# Millionths of a unit in a minor unit of the currencies of the game.
MICROS_OF_MINOR = 10_000
# Of the players, how many become an account, during one of these sessions of theirs.
ACCOUNT_SHARE, ACCOUNT_SESSIONS = 0.25, (1, 2, 3)
EXPERIMENT, VARIANTS = "gate_level", ("gate_30", "gate_40")
# The game's dimensions, as it declares them. Later events tell another class than the first: it must change
# nothing. One of the shards is not declared.
CLASSES, SHARDS = ("mage", "rogue", "scout"), ("eu", "us", "staging")
DIMENSIONS: dict[str, dict[str, Any]] = {
    "1": {"name": "class", "rule": "install", "values": list(CLASSES)},
    "2": {"name": "shard", "rule": "current", "values": ["eu", "us"]},
}
FAULTS = {
    "duplicate": 0.02,
    "malformed_json": 0.004,
    "schema_violation": 0.005,
    "unknown_schema": 0.003,
    "unknown_game": 0.003,
    "too_old": 0.004,
    "future": 0.003,
    "too_large": 0.0005,
}
SKEWED_SHARE = 0.02
SKEW = timedelta(hours=3)
# Whether an event this old is late depends on when it is sent: no session is played then.
AMBIGUOUS = timedelta(minutes=45), timedelta(minutes=150)

Event = dict[str, Any]

# About how long a live player waits between two acts, and where events tell how long a session has run.
LIVE_PAUSE_SECONDS = 8
SECONDS_OF = {"session_end": "duration_seconds", "session_heartbeat": "elapsed_seconds"}


def return_share(day_number: int) -> float:
    """Return the share of a cohort that plays on its n-th day: 45 % on the first, 20 % on the seventh."""
    return 0.45 * math.pow(day_number, -0.42)


@dataclass(slots=True)
class Letter:
    """One thing to send: an event, or bytes that are none. `reason` is why it will be rejected."""

    player_id: str
    event: Event
    reason: str | None = None
    skew: timedelta = timedelta()

    def encode(self, now: datetime) -> bytes:
        """Return the bytes as sent at `now`; the client's clock may be wrong by `skew`."""
        data = json.dumps(
            {**self.event, "sent_at": timestamp(now + self.skew)}, separators=(",", ":")
        ).encode()
        return data[: len(data) * 2 // 3] if self.reason == "malformed_json" else data

    def posted(self) -> Event | bytes:
        """Return what a client sends by REST: an event, which the client stamps, or bytes that are none."""
        return self.encode(datetime.now(UTC)) if self.reason == "malformed_json" else self.event


@dataclass(slots=True)
class Session:
    """What one player sends of one session, by REST or to the stream, all by one device's clock."""

    rest: bool
    letters: list[Letter]


@dataclass(slots=True)
class Truth:
    """What the platform must come to say of the game; days are ISO dates, money is in minor units."""

    accepted: int = 0
    late: int = 0
    skewed: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    without_game: Counter[str] = field(default_factory=Counter)
    players_by_day: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    events_by_type: Counter[str] = field(default_factory=Counter)
    revenue: Counter[str] = field(default_factory=Counter)
    refunded: Counter[str] = field(default_factory=Counter)
    trials: int = 0
    # Payloads of the sales by transaction, and of the refunds.
    sales: dict[str, Event] = field(default_factory=dict)
    refunds: list[Event] = field(default_factory=list)
    economy: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    # Impressions, those watched to the end and millionths of a currency, by network.
    ads: Counter[str] = field(default_factory=Counter)
    # Events and hundredths of their values, by each part of a name; and who sent them, by day too.
    designs: Counter[str] = field(default_factory=Counter)
    design_players: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    steps: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    sources: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    match_ends: Counter[str] = field(default_factory=Counter)
    # The day of a player's first exposure, and its variant.
    exposures: dict[str, tuple[str, str]] = field(default_factory=dict)
    # The moment at which a player first told a class, and the class; the players of a day and shard.
    classes: dict[str, tuple[str, str]] = field(default_factory=dict)
    shards: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    # Levels completed by player and shard.
    completed: Counter[tuple[str, str]] = field(default_factory=Counter)
    best: dict[str, dict[str, tuple[int, str]]] = field(default_factory=lambda: defaultdict(dict))
    # The guest that each account was.
    guests: dict[str, str] = field(default_factory=dict)
    # What advertising cost; and the player, day, currency and millionths of what was paid or paid back.
    costs: list[Spend] = field(default_factory=list)
    earned: list[tuple[str, str, str, int]] = field(default_factory=list)

    def merged(self) -> "Truth":
        """Return the same truth with each guest and its account as one player, as the history counts them."""

        def whole(players: set[str]) -> set[str]:
            return {self.guests.get(player, player) for player in players}

        def earliest(firsts: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
            found: dict[str, tuple[str, str]] = {}
            for player, first in firsts.items():
                guest = self.guests.get(player, player)
                found[guest] = min(first, found.get(guest, first))
            return found

        completed = Counter[tuple[str, str]]()
        for (player, shard), count in self.completed.items():
            completed[self.guests.get(player, player), shard] += count
        return replace(
            self,
            players_by_day={day: whole(players) for day, players in self.players_by_day.items()},
            design_players={name: whole(players) for name, players in self.design_players.items()},
            steps={step: whole(players) for step, players in self.steps.items()},
            sources={source: whole(players) for source, players in self.sources.items()},
            exposures=earliest(self.exposures),
            classes=earliest(self.classes),
            shards={name: whole(players) for name, players in self.shards.items()},
            completed=completed,
            earned=[(self.guests.get(one[0], one[0]), *one[1:]) for one in self.earned],
        )

    @property
    def sent(self) -> int:
        """Everything that was sent, good or bad."""
        return self.accepted + self.rejected.total() + self.without_game.total()

    def came_back(self, today: date) -> dict[str, int]:
        """Return the players of each install day who were active on the day after; days before today only."""
        days = sorted(self.players_by_day)
        seen: set[str] = set()
        found = {}
        for day in days:
            installed, seen = self.players_by_day[day] - seen, seen | self.players_by_day[day]
            after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
            if after < today.isoformat() and installed:
                found[day] = len(installed & self.players_by_day.get(after, set()))
        return found

    @property
    def proceeds(self) -> dict[str, int]:
        """What is left of revenue after refunds, tax and store fee: a refund returns its part of both."""
        found = Counter[str]()
        for sale in self.sales.values():
            kept = sale.get("tax_minor", 0) + sale.get("store_fee_minor", 0)
            found[sale["currency"]] += sale["amount_minor"] - kept
        for refund in self.refunds:
            sale, back = self.sales[refund["transaction_id"]], refund["amount_minor"]
            shares = (
                math.floor(sale.get(name, 0) * back / sale["amount_minor"] + 0.5)
                for name in ("tax_minor", "store_fee_minor")
            )
            found[sale["currency"]] -= back - sum(shares)
        return dict(sorted(found.items()))

    def returned(self, today: date) -> dict[str, float]:
        """Return the players of each paid source, and what they brought by day N over what they cost.

        Only install days whose day N is before today count in its return.
        """
        installed: dict[str, str] = {}
        for day in sorted(self.players_by_day):
            for player in self.players_by_day[day]:
                installed.setdefault(player, day)
        found: dict[str, float] = {}
        for source, currency in sorted({(one.install_source, one.currency) for one in self.costs}):
            name = f"{source} {currency}"
            costs = {str(one.day): one.micros for one in self.costs if one.install_source == source}
            players = {one for one in self.sources[source] if installed[one] in costs}
            found[f"{name} players"] = len(players)
            for number in NUMBERS:
                by = {day: str(date.fromisoformat(day) + timedelta(number)) for day in costs}
                over = {day for day in costs if by[day] < str(today)}
                brought = sum(
                    micros
                    for player, day, paid_in, micros in self.earned
                    if player in players
                    and paid_in == currency
                    and installed[player] in over
                    and day <= by[installed[player]]
                )
                if over:
                    found[f"{name} D{number}"] = brought / sum(costs[day] for day in over)
        return found

    def senders(self, today: date) -> dict[str, int]:
        """Return how many players sent design events on the day of their exposure, before today."""
        found = Counter[str]()
        for player, (happened, variant) in self.exposures.items():
            for day, name in self.design_players:
                if day == happened[:10] < str(today) and ":" not in name:
                    found[f"{variant} {name}"] += player in self.design_players[day, name]
        return dict(sorted((+found).items()))

    def exposed(self, today: date) -> dict[str, int]:
        """Return the players of each variant and those back the day after, where that day is before today."""
        found = Counter[str]()
        for player, (happened, variant) in self.exposures.items():
            after = date.fromisoformat(happened[:10]) + timedelta(days=1)
            if after < today:
                back = player in self.players_by_day.get(str(after), set())
                found.update({f"{variant} exposed": 1, f"{variant} back": int(back)})
        return dict(sorted(found.items()))

    def top(self, board: str, count: int) -> list[tuple[str, int]]:
        """Return the best players of a board and their scores: earlier wins a tie."""
        ranked = sorted(self.best[board].items(), key=lambda entry: (-entry[1][0], entry[1][1]))
        return [(player, score) for player, (score, _) in ranked[:count]]

    def note(self, session: Session, letter: Letter, now: datetime) -> None:
        """Add one letter; one whose game cannot be told counts under no game."""
        if letter.reason:
            of_no_game = not session.rest and letter.reason in ("malformed_json", "too_large", "unknown_game")
            counter = self.without_game if of_no_game else self.rejected
            wrong = session.rest and letter.reason == "unknown_game"
            counter["wrong_game" if wrong else letter.reason] += 1
            return
        event, payload = letter.event, letter.event["payload"]
        happened = timestamp(datetime.fromisoformat(event["event_time"]) - letter.skew)
        self.accepted += 1
        self.late += now - datetime.fromisoformat(happened) > timedelta(hours=1)
        self.skewed += bool(letter.skew)
        if event["event_type"] != "refund":
            self.players_by_day[happened[:10]].add(event["player_id"])
            told = event["dimensions"]
            first = happened, told["class"]
            self.classes[event["player_id"]] = min(first, self.classes.get(event["player_id"], first))
            shard = told["shard"] if told["shard"] in DIMENSIONS["2"]["values"] else "other"
            self.shards[happened[:10], shard].add(event["player_id"])
        self.events_by_type[event["event_type"]] += 1
        if event["event_type"] == "purchase" and not payload.get("sandbox"):
            if payload.get("purchase_kind") == "trial":
                self.trials += 1
            else:
                self.revenue[payload["currency"]] += payload["amount_minor"]
                self.sales[payload["transaction_id"]] = payload
                micros = MICROS_OF_MINOR * payload["amount_minor"]
                self.earned.append((event["player_id"], happened[:10], payload["currency"], micros))
        if event["event_type"] == "refund":
            back = -MICROS_OF_MINOR * payload["amount_minor"]
            self.earned.append((event["player_id"], happened[:10], REFUNDED_CURRENCY, back))
            self.refunded[REFUNDED_CURRENCY] += payload["amount_minor"]
            self.refunds.append(payload)
        if event["event_type"] == "economy":
            self.economy[f"{payload['currency']} {payload['flow']}"] += payload["amount"]
        if event["event_type"] == "progression":
            self.levels[f"{payload['level_1']} {payload['status']}"] += 1
            self.completed[event["player_id"], shard] += payload["status"] == "complete"
        if event["event_type"] == "ad_impression":
            network = payload["network"]
            self.ads[f"{network} impressions"] += 1
            self.ads[f"{network} completed"] += payload["completed"]
            if "currency" in payload:
                self.ads[f"{network} {payload['currency']}"] += payload["revenue_micros"]
                money = payload["currency"], payload["revenue_micros"]
                self.earned.append((event["player_id"], happened[:10], *money))
        if event["event_type"] == "design":
            parts = payload["name"].split(":")
            for name in (":".join(parts[: depth + 1]) for depth in range(len(parts))):
                self.designs[f"{name} events"] += 1
                self.designs[f"{name} hundredths"] += round(100 * payload.get("value", 0))
                self.design_players[happened[:10], name].add(event["player_id"])
        if event["event_type"] == "tutorial_step":
            self.steps[payload["step"]].add(event["player_id"])
        if event["event_type"] == "experiment_exposure":
            first = happened, payload["variant"]
            self.exposures[event["player_id"]] = min(first, self.exposures.get(event["player_id"], first))
        if event["event_type"] == "identify":
            self.guests[event["player_id"]] = payload["previous_player_id"]
        if "install_source" in payload:
            self.sources[payload["install_source"]].add(event["player_id"])
        if event["event_type"] == "match_end":
            self.match_ends[payload["mode"]] += 1
        if event["event_type"] == "score_submitted":
            board = self.best[payload["leaderboard"]]
            entry = payload["score"], happened
            known = board.get(event["player_id"], entry)
            board[event["player_id"]] = max(known, entry, key=lambda e: (e[0], -_milliseconds(e[1])))


def _by_sender(session: Session) -> Iterator[Session]:
    """Yield what the game's server sends to the stream and what the client sends, in this order.

    The key in a game's build may not send every type of event.
    """
    if not session.rest:
        yield session
        return
    by_server = [letter for letter in session.letters if letter.event["event_type"] not in client_types()]
    if by_server:
        yield Session(False, by_server)
    yield Session(True, [letter for letter in session.letters if letter not in by_server])


class Game:
    """The simulated game; the same seed, game and time give the same events."""

    def __init__(self, game_id: str, players: int, days: int, seed: int, now: datetime) -> None:
        """`now` is the end of the simulated time."""
        self.random = random.Random(f"{seed}/{game_id}")  # noqa: S311 - a reproducible game, no secret
        self.accounts = random.Random(f"{seed}/{game_id}/accounts")  # noqa: S311
        self.game_id, self.players, self.days, self.now = game_id, players, days, now

    def play(self) -> tuple[list[Session], Truth]:
        """Return the sessions in the order they are sent, and the truth about them."""
        sessions = sorted(
            (session for n in range(self.players) for session in self._life(n)),
            key=lambda session: session.letters[0].event["event_time"],
        )
        truth = Truth(costs=list(self._costs()))
        for session in sessions:
            self._plant_faults(session)
            for letter in session.letters:
                truth.note(session, letter, self.now)
        return sessions, truth

    def _costs(self) -> Iterator[Spend]:
        """Yield what each day's installs of paid sources cost, the same each day."""
        for source, (currency, price) in PRICES.items():
            installs = self.players * SOURCES[source] / sum(SOURCES.values()) / self.days
            for ago in range(self.days, 0, -1):
                day = (self.now - timedelta(days=ago)).date()
                yield Spend(day, source, f"{source}-spring", currency, round(installs * price))

    def _life(self, number: int) -> Iterator[Session]:
        player: dict[str, Any] = {"id": f"p-{number:05}", "payer": self.random.random() < PAYER_SHARE}
        player["number"] = number
        player["source"], player["variant"] = self._pick(SOURCES), self.random.randrange(len(VARIANTS))
        client = {
            "platform": self._pick(PLATFORMS),
            "app_version": self.random.choice(("1.4.2", "1.5.0")),
            "country": self._pick(COUNTRIES),
        }
        rest, first_day = self.random.random() < REST_SHARE, self.random.randrange(self.days)
        left = self.accounts.choice(ACCOUNT_SESSIONS) if self.accounts.random() < ACCOUNT_SHARE else -1
        for day in range(first_day, self.days):
            if day > first_day and self.random.random() > return_share(day - first_day):
                continue
            starts = sorted(self._start(self.days - day) for _ in range(self.random.choice((1, 1, 2))))
            for start in starts:
                is_new = day == first_day and start == starts[0]
                session = self._session(player, client, rest, start, is_new)
                if left == 0:
                    guest, session = self._joined(player, session)
                    yield from _by_sender(guest)
                left -= 1
                yield from _by_sender(session)

    def play_on(self, number: int) -> Iterator[Event]:
        """Yield the events of a player who never stops; the sender sets their times."""
        player = {"id": f"p-{number:05}", "number": number, "payer": number % 5 == 0}
        client = {"platform": self._pick(PLATFORMS), "app_version": self.random.choice(("1.4.2", "1.5.0"))}
        while True:
            session_id = self._uuid()
            acts = self._with_heartbeats(self._acts(player, is_new=False))
            for sequence, (event_type, payload) in enumerate(acts):
                if event_type in SECONDS_OF:
                    payload[SECONDS_OF[event_type]] = LIVE_PAUSE_SECONDS * sequence
                yield {
                    "event_id": self._uuid(),
                    "event_type": event_type,
                    "schema_version": "1-0-0",
                    "game_id": self.game_id,
                    "player_id": player["id"],
                    "session_id": session_id,
                    "sequence": sequence,
                    "client": client,
                    "dimensions": self._dimensions(player, self.now.day, False),
                    "payload": payload,
                }

    @staticmethod
    def _dimensions(player: dict[str, Any], day: int, is_new: bool) -> dict[str, str]:
        return {
            "class": CLASSES[(player["number"] + (not is_new)) % len(CLASSES)],
            "shard": SHARDS[(player["number"] + day) % len(SHARDS)],
        }

    @staticmethod
    def _with_heartbeats(acts: Iterator[tuple[str, Event]]) -> Iterator[tuple[str, Event]]:
        for number, act in enumerate(acts):
            yield act
            if number % 3 == 0 and act[0] != "session_end":
                yield "session_heartbeat", {}

    def _start(self, days_ago: int) -> datetime:
        # A session takes less than 50 minutes.
        age = timedelta(seconds=self.random.uniform((days_ago - 1) * 86400 + 3000, days_ago * 86400))
        least, most = AMBIGUOUS
        return self.now - (age + most if least < age < most else age)

    def _session(
        self, player: dict[str, Any], client: dict[str, str], rest: bool, start: datetime, is_new: bool
    ) -> Session:
        session_id, moment, letters = self._uuid(), start, []
        dimensions = self._dimensions(player, start.day, is_new)
        near_midnight = start.hour in (23, 0)
        skew = SKEW if self.random.random() < SKEWED_SHARE and not near_midnight else timedelta()
        for sequence, (event_type, payload) in enumerate(self._acts(player, is_new)):
            event = {
                "event_id": self._uuid(),
                "event_type": event_type,
                "schema_version": "1-0-0",
                "game_id": self.game_id,
                "player_id": player["id"],
                "session_id": session_id,
                "sequence": sequence,
                "event_time": timestamp(moment + skew),
                "client": client,
                "dimensions": dimensions,
                "payload": payload,
            }
            letters.append(Letter(player["id"], event, skew=skew))
            moment += timedelta(seconds=self.random.uniform(20, 90))
        ended = datetime.fromisoformat(letters[-1].event["event_time"]) - skew
        letters[-1].event["payload"]["duration_seconds"] = int((ended - start).total_seconds())
        return Session(rest, letters)

    def _joined(self, player: dict[str, Any], session: Session) -> tuple[Session, Session]:
        """Return what the guest sends of a session, and what the account does that it becomes by then."""
        guest, player["id"] = player["id"], f"account-{player['id']}"
        first, *rest = session.letters
        linked = first.event | {
            "event_id": str(uuid.UUID(int=self.accounts.getrandbits(128), version=4)),
            "event_type": "identify",
            "event_time": rest[0].event["event_time"],
            "sequence": len(session.letters),
            "payload": {"previous_player_id": guest},
        }
        letters = [Letter(guest, linked, skew=first.skew), *rest]
        for letter in letters:
            letter.player_id = player["id"]
            letter.event["player_id"] = player["id"]
        return Session(session.rest, [first]), Session(session.rest, letters)

    def _acts(self, player: dict[str, Any], is_new: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        rnd, gold = self.random, self.random.randrange(500)
        attributed = {"install_source": player["source"]} if "source" in player else {}
        # The first event names the source: the history takes it from the day of a player's first event.
        yield "session_start", {"launch_reason": rnd.choice(("organic", "push")), **attributed}
        if is_new:
            yield "player_registered", {"method": "guest", "campaign": f"{player['source']}-spring"}
            yield from self._tutorial()
        if "variant" in player:
            # One of ten clients gets the variant wrong after the first time, which must change nothing.
            wrong = not is_new and rnd.random() < 0.1
            variant = VARIANTS[(player["variant"] + wrong) % len(VARIANTS)]
            yield "experiment_exposure", {"experiment": EXPERIMENT, "variant": variant}
        for attempt in range(1, rnd.randint(2, 4)):
            level = rnd.choice(LEVELS)
            yield "progression", {"status": "start", "level_1": level, "attempt": attempt}
            won = rnd.random() < 0.6
            yield (
                "progression",
                {"status": "complete" if won else "fail", "level_1": level, "attempt": attempt},
            )
            gold += 50
            source = {"flow": "source", "currency": "gold", "amount": 50, "item": "chest", "reason": "quest"}
            yield "economy", {**source, "balance_after": gold}
            yield "score_submitted", {"leaderboard": rnd.choice(BOARDS), "score": int(rnd.gauss(5000, 1500))}
        if gold > 300:
            gold -= 200
            sink = {"flow": "sink", "currency": "gold", "amount": 200, "item": "sword", "reason": "shop"}
            yield "economy", {**sink, "balance_after": gold}
        if player["payer"] and rnd.random() < 0.5:
            product = rnd.choice(list(PRODUCTS))
            paid = {"currency": rnd.choice(("EUR", "USD")), "amount_minor": PRODUCTS[product], "quantity": 1}
            bought = {"transaction_id": self._uuid(), "store": "google"}
            test = {"sandbox": True} if rnd.random() < SANDBOX_SHARE else {}
            kind: Event = {}
            if product == "season_pass":
                kind = {"purchase_kind": "trial" if rnd.random() < TRIAL_SHARE else "subscription"}
            elif rnd.random() < TAXED_SHARE:
                kind = {
                    "tax_minor": PRODUCTS[product] * 19 // 119,
                    "store_fee_minor": PRODUCTS[product] * 15 // 100,
                }
            yield "purchase", {**bought, "product_id": product, **paid, **test, **kind}
            is_sale = not test and kind.get("purchase_kind") != "trial"
            if is_sale and paid["currency"] == REFUNDED_CURRENCY and rnd.random() < REFUNDED_SHARE:
                back = {"refund_id": "r-1", "refund_kind": "refund", "amount_minor": PRODUCTS[product] // 2}
                yield "refund", {**bought, **back}
        for _ in range(rnd.randrange(3)):
            shown = {
                "network": rnd.choice(NETWORKS),
                "placement": rnd.choice(PLACEMENTS),
                "format": "rewarded",
            }
            earned = {"revenue_micros": rnd.randrange(2_000, 20_000), "currency": "USD"}
            yield "ad_impression", {
                **shown, **(earned if rnd.random() < 0.9 else {}), "completed": rnd.random() < 0.8,
            }  # fmt: skip
        end = "killed" if rnd.random() < 0.4 else "fled"
        # Quarters are exact as binary fractions, so that sums in any order are the same.
        yield "design", {"name": f"boss:{rnd.choice(BOSSES)}:{end}", "value": rnd.randrange(4, 400) / 4}
        if rnd.random() < 0.3:
            yield "design", {"name": "shop:opened"}
        if rnd.random() < MATCH_SHARE:
            yield from self._match()
        yield "performance", {"fps": round(rnd.gauss(57, 4), 1), "latency_ms": round(rnd.uniform(20, 120))}
        yield "session_end", {"end_reason": "exit"}

    def _tutorial(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for step, share in enumerate(STEP_SHARES, start=1):
            yield "tutorial_step", {"step": step, "status": "start"}
            if self.random.random() > share:
                return
            yield "tutorial_step", {"step": step, "status": "complete"}

    def _match(self) -> Iterator[tuple[str, dict[str, Any]]]:
        match = {"match_id": self._uuid(), "mode": self._pick(MODES)}
        yield "match_start", {**match, "players": 2, "queue_seconds": self.random.randrange(60)}
        yield (
            "match_end",
            {**match, "result": self._pick(RESULTS), "duration_seconds": self.random.randrange(60, 900)},
        )

    def _plant_faults(self, session: Session) -> None:
        for letter in list(session.letters):
            for reason, share in FAULTS.items():
                if self.random.random() < share:
                    session.letters.append(self._fault(letter, reason))

    def _fault(self, letter: Letter, reason: str) -> Letter:
        event = dict(letter.event)
        if reason != "duplicate":
            event["event_id"] = self._uuid()
        match reason:
            case "schema_violation":
                event["payload"] = {"score": "many", "leaderboard": "global"}
            case "unknown_schema":
                event["event_type"] = "telepathy"
            case "unknown_game":
                event["game_id"] = "ghost-game"
            case "too_old":
                event["event_time"] = timestamp(self.now - timedelta(days=40))
            case "future":
                event["event_time"] = timestamp(self.now + timedelta(days=1))
            case "too_large":
                event["payload"] = {"extra": {"diary": "x" * MAX_EVENT_BYTES}}
        return Letter(letter.player_id, event, reason, letter.skew)

    def _pick(self, weights: dict[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))


def simulate(game_id: str, players: int, days: int, seed: int) -> tuple[list[Session], Truth]:
    """Play a game up to this moment."""
    return Game(game_id, players, days, seed, datetime.now(UTC)).play()


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
