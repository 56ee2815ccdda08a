"""What schedules start, on the emulator with the functions' own roles: verdicts and advice."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def over_http(applied: Any) -> Iterator[None]:
    """Lift the lake's refusal of plain HTTP, which is all the emulator speaks, and put it back."""
    s3, bucket = boto3.client("s3"), applied.platform.outputs["lake_bucket"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    yield
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def invoke(applied: Any, name: str) -> Any:
    """Start a scheduled function as its schedule does, and return its answer."""
    function = applied.platform.outputs["scheduled_functions"][name]
    answer = boto3.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def test_each_games_data_is_judged(applied: Any, over_http: None) -> None:
    verdicts = invoke(applied, "quality")
    assert sum(verdicts.values()) % 22 == 0
    answer = applied.platform.read(f"/v1/games/{applied.game_id}/quality")
    assert len(answer["checks"]) == 22
    # Another test of this emulator may have run the batch before.
    history = {check["name"]: check["verdict"] for check in answer["checks"]}["history"]
    assert history in ("unknown", "pass")


def test_advice_is_archived_and_says_what_it_could_not_read(applied: Any, over_http: None) -> None:
    outputs = applied.platform.outputs
    invoke(applied, "advice")
    body = boto3.client("s3").get_object(Bucket=outputs["lake_bucket"], Key="advice/newest.json")["Body"]
    found = json.loads(body.read())["observations"]
    assert len(found["tables"]) == 7
    # The emulator publishes no metrics of streams, and who has none is not judged.
    streams = {outputs["raw_stream_name"], outputs["raw_stream_name"].replace("raw", "enriched")}
    assert streams <= set(found["unreadable"]) | {stream["name"] for stream in found["streams"]}
    assert not any(one.startswith("/aws/lambda") for one in found["unreadable"])
