"""What Terraform sets in the environment."""

from metrics_api import settings


class Settings(settings.Settings):
    """Names of the tables and the lake; tables that are not read have no name."""

    players_table: str = ""
    leaderboards_table: str = ""
    boards_table: str = ""

    history_every_hours: int
    lake_bucket: str
