"""Write the definition of the QuickSight dashboard from a list of visuals and the metrics model.

Each line of visuals.csv is a visual. The model says how each metric behaves: what adds up is summed, a ratio
is the sum of its numerators over the sum of its denominators, and what does not add up shows one row of gold.
"""

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.metric_model import WITH_TOTALS, Metric, Table

from tools import CommandError

Json = dict[str, Any]
Model = Mapping[str, Table]

# A row of "*" stands beside the rows of each value.
TOTALS = frozenset(WITH_TOTALS)
MILESTONES = (1, 3, 7, 14, 30, 60, 90)


def _milestone(days: Iterable[int]) -> str:
    """Return the expression that names the days of a cohort that charts show one by one."""
    named = ", ".join(f"{{day_number}} = {day}, 'D{day:02}'" for day in days)
    return f"ifelse({named}, 'other')"


# Dimensions that QuickSight calculates, by table; the value that stands for all other rows is left out.
CALCULATED = {
    # Day 0 holds the new players of a cohort.
    "acquisition": {"milestone": _milestone((0, *MILESTONES))},
    "experiment_design": {"milestone": _milestone(MILESTONES)},
    "experiment_revenue": {"milestone": _milestone(MILESTONES)},
    "experiments": {"milestone": _milestone(MILESTONES)},
    "retention": {"milestone": _milestone(MILESTONES)},
}
OTHER = {"milestone": "other"}
PERCENT: Json = {"PercentageDisplayFormatConfiguration": {"DecimalPlacesConfiguration": {"DecimalPlaces": 1}}}
GRID_COLUMNS = 36
# A game has many names: a chart shows the largest, and all others as one where they add up.
MOST_CATEGORIES, MOST_SPLITS = 20, 12


@dataclass(frozen=True, slots=True)
class Selection:
    """A control: the column that it restricts in each table, and the table that lists its values.

    Without a default here, the environment's settings give one.
    """

    column: str
    listed_in: str
    default: str | None
    tables: tuple[str, ...] = ()


SELECTIONS = {
    "Game": Selection("game_id", "daily", None),
    "Platform": Selection("platform", "daily", "*"),
    "Country": Selection("country", "daily", "*"),
    "Version": Selection("app_version", "daily", "*"),
    "Currency": Selection(
        "currency",
        "revenue",
        None,
        ("acquisition_value", "ads", "experiment_revenue", "lifetime_value", "revenue", "total_revenue"),
    ),
    "Measure": Selection("measure", "performance", "fps", ("performance",)),
}


@dataclass(frozen=True, slots=True)
class Visual:
    """A chart of metrics of one table: by categories, with a line for each value of the splits."""

    sheet: str
    kind: str
    title: str
    table: Table
    categories: tuple[str, ...]
    metrics: tuple[Metric, ...]
    splits: tuple[str, ...]
    only: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """Return the visual's id."""
        return slug(self.title)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Return the columns that the visual tells apart."""
        return self.categories + self.splits


@dataclass(frozen=True, slots=True)
class Restriction:
    """Which rows of a table a visual shows: a column that equals, or does not equal, a value or parameter."""

    table: str
    column: str
    operator: str
    value: str
    is_parameter: bool = False

    @property
    def id(self) -> str:
        """Return the id of the filter that visuals with this restriction share."""
        value = "all" if self.value == "*" else self.value
        return re.sub(r"[^A-Za-z0-9-]", "-", f"{self.table}-{self.column}-{self.operator.lower()}-{value}")


def definition(listed: str, model: Model) -> Json:
    """Return the definition of a dashboard without what the environment gives: data sets and defaults.

    Raises CommandError for a visual that adds up what does not add up, or names what the model lacks.
    """
    visuals = [_visual(line, model) for line in csv.DictReader(io.StringIO(listed))]
    sheets = list(dict.fromkeys(visual.sheet for visual in visuals))
    return {
        "CalculatedFields": list(_calculated_fields(visuals)),
        "ColumnConfigurations": list(_percentages(visuals)),
        "FilterGroups": [*_category_filters(visuals), *_day_filters(visuals)],
        "ParameterDeclarations": [
            {
                "StringParameterDeclaration": {
                    "DefaultValues": {"StaticValues": [selection.default]},
                    "Name": name,
                    "ParameterValueType": "SINGLE_VALUED",
                }
            }
            for name, selection in SELECTIONS.items()
            if selection.default
        ],
        "Sheets": [_sheet(name, [one for one in visuals if one.sheet == name]) for name in sheets],
    }


def data_sets(model: Model) -> dict[str, dict[str, str]]:
    """Return the QuickSight type of each column that data sets hold.

    A ratio is no column of a data set: an author would average it.
    """
    kinds = {"date": "DATETIME", "string": "STRING", "bigint": "INTEGER", "double": "DECIMAL"}
    return {
        name: {
            column: kinds.get(kind, "DECIMAL")
            for column, kind in table.types.items()
            if column in table.grain or not table.metrics[column].is_derived
        }
        for name, table in model.items()
    }


def as_lines(value: object, depth: int = 0) -> str:
    """Return JSON with one visual, filter or control a line: a change of one is a change of its line."""
    compact = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if not isinstance(value, dict | list) or not value or depth == 5 or len(compact) <= 100:
        return compact
    indent = "  " * (depth + 1)
    inner = (
        [f"{json.dumps(name)}: {as_lines(value[name], depth + 1)}" for name in sorted(value)]
        if isinstance(value, dict)
        else [as_lines(one, 5 if depth == 1 and "Visuals" not in one else depth + 1) for one in value]
    )
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{indent}" + f",\n{indent}".join(inner) + f"\n{'  ' * depth}{closing}"


def slug(text: str) -> str:
    """Return a text as an id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())


def _visual(line: Mapping[str, str], model: Model) -> Visual:
    try:
        table = model[line["table"]]
        visual = Visual(
            line["sheet"],
            line["kind"],
            line["title"],
            table,
            tuple(line["category"].split()),
            tuple(table.metrics[name] for name in line["metrics"].split()),
            tuple(line["split"].split()),
            tuple((name, value) for name, _, value in (pair.partition("=") for pair in line["only"].split())),
        )
    except KeyError as missing:
        raise CommandError(f"visual {line['title']!r}: the metrics model has no {missing}") from None
    known = {*table.grain, *CALCULATED.get(table.name, {})}
    for column in (*visual.dimensions, *dict(visual.only)):
        if column not in known:
            raise CommandError(f"visual {visual.title!r}: {table.name} has no dimension {column}")
    if visual.kind not in _CHARTS:
        raise CommandError(f"visual {visual.title!r}: there is no kind {visual.kind}")
    open_columns = _open(visual)
    for metric in visual.metrics:
        if wrong := metric.not_added_over(open_columns):
            raise CommandError(
                f"visual {visual.title!r}: {metric.name} does not add up over {', '.join(wrong)}"
            )
    return visual


def _open(visual: Visual) -> list[str]:
    """Return the columns whose rows a figure of the visual spans: neither told apart nor restricted."""
    fixed = {one.column for one in _restrictions(visual) if one.operator == "EQUALS"} | set(visual.dimensions)
    if fixed & set(CALCULATED.get(visual.table.name, {})):
        fixed.add("day_number")
    return [column for column in visual.table.grain if column not in fixed]


def _restrictions(visual: Visual) -> Iterator[Restriction]:
    """Yield the rows that a visual shows: one value of each dimension, or each value without the total."""
    table, apart = visual.table.name, set(visual.dimensions)
    chosen = {
        selection.column: name
        for name, selection in SELECTIONS.items()
        if selection.column in visual.table.grain and table in (selection.tables or (table,))
    }
    only = dict(visual.only)
    for column in (*visual.table.grain, *CALCULATED.get(table, {})):
        if column in apart:
            if column in TOTALS:
                yield Restriction(table, column, "DOES_NOT_EQUAL", "*")
        elif column in only:
            yield Restriction(table, column, "EQUALS", only[column])
        elif column in chosen:
            yield Restriction(table, column, "EQUALS", chosen[column], is_parameter=True)
        elif column in TOTALS:
            yield Restriction(table, column, "EQUALS", "*")
    for column in visual.splits:
        if column in OTHER:
            yield Restriction(table, column, "DOES_NOT_EQUAL", OTHER[column])


def _calculated_fields(visuals: Iterable[Visual]) -> Iterator[Json]:
    found: dict[tuple[str, str], str] = {}
    for visual in visuals:
        for metric in visual.metrics:
            if metric.is_derived:
                found[visual.table.name, metric.name] = _expression(metric)
        for column in (*visual.dimensions, *dict(visual.only)):
            if expression := CALCULATED.get(visual.table.name, {}).get(column):
                found[visual.table.name, column] = expression
    for (table, name), expression in sorted(found.items()):
        yield {"DataSetIdentifier": table, "Expression": expression, "Name": name}


def _expression(metric: Metric) -> str:
    """Return a metric in QuickSight's words."""
    if metric.signed:
        amounts = (
            f"{{{metric.signed.by}}} = '{value}', {'-' if sign < 0 else ''}{{{metric.signed.fact}}}"
            for value, sign in metric.signed.signs.items()
        )
        return f"sum(ifelse({', '.join(amounts)}, 0))"
    if not metric.formula:
        raise ValueError(f"{metric.name} is a fact")
    top, bottom = f"sum({{{metric.formula.numerator}}})", f"sum({{{metric.formula.denominator}}})"
    share = f"{top} / {bottom}"
    if metric.formula.scale != 1:
        share = f"{metric.formula.scale} * {share}"
    if metric.formula.at_most_one:
        share = f"ifelse({top} > {bottom}, 1, {share})"
    return f"1 - {share}" if metric.formula.complement else share


def _percentages(visuals: Iterable[Visual]) -> Iterator[Json]:
    shares = {
        (visual.table.name, metric.name)
        for visual in visuals
        for metric in visual.metrics
        if metric.unit == "share"
    }
    for table, name in sorted(shares):
        yield {
            "Column": {"ColumnName": name, "DataSetIdentifier": table},
            "FormatConfiguration": {"NumberFormatConfiguration": {"FormatConfiguration": PERCENT}},
        }


def _category_filters(visuals: Iterable[Visual]) -> Iterator[Json]:
    shared: dict[Restriction, list[Visual]] = {}
    for visual in visuals:
        for restriction in _restrictions(visual):
            shared.setdefault(restriction, []).append(visual)
    for restriction, restricted in shared.items():
        value = "ParameterName" if restriction.is_parameter else "CategoryValue"
        yield _filter_group(
            restriction.id,
            {
                "CategoryFilter": {
                    "Column": {"ColumnName": restriction.column, "DataSetIdentifier": restriction.table},
                    "Configuration": {
                        "CustomFilterConfiguration": {
                            "MatchOperator": restriction.operator,
                            "NullOption": "NON_NULLS_ONLY",
                            value: restriction.value,
                        }
                    },
                    "FilterId": restriction.id,
                }
            },
            restricted,
        )


def _day_filters(visuals: Iterable[Visual]) -> Iterator[Json]:
    by_table: dict[str, list[Visual]] = {}
    for visual in visuals:
        by_table.setdefault(visual.table.name, []).append(visual)
    for name, restricted in by_table.items():
        filter_id = f"{slug(name)}-days"
        yield _filter_group(
            filter_id,
            {
                "TimeRangeFilter": {
                    "Column": {
                        "ColumnName": _days_of(restricted[0].table),
                        "DataSetIdentifier": name,
                    },
                    "FilterId": filter_id,
                    "IncludeMaximum": True,
                    "IncludeMinimum": True,
                    "NullOption": "NON_NULLS_ONLY",
                    "RangeMaximumValue": {"Parameter": "To"},
                    "RangeMinimumValue": {"Parameter": "From"},
                    "TimeGranularity": "DAY",
                }
            },
            restricted,
        )


def _days_of(table: Table) -> str:
    """Return the column that the chosen days restrict: readers choose the first days of a cohort."""
    begins = [column for column in ("cohort_date", "exposure_date") if column in table.grain]
    return begins[0] if begins else table.day_column


def _filter_group(filter_id: str, rule: Json, visuals: list[Visual]) -> Json:
    sheets = dict.fromkeys(visual.sheet for visual in visuals)
    scopes = [
        {
            "Scope": "SELECTED_VISUALS",
            "SheetId": slug(sheet),
            "VisualIds": [visual.id for visual in visuals if visual.sheet == sheet],
        }
        for sheet in sheets
    ]
    return {
        "CrossDataset": "SINGLE_DATASET",
        "FilterGroupId": f"{filter_id}-group",
        "Filters": [rule],
        "ScopeConfiguration": {"SelectedSheets": {"SheetVisualScopingConfigurations": scopes}},
        "Status": "ENABLED",
    }


def _sheet(name: str, visuals: list[Visual]) -> Json:
    controls = list(_controls(name, visuals))
    placed = [
        {
            "ColumnSpan": 2,
            "ElementId": next(iter(control.values()))["ParameterControlId"],
            "ElementType": "PARAMETER_CONTROL",
            "RowSpan": 1,
        }
        for control in controls
    ]
    return {
        "ContentType": "INTERACTIVE",
        "Layouts": [{"Configuration": {"GridLayout": {"Elements": list(_layout(visuals))}}}],
        "Name": name,
        "ParameterControls": controls,
        "SheetControlLayouts": [{"Configuration": {"GridLayout": {"Elements": placed}}}],
        "SheetId": slug(name),
        "Visuals": [_drawn(visual) for visual in visuals],
    }


def _controls(sheet: str, visuals: list[Visual]) -> Iterator[Json]:
    """Yield the controls that any visual of the sheet uses."""
    used = {one.value for visual in visuals for one in _restrictions(visual) if one.is_parameter}
    for name, selection in SELECTIONS.items():
        if name in used:
            listed = {"ColumnName": selection.column, "DataSetIdentifier": selection.listed_in}
            yield {
                "Dropdown": {
                    "ParameterControlId": f"{slug(sheet)}-{name.lower()}",
                    "SelectableValues": {"LinkToDataSetColumn": listed},
                    "SourceParameterName": name,
                    "Title": name,
                    "Type": "SINGLE_SELECT",
                }
            }
    for name in ("From", "To"):
        yield {
            "DateTimePicker": {
                "ParameterControlId": f"{slug(sheet)}-{name.lower()}",
                "SourceParameterName": name,
                "Title": name,
            }
        }


def _layout(visuals: list[Visual]) -> Iterator[Json]:
    """Yield the places of visuals: KPIs in fours on top, all else in pairs below."""
    top = 0
    for across, height, is_kpi in ((4, 6, True), (2, 10, False)):
        shelf = [visual for visual in visuals if (visual.kind == "kpi") is is_kpi]
        span = GRID_COLUMNS // across
        for index, visual in enumerate(shelf):
            yield {
                "ColumnIndex": index % across * span,
                "ColumnSpan": span,
                "ElementId": visual.id,
                "ElementType": "VISUAL",
                "RowIndex": top + index // across * height,
                "RowSpan": height,
            }
        top += math.ceil(len(shelf) / across) * height


def _drawn(visual: Visual) -> Json:
    kind, chart = _CHARTS[visual.kind]
    categories = [_dimension(visual, name) for name in visual.categories]
    splits = [_dimension(visual, name) for name in visual.splits]
    measures = [_measure(visual, metric) for metric in visual.metrics]
    return {
        kind: {
            "ChartConfiguration": chart(visual, categories, splits, measures),
            "Title": {"FormatText": {"PlainText": visual.title}, "Visibility": "VISIBLE"},
            "VisualId": visual.id,
        }
    }


def _field(visual: Visual, name: str) -> Json:
    return {
        "Column": {"ColumnName": name, "DataSetIdentifier": visual.table.name},
        "FieldId": f"{visual.id}.{name}",
    }


def _dimension(visual: Visual, name: str) -> Json:
    field = _field(visual, name)
    match visual.table.types.get(name, "string"):
        case "date":
            granularity = "WEEK" if visual.kind == "heat" else "DAY"
            return {"DateDimensionField": field | {"DateGranularity": granularity}}
        case "bigint":
            return {"NumericalDimensionField": field}
        case _:
            return {"CategoricalDimensionField": field}


def _measure(visual: Visual, metric: Metric) -> Json:
    field = _field(visual, metric.name)
    if not metric.is_derived:
        # What does not add up is one row, whose average is the row itself.
        function = "SUM" if metric.adds_over else "AVERAGE"
        field["AggregationFunction"] = {"SimpleNumericalAggregation": function}
    return {"NumericalMeasureField": field}


def _line(
    kind: str, visual: Visual, categories: list[Json], splits: list[Json], measures: list[Json]
) -> Json:
    by_category = {"Direction": "ASC", "FieldId": f"{visual.id}.{visual.categories[0]}"}
    limit = {"ColorItemsLimitConfiguration": _limit(visual, visual.splits, MOST_SPLITS)} if splits else {}
    return {
        "FieldWells": {
            "LineChartAggregatedFieldWells": {"Category": categories, "Colors": splits, "Values": measures}
        },
        "SortConfiguration": {"CategorySort": [{"FieldSort": by_category}], **limit},
        "Type": kind,
    }


def _limit(visual: Visual, columns: tuple[str, ...], most: int) -> Json:
    """Return how many values of columns are shown; the rest is one item where its figures add up."""
    adds_up = not any(metric.not_added_over(columns) for metric in visual.metrics)
    return {"ItemsLimit": most, "OtherCategories": "INCLUDE" if adds_up else "EXCLUDE"}


def _largest_first(visual: Visual) -> list[Json]:
    """Return the order by the first metric; a ratio says nothing of what matters most."""
    first = visual.metrics[0]
    by_size = {"Direction": "DESC", "FieldId": f"{visual.id}.{first.name}"}
    return [] if first.is_derived else [{"FieldSort": by_size}]


def _bar(visual: Visual, categories: list[Json], splits: list[Json], measures: list[Json]) -> Json:
    first = visual.categories[0]
    in_order = [{"FieldSort": {"Direction": "ASC", "FieldId": f"{visual.id}.{first}"}}]
    by_day = visual.table.types.get(first) == "date"
    # Bars on top of each other, and an order by their size, say a sum: amounts of two currencies have none.
    apart = any(metric.not_added_over(visual.splits) for metric in visual.metrics)
    sorting: Json = {"CategorySort": in_order if by_day or apart else _largest_first(visual)}
    if not by_day:
        sorting["CategoryItemsLimit"] = _limit(visual, visual.categories, MOST_CATEGORIES)
    if splits:
        sorting["ColorItemsLimit"] = _limit(visual, visual.splits, MOST_SPLITS)
    return {
        "SortConfiguration": sorting,
        "BarsArrangement": "CLUSTERED" if apart else "STACKED",
        "FieldWells": {
            "BarChartAggregatedFieldWells": {"Category": categories, "Colors": splits, "Values": measures}
        },
        "Orientation": "VERTICAL",
    }


def _heat(visual: Visual, categories: list[Json], splits: list[Json], measures: list[Json]) -> Json:
    return {
        "FieldWells": {
            "HeatMapAggregatedFieldWells": {"Columns": splits, "Rows": categories, "Values": measures}
        }
    }


def _kpi(visual: Visual, categories: list[Json], splits: list[Json], measures: list[Json]) -> Json:
    # The last day of its trend, so that days of unique players are not added up.
    return {"FieldWells": {"TrendGroups": categories, "Values": measures}}


def _table(visual: Visual, categories: list[Json], splits: list[Json], measures: list[Json]) -> Json:
    # Levels are read in their own order.
    order = {} if len(categories) > 1 else {"SortConfiguration": {"RowSort": _largest_first(visual)}}
    return {
        "FieldWells": {"TableAggregatedFieldWells": {"GroupBy": categories, "Values": measures}},
        **order,
    }


_CHARTS = {
    "area": ("LineChartVisual", lambda *parts: _line("STACKED_AREA", *parts)),
    "bar": ("BarChartVisual", _bar),
    "heat": ("HeatMapVisual", _heat),
    "kpi": ("KPIVisual", _kpi),
    "line": ("LineChartVisual", lambda *parts: _line("LINE", *parts)),
    "table": ("TableVisual", _table),
}
