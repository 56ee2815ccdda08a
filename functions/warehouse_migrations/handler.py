"""Lambda of the warehouse: Terraform has it migrate, a schedule refresh the facts, privacy forget players."""

from dataclasses import asdict
from typing import Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel
from telemetry import logs
from telemetry.clients import client

from warehouse_migrations import deployment, forgetting
from warehouse_migrations.data_api import DataApi
from warehouse_migrations.migrations import load
from warehouse_migrations.settings import settings

logger = logs.logger()

# Left to answer with after the last question to Redshift.
MARGIN_SECONDS = 15


class Task(BaseModel):
    """What is asked for."""

    action: Literal["migrate", "status", "refresh", "find", "forget"]


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Carry out an action; `running` says that it goes on, and that the same call again waits for it."""
    action, given = Task.model_validate(event).action, settings()
    target = {"WorkgroupName": given.workgroup, "Database": given.database, "SecretArn": given.secret_arn}
    remaining = lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS  # noqa: E731
    api = DataApi(client("redshift-data"), target, remaining)
    match action:
        case "find":
            return forgetting.found(api, forgetting.Player.model_validate(event))
        case "forget":
            return forgetting.forget(api, forgetting.Player.model_validate(event))
        case "migrate":
            outcome = deployment.migrate(api, load(), given.values)
        case "status":
            outcome = deployment.status(api, load())
        case "refresh":
            outcome = deployment.bring_up_to_date(api, given.values)
    logger.info(action, outcome=asdict(outcome))
    return asdict(outcome)
