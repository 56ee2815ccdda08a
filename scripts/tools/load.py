"""Send events by REST API and stream at a rate and in a shape, then account for every one of them."""

import ipaddress
import json
import math
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import httpx
from player_analytics import Connection, Settings
from rich.console import Console
from telemetry import lake
from telemetry.delivery import Entry, put_records
from telemetry.enrichment import timestamp
from telemetry.rejection import Reason

from tools import CommandError, Parser, emulator, games, infrastructure, run, simulate
from tools.event_audit import Audit, Reply, audit
from tools.progress import STILL_SECONDS, Stuck, wait_for
from tools.simulate import Platform
from tools.simulation import Game
from tools.steps import Bars

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

# A laptop's emulator takes some hundred events a second; nobody means more than this by accident.
MAX_RATE, MAX_SECONDS, MAX_EVENTS = 5_000, 3_600, 1_000_000
TICK_SECONDS = 0.5
PLAYERS = 200
HTTP_THREADS = 8
REST_SHARE, INVALID_SHARE, DUPLICATE_SHARE, HOT_SHARE = 0.5, 0.01, 0.01, 0.5
SPIKE = 10
SETTLE_SECONDS = 180

Event = dict[str, Any]
console = Console()

# How many events a second come at a share of the time, times the rate.
SHAPES: dict[str, Callable[[float], float]] = {
    "steady": lambda share: 1.0,
    "ramp": lambda share: 2 * share,
    "spike": lambda share: SPIKE if 0.45 <= share < 0.55 else 1.0,
    "reconnect": lambda share: 0.0 if 0.3 <= share < 0.5 else 3.0 if 0.5 <= share < 0.6 else 1.0,
    "hot": lambda share: 1.0,
}


@dataclass(slots=True)
class Sender:
    """Sends by REST API and stream, and remembers what it was told of each event."""

    platform: Platform
    key: str
    replies: dict[str, Reply] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def post(self, connection: Connection, events: list[Event]) -> None:
        """Send events of a player by REST; what the API names or does not answer for is refused."""
        answer = connection.send(events)
        self.answers[str(answer.status or "unanswered")] += 1
        self._note(events, {*answer.rejected, *answer.retry})

    def put(self, kinesis: "KinesisClient", batches: list[list[Event]]) -> None:
        """Send events to the stream, those of a player in a record; what it did not take is refused."""
        entries = [
            Entry(f"{batch[0]['game_id']}/{batch[0]['player_id']}", b"\n".join(map(_encoded, batch)))
            for batch in batches
        ]
        lost = put_records(kinesis, self.platform.outputs["raw_stream_name"], entries)
        self.answers["records"] += len(entries)
        for index, batch in enumerate(batches):
            self._note(batch, set(range(len(batch))) if index in lost else set())

    def _note(self, events: list[Event], refused: set[int]) -> None:
        for index, event in enumerate(events):
            # An event sent twice that was taken once was taken.
            if self.replies.get(event["event_id"]) is not Reply.TAKEN:
                self.replies[event["event_id"]] = Reply.REFUSED if index in refused else Reply.TAKEN


def _encoded(event: Event) -> bytes:
    return json.dumps(event).encode()


def counts(shape: str, rate: float, seconds: float) -> Iterator[int]:
    """Yield how many events each tick of half a second sends: whole ones, their sum exact to one."""
    factor, ticks = SHAPES[shape], max(1, math.ceil(seconds / TICK_SECONDS))
    owed = 0.0
    for tick in range(ticks):
        owed += factor((tick + 0.5) / ticks) * rate * TICK_SECONDS
        yield int(owed)
        owed -= int(owed)


def crowd(game_id: str, shape: str, seed: int) -> Iterator[Event]:
    """Yield events of many players without end, some invalid or sent twice; `hot`: half of one player."""
    dice = random.Random(seed)  # noqa: S311 - a reproducible load
    # Ids differ from run to run, or a second one would send nothing but duplicates.
    game = Game(game_id, PLAYERS, 1, time.time_ns(), datetime.now(UTC))
    players = [game.play_on(number) for number in range(PLAYERS)]
    while True:
        is_hot = shape == "hot" and dice.random() < HOT_SHARE
        event = next(players[0 if is_hot else dice.randrange(PLAYERS)])
        moment = timestamp(datetime.now(UTC))
        event |= {"event_time": moment, "sent_at": moment}
        if dice.random() < INVALID_SHARE:
            event["payload"] = {"unheard_of": True}
        yield event
        if dice.random() < DUPLICATE_SHARE:
            yield event


def send(sender: Sender, events: Iterator[Event], plan: list[int], advance: Callable[[int], None]) -> None:
    """Send what each tick owes, as late as API and stream make it."""
    kinesis, began = boto3.client("kinesis"), time.monotonic()
    settings = Settings(signature="beside_key", timeout_seconds=STILL_SECONDS)
    connection = Connection(sender.platform.ingest_url, sender.key, settings)
    with ThreadPoolExecutor(HTTP_THREADS) as pool:
        for tick, count in enumerate(plan):
            time.sleep(max(0.0, began + tick * TICK_SECONDS - time.monotonic()))
            by_player: dict[str, list[Event]] = defaultdict(list)
            for _ in range(count):
                event = next(events)
                by_player[event["player_id"]].append(event)
            batches = list(by_player.values())
            half = round(len(batches) * REST_SHARE)
            list(pool.map(lambda batch: sender.post(connection, batch), batches[:half]))
            if batches[half:]:
                sender.put(kinesis, batches[half:])
            advance(count)


def settle(platform: Platform, replies: dict[str, Reply], since: datetime, seconds: float) -> Audit:
    """Return the audit once nothing is missing, or nothing came for so long; objects are read once."""
    s3, bucket = boto3.client("s3"), platform.outputs["lake_bucket"]
    ids: dict[str, list[str]] = {"bronze/": [], "rejected/": []}
    read: set[str] = set()

    def judged() -> Audit:
        for prefix, found in ids.items():
            for key in lake.keys(s3, bucket, prefix, since):
                if key not in read:
                    read.add(key)
                    found += [line["event_id"] for line in lake.lines(s3, bucket, key) if is_place(line)]
        return audit(replies, ids["bronze/"], ids["rejected/"])

    with suppress(Stuck):
        wait_for(
            "the events in the lake",
            lambda: judged().is_exact,
            value=lambda: len(read),
            still_seconds=seconds,
            pause_seconds=2,
        )
    return judged()


def is_place(line: dict[str, Any]) -> bool:
    """Tell whether a line of the lake is where its event is: a duplicate's first must be elsewhere."""
    return line["event_id"] is not None and line.get("reason") != Reason.DUPLICATE


def play(platform: Platform, game_id: str, key: str, shape: str, rate: float, seconds: float) -> Audit:
    """Send, wait for the lake, show the account. Raises CommandError where an event is lost."""
    sender, plan = Sender(platform, key), list(counts(shape, rate, seconds))
    started = datetime.now(UTC)
    with Bars(console) as progress:
        task, began = progress.add_task(f"{shape}: sent", total=sum(plan)), time.monotonic()
        # Who interrupts it wants to know of what was sent, too.
        with suppress(KeyboardInterrupt):
            send(sender, crowd(game_id, shape, 1), plan, lambda count: progress.advance(task, count))
        sent, took = int(progress.tasks[task].completed), time.monotonic() - began
    console.print(f"{sent:,} events in {took:.1f} s, {sent / took:,.0f}/s; ", end="")
    console.print(", ".join(f"{name} {count:,}" for name, count in sorted(sender.answers.items())))
    result = settle(platform, sender.replies, started, SETTLE_SECONDS)
    console.print(
        f"{result.sent:,} distinct events = {result.accepted:,} accepted + {result.rejected:,} rejected"
        f" + {result.reported:,} only reported back + {len(result.lost):,} lost;"
        f" {result.repeated:,} repeated in bronze",
        highlight=False,
        soft_wrap=True,
    )
    if result.lost:
        raise CommandError(f"events are lost: {', '.join(result.lost[:5])}")
    return result


def require_permission(url: str, endpoint: str | None, is_meant: bool) -> None:
    """Raise CommandError unless the API is on this machine, or both named and meant."""
    host = urlsplit(url).hostname or ""
    if is_loopback(host):
        return
    if not endpoint or urlsplit(endpoint).hostname != host or not is_meant:
        raise CommandError(f"{host} is not this machine: name it with --endpoint, and add --yes-load-it")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine; a name that only resolves to it is not trusted."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def main() -> None:
    """Load a game of its own, on the emulator unless told otherwise."""
    parser = Parser(
        prog="scripts/load",
        description=__doc__,
        examples=("scripts/load --rate 100 --duration 30 --shape spike",),
    )
    parser.add_argument("--rate", type=float, default=100, help="events a second (default: 100)")
    parser.add_argument("--duration", type=float, default=30, help="seconds (default: 30)")
    parser.add_argument("--shape", choices=SHAPES, default="steady")
    parser.add_argument("--game", help="a registered game (default: a new one)")
    parser.add_argument("--key", default=os.environ.get("GAME_KEY"), help="its API key (default: GAME_KEY)")
    parser.add_argument("--endpoint", help="URL of the REST API, where it is not on this machine")
    parser.add_argument("--yes-load-it", action="store_true", help="mean it: others may pay or suffer")
    options = parser.parse_args()
    if not (0 < options.rate <= MAX_RATE and 0 < options.duration <= MAX_SECONDS):
        parser.error(f"--rate is at most {MAX_RATE:,} a second, --duration {MAX_SECONDS:,} seconds")
    if sum(counts(options.shape, options.rate, options.duration)) > MAX_EVENTS:
        parser.error(f"these are more than {MAX_EVENTS:,} events")
    if options.game and not options.key:
        parser.error("--game needs --key, or GAME_KEY in the environment")
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(options.environment)
    if options.game:
        games.require(outputs, options.game)
    with httpx.Client() as api:
        platform = Platform(outputs, api)
        require_permission(platform.events_url, options.endpoint, options.yes_load_it)
        game, key = (options.game, options.key) if options.game else simulate.new_game(outputs)
        play(platform, game, key, options.shape, options.rate, options.duration)


if __name__ == "__main__":
    run(main)
