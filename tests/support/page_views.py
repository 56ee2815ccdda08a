"""What tests of the page share: figures of gold by day, the contrast of colours, and axe-core."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from gold_tables import DuckGold
from telemetry import metric_model

TODAY = datetime.now(UTC).date()


def keep(gold: DuckGold, table: str, days: int, **fields: Any) -> None:
    """Write a figure of each of the last days: the number of days it is ago, unless it is given."""
    columns = metric_model.tables()[table]
    rows = []
    for ago in range(1, days + 1):
        row: dict[str, Any] = dict.fromkeys(columns.types, ago) | dict.fromkeys(columns.with_totals, "*")
        row |= {"game_id": "skyforge", columns.day_column: TODAY - timedelta(days=ago), **fields}
        rows.append([row[name] for name in columns.types])
    gold.fill(table, rows)


def day_before(ago: int) -> str:
    return str(TODAY - timedelta(days=ago))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two CSS colours as WCAG defines it."""

    def luminance(color: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
