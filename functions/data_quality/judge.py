"""Judge all games and keep the verdicts."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import orjson
from metrics_api.store import Store
from telemetry.enrichment import timestamp

from data_quality import checks, facts
from data_quality.settings import Settings

RETENTION = timedelta(days=35)

Judged = tuple[str, list[checks.Check]]


def judge(settings: Settings, store: Store, s3: Any, now: datetime) -> Iterator[Judged]:
    """Yield each active game and its checks at a moment, once the table has them."""
    audit = facts.newest_audit(s3, settings.lake_bucket)
    for game in store.games():
        if game.get("status") == "active":
            found = checks.run(facts.read(store, game["game_id"], now, audit))
            store.dynamodb.put_item(
                TableName=settings.quality_table,
                Item={
                    "game_id": {"S": game["game_id"]},
                    "checked_at": {"S": timestamp(now)},
                    "checks": {"S": orjson.dumps([asdict(check) for check in found]).decode()},
                    "expires_at": {"N": str(int((now + RETENTION).timestamp()))},
                },
            )
            yield game["game_id"], found
