"""Functions die, calls fail, sinks are slow and shards split while events come: in the end all is exact.

The handlers run as they are, on the emulator's streams, tables and Firehose; what invokes them is
`event_source`, for the emulator's own mapping ignores what they hand back.
"""

import base64
import json
import random
import re
import socket
import socketserver
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.config import Config
from event_source import POISON, Function, Mapping, happening
from expected_counters import days_of, players_of
from fake_aws import counters, outcomes
from steps import eventually
from telemetry.enrichment import enrich, timestamp
from telemetry.origin import Origin
from telemetry.player_item import described
from telemetry.rejection import Rejection
from telemetry.store import plain
from telemetry.validation import validate
from tools import boards, games, load
from tools.event_audit import Reply, audit
from tools.simulate import lake_lines
from tools.simulation import BOARDS

pytestmark = pytest.mark.integration

RATE, TICK = 120, 0.1
DEATHS = 5
# How far players' clocks are off; those of every fifth jump from event to event.
DAY = re.compile(r".+#\d{4}-\d\d-\d\d")
SKEWS = [timedelta(hours=hours) for hours in (0, 0, -7, 20)]
Event = dict[str, Any]
_serialize = TypeSerializer().serialize


@dataclass(slots=True)
class Harness:
    """A game of its own, streams of its own, and the real functions that read them."""

    applied: Any
    game: str
    processor: Mapping
    state: Mapping
    boards: Mapping
    sending: threading.Lock = field(default_factory=threading.Lock)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    replies: dict[str, Reply] = field(default_factory=dict)
    sent_again: int = 0

    def play(self, seconds: float, during: Callable[[], None] = lambda: None) -> None:
        """Send for a time, and until what happens meanwhile is over.

        Return once all functions have done all of it.
        """
        raw_is_over, enriched_is_over = threading.Event(), threading.Event()
        with ThreadPoolExecutor() as pool:
            reading = pool.submit(self.processor.run, raw_is_over)
            counting = [pool.submit(one.run, enriched_is_over) for one in (self.state, self.boards)]
            happening = pool.submit(during)
            try:
                self._send(seconds, happening.done)
                happening.result()
                raw_is_over.set()
                reading.result()
            finally:
                raw_is_over.set()
                enriched_is_over.set()
            for reader in counting:
                reader.result()

    def _send(self, seconds: float, is_over: Callable[[], bool]) -> None:
        sender = load.Sender(
            SimpleNamespace(outputs={"raw_stream_name": self.processor.stream}), "", self.replies
        )  # type: ignore[arg-type]
        crowd, once = map(skewed, load.crowd(self.game, "hot", 1)), Config(retries={"total_max_attempts": 1})
        kinesis = boto3.client("kinesis", config=once)
        ends, refused = time.monotonic() + seconds, list[Event]()
        while refused or time.monotonic() < ends or not is_over():
            by_player: dict[str, list[Event]] = defaultdict(list)
            for event in [*refused, *islice(crowd, int(RATE * TICK))]:
                by_player[event["player_id"]].append(event)
            with self.sending:
                sender.put(kinesis, list(by_player.values()))
            sent = (event for events in by_player.values() for event in events)
            refused = [event for event in sent if self.replies[event["event_id"]] is Reply.REFUSED]
            self.sent_again += len(refused)
            time.sleep(TICK)

    def rows(self, table: str, key: str) -> list[Event]:
        """Return the game's items of a table."""
        pages = (
            boto3.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=self.applied.platform.outputs["tables"][table])
        )
        found = (plain(item) for page in pages for item in page["Items"])
        return [item for item in found if item[key].startswith(f"{self.game}#")]

    def lines(self, prefix: str) -> list[Event]:
        """Return the game's lines of the lake."""
        lines = lake_lines(self.applied.platform, prefix, self.started)
        return [line for line in lines if line["game_id"] == self.game]


def skewed(event: Event) -> Event:
    """Return the event as its player's clock tells it."""
    number = int(event["player_id"].removeprefix("p-"))
    skew = random.choice(SKEWS) if number % 5 == 0 else SKEWS[number % len(SKEWS)]
    told = {name: timestamp(datetime.fromisoformat(event[name]) + skew) for name in ("event_time", "sent_at")}
    return {**event, **told}


@dataclass(slots=True)
class Truth:
    """What must become of the records of a stream, whoever read them how often."""

    accepted: dict[str, Event] = field(default_factory=dict)
    rejects: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, records: list[Event]) -> "Truth":
        """Judge each event as of its arrival; the first of an id is the one that counts."""
        truth = cls()
        for record in records:
            arrived = datetime.fromtimestamp(record["kinesis"]["approximateArrivalTimestamp"], UTC)
            for line in data_of(record).splitlines():
                try:
                    event = enrich(validate(json.loads(line)), Origin(arrived, "stream"))
                except Rejection as rejection:
                    truth.rejects[rejection.reason] += 1
                    continue
                if event["event_id"] in truth.accepted:
                    truth.rejects["duplicate"] += 1
                truth.accepted.setdefault(event["event_id"], event | {"event_time": event["corrected_time"]})
        return truth


def data_of(record: Event) -> bytes:
    return base64.b64decode(record["kinesis"]["data"])


def check(harness: Harness) -> Truth:
    """Hold all that is left behind against what the raw stream holds."""
    truth, game = Truth.of(harness.processor.read), harness.game
    events = list(truth.accepted.values())
    bronze, rejected = harness.lines("bronze/"), harness.lines("rejected/")
    assert audit(harness.replies, (x["event_id"] for x in bronze), (x["event_id"] for x in rejected)).is_exact
    assert {line["event_id"] for line in bronze} == truth.accepted.keys()
    assert set(first_by_id(harness.state.read)) == truth.accepted.keys()
    assert Counter({x["reject_id"]: x["reason"] for x in rejected}.values()) == truth.rejects
    told = outcomes(harness.rows("ingest_stats", "game_day"))
    refused = {f"{game}/rejected_{reason}": count for reason, count in truth.rejects.items()}
    known = {f"{game}/accepted": len(events), **refused}
    assert {name: count for name, count in told.items() if "accepted" in name or "rejected" in name} == known
    days, found = days_of(events), harness.rows("game_days", "game_day")
    found = [x for x in found if DAY.fullmatch(x["game_day"]) and x["shard"].startswith("shardId-")]
    assert {name: count for name, count in counters(found).items() if name in days} == days
    players = {
        row["player"]: Counter({name: player[name] for name in ("session_starts", "purchases")})
        + Counter(player["spend"])
        for row in harness.rows("players", "player")
        for player in [described({name: _serialize(value) for name, value in row.items()})]
    }
    assert players == players_of(events)
    check_boards(harness, [event for event in events if event["event_type"] == "score_submitted"])
    return truth


def check_boards(harness: Harness, scored: list[Event]) -> None:
    best: dict[tuple[str, str], int] = {}
    for event in scored:
        name, player, score = event["payload"]["leaderboard"], event["player_id"], event["payload"]["score"]
        best[name, player] = max(best.get((name, player), score), score)
        if name == BOARDS[0]:
            best["total", player] = best.get(("total", player), 0) + score
    found = harness.rows("leaderboards", "board")
    assert {(row["board"].split("#")[1], row["player_id"]): row["score"] for row in found} == best


def first_by_id(records: list[Event]) -> dict[str, Event]:
    """Return the events of the enriched stream by id, in the order they came first."""
    found: dict[str, Event] = {}
    for event in map(json.loads, map(data_of, records)):
        found.setdefault(event["event_id"], event)
    return found


@pytest.fixture
def harness(applied: Any) -> Iterator[Harness]:
    """The functions of the applied platform between two streams of two shards each."""
    name, kinesis = f"chaos-{uuid4().hex[:8]}", boto3.client("kinesis")
    outputs = applied.platform.outputs
    games.add_game(boto3.resource("dynamodb").Table(outputs["tables"]["games"]), name, "Chaos")
    total = boards.new_board(
        game_id=name, board_id="total", title="x", source=BOARDS[0], operator="increment"
    )
    boards.add_board(boto3.resource("dynamodb").Table(outputs["tables"]["boards"]), total)
    mappings = {}
    for stream in (f"{name}-raw", f"{name}-enriched"):
        kinesis.create_stream(StreamName=stream, ShardCount=2)
    for function in ("processor", "player_state", "leaderboards"):
        stream = f"{name}-raw" if function == "processor" else f"{name}-enriched"
        deployed = f"player-analytics-local-{function.replace('_', '-')}"
        configuration = boto3.client("lambda").get_function_configuration(FunctionName=deployed)
        environment = applied.emulator.environment | configuration["Environment"]["Variables"]
        environment["ENRICHED_STREAM"] = f"{name}-enriched"
        mappings[function] = Mapping(stream, Function(function, environment))
    harness = Harness(applied, name, *mappings.values())
    yield harness
    for mapping in mappings.values():
        mapping.function.stop()
    for stream in {mapping.stream for mapping in mappings.values()}:
        kinesis.delete_stream(StreamName=stream)


def test_functions_are_killed_and_their_calls_fail(harness: Harness) -> None:
    functions = [mapping.function for mapping in (harness.processor, harness.state, harness.boards)]
    for function in functions:
        function.share = 0.03

    def kill(is_over: threading.Event) -> None:
        # Every now and then, until each was killed in the middle of some batches.
        while not is_over.wait(random.uniform(0.3, 1)):
            if victims := [function for function in functions if function.deaths < DEATHS]:
                random.choice(victims).kill()

    with happening(kill):
        harness.play(5)
    truth = check(harness)
    assert min(function.deaths for function in functions) > 1
    assert truth.rejects["schema_violation"] > 0
    assert sum(event["skewed"] for event in truth.accepted.values()) > 100


def test_the_emulator_restarts(harness: Harness) -> None:
    def restart() -> None:
        time.sleep(1)
        harness.applied.emulator.restart(
            while_down=lambda: eventually(lambda: harness.sent_again > 0, "a refused write to be sent again")
        )

    harness.play(3, restart)
    check(harness)
    assert set(harness.replies.values()) == {Reply.TAKEN}


def test_shards_split_and_merge(harness: Harness) -> None:
    def read(mapping: Mapping) -> set[str]:
        return {record["eventID"].partition(":")[0] for record in mapping.read}

    def wait_until_read(mappings: tuple[Mapping, ...], *shards: str) -> None:
        eventually(
            lambda: all(read(mapping) >= set(shards) for mapping in mappings),
            f"records of {', '.join(shards)} of {mappings[0].stream}",
            value=lambda: [len(mapping.read) for mapping in mappings],
        )

    def reshard() -> None:
        kinesis = boto3.client("kinesis")
        first, second, lower, upper, merged = (f"shardId-{number:012}" for number in range(5))
        for mappings, writing in (
            ((harness.processor,), harness.sending),
            ((harness.state, harness.boards), harness.processor.lock),
        ):
            stream = mappings[0].stream
            wait_until_read(mappings, first, second)
            with writing, ExitStack() as stack:
                for mapping in mappings:
                    stack.enter_context(mapping.resharding())
                kinesis.split_shard(StreamName=stream, ShardToSplit=first, NewStartingHashKey=str(2**126))
            wait_until_read(mappings, lower, upper)
            with writing, ExitStack() as stack:
                for mapping in mappings:
                    stack.enter_context(mapping.resharding())
                kinesis.merge_shards(StreamName=stream, ShardToMerge=upper, AdjacentShardToMerge=second)
            wait_until_read(mappings, merged)

    harness.play(5, reshard)
    truth = check(harness)
    for mapping in (harness.processor, harness.state, harness.boards):
        assert len(read(mapping)) == 5
    orders = [defaultdict(list), defaultdict(list)]  # type: ignore[var-annotated]
    for order, events in zip(orders, (truth.accepted, first_by_id(harness.state.read)), strict=True):
        for event in events.values():
            order[event["player_id"]].append(event["event_id"])
    assert orders[0] == orders[1], "each player's events stay in their order"


class Relay(socketserver.ThreadingTCPServer):
    """Passes calls on to the emulator, and some answers of some services only after a while."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, services: tuple[bytes, ...], share: float, seconds: float) -> None:
        self.port, self.services, self.share, self.seconds = port, services, share, seconds
        self.late = 0
        super().__init__(("127.0.0.1", 0), Call)


class Call(socketserver.BaseRequestHandler):
    """One connection, which is one call: the emulator closes it after each."""

    server: Relay

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port)) as emulator:
            asked = bytearray()
            threading.Thread(target=self._ask, args=(emulator, asked), daemon=True).start()
            answer = emulator.recv(65536)
            if any(name in asked for name in self.server.services) and random.random() < self.server.share:
                self.server.late += 1
                time.sleep(self.server.seconds)
            try:
                while answer:
                    self.request.sendall(answer)
                    answer = emulator.recv(65536)
            except OSError:
                return

    def _ask(self, emulator: socket.socket, asked: bytearray) -> None:
        try:
            while data := self.request.recv(65536):
                asked += data[:4096]
                emulator.sendall(data)
        except OSError:
            return


def test_sinks_answer_too_late(harness: Harness) -> None:
    port = harness.applied.emulator.port
    with Relay(port, (b"/firehose/aws4_request", b"/dynamodb/aws4_request"), 0.03, 0.8) as relay:
        threading.Thread(target=relay.serve_forever, args=(0.05,), daemon=True).start()
        for function in (m.function for m in (harness.processor, harness.state, harness.boards)):
            function.environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{relay.server_address[1]}"
            function.seconds = 0.5
        harness.play(3)
        relay.shutdown()
    check(harness)
    assert relay.late


def test_poison_among_good_records(harness: Harness) -> None:
    kinesis, stream = boto3.client("kinesis"), harness.processor.stream
    harness.processor.patience = 1

    def poison() -> None:
        for number in range(2):
            kinesis.put_record(StreamName=stream, Data=POISON, PartitionKey=str(number))
            time.sleep(0.7)

    harness.play(3, poison)
    assert [data_of(record) for record in harness.processor.given_up] == [POISON] * 2
    harness.processor.read = [record for record in harness.processor.read if data_of(record) != POISON]
    check(harness)
