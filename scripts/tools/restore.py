"""Bring back what was lost: objects of the lake, items of a table's backup, or state from the lake's events.

State (players, game days, leaderboards) is what player_state and leaderboards make of events. Bronze makes it
again, each event once, however often `state` is stopped and run again. Corrections are made again too.
"""

import argparse
import json
import os
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
import orjson
from leaderboards.entries import Leaderboards
from player_state.players import PlayerStore
from player_state.players import Record as StreamRecord
from privacy.data_stores import Record, record_of
from rich.console import Console
from telemetry import ad_spend, client_names, clients, lake
from telemetry.client_names import NameLimits, Names
from telemetry.enrichment import timestamp
from telemetry.event import EnrichedEvent

from tools import CommandError, Parser, emulator, games, infrastructure, run
from tools.corrections import Receipts
from tools.players import Platform

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.client import S3Client

LEDGER, STOPPED = "restored/state.json", "restored/stopped.json"
BEGIN_AGAIN = f"delete {LEDGER} of the lake, bring the backup back with `items`, and begin again"
# What is written together, for players and days change in one transaction.
PARTS = {"leaderboards": ("leaderboards",), "players": ("players", "game_days")}
CHUNK = 5_000
LANES = 8
POLL_SECONDS = 1
# A batch that was begun ends within the function's time limit; Firehose holds an event for so long at most.
DRAIN, SETTLE = timedelta(minutes=2), timedelta(minutes=15)
# Nobody knows which events about a moment were applied: all are again, and those that were are remembered.
OVERLAP = timedelta(minutes=1)
# Firehose files an object by the arrival of its oldest record. So the next hour may hold what was processed a
# little before, and this hour what was processed long after.
SPREAD = timedelta(minutes=30)
HOUR, LAST = "%Y/%m/%d/%H", "~"

console = Console()


@dataclass(frozen=True, slots=True)
class Scope:
    """What is restored: a game or all, a part or both, events processed since (left out: from the first)."""

    game: str | None = None
    only: str | None = None
    since: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts."""
        return (self.only,) if self.only else tuple(PARTS)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a restore is: events up to when, and how many of them are applied (None: old items remain).

    `last` names the last of these: where it stands no more, bronze has changed. `stopped` is when the
    readers of the stream stopped: if it is another time now, they have read on meanwhile.
    """

    scope: Scope
    until: str
    stopped: str
    applied: int | None = None
    last: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Remembers, beside the lake, the one restore that is not finished."""

    s3: "S3Client"
    bucket: str

    def read(self) -> Progress | None:
        """Return it, if there is one."""
        if LEDGER not in lake.keys(self.s3, self.bucket, LEDGER):
            return None
        (found,) = lake.lines(self.s3, self.bucket, LEDGER)
        return Progress(**{**found, "scope": Scope(**found["scope"])})

    def write(self, progress: Progress) -> None:
        """Remember it."""
        body = json.dumps(asdict(progress)).encode()
        self.s3.put_object(Bucket=self.bucket, Key=LEDGER, Body=body)

    def delete(self) -> None:
        """Have none any more."""
        self.s3.delete_object(Bucket=self.bucket, Key=LEDGER)


@dataclass(frozen=True, slots=True)
class Consumers:
    """player_state and leaderboards, which keep their places in the stream while they are stopped.

    `names` are those of their functions. An object beside the lake holds the mappings that were running, also
    while a restore that failed waits to go on. Whatever somebody else has disabled stays so.
    """

    functions: Any
    names: Sequence[str]
    s3: "S3Client"
    bucket: str
    drain: timedelta = DRAIN

    def limits(self) -> NameLimits:
        """Return how many names they count apart: a restore must count as they do."""
        limits: dict[str, int] = {}
        for name in self.names:
            found = self.functions.get_function_configuration(FunctionName=name)
            variables = found.get("Environment", {}).get("Variables", {})
            limits |= json.loads(variables.get("NAME_LIMITS", "{}"))
        return msgspec.convert(limits, NameLimits)

    def stop(self) -> datetime:
        """Have them read no more; return when the last one stopped."""
        if running := {mapping["UUID"] for mapping in self._mappings() if mapping["State"] != "Disabled"}:
            # They are noted first: where this is interrupted, the next run must know of them.
            body = json.dumps(sorted(running | self._stopped())).encode()
            self.s3.put_object(Bucket=self.bucket, Key=STOPPED, Body=body)
            self._switch(running, "Disabled")
            time.sleep(self.drain.total_seconds())
        return self.changed()

    def changed(self) -> datetime:
        """Return when the last one stopped or was started."""
        changed: datetime = max(mapping["LastModified"] for mapping in self._mappings())
        return changed

    def start(self) -> None:
        """Have those that were stopped read on from where they were."""
        self._switch(self._stopped(), "Enabled")
        self.s3.delete_object(Bucket=self.bucket, Key=STOPPED)

    def _stopped(self) -> set[str]:
        if STOPPED not in lake.keys(self.s3, self.bucket, STOPPED):
            return set()
        return {*json.loads(self.s3.get_object(Bucket=self.bucket, Key=STOPPED)["Body"].read())}

    def _mappings(self) -> "list[Record]":
        answers = [self.functions.list_event_source_mappings(FunctionName=name) for name in self.names]
        return [mapping for answer in answers for mapping in answer["EventSourceMappings"]]

    def _switch(self, uuids: set[str], state: str) -> None:
        for mapping in self._mappings():
            if mapping["UUID"] in uuids and mapping["State"] != state:
                self.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=state == "Enabled")
        while any(one["State"] != state for one in self._mappings() if one["UUID"] in uuids):
            time.sleep(POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was corrected in the tables that are restored, and is corrected again."""

    receipts: Receipts
    tables: "dict[str, Table]"
    platform: Platform
    scope: Scope
    _met: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Adjust counters, and remove from boards whoever the restored items of a backup hold."""
        if "players" in self.scope.parts:
            for adjustment in self.receipts.adjustments:
                adjustment.apply(self.tables["game_days"])
        if "leaderboards" in self.scope.parts and self.receipts.removals:
            for item in items(self.tables["leaderboards"], self.scope.game):
                self._remove(str(item["board"]).partition("#")[0], str(item["player_id"]))

    def remove(self, chunk: Iterable[EnrichedEvent]) -> None:
        """Mark on the boards who was removed, before the scores of the chunk count."""
        if not self.receipts.removals:
            return
        scored = {(e["game_id"], e["player_id"]) for e in chunk if e["event_type"] == "score_submitted"}
        for game_id, player_id in scored:
            self._remove(game_id, player_id)

    def is_void(self, event: EnrichedEvent) -> bool:
        """Tell whether an event is a purchase that was taken back."""
        found = [
            correction
            for correction in self.receipts.voids
            if correction.voids(event)
            and correction in self.receipts.voids_of(correction.game_id, event["player_id"])
        ]
        self._met.update(correction.key for correction in found)
        return bool(found)

    def end(self, *, saw_all: bool) -> None:
        """Have purchases that the items of a backup hold count no more, where they were taken back since.

        Tell of corrections whose player was not found, if this run saw all events.
        """
        wanted: list[str] = []
        if "players" in self.scope.parts:
            wanted += [correction.key for correction in self.receipts.voids]
            if self.scope.since and self.receipts.voids:
                self._void_held()
        if "leaderboards" in self.scope.parts:
            wanted += [removal.key for removal in self.receipts.removals]
        for key in sorted({*wanted} - self._met) if saw_all else []:
            why = "its player was not found, or the game's privacy_key is new"
            console.print(f"{key} is not made again: {why}", soft_wrap=True)

    def _void_held(self) -> None:
        for item in items(self.tables["players"], self.scope.game):
            game_id, _, player_id = str(item["player"]).partition("#")
            for correction in self.receipts.voids_of(game_id, player_id):
                self._met.add(correction.key)
                self.platform.void_again(correction, player_id)

    def _remove(self, game_id: str, player_id: str) -> None:
        for removal in self.receipts.removals_of(game_id, player_id):
            self._met.add(removal.key)
            removal.apply(self.tables["leaderboards"], player_id, again=True)


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore of state from bronze. `tables` are the names by what they hold."""

    ledger: Ledger
    consumers: Consumers
    tables: dict[str, str]
    settle: timedelta = SETTLE
    limits: NameLimits = field(default_factory=NameLimits)

    def run(self, scope: Scope, until: str | None = None) -> int:
        """Take the scope's items away, unless they are the ones of `since`, and apply what bronze has.

        Goes on where it was stopped. Returns how many events were applied.
        Raises CommandError where another restore is not finished, or events could not be written.
        """
        progress = self.ledger.read()
        if progress and progress.scope != scope:
            raise CommandError(f"a restore of {progress.scope} is not finished: {LEDGER} of the lake")
        stopped = self.consumers.stop()
        if progress and progress.stopped != timestamp(stopped):
            # What they have read is in the items, and later than what is still to be applied.
            if scope.since and progress.applied is not None:
                raise CommandError(f"a reader was started since this restore was stopped: {BEGIN_AGAIN}")
            console.print("A reader was started since this restore was stopped: it begins again.")
            progress = None
        if not progress:
            progress = Progress(scope, until or timestamp(stopped + OVERLAP), timestamp(stopped))
            self.ledger.write(progress)
        settled = stopped + self.settle
        time.sleep(max(0.0, (settled - datetime.now(UTC)).total_seconds()))
        if progress.applied and not self._goes_on(progress):
            if scope.since:
                raise CommandError(f"bronze has changed since this restore was stopped: {BEGIN_AGAIN}")
            console.print("Bronze has changed since this restore was stopped: it begins again.")
            progress = replace(progress, applied=None)
        if progress.applied is None:
            for name in [] if scope.since else [name for part in scope.parts for name in PARTS[part]]:
                table = boto3.resource("dynamodb").Table(self.tables[name])
                clear_counted(table, scope.game, keeps_boards="leaderboards" not in scope.parts)
            progress = replace(progress, applied=0, last="")
            self.ledger.write(progress)
        progress = self._apply(progress)
        if self.consumers.changed() != stopped:
            raise CommandError("a reader was started while this restore ran: run the same command again")
        self.consumers.start()
        self.ledger.delete()
        return progress.applied or 0

    def _goes_on(self, progress: Progress) -> bool:
        """Tell whether bronze has the applied events still: others would be taken for them."""
        applied = progress.applied or 0
        found = next(islice(self._events(progress), applied - 1, None), None)
        return found is not None and _name(found) == progress.last

    def _apply(self, progress: Progress) -> Progress:
        """Apply chunk after chunk, and what was corrected.

        A chunk or a correction that is applied twice changes nothing: the tables remember it.
        """
        dynamodb, tables, applied = clients.client("dynamodb"), self.tables, progress.applied or 0
        corrected, begun = self._corrected(progress.scope), applied

        def write(lane: str, records: list[StreamRecord]) -> list[EnrichedEvent]:
            store = PlayerStore(
                dynamodb, tables["players"], tables["game_days"], self.limits, is_void=corrected.is_void
            )
            return store.apply(records, lane).lost

        names = Names(dynamodb, tables["game_days"], self.limits)
        boards = Leaderboards(dynamodb, tables["leaderboards"], tables["boards"], names, consistent=True)
        corrected.begin()
        events = islice(self._events(progress), applied, None)
        with ThreadPoolExecutor(LANES) as pool:
            while chunk := list(islice(events, CHUNK)):
                lost = list[EnrichedEvent]()
                if "players" in progress.scope.parts:
                    lanes = _lanes(enumerate(chunk, applied), progress.until)
                    for failed in pool.map(write, lanes, lanes.values()):
                        lost += failed
                if "leaderboards" in progress.scope.parts:
                    corrected.remove(chunk)
                    lost += boards.submit(chunk)
                if lost:
                    raise CommandError(f"{len(lost)} events could not be written: run the same command again")
                applied += len(chunk)
                progress = replace(progress, applied=applied, last=_name(chunk[-1]))
                self.ledger.write(progress)
                console.print(f"{chunk[-1]['processed_at']}  {applied:,} events", highlight=False)
        corrected.end(saw_all=not begun)
        return replace(progress, applied=applied)

    def _corrected(self, scope: Scope) -> "Corrected":
        dynamodb = boto3.resource("dynamodb")
        receipts = Receipts.read(
            self.ledger.s3, self.ledger.bucket, dynamodb.Table(self.tables["games"]), scope.game
        )
        tables = {name: dynamodb.Table(self.tables[name]) for name in sum(PARTS.values(), ())}
        return Corrected(receipts, tables, Platform(self.tables, self.ledger.bucket, ""), scope)

    def _events(self, progress: Progress) -> Iterator[EnrichedEvent]:
        """Yield the scope's events in the order they were processed in, over the hours of bronze."""
        s3, bucket, scope = self.ledger.s3, self.ledger.bucket, progress.scope
        since = datetime.fromisoformat(scope.since) if scope.since else None
        held = Spool()
        keys = lake.keys(s3, bucket, "bronze/", since)
        for hour, found in groupby(keys, lambda key: key.removeprefix("bronze/").rpartition("/")[0]):
            for line in (line for key in found for line in lake.raw_lines(s3, bucket, key)):
                event = record_of(line)
                if not event or scope.game not in (None, event["game_id"]):
                    continue
                if (scope.since or "") <= event["processed_at"] <= progress.until:
                    held.add(event, line)
            ended = datetime.strptime(hour, HOUR).replace(tzinfo=UTC) + timedelta(hours=1)
            edge = timestamp(ended - SPREAD)
            yield from held.before(edge)
            held = held.rest(edge)
        yield from held.before(LAST)


class Spool:
    """Events on disk, each once. Only times, places and names are held in memory: 450 bytes an event."""

    def __init__(self) -> None:
        """Begin with none."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it goes with the spool
        self._names: dict[tuple[str, str], tuple[str, int]] = {}

    def add(self, event: Record, line: bytes) -> None:
        """Keep an event."""
        self._keep((event["game_id"], event["event_id"]), event["processed_at"], line.rstrip(b"\n") + b"\n")

    def before(self, moment: str) -> Iterator[EnrichedEvent]:
        """Yield those that were processed before a moment, in that order."""
        for processed, place in sorted(self._names.values()):
            if processed < moment:
                yield orjson.loads(self._line(place))

    def rest(self, moment: str) -> "Spool":
        """Return the others, and give up this one's place on the disk."""
        rest = Spool()
        for name, (processed, place) in self._names.items():
            if processed >= moment:
                rest._keep(name, processed, self._line(place))
        self._file.close()
        return rest

    def _keep(self, name: tuple[str, str], processed: str, line: bytes) -> None:
        if name not in self._names:
            self._names[name] = (processed, self._file.seek(0, os.SEEK_END))
            self._file.write(line)

    def _line(self, place: int) -> bytes:
        self._file.seek(place)
        return self._file.readline()


def _name(event: EnrichedEvent) -> str:
    return f"{event['processed_at']} {event['game_id']} {event['event_id']}"


def _lanes(events: Iterable[tuple[int, EnrichedEvent]], until: str) -> dict[str, list[StreamRecord]]:
    """Return events by lane, all of a player in one: each lane has counters of its own, as a shard has.

    Events are numbered from the restore's first one on, and each restore has lanes of its own.
    """
    lanes: dict[str, list[StreamRecord]] = defaultdict(list)
    for number, event in events:
        player = f"{event['game_id']}#{event['player_id']}"
        lane = f"restored-{until}-{zlib.crc32(player.encode()) % LANES}"
        lanes[lane].append(StreamRecord(number, event))
    return lanes


def clear(table: "Table", game: str | None) -> None:
    """Delete a table's items, or those of a game."""
    _delete(table, items(table, game))


def clear_counted(table: "Table", game: str | None, *, keeps_boards: bool) -> None:
    """Delete what events have made of a table, or of a game in it: costs that were uploaded stay.

    `keeps_boards` is for a restore that leaves boards alone: which of them a game has stays as well.
    """
    partition = table.key_schema[0]["AttributeName"]

    def stays(key: str) -> bool:
        return ad_spend.holds_costs(key) or (keeps_boards and client_names.holds_boards(key))

    _delete(table, (item for item in items(table, game) if not stays(str(item[partition]))))


def _delete(table: "Table", found: Iterable[Record]) -> None:
    with table.batch_writer() as batch:
        for item in found:
            batch.delete_item(
                Key={key["AttributeName"]: item[key["AttributeName"]] for key in table.key_schema}
            )


def copy(source: "Table", target: "Table", game: str | None) -> int:
    """Replace a table's items, or those of a game, by another's; return how many there are now."""
    clear(target, game)
    count = 0
    with target.batch_writer() as batch:
        for item in items(source, game):
            batch.put_item(Item=item)
            count += 1
    return count


def items(table: "Table", game: str | None) -> Iterator[Record]:
    """Yield the items whose partition key is a game, or begins with one."""
    partition = table.key_schema[0]["AttributeName"]
    for page in table.meta.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True):
        for item in page["Items"]:
            if game in (None, str(item[partition]).partition("#")[0]):
                yield item


def undelete(s3: "S3Client", bucket: str, prefix: str, since: datetime) -> Iterator[str]:
    """Yield the keys below a prefix that were deleted since, each brought back as it was."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for marker in page.get("DeleteMarkers", []):
            if marker["IsLatest"] and marker["LastModified"] >= since:
                s3.delete_object(Bucket=bucket, Key=marker["Key"], VersionId=marker["VersionId"])
                yield marker["Key"]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="scripts/restore",
        description=__doc__,
        examples=(
            "scripts/restore objects --prefix bronze/2026/01/30/ --since 2026-01-30T12:00:00Z",
            "scripts/restore state --since 2026-01-30T12:00:00Z --game my-game",
        ),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    objects = commands.add_parser("objects", help="bring back objects of the lake that were deleted")
    objects.add_argument("--prefix", required=True, help="bronze/2026/01/30/, for example")
    objects.add_argument("--since", type=_moment, required=True, help="deleted then or later (ISO 8601, UTC)")
    backup = commands.add_parser("items", help="replace a table's items by those of its restored backup")
    backup.add_argument("--table", required=True, help="players, game_days, leaderboards, games, boards …")
    backup.add_argument("--backup", required=True, help="name of the table that the backup was restored to")
    state = commands.add_parser("state", help="make players, game days and leaderboards again from bronze")
    state.add_argument("--only", choices=sorted(PARTS), help="players (with game days) or leaderboards")
    state.add_argument("--since", type=_moment, help="the moment of the backup that `items` brought back")
    state.add_argument("--until", type=_moment, help="up to when both functions have read (default: now)")
    for command in (backup, state):
        command.add_argument("--game", help="only this game's")
    return parser


def main() -> None:
    """Restore what the command line says."""
    options = _parser().parse_args()
    local = options.environment == "local"
    if local:
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(options.environment)
    if options.command == "state" and options.game:
        games.require(outputs, options.game)
    s3, dynamodb, bucket, tables = (
        boto3.client("s3"), boto3.resource("dynamodb"), outputs["lake_bucket"], outputs["tables"],
    )  # fmt: skip
    drain, settle = (timedelta(seconds=2), timedelta(0)) if local else (DRAIN, SETTLE)
    consumers = Consumers(boto3.client("lambda"), outputs["state_functions"], s3, bucket, drain)
    match options.command:
        case "objects":
            count = sum(1 for _ in undelete(s3, bucket, options.prefix, options.since))
            console.print(f"{count:,} objects are back")
        case "items":
            if options.table in sum(PARTS.values(), ()):
                consumers.stop()
                console.print("Readers of events are stopped: `state --since` the backup starts them again")
            target = dynamodb.Table(tables[options.table])
            count = copy(dynamodb.Table(options.backup), target, options.game)
            console.print(f"{count:,} items are back")
        case "state":
            since = timestamp(options.since - OVERLAP) if options.since else None
            until = timestamp(options.until) if options.until else None
            restore = Restore(Ledger(s3, bucket), consumers, tables, settle, consumers.limits())
            count = restore.run(Scope(options.game, options.only, since), until)
            console.print(f"{count:,} events are applied; the functions that were stopped read on")


if __name__ == "__main__":
    run(main)
