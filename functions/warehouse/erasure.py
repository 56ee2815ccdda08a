"""Find and erase what the warehouse holds about a player."""
# ruff: noqa: S608 - Player validates the ids; the Data API takes no parameters for a batch

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints
from telemetry import ids

from warehouse.data_api import DataApi

TABLES = (
    "dim_player", "fact_activity", "fact_economy", "fact_events", "fact_purchases", "fact_refunds",
    "fact_sessions",
)  # fmt: skip
VIEW = "staging.enriched_events"
FIND, ERASE = "privacy-find", "privacy-erase"


class Player(BaseModel):
    """A player, with every id that the player's rows may have."""

    game_id: Annotated[str, StringConstraints(pattern=ids.GAME)]
    player_ids: Annotated[list[Annotated[str, StringConstraints(pattern=ids.PLAYER)]], Field(min_length=1)]

    def condition(self, prefix: str = "", cast: str = "") -> str:
        """Return the SQL condition of the player's rows."""
        ids = ", ".join(f"'{player_id}'" for player_id in self.player_ids)
        return f"{prefix}game_id{cast} = '{self.game_id}' AND {prefix}player_id{cast} IN ({ids})"

    @property
    def received(self) -> str:
        """Return the player's rows of the streaming view in SQL: a refresh would turn them into facts."""
        return f"{VIEW} WHERE {self.condition('enriched_events.event.', '::VARCHAR(256)')}"


def found(api: DataApi, player: Player) -> dict[str, int]:
    """Return the number of rows in each table; their content is in the lake too."""
    parts = [
        f"SELECT '{table}' AS held_by, COUNT(*) AS held FROM warehouse.{table} WHERE {player.condition()}"
        for table in TABLES
    ]
    parts.append(f"SELECT 'enriched_events' AS held_by, COUNT(*) AS held FROM {player.received}")
    rows = api.rows(" UNION ALL ".join(parts), FIND)
    return {str(table): int(count) for table, count in rows if count}


def erase(api: DataApi, player: Player) -> dict[str, int]:
    """Delete the rows and return how many there were. Raises as DataApi.run does.

    The view's rows go first, outside the transaction, because the view's own refreshes write there. The lock
    of the facts keeps a refresh from turning rows that it read before into facts again.
    """
    held = found(api, player)
    api.run_alone(f"DELETE FROM {player.received}", ERASE)
    deletes = [f"DELETE FROM warehouse.{table} WHERE {player.condition()}" for table in TABLES]
    api.run(["LOCK warehouse.progress", *deletes], ERASE)
    return held
