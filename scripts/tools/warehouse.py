"""Bring the warehouse to the newest migration, say what it has, or judge the files without one."""

import argparse
import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from warehouse_migrations.sql_files import HERE, Migration, MigrationError, load

from tools import CommandError, run, terraform
from tools.warehouse_lint import faults

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


def migrate(client: Any, function: str) -> dict[str, Any]:
    """Have the function apply what is pending, again for as long as something still runs."""
    for _ in range(MAX_TURNS):
        outcome = invoke(client, function, "migrate")
        if outcome["state"] != "running":
            return outcome
        print(f"statement {outcome['statement_id']} still runs")
    raise CommandError(f"it still runs after {MAX_TURNS} turns: look at the statement in Redshift")


def invoke(client: Any, function: str, action: str) -> dict[str, Any]:
    """Return the function's answer. Raises CommandError with what it says where it fails."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps({"action": action}))
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CommandError(str(payload.get("errorMessage", payload)))
    return payload


def _function(environment: str) -> str:
    warehouse = terraform.outputs(terraform.root(environment)).get("warehouse")
    if not warehouse:
        raise CommandError(f"{environment} has no warehouse: `warehouse.enabled` turns it on")
    return str(warehouse["function"])


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="scripts/warehouse", description=__doc__)
    parser.add_argument("--environment", default="dev", help="dev or prod (default: dev)")
    parser.add_argument("command", choices=["migrate", "status", "lint"])
    given = parser.parse_args()
    if given.command == "lint":
        found = lint()
        if found:
            raise CommandError("\n".join(found))
        print("The migrations are as Redshift takes them")
        return
    try:
        client, function = boto3.client("lambda", config=CONFIG), _function(given.environment)
        outcome = (
            migrate(client, function) if given.command == "migrate" else invoke(client, function, "status")
        )
    except (BotoCoreError, ClientError) as error:
        raise CommandError(str(error)) from error
    print(f"{outcome['state']}: {len(outcome['applied'])} applied")
    for name in (*outcome["applied"], *(f"pending: {name}" for name in outcome["pending"])):
        print(f"  {name}")


if __name__ == "__main__":
    run(main)
