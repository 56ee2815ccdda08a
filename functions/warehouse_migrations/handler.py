"""Lambda of the warehouse: Terraform has it apply the migrations, a schedule has it refresh the facts."""

from dataclasses import asdict
from functools import cache
from typing import Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel
from pydantic_settings import BaseSettings
from telemetry import logs
from telemetry.clients import client

from warehouse_migrations import deployment
from warehouse_migrations.data_api import DataApi
from warehouse_migrations.migrations import load

logger = logs.logger()

# Left to answer with after the last question to Redshift.
MARGIN_SECONDS = 15


class Settings(BaseSettings):
    """Environment of the function, set by Terraform; `values` is JSON."""

    workgroup: str
    database: str
    secret_arn: str
    values: dict[str, str]


class Task(BaseModel):
    """What is asked for."""

    action: Literal["migrate", "status", "refresh"]


@cache
def settings() -> Settings:
    """Read the environment once."""
    return Settings()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Carry out an action; `running` says that it goes on, and that the same call again waits for it."""
    action, given = Task.model_validate(event).action, settings()
    target = {"WorkgroupName": given.workgroup, "Database": given.database, "SecretArn": given.secret_arn}
    remaining = lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS  # noqa: E731
    api = DataApi(client("redshift-data"), target, remaining)
    match action:
        case "migrate":
            outcome = deployment.migrate(api, load(), given.values)
        case "status":
            outcome = deployment.status(api, load())
        case "refresh":
            outcome = deployment.bring_up_to_date(api, given.values)
    logger.info(action, outcome=asdict(outcome))
    return asdict(outcome)
