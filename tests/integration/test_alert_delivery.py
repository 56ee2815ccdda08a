"""An alert on the event bus reaches people as a sentence."""

import json
from typing import Any

import boto3
import pytest
from realtime_windows.alerts import message
from steps import eventually

pytestmark = pytest.mark.integration

ALERT = {
    "kind": "alert",
    "game_id": "skyforge",
    "alert": "economy_inflation",
    "subject": "gold",
    "observed": 12000.5,
    "reference": 3000.0,
    "window_end": "2026-01-31T12:05:00Z",
}
DETAIL = ALERT | {"message": message(ALERT)}


@pytest.fixture
def inbox(applied: Any) -> str:
    """A queue that is subscribed to the alerts topic; its URL."""
    topic = applied.platform.outputs["alerts_topic_arn"]
    url: str = boto3.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    boto3.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    raw = {"RawMessageDelivery": "true"}
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
    return url


def test_an_alert_and_no_other_event_reaches_the_topic_in_words(inbox: str) -> None:
    _put("Player analytics window")
    _put("Player analytics alert")
    queue = {"QueueUrl": inbox, "WaitTimeSeconds": 2, "MaxNumberOfMessages": 10}
    (message,) = eventually(lambda: boto3.client("sqs").receive_message(**queue).get("Messages"))
    assert "Messages" not in boto3.client("sqs").receive_message(**queue), "another event came too"
    assert json.loads(message["Body"]) == (
        "skyforge gives out much more than it takes back: 12,000 against 3,000 of gold "
        "(minutes until 12:05 UTC, 31 January). What to do: docs/runbooks/realtime-analytics.md"
    )


def _put(detail_type: str) -> None:
    entry = {"Source": "player-analytics-local", "DetailType": detail_type, "Detail": json.dumps(DETAIL)}
    assert boto3.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
