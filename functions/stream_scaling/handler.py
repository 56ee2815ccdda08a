"""Lambda of each minute: more shards before a stream is full, fewer after a day that fewer would do."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from telemetry import environment, logs
from telemetry.clients import client

from stream_scaling import collector, rule
from stream_scaling.settings import Bounds, Settings

logger = logs.logger()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Return the new shards of each stream that changes. Raises, after the others, where one was refused."""
    changed, failed = dict[str, int](), list[str]()
    for name, bounds in _streams().items():
        try:
            changed |= scale(name, bounds, datetime.now(UTC))
        except (BotoCoreError, ClientError):
            logger.exception("Stream could not be scaled", extra={"stream": name})
            failed.append(name)
    if failed:
        raise RuntimeError(f"Not scaled: {', '.join(failed)}")
    return changed


@cache
def _streams() -> dict[str, Bounds]:
    return environment.parse(Settings).streams


def scale(name: str, bounds: Bounds, now: datetime) -> dict[str, int]:
    """Ask for the shards a stream should have, unless it has them or is changing already."""
    kinesis = client("kinesis")
    stream = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    has, filled = stream["OpenShardCount"], collector.minutes(client("cloudwatch"), name, now)
    wanted = rule.target(has, filled, bounds.minimum, bounds.maximum, bounds.readers)
    if wanted == has or stream["StreamStatus"] != "ACTIVE":
        return {}
    kinesis.update_shard_count(StreamName=name, TargetShardCount=wanted, ScalingType="UNIFORM_SCALING")
    logger.info("Stream is scaled", extra={"stream": name, "shards": has, "then": wanted})
    return {name: wanted}
