"""Judge all games and keep the verdicts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson
from aws_lambda_powertools import Logger
from telemetry.enrichment import timestamp
from telemetry.silver import Check
from telemetry.store import Store

from data_quality import checks, facts
from data_quality.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

RETENTION = timedelta(days=35)

logger = Logger(child=True)

Evaluated = tuple[str, list[Check]]


class NotEvaluatedError(Exception):
    """Some games could not be judged; the others were."""


def evaluate(
    settings: Settings,
    store: Store,
    s3: "S3Client",
    now: datetime,
    published: Callable[[str], Mapping[str, Mapping[str, int]]] | None = None,
) -> Iterator[Evaluated]:
    """Yield each active game and its checks at a moment, once the table has them.

    `published` reads gold's figures of a game's days; without it, gold is judged by the newest run's audit.

    Raises NotEvaluatedError at the end, with the games whose facts could not be read or kept.
    """
    audit, failed = facts.newest_audit(s3, settings.lake_bucket), []
    every = timedelta(hours=settings.history_every_hours)
    for game_id in (game["game_id"] for game in store.games() if game.get("status") == "active"):
        try:
            known = facts.read(store, game_id, now, audit, every)
            if published:
                known = replace(known, published=published(game_id))
            found = checks.run(known)
            _keep(settings, store, game_id, now, found)
        except Exception as error:
            logger.exception("Not judged", game_id=game_id)
            failed.append(f"{game_id} ({error})")
        else:
            yield game_id, found
    if failed:
        raise NotEvaluatedError(", ".join(failed))


def _keep(settings: Settings, store: Store, game_id: str, now: datetime, found: list[Check]) -> None:
    store.dynamodb.put_item(
        TableName=settings.quality_table,
        Item={
            "game_id": {"S": game_id},
            "checked_at": {"S": timestamp(now)},
            "checks": {"S": orjson.dumps([asdict(check) for check in found]).decode()},
            "expires_at": {"N": str(int((now + RETENTION).timestamp()))},
        },
    )
