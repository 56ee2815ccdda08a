"""What is generated from the metrics model: the data sets and the dashboard of QuickSight."""

from pathlib import Path
from typing import Any

from telemetry import metric_model

from tools import quicksight
from tools.schema_artefacts import as_json

QUICKSIGHT = "infrastructure/modules/quicksight"


def artefacts(root: Path, metrics: dict[str, Any]) -> dict[str, str]:
    """Return the content of every generated file by its path in the repository.

    Raises CommandError where the dashboard shows what the model does not allow.
    """
    model = metric_model.parse(metrics)
    visuals = (root / QUICKSIGHT / "visuals.csv").read_text()
    return {
        f"{QUICKSIGHT}/tables.json": as_json(quicksight.data_sets(model)),
        f"{QUICKSIGHT}/definition.json": quicksight.as_lines(quicksight.definition(visuals, model)) + "\n",
    }
