"""A report as a page, for mail and archive; everything a client can name is escaped.

Mail clients drop what they do not know: the layout is tables, each style stands at its element, and the
style sheet holds only what darkens and what a phone needs.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable
from html import escape

from scheduled_reports import formatting
from scheduled_reports.figures import Figure
from scheduled_reports.pictures import Picture
from scheduled_reports.plain_text import SHOWN_ROWS
from scheduled_reports.questions import Answered
from scheduled_reports.report import Report
from scheduled_reports.sections import Section

FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
INK, FAINT, LINE, GOOD, BAD = "color:#1d1d1f", "color:#6e6e73", "#e3e3e8", "color:#087443", "color:#b42318"
NAME = "text-align:left;min-width:64px;word-break:break-word"
NUMBER = {
    "td": "text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums",
    "th": "text-align:right",
}
STYLE = """
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media(max-width:480px){.pad{padding:16px 12px!important}.tile{padding:8px 6px!important}
.big{font-size:18px!important}.cell{font-size:13px!important;padding:6px 3px!important}}
@media(prefers-color-scheme:dark){.page{background:#101012!important}.card{background:#1b1b1e!important}
.ink{color:#ececf0!important}.faint{color:#a2a2aa!important}.cell,.tile{border-color:#34343a!important}
.up{color:#4cc38a!important}.down{color:#ff8f85!important}.note{background:#2b2614!important}}
"""
# What is shown large: each where it is known, of revenue the first currency.
TILES = ("active_players", "new_players", "session_starts", "revenue_", "D1 retention", "crash_free_sessions")
TILES_A_ROW = 3
# Which table a picture stands above; the others stand before all tables.
ABOVE = {"versions": "Versions"}


def inline(picture: Picture) -> str:
    """Return a picture as a URL that holds it: a page of its own needs nothing else."""
    return f"data:image/png;base64,{b64encode(picture.png).decode()}"


def html(report: Report, source: Callable[[Picture], str] = inline) -> str:
    """Return the page, its pictures at the URLs that `source` gives."""
    kind = "Daily report" if report.period.kind == "day" else "Weekly report"
    title = escape(report.title)
    body = "".join(
        [
            f'<h1 class="ink" style="margin:0;font-size:22px;line-height:1.3;{INK}">{title}</h1>'
            f'<p class="faint" style="margin:2px 0 16px;{FAINT}">{kind}: '
            f"{formatting.span(report.period)}</p>",
            _empty() if formatting.is_empty(report.figures) else _tiles(report),
            _heading("Notable changes"),
            _notices(report),
            *(
                _heading(one.title) + _picture(one, source)
                for one in report.pictures
                if one.name not in ABOVE
            ),
            _heading("All figures"),
            _figures(report),
            *(_section(section, report.pictures, source) for section in report.sections),
            *map(_question, report.questions),
            f'<p class="faint" style="margin:24px 0 0;font-size:12px;{FAINT}">{formatting.RULE}</p>',
        ]
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        '<body class="page" style="margin:0;padding:0;background:#f5f5f7">'
        '<table role="presentation" class="page" width="100%" style="border-collapse:collapse;'
        'background:#f5f5f7"><tr><td align="center" style="padding:12px 4px">'
        '<table role="presentation" class="card" width="100%" style="max-width:616px;background:#ffffff;'
        f'border-collapse:collapse"><tr><td class="pad ink" style="padding:24px;text-align:left;'
        f'font-size:14px;line-height:1.5;{FONT};{INK}">{body}</td></tr></table></td></tr></table></body></html>'
    )


def _empty() -> str:
    return '<p style="margin:0">No event was counted: there is nothing to show.</p>'


def _tiles(report: Report) -> str:
    found = (
        next((figure for figure in report.figures if figure.name.startswith(name)), None) for name in TILES
    )
    shown = [_tile(report, figure) for figure in found if figure and figure.value is not None]
    rows = [shown[at : at + TILES_A_ROW] for at in range(0, len(shown), TILES_A_ROW)]
    return _table(f"<tr>{''.join(row)}</tr>" for row in rows)


def _tile(report: Report, figure: Figure) -> str:
    change, base = formatting.changes(figure)[0], formatting.bases(report.period)[0]
    name, value = _title(formatting.named(figure.name)), formatting.valued(figure.value, figure.unit)
    than = "" if change is None else f' <span class="faint" style="{FAINT}">vs {base}</span>'
    return (
        f'<td class="tile" width="33%" style="padding:10px 12px;border:1px solid {LINE};vertical-align:top">'
        f'<div class="faint" style="font-size:12px;{FAINT}">{escape(name)}</div>'
        f'<div class="big ink" style="font-size:22px;line-height:1.3;font-weight:600;{INK}">'
        f"{escape(value)}</div>"
        f'<div style="font-size:12px">{_change(figure, change)}{than}</div></td>'
    )


def _notices(report: Report) -> str:
    notices = formatting.noticed(report.notices, report.judged)
    items = "".join(f"<div>{escape(line)}</div>" for line in notices)
    colour = "background:#fdf6e3" if report.notices else ""
    note = ' class="note ink"' if report.notices else ""
    padding = "padding:10px 12px;" if report.notices else ""
    return f'<div{note} style="margin:0;{padding}{colour}">{items}</div>'


def _picture(picture: Picture, source: Callable[[Picture], str]) -> str:
    return (
        f'<img src="{escape(source(picture))}" alt="{escape(picture.alt)}" width="568"'
        f' class="ink" style="display:block;width:100%;max-width:568px;height:auto;border:0;{INK}">'
    )


def _figures(report: Report) -> str:
    bases = formatting.bases(report.period)
    head = _head(["Figure", "Value", *(f"vs {base}" for base in bases)])
    rows = (
        _row(
            [
                escape(_title(formatting.named(figure.name))),
                escape(formatting.valued(figure.value, figure.unit)),
                *(_change(figure, change) for change in formatting.changes(figure)[: len(bases)]),
            ]
        )
        for figure in report.figures
    )
    return _table([head, *rows])


def _section(section: Section, pictures: list[Picture], source: Callable[[Picture], str]) -> str:
    above = (_picture(one, source) for one in pictures if ABOVE.get(one.name) == section.title)
    head = _head([escape(section.subject), *(escape(_title(column)) for column, _ in section.columns)])
    rows = (
        _row(
            [
                escape(name),
                *(
                    "&ndash;" if value is None else escape(formatting.valued(value, unit))
                    for (_, unit), value in zip(section.columns, values, strict=True)
                ),
            ]
        )
        for name, values in section.rows[:SHOWN_ROWS]
    )
    more = len(section.rows) - SHOWN_ROWS
    rest = f'<p class="faint" style="margin:4px 0 0;{FAINT}">{more} more in the CSV.</p>' if more > 0 else ""
    return f"{_heading(section.title)}{''.join(above)}{_table([head, *rows])}{rest}"


def _question(one: Answered) -> str:
    rows = [_head([escape(_title(column)) for column in one.columns])] if one.rows else []
    rows += [_row([escape(cell) for cell in row]) for row in one.rows]
    told = [one.failure or ("" if one.rows else "No such events in this week.")]
    told += [f"{one.more_rows} more rows." if one.more_rows else ""]
    link = f' <a href="{escape(one.link)}">Open the dashboard</a>' if one.link else ""
    words = escape(" ".join(filter(None, told)))
    note = f'<p class="faint" style="margin:4px 0 0;{FAINT}">{words}{link}</p>' if words or link else ""
    return f"{_heading(one.title)}{_table(rows) if rows else ''}{note}"


def _title(words: str) -> str:
    return words[:1].upper() + words[1:]


def _heading(words: str) -> str:
    return (
        f'<h2 class="ink" style="margin:28px 0 8px;font-size:16px;line-height:1.3;{INK}">{escape(words)}</h2>'
    )


def _table(rows: Iterable[str]) -> str:
    return f'<table width="100%" style="border-collapse:collapse;{FONT}">{"".join(rows)}</table>'


def _head(cells: list[str]) -> str:
    return _row(
        [f'<span class="faint" style="font-weight:500;{FAINT}">{cell}</span>' for cell in cells], "th"
    )


def _row(cells: list[str], tag: str = "td") -> str:
    styled = (
        f'<{tag} class="cell ink" style="padding:6px 4px;border-bottom:1px solid {LINE};font-size:14px;{INK};'
        f'{NUMBER[tag] if number else NAME}">{cell}</{tag}>'
        for number, cell in enumerate(cells)
    )
    return f"<tr>{''.join(styled)}</tr>"


def _change(figure: Figure, change: float | None) -> str:
    if change is None:
        return f'<span class="faint" style="{FAINT}">&ndash;</span>'
    told = escape(formatting.changed(change, figure.unit))
    if not change:
        return told
    good = (change > 0) != (figure.name in formatting.UNWELCOME)
    name, colour = ("up", GOOD) if good else ("down", BAD)
    return (
        f'<span class="{name}" style="white-space:nowrap;{colour}">{"▲" if change > 0 else "▼"} {told}</span>'
    )
