"""Dashboards show metrics that exist, and each alarm and its runbook know each other."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from published import exists

REPOSITORY = Path(__file__).resolve().parents[2]
prod = pytest.mark.parametrize("resources", ["prod"], indirect=True)


@prod
def test_dashboards_show_metrics_that_exist(resources: list[dict[str, Any]]) -> None:
    bodies = [json.loads(it["values"]["dashboard_body"]) for it in _of(resources, "aws_cloudwatch_dashboard")]
    assert len(bodies) == 3
    for widget in (widget for body in bodies for widget in body["widgets"]):
        assert widget["type"] == "metric"
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                assert re.match(r"SEARCH\('\{[\w-]+,(reason|game_id),service\}", metric[0]["expression"])
                continue
            namespace, name, *pairs = metric
            assert exists(namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True))), metric


@prod
def test_widgets_lie_within_the_grid_and_apart(resources: list[dict[str, Any]]) -> None:
    for dashboard in _of(resources, "aws_cloudwatch_dashboard"):
        widgets = json.loads(dashboard["values"]["dashboard_body"])["widgets"]
        assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)
        assert not [pair for pair in combinations(widgets, 2) if _overlap(*pair)]


@prod
def test_alarms_watch_metrics_that_exist(resources: list[dict[str, Any]]) -> None:
    watched = 0
    counted = {
        (transformation["namespace"], transformation["name"])
        for pattern in _of(resources, "aws_cloudwatch_log_metric_filter")
        for transformation in pattern["values"]["metric_transformation"]
    }
    for alarm in _of(resources, "aws_cloudwatch_metric_alarm"):
        values = alarm["values"]
        queried = [metric for query in values["metric_query"] or [] for metric in query["metric"]]
        for metric in queried or ([values] if values["metric_name"] else []):
            watched += 1
            name = metric["metric_name"]
            if (metric["namespace"], name) not in counted:
                assert exists(metric["namespace"], name, metric["dimensions"] or {}), values["alarm_name"]
    assert watched


@prod
def test_each_alarm_has_its_runbook_and_each_runbook_an_alarm(resources: list[dict[str, Any]]) -> None:
    alarms = _of(resources, "aws_cloudwatch_metric_alarm") + _of(resources, "aws_cloudwatch_composite_alarm")
    named = set()
    for alarm in alarms:
        match = re.search(r": (docs/runbooks/[\w-]+\.md)$", alarm["values"]["alarm_description"])
        assert match, alarm["values"]["alarm_name"]
        named.add(match[1])
    written = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "docs/runbooks").glob("*.md")
        if re.search("^#.*[Aa]larm|`failed`", path.read_text(), re.MULTILINE)
    }
    assert named == written


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


def _of(resources: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [resource for resource in resources if resource["type"] == kind]
