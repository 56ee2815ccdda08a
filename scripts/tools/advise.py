"""Advise now what to size otherwise, as performance_advisor does each Monday; nothing is kept or mailed."""

import os
from datetime import UTC, datetime

import boto3
from performance_advisor import handler
from performance_advisor.advise import advise, text
from performance_advisor.settings import Settings
from rich.console import Console
from telemetry import environment

from tools import Parser, emulator, infrastructure, run


def words(variables: dict[str, str]) -> str:
    """Return the advice that the function would mail, by its environment and with one's own credentials."""
    found = handler.collect(environment.parse(Settings, variables), datetime.now(UTC))
    return text(advise(found), found.unreadable)


def main() -> None:
    """Print the advice."""
    parser = Parser(
        prog="scripts/advise",
        description=__doc__,
        examples=(
            "scripts/advise",
            "scripts/advise --environment prod",
        ),
    )
    options = parser.parse_args()
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    function = infrastructure.outputs(options.environment)["scheduled_functions"]["advice"]
    configured = boto3.client("lambda").get_function_configuration(FunctionName=function)
    Console().print(words(configured["Environment"]["Variables"]), end="", highlight=False, markup=False)


if __name__ == "__main__":
    run(main)
