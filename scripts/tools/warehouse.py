"""Migrate the warehouse, show its state, or check the SQL files without a warehouse."""

import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from warehouse.sql_files import HERE, Migration, MigrationError, load

from tools import CommandError, Parser, infrastructure, run
from tools.warehouse_lint import faults

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Longer than the function may run.
CONFIG = Config(read_timeout=960, retries={"total_max_attempts": 1})
MAX_TURNS = 20


def lint() -> list[str]:
    """Return the faults of all migrations and of the refresh."""
    refresh = Migration(0, "refresh.sql", (HERE / "refresh.sql").read_text())
    try:
        return [fault for migration in [*load(), refresh] for fault in faults(migration)]
    except MigrationError as error:
        return [str(error)]


def migrate(client: "LambdaClient", function: str) -> dict[str, Any]:
    """Let the function apply what is pending, and call it again while a statement still runs."""
    for _ in range(MAX_TURNS):
        outcome = invoke(client, function, "migrate")
        if outcome["state"] != "running":
            return outcome
        print(f"statement {outcome['statement_id']} still runs")
    raise CommandError(f"a statement still runs after {MAX_TURNS} calls: look at it in Redshift")


def invoke(client: "LambdaClient", function: str, action: str) -> dict[str, Any]:
    """Return the function's answer. Raises CommandError with the function's message where it fails."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps({"action": action}))
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CommandError(str(payload.get("errorMessage", payload)))
    return payload


def _function(environment: str) -> str:
    warehouse = infrastructure.outputs(environment).get("warehouse")
    if not warehouse:
        raise CommandError(f"{environment} has no warehouse: `warehouse.enabled` turns it on")
    return str(warehouse["function"])


def main() -> None:
    """Run the command of the command line."""
    parser = Parser(
        prog="scripts/warehouse",
        choices=("dev", "prod"),
        without=("lint",),
        description=__doc__,
        examples=(
            "scripts/warehouse lint",
            "scripts/warehouse --environment prod migrate",
        ),
    )
    parser.add_argument("command", choices=["migrate", "status", "lint"])
    given = parser.parse_args()
    if given.command == "lint":
        found = lint()
        if found:
            raise CommandError("\n".join(found))
        print("The SQL files have no faults")
        return
    client, function = boto3.client("lambda", config=CONFIG), _function(given.environment)
    outcome = migrate(client, function) if given.command == "migrate" else invoke(client, function, "status")
    print(f"{outcome['state']}: {len(outcome['applied'])} applied")
    for name in (*outcome["applied"], *(f"pending: {name}" for name in outcome["pending"])):
        print(f"  {name}")


if __name__ == "__main__":
    run(main)
