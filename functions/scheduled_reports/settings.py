"""What Terraform sets in the environment, and what the schedules ask for."""

from datetime import UTC, date, datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel
from telemetry.store import Tables

from scheduled_reports.figures import Period


class Settings(Tables, frozen=True, kw_only=True):
    """Names of tables and of what reports are sent through; tables that are not read have no name."""

    boards_table: str = ""
    ingest_stats_table: str = ""
    leaderboards_table: str = ""
    players_table: str = ""
    quality_table: str = ""
    realtime_table: str = ""
    recent_events_table: str = ""

    reports_table: str
    lake_bucket: str
    configuration_set: str
    metrics_function: str = ""
    page_url: str = ""
    sender: str = ""
    webhooks_secret: str = ""


class Order(BaseModel):
    """One invocation: the period that is over at a time, of these games or of all."""

    period: Literal["day", "week"]
    scheduled: AwareDatetime
    games: frozenset[str] = frozenset()

    @property
    def wanted(self) -> Period:
        """Return the period. Raises ValueError for a time to come: its period is not over."""
        today: date = self.scheduled.astimezone(UTC).date()
        if today > datetime.now(UTC).date():
            raise ValueError(f"{self.scheduled} is yet to come")
        return Period.over(self.period, today)
