"""A report as a page (mail and archive) and as CSV; everything a client can name is escaped."""

import csv
import io
from collections.abc import Iterator, Sequence
from html import escape

from telemetry.money import money

from scheduled_reports.figures import Figure, Notice, Period

NOT_AVAILABLE = "not available"
# Spreadsheets run cells that begin so.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
STYLE = """
:root{color-scheme:light dark}
body{margin:0 auto;max-width:640px;padding:16px;
font:15px/1.5 system-ui,sans-serif;color:#1d1d1f;background:#fff}
h1{font-size:20px}h2{font-size:16px}ul{padding-left:20px}table{width:100%;border-collapse:collapse}
th,td{padding:6px 4px;border-bottom:1px solid #8884;text-align:right}
td{font-variant-numeric:tabular-nums}td+td{white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{color:#777;font-weight:500}
.up{color:#087443}.down{color:#b42318}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161618}.up{color:#4cc38a}.down{color:#ff8f85}
th{color:#aaa}}
"""
# More of these is worse.
UNWELCOME = {"events_crash"}
WORDS = {"arpdau": "ARPDAU", "arppu": "ARPPU", "events_crash": "crashes", "session_seconds": "playtime"}


def html(title: str, period: Period, figures: Sequence[Figure], notices: Sequence[Notice]) -> str:
    """Return the page of one game and period."""
    rows = "".join(
        f"<tr><td>{escape(_words(figure.name))}</td><td>{escape(_value(figure.value, figure.unit))}"
        f"</td>{_delta(figure)}</tr>"
        for figure in figures
    )
    items = "".join(f"<li>{escape(line)}</li>" for line in _notices(notices))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"<p>{_span(period)}</p><h2>Notable changes</h2>"
        f"{f'<ul>{items}</ul>' if items else '<p>None.</p>'}"
        f"<table><tr><th>Figure</th><th>Value</th><th>vs {period.kind} before</th></tr>{rows}</table>"
        "</body></html>"
    )


def text(title: str, period: Period, figures: Sequence[Figure], notices: Sequence[Notice]) -> str:
    """Return the same as plain text; control characters in names cannot forge lines."""
    return "\n".join(
        [
            f"{_plain(title)}, {_span(period)}",
            "",
            "Notable changes:",
            *(f"- {_plain(line)}" for line in list(_notices(notices)) or ["none"]),
            "",
            *(
                f"{_plain(f'{_words(figure.name)}: {_value(figure.value, figure.unit)}')}{_percent(figure)}"
                for figure in figures
            ),
            "",
        ]
    )


def _notices(notices: Sequence[Notice]) -> Iterator[str]:
    for day, name, one in notices:
        yield (
            f"{day}: {_words(name)} {one.value:,.0f}, usually {max(one.low, 0):,.0f} to {one.high:,.0f}; "
            f"for {one.lasting} day{'' if one.lasting == 1 else 's'} of its kind"
        )


def _span(period: Period) -> str:
    days = dict.fromkeys(str(day) for day in (period.days[0], period.last))
    return f"{' to '.join(days)} (UTC)"


def _words(name: str) -> str:
    return " ".join(WORDS.get(part, part) for part in WORDS.get(name, name).split("_"))


def _plain(line: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in line)


def _percent(figure: Figure) -> str:
    if figure.value is None or not figure.before:
        return ""
    return f" ({figure.value / figure.before - 1:+.1%})"


def table(figures: Sequence[Figure]) -> str:
    """Return the CSV (RFC 4180): name, unit, value, before; empty where there is no value."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(Figure._fields)
    for name, unit, value, before in figures:
        writer.writerow([_cell(name), _cell(unit), value, before])
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return NOT_AVAILABLE
    if unit == "share":
        return f"{value:.1%}"
    if unit.endswith(" minor"):
        return money(value, unit.removesuffix(" minor"))
    number = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return number if unit in ("count", "players") else f"{number} {unit}"


def _delta(figure: Figure) -> str:
    if figure.value is None or not figure.before:
        return "<td>&ndash;</td>"
    change = figure.value / figure.before - 1
    if not change:
        return "<td>0.0%</td>"
    good = (change > 0) != (figure.name in UNWELCOME)
    return f'<td class="{"up" if good else "down"}">{"▲" if change > 0 else "▼"} {change:+.1%}</td>'
