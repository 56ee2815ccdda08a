"""Nightly Lambda: erase again the players of whom late events arrived after their erasure."""

from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from telemetry import environment, logs

from privacy.settings import Settings

logger = logs.logger()
metrics = Metrics()


@metrics.log_metrics
@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Return how many came again. Raises where something of them is left, so that it is tried again."""
    settings = environment.parse(Settings)
    receipts = settings.erasure().again(settings.games())
    for receipt in receipts:
        logger.info("Erased again", extra={name: receipt[name] for name in ("game_id", "pseudonym", "by")})
    metrics.add_metric("PlayersErasedAgain", MetricUnit.Count, len(receipts))
    if left := sum(not receipt["nothing_left"] for receipt in receipts):
        raise RuntimeError(f"of {left} players something is left")
    return {"erased": len(receipts)}
