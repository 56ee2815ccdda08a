"""AWS fails in every way at any call, Lambda hands batches in again: nothing is lost or doubled."""

import logging
import random
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from expected_counters import days_of, players_of
from fake_aws import (
    KINDS,
    Games,
    Luck,
    OutOfTimeError,
    Streams,
    Tables,
    Unlucky,
    counters,
    encode,
    outcomes,
    records,
)
from fake_aws import processor as build_processor
from hostile import kpl
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from player_state import handler as player_state
from player_state.players import PlayerStore
from telemetry import delivery
from telemetry.enrichment import timestamp
from telemetry.ingest_batch import IngestBatch, pack
from telemetry.player_item import described

Event = dict[str, Any]
_serialize = TypeSerializer().serialize
MakeEvent = Callable[..., Event]
GAMES = ("skyforge", "farm")
SHARDS = ("shardId-000000000000", "shardId-000000000001")
PATIENCE = 60
RUNS = 300
TYPES = ("session_start", "session_end", "purchase", "purchase", "design", "score_submitted")
DAY = re.compile(r"[a-z]+#\d{4}-\d\d-\d\d")

# Where Lambda's time runs out, Powertools has nothing to publish.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")


class Serial:
    """A pool of one thread, so that a seed tells the whole story."""

    def __init__(self, _: int) -> None:
        self.map = map

    def __enter__(self) -> "Serial":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    monkeypatch.setattr("player_state.players.time.sleep", lambda seconds: None)
    monkeypatch.setattr("processor.dedupe.ThreadPoolExecutor", Serial)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@dataclass(slots=True)
class Mapping:
    """Lambda's event source mapping of one shard: goes on only from what is done, and bisects on errors."""

    function: Callable[[list[Event]], str | None]
    left: list[Event]
    luck: Luck
    size: int = 20
    invocations: int = 0

    def invoke(self) -> None:
        """Hand one batch in; after many, AWS is well again."""
        self.invocations += 1
        if self.invocations > PATIENCE:
            self.luck.share = 0
        batch = self.left[: self.size]
        try:
            retry_from = self.function(batch)
        except (OutOfTimeError, Exception):
            assert self.luck.share
            self.size = max(1, self.size // 2)
            return
        numbers = [record["kinesis"]["sequenceNumber"] for record in batch]
        self.left = self.left[numbers.index(retry_from) if retry_from else len(batch) :]
        self.size = self.luck.dice.randint(1, 20)


def run_all(mappings: list[Mapping], dice: random.Random) -> None:
    while waiting := [mapping for mapping in mappings if mapping.left]:
        dice.choice(waiting).invoke()


@dataclass(slots=True)
class Traffic:
    """What clients send to the shards, and what must become of it."""

    dice: random.Random
    make_event: MakeEvent
    data: dict[str, list[bytes]] = field(default_factory=lambda: {shard: [] for shard in SHARDS})
    accepted: list[Event] = field(default_factory=list)
    rejects: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def send(self) -> None:
        """Fill both shards; the first has replays at its end, each sent twice."""
        for _ in range(self.dice.randint(4, 16)):
            record = self.dice.choice([self._record, self._record, self._from_rest_api, self._guidance])
            self.data[self.dice.choice(SHARDS)].append(record())
        known = [encode(event) for event in self.accepted if encode(event) in b"".join(self.data[SHARDS[0]])]
        game = self.dice.choice(GAMES)
        replayed = [encode(self._fresh(game)) for _ in range(3)]
        self.counts[f"{game}/replayed"] += 3
        for _ in range(2):
            self.data[SHARDS[0]].append(_batch(game, *known[:3], *replayed, b"{still no json", replay=True))

    def _event(self, event_type: str, game: str | None = None) -> Event:
        return self.make_event(
            event_type,
            event_id=str(UUID(int=self.dice.getrandbits(128))),
            game_id=game or self.dice.choice(GAMES),
            player_id=f"p-{self.dice.randrange(4)}",
            session_id=str(UUID(int=self.dice.randrange(6))),
            sequence=self.dice.randrange(60),
        )

    def _fresh(self, game: str | None = None) -> Event:
        """Return a valid event, which must be accepted once."""
        event = self._event(self.dice.choice(TYPES), game)
        if event["event_type"] == "purchase":
            event["payload"]["amount_minor"] = self.dice.randint(1, 1000)
            event["payload"]["transaction_id"] = event["event_id"]
        self._accept(event)
        return event

    def _accept(self, event: Event) -> None:
        self.accepted.append(event)
        self.counts[f"{event['game_id']}/accepted"] += 1

    def _reject(self, reason: str, raw: bytes, game: str = "unknown") -> bytes:
        self.rejects[reason, raw.decode()] += 1
        self.counts[f"{game}/rejected_{reason}"] += 1
        return raw

    def _bad(self) -> bytes:
        event = self._event("purchase")
        match self.dice.randrange(4):
            case 0:
                return self._reject("malformed_json", b"{no json %d" % self.dice.getrandbits(32))
            case 1:
                return self._reject("unknown_game", encode(event | {"game_id": "nobodys"}))
            case 2:
                return self._reject("unknown_schema", encode(event | {"event_type": "x"}), event["game_id"])
        return self._reject("schema_violation", encode(event | {"payload": {}}), event["game_id"])

    def _piece(self) -> bytes:
        """Return an event, a bad one, or an earlier one again."""
        chance = self.dice.random()
        if chance < 0.2:
            return self._bad()
        known = [event for event in self.accepted if "client" in event]
        if chance < 0.8 or not known:
            return encode(self._fresh())
        again = self.dice.choice(known)
        return self._reject("duplicate", encode(again), again["game_id"])

    def _record(self) -> bytes:
        pieces = [self._piece() for _ in range(self.dice.randint(1, 6))]
        if len(pieces) == 1:
            return pieces[0]
        return kpl(*pieces) if self.dice.random() < 0.4 else b"\n".join([*pieces, encode(self._fresh())])

    def _from_rest_api(self) -> bytes:
        game, other = self.dice.sample(GAMES, 2)
        foreign = self._reject("wrong_game", encode(self._event("design", other)), game)
        return _batch(game, encode(self._fresh(game)), foreign, encode(self._fresh(game)))

    def _guidance(self) -> bytes:
        game, event_id = self.dice.choice(GAMES), str(UUID(int=self.dice.getrandbits(128)))
        now = datetime.now(UTC)
        theirs = {"event_id": event_id, "event_type": "login", "event_timestamp": now.timestamp()}
        ours = {
            "event_id": event_id,
            "event_type": "session_start",
            "event_time": timestamp(now),
            "payload": {},
        }
        self._accept(ours | {"game_id": game, "player_id": "p-1"})
        return _batch(game, encode(theirs | {"event_data": {"player_id": "p-1"}}), envelope="guidance")


def _batch(game: str, *events: bytes, **fields: Any) -> bytes:
    return pack(IngestBatch(game, timestamp(datetime.now(UTC)), None, list(events), **fields))


def process(traffic: Traffic, luck: Luck, client: Any) -> Streams:
    """Run the processor over both shards, each invocation in an environment of its own."""
    streams = Streams(luck)

    def invoke(batch: list[Event]) -> str | None:
        games = Unlucky(Games(GAMES), luck)
        return build_processor(games, Unlucky(client, luck), streams).process(batch)[1]

    shards = [Mapping(invoke, records(*data, shard=shard), luck) for shard, data in traffic.data.items()]
    run_all(shards, luck.dice)
    return streams


def project(streams: Streams, luck: Luck, client: Any, patch: pytest.MonkeyPatch) -> None:
    """Run player_state over what the enriched stream holds, repeats and all."""
    unlucky = Unlucky(client, luck)
    store = PlayerStore(unlucky, "players", "game_days")
    patch.setattr(player_state, "store", lambda: store)

    def invoke(batch: list[Event]) -> str | None:
        failures = player_state.lambda_handler({"Records": batch}, None)["batchItemFailures"]
        return failures[0]["itemIdentifier"] if failures else None

    shards: dict[str, list[bytes]] = {shard: [] for shard in SHARDS}
    for key, data in streams.taken["enriched"]:
        shards[SHARDS[zlib.crc32(key.encode()) % 2]].append(data)
    run_all([Mapping(invoke, records(*data, shard=name), luck) for name, data in shards.items()], luck.dice)


def check_streams(traffic: Traffic, streams: Streams) -> None:
    ids = sorted(event["event_id"] for event in traffic.accepted)
    for name in ("bronze", "enriched"):
        lines = {line["event_id"]: line for line in streams.lines(name)}
        assert sorted(lines) == ids
    rejected = {line["reject_id"]: (line["reason"], line["original"]) for line in streams.lines("rejected")}
    assert all(rejected[x["reject_id"]] == (x["reason"], x["original"]) for x in streams.lines("rejected"))
    assert Counter(rejected.values()) == traffic.rejects


def check_state(traffic: Traffic, rows: Callable[[str], list[Event]]) -> None:
    truth = days_of(traffic.accepted)
    days = [row for row in rows("game_days") if DAY.fullmatch(row["game_day"]) and row["shard"] in SHARDS]
    known = {name.partition("/")[2] for name in truth}
    found = {name: n for name, n in counters(days).items() if name.partition("/")[2] in known}
    assert found == truth
    players = {
        row["player"]: Counter({name: player[name] for name in ("session_starts", "purchases")})
        + Counter(player["spend"])
        for row in rows("players")
        for player in [described({name: _serialize(value) for name, value in row.items()})]
    }
    assert players == players_of(traffic.accepted)


def simulate(seed: int, make_event: MakeEvent, client: Any, rows: Callable[[str], list[Event]]) -> Luck:
    dice = random.Random(seed)
    traffic = Traffic(dice, make_event)
    traffic.send()
    luck = Luck(dice, share=dice.choice([0.05, 0.15, 0.3]))
    streams = process(traffic, luck, client)
    check_streams(traffic, streams)
    assert outcomes(rows("ingest_stats")) == traffic.counts
    luck.share = dice.choice([0.05, 0.15, 0.3])
    with pytest.MonkeyPatch.context() as patch:
        project(streams, luck, client, patch)
    check_state(traffic, rows)
    return luck


def test_whatever_fails_nothing_is_lost_or_doubled(make_event: MakeEvent) -> None:
    failures: Counter[str] = Counter()

    @settings(
        max_examples=RUNS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**64))
    def run(seed: int) -> None:
        tables = Tables()
        failures.update(simulate(seed, make_event, tables, tables.rows).failures)

    run()
    print(dict(failures))
    assert min(failures[kind] for kind in [*KINDS, "one record"]) > RUNS


@pytest.mark.parametrize("seed", range(3))
def test_the_tables_in_memory_do_as_motos_do(make_event: MakeEvent, dynamodb: Any, seed: int) -> None:
    luck = simulate(
        seed, make_event, boto3.client("dynamodb"), lambda name: dynamodb.Table(name).scan()["Items"]
    )
    assert luck.failures
