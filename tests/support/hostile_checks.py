"""What must hold for any bytes: checks that the seeded inputs and the coverage-guided fuzzer share."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import orjson
from aws_kinesis_agg.aggregator import messages_pb2
from fake_aws import records
from fastapi.exceptions import RequestValidationError
from google.protobuf.message import DecodeError
from hostile import GAME, KPL_MAGIC, OTHER_GAME, Record
from metrics_api import leaderboards
from processor.arrival import Arrival, arrivals
from processor.stream_record import decode_record
from processor.triage import MAX_ORIGINAL_BYTES, rejected_line, triage
from reference_enrichment import reference_line
from telemetry import catalog, envelopes
from telemetry.boards import Board
from telemetry.consent import is_denied
from telemetry.decoding import parse
from telemetry.email_masking import mask, mask_bytes
from telemetry.ingest_batch import Envelope
from telemetry.leaderboard_reader import LeaderboardReader
from telemetry.rejection import Reason
from telemetry.vendors import VENDORS

MAX_FIREHOSE_RECORD_BYTES = 1000 * 1024
ADDED = set(catalog.documents()["/common/enriched/1-0-0.json"]["properties"])


class Registry:
    """Two games are registered: the one of the keys, and another."""

    def registered(self, game_ids: Iterable[str], remembered: bool = True) -> dict[str, Any]:
        return {game: {"status": "active"} for game in {GAME, OTHER_GAME}.intersection(game_ids)}


def judged(*data: bytes) -> list[list[Arrival]]:
    """Take records through the processor up to the point of writing."""
    batch = [list(arrivals(record)) for record in records(*data)]
    triage([arrival for record in batch for arrival in record], Registry())  # type: ignore[arg-type]
    return batch


def check_accepted(arrival: Arrival) -> None:
    event = orjson.loads(arrival.line)
    # The key's game wins; on the stream, where only servers write, an event names its own.
    named = arrival.key_game or orjson.loads(arrival.raw)["game_id"]
    assert event["game_id"] == arrival.game == named
    assert arrival.line == reference_line(arrival.value, arrival.origin, event["processed_at"])
    added = {name: value for name, value in event.items() if name in ADDED}
    assert catalog.validator("/common/enriched/1-0-0.json").is_valid(added), added
    sent = {name: value for name, value in event.items() if name not in ADDED}
    assert catalog.validators()[event["event_type"], event["schema_version"]].is_valid(sent), sent


def assert_same_but_for_players(kept: Any, sent: Any) -> None:
    """Compare values of JSON: each text is masked, or the hash of what was sent."""
    if isinstance(sent, dict):
        assert len(kept) == len(sent)
        for (ours, mine), (name, value) in zip(kept.items(), sent.items(), strict=True):
            assert_same_but_for_players(ours, name)
            assert_same_but_for_players(mine, value)
    elif isinstance(sent, list):
        for mine, value in zip(kept, sent, strict=True):
            assert_same_but_for_players(mine, value)
    elif isinstance(sent, str):
        hashed = "h-" + hashlib.sha256(sent.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        assert kept in (sent, mask(sent), hashed)
        assert kept != sent or mask(sent) == sent
    else:
        assert kept == sent


def check_rejected(arrival: Arrival) -> None:
    data = rejected_line(arrival, "shardId-000000000000")
    assert len(data) <= MAX_FIREHOSE_RECORD_BYTES
    assert data.count(b"\n") == 1
    line = orjson.loads(data)
    assert line["reason"] != Reason.INTERNAL_ERROR, line
    if arrival.origin.source != "replay":  # whose second reject is not written
        validator = catalog.validator("/common/rejected/1-0-0.json")
        assert validator.is_valid(line), next(validator.iter_errors(line))
    kept = line["original"].encode() if "original" in line else base64.b64decode(line["original_base64"])
    sent = arrival.raw[:MAX_ORIGINAL_BYTES]
    is_masked = any(sign in sent for sign in (b"@", b"\\u0040", b"%"))
    if kept != (mask_bytes(sent) if is_masked else sent):
        # Translated envelopes keep the hash of a player's id that looks like an address.
        assert arrival.envelope != "native"
        assert b"@" in sent
        assert_same_but_for_players(json.loads(kept), json.loads(sent))
    assert (line["size_bytes"], line["truncated"]) == (len(arrival.raw), len(sent) < len(arrival.raw))


def says_what_was_agreed(piece: bytes) -> bool:
    """Tell an event of which less may be kept than was sent."""
    value = parse(piece).value
    return isinstance(value, dict) and "privacy" in value


def check(record: Record, found: list[Arrival]) -> None:
    for arrival in found:
        withheld = is_denied(arrival.value)
        assert [withheld, bool(arrival.event), bool(arrival.rejection)].count(True) == 1
        if withheld:
            continue
        if arrival.event:
            check_accepted(arrival)
        else:
            check_rejected(arrival)
    accepted = {arrival.event["event_id"] for arrival in found if arrival.event}
    assert accepted.issuperset(record.good)
    if record.pieces is not None:
        arrivals = iter(found)
        for piece in record.pieces:
            raw = next(arrivals).raw
            # Objects in a row are events of their own.
            while raw and raw != piece and piece.startswith(raw):
                raw += next(arrivals).raw
            assert raw == piece or says_what_was_agreed(piece)
        assert next(arrivals, None) is None


def protobuf_records(message: bytes) -> list[bytes] | None:
    """Return the user records that Google's protobuf finds in a message, None where it is broken."""
    aggregate = messages_pb2.AggregatedRecord()
    try:
        aggregate.ParseFromString(message)
    except DecodeError:
        return None
    return [record.data for record in aggregate.records]


def check_aggregate(message: bytes) -> str:
    """Return how a KPL aggregate with this protobuf message is taken: as protobuf reads it, or not at all."""
    data = KPL_MAGIC + message + hashlib.md5(message).digest()
    found = [item.raw for item in decode_record(data)]
    assert all(raw in data for raw in found)
    wanted = protobuf_records(message)
    if found == [data]:
        return "refused"
    if wanted is None:
        return "read where protobuf misses a field"
    assert found == [item.raw for record in wanted for item in decode_record(record)]
    return "read"


def check_translated(envelope: Envelope, data: bytes) -> Reason | None:
    """Return why an event of another envelope is refused, None for a valid event of the key's game."""
    item = envelopes.translated(envelope, parse(data), GAME, datetime.now(UTC))
    assert item.raw == data
    if item.rejection:
        assert item.rejection.reason != Reason.INTERNAL_ERROR
        return item.rejection.reason
    assert item.value["game_id"] == GAME
    name = item.value["event_type"], item.value["schema_version"]
    assert catalog.validators()[name].is_valid(item.value), item.value
    return None


class Here(Executor):
    """Runs what a pool would, at once."""

    def map(self, function: Any, *parts: Any, **_: Any) -> Any:
        return map(function, *parts)


class Boards:
    """The index by_rank of DynamoDB with two games' players, which answers the reader's own question."""

    def __init__(self, boards: Iterable[Board]) -> None:
        self.partitions: dict[str, list[str]] = {}
        for board in boards:
            period = board.period(datetime.now(UTC).date())
            assert period
            for number in range(20):
                player = f"{board.game_id}-{number}"
                key = f"{number:025}#20260101000000#{player}"
                self.partitions.setdefault(board.partition(period, player), []).append(key)

    def query(self, **question: Any) -> dict[str, Any]:
        assert question["KeyConditionExpression"] == "board = :board AND rank_key > :rank_key"
        values = question["ExpressionAttributeValues"]
        keys = sorted(self.partitions.get(values[":board"]["S"], []))
        later = [key for key in keys if key > values[":rank_key"]["S"]]
        return {"Items": [{"rank_key": {"S": key}} for key in later[: question["Limit"]]]}


@cache
def _reader() -> LeaderboardReader:
    boards = [Board.default(game, "weekly") for game in (GAME, OTHER_GAME)]
    period = boards[0].period(datetime.now(UTC).date())
    assert period
    tables: Any = Boards(boards)
    return LeaderboardReader(tables, "leaderboards", boards[0], period, Here())


def rank_keys() -> list[str]:
    """Return the keys of both games' entries."""
    tables: Any = _reader().dynamodb
    return [key for partition in tables.partitions.values() for key in partition]


def check_cursor(cursor: bytes) -> str:
    """Return what a cursor leads to: entries of its own board only."""
    try:
        before, rank_key = leaderboards._cursor(cursor.decode("latin-1"))
    except RequestValidationError:
        return "refused"
    assert before < 10**9
    found = [standing.player_id for standing in _reader().after(rank_key, 5)]
    assert all(player.startswith(f"{GAME}-") for player in found)
    return "read on" if found else "at the end"


def check_stream(data: bytes) -> None:
    """Take a record of the stream through the processor."""
    (found,) = judged(data)
    check(Record(data), found)


def check_planted(data: bytes) -> None:
    """Fail for an input that chance does not find: the fuzzer must be able to."""
    for place, sign in enumerate(b"key"):
        if data[place : place + 1] != bytes([sign]):
            return
    raise AssertionError("found")


TARGETS: dict[str, Callable[[bytes], Any]] = {
    "cursors": lambda data: check_cursor(base64.urlsafe_b64encode(data)),
    "guidance": lambda data: check_translated("guidance", data),
    "kpl": check_aggregate,
    "planted": check_planted,
    "stream": check_stream,
    **{name: partial(check_translated, name) for name in VENDORS},
}
