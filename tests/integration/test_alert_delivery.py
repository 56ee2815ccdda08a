"""Each alert of the stream job reaches people as a sentence with a link to the page."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from realtime_windows.alerts import SENTENCES, Alerts
from steps import eventually

pytestmark = pytest.mark.integration

SOURCE = "player-analytics-local"
NOON = datetime(2026, 1, 31, 12, 5, tzinfo=UTC)
# Rows as the Flink job writes them (tests/realtime), and what people read.
ALERTS = {
    "crash_spike": "skyforge crashes more: 12,000.5 crashes in 1,000 minutes of play, 3,000.0 before",
    "economy_inflation": "skyforge gives out much more than it takes back: 12,000 against 3,000 of gold",
    "players_drop": "skyforge loses players: 12,000.5 sessions a minute send heartbeats, 3,000.0 before",
    "revenue_stop": "skyforge sells nothing, after 3,000 purchases before",
}
REST = (
    " (minutes until 12:05 UTC, 31 January). Page: https://page.example.com/?game=skyforge&at=2026-01-31T12:05Z"
    " What to do: docs/runbooks/realtime-analytics.md"
)


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


def test_each_alert_and_no_other_event_reaches_the_topic_in_words(applied: Any, inbox: str) -> None:
    assert ALERTS.keys() == SENTENCES.keys()
    other = {"Source": SOURCE, "DetailType": "Player analytics window", "Detail": "{}"}
    assert boto3.client("events").put_events(Entries=[other])["FailedEntryCount"] == 0
    table = boto3.resource("dynamodb").Table("player-analytics-local-realtime")
    page = "https://page.example.com"
    told = Alerts(boto3.client("events"), table, SOURCE, page)
    assert told.send(map(_row, ALERTS), NOON) == 0
    found: list[str] = []

    def received() -> bool:
        queue = {"QueueUrl": inbox, "WaitTimeSeconds": 2, "MaxNumberOfMessages": 10}
        messages = boto3.client("sqs").receive_message(**queue).get("Messages", [])
        found.extend(json.loads(message["Body"]) for message in messages)
        return len(found) >= len(ALERTS) and not messages

    eventually(received)
    assert sorted(found) == sorted(f"{said}{REST}" for said in ALERTS.values())


def _row(alert: str) -> dict[str, Any]:
    return {
        "kind": "alert",
        "game_id": "skyforge",
        "alert": alert,
        "subject": "gold" if alert == "economy_inflation" else "",
        "observed": 12000.5,
        "reference": 3000.0,
        "window_end": "2026-01-31T12:05:00Z",
    }
