"""Lambda of the week: look at the platform, archive the advice, and mail it to the alerts' topic."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson
from telemetry import environment, logs
from telemetry.clients import client

from performance_advisor import advise, collector, models
from performance_advisor.settings import Settings

NEWEST = "advice/newest.json"

logger = logs.logger()


@cache
def settings() -> Settings:
    """Parse the environment once an execution environment."""
    return environment.parse(Settings)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return how many changes are advised, and what they save a month in dollars."""
    given, now = settings(), datetime.now(UTC)
    found = collect(given, now)
    advice = advise.advise(found)
    words = advise.text(advice, found.unreadable)
    body = {"observations": found.model_dump(mode="json"), "advice": [one.model_dump() for one in advice]}
    s3 = client("s3")
    for key, data in (
        (f"advice/{now:%Y-%m-%d}.json", orjson.dumps(body)),
        (f"advice/{now:%Y-%m-%d}.txt", words.encode()),
        (NEWEST, orjson.dumps(body)),
    ):
        s3.put_object(Bucket=given.lake_bucket, Key=key, Body=data)
    client("sns").publish(TopicArn=given.topic_arn, Subject="Advice of the week", Message=words)
    return {"changes": len(advice), "saving_usd": round(sum(one.saving_usd or 0 for one in advice), 2)}


def collect(given: Settings, now: datetime) -> models.Observations:
    """Read the seven days to the minute that began last."""
    week = collector.Collector(client, now - timedelta(seconds=now.second, microseconds=now.microsecond))
    return week.read(given.watched)
