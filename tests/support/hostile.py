"""Hostile input by the thousand: real events broken in every way we know, the same for the same seed."""

import gzip
import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import orjson
from aws_kinesis_agg.aggregator import RecordAggregator
from processor.stream_record import MAGIC as KPL_MAGIC
from telemetry import catalog
from telemetry.decoding import SEPARATORS
from telemetry.enrichment import timestamp
from telemetry.ingest_batch import MAGIC as BATCH_MAGIC
from telemetry.ingest_batch import IngestBatch, pack
from telemetry.key_classes import CLASSES, client_types

GAME, OTHER_GAME = "skyforge", "another-game"
NUMBERS = [b"1e400", b"-1e400", b"9" * 400, b"1" * 5000, b"-0.0", b"NaN", b"-Infinity", b"1e308", b"0x1"]
NUMBERS += [b"18446744073709551616", b"9007199254740993", b"01", b"1.", b"1e-999999999"]
# Numbers in texts, which some products send.
NUMBERS += [
    b'"1E999999999"',
    b'"-1e-999999999"',
    b'"' + b"9" * 5000 + b'"',
    b'"sNaN"',
    '"٣"'.encode(),
    b'"1_0"',
]
TEXTS = [b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\u0000"', b'"\x00"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b'""']
TEXTS += [b'"' + b"x" * 300 + b'"', b'"' + b"a@b.co " * 36 + b'"', b'"\\u202e\xe2\x80\xae"', '"𝕏ß"'.encode()]
TEXTS += [
    b'"0001-01-01T00:00:00Z"',
    b'"9999-12-31T23:59:59.999999Z"',
    b'"2026-02-31T00:00:00Z"',
    b'"\\ud83d"',
]
SHAPES = [
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[[]]",
    b'{"a":{"a":{"a":{}}}}',
    b'{"__proto__":{"x":1}}',
    b'{"":""}',
]
SHAPES += [b"[" * n + b"]" * n for n in (200, 255, 256, 1023, 1024, 1025, 5000)]
SHAPES += [b'{"a":' * n + b"1" + b"}" * n for n in (200, 255, 1023, 1025)]
VALUES = [*NUMBERS, *TEXTS, *SHAPES]
KEYS = [
    "__proto__",
    "constructor",
    "__class__",
    "toString",
    "",
    "a/b~c",
    "\u202e",
    "$ref",
    "x" * 65,
    "a@b.co" * 50,
]
TOKENS = [
    *VALUES,
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\\",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"/*",
    b"\r",
    b"\x1f\x8b",
]


def kpl(*user_records: bytes) -> bytes:
    """Return the aggregate that another implementation makes of user records."""
    aggregator = RecordAggregator()
    for data in user_records:
        aggregator.add_user_record("player", data, explicit_hash_key="1")
    contents: bytes = aggregator.clear_and_get().get_contents()[2]
    return contents


# Too slow to make each time, and a megabyte costs as much as a thousand events: each takes every way once.
BOMB = gzip.compress(bytes(11 * 1024 * 1024), 9)
HUGE = [
    b"x" * 1_000_000,
    b'{"a":"' + b"x" * 1_000_000 + b'"}',
    bytes(1_000_000),
    b"\xff" * 1_000_000,
    b"9" * 1_000_000,
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000,
    b'{"":0' + b',"":0' * 9_000 + b"}",
    b'"' + b"\\u0000" * 160_000 + b'"',
    b"a@" * 500_000,
    b"a@" + b"a." * 400_000,
    b"a@b.co," * 140_000,
    BOMB,
    gzip.compress(b"") * 50_000,
    gzip.compress(b"{}\n" * 3_000_000),
    kpl(*[BOMB] * 90),
]


@dataclass(slots=True)
class Record:
    """The bytes of one record or body; `pieces` are what must come out of it where that can be known."""

    data: bytes
    pieces: list[bytes] | None = None
    good: list[str] = field(default_factory=list)
    inputs: int = 1


@cache
def examples() -> list[bytes]:
    """Return every example of the catalogue's events, good and bad, as if it had happened at this moment."""
    now = timestamp(datetime.now(UTC))
    directory = catalog.schema_directory()
    paths = [*catalog.examples(directory), *catalog.examples(directory, "/common/envelope/1-0-0.json")]
    events = [json.loads(path.read_bytes()) for path in paths]
    return [orjson.dumps(e | {"event_time": now, "sent_at": now, "game_id": GAME}) for e in events]


@cache
def good_examples() -> list[dict[str, Any]]:
    """Return the examples that are valid events, and that any key may send."""
    values = map(orjson.loads, examples())
    validators = catalog.validators()
    names = [(value, (value.get("event_type"), value.get("schema_version"))) for value in values]
    known = catalog.event_types()
    valid = [value for value, name in names if name in known and validators[name].is_valid(value)]
    return [value for value in valid if value["event_type"] in client_types()]


@cache
def kpl_messages() -> list[bytes]:
    """Return the protobuf messages of some aggregates, without magic and digest."""
    dice = random.Random(0)
    groups = [dice.choices(examples(), k=dice.randint(1, 3)) for _ in range(50)]
    return [kpl(*group)[len(KPL_MAGIC) : -16] for group in groups]


def huge_records() -> list[bytes]:
    """Return each huge piece alone and zipped, in a batch of the REST API and of other products' clients.

    Beside them the batches that the REST API never makes and that are as large.
    """
    now = timestamp(datetime.now(UTC))
    batches = [
        pack(IngestBatch(GAME, now, None, [data, data[:1000]], envelope))
        for envelope in ("native", "guidance", "amplitude")
        for data in HUGE
    ]
    fields = {"game_id": GAME, "received_at": now, "country": "FR", "events": []}
    forged = [fields | {"events": [b""] * 300_000}, fields | {"country": "x" * 300_000}]
    packed = [BATCH_MAGIC + msgspec.msgpack.encode(item) for item in forged]
    nested = msgspec.msgpack.encode(fields | {"unknown": None})[:-1] + b"\x91" * 200_000 + b"\xc0"
    zipped = [gzip.compress(data, 1) for data in HUGE]
    return [*HUGE, *zipped, *batches, *packed, BATCH_MAGIC + nested]


# Where an event of a product holds what its sender chose.
INSIDE = {"amplitude": "event_properties", "gameanalytics": "impression_data", "unity": "eventParams"}


def _of_vendors() -> dict[str, list[tuple[dict[str, bytes], dict[str, bytes]]]]:
    """Return good events of each product as fields in JSON, without and with those that a sender chose."""
    known: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
        "amplitude": (
            {
                "user_id": "p-1",
                "event_type": "boss",
                "insert_id": "1",
                "time": 1_795_168_800_000,
                "session_id": 7,
            },
            [
                {},
                {"$revenue": "4.99", "$currency": "EUR", "$quantity": 2},
                {"$price": 1.5, "$productId": "gems"},
            ],
        ),
        "gameanalytics": (
            {
                "user_id": "p-1",
                "event_uuid": "1",
                "client_ts": 1_795_168_800,
                "session_id": "s",
                "platform": "ios",
            },
            [{}, {"revenue": 0.004, "currency": "USD", "network": "x", "adunit_format": "BANNER"}],
        ),
        "unity": (
            {"userID": "p-1", "eventUUID": "1", "eventTimestamp": "2026-11-20 11:00:00.000 +01:00"},
            [
                {"productsSpent": {"realCurrency": {"realCurrencyType": "EUR", "realCurrencyAmount": 499}}},
                {"adProvider": "x", "placementName": "p", "placementType": "BANNER", "adEcpmUsd": "3.5"},
                {"sessionEndState": "QUIT", "clientVersion": "1.2.3", "platform": "IOS"},
            ],
        ),
    }
    named: dict[str, list[dict[str, Any]]] = {
        "amplitude": [{}, {"event_type": "session_start"}],
        "gameanalytics": [
            {"category": "business", "amount": 499, "currency": "EUR", "event_id": "gems:pack"},
            {"category": "progression", "event_id": "Start:forest:2", "attempt_num": 1},
            {"category": "design", "event_id": "boss:fight", "value": 1.5},
            {"category": "session_end", "length": 300},
            {"category": "error", "severity": "error", "message": "NullReference"},
            {"category": "ads", "ad_action": "show", "ad_type": "video", "ad_sdk_name": "x"},
            {"category": "impression", "ad_network_name": "max"},
        ],
        "unity": [{"eventName": name} for name in ("transaction", "adImpression", "gameEnded", "boss")],
    }
    found: dict[str, list[tuple[dict[str, bytes], dict[str, bytes]]]] = {}
    for name, (envelope, inners) in known.items():
        found[name] = [(_fields(envelope | own), _fields(inner)) for own in named[name] for inner in inners]
    return found


def _fields(values: dict[str, Any]) -> dict[str, bytes]:
    return {name: orjson.dumps(value) for name, value in values.items()}


OF_VENDORS = _of_vendors()


@dataclass(slots=True)
class Hostile:
    """Everything is drawn from `dice`; one piece takes some ten microseconds."""

    dice: random.Random

    def good(self) -> tuple[str, bytes]:
        """Return a valid event of the game, and its id."""
        event_id = str(UUID(int=self.dice.getrandbits(128)))
        return event_id, orjson.dumps(self.dice.choice(good_examples()) | {"event_id": event_id})

    def good_guidance(self) -> tuple[str, bytes]:
        """Return a good event of the AWS guidance, and its id."""
        event_id = str(UUID(int=self.dice.getrandbits(128)))
        now = datetime.now(UTC).timestamp()
        return event_id, b'{"event_id":"%s","event_type":"boss","event_timestamp":%d}' % (
            event_id.encode(),
            now,
        )

    def piece(self) -> bytes:
        """Return what was meant to be one event, or never was."""
        return self.dice.choice(PIECES)(self)

    def line(self) -> bytes:
        """Return a piece that stays one line: no gzip file, no blank, and no beginning of an array."""
        line = self.piece().replace(b"\n", b"\r").strip().strip(SEPARATORS)
        is_other = line.startswith((b"\x1f\x8b", b"\xef\xbb\xbf")) or not line
        opens_array = line.startswith(b"[") and not line.endswith(b"]")
        return b"?" if is_other or opens_array else line

    def edited(self) -> bytes:
        return self.changed(self._example())

    def changed(self, whole: bytes) -> bytes:
        """Return bytes with one to four changes."""
        data = bytearray(whole)
        for _ in range(self.dice.randint(1, 4)):
            at = self.dice.randrange(len(data) + 1)
            match self.dice.randrange(5):
                case 0 if at < len(data):
                    data[at] ^= 1 << self.dice.randrange(8)
                case 1:
                    del data[at : at + self.dice.randint(1, 30)]
                case 2:
                    data[at:at] = self.dice.choice(TOKENS)
                case 3:
                    other = self._example()
                    data[at:] = other[self.dice.randrange(len(other)) :]
                case _:
                    data[at:at] = self.dice.randbytes(self.dice.randint(1, 8))
        return bytes(data)

    def flipped(self, whole: bytes) -> bytes:
        """Return bytes of which one to four differ in a bit."""
        data = bytearray(whole)
        for _ in range(self.dice.randint(1, 4)):
            data[self.dice.randrange(len(data))] ^= 1 << self.dice.randrange(8)
        return bytes(data)

    def truncated(self) -> bytes:
        data = self._example()
        return data[: self.dice.randrange(len(data))]

    def swapped(self) -> bytes:
        """Return an event one value of which, at some depth, has become another."""
        event = orjson.loads(self._example())
        inner = event
        while True:
            key = self.dice.choice(list(inner))
            if not (isinstance(inner[key], dict) and inner[key] and self.dice.random() < 0.7):
                break
            inner = inner[key]
        inner[key] = "\x01hole"
        return orjson.dumps(event).replace(b'"\\u0001hole"', self.dice.choice(VALUES))

    def with_keys(self) -> bytes:
        event = orjson.loads(self._example())
        inner = self.dice.choice([event, event.get("client"), event.get("payload")])
        if isinstance(inner, dict):
            inner[self.dice.choice(KEYS)] = self.dice.choice([None, 1, "x", [], {}])
        return orjson.dumps(event)

    def of_another_game(self) -> bytes:
        """Return a valid event of a game that is not the key's, or not registered."""
        game_id = self.dice.choice([OTHER_GAME, "no-such-game"])
        return orjson.dumps(self.dice.choice(good_examples()) | {"game_id": game_id})

    def repeated_keys(self) -> bytes:
        name = self.dice.choice(["event_id", "game_id", "payload", "sequence", "a"])
        return self._example().replace(b"{", b'{"%s":%s,' % (name.encode(), self.dice.choice(VALUES)), 1)

    def guidance(self) -> bytes:
        """Return an event of the AWS guidance with something wrong in it."""
        fields = {
            "event_id": b'"%d"' % self.dice.getrandbits(40),
            "event_type": self.dice.choice([b'"login"', b'"iap_transaction"', b'"level_failed"', b'"boss"']),
            "event_timestamp": b"%d" % datetime.now(UTC).timestamp(),
            "app_version": b'"1.2.3"',
        }
        data = {
            "player_id": b'"p-1"',
            "platform": b'"ios"',
            "currency_amount": b"1.5",
            "currency_type": b'"USD"',
            "level_id": b'"forest"',
            "transaction_id": b'"t"',
        }
        for part in self.dice.choices([fields, data], k=self.dice.randint(0, 3)):
            name = self.dice.choice([*part, *(json.dumps(key)[1:-1] for key in KEYS[:6])])
            part[name] = self.dice.choice(VALUES)
        inner = _object(fields | {"event_data": _object(data)})
        return (
            inner
            if self.dice.random() < 0.5
            else b'{"event":%s,"application_id":"%s"}' % (inner, GAME.encode())
        )

    def of_vendor(self, vendor: str) -> bytes:
        """Return an event of another product with something wrong in it."""
        event, inner = (dict(part) for part in self.dice.choice(OF_VENDORS[vendor]))
        inside = INSIDE[vendor]
        for part in self.dice.choices([event, inner], k=self.dice.randint(0, 3)):
            name = self.dice.choice([*part, *(json.dumps(key)[1:-1] for key in KEYS[:6])])
            part[name] = self.dice.choice(VALUES)
        return _object(event | ({inside: _object(inner)} if inner else {}))

    def noise(self) -> bytes:
        return self.dice.randbytes(self.dice.randint(0, 200))

    def value(self) -> bytes:
        return self.dice.choice([*TOKENS, b"", b" ", b"\t\n\r\n"])

    def zipped(self) -> bytes:
        """Return gzip: whole, of several members, cut, changed, or of gzip."""
        data = gzip.compress(self._example() + b"\n" + self.dice.choice(TOKENS), 1, mtime=0)
        match self.dice.randrange(6):
            case 0:
                return data
            case 1:
                return data * self.dice.randint(2, 40)
            case 2:
                return data[: self.dice.randrange(len(data))]
            case 3:
                return gzip.compress(data, 1)
            case 4:
                return data + self.dice.choice(TOKENS)
        at = self.dice.randrange(len(data))
        return data[:at] + self.dice.randbytes(3) + data[at + 3 :]

    def aggregate(self) -> bytes:
        """Return a KPL aggregate: a real one, a changed one, or a broken message with a right digest."""
        message = self.dice.choice(kpl_messages())
        match self.dice.randrange(4):
            case 0:
                digest = hashlib.md5(message).digest()
                return KPL_MAGIC + message + digest[:-1] + bytes([digest[-1] ^ 1])
            case 1:
                message = message[: self.dice.randrange(len(message))]
            case 2:
                message = b"\x1a" + b"\xff" * self.dice.randint(1, 12) + message
            case _:
                message = bytearray(message)
                message[self.dice.randrange(min(30, len(message)))] ^= 1 << self.dice.randrange(8)
        return KPL_MAGIC + message + hashlib.md5(message).digest()

    def forged(self) -> bytes:
        """Return a batch that the REST API never makes."""
        fields: dict[str, Any] = {
            "game_id": GAME,
            "received_at": timestamp(datetime.now(UTC)),
            "country": "FR",
            "events": [self.piece() for _ in range(self.dice.randint(0, 2))],
        }
        name, values = self.dice.choice(list(FORGED.items()))
        fields[name] = self.dice.choice(values)
        data = BATCH_MAGIC + msgspec.msgpack.encode(fields)
        match self.dice.randrange(5):
            case 0:
                return data[: self.dice.randrange(len(data))]
            case 1:
                return BATCH_MAGIC + self.flipped(data[len(BATCH_MAGIC) :])
        return data

    def record(self) -> Record:
        """Return a record of the stream: hostile alone, or among good neighbours in any container."""
        return self.dice.choice(RECORDS)(self)

    def alone(self) -> Record:
        return Record(self.dice.choice(WHOLES)(self))

    def lines(self) -> Record:
        pieces, good = self._among(self.line)
        data = b"\n".join(pieces)
        return Record(gzip.compress(data, 1) if self.dice.random() < 0.3 else data, pieces, good, len(pieces))

    def array(self) -> Record:
        pieces, good = self._among(self._json)
        return Record(b"[" + b", ".join(pieces) + b"]", pieces, good, len(pieces))

    def rest_batch(self) -> Record:
        pieces, good = self._among(self.piece)
        sent = {"replay": self.dice.random() < 0.2, "key_class": self.dice.choice(CLASSES)}
        batch = IngestBatch(GAME, timestamp(datetime.now(UTC)), None, pieces, **sent)
        return Record(pack(batch), pieces, good, len(pieces))

    def guidance_batch(self) -> Record:
        pieces, good = self._among(self._guidance_or_piece, self.good_guidance)
        batch = IngestBatch(GAME, timestamp(datetime.now(UTC)), "FR", pieces, "guidance")
        return Record(pack(batch), pieces, good, len(pieces))

    def guidance_body(self) -> Record:
        """Return what the AWS guidance's clients post."""
        pieces, good = self._among(self._json, self.good_guidance)
        return Record(b'{"events": [' + b",".join(pieces) + b"]}", pieces, good, len(pieces))

    def kpl_batch(self) -> Record:
        pieces, good = self._among(self.line)
        whole = [b"?" if piece.startswith(b"[") or len(piece) > 100_000 else piece for piece in pieces]
        return Record(kpl(*whole), whole, good, len(whole))

    def _among(
        self, hostile: Callable[[], bytes], neighbour: Callable[[], tuple[str, bytes]] | None = None
    ) -> tuple[list[bytes], list[str]]:
        """Return hostile pieces with good ones between them, in any order, and the ids of the good ones."""
        good = [(neighbour or self.good)() for _ in range(self.dice.randint(1, 3))]
        pieces = [hostile() for _ in range(self.dice.randint(1, 20))] + [data for _, data in good]
        self.dice.shuffle(pieces)
        return pieces, [event_id for event_id, _ in good]

    def _guidance_or_piece(self) -> bytes:
        return self.dice.choice([self.guidance, self.piece])()

    def _json(self) -> bytes:
        """Return a piece an array can hold: an array that is no JSON is one refused input."""
        for _ in range(9):
            piece = self.dice.choice([self.swapped, self.with_keys, self.repeated_keys, self.guidance])()
            try:
                if msgspec.json.decode(b"[" + piece + b"]", type=list[msgspec.Raw]):
                    return piece
            except (msgspec.DecodeError, RecursionError):
                continue
        return b"1"

    def _example(self) -> bytes:
        return self.dice.choice(examples())


PIECES = [
    *[Hostile.edited, Hostile.swapped] * 3,
    *[
        Hostile.truncated,
        Hostile.with_keys,
        Hostile.of_another_game,
        Hostile.repeated_keys,
        Hostile.guidance,
        Hostile.noise,
        Hostile.value,
    ],
]
WHOLES = [Hostile.piece, Hostile.zipped, Hostile.aggregate, Hostile.forged]
RECORDS = [
    *[Hostile.alone] * 3,
    *[Hostile.lines, Hostile.array, Hostile.rest_batch] * 2,
    *[Hostile.guidance_batch, Hostile.kpl_batch],
]
FORGED: dict[str, list[Any]] = {
    "game_id": ["", "x" * 3000, None, 5, "\0", "unregistered", OTHER_GAME, [GAME]],
    "received_at": [
        "",
        "yesterday",
        "2026-01-01T00:00:00",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "8999-12-31T23:59:59-23:59",
        "2000-01-01T00:00:00+23:59",
        0,
        None,
    ],
    "country": ["", "x" * 300, "a@b.co", "\0", 5, [], None],
    "events": [None, {}, "x", [1], [None], [[]], [b"{}"] * 300, b"{}"],
    "envelope": ["guidance", "unity", "snowplow", "", None, 5],
    "bot": [True, None, "yes"],
    "replay": [True, None, 1],
    "unknown": [1, "x" * 1000],
}


def _object(fields: dict[str, bytes]) -> bytes:
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in fields.items()) + b"}"
