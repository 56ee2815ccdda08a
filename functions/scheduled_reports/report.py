"""The whole report of one game and period, in each form it is sent or kept."""

from dataclasses import dataclass

from metrics_api.store import Store

from scheduled_reports import render
from scheduled_reports.figures import Figure, Notice, Period, figures, retention, unusual


@dataclass(frozen=True, slots=True)
class Report:
    """What one game is told of one period."""

    game_id: str
    title: str
    period: Period
    figures: list[Figure]
    notices: list[Notice]

    @property
    def name(self) -> str:
        """Return what tells it from every other report: <game>/<period>/<last day>."""
        return f"{self.game_id}/{self.period.kind}/{self.period.last}"

    @property
    def text(self) -> str:
        """Return it as plain text."""
        return render.text(self.title, self.period, self.figures, self.notices)

    @property
    def files(self) -> dict[str, str]:
        """Return page and table by suffix."""
        page = render.html(self.title, self.period, self.figures, self.notices)
        return {"html": page, "csv": render.table(self.figures)}


def report(store: Store, game_id: str, title: str, period: Period) -> Report:
    """Read the report's figures; of a game without data they are 0 or None."""
    found = figures(store, game_id, period) + retention(store, game_id, period)
    return Report(game_id, title, period, found, unusual(store, game_id, period))
