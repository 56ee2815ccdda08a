"""Show a game's events as they arrive, and why events are refused. Ends with Ctrl+C."""

import base64
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError
from processor.arrival import Arrival, arrivals
from processor.triage import SEALED, triage
from telemetry.email_masking import mask
from telemetry.enrichment import timestamp
from telemetry.games import GameRegistry

from tools import CommandError, Parser, emulator, run, terraform

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

# A shard answers five reads a second, and the processor needs one.
PAUSE_SECONDS = 1.0


@dataclass
class Follower:
    """Reads a stream from now on. `iterators` holds a place in each shard, None where it has ended."""

    kinesis: "KinesisClient"
    stream: str
    iterators: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin at the end of each shard."""
        self._find("LATEST")

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield what has come since the last call, as Lambda's event source hands records over."""
        has_ended = False
        for shard, iterator in [*self.iterators.items()]:
            if iterator is None:
                continue
            try:
                answer = self.kinesis.get_records(ShardIterator=iterator)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ProvisionedThroughputExceededException":
                    raise
                # Others read the shard too. The next call begins at the same place.
                continue
            self.iterators[shard] = answer.get("NextShardIterator")
            has_ended |= self.iterators[shard] is None
            for record in answer["Records"]:
                kinesis = {
                    "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
                    "data": base64.b64encode(record["Data"]).decode(),
                    "partitionKey": record["PartitionKey"],
                    "sequenceNumber": record["SequenceNumber"],
                }
                yield {"eventID": f"{shard}:{record['SequenceNumber']}", "kinesis": kinesis}
        if has_ended:
            self._find("TRIM_HORIZON")

    def _find(self, start: Any) -> None:
        """Add the shards that are not known; a stream that scales closes shards and opens others."""
        for page in self.kinesis.get_paginator("list_shards").paginate(StreamName=self.stream):
            for shard in page["Shards"]:
                name = shard["ShardId"]
                if name not in self.iterators:
                    answer = self.kinesis.get_shard_iterator(
                        StreamName=self.stream, ShardId=name, ShardIteratorType=start
                    )
                    self.iterators[name] = answer["ShardIterator"]


def described(arrival: Arrival) -> str:
    """Return the line of a judged event. Of a game with pseudonyms it holds no more than is stored."""
    if arrival.event:
        verdict, player = "taken", str(arrival.event["player_id"])
    elif arrival.rejection:
        verdict, player = "refused", "-" if arrival.pseudonyms else arrival.text("player_id") or "-"
    else:
        # Without consent, nothing of an event may be shown but that it came.
        return f"{timestamp(arrival.origin.received_at)}  withheld  {arrival.origin.source}"
    words = [
        timestamp(arrival.origin.received_at),
        f"{verdict:8}",
        arrival.origin.source,
        mask(arrival.text("event_type") or "-"),
        mask(player),
        mask(arrival.text("event_id") or "-"),
    ]
    if rejection := arrival.rejection:
        message = SEALED if arrival.pseudonyms else mask(rejection.message)
        words.append(f"{rejection.reason.value} at {mask(rejection.pointer) or '/'}: {message}")
    # Clients choose these texts, and some characters would steer the terminal.
    return "".join(letter if letter.isprintable() else "?" for letter in "  ".join(words))


def judged(record: dict[str, Any], registry: GameRegistry) -> list[Arrival]:
    """Return the events of a record as the processor judges them, except that it also finds duplicates."""
    found = list(arrivals(record))
    triage(found, registry)
    return found


def is_wanted(arrival: Arrival, game: str, player: str | None, refused: bool) -> bool:
    """Tell whether an event is of the game, and fits what else the user asked for."""
    if game not in (arrival.claimed_game or arrival.presumed_game, arrival.game):
        return False
    if refused and not arrival.rejection:
        return False
    seen = arrival.event["player_id"] if arrival.event else arrival.text("player_id")
    return player is None or player == seen


def main() -> None:
    """Follow the raw stream of an environment."""
    parser = Parser(prog="scripts/tail", description=__doc__)
    parser.add_argument("--game", required=True, help="show this game's events")
    parser.add_argument("--player", help="only this player's; the pseudonym where the game has them")
    parser.add_argument("--refused", action="store_true", help="only events that are refused")
    options = parser.parse_args()
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = terraform.outputs(terraform.root(options.environment))
    registry = GameRegistry(boto3.resource("dynamodb"), outputs["tables"]["games"])
    if registry.get(options.game) is None:
        raise CommandError(f"no game {options.game!r} is registered: scripts/games list")
    follower = Follower(boto3.client("kinesis"), outputs["raw_stream_name"])
    print(f"Following {options.game}. Send an event.", flush=True)
    while True:
        for record in follower.read():
            for arrival in judged(record, registry):
                if is_wanted(arrival, options.game, options.player, options.refused):
                    print(described(arrival), flush=True)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    run(main)
