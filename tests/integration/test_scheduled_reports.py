"""Schedules' function on the emulator, with its own role: mail and archive once, and nothing beside."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.integration


@pytest.fixture
def without_tls(applied: Any) -> Iterator[None]:
    """Lift the lake's refusal of plain HTTP, which is all the emulator speaks, and put it back."""
    s3, bucket = boto3.client("s3"), applied.platform.outputs["lake_bucket"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    yield
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def test_a_report_is_archived_and_mailed_once(applied: Any, without_tls: None) -> None:
    outputs = applied.platform.outputs
    games = boto3.resource("dynamodb").Table(outputs["tables"]["games"])
    games.update_item(
        Key={"game_id": applied.game_id},
        UpdateExpression="SET report_to = :to",
        ExpressionAttributeValues={":to": "team@example.com"},
    )
    order = {"period": "day", "scheduled": datetime.now(UTC).isoformat(), "games": [applied.game_id]}
    for _ in range(2):
        answer = boto3.client("lambda").invoke(
            FunctionName=outputs["scheduled_reports_function_name"], Payload=json.dumps(order).encode()
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
    keys = boto3.client("s3").list_objects_v2(
        Bucket=outputs["lake_bucket"], Prefix=f"reports/{applied.game_id}/day/"
    )["Contents"]
    assert {key["Key"].rpartition(".")[2] for key in keys} == {"csv", "html"}
    (mail,) = _outbox()
    assert (mail["To"], mail["Source"]) == (["team@example.com"], "reports@example.com")
    assert "Notable changes" in mail["BodyText"]
    assert "<h2>Notable changes</h2>" in mail["BodyHtml"]


def test_the_functions_role_reads_no_players(applied: Any) -> None:
    name = applied.platform.outputs["scheduled_reports_function_name"]
    role = boto3.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    lent = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="neighbour")["Credentials"]
    dynamodb = boto3.Session(lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"]).client(
        "dynamodb"
    )
    tables = applied.platform.outputs["tables"]
    assert "Items" in dynamodb.query(
        TableName=tables["game_days"],
        KeyConditionExpression="game_day = :day",
        ExpressionAttributeValues={":day": {"S": "x"}},
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.get_item(TableName=tables["players"], Key={"player": {"S": "x"}})


def _outbox() -> list[Any]:
    """Return what the emulator's SES took."""
    endpoint = boto3.client("sesv2").meta.endpoint_url
    found: list[Any] = httpx.get(f"{endpoint}/_ministack/ses/messages").json()["messages"]
    return found
