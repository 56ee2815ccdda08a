"""Whatever bytes come, by REST API or stream: a handler answers, no shard is blocked, no neighbour is lost.

A run takes 500,000 inputs: docs/security.md has the figures. Each is drawn from a seed, which is printed
where one fails: `Hostile(random.Random(seed))` makes it again. HOSTILE_SEED takes other seeds than the usual
ones. The inputs of a target come in parts, so that processes can share them.
"""

import base64
import gzip
import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fake_aws import Games, Streams, Tables, encode, processor, records
from hostile import GAME, Hostile, Record, huge_records, kpl_messages
from hostile_checks import (
    check,
    check_aggregate,
    check_cursor,
    check_translated,
    judged,
    rank_keys,
    says_what_was_agreed,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest import handler, intake
from ingest.publisher import Publisher
from ingest.request import MAX_BODY_BYTES
from ingest_requests import rest_api_settings
from measured_work import measured
from telemetry import catalog
from telemetry.consent import is_denied
from telemetry.ingest_batch import IngestBatch, pack, unpack
from telemetry.rejection import Reason
from telemetry.vendors import VENDORS
from tools import REPOSITORY

MakeEvent = Callable[..., dict[str, Any]]
# 500,000 together, in so many parts each.
INPUTS = {
    "stream": 120_000, "rest": 70_000, "kpl": 120_000, "guidance": 80_000, "vendors": 80_000,
    "cursors": 30_000,
}  # fmt: skip
PARTS = 4
FIRST_SEED = int(os.environ.get("HOSTILE_SEED", "0"))
MAX_SECONDS = 2
SECRET = f"{GAME}.c2VjcmV0IHRoYXQgbm9ib2R5IHNlZXM"

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


@contextmanager
def seed_shown(seed: int) -> Iterator[Hostile]:
    """Give what draws from a seed, and print the seed where an input fails."""
    try:
        yield Hostile(random.Random(seed))
    except BaseException:
        print(f"Hostile(random.Random({seed})) made the input that failed")
        raise


def seeds(target: str, part: int) -> Iterator[int]:
    """Return the seeds of a part of a target: others than those of any other part."""
    start = FIRST_SEED + (list(INPUTS).index(target) * PARTS + part) * 1_000_000
    yield from range(start, start + 1_000_000)


@pytest.mark.parametrize("part", range(PARTS))
def test_the_stream_takes_any_bytes(part: int) -> None:
    inputs, slowest = 0, 0.0
    outcomes: set[Reason | None] = set()
    for seed in seeds("stream", part):
        with seed_shown(seed) as hostile:
            record = hostile.record()
            (found,), seconds = measured(lambda: judged(record.data), MAX_SECONDS)  # noqa: B023
            check(record, found)
        slowest = max(slowest, seconds)
        inputs += record.inputs
        outcomes.update(arrival.rejection and arrival.rejection.reason for arrival in found)
        if inputs >= INPUTS["stream"] / PARTS:
            break
    print(f"{inputs} inputs, the slowest record {slowest:.2f} s")
    assert slowest < MAX_SECONDS
    # What is too large has a test of its own, and repeated events are the claims'.
    assert outcomes == {None, *Reason} - {Reason.INTERNAL_ERROR, Reason.DUPLICATE, Reason.TOO_LARGE}


def test_the_stream_takes_records_as_large_as_they_can_be() -> None:
    reasons: set[Reason | None] = set()
    for data in huge_records():
        (found,), seconds = measured(lambda: judged(data), MAX_SECONDS)  # noqa: B023
        check(Record(data), found)
        assert seconds < MAX_SECONDS
        reasons.update(arrival.rejection and arrival.rejection.reason for arrival in found)
    assert reasons >= {Reason.TOO_LARGE, Reason.MALFORMED_JSON, Reason.SCHEMA_VIOLATION}


@pytest.mark.parametrize("seed", range(100))
def test_no_hostile_batch_blocks_its_shard(seed: int) -> None:
    hostile, streams = Hostile(random.Random(FIRST_SEED + seed)), Streams()
    sent = [hostile.record() for _ in range(25)]
    pipeline = processor(Games((GAME,)), Tables(), streams)
    done, retry_from = pipeline.process(records(*(record.data for record in sent)))
    assert retry_from is None
    bronze = streams.lines("bronze")
    assert streams.lines("enriched") == bronze
    assert {line["event_id"] for line in bronze}.issuperset(name for record in sent for name in record.good)
    assert {line["game_id"] for line in bronze} == {GAME}
    positions = [line["position"] for line in streams.lines("rejected")]
    withheld = sum(is_denied(arrival.value) for arrival in done)
    assert len(set(positions)) == len(positions) == len(done) - len(bronze) - withheld


@pytest.mark.parametrize("part", range(PARTS))
def test_an_aggregate_is_read_as_protobuf_reads_it_or_refused(part: int) -> None:
    outcomes: Counter[str] = Counter()
    for seed, _ in zip(seeds("kpl", part), range(INPUTS["kpl"] // PARTS), strict=False):
        with seed_shown(seed) as hostile:
            message = hostile.dice.choice(kpl_messages())
            message = hostile.dice.choice([hostile.changed, hostile.flipped])(message)
            outcomes[check_aggregate(message)] += 1
    assert min(outcomes["refused"], outcomes["read"]) > INPUTS["kpl"] / PARTS / 5, outcomes


@pytest.mark.parametrize("part", range(PARTS))
def test_the_guidances_envelope_becomes_an_event_of_the_keys_game_or_is_refused(part: int) -> None:
    reasons: Counter[Reason | None] = Counter()
    for seed, _ in zip(seeds("guidance", part), range(INPUTS["guidance"] // PARTS), strict=False):
        with seed_shown(seed) as hostile:
            data = hostile.guidance()
            if hostile.dice.random() < 0.3:
                data = hostile.changed(data)
            reasons[check_translated("guidance", data)] += 1
    assert reasons.keys() == {None, Reason.MALFORMED_JSON, Reason.SCHEMA_VIOLATION, Reason.WRONG_GAME}
    assert reasons[None] > INPUTS["guidance"] / PARTS / 10


@pytest.mark.parametrize("part", range(PARTS))
def test_events_of_other_products_become_events_of_the_keys_game_or_are_refused(part: int) -> None:
    reasons: Counter[tuple[str, Reason | None]] = Counter()
    for seed, _ in zip(seeds("vendors", part), range(INPUTS["vendors"] // PARTS), strict=False):
        with seed_shown(seed) as hostile:
            name: Any = hostile.dice.choice([*VENDORS])
            data = hostile.of_vendor(name)
            if hostile.dice.random() < 0.3:
                data = hostile.changed(data)
            reasons[name, check_translated(name, data)] += 1
    assert {reason for _, reason in reasons} == {None, Reason.MALFORMED_JSON, Reason.SCHEMA_VIOLATION}
    assert min(reasons[name, None] for name in VENDORS) > INPUTS["vendors"] / PARTS / 30


@pytest.mark.parametrize("part", range(PARTS))
def test_a_cursor_reads_on_in_its_own_board_or_is_refused(part: int) -> None:
    keys = rank_keys()
    outcomes: Counter[str] = Counter()
    for seed, _ in zip(seeds("cursors", part), range(INPUTS["cursors"] // PARTS), strict=False):
        with seed_shown(seed) as hostile:
            text = f"{hostile.dice.choice([1, 10, 99])} {hostile.dice.choice(keys)}".encode()
            if hostile.dice.random() < 0.8:
                text = hostile.changed(text)
            cursor = base64.urlsafe_b64encode(text)
            if hostile.dice.random() < 0.3:
                cursor = hostile.changed(cursor)
            outcomes[check_cursor(cursor)] += 1
    assert outcomes.keys() == {"refused", "read on", "at the end"}


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
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(intake.Intake, "within_quota", lambda *request: None)
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
    assert {batch and batch.game_id for batch in batches} <= {GAME}
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


@pytest.mark.parametrize("part", range(PARTS))
def test_the_rest_api_answers_any_body(rest_api: Streams, part: int) -> None:
    inputs, slowest = 0, 0.0
    statuses: set[int] = set()
    for seed in seeds("rest", part):
        with seed_shown(seed) as hostile:
            make, is_guidance = hostile.dice.choice(BODIES)
            request = make(hostile)
            as_text = request.pieces is None and hostile.dice.random() < 0.5

            def ask() -> tuple[int, dict[str, Any]]:
                rest_api.taken.clear()
                return post(request.data, as_text, is_guidance)  # noqa: B023

            (status, body), seconds = measured(ask, MAX_SECONDS)
            check_answer(request, status, body, rest_api)
        slowest = max(slowest, seconds)
        inputs += request.inputs
        statuses.add(status)
        if inputs >= INPUTS["rest"] / PARTS:
            break
    print(f"{inputs} inputs, the slowest request {slowest:.2f} s")
    assert slowest < MAX_SECONDS
    assert statuses == {200, 202, 207, 400, 422}


def test_the_rest_api_answers_bodies_as_large_as_they_can_be(rest_api: Streams) -> None:
    statuses = set()
    for data in huge_records():
        for is_guidance in (False, True):
            rest_api.taken.clear()
            answered = lambda: post(data, guidance=is_guidance)  # noqa: B023, E731
            (status, body), seconds = measured(answered, MAX_SECONDS)
            check_answer(Record(data), status, body, rest_api)
            statuses.add(status)
            assert seconds < MAX_SECONDS
    assert {400, 413} <= statuses


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


def test_documented_figures_are_those_of_a_run() -> None:
    text = (REPOSITORY / "docs" / "security.md").read_text()
    table = text.split("## Hostile input")[1].split("| **Together**")[0]
    told = [int(cell.replace(",", "")) for cell in re.findall(r"\| ([0-9,]+) \|", table)]
    assert sorted(told) == sorted(INPUTS.values())
    assert f"| **Together** | **{sum(INPUTS.values()):,}** |" in text
    assert sum(INPUTS.values()) == 500_000
