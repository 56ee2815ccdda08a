"""CloudWatch's alarms on recorded metrics, by their exact dimensions."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from operator import ge, gt, lt
from statistics import mean, quantiles
from typing import Any

Dimensions = frozenset[tuple[str, str]]
Key = tuple[str, str, Dimensions]

COMPARE = {"GreaterThanOrEqualToThreshold": ge, "GreaterThanThreshold": gt, "LessThanThreshold": lt}
STATISTICS = {
    "AVG": mean, "Average": mean, "MAX": max, "Maximum": max, "SampleCount": len, "Sum": sum,
    "p99": lambda values: quantiles([*values, *values], n=100, method="inclusive")[98],
}  # fmt: skip
SCHEMA = re.compile(r'SELECT (\w+)\((\w+)\) FROM SCHEMA\("([\w-]+)", ([\w, ]+)\) GROUP BY (\w+)')
WHERE = re.compile(r"SELECT (\w+)\((\w+)\) FROM \"([\w/-]+)\" WHERE (\w+) = '([\w-]+)'")


@dataclass
class Recorded:
    """The values of metrics by the minutes that have passed since."""

    values: dict[Key, dict[int, list[float]]] = field(default_factory=dict)

    def put(self, key: Key, value: float, since: int, every: int = 1) -> "Recorded":
        """Add a value each so many minutes since so many minutes ago."""
        minutes = self.values.setdefault(key, {})
        for minute in range(since, 0, -every):
            minutes.setdefault(minute, []).append(value)
        return self

    def put_log(self, lines: str, since: int, every: int = 1) -> "Recorded":
        """Add what a function's log lines hold in CloudWatch's embedded format."""
        for line in (json.loads(text) for text in lines.splitlines() if '"_aws"' in text):
            for told in line["_aws"]["CloudWatchMetrics"]:
                for names in told["Dimensions"]:
                    dimensions = frozenset((name, line[name]) for name in names)
                    for metric in told["Metrics"]:
                        for value in line[metric["Name"]]:
                            self.put((told["Namespace"], metric["Name"], dimensions), value, since, every)
        return self

    def points(self, key: Key, seconds: int, statistic: str, count: int) -> list[float | None]:
        """Return the newest periods' values, oldest first; None where nothing was recorded."""
        minutes, length = self.values.get(key, {}), seconds // 60
        found = []
        for period in range(count, 0, -1):
            span = range((period - 1) * length + 1, period * length + 1)
            values = [value for minute in span for value in minutes.get(minute, [])]
            found.append(STATISTICS[statistic](values) if values else None)
        return found


def rings(alarm: dict[str, Any], recorded: Recorded) -> bool:
    """Tell whether an alarm of the plan is in the state ALARM."""
    compare = COMPARE[alarm["comparison_operator"]]
    needed = alarm["datapoints_to_alarm"] or alarm["evaluation_periods"]
    missing = alarm["treat_missing_data"] == "breaching"
    return any(
        sum(missing if point is None else compare(point, alarm["threshold"]) for point in points) >= needed
        for points in _series(alarm, recorded)
    )


def key(metric: dict[str, Any]) -> Key:
    """Return what CloudWatch knows a metric by."""
    return metric["namespace"], metric["metric_name"], frozenset((metric["dimensions"] or {}).items())


def _series(alarm: dict[str, Any], recorded: Recorded) -> Iterator[list[float | None]]:
    count = alarm["evaluation_periods"]
    if alarm["metric_name"]:
        statistic = alarm["statistic"] or alarm["extended_statistic"]
        yield recorded.points(key(alarm), alarm["period"], statistic, count)
        return
    (query,) = [query for query in alarm["metric_query"] if query["return_data"]]
    expression = query["expression"]
    if found := SCHEMA.match(expression):
        statistic, name, namespace, schema, group = found.groups()
        yield from _grouped(
            recorded, (namespace, name, set(schema.split(", "))), group, statistic, query, count
        )
        return
    if found := WHERE.match(expression):
        statistic, name, namespace, *condition = found.groups()
        keys = [it for it in recorded.values if it[:2] == (namespace, name) and tuple(condition) in it[2]]
        yield _merged(recorded, keys).points(
            (namespace, name, frozenset()), query["period"], statistic, count
        )
        return
    metrics = [metric for part in alarm["metric_query"] for metric in part["metric"]]
    series = [recorded.points(key(one), one["period"], one["stat"], count + 1) for one in metrics]
    if expression == "SUM(METRICS())":
        yield [
            sum(told) if (told := [p for p in at if p is not None]) else None
            for at in zip(*series, strict=True)
        ][1:]
        return
    if not expression.startswith("DIFF("):
        names = [part["id"] for part in alarm["metric_query"] if part["metric"]]
        yield [
            None if None in at else eval(expression, {}, dict(zip(names, at, strict=True)))
            for at in zip(*series, strict=True)
        ][1:]
        return
    (points,) = series
    yield [None if before is None or after is None else after - before for before, after in pairwise(points)]


def _grouped(
    recorded: Recorded, schema: tuple[str, str, set[str]], group: str, statistic: str, query: Any, count: int
) -> Iterator[list[float | None]]:
    namespace, name, names = schema
    of_group: dict[str, list[Key]] = {}
    for one in recorded.values:
        if one[:2] == (namespace, name) and {dimension for dimension, _ in one[2]} == names:
            of_group.setdefault(dict(one[2])[group], []).append(one)
    for keys in of_group.values():
        merged = _merged(recorded, keys)
        yield merged.points((namespace, name, frozenset()), query["period"], statistic, count)


def _merged(recorded: Recorded, keys: list[Key]) -> Recorded:
    merged = Recorded()
    for namespace, name, dimensions in keys:
        for minute, values in recorded.values[namespace, name, dimensions].items():
            merged.values.setdefault((namespace, name, frozenset()), {}).setdefault(minute, []).extend(values)
    return merged
