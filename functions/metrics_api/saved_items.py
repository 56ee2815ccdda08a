"""The table of what people save: questions, the dashboard of some, and annotations (docs/adr/0034)."""

from typing import Any

import msgspec
from fastapi import HTTPException
from telemetry import environment
from telemetry.store import Item, plain, store

# Names of questions begin with a letter or a digit, which sort after this.
ANNOTATIONS, DASHBOARD = "#annotations", "#dashboard"
FIRST_NAME = "0"
# What a question is listed by; `question` is its document.
LISTED = "#name, title, kind, #owner, version, created_at, updated_at"
# DynamoDB takes these words for its own.
WORDS = {"#name": "name", "#owner": "owner"}
# What was read is still there where these are as they were. A dashboard and annotations have no owner.
UNCHANGED = ("owner", "version")


class Saving(msgspec.Struct):
    """The table, which Terraform sets in the environment."""

    saved_questions_table: str


def listed(game_id: str, columns: str = LISTED) -> list[Item]:
    """Return the questions of a game by name."""
    pages = (
        store()
        .dynamodb.get_paginator("query")
        .paginate(
            TableName=_table(),
            ConsistentRead=True,
            ExpressionAttributeNames=WORDS,
            ExpressionAttributeValues={":game": {"S": game_id}, ":first": {"S": FIRST_NAME}},
            KeyConditionExpression="game_id = :game AND #name >= :first",
            ProjectionExpression=columns,
        )
    )
    return [plain(item) for page in pages for item in page["Items"]]


def item(game_id: str, name: str) -> Item | None:
    """Return a question, the dashboard or the annotations; None where there is none."""
    found = store().dynamodb.get_item(TableName=_table(), Key=_key(game_id, name), ConsistentRead=True)
    return plain(found["Item"]) if "Item" in found else None


def put(item: Item, found: Item | None, changed: str) -> None:
    """Write an item in the place of what was read. Raises HTTPException 409 where that has changed."""
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(game_id)"}
    if found:
        condition = _is_still(found)
    dynamodb = store().dynamodb
    try:
        dynamodb.put_item(
            TableName=_table(),
            Item={
                name: {"N": str(value)} if isinstance(value, int) else {"S": value}
                for name, value in item.items()
            },
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **condition,
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        # A repeated request whose first answer was lost finds its own item.
        there: Any = error.response.get("Item", {})
        if plain(there) != item:
            raise HTTPException(409, changed) from None


def delete(found: Item, changed: str) -> None:
    """Delete what was read. Raises HTTPException 409 where it has changed."""
    dynamodb = store().dynamodb
    condition = _is_still(found)
    # A repeated request whose first answer was lost finds no item.
    condition["ConditionExpression"] = (
        f"attribute_not_exists(game_id) OR ({condition['ConditionExpression']})"
    )
    try:
        dynamodb.delete_item(TableName=_table(), Key=_key(found["game_id"], found["name"]), **condition)
    except dynamodb.exceptions.ConditionalCheckFailedException:
        raise HTTPException(409, changed) from None


def _is_still(found: Item) -> dict[str, Any]:
    """Return the condition that an item is still what was read."""
    names = [name for name in UNCHANGED if name in found]
    return {
        "ConditionExpression": " AND ".join(f"#{name} = :{name}" for name in names),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        "ExpressionAttributeValues": {
            f":{name}": {"N" if name == "version" else "S": str(found[name])} for name in names
        },
    }


def _key(game_id: str, name: str) -> dict[str, Any]:
    return {"game_id": {"S": game_id}, "name": {"S": name}}


def _table() -> str:
    return environment.parse(Saving).saved_questions_table
