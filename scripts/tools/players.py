"""Correct what was counted wrongly: a fake purchase, wrong events, a wrong counter.

Each command shows what it will change, asks, and keeps a receipt in the lake. Raw events stay.
"""

import argparse
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import boto3
from player_state import buckets
from player_state.buckets import Bucket
from player_state.corrections import Changes, CorrectedPlayers, counted
from player_state.projection import Projection
from telemetry.corrections import Correction
from telemetry.enrichment import timestamp
from telemetry.player_item import Player, moment
from telemetry.store import numbers, plain

from tools import CommandError, Parser, confirmed, corrections, emulator, games, infrastructure, run
from tools.corrections import Adjustment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True)
class Plan:
    """What a correction does: in words, in the history, to live counters, and to a player's item."""

    words: str
    correction: Correction
    changes: Changes = field(default_factory=dict)
    player: Player | None = None


@dataclass(frozen=True, slots=True)
class Platform:
    """An environment's tables by what they hold, its lake, and who corrects."""

    tables: Mapping[str, str]
    bucket: str
    by: str

    def void_purchase(
        self,
        game_id: str,
        player_id: str,
        store: str,
        transaction_id: str,
        reason: str,
        day: date | None = None,
    ) -> Plan:
        """Plan that a store transaction counts no more. Raises CommandError where nobody knows its day."""
        game = games.named(self._table("games"), game_id)
        player = self._players.read(game_id, str(game.subject(player_id).ids[-1]))
        projection = Projection(player, lambda event, kind, name: name)
        payment = projection.void(store, transaction_id)
        if payment:
            paid_at = moment(payment.at_ms)
            words = f"{payment.amount} {payment.currency} in minor units, paid at {paid_at}"
            days = (paid_at[:10],)
        elif day:
            words = "a transaction that live figures do not know: it changes the history, and never counts"
            days = (day.isoformat(),)
        else:
            raise CommandError(
                f"{player_id} has no such transaction among the last ones: check the ids, or give --day to "
                "correct the history alone"
            )
        changes = counted(projection)
        correction = Correction(
            game_id,
            timestamp(datetime.now(UTC)),
            self.by,
            reason,
            days,
            store=store,
            transaction_id=transaction_id,
            subject=game.name(player_id),
            changes={
                f"{bucket.period}#{bucket.row}".rstrip("#"): dict(counts)
                for bucket, counts in changes.items()
            },
        )
        return Plan(words, correction, changes, player)

    def void_events(self, game_id: str, event_ids: Sequence[str], day: date, reason: str) -> Plan:
        """Plan that events of a day count no more in the history: `adjust` is for live counters.

        Raises CommandError for what is no event id.
        """
        games.named(self._table("games"), game_id)
        try:
            ids = tuple(sorted({str(UUID(one)) for one in event_ids}))
        except ValueError:
            raise CommandError("an event_id is a UUID") from None
        now = timestamp(datetime.now(UTC))
        correction = Correction(game_id, now, self.by, reason, (day.isoformat(),), event_ids=ids)
        return Plan(f"{len(ids)} events, in the history alone", correction)

    def apply(self, plan: Plan) -> str:
        """Keep the receipt, by which the history follows, then correct live figures; return its key.

        Raises CommandError where the player's item changed since the plan was made.
        """
        key, body = plan.correction.key, plan.correction.text.encode()
        boto3.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        if plan.player:
            self._write(plan.player, plan.changes)
        return key

    def adjustment(self, game_id: str, bucket: Bucket, counter: str, added: int, reason: str) -> Adjustment:
        """Plan to add to a live counter.

        Raises CommandError for a counter that the day does not have, or that would fall below zero.
        """
        games.named(self._table("games"), game_id)
        counted = self.counted(game_id, bucket)
        if counter not in counted:
            raise CommandError(f"there is no such counter: there are {', '.join(sorted(counted)) or 'none'}")
        before, now = counted[counter], timestamp(datetime.now(UTC))
        if before + added < 0:
            raise CommandError(f"{counter} is {before} and cannot fall by {-added}")
        place = (bucket.period, bucket.row, bucket.day)
        return Adjustment(game_id, now, self.by, reason, *place, counter, before, added)

    def adjust(self, adjustment: Adjustment) -> str:
        """Keep the receipt, then add to the counter; return the receipt's key.

        Where the counter cannot be changed the receipt goes again: a restore would count it.
        """
        s3 = boto3.client("s3")
        key = corrections.keep(s3, self.bucket, adjustment)
        try:
            adjustment.apply(self._table("game_days"))
        except Exception:
            s3.delete_object(Bucket=self.bucket, Key=key)
            raise
        return key

    def void_again(self, correction: Correction, player_id: str) -> None:
        """Have a store transaction of a player, who is named as tables do, count no more."""
        player = self._players.read(correction.game_id, player_id)
        projection = Projection(player, lambda event, kind, name: name)
        projection.void(correction.store, correction.transaction_id)
        self._write(player, counted(projection))

    def counted(self, game_id: str, bucket: Bucket) -> Counter[str]:
        """Return the counters of a bucket over all shards."""
        pages = (
            boto3.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.tables["game_days"],
                KeyConditionExpression="game_day = :day",
                ExpressionAttributeValues={":day": {"S": f"{game_id}#{bucket.period}"}},
                ConsistentRead=True,
            )
        )
        found: Counter[str] = Counter()
        for row in (plain(dict(item)) for page in pages for item in page["Items"]):
            if row["shard"].startswith(bucket.row):
                found.update(numbers(row))
        return found

    def _table(self, name: str) -> "Table":
        return boto3.resource("dynamodb").Table(self.tables[name])

    @property
    def _players(self) -> CorrectedPlayers:
        return CorrectedPlayers(boto3.client("dynamodb"), self.tables["players"], self.tables["game_days"])

    def _write(self, player: Player, changes: Changes) -> None:
        """Change counters and player together, or nothing."""
        if not self._players.write(player, changes):
            raise CommandError("the player has just played: run the same command again")


def _bucket(day: date, level: str | None, flow: str | None) -> Bucket:
    """Return where the command line says that something is counted."""
    if level:
        return buckets.of_level(day.isoformat(), level)
    return buckets.of_flow(day.isoformat(), flow) if flow else buckets.of_day(day.isoformat())


def _open(environment: str, game_id: str) -> Platform:
    """Return an environment. Raises CommandError where it has no such game."""
    if environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(environment)
    games.require(outputs, game_id)
    by = boto3.client("sts").get_caller_identity()["Arn"]
    return Platform(outputs["tables"], outputs["lake_bucket"], by)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="scripts/players",
        description=__doc__,
        examples=(
            "scripts/players void-purchase my-game p-42 apple 1000000123 --reason 'Refunded by hand'",
            "scripts/players adjust my-game 2026-01-30 revenue_EUR -499 --reason 'Counted twice'",
        ),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command, effect in {
        "void-purchase": "a store transaction counts no more: live figures at once, the history with a run",
        "void-events": "events count no more in the history from its next run on",
        "adjust": "add to a live counter of a day; a negative number takes away",
    }.items():
        one = commands.add_parser(command, help=effect)
        one.add_argument("game_id")
        one.add_argument("--reason", required=True, help="kept in the receipt: name nobody")
        one.add_argument("--yes", action="store_true", help="do not ask")
    purchase = commands.choices["void-purchase"].add_argument
    purchase("player_id", help="the id as the game sends it")
    purchase("store", help="apple, google, …")
    purchase("transaction_id")
    purchase("--day", type=date.fromisoformat, help="UTC day of a purchase that live figures do not know")
    events = commands.choices["void-events"].add_argument
    events("event_ids", nargs="+", metavar="event_id")
    events("--day", type=date.fromisoformat, required=True, help="the events' event_date")
    adjust = commands.choices["adjust"].add_argument
    adjust("day", type=date.fromisoformat, help="UTC day")
    adjust("counter", help="revenue_EUR, for example; a wrong name is answered with those there are")
    adjust("by", type=int)
    place = commands.choices["adjust"].add_mutually_exclusive_group()
    place.add_argument("--level", help="the counter of a level, not of the day")
    place.add_argument("--flow", help="the counter of a flow of a currency, as currency#reason")
    return parser


def main() -> None:
    """Do what the command line says."""
    options = _parser().parse_args()
    platform = _open(options.environment, options.game_id)
    if options.command == "adjust":
        bucket = _bucket(options.day, options.level, options.flow)
        change = platform.adjustment(options.game_id, bucket, options.counter, options.by, options.reason)
        told = f"{change.counter} of {change.period}: {change.before} becomes {change.before + change.added}"
        if not options.yes and not confirmed(told, options.game_id):
            raise CommandError("nothing was changed")
        key = platform.adjust(change)
    else:
        plan = (
            platform.void_events(options.game_id, options.event_ids, options.day, options.reason)
            if options.command == "void-events"
            else platform.void_purchase(
                options.game_id,
                options.player_id,
                options.store,
                options.transaction_id,
                options.reason,
                options.day,
            )
        )
        if not options.yes and not confirmed(f"Counts no more: {plan.words}", options.game_id):
            raise CommandError("nothing was changed")
        key = platform.apply(plan)
    print(f"corrected: {key}")


if __name__ == "__main__":
    run(main)
