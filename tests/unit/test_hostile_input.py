"""Whatever bytes come, by REST API or stream: a handler answers, no shard is blocked, no neighbour is lost.

The inputs of a run are counted, at least 80,000 by the stream and 40,000 by the REST API. Each is drawn
from a seed, which hypothesis prints where one fails: `Hostile(random.Random(seed))` makes it again.
"""

import base64
import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import pytest
from fake_aws import Games, Streams, Tables, encode, processor, records
from hostile import GAME, Hostile, Record
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ingest import handler
from ingest.publisher import Publisher
from ingest.request import MAX_BODY_BYTES
from ingest_requests import rest_api_settings
from measured_work import measured
from processor.arrival import Arrival, arrivals
from processor.triage import MAX_ORIGINAL_BYTES, rejected_line, triage
from reference_enrichment import reference_line
from telemetry import catalog
from telemetry.consent import is_denied
from telemetry.decoding import parse
from telemetry.email_masking import mask_bytes
from telemetry.ingest_batch import IngestBatch, pack, unpack
from telemetry.rejection import Reason

MakeEvent = Callable[..., dict[str, Any]]
STREAM_INPUTS, REST_INPUTS = 80_000, 40_000
MAX_SECONDS = 2
SECRET = f"{GAME}.c2VjcmV0IHRoYXQgbm9ib2R5IHNlZXM"
MAX_FIREHOSE_RECORD_BYTES = 1000 * 1024
SEEDS = st.integers(0, 2**64)
ADDED = set(catalog.documents()["/common/enriched/1-0-0.json"]["properties"])

NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False), st.sampled_from([10**400, -0.0, 2**63, 1e308]))
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.text(), st.sampled_from(["\0", "\ud800", "x" * 70_000])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
FIELDS = st.sampled_from([*catalog.documents()["/common/envelope/1-0-0.json"]["properties"], "unknown"])
NEAR_EVENTS = st.dictionaries(FIELDS, JSON, max_size=4)
RAW = st.one_of(st.binary(max_size=400), JSON.map(lambda value: json.dumps(value).encode()))


def many(examples: int) -> Any:
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=quiet, database=None)


def seeded(examples: int) -> Any:
    """A seed does not get simpler by shrinking."""
    return settings(many(examples), phases=[Phase.generate])


class Registry:
    """One game is registered."""

    def registered(self, game_ids: Iterable[str]) -> dict[str, Any]:
        return {game: {"status": "active"} for game in {GAME}.intersection(game_ids)}


def judged(*data: bytes) -> list[list[Arrival]]:
    """Take records through the processor up to the point of writing."""
    batch = [list(arrivals(record)) for record in records(*data)]
    triage([arrival for record in batch for arrival in record], Registry())  # type: ignore[arg-type]
    return batch


def check_accepted(arrival: Arrival) -> None:
    event = orjson.loads(arrival.line)
    assert arrival.line == reference_line(arrival.value, arrival.origin, event["processed_at"])
    added = {name: value for name, value in event.items() if name in ADDED}
    assert catalog.validator("/common/enriched/1-0-0.json").is_valid(added), added
    sent = {name: value for name, value in event.items() if name not in ADDED}
    assert catalog.validators()[event["event_type"], event["schema_version"]].is_valid(sent), sent


def check_rejected(arrival: Arrival) -> None:
    data = rejected_line(arrival, "shardId-000000000000")
    assert len(data) <= MAX_FIREHOSE_RECORD_BYTES
    assert data.count(b"\n") == 1
    line = orjson.loads(data)
    assert line["reason"] != Reason.INTERNAL_ERROR, line
    if arrival.origin.source != "replay":  # whose second reject is not written
        error = next(catalog.validator("/common/rejected/1-0-0.json").iter_errors(line), None)
        assert error is None, error
    kept = line["original"].encode() if "original" in line else base64.b64decode(line["original_base64"])
    sent = arrival.raw[:MAX_ORIGINAL_BYTES]
    is_masked = any(sign in sent for sign in (b"@", b"\\u0040", b"%"))
    assert kept == (mask_bytes(sent) if is_masked else sent)
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
        for arrival, piece in zip(found, record.pieces, strict=True):
            assert arrival.raw == piece or says_what_was_agreed(piece)


def test_the_stream_takes_any_bytes() -> None:
    inputs, slowest = 0, 0.0
    outcomes: set[Reason | None] = set()

    @seeded(1500)
    @given(SEEDS)
    def run(seed: int) -> None:
        nonlocal inputs, slowest
        hostile = Hostile(random.Random(seed))
        for record in [hostile.record() for _ in range(18)]:
            (found,), seconds = measured(lambda: judged(record.data), MAX_SECONDS)  # noqa: B023
            slowest = max(slowest, seconds)
            check(record, found)
            inputs += record.inputs
            outcomes.update(arrival.rejection and arrival.rejection.reason for arrival in found)

    run()
    print(f"{inputs} inputs, the slowest record {slowest:.2f} s")
    assert inputs >= STREAM_INPUTS
    assert slowest < MAX_SECONDS
    assert outcomes == {None, *Reason} - {Reason.INTERNAL_ERROR, Reason.DUPLICATE}


@seeded(100)
@given(SEEDS)
def test_no_hostile_batch_blocks_its_shard(seed: int) -> None:
    hostile, streams = Hostile(random.Random(seed)), Streams()
    sent = [hostile.record() for _ in range(25)]
    pipeline = processor(Games((GAME,)), Tables(), streams)
    done, retry_from = pipeline.process(records(*(record.data for record in sent)))
    assert retry_from is None
    bronze = streams.lines("bronze")
    assert streams.lines("enriched") == bronze
    assert {line["event_id"] for line in bronze}.issuperset(name for record in sent for name in record.good)
    positions = [line["position"] for line in streams.lines("rejected")]
    withheld = sum(is_denied(arrival.value) for arrival in done)
    assert len(set(positions)) == len(positions) == len(done) - len(bronze) - withheld


@many(1000)
@given(RAW)
def test_the_stream_takes_what_hypothesis_thinks_of(data: bytes) -> None:
    (found,) = judged(data)
    check(Record(data), found)


@many(1000)
@given(change=NEAR_EVENTS)
def test_a_nearly_right_event_leaves_its_neighbour_alone(
    make_event: MakeEvent, change: dict[str, Any]
) -> None:
    good = make_event()
    data = encode(make_event() | change) + b"\n" + encode(good)
    (found,) = judged(data)
    check(Record(data, good=[good["event_id"]]), found)


@many(500)
@given(st.lists(st.binary(max_size=400), max_size=5))
def test_bytes_travel_unchanged_between_rest_api_and_processor(events: list[bytes]) -> None:
    batch = IngestBatch("game", "2026-01-01T00:00:00Z", None, events)
    assert unpack(pack(batch)) == batch


# What is posted, and whether by the guidance's route.
BODIES = [
    *[(Hostile.alone, False), (Hostile.lines, False), (Hostile.array, False)] * 2,
    *[(Hostile.alone, True), (Hostile.guidance_body, True)],
]


@pytest.fixture
def rest_api(monkeypatch: pytest.MonkeyPatch) -> Streams:
    """The REST API of a client whose key is right, and the stream it writes to."""
    streams = Streams()
    rest_api_settings(monkeypatch)
    monkeypatch.setattr(handler, "within_quota", lambda *request: None)
    monkeypatch.setattr(handler, "publisher", lambda: Publisher(streams, "raw"))
    monkeypatch.setattr(handler, "registry", lambda: {GAME: {"game_id": GAME, "key_hashes": []}})
    return streams


def post(data: bytes, as_text: bool = False, guidance: bool = False) -> tuple[int, dict[str, Any]]:
    """Return status and body of the answer; text may hold what no UTF-8 can."""
    request = {
        "headers": {"x-api-key": SECRET, "authorization": SECRET},
        "requestContext": {"authorizer": {"game_id": GAME}},
        "pathParameters": {"application_id": GAME} if guidance else None,
        "body": data.decode(errors="surrogateescape") if as_text else base64.b64encode(data).decode(),
        "isBase64Encoded": not as_text,
    }
    answer = handler.lambda_handler(request, None)
    assert answer["statusCode"] in (200 if guidance else 202, 207, 400, 413, 422)
    assert SECRET not in answer["body"]
    assert answer["headers"]["content-type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"])


def check_answer(request: Record, status: int, body: dict[str, Any], sent: Streams) -> None:
    batches = [unpack(data) for _, data in sent.taken["raw"]]
    forwarded = [event for batch in batches if batch for event in batch.events]
    if status in (400, 413):
        assert body["error"]["code"]
        # The quarantine keeps the beginning of the body, where there is one.
        assert len(forwarded) <= 1
        assert all(batch and batch.refusal for batch in batches)
        assert request.pieces is None or len(b"".join(request.pieces)) > MAX_BODY_BYTES / 2
        return
    assert body["accepted"] + body["rejected"] == len(forwarded)
    assert all(result["status"] == "rejected" for result in body["results"])
    assert all(result["reason"] != Reason.INTERNAL_ERROR for result in body["results"])
    if request.pieces is not None:
        assert len(forwarded) == len(request.pieces)
        whole = [piece for piece in request.pieces if not says_what_was_agreed(piece)]
        assert Counter(whole) <= Counter(forwarded)
        refused = {result["event_id"] for result in body["results"]}
        assert refused.isdisjoint(request.good)


def test_the_rest_api_answers_any_body(rest_api: Streams) -> None:
    inputs, slowest = 0, 0.0
    statuses: set[int] = set()

    @seeded(800)
    @given(SEEDS)
    def run(seed: int) -> None:
        nonlocal inputs, slowest
        dice = random.Random(seed)
        hostile = Hostile(dice)
        for _ in range(18):
            make, guidance = dice.choice(BODIES)
            request = make(hostile)
            as_text = request.pieces is None and dice.random() < 0.5

            def ask() -> tuple[int, dict[str, Any]]:
                rest_api.taken.clear()
                return post(request.data, as_text, guidance)  # noqa: B023

            (status, body), seconds = measured(ask, MAX_SECONDS)
            slowest = max(slowest, seconds)
            check_answer(request, status, body, rest_api)
            inputs += request.inputs
            statuses.add(status)

    run()
    print(f"{inputs} inputs, the slowest request {slowest:.2f} s")
    assert inputs >= REST_INPUTS
    assert slowest < MAX_SECONDS
    assert statuses == {200, 202, 207, 400, 413, 422}


@many(1000)
@given(data=RAW, as_text=st.booleans(), guidance=st.booleans())
def test_the_rest_api_answers_what_hypothesis_thinks_of(
    rest_api: Streams, data: bytes, as_text: bool, guidance: bool
) -> None:
    rest_api.taken.clear()
    check_answer(Record(data), *post(data, as_text, guidance), rest_api)


def test_a_body_of_countless_gzip_members_is_answered_in_time(rest_api: Streams) -> None:
    body = gzip.compress(b"") * 225_000  # 4.5 MB: in base64, the most Lambda can be handed
    (status, _), seconds = measured(lambda: post(body), MAX_SECONDS)
    assert status == 400
    assert seconds < MAX_SECONDS
