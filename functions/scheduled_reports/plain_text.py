"""A report as plain text, chat message and CSV; what clients name cannot forge a line or a formula."""

import csv
import io
from collections.abc import Iterator

from telemetry.money import major, minor

from scheduled_reports import formatting
from scheduled_reports.figures import Figure
from scheduled_reports.questions import Answered
from scheduled_reports.report import Report
from scheduled_reports.sections import Section

# Spreadsheets run cells that begin so.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
SHOWN_ROWS = 10
COLUMNS = ("section", "subject", "name", "unit", "value", "before", "week_before")
# A chat gets these of the figures, where there are any, and the first rows of each table.
BRIEF = ("active_players", "new_players", "revenue", "D1 retention", "crash_free_sessions")
BRIEF_ROWS = 3


def text(report: Report) -> str:
    """Return all of it for people who read mail without HTML."""
    lines = [*_head(report), *(_figure(report, figure) for figure in report.figures)]
    for section in report.sections:
        lines += ["", f"{section.title}:", *(_row(section, row) for row in section.rows[:SHOWN_ROWS])]
        lines += [f"- {more} more in the CSV"] if (more := len(section.rows) - SHOWN_ROWS) > 0 else []
    for one in report.questions:
        lines += ["", f"{one.title}:", *_question(one)]
    return "\n".join([*map(_plain, [*lines, "", formatting.RULE]), ""])


def _question(one: Answered) -> list[str]:
    """Return the lines of a saved question: a row each, or why there are none."""
    lines = [
        f"- {', '.join(f'{column} {cell}' for column, cell in zip(one.columns, row, strict=False))}"
        for row in one.rows
    ]
    lines += [f"- {one.failure or 'No such events in this week.'}"] if not one.rows else []
    lines += [f"- {one.more_rows} more rows"] if one.more_rows else []
    return [*lines, *([one.link] if one.link else [])]


def brief(report: Report) -> str:
    """Return what fits into a chat."""
    lines = _head(report)
    lines += [_figure(report, figure) for figure in report.figures if figure.name.startswith(BRIEF)]
    for section in report.sections:
        rows = (_row(section, row).removeprefix("- ") for row in section.rows[:BRIEF_ROWS])
        lines.append(f"{section.title}: {'; '.join(rows)}")
    return "\n".join([*map(_plain, lines), ""])


def _head(report: Report) -> list[str]:
    empty = ["No event was counted."] if formatting.is_empty(report.figures) else []
    notices = [f"- {line}" for line in formatting.noticed(report.notices, report.judged)]
    return [f"{report.title}, {formatting.span(report.period)}", *empty, "", "Notable changes:", *notices, ""]


def _figure(report: Report, figure: Figure) -> str:
    told = [
        f"{formatting.changed(change, figure.unit)} vs {base}"
        for change, base in zip(formatting.changes(figure), formatting.bases(report.period), strict=False)
        if change is not None
    ]
    value = formatting.valued(figure.value, figure.unit)
    than = f" ({', '.join(told)})" if told else ""
    return f"{formatting.named(figure.name)}: {value}{than}"


def _row(section: Section, row: tuple[str, tuple[float | None, ...]]) -> str:
    name, values = row
    cells = (
        f"{formatting.valued(value, unit)} {column}"
        for (column, unit), value in zip(section.columns, values, strict=True)
        if value is not None
    )
    return f"- {name}: {', '.join(cells)}"


def _plain(line: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in line)


def table(report: Report) -> str:
    """Return the CSV (RFC 4180), money in major units; empty where there is no value."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in _cells(report):
        writer.writerow(row)
    return out.getvalue()


def _cells(report: Report) -> Iterator[tuple[object, ...]]:
    for name, unit, *measured in report.figures:
        numbers = (_number(value, unit) for value in measured)
        yield "Figures", "", _cell(name), _cell(_currency(unit)), *numbers
    for section in report.sections:
        for name, values in section.rows:
            for (column, unit), value in zip(section.columns, values, strict=True):
                shown = _number(value, unit)
                yield _cell(section.title), _cell(name), column, _currency(unit), shown, None, None


def _number(value: float | None, unit: str) -> float | str | None:
    currency = _currency(unit)
    if value is None or currency == unit:
        return value
    return major(minor(value, currency) if unit.endswith(formatting.MICROS) else value, currency)


def _currency(unit: str) -> str:
    """Return the currency of an amount of money, and any other unit as it is."""
    return unit.removesuffix(formatting.MINOR).removesuffix(formatting.MICROS)


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
