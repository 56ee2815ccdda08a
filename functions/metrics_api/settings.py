"""What Terraform sets in the environment."""

from functools import cache

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Names of the tables the API reads."""

    games_table: str
    players_table: str
    game_days_table: str
    leaderboards_table: str
    boards_table: str
    ingest_stats_table: str
    realtime_table: str
    quality_table: str


@cache
def settings() -> Settings:
    """Parse the environment once a process, at the first use so that an import needs none."""
    return Settings()
