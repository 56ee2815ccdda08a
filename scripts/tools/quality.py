"""Judge now whether each game's data can be trusted, as data_quality does by schedule each hour."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import boto3
from data_quality import facts
from data_quality.evaluation import evaluate
from data_quality.settings import Settings
from rich.console import Console
from rich.table import Table
from telemetry import environment
from telemetry.clients import client
from telemetry.silver import Check
from telemetry.store import Store

from tools import CommandError, Parser, emulator, gold, infrastructure, report_history, run

COLOURS = {"pass": "green", "warn": "yellow", "fail": "red", "unknown": "dim"}


def evaluate_now(outputs: dict[str, Any]) -> dict[str, list[Check]]:
    """Judge with the function's settings, one's own credentials and gold; return the checks by game."""
    function = outputs["scheduled_functions"]["quality"]
    configured = boto3.client("lambda").get_function_configuration(FunctionName=function)
    settings = environment.parse(Settings, configured["Environment"]["Variables"])
    now = datetime.now(UTC)
    store = Store(client("dynamodb"), settings)
    return dict(evaluate(settings, store, client("s3"), now, partial(_published, now.date())))


def _published(today: date, game_id: str) -> Mapping[str, Mapping[str, int]]:
    """Return gold's figures of the days whose counters are judged; none where the lake has no tables yet."""
    try:
        return report_history.days(game_id, today - timedelta(days=facts.DAYS - 1))
    except CommandError as error:
        print(f"Gold was not read: {error}", file=sys.stderr)
        return {}


def main() -> None:
    """Show each check; a failed one is an error."""
    parser = Parser(
        prog="scripts/quality",
        description=__doc__,
        examples=(
            "scripts/quality",
            "scripts/quality --environment prod",
        ),
    )
    options = parser.parse_args()
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(options.environment)
    gold.use(outputs, local=options.environment == "local")
    verdicts = evaluate_now(outputs)
    for game_id, found in verdicts.items():
        table = Table(title=game_id)
        for column in ("Check", "Verdict", "Found"):
            table.add_column(column)
        for check in found:
            table.add_row(check.name, f"[{COLOURS[check.verdict]}]{check.verdict}", check.message)
        Console().print(table)
    if failed := [game for game, found in verdicts.items() if any(one.verdict == "fail" for one in found)]:
        raise CommandError(f"checks failed: {', '.join(failed)}")


if __name__ == "__main__":
    run(main)
