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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import unquote_plus

import msgspec
import orjson
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError
from telemetry import catalog, guidance, ids, lake, mentions, recent_events
from telemetry.decoding import decompress
from telemetry.dimensions import MAX_TOLD
from telemetry.enrichment import FUTURE_AFTER
from telemetry.player_item import described
from telemetry.pseudonyms import Pseudonyms, Unopened, original_of, with_original
from telemetry.rejection import Rejection
from telemetry.vendors import VENDORS

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_s3.client import S3Client

PLAYER = re.compile(ids.PLAYER)
# What a client may call a player, also where the envelope refuses it.
MAX_ID = 256
SENT = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_ID}}}")
UNKNOWN_GAME = "unknown"
# The columns of a table that hold a player's id.
OWN: tuple[str, ...] = ("player_id",)
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
    The id is what a client may have sent: 1 to 256 characters without control characters. One that the
    envelope does not take is stored by its hash (`guidance.stored_player`); rejects alone have it as sent.
    Raises PrivacyError for others.

    Of a guest that a link names, the pseudonym may be all that is known. `is_pseudonym` says so. In each
    reject, the ids of such a guest are then recognised by their pseudonym.
    """

    game_id: str
    player_id: str
    pseudonyms: Pseudonyms | None = None
    since: datetime | None = None
    is_pseudonym: bool = False
    # The ids of a reject that have the pseudonym.
    sent_as: tuple[str, ...] = ()
    # What events in the guidance's envelope may call the player's id.
    player_fields: tuple[str, ...] = guidance.PLAYER_FIELDS
    # Replaces the id in other players' data. Each erasure makes a new one, so that it identifies nobody.
    mask: str = field(default_factory=lambda: f"erased-{secrets.token_hex(4)}", compare=False)

    def __post_init__(self) -> None:
        """Let nothing pass that is not an id."""
        if not re.fullmatch(ids.GAME, self.game_id):
            raise PrivacyError(f"{self.game_id!r} cannot be a game_id")
        if not SENT.fullmatch(self.player_id):
            bound = f"an id has 1 to {MAX_ID} characters, and no control character"
            raise PrivacyError(f"{self.player_id[:MAX_ID]!r} cannot be a player_id: {bound}")

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id the player may be stored by, the pseudonym last."""
        stored, pseudonym = (
            guidance.stored_player(self.player_id),
            (self.pseudonym,) if self.pseudonym else (),
        )
        return tuple(dict.fromkeys((self.player_id, stored, *self.sent_as, *pseudonym)))

    @property
    def stored(self) -> tuple[str, ...]:
        """The ids that accepted events may have: these alone get into statements and keys."""
        return tuple(filter(PLAYER.fullmatch, self.ids))

    @property
    def pseudonym(self) -> str | None:
        """What a game with pseudonyms stores in place of the id."""
        if self.is_pseudonym:
            return self.player_id
        return self.pseudonyms.player(guidance.stored_player(self.player_id)) if self.pseudonyms else None

    def recognised(self, sent: Iterable[str]) -> "Subject":
        """Return the subject with those of the ids in a reject that have its pseudonym."""
        if not (self.is_pseudonym and self.pseudonyms):
            return self
        name = self.pseudonyms.player
        return replace(self, sent_as=tuple(sorted(one for one in sent if name(one) == self.player_id)))

    @property
    def long_ids(self) -> tuple[str, ...]:
        """The ids that are no words by accident."""
        return tuple(filter(mentions.is_long, self.ids))

    @property
    def short_ids(self) -> tuple[str, ...]:
        """The ids that may be words: a platform, a level, a number."""
        return tuple(one for one in self.ids if not mentions.is_long(one))

    def condition(self, columns: Sequence[str] = OWN) -> str:
        """Return the condition of their rows in SQL: one of the columns holds an id of theirs."""
        ids = ", ".join(repr(name) for name in self.stored)
        named = " OR ".join(f"{column} IN ({ids})" for column in columns)
        return f"game_id = '{self.game_id}' AND {f'({named})' if len(columns) > 1 else named}"


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
        for player_id in subject.stored:
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

    def scores(self) -> Iterator[tuple[str, str, str]]:
        """Yield game, player and time of the score of every entry, or the time when an entry was removed."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.table, ProjectionExpression="board, player_id, achieved_at, removed_at"
        )
        for item in (item for page in pages for item in page["Items"]):
            achieved, removed = (item.get(name, {"S": ""})["S"] for name in ("achieved_at", "removed_at"))
            yield item["board"]["S"].partition("#")[0], item["player_id"]["S"], achieved or removed

    def _items(self, subject: Subject) -> Iterator[Record]:
        players = {f":player{i}": {"S": player_id} for i, player_id in enumerate(subject.stored)}
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
    raw = (event.get("original") or "").encode()
    fields = _unmentioned(raw, value_of(raw), subject)[1] + _unquoted(event, subject)[1]
    for pointer, message in event.get("errors", ()):
        fields += _unquoted({"pointer": pointer, "message": message}, subject)[1]
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

    def read(self, since: datetime | None) -> Iterator[bytes]:
        """Yield the lines of all versions, or of those written since a moment."""
        for version in versions(self.s3, self.bucket, f"{self.name}/", since and since - FUTURE_AFTER):
            yield from self._lines(version)

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
    fields = _masked(event.get("payload"), subject, _stays_valid(event))
    fields += _masked(event.get("client"), subject, _stays_a_client)
    told = {"dimensions": event.get("dimensions", {})}
    fields += _masked(told, subject, lambda _, text: len(text) <= MAX_TOLD)
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
    envelope = reject.get("envelope", "native")
    if envelope in VENDORS:
        subject = replace(subject, player_fields=player_fields(envelope, subject.player_fields))
    owners = owners_of(raw, value, envelope, subject.player_fields)
    if subject.is_pseudonym:
        subject = subject.recognised(owners | mentioned(raw, value, subject.player_fields))
    if owners and owners.issubset(subject.ids):
        return Cut([readable(line, subject.pseudonyms)])
    own, others = _parted(value, lambda event: _is_own(event, envelope, subject))
    left, fields = _unmentioned(raw, others, subject)
    if own and not fields:
        left = orjson.dumps(others)
    about, quoted = _unquoted(reject, subject)
    if not own and not fields and not quoted:
        return None
    kept = (with_original(reject, left, subject.pseudonyms) if own or fields else reject) | about
    found = _mention(reject, fields + quoted) | ({"events": own} if own else {})
    return Cut([found], orjson.dumps(kept))


def _is_own(event: Any, envelope: str, subject: Subject) -> bool:
    owners = (
        owners_of(b"", event, envelope, subject.player_fields) if isinstance(event, dict | list) else set()
    )
    return bool(owners) and owners.issubset(subject.ids)


def _parted(value: Any, is_own: Callable[[Any], bool]) -> tuple[list[Any], Any]:
    """Return the player's own events of a body that was refused as a whole, and the body without them.

    A body that is nested too deep to be written stays as it is: it loses the ids alone.
    """
    member = _batch_in(value)
    events = value[member] if member else value
    if not isinstance(events, list) or not any(own := [is_own(event) for event in events]):
        return [], value
    left = [event for event, belongs in zip(events, own, strict=True) if not belongs]
    try:
        orjson.dumps(events)
    except orjson.JSONEncodeError:
        return [], value
    found = [event for event, belongs in zip(events, own, strict=True) if belongs]
    return found, value | {member: left} if member else left


def _batch_in(value: Any) -> str | None:
    """Return the member of a body that holds its events; None for an event, and for a list of events."""
    if not isinstance(value, dict) or guidance.first_text(value, guidance.PLAYER_FIELDS) is not None:
        return None
    return next((name for name in BATCHES if isinstance(value.get(name), list)), None)


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
        cut = (cut_reject if REJECT in lost else cut_event)(lost, subject)
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


# A name with its value in bytes that are no JSON: in quotes or bare, as in forms. What the end of the bytes
# may have cut is no value: 42 may be the beginning of 421.
NAMED = re.compile(
    r"""["']?(?<![:.%+|-])\b([A-Za-z_][A-Za-z0-9_]{0,63})["']?\s*[:=]\s*"""
    r"""(?:"([^"\\]{1,256})"|'([^'\\]{1,256})'|([A-Za-z0-9_.:%+|-]{1,256})(?=[\s,;&}\])]))"""
)
# What may stand bare in JSON and names nobody: 42.5 is not player 42. A whole number may be an id.
NOBODY = re.compile(r"null|true|false|undefined|None|True|False|NaN|[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?")
GAME_IN_TEXT = re.compile(
    rf"""\b(?:game_id|application_id)["']?\s*[:=]\s*["']?({ids.GAME.strip("^$")})(?=["'\s,;&}}])""".encode()
)
TOKEN = re.compile("[A-Za-z0-9_.:-]+")
QUOTED = re.compile(r""""[^"]{1,256}"|'[^']{1,256}'""")
ESCAPED = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")
# What gives torn JSON its form: texts, which may be names, and brackets.
FORM = re.compile(
    r"""("(?:[^"\\]|\\.)*"?)(\s*:)?|[{}\[\]]|\b([A-Za-z_][A-Za-z0-9_]{0,63})(?=\s*:)""", re.DOTALL
)
# The objects whose player fields say who sent an event, by the names above them.
SENDERS: dict[tuple[str, ...], bool] = {(): False, ("event_data",): True, ("event", "event_data"): True}
# The members of a body that hold its events: the guidance's, and other products'.
BATCHES = tuple(sorted({"events", *(vendor.batch for vendor in VENDORS.values() if vendor.batch)}))
REJECT, ORIGINAL = b'"reject_id"', b'"original":"'


def player_fields(envelope: str, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return fields that name a player, and those of the product whose envelope it is."""
    return (*fields, *VENDORS[envelope].player) if envelope in VENDORS else fields


def owners_of(
    raw: bytes, value: Any, envelope: str = "native", fields: tuple[str, ...] = guidance.PLAYER_FIELDS
) -> set[str]:
    """Return whose event it was meant to be: the player fields of our envelope, or of the guidance's.

    `value` is what the bytes say; bytes that are no JSON are searched for the same fields as text.
    """
    if value is None:
        return {guidance.stored_player(player) for player in _senders_in(raw, fields)}
    owners: set[str] = set()
    for event in _events_in(value):
        inner = event["event"] if isinstance(event.get("event"), dict) else event
        data = inner["event_data"] if isinstance(inner.get("event_data"), dict) else {}
        ours = guidance.first_text(event, guidance.PLAYER_FIELDS)
        theirs = guidance.first_text(data, fields)
        player = (theirs or ours) if envelope == "guidance" else (ours or theirs)
        if player is None and envelope in VENDORS:
            player = guidance.first_text(event, VENDORS[envelope].player)
        if player is not None:
            owners.add(guidance.stored_player(player))
    return owners


def _senders_in(raw: bytes, fields: tuple[str, ...]) -> Iterator[str]:
    """Yield the values of player fields in bytes that are no JSON; a field of a payload names others."""
    text = ESCAPED.sub(_unescaped, raw).decode("latin-1")
    form = FORM.finditer(text)
    # Of each open bracket its name, and the names alone: text may be nested as deep as it is long.
    brackets, above = list[str](), list[str]()
    mark, name, quoted_until = next(form, None), "", 0
    for found in NAMED.finditer(text):
        while mark and mark.start() < found.start(1):
            quoted_until = mark.end(1)
            match mark[0]:
                case "{" | "[":
                    brackets.append(name)
                    above += [name] if name else []
                    name = ""
                case "}" | "]":
                    del above[len(above) - bool(brackets and brackets.pop()) :]
                    name = ""
                case _:
                    name = mark[3] or (mark[1][1:-1] if mark[2] else "")
            mark = next(form, None)
        path = tuple(above[:3])
        # The name itself may be in quotes; one inside a longer text is a word of that text.
        if quoted_until > found.end(1) + 1 or path not in SENDERS:
            continue
        player = said(found[2] or found[3], found[4])
        if player and found[1] in (fields if SENDERS[path] else guidance.PLAYER_FIELDS):
            yield player


def said(quoted: str | None, bare: str | None) -> str:
    """Return what the value of a name in text says, "" where it can name nobody.

    Text holds a character for each byte. A bare value may be one of a form.
    """
    if quoted:
        return quoted.encode("latin-1").decode(errors="replace")
    if not bare or (NOBODY.fullmatch(bare) and not bare.isdigit()):
        return ""
    return unquote_plus(bare)


def candidates(
    raw: bytes, envelope: str = "native", fields: tuple[str, ...] = guidance.PLAYER_FIELDS
) -> set[str]:
    """Return who may be meant: the owners, or of bytes that name none whoever is mentioned."""
    value = value_of(raw)
    return owners_of(raw, value, envelope, fields) or mentioned(raw, value, fields)


def mentioned(raw: bytes, value: Any, fields: tuple[str, ...] = guidance.PLAYER_FIELDS) -> set[str]:
    """Return the ids that an erasure replaces in what was sent: long ones, others in fields for players."""
    found: set[str] = set()

    def collect(path: tuple[str, ...], item: Any) -> Any:
        if isinstance(item, str) or (path[-1:] and path[-1] in fields):
            named = _named(path, str(item), fields)
            for token in TOKEN.findall(str(item)):
                ids = (token, re.sub(f"^(?i:{mentions.BEFORE})[_.:-]", "", token))
                found.update(one for one in ids if named or mentions.is_long(one))
        return item

    if value is None:
        text = _plain_text(raw).decode("latin-1")
        for name, double, single, bare in NAMED.findall(text):
            collect((name,), said(double or single, bare))
        collect((), text)
    else:
        mentions.replaced(value, collect)
    return {text for text in found if PLAYER.fullmatch(text)}


def games_in(raw: bytes, value: Any) -> set[str]:
    """Return the games that an event of no known game names."""
    if value is None:
        return {game.decode(errors="replace") for game in GAME_IN_TEXT.findall(_plain_text(raw))}
    names = (event.get(field) for event in _events_in(value) for field in ("game_id", "application_id"))
    return {name for name in names if isinstance(name, str)}


def _events_in(value: Any) -> Iterator[Record]:
    """Yield the events of one event, of lists of any depth, or of a body that holds a list."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as event:
                yield event
                if batch := _batch_in(event):
                    pending += event[batch]
            case list() as parts:
                pending += parts


def _plain_text(raw: bytes) -> bytes:
    """Return bytes with the escapes of JSON undone, so far as ids may be written by them."""
    return ESCAPED.sub(_unescaped, raw).replace(b'\\"', b'"')


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)])


def _cut_torn(line: bytes, subject: Subject) -> Cut | None:
    """Cut a line that was not written whole: it names its game and its player, or nobody is meant."""
    if subject.game_id not in games_in(line, None):
        return None
    original = line.partition(ORIGINAL)[2] if REJECT in line else b""
    owners = owners_of(original.replace(b'\\"', b'"') or line, None, fields=subject.player_fields)
    if owners and owners.issubset(subject.ids):
        return Cut([readable(line)])
    left, fields = _unmentioned(line, None, subject)
    return Cut([{"mentioned_in": fields}], left) if fields else None


def _unmentioned(raw: bytes, value: Any, subject: Subject) -> tuple[bytes, list[str]]:
    """Return bytes of others without the player's ids, and the fields that held one.

    `value` is what the bytes say. One that is nested too deep to be written loses its ids as text does.
    """
    if value is not None:
        fields = _masked(value, subject)
        try:
            return (orjson.dumps(value), fields) if fields else (raw, [])
        except orjson.JSONEncodeError:
            pass
    # Each byte is one character, so that bytes which are no text come back as they were. So are the ids.
    as_bytes = (one.encode().decode("latin-1") for one in subject.ids if not one.isascii())
    subject = replace(subject, sent_as=(*subject.sent_as, *as_bytes))
    left = _unnamed(raw.decode("latin-1"), subject).encode("latin-1")
    plain = _plain_text(left)
    unnamed = _unnamed(plain.decode("latin-1"), subject).encode("latin-1")
    left = left if unnamed == plain else unnamed
    return left, ["text"] if left != raw else []


def _unquoted(record: Record, subject: Subject) -> tuple[Record, list[str]]:
    """Return a reject's message and labels without the player's ids, and the fields that held one.

    The message quotes the value at the pointer, whose last names say whether it names a player.
    """
    path = tuple(part for part in str(record.get("pointer") or "").split("/") if part)[-3:]
    ids = mentions.tokens(subject.short_ids)
    left: Record = {}
    for field_name in ("message", "pointer", "event_id", "event_type", "schema_id"):
        text = record.get(field_name)
        if not isinstance(text, str):
            continue
        unnamed = _unnamed(text, subject)
        if field_name == "message" and _named(path, "", subject.player_fields):
            unnamed = QUOTED.sub(
                lambda found: found[0][0] + mentions.without(ids, found[0][1:-1], subject.mask) + found[0][0],
                unnamed,
            )
        if unnamed != text:
            left[field_name] = unnamed
    return left, list(left)


def _unnamed(text: str, subject: Subject) -> str:
    """Return a text that is no JSON without the ids: a short one only as the value of a name for players."""
    named, long = mentions.tokens(subject.short_ids), mentions.tokens((), subject.long_ids)

    def change(found: re.Match[str]) -> str:
        name, double, single, bare = found.groups()
        if bare:
            is_word = not bare.isdigit() and _named((name,), bare, subject.player_fields)
            is_player = (is_word or name in subject.player_fields) and said(None, bare) in subject.ids
            instead = subject.mask if is_word else f'"{subject.mask}"'
            return found[0].removesuffix(bare) + instead if is_player else found[0]
        quoted = double or single
        if not _named((name,), quoted, subject.player_fields):
            return found[0]
        start, end = (at - found.start() for at in found.span(2 if double else 3))
        return found[0][:start] + mentions.without(named, quoted, subject.mask) + found[0][end:]

    text = NAMED.sub(change, text) if any(one in text for one in subject.short_ids) else text
    return mentions.without(long, text, subject.mask) if subject.long_ids else text


def _named(path: tuple[str, ...], text: str, fields: tuple[str, ...]) -> bool:
    """Tell whether a field names a player, by its words or as one of the game's own player fields."""
    return mentions.names_players(path, text) or (bool(path) and path[-1] in fields)


Fits = Callable[[tuple[str, ...], str], bool]


def _masked(value: Any, subject: Subject, fits: Fits | None = None) -> list[str]:
    """Replace the player's ids in texts of a value of others; return the fields that held one.

    Short ids are words, levels and numbers as well: they are replaced only in fields that name players.
    `fits` says which texts an accepted event may hold in a field. What was refused may hold any, and a
    number where a player's id belongs.
    """
    if not isinstance(value, dict | list):
        return []
    fields: list[str] = []
    named, other = (mentions.tokens(short, subject.long_ids) for short in (subject.short_ids, ()))

    def change(path: tuple[str, ...], item: Any) -> Any:
        if isinstance(item, str):
            ids = named if _named(path, item, subject.player_fields) else other
            if not ids.search(item):
                return item
            written = (mentions.without(ids, item, by) for by in (subject.mask, "erased", "x"))
            left = next((one for one in written if fits is None or fits(path, one)), None)
        else:
            is_player = fits is None and path[-1:] and path[-1] in subject.player_fields
            is_number = isinstance(item, int) and not isinstance(item, bool)
            left = subject.mask if is_player and is_number and str(item) in subject.ids else None
        if left is None:
            return item
        fields.append("/".join(path))
        return left

    mentions.replaced(value, change)
    return fields


def _stays_valid(event: Record) -> Fits:
    """Return what tells whether a text may stand in a field of the payload, by the event's schema."""
    event_type, _, version = str(event.get("schema_id") or event.get("event_type")).partition("/")
    texts = _texts(event_type, version)

    def fits(path: tuple[str, ...], text: str) -> bool:
        found = texts.get("extra") if len(path) == 2 and path[0] == "extra" else None
        found = texts.get(path[0]) if len(path) == 1 and path[0] != "extra" else found
        return found is not None and bool(found.is_valid(text))

    return fits


def _stays_a_client(path: tuple[str, ...], text: str) -> bool:
    """Tell whether a text may stand in a field of an event's client, by the envelope's schema."""
    found = _client_texts().get(path[0]) if len(path) == 1 else None
    return found is not None and bool(found.is_valid(text))


@cache
def _client_texts() -> dict[str, Any]:
    client = catalog.newest("common/envelope", catalog.documents())["properties"]["client"]["properties"]
    return {
        name: catalog.compiled(schema)
        for name, schema in client.items()
        if schema.get("type") == "string" and "enum" not in schema
    }


@cache
def _texts(event_type: str, version: str) -> dict[str, Any]:
    """Return the validators of what a payload may say in free words, and of a value of its `extra`.

    A board is named by the game. An unknown type has no field but `extra`.
    """
    schemas = catalog.payloads(catalog.documents())
    known = schemas.get((event_type, version)) or next(
        (schema for (name, _), schema in sorted(schemas.items(), reverse=True) if name == event_type), {}
    )
    texts = {
        name: schema
        for name, schema in known.get("properties", {}).items()
        if schema.get("type") == "string" and "enum" not in schema and name != "leaderboard"
    }
    extra = catalog.newest("common/extra", catalog.documents())["additionalProperties"]
    return {name: catalog.compiled(schema) for name, schema in (texts | {"extra": extra}).items()}


def _mention(record: Record, fields: list[str]) -> Record:
    """Return where another player's line mentions this one, and nothing of the other."""
    named = {name: record[name] for name in ("event_id", "reject_id", "received_at") if name in record}
    return named | {"mentioned_in": sorted(set(fields))}


# What the batch job keeps of players between its runs (modules/lake_tables/tables/kept.json), with the
# columns that name them.
KEPT: dict[str, tuple[str, ...]] = dict.fromkeys(
    (
        "kept_ads", "kept_attempts", "kept_designs", "kept_exposures", "kept_matches", "kept_movers",
        "kept_moves", "kept_players", "kept_presence", "kept_purchases", "kept_refunds", "kept_samples",
        "kept_sources", "kept_steps",
    ),
    OWN,
)  # fmt: skip
KEPT |= {"kept_links": ("player_id", "previous_player_id"), "kept_accounts": ("player_id", "account_id")}
# An event that links two players is of both.
SILVER = ("player_id", "payload.previous_player_id")


@dataclass(frozen=True, slots=True)
class Silver:
    """An Iceberg table with players, through Athena: deleted rows leave its files when snapshots expire."""

    athena: "AthenaClient"
    workgroup: str
    database: str
    name: str = "silver"
    table: str = "events"
    columns: Sequence[str] = SILVER
    poll_seconds: float = field(default=POLL_SECONDS, kw_only=True)

    def find(self, subject: Subject) -> Iterator[Record]:
        """Yield the rows, every value as Athena's text."""
        yield from self._rows(f"SELECT * FROM {self.table} WHERE {subject.condition(self.columns)}")

    def erase(self, subject: Subject) -> int:
        """Delete the rows, and write the files that held them anew; their snapshots end as all do.

        Athena leaves alone a file with a single list of deleted rows unless the table says otherwise.
        """
        where = subject.condition(self.columns)
        (answer,) = self._rows(f"SELECT count(*) AS held FROM {self.table} WHERE {where}")
        if held := int(answer["held"]):
            self._run(f"DELETE FROM {self.table} WHERE {where}")
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
        asked = {"action": action, "game_id": subject.game_id, "player_ids": subject.stored}
        answer = self.client.invoke(FunctionName=self.function, Payload=json.dumps(asked))
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise PrivacyError(f"the warehouse: {payload.get('errorMessage', payload)}")
        return payload


def _plain_item(item: Record) -> Record:
    return {name: _deserialize(value) for name, value in item.items()}
