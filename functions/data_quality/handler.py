"""Lambda of the hour: judge the data, and tell CloudWatch how many checks failed."""

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from telemetry import environment, logs
from telemetry.clients import client
from telemetry.store import Store

from data_quality.evaluation import evaluate
from data_quality.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

logger = logs.logger()
metrics = Metrics()


@cache
def connections() -> tuple[Settings, Store, "S3Client"]:
    """Connect once an execution environment."""
    settings = environment.parse(Settings)
    return settings, Store(client("dynamodb"), settings), client("s3")


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Judge every active game; return how many checks have each verdict. An error makes Lambda try again."""
    verdicts = Counter[str]()
    try:
        for game_id, found in evaluate(*connections(), datetime.now(UTC)):
            of_game = Counter[str](check.verdict for check in found)
            verdicts.update(of_game)
            _count(EphemeralMetrics(), of_game, game_id)
            for check in found:
                if check.verdict in ("warn", "fail"):
                    logger.warning(check.message, game_id=game_id, check=check.name, verdict=check.verdict)
    finally:
        # A game that cannot be judged must not keep the others' failed checks from the alarm.
        _count(metrics, verdicts)
    return dict(verdicts)


def _count(metrics: Metrics | EphemeralMetrics, verdicts: Counter[str], game_id: str = "") -> None:
    if game_id:
        metrics.add_dimension("game_id", game_id)
    metrics.add_metric("QualityChecksFailed", MetricUnit.Count, verdicts["fail"])
    metrics.add_metric("QualityChecksWarned", MetricUnit.Count, verdicts["warn"])
    metrics.flush_metrics()
