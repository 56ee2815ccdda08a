"""What CloudWatch learns of a batch: counts, and each game's reject rate for the alarm."""

import math
from collections import Counter
from collections.abc import Sequence

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from processor.arrival import Arrival

# The average over values weighs each batch by its events: one value for each 50, at most 100 a log line.
EVENTS_A_VALUE = 50
MAX_VALUES = 100


def publish(metrics: Metrics, done: Sequence[Arrival]) -> None:
    """Write the metrics of the arrivals that are done, in CloudWatch's embedded format."""
    rejected = Counter(arrival.rejection.reason for arrival in done if arrival.rejection)
    accepted = sum(1 for arrival in done if arrival.event)
    metrics.add_metric("EventsAccepted", MetricUnit.Count, accepted)
    metrics.add_metric("EventsRejected", MetricUnit.Count, rejected.total())
    metrics.add_metric("EventsWithheld", MetricUnit.Count, len(done) - accepted - rejected.total())
    for reason, count in rejected.items():
        with single_metric("EventsRejectedByReason", MetricUnit.Count, count) as metric:
            metric.add_dimension("reason", reason)
    games = Counter(arrival.game for arrival in done)
    rejected_by_game = Counter(arrival.game for arrival in done if arrival.rejection)
    for game, count in games.items():
        _reject_rate(game, 100 * rejected_by_game[game] / count, math.ceil(count / EVENTS_A_VALUE))


def _reject_rate(game: str, percent: float, weight: int) -> None:
    metrics = EphemeralMetrics()
    metrics.add_dimension("game_id", game)
    for _ in range(min(weight, MAX_VALUES - 1)):
        metrics.add_metric("RejectRate", MetricUnit.Percent, percent)
    metrics.flush_metrics()
