"""Lambda's event source mapping as AWS has it, which the emulator's is not, and functions that can be killed.

The emulator ignores what a function hands back, and forgets the records of a shard that is split. Here
a function goes on only from what is done, a batch that fails is halved, and a shard comes after its parents.
"""

import base64
import importlib
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Event as Flag
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionError, HTTPClientError
from faults import Fault, injected
from telemetry import clients, delivery
from tools.progress import STILL_SECONDS

Record = dict[str, Any]
POISON = b"kills-who-reads-it"
BATCH = 60
OUTAGE = 20

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["processor.handler", "player_state.handler", "leaderboards.handler", "faults"]
)


@dataclass(slots=True)
class Function:
    """A handler in a process of its own, with the real function's environment.

    A share of its AWS calls meets faults, and it dies with four times that share of its answers; it waits for
    AWS for so many `seconds`.
    """

    name: str
    environment: dict[str, str]
    share: float = 0.0
    seconds: float = STILL_SECONDS
    seed: int = 0
    starts: int = 0
    deaths: int = 0
    _process: BaseProcess | None = None
    _pipe: Any = None

    def invoke(self, records: list[Record]) -> list[dict[str, str]] | None:
        """Return the batch item failures; None where the function raised, or died."""
        if not self._process:
            self._start()
        try:
            self._pipe.send({"Records": records})
            answer: list[dict[str, str]] | None = self._pipe.recv()
        except (EOFError, OSError):
            self.deaths += 1
            self.stop()
            return None
        return answer

    def kill(self) -> None:
        """Kill the process, whatever it is doing."""
        if process := self._process:
            process.kill()

    def stop(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()
            self._process.join()
            self._process = None

    def _start(self) -> None:
        self.starts += 1
        self._pipe, theirs = _context.Pipe()
        given = theirs, self.name, self.environment, self.share, self.seconds, self.seed + self.starts
        process = _context.Process(target=_serve, args=given, daemon=True)
        process.start()
        theirs.close()
        self._process = process


def _serve(
    pipe: Connection, name: str, environment: dict[str, str], share: float, seconds: float, seed: int
) -> None:
    """Be an execution environment: answer batch after batch until killed."""
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    clients._config = clients._config.merge(Config(read_timeout=seconds))
    delivery.FIRST_PAUSE_SECONDS = 0.01
    function, dice = importlib.import_module(f"{name}.handler").lambda_handler, random.Random(seed)

    time.sleep = lambda seconds: None
    outages: dict[str, int] = {}

    def choose(call: str, among: Collection[Fault]) -> Fault | None:
        # Half of the faults outlast all that tries again: boto3, and the function itself.
        if not outages.get(call) and dice.random() < share:
            outages[call] = dice.choice((1, OUTAGE))
        if not outages.get(call):
            return None
        outages[call] -= 1
        return dice.choice(sorted(among))

    with injected(choose):
        while True:
            event = pipe.recv()
            if any(POISON in base64.b64decode(record["kinesis"]["data"]) for record in event["Records"]):
                os._exit(1)
            try:
                answer = function(event, None)["batchItemFailures"]
            except Exception:
                answer = None
            if dice.random() < 4 * share:
                os._exit(1)
            pipe.send(answer)


@dataclass(slots=True)
class Shard:
    """What is read of a shard and not done yet; `iterator` is None once the shard is closed."""

    parents: frozenset[str]
    iterator: str | None
    left: list[Record] = field(default_factory=list)
    size: int = BATCH
    failures: int = 0


@dataclass(slots=True)
class Mapping:
    """Reads a stream and invokes a function; `read` holds all records in the order they were read.

    `patience` is how often one record is tried before it goes to the failure queue: on AWS, for 24 hours.
    """

    stream: str
    function: Function
    patience: int = 1000
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    read: list[Record] = field(default_factory=list)
    given_up: list[Record] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    kinesis: Any = field(default_factory=lambda: boto3.client("kinesis"))
    _shards: dict[str, Shard] = field(default_factory=dict)

    def run(self, is_over: Flag) -> None:
        """Go on until nothing is left after it is over."""
        self.see_shards()
        while True:
            last = is_over.is_set()
            with self.lock:
                worked = [self._step(shard) for name, shard in self._shards.items() if self._is_due(shard)]
            if last and not any(worked):
                return
            time.sleep(0 if any(worked) else 0.02)

    @contextmanager
    def resharding(self) -> Iterator[None]:
        """Split or merge shards in the block, while nobody writes: what they hold is read before."""
        with self.lock:
            for shard in self._shards.values():
                self._fetch(shard)
            yield
            self.see_shards()

    def see_shards(self) -> None:
        """Find new shards, and those that are closed."""
        found = {
            shard["ShardId"]: shard for shard in self.kinesis.list_shards(StreamName=self.stream)["Shards"]
        }
        for name, shard in self._shards.items():
            shard.iterator = shard.iterator if name in found else None
        for name in found.keys() - self._shards.keys():
            parents = {found[name].get("ParentShardId"), found[name].get("AdjacentParentShardId")} - {None}
            start = {"StreamName": self.stream, "ShardId": name, "ShardIteratorType": "TRIM_HORIZON"}
            iterator = self.kinesis.get_shard_iterator(**start)["ShardIterator"]
            self._shards[name] = Shard(frozenset(parents), iterator)

    def _is_due(self, shard: Shard) -> bool:
        """Tell whether the shard's parents are read to their ends."""
        parents = [self._shards[name] for name in shard.parents if name in self._shards]
        return not any(parent.left or parent.iterator for parent in parents)

    def _step(self, shard: Shard) -> bool:
        """Hand a batch in; tell whether there was any."""
        self._fetch(shard)
        batch = shard.left[: shard.size]
        if not batch:
            return False
        failures = self.function.invoke(batch)
        if failures is None:
            shard.failures += 1
            shard.size = max(1, len(batch) // 2)
            if len(batch) == 1 and shard.failures > self.patience:
                self.given_up.append(shard.left.pop(0))
            return True
        numbers = [record["kinesis"]["sequenceNumber"] for record in batch]
        done = numbers.index(failures[0]["itemIdentifier"]) if failures else len(batch)
        shard.left = shard.left[done:]
        shard.size, shard.failures = self.dice.randint(1, BATCH), 0
        return True

    def _fetch(self, shard: Shard) -> None:
        if not shard.iterator:
            return
        name = next(name for name, known in self._shards.items() if known is shard)
        try:
            answer = self.kinesis.get_records(ShardIterator=shard.iterator)
        except (HTTPClientError, ConnectionError):
            return
        shard.iterator = answer["NextShardIterator"]
        records = [_record(name, record) for record in answer["Records"]]
        shard.left += records
        self.read += records


@contextmanager
def happening(what: Callable[[Flag], Any]) -> Iterator[None]:
    """Have something happen during the block, until it is over; its errors are the block's."""
    is_over = Flag()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(what, is_over)
        try:
            yield
        finally:
            is_over.set()
        running.result()


def _record(shard: str, record: Record) -> Record:
    """Return a record as Lambda hands it in."""
    kinesis = {
        "data": base64.b64encode(record["Data"]).decode(),
        "sequenceNumber": record["SequenceNumber"],
        "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
    }
    return {"eventID": f"{shard}:{record['SequenceNumber']}", "kinesis": kinesis}
