"""Receipts of corrections to live tables, which a restore of state applies again."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from player_state.buckets import Bucket
from privacy.erasure import Game
from telemetry import lake
from telemetry.corrections import PREFIX, ROW, Correction, object_name

from tools import CommandError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.client import S3Client

ADJUSTMENTS, REMOVALS = "corrections/counters", "corrections/leaderboards"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What was added to a live counter, and why. `day` is the ordinal of the day that is counted."""

    game_id: str
    corrected_at: str
    by: str
    reason: str
    period: str
    row: str
    day: int
    counter: str
    before: int
    added: int

    @property
    def key(self) -> str:
        """Return the key of its receipt in the lake."""
        name = object_name(f"{self.game_id}-{self.corrected_at}-{self.counter}")
        return f"{ADJUSTMENTS}/{name}.json"

    def apply(self, game_days: "Table") -> None:
        """Count it in an item of its own. Applied again, it changes nothing."""
        bucket = Bucket(self.period, self.row, self.day)
        game_days.put_item(
            Item={
                "game_day": f"{self.game_id}#{bucket.period}",
                "shard": f"{bucket.row}{ROW}-{self.corrected_at}-{self.counter}",
                self.counter: self.added,
                "updated_at": self.corrected_at,
                "expires_at": bucket.expires_at,
            }
        )


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed from a leaderboard. `board` is the entry's partition; `subject` hides the player."""

    game_id: str
    removed_at: str
    board_id: str
    period: str
    board: str
    subject: str
    score: str
    achieved_at: str
    expires_at: int | None = None

    @property
    def key(self) -> str:
        """Return the key of its receipt in the lake."""
        name = object_name(f"{self.game_id}-{self.removed_at}-{self.board_id}-{self.subject[:16]}")
        return f"{REMOVALS}/{name}.json"

    def apply(self, entries: "Table", player_id: str, *, again: bool = False) -> None:
        """Remove the entry, and mark that earlier scores no longer count. A second call changes nothing.

        Raises CommandError where the player has just scored. `again`: a restore leaves such an entry alone,
        because this removal had failed for that reason.
        """
        key = {"board": self.board, "player_id": player_id}
        before = entries.get_item(Key=key, ConsistentRead=True).get("Item", {})
        if str(before.get("removed_at", "")) >= self.removed_at:
            return
        version = int(str(before.get("version", 0)))
        expiry = {"expires_at": self.expires_at} if self.expires_at else {}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(board)"}
        if version:
            known = {":version": version}
            condition = {"ConditionExpression": "version = :version", "ExpressionAttributeValues": known}
        if str(before.get("achieved_at", "")) > self.removed_at:
            if again:
                return
            raise CommandError("the player has just scored: run the same command again")
        try:
            entries.put_item(
                Item={**key, **expiry, "removed_at": self.removed_at, "version": version + 1}, **condition
            )
        except entries.meta.client.exceptions.ConditionalCheckFailedException:
            raise CommandError("the player has just scored: run the same command again") from None


@dataclass(frozen=True, slots=True)
class Receipts:
    """The corrections of games: transactions that count no more, adjustments, and removals from boards."""

    games: Mapping[str, Game] = field(default_factory=dict)
    voids: tuple[Correction, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    removals: tuple[Removal, ...] = ()

    @classmethod
    def read(cls, s3: "S3Client", bucket: str, games: "Table", game_id: str | None) -> Self:
        """Read the receipts of a game, or of all, from the lake; `games` names their players."""

        def of(prefix: str) -> Iterator[str]:
            for key in lake.keys(s3, bucket, f"{prefix}/"):
                for line in lake.raw_lines(s3, bucket, key):
                    if game_id in (None, json.loads(line)["game_id"]):
                        yield line.decode()

        corrections = map(Correction.read, of(PREFIX))
        voids = tuple(one for one in corrections if one.transaction_id)
        removals = tuple(Removal(**json.loads(text)) for text in of(REMOVALS))
        named = {one.game_id for one in voids} | {one.game_id for one in removals}
        found = (games.get_item(Key={"game_id": name}).get("Item", {}) for name in named)
        return cls(
            {str(item["game_id"]): Game.of(dict(item)) for item in found if "privacy_key" in item},
            voids,
            tuple(Adjustment(**json.loads(text)) for text in of(ADJUSTMENTS)),
            removals,
        )

    def voids_of(self, game_id: str, player_id: str) -> list[Correction]:
        """Return the transactions of a player that count no more."""
        return [one for one in self.voids if self._is(one, game_id, player_id)]

    def removals_of(self, game_id: str, player_id: str) -> list[Removal]:
        """Return the removals of a player from boards."""
        return [one for one in self.removals if self._is(one, game_id, player_id)]

    def _is(self, receipt: Correction | Removal, game_id: str, player_id: str) -> bool:
        game = self.games.get(game_id)
        return game is not None and receipt.game_id == game_id and receipt.subject in game.names(player_id)


def keep(s3: "S3Client", bucket: str, receipt: Adjustment | Removal) -> str:
    """Store a receipt in the lake; return its key."""
    text = json.dumps(asdict(receipt))
    s3.put_object(Bucket=bucket, Key=receipt.key, Body=text.encode(), IfNoneMatch="*")
    return receipt.key
