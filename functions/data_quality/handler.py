"""Lambda of the hour: judge each game's data, and tell CloudWatch how many checks failed."""

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from metrics_api.store import Store
from telemetry.clients import client

from data_quality.judge import judge
from data_quality.settings import Settings

logger = Logger()
metrics = Metrics()


@cache
def connections() -> tuple[Settings, Store, Any]:
    """Connect once an execution environment."""
    settings = Settings()
    return settings, Store(client("dynamodb"), settings), client("s3")


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Judge every active game; return how many checks have each verdict. An error makes Lambda try again."""
    verdicts = Counter[str]()
    try:
        for game_id, found in judge(*connections(), datetime.now(UTC)):
            verdicts.update(check.verdict for check in found)
            for check in found:
                if check.verdict in ("warn", "fail"):
                    logger.warning(check.words, game_id=game_id, check=check.name, verdict=check.verdict)
    finally:
        # A game that cannot be judged must not keep the others' failed checks from the alarm.
        metrics.add_metric("QualityChecksFailed", MetricUnit.Count, verdicts["fail"])
        metrics.add_metric("QualityChecksWarned", MetricUnit.Count, verdicts["warn"])
    return dict(verdicts)
