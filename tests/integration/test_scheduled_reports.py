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
def emulated(applied: Any) -> Iterator[None]:
    """Lift what the emulator cannot keep, and put it back: it speaks HTTP, and wants mail allowed on *."""
    s3, iam, outputs = boto3.client("s3"), boto3.client("iam"), applied.platform.outputs
    bucket, role = outputs["lake_bucket"], _role(outputs["scheduled_functions"]["reports"]).rpartition("/")[2]
    kept = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    mail = {"Effect": "Allow", "Action": ["ses:SendEmail", "ses:SendRawEmail"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [mail]})
    iam.put_role_policy(RoleName=role, PolicyName="emulated", PolicyDocument=document)
    yield
    iam.delete_role_policy(RoleName=role, PolicyName="emulated")
    s3.put_bucket_policy(Bucket=bucket, Policy=kept)


def _role(function: str) -> str:
    role: str = boto3.client("lambda").get_function_configuration(FunctionName=function)["Role"]
    return role


def test_a_report_is_archived_and_mailed_once(applied: Any, emulated: None) -> None:
    outputs = applied.platform.outputs
    games = boto3.resource("dynamodb").Table(outputs["tables"]["games"])
    games.update_item(
        Key={"game_id": applied.game_id},
        UpdateExpression="SET report_to = :to",
        ExpressionAttributeValues={":to": "team@example.com"},
    )
    boto3.client("sesv2").create_email_identity(EmailIdentity="reports@example.com")
    order = {"period": "day", "scheduled": datetime.now(UTC).isoformat(), "games": [applied.game_id]}
    for _ in range(2):
        answer = boto3.client("lambda").invoke(
            FunctionName=outputs["scheduled_functions"]["reports"], Payload=json.dumps(order).encode()
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
    keys = boto3.client("s3").list_objects_v2(
        Bucket=outputs["lake_bucket"], Prefix=f"reports/{applied.game_id}/day/"
    )["Contents"]
    assert {key["Key"].rpartition(".")[2] for key in keys} == {"csv", "html"}
    (mail,) = _outbox()
    assert (mail["To"], mail["Source"]) == (["team@example.com"], "reports@example.com")
    assert "Notable changes" in mail["BodyText"]
    assert "Notable changes</h2>" in mail["BodyHtml"]


def test_the_functions_role_reads_no_players(applied: Any) -> None:
    name = applied.platform.outputs["scheduled_functions"]["reports"]
    lent = boto3.client("sts").assume_role(RoleArn=_role(name), RoleSessionName="neighbour")["Credentials"]
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
    by_account = httpx.get(f"{endpoint}/_ministack/ses/messages").json()["messages"]
    return [message for messages in by_account.values() for message in messages]
