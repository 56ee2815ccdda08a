"""The platform's tables and their keys, for what makes them without Terraform: `scripts/micro`, and tests."""

from typing import Any

KEYS = {
    "games": ("game_id",),
    "dedupe": ("bucket",),
    "ingest_stats": ("game_day", "shard"),
    "players": ("player",),
    "game_days": ("game_day", "shard"),
    "leaderboards": ("board", "player_id"),
    "boards": ("game_id", "board_id"),
    "quality": ("game_id", "checked_at"),
    "quotas": ("quota",),
    "realtime": ("series", "window"),
    "recent_events": ("game_id", "batch"),
    "reports": ("report",),
}


def make_tables(dynamodb: Any) -> list[str]:
    """Make the platform's tables (boto3 resource), which bear their plain names; return those."""
    for table, keys in KEYS.items():
        attributes = [*keys, "rank_key"] if table == "leaderboards" else list(keys)
        schema = [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ]
        by_rank = {
            "IndexName": "by_rank",
            "KeySchema": [schema[0], {"AttributeName": "rank_key", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        dynamodb.create_table(
            TableName=table,
            KeySchema=schema,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
            BillingMode="PAY_PER_REQUEST",
            **({"GlobalSecondaryIndexes": [by_rank]} if table == "leaderboards" else {}),
        )
    return list(KEYS)
