"""The metrics model is complete, its arithmetic is right, and no reader computes a ratio by itself."""

import ast
import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from telemetry import metric_model
from telemetry.metric_model import Metric
from tools import report_history

REPOSITORY = Path(__file__).resolve().parents[2]
READERS = ("functions/metrics_api", "functions/scheduled_reports")
# Scripts that show figures of gold.
SCRIPTS = ("history", "report", "report_history", "spend")
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
MODULES = REPOSITORY / "infrastructure" / "modules"
PAGE = REPOSITORY / "functions" / "metrics_api" / "page"
# Divisions that convert units or place something on paper; everything else is a ratio of metrics.
CONVERSIONS = {
    ("live.py", "read_live"): "events of a minute a second",
    ("explore_funnel.py", "_steps"): "shares of steps that the reader names: no metric; ms to seconds",
    ("explore_query.py", "placed"): "a percentage to a share",
    ("explore_retention.py", "rows"): "a share of players by events that the reader names: no metric",
    ("charts.py", "_whole"): "minor units to units of a currency",
    ("formatting.py", "changes"): "a figure against that of another period",
    ("formatting.py", "valued"): "seconds to minutes",
    ("pictures.py", "*"): "places on a picture",
    ("report.py", "write"): "a path",
    ("spend.py", "major"): "millionths to units of a currency",
}


def every_metric() -> list[tuple[str, Metric]]:
    """Return the metrics of all engines, with where they are defined."""
    tables = [
        (table.name, metric) for table in metric_model.tables().values() for metric in table.metrics.values()
    ]
    live = [("live", metric) for metric in metric_model.live().values()]
    spend = [("ad_spend", metric) for metric in metric_model.ad_spend().values()]
    return tables + live + spend + [("window", metric) for metric in metric_model.window().values()]


@pytest.mark.parametrize(("where", "metric"), every_metric(), ids=lambda one: getattr(one, "name", one))
def test_a_metric_says_what_it_is(where: str, metric: Metric) -> None:
    assert metric.label[0].isupper() or metric.label[0].isdigit()
    assert metric.description.endswith(".")
    assert metric.unit in {
        "count",
        "measure",
        "micros",
        "minor",
        "players",
        "ratio",
        "seconds",
        "share",
        "units",
    }
    assert metric.is_derived == bool(metric.facts)
    if metric.adds_over:
        assert not metric.is_derived
        assert not metric.percentile
    # A count of unique players never adds up over days, unless each player has one day only.
    if "nique" in metric.description and not metric.is_derived:
        assert "date" not in metric.adds_over or metric.name == "step_players"
        assert "event_date" not in metric.adds_over


@pytest.mark.parametrize(("where", "metric"), every_metric(), ids=lambda one: getattr(one, "name", one))
def test_a_description_names_the_formula(where: str, metric: Metric) -> None:
    if metric.formula:
        top, bottom = metric.formula.numerator, metric.formula.denominator
        assert f"{top} / {bottom}" in metric.description
        assert metric.formula.complement == (f"1 - {top} / {bottom}" in metric.description)
        assert metric.formula.at_most_one == ("at most 1" in metric.description)


def test_a_ratio_of_sums() -> None:
    live = metric_model.live()
    counts = {"revenue_EUR": 4000, "payers_EUR": 2, "payers": 8, "active_players": 16}
    assert live["arppu"].of(counts, "EUR") == 2000
    assert live["arpdau"].of(counts, "EUR") == 250
    assert live["payer_conversion"].of(counts) == 0.5
    assert live["stickiness"].of(counts) is None
    assert live["completion"].of({"start": 25, "complete": 91}) == 1
    assert live["crash_free_sessions"].of({"active_sessions": 4, "crashed_sessions": 1}) == 0.75


def test_what_does_not_add_up_has_no_sum() -> None:
    with pytest.raises(ValueError, match="does not add up"):
        metric_model.tables()["daily"].metrics["active_players"].sql()


COUNT = {"label": "Sessions", "unit": "count", "description": "Sessions."}


@pytest.mark.parametrize(
    ("shared", "column", "counter", "fault"),
    [
        ({}, COUNT, COUNT, "sessions: define it once, under shared"),
        ({"sessions": COUNT}, {}, {"description": "session_start events."}, "write its description there"),
        ({"sessions": COUNT}, {}, None, "sessions: shared by nothing"),
        ({"sessions": COUNT}, {}, {}, None),
        ({}, COUNT, None, None),
    ],
    ids=["twice", "again", "once", "shared", "one engine"],
)
def test_a_name_has_one_definition(
    shared: dict[str, Any], column: dict[str, Any], counter: dict[str, Any] | None, fault: str | None
) -> None:
    written = {
        "shared": shared,
        "tables": {"daily": {"grain": ["day"], "columns": {"day": {}, "sessions": column}}},
        "live": {"metrics": {} if counter is None else {"sessions": counter}},
        "window": {"metrics": {}},
        "ad_spend": {"metrics": {}},
    }
    if fault:
        with pytest.raises(ValueError, match=fault):
            metric_model.resolve(written)
    else:
        found = metric_model.resolve(written)
        assert found["tables"]["daily"]["columns"]["sessions"]["description"] == "Sessions."


def unknown_columns(predicate: str, table: metric_model.Table) -> set[str]:
    """Return the columns that a predicate of wrong rows names and the table does not have."""
    query = sqlglot.parse_one(f"SELECT 1 FROM t WHERE {predicate}", read="spark")
    return {column.name for column in query.find_all(sqlglot.exp.Column)} - table.types.keys()


@pytest.mark.parametrize("table", metric_model.tables().values(), ids=lambda table: table.name)
def test_what_is_wrong_in_a_table_is_said_of_its_columns(table: metric_model.Table) -> None:
    assert {predicate: unknown_columns(predicate, table) for predicate in table.wrong_where} == {
        predicate: set() for predicate in table.wrong_where
    }


def test_an_unknown_column_of_a_predicate_is_seen() -> None:
    assert unknown_columns("amount < events", metric_model.tables()["economy"]) == {"events"}


def test_two_metrics_of_an_engine_have_two_labels() -> None:
    for engine in (metric_model.live(), metric_model.window(), metric_model.ad_spend()):
        labels = Counter(metric.label for metric in engine.values())
        assert {label for label, number in labels.items() if number > 1} <= {"Players"}


def divisions(source: str, name: str) -> list[str]:
    """Return the divisions of a module that are no known conversion, with their function."""
    tree = ast.parse(source)
    found = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            divides = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
            # Paths are joined with the same operator.
            if divides and "Path" not in ast.unparse(node) and "FOLDER" not in ast.unparse(node):
                known = (name, function.name) in CONVERSIONS or (name, "*") in CONVERSIONS
                found += [] if known else [f"{function.name}: {ast.unparse(node)}"]
    return found


@pytest.mark.parametrize("folder", READERS)
def test_no_reader_computes_a_ratio_by_hand(folder: str) -> None:
    for path in sorted((REPOSITORY / folder).glob("*.py")):
        assert divisions(path.read_text(), path.name) == [], path


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_computes_a_ratio_by_hand(name: str) -> None:
    path = REPOSITORY / "scripts" / "tools" / f"{name}.py"
    assert divisions(path.read_text(), path.name) == []


def cells(notebook: str) -> str:
    """Return the code of a notebook."""
    code = [one["source"] for one in json.loads(notebook)["cells"] if one["cell_type"] == "code"]
    return "\n".join("".join(lines) for lines in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_notebook_computes_a_ratio_by_hand(path: Path) -> None:
    divided = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(cells(path.read_text())))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    ]
    assert divided == []


def test_a_ratio_by_hand_is_seen() -> None:
    assert divisions("def arppu(of):\n    return of['revenue'] / of['payers']", "figures.py")


def quotients(script: str) -> list[str]:
    """Return the lines of a script that divide what an answer holds."""
    text = re.sub(r"`[^`]*`|\"[^\"]*\"", "", script)
    return [line.strip() for line in text.splitlines() if re.search(r"[\w)\]] / [\w(]", line)]


def test_the_page_divides_only_to_draw() -> None:
    drawn = (
        "bar(",
        "Date.parse(",
        "/ 1000",
        "Math.",
        "minor / 10 **",
        "signed.format(",
        "td.style.setProperty(",
    )
    # Explore answers with counts, of which it shows a share of its own.
    for script in sorted(PAGE.glob("*.js")):
        lines = [line for line in quotients(script.read_text()) if not any(one in line for one in drawn)]
        assert lines == [] or script.name == "answers.js", script


def test_a_quotient_of_the_page_is_seen() -> None:
    assert quotients("show(share.format(s.players / first));")


def test_the_page_has_the_labels_of_the_model() -> None:
    found = re.findall(r'data-metric="(\w+)">([^<]*)<', (PAGE / "index.html").read_text())
    assert len(found) >= 4
    for name, label in found:
        assert metric_model.live()[name].label == label


def test_the_page_uses_labels_that_there_are() -> None:
    used = set(re.findall(r"LABELS\.(\w+)", (PAGE / "live.js").read_text()))
    assert len(used) > 10
    assert used <= {*metric_model.live(), *metric_model.window()}
    both = metric_model.live().keys() & metric_model.window().keys()
    assert [n for n in both if metric_model.live()[n].label != metric_model.window()[n].label] == []


# Sums of money before refunds, and what the same table says after them.
NET = {
    "gross_minor": "net_minor",
    "lifetime_gross_minor": "lifetime_net_minor",
    "ltv_minor": "net_ltv_minor",
    "total_micros": "net_total_micros",
    "total_ltv_micros": "net_total_ltv_micros",
    "exposed_gross_minor": "exposed_net_minor",
}


def shown_of_gold() -> Iterator[tuple[str, str, set[str]]]:
    """Yield the readers of gold with a table, and the metrics of it that they show."""
    for path in sorted((MODULES / "lake_tables" / "queries").glob("*.sql")):
        query = sqlglot.parse_one(path.read_text(), read="athena")
        for table in query.find_all(sqlglot.exp.Table):
            yield path.stem, table.name, set(query.named_selects)
    for question in (*report_history.QUESTIONS, *report_history.BY_DIMENSION):
        yield question.title, question.table, set(question.metrics)
    listed = list(csv.DictReader((MODULES / "quicksight" / "visuals.csv").read_text().splitlines()))
    panels = re.findall(r'table: "(\w+)", metrics: \[([^\]]*)\]', (PAGE / "tabs.js").read_text())
    for table in metric_model.tables():
        visuals = " ".join(line["metrics"] for line in listed if line["table"] == table)
        yield "QuickSight", table, set(visuals.split())
        metrics = " ".join(metrics for name, metrics in panels if name == table)
        yield "page", table, set(re.findall(r"\w+", metrics))


def test_who_shows_revenue_before_refunds_shows_it_after_them_too() -> None:
    readers = list(shown_of_gold())
    assert {(name, gross) for name, _, shown in readers for gross in NET if gross in shown} > {
        ("monetisation", "gross_minor"),
        ("QuickSight", "total_ltv_micros"),
        ("page", "ltv_minor"),
        ("Revenue by", "gross_minor"),
    }
    for name, table, shown in readers:
        for gross, net in NET.items():
            if gross in shown and gross in metric_model.tables()[table].metrics:
                assert net in shown, (name, table, gross)


def test_sums_of_money_before_refunds_are_known() -> None:
    """A new sum of money before refunds must say what stands beside it."""
    names = {name for table in metric_model.tables().values() for name in table.metrics}
    gross = {name for name in names if "gross" in name and name.replace("gross", "net") in names}
    assert gross - {"month_gross_minor"} <= set(NET)
    assert set(NET) | set(NET.values()) <= names
