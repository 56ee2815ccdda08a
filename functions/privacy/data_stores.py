"""Every store that holds a player's data: what is found there, and how it is taken away."""
# ruff: noqa: S608 - Subject lets only ids into the statements, and DELETE takes no parameters in Athena

import base64
import binascii
import gzip
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from boto3.dynamodb.types import TypeDeserializer
from telemetry import lake
from telemetry.decoding import decompress
from telemetry.enrichment import FUTURE_AFTER
from telemetry.player_item import described
from telemetry.pseudonyms import Pseudonyms, Unopened, original_of
from telemetry.rejection import Rejection

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_s3.client import S3Client

GAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
PLAYER = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
WORD = re.compile(rb"[A-Za-z0-9_.:-]+")
ESCAPE = b"\\u"
UNKNOWN_GAME = "unknown"
POLL_SECONDS = 1

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
class Version:
    """One version of an object; the newest has the etag a rewrite is bound to."""

    key: str
    id: str
    is_latest: bool
    etag: str


@dataclass(frozen=True, slots=True)
class Lines:
    """NDJSON objects below a prefix of the lake, with the versions a rewrite leaves behind."""

    s3: "S3Client"
    bucket: str
    name: str
    belongs: Callable[[bytes, Subject], bool]
    # What is refused can have come before anything was accepted.
    since_first_seen: bool = False

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield the player's lines in all versions: none may outlive a rewrite."""
        for version in self._versions(subject):
            for line in self._lines(version):
                if self.belongs(line, subject):
                    yield readable(line, subject.pseudonyms)

    def erase(self, subject: Subject) -> int:
        """Write the objects without the lines, delete the versions that hold them; return the lines."""
        count, holding = self.rewrite(subject)
        self.delete(holding)
        return count

    def rewrite(self, subject: Subject) -> tuple[int, list[Version]]:
        """Write the objects without the lines; return how many, and the versions that still hold them."""
        count, holding = 0, []
        for version in self._versions(subject):
            held = sum(self.belongs(line, subject) for line in self._lines(version))
            if held and version.is_latest:
                self._rewrite(version, subject)
                count += held
            if held:
                holding.append(version)
        return count, holding

    def delete(self, versions: Iterable[Version]) -> None:
        """Delete versions that a rewrite replaced."""
        for version in versions:
            self.s3.delete_object(Bucket=self.bucket, Key=version.key, VersionId=version.id)

    def _rewrite(self, version: Version, subject: Subject) -> None:
        """Replace the object, or fail where another did so since it was read: run again then."""
        with tempfile.TemporaryFile() as file:
            with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as zipped:
                zipped.writelines(line for line in self._lines(version) if not self.belongs(line, subject))
            file.seek(0)
            self.s3.put_object(Bucket=self.bucket, Key=version.key, Body=file, IfMatch=version.etag)

    def _lines(self, version: Version) -> Iterator[bytes]:
        return lake.raw_lines(self.s3, self.bucket, version.key, version.id)

    def _versions(self, subject: Subject) -> Iterator[Version]:
        start = subject.since - FUTURE_AFTER if subject.since and self.since_first_seen else None
        return versions(self.s3, self.bucket, f"{self.name}/", start)


def versions(s3: "S3Client", bucket: str, prefix: str, since: datetime | None = None) -> Iterator[Version]:
    """Yield all versions of the objects below a prefix; with `since` those written then or later."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Versions", []):
            if since is None or item["LastModified"] >= since.replace(microsecond=0):
                yield Version(item["Key"], item["VersionId"], item["IsLatest"], item["ETag"])


def is_event(line: bytes, subject: Subject) -> bool:
    """Tell whether a line of bronze is the player's, or is torn and names them; few need parsing."""
    if not any(player_id.encode() in line for player_id in subject.ids):
        return False
    event = record_of(line)
    if event is None:
        return _names_both(line, subject)
    return event.get("game_id") == subject.game_id and event.get("player_id") in subject.ids


def is_reject(line: bytes, subject: Subject) -> bool:
    """Tell whether a rejected line names the player anywhere: it may be no JSON, or of another form.

    A reject of no known game belongs to the game it names itself, and so does a line that is torn.
    One whose key is gone names nobody any more.
    """
    reject = record_of(line)
    if reject is None:
        return _names_both(line, subject)
    owner = reject.get("sealed_for", reject["game_id"])
    if owner not in (subject.game_id, UNKNOWN_GAME):
        return False
    try:
        raw = original_of(reject, subject.pseudonyms)
    except Unopened:
        return False
    return _names_both(raw, subject) if owner == UNKNOWN_GAME else _names(raw, subject.ids)


def is_failure(line: bytes, subject: Subject) -> bool:
    """Tell whether what Firehose could not deliver names the player."""
    try:
        raw = decompress(base64.b64decode(json.loads(line).get("rawData", "")))
    except (ValueError, binascii.Error, Rejection):
        return False
    lost = (is_reject(line, subject) for line in raw.splitlines() if b'"reject_id"' in line)
    return _names_both(raw, subject) or any(lost)


def record_of(line: bytes) -> Record | None:
    """Return what a line says, of any size; None where it is torn."""
    value = _value(line)
    return value if isinstance(value, dict) else None


def readable(line: bytes, pseudonyms: Pseudonyms | None = None) -> Record:
    """Return a line as what it says, opened where it is sealed, or as text where it is torn."""
    record = record_of(line) or {"torn": line.decode(errors="replace")}
    if "original_sealed" in record:
        record["original"] = original_of(record, pseudonyms).decode(errors="replace")
    return record


def _value(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def _names_both(raw: bytes, subject: Subject) -> bool:
    return _names(raw, (subject.game_id,)) and _names(raw, subject.ids)


def _names(raw: bytes, names: tuple[str, ...]) -> bool:
    if ESCAPE not in raw and not any(name.encode() in raw for name in names):
        return False
    return not ids_in(raw).isdisjoint(names)


def ids_in(raw: bytes) -> set[str]:
    """Return what can be ids in a text: words of their own, and values of JSON in any spelling."""
    words = {word.decode() for word in WORD.findall(raw)}
    if ESCAPE in raw:
        words.update(value for value in _values(_value(raw)) if isinstance(value, str))
    return {word for word in words if PLAYER.fullmatch(word)}


def _values(value: Any) -> Iterator[Any]:
    """Yield the values at all depths without recursion: what is refused can be nested as deep as JSON may."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as parts:
                pending += parts.values()
            case list() as parts:
                pending += parts
            case single:
                yield single


# What the batch job keeps of players between its runs (modules/lake_tables/tables/kept.json).
KEPT = (
    "kept_ads", "kept_attempts", "kept_designs", "kept_movers", "kept_players", "kept_presence",
    "kept_purchases",
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
