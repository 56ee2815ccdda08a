"""What is generated from the metrics model: rules of the audit, QuickSight, labels of the page, docs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from telemetry import metric_model

from tools import quicksight
from tools.metric_dictionary import dictionary
from tools.schema_artefacts import as_json

QUICKSIGHT = "infrastructure/modules/quicksight"


def artefacts(root: Path, metrics: dict[str, Any]) -> dict[str, str]:
    """Return the content of every generated file by its path in the repository.

    Raises CommandError where the dashboard shows what the model does not allow.
    """
    model = metric_model.parse(metrics)
    visuals = (root / QUICKSIGHT / "visuals.csv").read_text()
    return {
        "functions/batch_analytics/audit.json": as_json(
            {
                name: {"grain": table.grain, "wrong_where": list(_wrong(table))}
                for name, table in model.items()
            }
        ),
        "docs/metrics.md": dictionary(metrics),
        "functions/metrics_api/page/labels.js": labels(metrics),
        f"{QUICKSIGHT}/tables.json": as_json(quicksight.data_sets(model)),
        f"{QUICKSIGHT}/definition.json": quicksight.as_lines(quicksight.definition(visuals, model)) + "\n",
    }


def labels(metrics: dict[str, Any]) -> str:
    """Return a module with the labels of the metrics that the page shows, by name."""
    shown = metric_model.parse_engine(metrics["window"]) | metric_model.parse_engine(metrics["live"])
    lines = (f"  {name}: {json.dumps(metric.label)}," for name, metric in sorted(shown.items()))
    return "\n".join(("export const LABELS = {", *lines, "};", ""))


def _wrong(table: metric_model.Table) -> Iterator[str]:
    """Yield the predicates of rows that cannot be right: the table's own, and those that units imply."""
    yield from table.wrong_where
    held = [metric for name, metric in table.metrics.items() if name in table.types]
    for metric in held:
        if metric.unit == "share":
            yield f"{metric.name} NOT BETWEEN 0 AND 1"
    units = ("count", "micros", "minor", "players", "seconds")
    counted = [one.name for one in held if one.unit in units and not one.may_be_negative]
    if counted:
        yield " OR ".join(f"{name} < 0" for name in counted)
