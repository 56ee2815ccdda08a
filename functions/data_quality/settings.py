"""What Terraform sets in the environment."""

from telemetry.store import Tables


class Settings(Tables, frozen=True, kw_only=True):
    """Names of the tables and the lake; tables that are not read have no name."""

    boards_table: str = ""
    leaderboards_table: str = ""
    players_table: str = ""
    recent_events_table: str = ""

    history_every_hours: int
    lake_bucket: str
