"""Lambda of the hour: judge each game's data, keep the verdicts, and tell CloudWatch how many failed."""

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from metrics_api.store import Store
from telemetry.clients import client
from telemetry.enrichment import timestamp

from data_quality import checks, facts
from data_quality.settings import Settings

RETENTION = timedelta(days=35)

logger = Logger()
metrics = Metrics()


@cache
def connections() -> tuple[Settings, Store, Any]:
    """Connect once an execution environment."""
    settings = Settings()
    return settings, Store(client("dynamodb"), settings), client("s3")


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Judge every active game; return how many checks have each verdict. An error makes Lambda try again."""
    settings, store, s3 = connections()
    now, verdicts = datetime.now(UTC), Counter[str]()
    audit = facts.newest_audit(s3, settings.lake_bucket)
    for game in store.games():
        if game.get("status") == "active":
            found = checks.run(facts.read(store, game["game_id"], now, audit))
            _keep(game["game_id"], now, found)
            verdicts.update(check.verdict for check in found)
            for check in found:
                if check.verdict in ("warn", "fail"):
                    logger.warning(
                        check.words, game_id=game["game_id"], check=check.name, verdict=check.verdict
                    )
    for verdict, name in (("fail", "QualityChecksFailed"), ("warn", "QualityChecksWarned")):
        metrics.add_metric(name, MetricUnit.Count, verdicts[verdict])
    return dict(verdicts)


def _keep(game_id: str, now: datetime, found: list[checks.Check]) -> None:
    settings, store, _ = connections()
    store.dynamodb.put_item(
        TableName=settings.quality_table,
        Item={
            "game_id": {"S": game_id},
            "checked_at": {"S": timestamp(now)},
            "checks": {"S": orjson.dumps([asdict(check) for check in found]).decode()},
            "expires_at": {"N": str(int((now + RETENTION).timestamp()))},
        },
    )
