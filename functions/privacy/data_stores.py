"""Every store that holds a player's data: what is found there, and how it is taken away."""
# ruff: noqa: S608 - Subject lets only ids into the statements, and DELETE takes no parameters in Athena

import base64
import binascii
import gzip
import json
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec
import orjson
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError
from telemetry import guidance, lake, mentions, recent_events
from telemetry.decoding import decompress
from telemetry.enrichment import FUTURE_AFTER
from telemetry.player_item import described
from telemetry.pseudonyms import Pseudonyms, Unopened, original_of, with_original
from telemetry.rejection import Rejection

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_s3.client import S3Client

GAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
PLAYER = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
UNKNOWN_GAME = "unknown"
POLL_SECONDS = 1
# A rewrite that another run overtook reads the objects again.
REWRITE_ATTEMPTS = 5
GONE = ("404", "NoSuchKey", "NoSuchVersion")

_deserialize = TypeDeserializer().deserialize
Record = dict[str, Any]


class PrivacyError(Exception):
    """What the person who asked must know or do."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data is meant; `since` is when the first of it can have arrived, None where nobody knows.

    A game with pseudonyms may hold the player by both: `pseudonyms` names them, and opens its rejects.
    Raises PrivacyError for ids that no event can have: they are put into SQL.
    """

    game_id: str
    player_id: str
    pseudonyms: Pseudonyms | None = None
    since: datetime | None = None
    # What events in the guidance's envelope may call the player's id.
    player_fields: tuple[str, ...] = guidance.PLAYER_FIELDS
    # Replaces the id in other players' data. Each erasure makes a new one, so that it identifies nobody.
    mask: str = field(default_factory=lambda: f"erased-{secrets.token_hex(4)}", compare=False)

    def __post_init__(self) -> None:
        """Let nothing pass that is not an id."""
        for name, pattern in (("game_id", GAME), ("player_id", PLAYER)):
            if not pattern.fullmatch(getattr(self, name)):
                raise PrivacyError(f"{getattr(self, name)!r} cannot be a {name}")

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id the player may be stored by."""
        pseudonym = (self.pseudonyms.player(self.player_id),) if self.pseudonyms else ()
        return self.player_id, *pseudonym

    @property
    def long_ids(self) -> tuple[str, ...]:
        """The ids that are no words by accident."""
        return tuple(filter(mentions.is_long, self.ids))

    @property
    def condition(self) -> str:
        """Their rows in SQL."""
        return f"game_id = '{self.game_id}' AND {self.named}"

    @property
    def named(self) -> str:
        """Their rows in SQL, of a table of the game."""
        return f"player_id IN ({', '.join(repr(name) for name in self.ids)})"


class DataStore(Protocol):
    """One store of personal data. To erase twice does nothing more."""

    @property
    def name(self) -> str:
        """What exports and receipts call it."""

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield all it holds about the player."""

    def erase(self, subject: Subject) -> int:
        """Take it away; return how many records that were."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The players table (low-level DynamoDB client): one item, with sessions, days, spend and balances."""

    dynamodb: "DynamoDBClient"
    table: str
    name: str = "profile"

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield the item, of each id."""
        for key in self._keys(subject):
            answer = self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True)
            if item := answer.get("Item"):
                yield described(item)

    def erase(self, subject: Subject) -> int:
        """Delete the item, of each id."""
        delete = self.dynamodb.delete_item
        answers = [
            delete(TableName=self.table, Key=key, ReturnValues="ALL_OLD") for key in self._keys(subject)
        ]
        return sum("Attributes" in answer for answer in answers)

    def _keys(self, subject: Subject) -> Iterator[Record]:
        for player_id in subject.ids:
            yield {"player": {"S": f"{subject.game_id}#{player_id}"}}


@dataclass(frozen=True, slots=True)
class LeaderboardEntries:
    """The leaderboards table, read whole: entries stay when their board's definition is removed."""

    dynamodb: "DynamoDBClient"
    table: str
    name: str = "leaderboards"

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield the entries of all boards, periods and shards."""
        return map(_plain_item, self._items(subject))

    def erase(self, subject: Subject) -> int:
        """Delete the entries; the index by rank follows."""
        count = 0
        for item in self._items(subject):
            key = {"board": item["board"], "player_id": item["player_id"]}
            self.dynamodb.delete_item(TableName=self.table, Key=key)
            count += 1
        return count

    def _items(self, subject: Subject) -> Iterator[Record]:
        players = {f":player{i}": {"S": player_id} for i, player_id in enumerate(subject.ids)}
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.table,
            ConsistentRead=True,
            FilterExpression=f"player_id IN ({', '.join(players)}) AND begins_with(board, :game)",
            ExpressionAttributeValues=players | {":game": {"S": f"{subject.game_id}#"}},
        )
        for page in pages:
            yield from page["Items"]


@dataclass(frozen=True, slots=True)
class RecentBatches:
    """The table of recent events: an item with an event of the player goes with the others in it.

    The others' events are in the lake too, and would leave this table within a day.
    """

    dynamodb: "DynamoDBClient"
    table: str
    name: str = "recent events"

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield the player's events, and where others' mention them."""
        for _, found in self._holding(subject):
            yield from found

    def erase(self, subject: Subject) -> int:
        """Delete the items that hold the player; return how many events of theirs those held."""
        count = 0
        for batch, found in self._holding(subject):
            self.dynamodb.delete_item(TableName=self.table, Key=batch.key)
            count += len(found)
        return count

    def _holding(self, subject: Subject) -> Iterator[tuple[recent_events.Batch, list[Record]]]:
        """Yield the items that hold the player, of their game and of no known one, and what is held."""
        for game_id in (subject.game_id, UNKNOWN_GAME):
            for batch in recent_events.batches(self.dynamodb, self.table, game_id):
                held = (_recent(msgspec.to_builtins(event), subject) for event in batch.events)
                if found := [record for record in held if record]:
                    yield batch, found


def _recent(event: Record, subject: Subject) -> Record | None:
    """Return an event of the player, where another's mentions them, or None."""
    if event.get("player_id") in subject.ids:
        return event
    content = {"message": event.get("message")}
    if event.get("original"):
        content["original"] = value_of(event["original"].encode()) or event["original"]
    fields = _unmentioned(content, subject)
    return _mention(event, fields) if fields else None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object; the newest has the etag a rewrite is bound to."""

    key: str
    id: str
    is_latest: bool
    etag: str


class Cut(NamedTuple):
    """What a line says about a player, and what is left of it without them: None where it is all theirs."""

    found: list[Record]
    kept: bytes | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """NDJSON objects below a prefix of the lake, with the versions a rewrite leaves behind."""

    s3: "S3Client"
    bucket: str
    name: str
    cut: Callable[[bytes, Subject], Cut | None]
    # What is refused can have come before anything was accepted.
    since_first_seen: bool = False

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield what all versions say about the player: none may outlive a rewrite."""
        for version in self._versions(subject):
            for line in self._lines(version):
                if cut := self.cut(line, subject):
                    yield from cut.found

    def erase(self, subject: Subject) -> int:
        """Write the objects without the player, delete the versions that hold them; return the records."""
        count, holding = self.rewrite(subject)
        self.delete(holding)
        return count

    def rewrite(self, subject: Subject) -> tuple[int, list[Version]]:
        """Write the objects without the player; return the records, and the versions that still hold them.

        Raises PrivacyError where other runs write the same objects again and again.
        """
        count = 0
        for _ in range(REWRITE_ATTEMPTS):
            overtaken, holding = False, []
            for version in list(self._versions(subject)):
                held = sum(
                    len(cut.found) for line in self._lines(version) if (cut := self.cut(line, subject))
                )
                if held and version.is_latest:
                    try:
                        self._rewrite(version, subject)
                        count += held
                    except ClientError as error:
                        if error.response["Error"]["Code"] not in ("PreconditionFailed", *GONE):
                            raise
                        overtaken = True
                if held:
                    holding.append(version)
            if not overtaken:
                return count, holding
        raise PrivacyError(f"another run writes {self.name} at the same time: run the same command again")

    def delete(self, versions: Iterable[Version]) -> None:
        """Delete versions that a rewrite replaced."""
        for version in versions:
            self.s3.delete_object(Bucket=self.bucket, Key=version.key, VersionId=version.id)

    def _rewrite(self, version: Version, subject: Subject) -> None:
        """Replace the object, or fail where another did so since it was read."""
        with tempfile.TemporaryFile() as file:
            with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as zipped:
                zipped.writelines(self._kept(version, subject))
            file.seek(0)
            self.s3.put_object(Bucket=self.bucket, Key=version.key, Body=file, IfMatch=version.etag)

    def _kept(self, version: Version, subject: Subject) -> Iterator[bytes]:
        for line in self._lines(version):
            cut = self.cut(line, subject)
            if cut is None:
                yield line
            elif cut.kept is not None:
                yield cut.kept + b"\n"

    def _lines(self, version: Version) -> Iterator[bytes]:
        """Yield the lines; none of a version that another run deleted since it was listed."""
        try:
            yield from lake.raw_lines(self.s3, self.bucket, version.key, version.id)
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise

    def _versions(self, subject: Subject) -> Iterator[Version]:
        start = subject.since - FUTURE_AFTER if subject.since and self.since_first_seen else None
        return versions(self.s3, self.bucket, f"{self.name}/", start)


def versions(s3: "S3Client", bucket: str, prefix: str, since: datetime | None = None) -> Iterator[Version]:
    """Yield all versions of the objects below a prefix; with `since` those written then or later."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Versions", []):
            if since is None or item["LastModified"] >= since.replace(microsecond=0):
                yield Version(item["Key"], item["VersionId"], item["IsLatest"], item["ETag"])


def cut_event(line: bytes, subject: Subject) -> Cut | None:
    """Cut a line of bronze: the player's own, another's that mentions them, or a torn one. Few are parsed."""
    if not any(player_id.encode() in line for player_id in subject.ids):
        return None
    event = record_of(line)
    if event is None:
        return _cut_torn(line, subject)
    if event.get("game_id") != subject.game_id:
        return None
    if event.get("player_id") in subject.ids:
        return Cut([event])
    fields = _unmentioned(event.get("payload"), subject)
    return Cut([_mention(event, fields)], orjson.dumps(event)) if fields else None


def cut_reject(line: bytes, subject: Subject) -> Cut | None:
    """Cut a line of the quarantine: the player's own, or one that mentions them.

    A reject of no known game belongs to the game it names itself, and so does a line that is torn.
    One whose key is gone names nobody any more.
    """
    reject = record_of(line)
    if reject is None:
        return _cut_torn(line, subject)
    game = reject.get("sealed_for", reject["game_id"])
    if game not in (subject.game_id, UNKNOWN_GAME):
        return None
    try:
        raw = original_of(reject, subject.pseudonyms)
    except Unopened:
        return None
    value = value_of(raw)
    if game == UNKNOWN_GAME and subject.game_id not in games_in(raw, value):
        return None
    owners = owners_of(raw, value, reject.get("envelope", "native"), subject.player_fields)
    if owners and owners.issubset(subject.ids):
        return Cut([readable(line, subject.pseudonyms)])
    if value is None:
        left, fields = _unquoted(raw, subject, owners)
    else:
        fields = _unmentioned(value, subject)
        left = _dumped(value, raw, subject, owners)
    if not fields:
        return None
    if not owners:
        return Cut([readable(line, subject.pseudonyms)])
    kept = with_original(reject, left, subject.pseudonyms)
    return Cut([_mention(reject, fields)], orjson.dumps(kept))


def cut_failure(line: bytes, subject: Subject) -> Cut | None:
    """Cut what Firehose could not deliver: one line of bronze or of the quarantine, or many."""
    failure = record_of(line) or {}
    try:
        raw = decompress(base64.b64decode(failure.get("rawData", "")))
    except (TypeError, ValueError, binascii.Error, Rejection):
        return None
    found: list[Record] = []
    left: list[bytes] = []
    for lost in raw.splitlines():
        cut = (cut_reject if b'"reject_id"' in lost else cut_event)(lost, subject)
        found += cut.found if cut else []
        kept = cut.kept if cut else lost
        left += [kept + b"\n"] if kept is not None else []
    if not found:
        return None
    if not left:
        return Cut(found)
    packed = base64.b64encode(gzip.compress(b"".join(left), mtime=0)).decode()
    return Cut(found, orjson.dumps(failure | {"rawData": packed}))


def record_of(line: bytes) -> Record | None:
    """Return what a line says, of any size; None where it is torn."""
    value = value_of(line)
    return value if isinstance(value, dict) else None


def readable(line: bytes, pseudonyms: Pseudonyms | None = None) -> Record:
    """Return a line as what it says, opened where it is sealed, or as text where it is torn."""
    record = record_of(line) or {"torn": line.decode(errors="replace")}
    if "original_sealed" in record:
        record["original"] = original_of(record, pseudonyms).decode(errors="replace")
    return record


def value_of(raw: bytes) -> Any:
    """Return what JSON says; None for what is no JSON, and for a value that holds nothing."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) else None


# What may be a value in bytes that are no JSON: in quotes, or without an end where the bytes end.
PLAYER_IN_TEXT = re.compile(
    rb"""["']?\b(?:player_id|user_id|playerId|userId)["']?\s*[:=]\s*(?:["']([^"'\\]{1,256})["']|([0-9]+)\b)"""
)
GAME_IN_TEXT = re.compile(rb"""\b(?:game_id|application_id)["']?\s*[:=]\s*["']([^"'\\]{1,64})["']""")
QUOTED = re.compile(rb"""["']([A-Za-z0-9_.:-]{1,64})["']""")
TOKEN = re.compile(rb"[A-Za-z0-9_.:-]+")
ESCAPED = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")


def owners_of(
    raw: bytes, value: Any, envelope: str = "native", fields: tuple[str, ...] = guidance.PLAYER_FIELDS
) -> set[str]:
    """Return whose event it was meant to be: the player fields of our envelope, or of the guidance's.

    `value` is what the bytes say; bytes that are no JSON are searched for the same fields as text.
    """
    if value is None:
        found = PLAYER_IN_TEXT.findall(_plain_text(raw))
        return {(quoted or number).decode(errors="replace") for quoted, number in found}
    owners: set[str] = set()
    for event in _events_in(value):
        inner = event["event"] if isinstance(event.get("event"), dict) else event
        data = inner["event_data"] if isinstance(inner.get("event_data"), dict) else {}
        ours = guidance.first_text(event, guidance.PLAYER_FIELDS)
        theirs = guidance.first_text(data, fields)
        player = (theirs or ours) if envelope == "guidance" else (ours or theirs)
        if player is not None:
            owners.add(guidance.stored_player(player))
    return owners


def candidates(
    raw: bytes, envelope: str = "native", fields: tuple[str, ...] = guidance.PLAYER_FIELDS
) -> set[str]:
    """Return who may be meant: the owners, or of bytes that name none what may be an id at all."""
    value = value_of(raw)
    if owners := owners_of(raw, value, envelope, fields):
        return owners
    found: set[str] = set()
    if value is None:
        text = _plain_text(raw)
        words = [
            *QUOTED.findall(text),
            *(word for word in TOKEN.findall(text) if mentions.is_long(word.decode())),
        ]
        return {word.decode() for word in words if PLAYER.fullmatch(word.decode())}

    def collect(path: tuple[str, ...], item: Any) -> Any:
        text = str(item)
        found.update({text} if mentions.names_players(path) or mentions.is_long(text) else ())
        return item

    mentions.replaced(value, collect)
    return {text for text in found if PLAYER.fullmatch(text)}


def games_in(raw: bytes, value: Any) -> set[str]:
    """Return the games that an event of no known game names."""
    if value is None:
        return {game.decode(errors="replace") for game in GAME_IN_TEXT.findall(_plain_text(raw))}
    names = (event.get(field) for event in _events_in(value) for field in ("game_id", "application_id"))
    return {name for name in names if isinstance(name, str)}


def _events_in(value: Any) -> Iterator[Record]:
    """Yield the events of one event or of lists of any depth."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as event:
                yield event
            case list() as parts:
                pending += parts


def _plain_text(raw: bytes) -> bytes:
    """Return bytes with the escapes of JSON undone, so far as ids may be written by them."""
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), raw).replace(b'\\"', b'"')


def _cut_torn(line: bytes, subject: Subject) -> Cut | None:
    """Cut a line that was not written whole: it names its game and its player, or nobody is meant."""
    raw = _plain_text(line)
    if subject.game_id not in games_in(raw, None):
        return None
    owners = owners_of(raw, None)
    if owners.issubset(subject.ids) and (owners or _unquoted(raw, subject, owners)[1]):
        return Cut([readable(line)])
    return None


def _unquoted(raw: bytes, subject: Subject, owners: set[str]) -> tuple[bytes, list[str]]:
    """Return bytes that are no JSON without the ids: only quoted or long ones can be told from words.

    Where the bytes name their players, a quoted id counts in a player field only.
    """
    count = 0

    def change(found: re.Match[bytes]) -> bytes:
        nonlocal count
        value = next((group for group in found.groups() if group), found[0])
        if value.decode(errors="replace") not in subject.ids:
            return found[0]
        count += 1
        return found[0].replace(value, subject.mask.encode())

    left = (PLAYER_IN_TEXT if owners else QUOTED).sub(change, _plain_text(raw))
    if subject.long_ids:
        left, more = re.subn(mentions.tokens(subject.long_ids).pattern.encode(), subject.mask.encode(), left)
        count += more
    return (left, ["text"]) if count else (raw, [])


def _unmentioned(value: Any, subject: Subject) -> list[str]:
    """Replace the player's ids in a value of others; return the fields that held one.

    Short ids are words, levels and numbers as well: they are replaced only in fields that name players.
    """
    if not isinstance(value, dict | list):
        return []
    every, fields = mentions.tokens(subject.ids), []
    long = subject.long_ids

    def change(path: tuple[str, ...], item: Any) -> Any:
        if not isinstance(item, str | int) or isinstance(item, bool):
            return item
        if mentions.names_players(path):
            left = every.sub(subject.mask, str(item))
        else:
            left = mentions.tokens(long).sub(subject.mask, str(item)) if long else str(item)
        if left == str(item):
            return item
        fields.append("/".join(path))
        return left

    mentions.replaced(value, change)
    return fields


def _dumped(value: Any, raw: bytes, subject: Subject, owners: set[str]) -> bytes:
    """Return the JSON of a value; of one that is nested too deep to be written, its text without the ids."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _unquoted(raw, subject, owners)[0]


def _mention(record: Record, fields: list[str]) -> Record:
    """Return where another player's line mentions this one, and nothing of the other."""
    named = {name: record[name] for name in ("event_id", "reject_id", "received_at") if name in record}
    return named | {"mentioned_in": sorted(set(fields))}


# What the batch job keeps of players between its runs (modules/lake_tables/tables/kept.json).
KEPT = (
    "kept_ads", "kept_attempts", "kept_designs", "kept_matches", "kept_movers", "kept_players",
    "kept_presence", "kept_purchases", "kept_refunds", "kept_sources", "kept_steps",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Silver:
    """An Iceberg table with players, through Athena: deleted rows leave its files when snapshots expire."""

    athena: "AthenaClient"
    workgroup: str
    database: str
    name: str = "silver"
    table: str = "events"
    poll_seconds: float = field(default=POLL_SECONDS, kw_only=True)

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield the rows, every value as Athena's text."""
        yield from self._rows(f"SELECT * FROM {self.table} WHERE {subject.condition}")

    def erase(self, subject: Subject) -> int:
        """Delete the rows, and write the files that held them anew; their snapshots end as all do.

        Athena leaves alone a file with a single list of deleted rows unless the table says otherwise.
        """
        (answer,) = self._rows(f"SELECT count(*) AS held FROM {self.table} WHERE {subject.condition}")
        if held := int(answer["held"]):
            self._run(f"DELETE FROM {self.table} WHERE {subject.condition}")
        self._run(
            f"ALTER TABLE {self.table} SET TBLPROPERTIES ('optimize_rewrite_delete_file_threshold' = '1')"
        )
        self._run(f"OPTIMIZE {self.table} REWRITE DATA USING BIN_PACK")
        return held

    def _rows(self, sql: str) -> Iterator[Record]:
        query = self._run(sql)
        names: list[str] | None = None
        for page in self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=query):
            for row in page["ResultSet"]["Rows"]:
                values = [cell.get("VarCharValue") for cell in row["Data"]]
                if names is None:
                    names = [str(value) for value in values]
                else:
                    yield dict(zip(names, values, strict=True))

    def _run(self, sql: str) -> str:
        started = self.athena.start_query_execution(
            QueryString=sql, WorkGroup=self.workgroup, QueryExecutionContext={"Database": self.database}
        )
        query: str = started["QueryExecutionId"]
        while True:
            status = self.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return query
            if status["State"] in ("FAILED", "CANCELLED"):
                raise PrivacyError(f"Athena: {status.get('StateChangeReason', status['State'])}")
            time.sleep(self.poll_seconds)


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The warehouse's tables and streaming view, through the function that alone may change them."""

    client: "LambdaClient"
    function: str
    name: str = "warehouse"

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield how many rows each table holds: what they say is in silver too."""
        for table, rows in self._ask("find", subject).items():
            yield {"table": table, "rows": rows}

    def erase(self, subject: Subject) -> int:
        """Delete the rows of all tables; return how many they were."""
        return sum(self._ask("erase", subject).values())

    def _ask(self, action: str, subject: Subject) -> dict[str, int]:
        asked = {"action": action, "game_id": subject.game_id, "player_ids": subject.ids}
        answer = self.client.invoke(FunctionName=self.function, Payload=json.dumps(asked))
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise PrivacyError(f"the warehouse: {payload.get('errorMessage', payload)}")
        return payload


def _plain_item(item: Record) -> Record:
    return {name: _deserialize(value) for name, value in item.items()}
