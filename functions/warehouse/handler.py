"""Lambda of the warehouse: Terraform migrates, a schedule refreshes facts, privacy erases players."""

from dataclasses import asdict
from typing import Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel
from telemetry import logs
from telemetry.clients import client

from warehouse import deployment, erasure
from warehouse.data_api import DataApi, Target
from warehouse.settings import settings
from warehouse.sql_files import load

logger = logs.logger()

# Time left for the answer after the last call to Redshift.
MARGIN_SECONDS = 15


class Task(BaseModel):
    """The action that a caller asks for."""

    action: Literal["migrate", "status", "refresh", "find", "erase"]


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Carry out an action. State `running`: a statement goes on, and the same call again waits for it."""
    action, given = Task.model_validate(event).action, settings()
    target = Target(WorkgroupName=given.workgroup, Database=given.database, SecretArn=given.secret_arn)
    remaining = lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS  # noqa: E731
    api = DataApi(client("redshift-data"), target, remaining)
    match action:
        case "find":
            return erasure.found(api, erasure.Player.model_validate(event))
        case "erase":
            return erasure.erase(api, erasure.Player.model_validate(event))
        case "migrate":
            outcome = deployment.migrate(api, load(), given.values)
        case "status":
            outcome = deployment.status(api, load())
        case "refresh":
            outcome = deployment.bring_up_to_date(api, given.values)
    logger.info(action, outcome=asdict(outcome))
    return asdict(outcome)
