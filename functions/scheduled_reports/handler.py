"""Lambda of the schedules: archive, mail and post the report of each game, each once."""

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from telemetry import environment, logs
from telemetry.clients import client
from telemetry.store import Store

from scheduled_reports import channels
from scheduled_reports.figures import Period
from scheduled_reports.gold import Gold
from scheduled_reports.ledger import Ledger
from scheduled_reports.questions import Questions
from scheduled_reports.report import report
from scheduled_reports.settings import Order, Settings

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

logger = logs.logger()
# A call that is repeated may send twice.
ONCE = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})


class GamesFailedError(Exception):
    """Lambda tries the invocation again, and reports it in the end; what was sent is not sent again."""


@cache
def connections() -> tuple[Settings, Store, Ledger, "S3Client", channels.Mail]:
    """Connect once an execution environment."""
    settings, dynamodb = environment.parse(Settings), client("dynamodb")
    mail = channels.Mail(boto3.client("sesv2", config=ONCE), settings.sender, settings.configuration_set)
    return settings, Store(dynamodb, settings), Ledger(dynamodb, settings.reports_table), client("s3"), mail


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: object) -> None:
    """Report on each active game. Raises GamesFailedError that names those that failed."""
    order = Order.model_validate(event)
    settings, store, *_ = connections()
    period, failed, gold = order.wanted, [], Gold()
    questions = Questions(settings.metrics_function, settings.page_url)
    for game in store.games():
        game_id = game["game_id"]
        if game.get("status") == "active" and (not order.games or game_id in order.games):
            try:
                _report(game, period, gold, questions)
            except Exception as error:
                logger.exception("Report failed", game_id=game_id)
                failed.append(f"{game_id} ({error})")
    if failed:
        raise GamesFailedError(f"{period.kind} to {period.last}: {', '.join(failed)}")


def _report(game: dict[str, Any], period: Period, gold: Gold, questions: Questions) -> None:
    settings, store, ledger, s3, mail = connections()
    made = report(store, game["game_id"], game.get("name", game["game_id"]), period)
    made = replace(
        made,
        sections=[*made.sections, *gold.ad_spend(store, made.game_id, period)],
        questions=questions.of_week(made.game_id, period),
    )
    given = game.get("report_to", "").split()
    # SES takes ASCII only, and one address that it refuses costs all the others their mail.
    addresses = [address for address in given if address.isascii()]
    if len(addresses) < len(given):
        logger.error(
            "Recipients left out: register them anew by scripts/games report-to", game_id=made.game_id
        )
    channels.archive(s3, settings.lake_bucket, made)
    if settings.sender and addresses:
        # One that cannot be written was not begun either.
        written = channels.message(made, settings.sender, addresses)
        with ledger.once(made.name, "mail") as wanted:
            if wanted:
                mail.send(written, addresses)
    if webhook := _webhooks().get(made.game_id):
        with ledger.once(made.name, "webhook") as wanted:
            if wanted:
                channels.post(webhook, made)


def _webhooks() -> dict[str, str]:
    """Return the URL of each game that has one."""
    secret, secrets = connections()[0].webhooks_secret, client("secretsmanager")
    if not secret:
        return {}
    try:
        value = secrets.get_secret_value(SecretId=secret).get("SecretString", "{}")
    except secrets.exceptions.ResourceNotFoundException:
        return {}
    found: dict[str, str] = json.loads(value)
    return found
