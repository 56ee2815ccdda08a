"""What CloudWatch learns of a batch: how long events took from their arrival to the tables."""

from collections.abc import Sequence
from datetime import UTC, datetime

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from telemetry.event import EnrichedEvent

# Seconds: docs/slo.md.
SHOWN_WITHIN = 10


def count_shown(metrics: Metrics, events: Sequence[EnrichedEvent], lost: Sequence[EnrichedEvent]) -> None:
    """Count what is shown now, and what came more than SHOWN_WITHIN seconds ago.

    Lost events count when they are tried again; replayed ones came long ago, and are nobody's delay.
    """
    now, ids = datetime.now(UTC), {event["event_id"] for event in lost}
    ages = [
        (now - datetime.fromisoformat(event["received_at"])).total_seconds()
        for event in events
        if event["event_id"] not in ids and event["ingest_source"] != "replay"
    ]
    metrics.add_metric("EventsShown", MetricUnit.Count, len(ages))
    metrics.add_metric("EventsShownLate", MetricUnit.Count, sum(age > SHOWN_WITHIN for age in ages))
    if ages:
        metrics.add_metric("ShownAfter", MetricUnit.Seconds, max(ages))
