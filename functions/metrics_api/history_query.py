"""One question to a gold table, and its SQL: the same text for Athena and DuckDB."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from telemetry.lake_reader import Query
from telemetry.metric_model import ALL, Metric, Table

Grain = Literal["day", "week", "month", "range"]
MAX_ROWS = 2000
# The parameter `format` chooses JSON or CSV.
PARAMETERS = {"format": "ad_format"}


def parameter(column: str) -> str:
    """Return the query parameter that filters by a column."""
    return PARAMETERS.get(column, column)


class Days(NamedTuple):
    """The first and the last day of a range."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Question:
    """Metrics of a table and game, over days and slices.

    Gold has a row of all beside those of each platform, country and version: they are chosen, never added.
    """

    table: Table
    game_id: str
    days: Days
    grain: Grain = "day"
    by: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    metrics: tuple[Metric, ...] = ()

    @property
    def added(self) -> list[str]:
        """Return the columns whose rows are added up to one figure."""
        fixed = {"game_id", self.table.day_column, *self.by, *dict(self.filters), *self.table.with_totals}
        columns = [column for column in self.table.grain if column not in fixed]
        return columns if self.grain == "day" else [self.table.day_column, *columns]

    def refusal(self, metric: Metric) -> str:
        """Return why the metric has no such figure; empty where it has."""
        wrong = metric.not_added_over(self.added)
        if not wrong:
            return ""
        ways = [
            "ask with grain=day"
            if column == self.table.day_column
            else f"choose one with {parameter(column)}= or tell them apart with by={column}"
            for column in wrong
        ]
        return f"{metric.name} must not be added up over {', '.join(wrong)}: {'; '.join(ways)}"

    def query(self) -> Query:
        """Return the SQL: a row for each period and slice, the periods by their first day."""
        day, filters = self.table.day_column, dict(self.filters)
        periods = {"day": day, "range": f"min({day})"}
        period = periods.get(self.grain, f"date_trunc('{self.grain}', {day})")
        shown = [
            f"{group} AS {name}"
            for group, name in zip((period, *self.by), ("first_day", *self.by), strict=True)
        ]
        groups = self.by if self.grain == "range" else (period, *self.by)
        # Without groups, SQL has a row of nothing where there are no rows.
        grouped = f"GROUP BY {', '.join(groups)}" if groups else "HAVING count(*) > 0"
        where = ["game_id = ?", f"{day} BETWEEN CAST(? AS date) AND CAST(? AS date)"]
        for column in self.table.with_totals:
            if column not in filters:
                where.append(f"{column} {'<>' if column in self.by else '='} '{ALL}'")
        where += [f"{column} = {self._placeholder(column)}" for column in filters]
        shown += [f"{self._figure(metric)} AS {metric.name}" for metric in self.metrics]
        places = ", ".join(str(number + 1) for number in range(1 + len(self.by)))
        sql = (
            f"SELECT {', '.join(shown)}\nFROM {self.table.name}\nWHERE {' AND '.join(where)}\n"
            f"{grouped}\nORDER BY {places}\nLIMIT {MAX_ROWS + 1}"
        )
        values = (self.game_id, *map(date.isoformat, self.days), *filters.values())
        return Query(sql, values, self.table.name, day, self.game_id, *self.days)

    def _placeholder(self, column: str) -> str:
        kind = self.table.types[column]
        return "?" if kind == "string" else f"CAST(? AS {kind})"

    def _figure(self, metric: Metric) -> str:
        """Return the SQL of a metric. A figure that does not add up is that of its one row."""
        return metric.sql() if metric.is_derived or metric.adds_over else f"max({metric.name})"


def period_of(first_day: date, grain: Grain, days: Days) -> Days:
    """Return the days of a period that are within the range."""
    if grain == "day":
        return Days(first_day, first_day)
    if grain == "range":
        return days
    end = first_day + timedelta(days=6) if grain == "week" else _month_end(first_day)
    return Days(max(first_day, days.first), min(end, days.last))


def previous(days: Days, grain: Grain) -> Days:
    """Return the range before: as many days, or whole weeks or months earlier, so that periods match."""
    length = (days.last - days.first).days + 1
    if grain != "month":
        back = -(-length // 7) * 7 if grain == "week" else length
        return Days(days.first - timedelta(days=back), days.last - timedelta(days=back))
    back = 12 * (days.last.year - days.first.year) + days.last.month - days.first.month + 1
    last = _months_before(days.last, back)
    # A month that is asked for to its end is compared with the whole of another.
    return Days(
        _months_before(days.first, back), _month_end(last) if days.last == _month_end(days.last) else last
    )


def _months_before(day: date, months: int) -> date:
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    first = date(year, month + 1, 1)
    return first.replace(day=min(day.day, _month_end(first).day))


def _month_end(day: date) -> date:
    following = day.replace(day=28) + timedelta(days=4)
    return following.replace(day=1) - timedelta(days=1)
