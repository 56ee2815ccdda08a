"""Run terraform in an environment: initialised when needed, from a provider mirror where there is one."""

import argparse
import os
from pathlib import Path

from tools import Arguments, emulator, run, stop_spark
from tools.infrastructure import (
    ENVIRONMENTS,
    backend_arguments,
    environment,
    init_arguments,
    initialise,
    require_terraform,
    root,
)


def _stop_spark(directory: Path, arguments: list[str]) -> None:
    """Stop what EMR Serverless would not let Terraform change or destroy."""
    if directory in (ENVIRONMENTS / "dev", ENVIRONMENTS / "prod") and arguments[0] in ("apply", "destroy"):
        stop_spark.before(directory.name, destroys="destroy" in [one.lstrip("-") for one in arguments])


def main() -> None:
    """Become terraform, in the directory and with the arguments of the command line."""
    parser = Arguments(
        prog="scripts/terraform",
        description=__doc__,
        examples=(
            "scripts/terraform local plan",
            "scripts/terraform prod apply",
        ),
    )
    parser.add_argument("--version", action="store_true", help="check and print terraform's version")
    parser.add_argument("environment", nargs="?", help="local, dev, prod or a directory")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what terraform is told")
    options = parser.parse_args()
    version = require_terraform()
    if options.version:
        print(f"Terraform {version}")
        return
    if not options.environment or not options.arguments:
        parser.error(
            "name an environment and what terraform is to do, for example: scripts/terraform local plan"
        )
    directory = root(options.environment)
    if directory == ENVIRONMENTS / "local":
        os.environ.update(emulator.local_environment())
    arguments = options.arguments
    if arguments[0] == "init":
        arguments = [*arguments, *init_arguments(), *backend_arguments(directory)]
    elif arguments[0] != "fmt":
        initialise(directory)
    _stop_spark(directory, arguments)
    os.chdir(directory)
    os.execvpe("terraform", ["terraform", *arguments], {**os.environ, **environment()})


if __name__ == "__main__":
    run(main)
