"""Render the report of a game and period that is over, as a page and CSV."""

import argparse
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from metrics_api.store import Store, store
from scheduled_reports import render
from scheduled_reports.figures import Period, figures, retention, unusual

from tools import CommandError, emulator, run, terraform


def write(tables: Store, game_id: str, period: Period, out: Path) -> list[Path]:
    """Write both files and return their paths. Raises CommandError for a game that is not registered."""
    if not tables.game_exists(game_id):
        raise CommandError(f"{game_id} is not registered")
    daily = period.kind == "day"
    found = figures(tables, game_id, period)
    # Cohorts become due on a day; usual bands are those of days.
    found += retention(tables, game_id, period.last) if daily else []
    changes = unusual(tables, game_id, period.last) if daily else None
    texts = {"html": render.html(game_id, period, found, changes), "csv": render.table(found)}
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for suffix, text in texts.items():
        path = out / f"{game_id}-{period.kind}-{period.last}.{suffix}"
        path.write_text(text, newline="")
        paths.append(path)
    return paths


def period_of(kind: str, day: date | None, today: date) -> Period:
    """Return the period that ends on a day, or the last that is over; weeks end on Sunday.

    Raises CommandError for one that is not over.
    """
    last = day or today - timedelta(days=today.weekday() + 1 if kind == "week" else 1)
    if last >= today:
        raise CommandError(f"{last} is not over (UTC)")
    return Period("week" if kind == "week" else "day", last)


def _open(environment: str) -> Store:
    if environment == "local":
        os.environ.update(emulator.local_environment())
    os.environ.update(terraform.outputs(terraform.root(environment))["metrics_api_environment"])
    return store()


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="scripts/report", description=__doc__)
    parser.add_argument("--environment", default="local", help="local, dev or prod (default: local)")
    parser.add_argument("--game", required=True, help="the game's id")
    parser.add_argument("--period", choices=("day", "week"), default="day", help="default: day")
    parser.add_argument("--date", type=date.fromisoformat, help="last UTC day (default: of the last period)")
    parser.add_argument("--out", type=Path, default=Path(), help="directory (default: the working one)")
    given = parser.parse_args()
    period = period_of(given.period, given.date, datetime.now(UTC).date())
    for path in write(_open(given.environment), given.game, period, given.out):
        print(path)


if __name__ == "__main__":
    run(main)
