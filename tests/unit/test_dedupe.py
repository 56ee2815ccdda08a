"""Claims of event ids: the first arrival owns one, whatever is retried and whichever answer is lost."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hooked_dynamodb import HookedDynamoDB, quiet
from processor.arrival import Arrival
from processor.dedupe import CLAIMS_PER_ITEM, CLAIMS_PER_UPDATE, EVENTS_PER_BUCKET, Claims
from telemetry.origin import Origin

WINDOW_HOURS = 24


def buckets(table: HookedDynamoDB) -> list[str]:
    return [key["bucket"]["S"] for key in table.keys]


def failure(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "x"}}, "UpdateItem")


@pytest.fixture
def table(dynamodb: Any) -> HookedDynamoDB:
    return HookedDynamoDB()


@pytest.fixture
def claims(table: HookedDynamoDB) -> Claims:
    return Claims(table, "dedupe", WINDOW_HOURS)


def arrive(position: int, event_id: str | None = None, **fields: Any) -> Arrival:
    event = {"game_id": "skyforge", "session_id": "s-1", "sequence": 0, "event_id": event_id or str(uuid4())}
    return Arrival(str(position), 0, Origin(datetime.now(UTC), "stream"), b"", event=event | fields)


def positions(arrivals: Iterable[Arrival]) -> list[str]:
    return sorted(arrival.sequence_number for arrival in arrivals)


def test_the_first_arrival_of_an_id_is_new_and_all_others_repeat_it(claims: Claims) -> None:
    same = str(uuid4())
    batch = [arrive(n, same if n % 2 else None) for n in range(1, 8)]
    for _ in range(2):
        repeated, unknown = claims.duplicates(batch)
        assert (positions(repeated), unknown) == (["3", "5", "7"], [])
    repeated, _ = claims.duplicates([arrive(9, same.upper())])
    assert positions(repeated) == ["9"]


def test_the_second_half_of_a_batch_alone_knows_who_came_first(claims: Claims) -> None:
    batch = [arrive(1, same := str(uuid4())), arrive(2, same)]
    claims.duplicates(batch)
    assert positions(claims.duplicates(batch[1:])[0]) == ["2"]


def test_a_lost_answer_is_found_as_the_own_claim(claims: Claims, table: HookedDynamoDB) -> None:
    batch = [arrive(n) for n in range(3)]
    table.after = lambda key: ReadTimeoutError(endpoint_url="x")
    assert positions(claims.duplicates(batch)[1]) == ["0", "1", "2"]
    table.after = quiet
    assert claims.duplicates(batch) == ([], [])


def test_only_the_arrivals_of_the_failing_item_are_unknown(claims: Claims, table: HookedDynamoDB) -> None:
    same = str(uuid4())
    batch = [arrive(1, session_id="a"), arrive(2, same, session_id="b"), arrive(3, same, session_id="b")]
    table.before = lambda key: failure("InternalServerError") if "#b#" in key["bucket"]["S"] else None
    repeated, unknown = claims.duplicates(batch)
    assert (positions(repeated), positions(unknown)) == ([], ["2", "3"])
    table.before = quiet
    assert positions(claims.duplicates(batch[1:])[0]) == ["3"]


def test_a_session_with_one_sequence_number_has_items_of_bounded_size(
    claims: Claims, table: HookedDynamoDB, dynamodb: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sent = [arrive(n) for n in range(1_000)]
    for start in range(0, len(sent), 100):
        assert claims.duplicates(sent[start : start + 100]) == ([], [])
    items = dynamodb.Table("dedupe").scan()["Items"]
    assert len(items) > 100
    assert max(map(len, items)) <= CLAIMS_PER_ITEM + CLAIMS_PER_UPDATE + 3
    flagged = [arrival for arrival in sent if arrival.flags]
    assert {arrival.flags for arrival in flagged} == {("repeated_sequence",)}
    assert len(flagged) >= len(sent) - CLAIMS_PER_ITEM - CLAIMS_PER_UPDATE
    assert "s-1" in str([record.__dict__.get("sessions") for record in caplog.records])
    assert claims.duplicates(sent) == ([], []), "each finds its own claim"
    again = [arrive(10_000 + n, arrival.event["event_id"]) for n, arrival in enumerate(sent) if arrival.event]
    repeated, unknown = claims.duplicates(again)
    assert (len(repeated), unknown) == (len(sent), []), "a repetition is found wherever the id is claimed"


def test_retries_without_end_do_not_make_an_honest_session_overflow_wrongly(claims: Claims) -> None:
    first = [arrive(n, sequence=n) for n in range(20)]
    for _ in range(20):
        assert claims.duplicates(first) == ([], [])
    rest = [arrive(100 + n, sequence=20 + n) for n in range(8)]
    assert claims.duplicates(rest) == ([], [])
    again = [
        arrive(500 + n, (one.event or {})["event_id"], **_sequence(one)) for n, one in enumerate(first + rest)
    ]
    assert len(claims.duplicates(again)[0]) == 28


def _sequence(arrival: Arrival) -> dict[str, Any]:
    return {"sequence": (arrival.event or {})["sequence"]}


def test_one_write_claims_a_stretch_of_a_session(claims: Claims, table: HookedDynamoDB) -> None:
    claims.duplicates([arrive(n, sequence=n) for n in range(3 * EVENTS_PER_BUCKET)])
    assert sorted(buckets(table)) == ["skyforge#s-1#0", "skyforge#s-1#1", "skyforge#s-1#2"]


def test_more_ids_than_an_expression_holds_take_several_writes(claims: Claims, table: HookedDynamoDB) -> None:
    claims.duplicates([arrive(n) for n in range(2 * CLAIMS_PER_UPDATE + 1)])
    assert buckets(table) == ["skyforge#s-1#0"] * 3


def test_games_do_not_share_ids(claims: Claims) -> None:
    same = str(uuid4())
    assert claims.duplicates([arrive(1, same), arrive(2, same, game_id="farm")]) == ([], [])


def test_a_sequence_written_as_a_float_is_the_same_number(claims: Claims) -> None:
    claims.duplicates([arrive(1, same := str(uuid4()), sequence=70)])
    assert positions(claims.duplicates([arrive(2, same, sequence=70.0)])[0]) == ["2"]


def test_claims_expire_after_the_window(claims: Claims, dynamodb: Any) -> None:
    before = int(time.time())
    claims.duplicates([arrive(1)])
    (item,) = dynamodb.Table("dedupe").scan()["Items"]
    assert before <= int(item["expires_at"]) - WINDOW_HOURS * 3600 <= time.time()


def test_without_a_window_no_event_is_a_repetition(table: HookedDynamoDB) -> None:
    same = str(uuid4())
    assert Claims(table, "dedupe", 0).duplicates([arrive(1, same), arrive(2, same)]) == ([], [])
    assert table.keys == []


def test_nothing_to_claim_writes_nothing(claims: Claims, table: HookedDynamoDB) -> None:
    assert claims.duplicates([]) == ([], [])
    assert table.keys == []
