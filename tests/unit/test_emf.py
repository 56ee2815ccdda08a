"""A count's line is the one that Powertools writes."""

import json

import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from telemetry import emf


@pytest.mark.parametrize("value", [0, 1, 500])
def test_the_line_is_that_of_powertools(
    value: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "demo-prod")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "ingest")
    metrics = Metrics(provider=AmazonCloudWatchEMFProvider())
    metrics.add_metric("RequestEvents", MetricUnit.Count, value)
    metrics.flush_metrics()
    theirs = json.loads(capsys.readouterr().out)
    ours = json.loads(emf.Count("RequestEvents").line(value))
    assert abs(ours["_aws"].pop("Timestamp") - theirs["_aws"].pop("Timestamp")) < 60_000
    assert ours == theirs
