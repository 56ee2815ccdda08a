"""The entries of leaderboards: right whatever the order of the scores, and once whatever comes twice."""

import hashlib
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from telemetry import boards, items
from telemetry.boards import Board, Operator, Period
from telemetry.client_names import Names, TooBusyError
from telemetry.clients import CONNECTIONS
from telemetry.consent import is_child
from telemetry.event import EnrichedEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ATTEMPTS = 6
CACHE_SECONDS = 30
DIGEST_BYTES = 8
REMEMBERED_SCORES = 256

Key = tuple[str, str]

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a player on a board: the score, since when, and which events made it.

    `event_id` tells apart scores that were set in the same millisecond; `applied` are the digests
    of the events added up last, so that none is added twice. `unchanged`: only zeros were added to a sum so
    far. `removed_at` is when somebody removed the entry: scores from before that moment do not count.
    """

    score: int = 0
    achieved_at: str = ""
    event_id: str = ""
    applied: tuple[bytes, ...] = ()
    version: int = 0
    removed_at: str = ""
    unchanged: bool = False

    def after(self, board: Board, event: EnrichedEvent) -> "Entry":
        """Return the entry with one more score; itself where that changes nothing."""
        score, moment = int(event["payload"]["score"]), event["corrected_time"]
        if moment <= self.removed_at:
            return self
        match board.operator:
            case Operator.BEST:
                better = replace(self, score=score, achieved_at=moment)
                return better if not self.achieved_at or better._rank(board) < self._rank(board) else self
            case Operator.SET:
                is_later = (moment, event["event_id"]) > (self.achieved_at, self.event_id)
                latest = replace(self, score=score, achieved_at=moment, event_id=event["event_id"])
                return latest if is_later else self
        digest = hashlib.blake2b(event["event_id"].encode(), digest_size=DIGEST_BYTES).digest()
        if digest in self.applied:
            return self
        added = replace(self, applied=(*self.applied, digest))
        if score:
            change = score if board.operator is Operator.INCREMENT else -score
            since = moment if self.unchanged else max(self.achieved_at, moment)
            return replace(added, score=self.score + change, achieved_at=since, unchanged=False)
        if not self.achieved_at or self.unchanged:
            return replace(added, achieved_at=min(self.achieved_at or moment, moment), unchanged=True)
        return added

    def _rank(self, board: Board) -> str:
        return board.rank_key(self.score, self.achieved_at, "")

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> "Entry":
        """Return what an item holds."""
        applied = item.get("applied", {"B": b""})["B"]
        return cls(
            score=int(item.get("score", {"N": "0"})["N"]),
            achieved_at=item.get("achieved_at", {"S": ""})["S"],
            event_id=item.get("event_id", {"S": ""})["S"],
            applied=tuple(applied[i : i + DIGEST_BYTES] for i in range(0, len(applied), DIGEST_BYTES)),
            version=int(item["version"]["N"]),
            removed_at=item.get("removed_at", {"S": ""})["S"],
            unchanged="unchanged" in item,
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a batch for one entry."""

    board: Board
    period: Period
    player_id: str
    events: list[EnrichedEvent] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """Partition and player."""
        return self.board.partition(self.period, self.player_id), self.player_id

    def added_to(self, before: Entry) -> Entry:
        """Return the entry with the scores; itself where they change nothing.

        At least the events of one batch stay remembered, so that its retry is recognised.
        """
        entry = before
        for event in self.events:
            entry = entry.after(self.board, event)
        remembered = max(REMEMBERED_SCORES, len(self.events))
        return entry if entry == before else replace(entry, applied=entry.applied[-remembered:])

    def item(self, entry: Entry) -> dict[str, Any]:
        """Return the item that replaces the entry's."""
        partition, player_id = self.key
        rank_key = self.board.rank_key(entry.score, entry.achieved_at, player_id)
        expires_at = self.board.expires_at(self.period)
        return {
            "board": {"S": partition},
            "player_id": {"S": player_id},
            "rank_key": {"S": rank_key},
            "score": {"N": str(entry.score)},
            "achieved_at": {"S": entry.achieved_at},
            "version": {"N": str(entry.version + 1)},
            **({"event_id": {"S": entry.event_id}} if entry.event_id else {}),
            **({"removed_at": {"S": entry.removed_at}} if entry.removed_at else {}),
            **({"unchanged": {"BOOL": True}} if entry.unchanged else {}),
            **({"applied": {"B": b"".join(entry.applied)}} if entry.applied else {}),
            **({"expires_at": {"N": str(expires_at)}} if expires_at else {}),
        }


@dataclass(slots=True)
class Leaderboards:
    """Writes the leaderboards table (low-level DynamoDB client).

    An entry is replaced on the condition that it is as it was read, so writers may run at once.
    Definitions are remembered for 30 seconds. `names` limits boards without a definition; `capped` are the
    scores of the last batch that have no board for this reason. `consistent` is for who has just deleted
    entries: a read that is not consistent may still see them.
    """

    dynamodb: "DynamoDBClient"
    table: str
    boards_table: str
    names: Names
    consistent: bool = False
    capped: int = 0
    _defined: dict[str, tuple[float, list[Board]]] = field(default_factory=dict)

    def submit(self, events: Iterable[EnrichedEvent]) -> list[EnrichedEvent]:
        """Add the scores among the events to every board they feed; return those not written everywhere."""
        scores = [e for e in events if e["event_type"] == "score_submitted" and not is_child(e)]
        try:
            entries = self._by_entry(scores)
            items = dict(self._read(entries, consistent=self.consistent))
        except (ClientError, BotoCoreError, TooBusyError):
            logger.exception("Leaderboards could not be read", extra={"scores": len(scores)})
            return scores
        # A game waits for those with fewer entries only, as with players.
        sizes = Counter(scored.board.game_id for scored in entries.values())
        ordered = sorted(entries, key=lambda key: sizes[entries[key].board.game_id])
        with ThreadPoolExecutor(CONNECTIONS // 2) as pool:
            written = pool.map(lambda key: self._keep(entries[key], items.get(key)), ordered)
            failed = [key for key, done in zip(ordered, written, strict=True) if not done]
        lost = {event["event_id"] for key in failed for event in entries[key].events}
        return [event for event in scores if event["event_id"] in lost]

    def _by_entry(self, scores: list[EnrichedEvent]) -> dict[Key, Scores]:
        entries: dict[Key, Scores] = {}
        self.capped = 0
        for event in scores:
            game_id, name = event["game_id"], event["payload"]["leaderboard"]
            day = date.fromisoformat(event["corrected_time"][:10])
            for board in boards.fed_by(self._boards(game_id), game_id, name):
                if not board.is_defined and not self.names.admit_board(game_id, name):
                    self.capped += 1
                    continue
                period = board.period(day)
                taken = event.get("verified") or not board.verified_only
                if period and taken and board.takes(period, event["received_at"]):
                    scored = Scores(board, period, event["player_id"])
                    entries.setdefault(scored.key, scored).events.append(event)
        return entries

    def _boards(self, game_id: str) -> list[Board]:
        read_at, known = self._defined.get(game_id, (0.0, []))
        if not read_at or time.monotonic() - read_at > CACHE_SECONDS:
            known = boards.defined(self.dynamodb, self.boards_table, game_id)
            self._defined[game_id] = time.monotonic(), known
        return known

    def _read(self, keys: Iterable[Key], *, consistent: bool) -> Iterator[tuple[Key, Any]]:
        """Yield the entries that exist. What is not read consistently costs half, and may be a moment old.

        An older entry does no harm: it is replaced only if its version is the one that was read, and a score
        that changes nothing of it changes nothing of a newer one. A deleted one does: see `consistent`.
        """
        wanted = ({"board": {"S": partition}, "player_id": {"S": player}} for partition, player in keys)
        for item in items.read(self.dynamodb, self.table, wanted, ConsistentRead=consistent):
            yield (item["board"]["S"], item["player_id"]["S"]), item

    def _keep(self, scores: Scores, item: Any) -> bool:
        """Write an entry, reading it again as often as another writer was faster."""
        try:
            for attempt in range(ATTEMPTS):
                before = Entry.of(item) if item else Entry()
                entry = scores.added_to(before)
                if entry == before or self._replaced(scores, entry):
                    return True
                time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter
                item = dict(self._read([scores.key], consistent=True)).get(scores.key)
            logger.error("An entry changes too often", extra={"board": scores.board.board_id})
        except (ClientError, BotoCoreError):
            logger.exception("An entry could not be written", extra={"board": scores.board.board_id})
        return False

    def _replaced(self, scores: Scores, entry: Entry) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(board)"}
        if entry.version:
            values = {":version": {"N": str(entry.version)}}
            condition = {"ConditionExpression": "version = :version", "ExpressionAttributeValues": values}
        try:
            self.dynamodb.put_item(TableName=self.table, Item=scores.item(entry), **condition)
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True
