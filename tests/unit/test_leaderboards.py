"""Boards: each player's best score, the earlier of equals first, whatever is repeated or comes late."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from player_state.leaderboards import Leaderboards, rank_key
from telemetry.enrichment import timestamp

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LIMIT = 2**53 - 1
ERROR = ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "UpdateItem")


def score(
    points: float, milliseconds: int = 0, player_id: str = "a", board: str = "global"
) -> dict[str, Any]:
    return {
        "event_id": str(uuid4()),
        "event_type": "score_submitted",
        "game_id": "skyforge",
        "player_id": player_id,
        "corrected_time": timestamp(NOON + timedelta(milliseconds=milliseconds)),
        "payload": {"leaderboard": board, "score": points},
    }


@pytest.fixture
def boards(dynamodb: Any) -> Leaderboards:
    return Leaderboards(boto3.client("dynamodb"), "leaderboards")


def ranking(board: str = "global") -> list[tuple[str, int, str]]:
    """Return the board as the metrics API reads it, best first."""
    items = boto3.client("dynamodb").query(
        TableName="leaderboards",
        IndexName="by_rank",
        KeyConditionExpression="board = :board",
        ExpressionAttributeValues={":board": {"S": f"skyforge#{board}"}},
        ScanIndexForward=False,
    )["Items"]
    return [(item["player_id"]["S"], int(item["score"]["N"]), item["achieved_at"]["S"]) for item in items]


def test_lower_and_repeated_scores_change_nothing(boards: Leaderboards) -> None:
    best = score(10, milliseconds=5)
    for batch in ([best], [best], [score(9)], [score(-3)], [score(10, milliseconds=6)], [best, score(4)], []):
        assert boards.submit(batch) == []
        assert ranking() == [("a", 10, best["corrected_time"])]
    boards.submit([better := score(11, milliseconds=1)])
    assert ranking() == [("a", 11, better["corrected_time"])]


def test_an_equal_score_that_was_earlier_but_comes_late_counts(boards: Leaderboards) -> None:
    boards.submit([score(10, milliseconds=5)])
    boards.submit([earlier := score(10, milliseconds=4)])
    assert ranking() == [("a", 10, earlier["corrected_time"])]


def test_the_order_of_arrival_does_not_change_a_board(boards: Leaderboards, dynamodb: Any) -> None:
    scores = [score(5, 1, "a"), score(5, 1, "b"), score(5, 0, "c"), score(7, 9, "a")]
    seen = set()
    for order in permutations(scores):
        for item in dynamodb.Table("leaderboards").scan()["Items"]:
            dynamodb.Table("leaderboards").delete_item(
                Key={"board": item["board"], "player_id": item["player_id"]}
            )
        boards.submit(order[:2])
        boards.submit(order[2:])
        seen.add(tuple(name for name, _, _ in ranking()))
    assert seen == {("a", "c", "b")}


def test_boards_and_players_are_told_apart_and_other_events_left_out(boards: Leaderboards) -> None:
    other = score(99) | {"event_type": "session_start", "payload": {}}
    boards.submit([score(1), score(2, board="weekly"), score(3, player_id="b"), other])
    assert [entry[:2] for entry in ranking()] == [("b", 3), ("a", 1)]
    assert [entry[:2] for entry in ranking("weekly")] == [("a", 2)]


def test_the_whole_range_of_scores_is_ranked(boards: Leaderboards) -> None:
    points = [LIMIT, 1, 0, -1, -LIMIT]
    boards.submit([score(n, player_id=f"p{i}") for i, n in enumerate(points)])
    assert [entry[1] for entry in ranking()] == points


def test_only_the_score_that_failed_is_handed_back(boards: Leaderboards) -> None:
    class Failing:
        exceptions = boards.dynamodb.exceptions

        def update_item(self, **arguments: Any) -> Any:
            if arguments["Key"]["player_id"]["S"] == "b":
                raise ERROR
            return boards.dynamodb.update_item(**arguments)

    lost = score(4, player_id="b")
    batch = [score(1), score(3, player_id="b"), lost, score(5, player_id="c")]
    assert Leaderboards(Failing(), "leaderboards").submit(batch) == [lost]
    assert [entry[0] for entry in ranking()] == ["c", "a"]
    assert boards.submit(batch) == []
    assert [entry[:2] for entry in ranking()] == [("c", 5), ("b", 4), ("a", 1)]


NEAR = st.datetimes(datetime(2038, 1, 20), datetime(2039, 6, 1)) | st.datetimes(
    datetime(2026, 1, 1), datetime(2080, 1, 1)
)
STEPS = st.lists(st.integers(0, 3), min_size=2, max_size=8)
POINTS = st.integers(-LIMIT, LIMIT) | st.sampled_from([-LIMIT, -1, 0, 1, LIMIT])


@given(NEAR, STEPS, st.lists(POINTS, min_size=1, max_size=3))
def test_rank_keys_order_scores_down_and_times_up_to_the_millisecond(
    start: datetime, steps: list[int], points: list[int]
) -> None:
    entries = [
        (points[i % len(points)], timestamp(start.replace(tzinfo=UTC) + timedelta(milliseconds=step)))
        for i, step in enumerate(steps)
    ]

    def key(entry: tuple[int, str]) -> str:
        return rank_key({"corrected_time": entry[1], "payload": {"score": entry[0]}, "player_id": "p"})

    assert sorted(entries, key=key, reverse=True) == sorted(entries, key=lambda e: (-e[0], e[1]))
    assert len(set(map(key, entries))) == len(set(entries))
    assert len({len(key(entry)) for entry in entries}) == 1
