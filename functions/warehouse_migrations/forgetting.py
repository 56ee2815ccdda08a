"""What the warehouse holds about a player, and how it is taken away."""
# ruff: noqa: S608 - Player lets only ids into the statements; the Data API's parameters are of no batch

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from warehouse_migrations.data_api import DataApi

TABLES = ("dim_player", "fact_activity", "fact_economy", "fact_events", "fact_purchases", "fact_sessions")
VIEW = "staging.enriched_events"
FIND, FORGET = "privacy-find", "privacy-forget"


class Player(BaseModel):
    """Whose rows are meant: a player, by every id the rows may have."""

    game_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    player_ids: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]], Field(min_length=1)
    ]

    def condition(self, prefix: str = "", cast: str = "") -> str:
        """Return their rows in SQL."""
        ids = ", ".join(f"'{player_id}'" for player_id in self.player_ids)
        return f"{prefix}game_id{cast} = '{self.game_id}' AND {prefix}player_id{cast} IN ({ids})"

    @property
    def received(self) -> str:
        """Return the rows of the streaming view, which a refresh would turn into facts."""
        return f"{VIEW} WHERE {self.condition('enriched_events.event.', '::VARCHAR(256)')}"


def found(api: DataApi, player: Player) -> dict[str, int]:
    """Return how many rows each table holds: what they say is in the lake too."""
    parts = [
        f"SELECT '{table}' AS held_by, COUNT(*) AS held FROM warehouse.{table} WHERE {player.condition()}"
        for table in TABLES
    ]
    parts.append(f"SELECT 'enriched_events' AS held_by, COUNT(*) AS held FROM {player.received}")
    rows = api.rows(" UNION ALL ".join(parts), FIND)
    return {str(table): int(count) for table, count in rows if count}


def forget(api: DataApi, player: Player) -> dict[str, int]:
    """Delete the rows and return how many they were.

    First those of the view, by themselves as its own refreshes write there; behind the facts' lock
    nothing turns what was received before into facts again. Raises as DataApi.run does.
    """
    held = found(api, player)
    api.run_alone(f"DELETE FROM {player.received}", FORGET)
    deletes = [f"DELETE FROM warehouse.{table} WHERE {player.condition()}" for table in TABLES]
    api.run(["LOCK warehouse.progress", *deletes], FORGET)
    return held
