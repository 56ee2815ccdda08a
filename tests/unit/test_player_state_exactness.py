"""Counters and players are those of the definitions, whatever is sent again, reordered or interrupted."""

import copy
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import plain_state
import pytest
from fake_aws import Tables
from player_state import corrections, counters, players, projection, watermarks
from player_state.players import PlayerStore, Record
from player_tables import day_counters, totals
from telemetry import client_names as names
from telemetry.client_names import NameLimits
from telemetry.enrichment import timestamp
from telemetry.player_item import described
from telemetry.raw_position import RawPosition, parse

Event = dict[str, Any]
START = datetime(2026, 3, 10, 23, 20, tzinfo=UTC)
KINDS = (
    "session_start", "session_heartbeat", "session_heartbeat", "session_end", "purchase", "economy",
    "progression", "performance", "crash", "purchase", "refund", "refund", "ad_impression", "design",
)  # fmt: skip
LARGEST_SEQUENCE = 49_600_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000
SEEDS = range(60)


class Crash(BaseException):
    """Lambda ends the function between two writes, or after a write whose answer nobody hears."""


@dataclass(slots=True)
class Brittle:
    """Tables at which the function dies now and then, and others write in between.

    `intrude` is another reader of the shard. `correct` takes a store transaction back.
    """

    tables: Tables
    dice: random.Random
    crashes: float = 0.0
    intrude: Callable[[], None] | None = None
    correct: Callable[[], None] | None = None
    died: int = 0

    @property
    def exceptions(self) -> Any:
        return self.tables.exceptions

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.tables, name)
        return call if name == "batch_get_item" else lambda **request: self._write(call, request)

    def _write(self, call: Callable[..., Any], request: Event) -> Any:
        self._die()
        if self.intrude and self.dice.random() < 0.1:
            intrude, self.intrude = self.intrude, None
            intrude()
        if self.correct and self.dice.random() < 0.1:
            self.correct()
        answer = call(**request)
        self._die()
        return answer

    def _die(self) -> None:
        if self.dice.random() < self.crashes:
            self.died += 1
            raise Crash


def nasty_events(dice: random.Random, count: int) -> list[Event]:
    """Return events of a few players about midnight: bursts, pauses, equal times, shared transactions."""
    events = []
    moments = [START]
    for _ in range(count):
        pause = dice.choice((0, 0, 1, 400, 600, 59_999, 1_799_999, 1_800_000, 1_800_001, 4_000_000))
        moments.append(moments[-1] + timedelta(milliseconds=pause * dice.choice((1, 1, 1, -1))))
    newest = max(moments)
    for number, at in enumerate(moments[1:]):
        kind = dice.choice(KINDS)
        payload: Event = {
            "session_end": {"duration_seconds": dice.choice((0, 60, 600_000))},
            "purchase": {
                "transaction_id": f"t-{dice.randrange(3)}",
                "store": dice.choice(("apple", "apple", "google")),
                "currency": dice.choice(("EUR", "JPY")),
                "amount_minor": dice.randint(1, 99),
                **dice.choice(({}, {}, {"sandbox": True}, {"purchase_kind": "trial"})),
            },
            "refund": {
                "transaction_id": f"t-{dice.randrange(3)}",
                "store": dice.choice(("apple", "apple", "google")),
                "refund_id": f"r-{dice.randrange(3)}",
                "refund_kind": "refund",
                **dice.choice(({}, {"amount_minor": dice.randint(1, 99)})),
            },
            "economy": {
                "currency": dice.choice("ab"),
                "flow": dice.choice(("source", "sink")),
                "amount": dice.randint(1, 9),
                "reason": dice.choice("xyz"),
                "balance_after": dice.randint(0, 9),
            },
            "progression": {
                "status": dice.choice(("start", "complete", "fail")),
                "level_1": dice.choice("lmn"),
            },
            "performance": {"fps": dice.uniform(0, 200), "latency_ms": dice.uniform(0, 900)},
            "ad_impression": {
                "network": dice.choice(("admob", "unity")),
                "placement": "level_end",
                "format": dice.choice(("banner", "rewarded")),
                **dice.choice(({}, {"completed": False}, {"completed": True})),
                **dice.choice(
                    ({}, {"currency": "USD"}, {"currency": "EUR", "revenue_micros": dice.randint(1, 10**12)})
                ),
            },
            "design": {
                "name": dice.choice(("shop", "boss:dragon", "boss:dragon:killed")),
                **dice.choice(
                    ({}, {"value": dice.randint(-9, 9)}, {"value": dice.randint(-(10**9), 10**9) / 10**6})
                ),
            },
            "crash": {"fatal": dice.random() < 0.5},
        }.get(kind, {})
        events.append(
            {
                "event_id": str(UUID(int=dice.getrandbits(128))),
                "event_type": kind,
                "game_id": dice.choice(("skyforge", "farm")),
                "player_id": f"p-{dice.randrange(3)}",
                "session_id": str(UUID(int=dice.randrange(3))),
                "corrected_time": timestamp(at),
                "event_date": timestamp(at)[:10],
                "received_at": timestamp(newest + timedelta(milliseconds=number)),
                "country": "DE",
                "platform": dice.choice(("ios", "android")),
                "app_version": dice.choice(("1.0.0", "1.1.0")),
                "late": newest - at > timedelta(hours=1),
                "payload": payload,
            }
        )
    dice.shuffle(events)
    return events


@dataclass(slots=True)
class Processor:
    """The processor's shards of the raw stream, whose batches fail in every way that it knows."""

    dice: random.Random
    raw: dict[int, list[tuple[int, list[Event]]]] = field(default_factory=lambda: defaultdict(list))
    sent: list[Event] = field(default_factory=list)

    def take(self, events: list[Event]) -> None:
        """Put events on the raw shards, some together in a record; one player is on several shards."""
        sequence = LARGEST_SEQUENCE
        left = list(events)
        while left:
            player = left[0]["game_id"], left[0]["player_id"]
            size = self.dice.randint(1, 4)
            own = [event for event in left if (event["game_id"], event["player_id"]) == player][:size]
            left = [event for event in left if event not in own]
            sequence += self.dice.randint(1, 2**66)
            shards = 3 if player[1] == "p-0" else 1
            self.raw[self.dice.randrange(shards)].append((sequence, own))

    def run(self) -> list[Event]:
        """Return what the enriched stream gets, in its order."""
        waiting = {shard: list(records) for shard, records in self.raw.items()}
        while any(waiting.values()):
            shard = self.dice.choice([shard for shard, records in waiting.items() if records])
            size = self.dice.randint(1, 6)
            waiting[shard] = self._batch(shard, waiting[shard][:size]) + waiting[shard][size:]
            if self.sent and self.dice.random() < 0.2:  # a call that timed out is carried out after all
                self.sent.append(self.dice.choice(self.sent))
        return self.sent

    def _batch(self, shard: int, records: list[tuple[int, list[Event]]]) -> list[tuple[int, list[Event]]]:
        """Send a batch; return the records that Lambda hands in again."""
        start = records[0][0]
        placed = [
            event | {"raw_position": RawPosition(shard, start, sequence, place).text}
            for sequence, events in records
            for place, event in enumerate(events)
        ]
        if self.dice.random() < 0.4:  # some are refused at first
            later = [event for event in placed if self.dice.random() < 0.3]
            placed = [event for event in placed if event not in later] + later
        fate = self.dice.random()
        if fate < 0.2:  # time runs out: all again, or half of it
            self.sent += placed[: self.dice.randint(0, len(placed))]
            return records
        if fate < 0.5:  # some never get through: again from the first of these
            lost = {parse(event["raw_position"]).sequence for event in placed if self.dice.random() < 0.2}
            self.sent += [event for event in placed if parse(event["raw_position"]).sequence not in lost]
            return [record for record in records if lost and record[0] >= min(lost)]
        self.sent += placed
        return []


def shards(sent: list[Event], dice: random.Random) -> Iterator[tuple[str, list[Record]]]:
    """Yield the shards of the enriched stream: the first one is split, and read before the others."""
    split = dice.randint(0, len(sent))
    parts: dict[str, list[Record]] = {"shardId-000000000000": []}
    for number, event in enumerate(sent, LARGEST_SEQUENCE):
        child = 1 + (len(event["player_id"] + event["game_id"]) + int(event["player_id"][-1])) % 2
        shard = f"shardId-{0 if number - LARGEST_SEQUENCE < split else child:012}"
        parts.setdefault(shard, []).append(Record(number, event))
    yield from parts.items()


def read(tables: Brittle, sent: list[Event], dice: random.Random, limits: NameLimits) -> None:
    """Apply a stream as Lambda does: again from the start of a batch that failed, in other batches."""
    for shard, records in shards(sent, dice):
        at = 0
        while at < len(records):
            store = PlayerStore(tables, "players", "game_days", limits)
            if dice.random() < 0.3:
                other = records[at : at + dice.randint(1, 40)]
                tables.intrude = lambda other=other, shard=shard: interfere(tables, other, shard, limits)  # type: ignore[misc]
            size = dice.choice((1, 5, 40))
            try:
                lost = store.apply(records[at : at + size], shard).lost
                assert not lost
                at += size
            except Crash:
                pass
            tables.intrude = None


def interfere(tables: Brittle, records: list[Record], shard: str, limits: NameLimits) -> None:
    """Read the same shard at the same time, as after a lease that has moved."""
    quiet = Brittle(tables.tables, tables.dice)
    PlayerStore(quiet, "players", "game_days", limits).apply(records, shard)


def states(tables: Tables) -> dict[str, Event]:
    """Return the players, without how often they were written."""
    found = {}
    for item in tables.items["players"].values():
        player = described(item)
        del player["version"]
        player["plays"].sort(key=str)
        player["payments"].sort(key=str)
        player["spend"] = {currency: amount for currency, amount in player["spend"].items() if amount}
        found[item["player"]["S"]] = player
    return found


@dataclass(slots=True)
class Store:
    """Takes transactions back, of players who may be unknown yet. Names them as plain_state does."""

    tables: Tables
    dice: random.Random
    voided: set[plain_state.Paid] = field(default_factory=set)

    def take_back_one(self) -> None:
        """Take any transaction back, perhaps again."""
        game, player = self.dice.choice(("skyforge", "farm")), f"p-{self.dice.randrange(3)}"
        transaction = self.dice.choice(("apple", "google")), f"t-{self.dice.randrange(3)}"
        self.take_back(game, player, *transaction)

    def take_back(self, game: str, player_id: str, *transaction: str) -> None:
        players = corrections.CorrectedPlayers(self.tables, "players", "game_days")  # type: ignore[arg-type]
        player = players.read(game, player_id)
        corrected = projection.Projection(player, lambda event, kind, name: name)
        corrected.void(*transaction)
        assert players.write(player, corrections.counted(corrected))
        self.voided.add((game, player_id, *transaction))


def outcome_with_corrections(seed: int) -> tuple[list[Event], Tables, Store]:
    """Return the enriched stream, what a stormy reading of it leaves, and what was taken back meanwhile."""
    dice = random.Random(seed)
    processor = Processor(dice)
    processor.take(nasty_events(dice, 70))
    brittle = Brittle(Tables(), dice, 0.04)
    store = Store(brittle.tables, dice)
    brittle.correct = store.take_back_one
    read(brittle, processor.run(), dice, NameLimits())
    return processor.sent, brittle.tables, store


def outcome(
    seed: int, crashes: float = 0.04, limits: NameLimits | None = None
) -> tuple[list[Event], Tables, int]:
    """Return the events, what a stormy reading of them leaves behind, and how often the function died."""
    dice = random.Random(seed)
    events = nasty_events(dice, 70)
    processor = Processor(dice)
    processor.take(events)
    brittle = Brittle(Tables(), dice, crashes)
    read(brittle, processor.run(), dice, limits or NameLimits())
    return events, brittle.tables, brittle.died


def by_definition(events: list[Event]) -> dict[str, plain_state.Counts]:
    return {
        "ads": plain_state.advertisements(events),
        "days": plain_state.days(events),
        "designs": plain_state.designs(events),
        "stability": plain_state.stability(events),
    }


def as_kept(tables: Tables) -> dict[str, plain_state.Counts]:
    stability: plain_state.Counts = Counter()
    named: dict[str, plain_state.Counts] = {"ads": Counter(), "designs": Counter()}
    for (period, row), counts in totals(tables).items():
        game, _, rest = period.partition("#")
        day, _, subject = rest.partition("#")
        for name, value in counts.items():
            if subject in named:
                named[subject][game, day, *row.split("#"), name] += value
            if subject == "versions" and not name.startswith("fps_bin_"):
                stability[game, day, name] += value
    return {"days": day_counters(tables), "stability": +stability, **named}


def over_all_names(counts: plain_state.Counts) -> plain_state.Counts:
    """Return counters by game, day and counter."""
    sums: plain_state.Counts = Counter()
    for (game, day, *_, name), count in counts.items():
        sums[game, day, name] += count
    return Counter({name: count for name, count in sums.items() if count})


@pytest.mark.parametrize("seed", SEEDS)
def test_counters_are_those_of_the_definitions(seed: int) -> None:
    events, tables, died = outcome(seed)
    assert as_kept(tables) == by_definition(events)
    assert died, "this seed shows nothing"


def read_once(sent: list[Event]) -> Tables:
    """Return what one undisturbed reading of the stream's events leaves, without repeated ones."""
    once: dict[str, Event] = {}
    for event in sent:
        once.setdefault(event["event_id"], event)
    clean = Tables()
    records = [Record(number, event) for number, event in enumerate(once.values(), 1)]
    assert not PlayerStore(clean, "players", "game_days").apply(records, "shardId-000000000000").lost
    return clean


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_is_as_after_one_clean_reading(seed: int) -> None:
    events, tables, _ = outcome(seed)
    dice = random.Random(seed)
    assert nasty_events(dice, 70) == events
    processor = Processor(dice)
    processor.take(events)
    clean = read_once(processor.run())
    assert totals(tables) == totals(clean)
    assert states(tables) == states(clean)


@pytest.mark.parametrize("seed", SEEDS)
def test_transactions_that_are_taken_back_between_any_two_writes_count_nowhere(seed: int) -> None:
    events, tables, store = outcome_with_corrections(seed)
    assert day_counters(tables) == plain_state.days(events, store.voided)
    assert store.voided, "this seed shows nothing"
    late = Store(read_once(events), random.Random(seed))
    for paid in store.voided:
        late.take_back(*map(str, paid))
    assert states(tables) == states(late.tables), "it does not matter when"


@pytest.mark.parametrize("seed", range(24))
def test_what_is_forgotten_does_not_depend_on_the_batches(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry has other batches than the counters were written with."""
    for name in ("DAYS", "MINUTES", "PLAYS", "TRANSACTIONS"):
        monkeypatch.setattr(projection, f"REMEMBERED_{name}", 2)
    test_everything_is_as_after_one_clean_reading(seed)


def wrong_over_all_names(seeds: range, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the seeds whose sums over all names are not those of the definitions.

    Events arrive within half a second of the moment from which on they are late, and late ones bring a day
    one name of a kind.
    """
    made = nasty_events

    def at_the_border(dice: random.Random, count: int) -> list[Event]:
        events = made(dice, count)
        for event in events:
            day = datetime.fromisoformat(f"{event['event_date']}T00:00:00+00:00")
            after = timedelta(milliseconds=dice.choice((-1, 1)) * dice.randint(1, 500))
            event["received_at"] = timestamp(day + timedelta(days=names.IN_TIME_DAYS + 1) + after)
            event["late"] = True
        return events

    monkeypatch.setitem(globals(), "nasty_events", at_the_border)
    limits, wrong = NameLimits(ads=3, designs=3, flows=5, late_names=1, levels=3, versions=2), []
    for seed in seeds:
        events, tables, _ = outcome(seed, crashes=0.06, limits=limits)
        kept, defined = (
            {subject: over_all_names(counts) for subject, counts in one.items()}
            for one in (as_kept(tables), by_definition(events))
        )
        if kept != defined:
            wrong.append(seed)
    return wrong


def test_names_of_late_events_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong_over_all_names(range(150), monkeypatch) == []


def test_a_late_name_that_is_left_out_for_now_only_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names.Names, "_close", lambda self, of: self._read(of)[0])
    assert wrong_over_all_names(range(150), monkeypatch) != []


@pytest.mark.parametrize("seed", range(12))
def test_names_beyond_the_limits_count_once_too(seed: int) -> None:
    limits = NameLimits(ads=1, designs=2, devices=1, flows=2, levels=1, versions=1)
    events, tables, _ = outcome(seed, limits=limits)
    kept, defined = as_kept(tables), by_definition(events)
    for subject in ("ads", "designs"):
        kept[subject], defined[subject] = (over_all_names(one[subject]) for one in (kept, defined))
    assert kept == defined
    found = totals(tables)
    for subject, most in (("levels", 1), ("economy", 2), ("versions", 1), ("ads", 1), ("designs", 2)):
        names: dict[str, set[str]] = defaultdict(set)
        for period, row in found:
            if period.endswith(f"#{subject}"):
                names[period].add(row)
        assert all(len(rows - {"*", "*#*", "*#*#*"}) <= most for rows in names.values())
    attempts = sum(
        sum(counts.values()) for (period, _), counts in found.items() if period.endswith("#levels")
    )
    assert attempts == sum(event["event_type"] == "progression" for event in events)


def _digests_dropped_at_each_start(player: Any, position: RawPosition, day: int) -> bool:
    mark = next((one for one in player.watermarks if one.shard == position.shard), None)
    if mark and position.start > mark.start:
        mark.applied, mark.start = {}, position.start
    return IS_NEW(player, position, day)


def _no_start(player: Any, position: RawPosition, day: int) -> bool:
    return IS_NEW(player, position._replace(start=position.sequence), day)


def _players_first(self: PlayerStore, games: list[Any], shard: str, mapped: Any) -> Any:
    for game in games:
        for change in game.changes:
            before = copy.deepcopy(change.player)
            if change.applied:
                self._replaced(change.player)
            change.player = before
    return WRITE(self, games, shard, mapped)


def _no_position(self: Any, addition: Any, shard: str) -> None:
    for item in self.dynamodb.tables.items["game_days"].values():
        item.pop("position", None)
    ADD(self, addition, shard)


def _all_that_is_asked(payment: Any, refunds: dict[bytes, Any]) -> Iterator[tuple[bytes, int, int]]:
    for name, refund in refunds.items():
        yield name, max(refund.at_ms, payment.at_ms), refund.amount or payment.amount


def _counts_what_is_corrected(self: PlayerStore, change: Any, game: Any, shard: str) -> None:
    reported, change.player.reported = change.player.reported, None
    PROJECT(self, change, game, shard)
    change.player.reported, change.is_corrected = reported, reported is not None


def _corrections_apart(self: Any, player: Any, changes: Any) -> bool:
    for update in (self._update(player.game_id, *change) for change in changes.items()):
        self.dynamodb.update_item(**update)
    try:
        self.dynamodb.put_item(**corrections.replacement(self.players_table, player))
    except self.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _what_was_reported_is_lost(item: Event) -> Any:
    return FROM_ITEM({name: value for name, value in item.items() if name != "reported"})


PROJECT, FROM_ITEM = PlayerStore._project, players.from_item
MISTAKES_WITH_CORRECTIONS: dict[str, tuple[Any, str, Any]] = {
    "rows of shards count what is corrected": (PlayerStore, "_project", _counts_what_is_corrected),
    "corrections apart from their player": (corrections.CorrectedPlayers, "write", _corrections_apart),
    "what was reported is lost": (players, "from_item", _what_was_reported_is_lost),
}


@pytest.mark.parametrize("mistake", MISTAKES_WITH_CORRECTIONS)
def test_a_mistake_in_the_design_of_corrections_is_found(
    mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, wrong = MISTAKES_WITH_CORRECTIONS[mistake]
    monkeypatch.setattr(where, name, wrong)
    found = 0
    for seed in range(16):
        events, tables, store = outcome_with_corrections(seed)
        found += day_counters(tables) != plain_state.days(events, store.voided)
    assert found > 1


ADD, IS_NEW, WRITE = counters.Counters.add, watermarks.is_new, PlayerStore._write
MISTAKES: dict[str, tuple[Any, str, Any]] = {
    "digests dropped too early": (watermarks, "is_new", _digests_dropped_at_each_start),
    "each record a batch of its own": (watermarks, "is_new", _no_start),
    "refunds without an end": (projection, "_returned", _all_that_is_asked),
    "players before counters": (PlayerStore, "_write", _players_first),
    "counters without a position": (counters.Counters, "add", _no_position),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_design_is_found(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, wrong = MISTAKES[mistake]
    monkeypatch.setattr(where, name, wrong)
    found = 0
    for seed in range(12):
        events, tables, _ = outcome(seed)
        found += as_kept(tables) != by_definition(events)
    assert found > 3
