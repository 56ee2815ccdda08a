"""Claims of event ids: the first arrival owns one, whatever is retried and whichever answer is lost."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from processor.arrival import Arrival
from processor.dedupe import CLAIMS_PER_ITEM, CLAIMS_PER_UPDATE, EVENTS_PER_BUCKET, Claims
from telemetry.origin import Origin

WINDOW_HOURS = 24


class Table:
    """A DynamoDB client that notes updates and fails some as told, before or after they are written."""

    def __init__(self) -> None:
        self._client = boto3.client("dynamodb")
        self.exceptions = self._client.exceptions
        self.updates: list[str] = []
        # DynamoDB runs the updates of an item one after the other; moto does not.
        self.one_at_a_time = threading.Lock()
        self.before: Callable[[str], Exception | None] = lambda bucket: None
        self.after = self.before

    def update_item(self, **arguments: Any) -> Any:
        bucket = arguments["Key"]["bucket"]["S"]
        self.updates.append(bucket)
        if error := self.before(bucket):
            raise error
        with self.one_at_a_time:
            answer = self._client.update_item(**arguments)
        if error := self.after(bucket):
            raise error
        return answer


def failure(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "x"}}, "UpdateItem")


@pytest.fixture
def table(dynamodb: Any) -> Table:
    return Table()


@pytest.fixture
def claims(table: Table) -> Claims:
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


def test_a_lost_answer_is_found_as_the_own_claim(claims: Claims, table: Table) -> None:
    batch = [arrive(n) for n in range(3)]
    table.after = lambda bucket: ReadTimeoutError(endpoint_url="x")
    assert positions(claims.duplicates(batch)[1]) == ["0", "1", "2"]
    table.after = lambda bucket: None
    assert claims.duplicates(batch) == ([], [])


def test_only_the_arrivals_of_the_failing_item_are_unknown(claims: Claims, table: Table) -> None:
    same = str(uuid4())
    batch = [arrive(1, session_id="a"), arrive(2, same, session_id="b"), arrive(3, same, session_id="b")]
    table.before = lambda bucket: failure("InternalServerError") if "#b#" in bucket else None
    repeated, unknown = claims.duplicates(batch)
    assert (positions(repeated), positions(unknown)) == ([], ["2", "3"])
    table.before = lambda bucket: None
    assert positions(claims.duplicates(batch[1:])[0]) == ["3"]


def test_a_session_with_one_sequence_number_has_items_of_bounded_size(
    claims: Claims, table: Table, dynamodb: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sent = [arrive(n) for n in range(1_000)]
    for start in range(0, len(sent), 100):
        assert claims.duplicates(sent[start : start + 100]) == ([], [])
    items = dynamodb.Table("dedupe").scan()["Items"]
    assert len(items) > 100
    assert max(map(len, items)) <= CLAIMS_PER_ITEM + CLAIMS_PER_UPDATE + 3
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


def test_one_write_claims_a_stretch_of_a_session(claims: Claims, table: Table) -> None:
    claims.duplicates([arrive(n, sequence=n) for n in range(3 * EVENTS_PER_BUCKET)])
    assert sorted(table.updates) == ["skyforge#s-1#0", "skyforge#s-1#1", "skyforge#s-1#2"]


def test_more_ids_than_an_expression_holds_take_several_writes(claims: Claims, table: Table) -> None:
    claims.duplicates([arrive(n) for n in range(2 * CLAIMS_PER_UPDATE + 1)])
    assert table.updates == ["skyforge#s-1#0"] * 3


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


def test_without_a_window_no_event_is_a_repetition(table: Table) -> None:
    same = str(uuid4())
    assert Claims(table, "dedupe", 0).duplicates([arrive(1, same), arrive(2, same)]) == ([], [])
    assert table.updates == []


def test_nothing_to_claim_writes_nothing(claims: Claims, table: Table) -> None:
    assert claims.duplicates([]) == ([], [])
    assert table.updates == []
