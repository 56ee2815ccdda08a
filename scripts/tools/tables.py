"""The platform's tables and their keys, for what makes them without Terraform: `scripts/micro`, and tests."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource

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
    "saved_questions": ("game_id", "name"),
}


def _by_rank(schema: list[Any]) -> Any:
    """Return the index of leaderboards, beside the table's own keys."""
    return {
        "IndexName": "by_rank",
        "KeySchema": [schema[0], {"AttributeName": "rank_key", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }


def make_tables(dynamodb: "DynamoDBServiceResource") -> list[str]:
    """Make the platform's tables, which bear their plain names; return those."""
    for table, keys in KEYS.items():
        attributes = [*keys, "rank_key"] if table == "leaderboards" else list(keys)
        schema: list[Any] = [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ]
        more: dict[str, Any] = {}
        if table == "leaderboards":
            more = {"GlobalSecondaryIndexes": [_by_rank(schema)]}
        dynamodb.create_table(
            TableName=table,
            KeySchema=schema,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
            BillingMode="PAY_PER_REQUEST",
            **more,
        )
    return list(KEYS)
