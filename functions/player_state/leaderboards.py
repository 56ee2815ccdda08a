"""The best score of each player on each board; a repeated or late score changes nothing."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from telemetry.clients import CONNECTIONS

from player_state.projection import Event

SCORE_OFFSET = 2**53
SCORE_DIGITS = 17
LAST_MILLISECOND = 10**14
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Leaderboards:
    """Writes the leaderboards table (low-level DynamoDB client)."""

    dynamodb: Any
    table_name: str

    def submit(self, events: Iterable[Event]) -> list[Event]:
        """Keep the best score of each player and board; return the events that were not written."""
        best: dict[tuple[str, str], Event] = {}
        for event in events:
            if event["event_type"] == "score_submitted":
                key = f"{event['game_id']}#{event['payload']['leaderboard']}", event["player_id"]
                best[key] = max(best.get(key, event), event, key=rank_key)
        with ThreadPoolExecutor(CONNECTIONS // 2) as pool:
            written = pool.map(self._keep, best, best.values())
            return [event for event, done in zip(best.values(), written, strict=True) if not done]

    def _keep(self, key: tuple[str, str], event: Event) -> bool:
        (board, player_id), rank = key, {"S": rank_key(event)}
        try:
            self.dynamodb.update_item(
                TableName=self.table_name,
                Key={"board": {"S": board}, "player_id": {"S": player_id}},
                UpdateExpression="SET score = :score, achieved_at = :at, rank_key = :rank",
                ConditionExpression="attribute_not_exists(rank_key) OR rank_key < :rank",
                ExpressionAttributeValues={
                    ":score": {"N": str(int(event["payload"]["score"]))},
                    ":at": {"S": event["corrected_time"]},
                    ":rank": rank,
                },
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return True
        except (ClientError, BotoCoreError):
            logger.exception("A score could not be written", extra={"board": board})
            return False
        return True


def rank_key(event: Event) -> str:
    """Return a string that sorts as the board does: higher score, then earlier, then player id."""
    since = datetime.fromisoformat(event["corrected_time"]) - EPOCH
    milliseconds = since // timedelta(milliseconds=1)
    score = int(event["payload"]["score"]) + SCORE_OFFSET
    return f"{score:0{SCORE_DIGITS}}#{LAST_MILLISECOND - milliseconds:014}#{event['player_id']}"
