"""Render the report of a game and period that is over, as a page and CSV, with the tables of the lake."""

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from scheduled_reports.channels import FORMS
from scheduled_reports.figures import Period
from scheduled_reports.report import report
from scheduled_reports.sections import Section, ad_spend
from telemetry.ad_spend import SHOWN_DAYS
from telemetry.store import Store, store

from tools import CommandError, Parser, emulator, games, gold, infrastructure, report_history, run, spend


def write(
    tables: Store, game_id: str, period: Period, out: Path, history: Iterable[Section] = ()
) -> list[Path]:
    """Write both files and return their paths. Raises CommandError for a game that is not registered."""
    if not tables.game_exists(game_id):
        raise games.not_registered(game_id)
    made = report(tables, game_id, game_id, period)
    made = replace(made, sections=[*made.sections, *history])
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for suffix, (form, _) in FORMS.items():
        path = out / f"{game_id}-{period.kind}-{period.last}.{suffix}"
        path.write_text(form(made), newline="")
        paths.append(path)
    return paths


def period_of(kind: Literal["day", "week"], day: date | None, today: date) -> Period:
    """Return the period that ends on a day, or the last that is over; weeks end on Sunday.

    Raises CommandError for one that is not over.
    """
    if day and day >= today:
        raise CommandError(f"{day} is not over (UTC)")
    return Period(kind, day) if day else Period.over(kind, today)


def _open(environment: str, game_id: str) -> Store:
    """Return an environment's tables. Raises CommandError where it has no such game."""
    if environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(environment)
    games.require(outputs, game_id)
    os.environ.update(outputs["metrics_api_environment"])
    gold.use(outputs, local=environment == "local")
    return store()


def _history(game_id: str, period: Period) -> list[Section]:
    """Return the lake's tables of the period; without a lake the report has the counters alone."""
    try:
        costs = store().ad_spend(game_id, period.last - timedelta(SHOWN_DAYS - 1), period.last)
        return [
            *report_history.sections(game_id, period, gold.shares(game_id), store().dimensions(game_id)),
            *(ad_spend(costs, spend.known(game_id, costs, by_campaign=True)) if costs else ()),
        ]
    except CommandError as error:
        print(f"The report has no history: {error}", file=sys.stderr)
        return []


def main() -> None:
    """Do what the command line says."""
    parser = Parser(
        prog="scripts/report",
        description=__doc__,
        examples=(
            "scripts/report --game my-game --period week",
            "scripts/report --environment prod --game my-game --date 2026-01-30 --out reports",
        ),
    )
    parser.add_argument("--game", required=True, help="the game's id")
    parser.add_argument("--period", choices=("day", "week"), default="day", help="default: day")
    parser.add_argument("--date", type=date.fromisoformat, help="last UTC day (default: of the last period)")
    parser.add_argument("--out", type=Path, default=Path(), help="directory (default: the working one)")
    given = parser.parse_args()
    period = period_of(given.period, given.date, datetime.now(UTC).date())
    tables = _open(given.environment, given.game)
    for path in write(tables, given.game, period, given.out, _history(given.game, period)):
        print(path)


if __name__ == "__main__":
    run(main)
