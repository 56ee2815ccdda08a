"""What tests of the page share: figures of gold, events of silver, and axe-core for accessibility."""

from datetime import UTC, datetime, timedelta
from typing import Any

import made_events
from axe_playwright_python.sync_playwright import Axe
from gold_tables import DuckGold
from playwright.sync_api import Page
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


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe-core finds wrong on a page that lets scripts in: the rule, and the elements."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def sent(kind: str, player: str, ago: int, minutes: float = 0, **fields: Any) -> dict[str, Any]:
    """Return an event in silver that happened some days ago."""
    began = datetime.combine(TODAY - timedelta(days=ago), datetime.min.time(), UTC)
    hours = (began - made_events.BEGIN).total_seconds() / 3600
    return made_events.line(kind, player, hours, minutes, **{"game_id": "skyforge", **fields})


def purchase(player: str, ago: int, minutes: float, amount: int, currency: str = "EUR") -> dict[str, Any]:
    return sent("purchase", player, ago, minutes, payload={"amount_minor": amount, "currency": currency})
