"""What one game is told of one period, read once; render.py gives it its forms."""

from dataclasses import dataclass, field

from telemetry.store import Store

from scheduled_reports import figures
from scheduled_reports.charts import DAYS, charts
from scheduled_reports.figures import COHORT_DAYS, Figure, Notice, Period
from scheduled_reports.pictures import Picture
from scheduled_reports.questions import Answered
from scheduled_reports.sections import Section, sections


@dataclass(frozen=True, slots=True)
class Report:
    """The figures, what is notable of them (where they could be judged), the tables and the pictures."""

    game_id: str
    title: str
    period: Period
    figures: list[Figure]
    notices: list[Notice] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    judged: bool = True
    questions: list[Answered] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return what tells it from every other report: <game>/<period>/<last day>."""
        return f"{self.game_id}/{self.period.kind}/{self.period.last}"


def report(store: Store, game_id: str, title: str, period: Period) -> Report:
    """Read the report; of a game without data figures are 0 or None, and there are no tables nor pictures."""
    counted = figures.counted(store, game_id, period)
    cohorts = figures.cohorts(store, game_id, period.until(DAYS + max(COHORT_DAYS)))
    tables = sections(store, game_id, period)
    versions = next((table for table in tables if table.subject == "Version"), None)
    return Report(
        game_id,
        title,
        period,
        [
            *figures.figures(store, game_id, period),
            *figures.retention(cohorts, period),
            figures.stability(store, game_id, period),
        ],
        figures.unusual(counted, period),
        tables,
        charts(counted, cohorts, versions, period),
        figures.judged(counted, period),
    )
