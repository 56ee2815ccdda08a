"""A request of the REST API is followed by its id to its rows, and to what player_state says of them."""

import base64
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from enriched_stream import feed
from fake_aws import Streams, processor, records
from ingest import handler, intake
from ingest.publisher import Publisher
from ingest_requests import rest_api_settings
from player_state.players import PlayerStore
from tools import REPOSITORY, games

MakeEvent = Callable[..., dict[str, Any]]
SILVER = (REPOSITORY / "functions/batch_analytics/events.ddl").read_text()
ERROR = ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "BatchGetItem")


class Unreachable:
    """A DynamoDB client that answers nothing."""

    def __getattr__(self, name: str) -> Any:
        raise ERROR


@pytest.fixture
def streams(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Streams:
    rest_api_settings(monkeypatch)
    games.add_game(boto3.resource("dynamodb").Table("games"), "skyforge", "Skyforge")
    streams = Streams()
    monkeypatch.setattr(handler, "publisher", lambda: Publisher(streams, "raw"))
    return streams


def post(request_id: str, events: list[dict[str, Any]]) -> int:
    """Send events as API Gateway hands them over; return the status."""
    known = {"game_id": "skyforge", "must_sign": "false"}
    answer = handler.lambda_handler(
        {
            "headers": {},
            "body": base64.b64encode(json.dumps(events).encode()).decode(),
            "isBase64Encoded": True,
            "pathParameters": None,
            "requestContext": {"authorizer": known, "requestId": request_id},
        },
        None,
    )
    return int(answer["statusCode"])


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """What the functions have logged."""
    written = StringIO()
    monkeypatch.setattr(intake.logger.registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_request_is_followed_to_its_rows(
    streams: Streams, dynamodb: Any, make_event: MakeEvent, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    mine = [make_event(game_id="skyforge") for _ in range(2)]
    bad = make_event(game_id="skyforge", sequence=-1)
    assert post("request-1", [*mine, bad]) == 207
    assert post("request-2", [{}]) == 422

    (line,) = [it for it in logged() if it.get("request_id") == "request-1"]
    assert (line["message"], line["events"], line["not_accepted"]) == ("Request taken", 3, 1)
    request = {"game_id": "skyforge", "received_at": line["received_at"]}

    pipeline = processor(dynamodb, boto3.client("dynamodb"), streams)
    pipeline.process(records(*(data for _, data in streams.taken["raw"])))
    ids = sorted(event["event_id"] for event in mine)
    for stream in ("bronze", "enriched"):
        found = [row for row in streams.lines(stream) if request.items() <= row.items()]
        assert sorted(row["event_id"] for row in found) == ids, stream
    (refused,) = [row for row in streams.lines("rejected") if request.items() <= row.items()]
    assert json.loads(refused["original"])["event_id"] == bad["event_id"]
    # Silver takes bronze's fields by name.
    assert all(f"`{name}` " in SILVER for name in (*request, "event_id"))

    feed(PlayerStore(Unreachable(), "players", "game_days"), streams.lines("enriched"))
    (lost,) = [it for it in logged() if it.get("message") == "Player state could not be written"]
    assert sorted(lost["event_ids"]) == ids
