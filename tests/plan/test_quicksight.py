"""prod's QuickSight dashboard: the service's own model takes it, and its figures are gold's."""

import copy
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import quicksight_shapes
from cfnlint import lint
from cfnlint.config import ManualArgs
from telemetry import metric_model

REPOSITORY = Path(__file__).resolve().parents[2]
METRICS: dict[str, Any] = metric_model.document()["tables"]
WITH_TOTALS = {"platform", "country", "app_version", "custom_1", "custom_2", "reason"}
DAYS = {"event_date", "cohort_date", "exposure_date"}
SHEETS = [
    "Overview",
    "Retention and lifecycle",
    "Acquisition",
    "Monetisation",
    "Economy and progression",
    "Tutorial and matches",
    "Performance and stability",
    "Design events",
    "Experiments",
    "Custom dimensions",
]

Json = dict[str, Any]


@dataclass(frozen=True)
class Visual:
    """What a visual shows, and how each column of its table is restricted."""

    id: str
    kind: str
    table: str
    groups: tuple[str, ...]
    values: dict[str, str | None]  # aggregation by column; None where the calculation has its own
    equal: dict[str, str]
    unequal: dict[str, str]
    days: frozenset[str]


@pytest.fixture(scope="module")
def properties(applied: Callable[[str], list[Json]]) -> Json:
    (template,) = [r for r in applied("prod") if r["address"].endswith("aws_s3_object.template")]
    (dashboard,) = json.loads(template["values"]["content"])["Resources"].values()
    assert dashboard["Type"] == "AWS::QuickSight::Dashboard"
    found: Json = dashboard["Properties"]
    return found


@pytest.fixture(scope="module")
def definition(properties: Json) -> Json:
    found: Json = properties["Definition"]
    return found


@pytest.fixture(scope="module")
def visuals(definition: Json) -> list[Visual]:
    return [
        _visual(kind, visual, definition)
        for sheet in definition["Sheets"]
        for drawn in sheet["Visuals"]
        for kind, visual in drawn.items()
    ]


def test_quicksight_takes_the_dashboard(properties: Json) -> None:
    assert not quicksight_shapes.faults(properties, "CreateDashboard")


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        (("Name",), 7),
        (("Unknown",), "x"),
        (("DashboardId",), "no spaces here"),
        (("Permissions",), []),
        (("ValidationStrategy", "Mode"), "SLACK"),
        (("Definition", "FilterGroups", 0, "ScopeConfiguration"), {}),
        (
            (
                "Definition",
                "Sheets",
                0,
                "Layouts",
                0,
                "Configuration",
                "GridLayout",
                "Elements",
                0,
                "ColumnSpan",
            ),
            37,
        ),
    ],
)
def test_a_fault_would_be_seen(properties: Json, where: tuple[str | int, ...], wrong: object) -> None:
    broken: Any = copy.deepcopy(properties)
    inner = broken
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = wrong
    assert len(quicksight_shapes.faults(broken, "CreateDashboard")) >= 1


@pytest.fixture(scope="module")
def stacks(applied: Callable[[str], list[Json]]) -> dict[str, Json]:
    """The templates of prod's stacks, by their names in Terraform."""
    values = {
        r["address"].rpartition(".")[2]: r["values"]
        for r in applied("prod")
        if r["type"] == "aws_cloudformation_stack"
    }
    (template,) = [r for r in applied("prod") if r["address"].endswith("aws_s3_object.template")]
    return {
        name: json.loads(template["values"]["content"] if stack["template_url"] else stack["template_body"])
        for name, stack in values.items()
    }


def test_cloudformation_takes_the_stacks(stacks: dict[str, Json]) -> None:
    """By the schemas of its resource types, which are not those of the service's API."""
    # The last one is the style of the sign-in page.
    assert sorted(stacks) == ["dashboard", "lake_source", "rules", "style[0]"]
    for name, template in stacks.items():
        assert not _lint(template), name


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        (("UseAs",), "RULES"),
        (("Unknown",), "x"),
        (("PhysicalTableMap", "rules", "CustomSql", "Columns", 0, "Type"), "TEXT"),
        (("ImportMode",), "MEMORY"),
    ],
)
def test_a_fault_of_a_stack_would_be_seen(
    stacks: dict[str, Json], where: tuple[str | int, ...], wrong: object
) -> None:
    broken: Any = copy.deepcopy(stacks["rules"])
    inner = broken["Resources"]["Rules"]["Properties"]
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = wrong
    assert _lint(broken)


def test_the_rules_are_a_data_set_that_quicksight_takes(stacks: dict[str, Json]) -> None:
    (rules,) = stacks["rules"]["Resources"].values()
    assert rules["Type"] == "AWS::QuickSight::DataSet"
    assert not quicksight_shapes.faults(rules["Properties"], "CreateDataSet")
    assert rules["Properties"]["UseAs"] == "RLS_RULES"


def test_the_data_sets_are_ones_that_quicksight_takes(applied: Callable[[str], list[Json]]) -> None:
    data_sets = [r["values"] for r in applied("prod") if r["type"] == "aws_quicksight_data_set"]
    assert len(data_sets) == len(METRICS)
    for data_set in data_sets:
        assert not quicksight_shapes.faults(_create_data_set(data_set), "CreateDataSet")


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [("physical_table_map_id", "lifetime_value"), ("name", ""), ("import_mode", "MEMORY")],
)
def test_a_fault_of_a_data_set_would_be_seen(
    applied: Callable[[str], list[Json]], argument: str, wrong: str
) -> None:
    data_set = copy.deepcopy(
        next(r["values"] for r in applied("prod") if r["type"] == "aws_quicksight_data_set")
    )
    (data_set if argument in data_set else data_set["physical_table_map"][0])[argument] = wrong
    assert quicksight_shapes.faults(_create_data_set(data_set), "CreateDataSet")


def test_each_argument_that_a_data_set_has_on_aws_is_given(applied: Callable[[str], list[Json]]) -> None:
    """An optional argument that is left out, and that AWS answers, would differ in each plan."""
    for data_set in [r["values"] for r in applied("prod") if r["type"] == "aws_quicksight_data_set"]:
        (rules,) = data_set["row_level_permission_data_set"]
        assert all(rules.values()), rules


def test_the_lakes_source_is_one_that_quicksight_takes(applied: Callable[[str], list[Json]]) -> None:
    (stack,) = [r for r in applied("prod") if r["address"].endswith("aws_cloudformation_stack.lake_source")]
    (source,) = json.loads(stack["values"]["template_body"])["Resources"].values()
    assert source["Type"] == "AWS::QuickSight::DataSource"
    assert not quicksight_shapes.faults(source["Properties"], "CreateDataSource")
    (role,) = [
        r
        for r in applied("prod")
        if r["address"].endswith("quicksight[0].module.lake_role.aws_iam_role.this")
    ]
    assert (
        source["Properties"]["DataSourceParameters"]["AthenaParameters"]["RoleArn"] == role["values"]["arn"]
    )


def test_there_are_the_sheets_that_quicksight_can_draw(definition: Json) -> None:
    assert [sheet["Name"] for sheet in definition["Sheets"]] == SHEETS
    for sheet in definition["Sheets"]:
        assert 0 < len(sheet["Visuals"]) <= 30


def test_ids_are_unique(definition: Json) -> None:
    ids = {
        name: _all(definition, name)
        for name in ("VisualId", "FilterGroupId", "FilterId", "ParameterControlId")
    }
    ids["SheetId"] = [sheet["SheetId"] for sheet in definition["Sheets"]]
    ids["FieldId"] = [field["FieldId"] for field in _fields(definition)]
    for name, found in ids.items():
        assert found, name
        assert not [value for value, count in Counter(found).items() if count > 1], name


def test_each_column_stands_in_its_data_set(definition: Json) -> None:
    known = {table: set(_held(METRICS[table])) for table in METRICS}
    declared = {entry["Identifier"] for entry in definition["DataSetIdentifierDeclarations"]}
    assert declared == set(METRICS)
    for field in definition["CalculatedFields"]:
        table = field["DataSetIdentifier"]
        assert set(re.findall(r"\{(\w+)\}", field["Expression"])) <= set(_held(METRICS[table]))
        assert field["Name"] not in known[table], "a calculated field hides a column"
        known[table].add(field["Name"])
    named = [value for value in _objects(definition) if "ColumnName" in value]
    assert len(named) > 100
    for column in named:
        assert column["ColumnName"] in known[column["DataSetIdentifier"]], column


def test_data_sets_have_the_facts_of_gold_and_no_ratio(applied: Callable[[str], list[Json]]) -> None:
    tables = {}
    for data_set in [
        r["values"] for r in applied("prod") if ".aws_quicksight_data_set.gold[" in r["address"]
    ]:
        (physical,) = data_set["physical_table_map"]
        (table,) = physical["relational_table"]
        tables[table["name"]] = {column["name"] for column in table["input_columns"]}
    assert tables == {name: set(_held(table)) for name, table in METRICS.items()}
    assert "stickiness" not in tables["daily"]


def test_parameters_are_declared_and_each_has_a_control_where_it_is_asked(definition: Json) -> None:
    declared = {next(iter(entry.values()))["Name"] for entry in definition["ParameterDeclarations"]}
    assert declared == {"Country", "Currency", "From", "Game", "Measure", "Platform", "To", "Version"}
    assert {*_all(definition, "ParameterName"), *_all(definition, "Parameter")} == declared
    for sheet in definition["Sheets"]:
        asked = set()
        for group in definition["FilterGroups"]:
            scopes = group["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"]
            if any(scope["SheetId"] == sheet["SheetId"] for scope in scopes):
                asked |= {*_all(group, "ParameterName"), *_all(group, "Parameter")}
        controls = [next(iter(control.values())) for control in sheet["ParameterControls"]]
        assert {control["SourceParameterName"] for control in controls} == asked
        (layout,) = sheet["SheetControlLayouts"]
        placed = [element["ElementId"] for element in layout["Configuration"]["GridLayout"]["Elements"]]
        assert placed == [control["ParameterControlId"] for control in controls]


def test_platform_country_and_version_begin_with_all(definition: Json) -> None:
    defaults = {
        entry["Name"]: entry.get("DefaultValues", {}).get("StaticValues")
        for kind in definition["ParameterDeclarations"]
        for entry in kind.values()
    }
    assert {name for name, values in defaults.items() if values == ["*"]} == {
        "Platform",
        "Country",
        "Version",
    }


def test_each_sheet_places_its_visuals_without_overlap(definition: Json) -> None:
    for sheet in definition["Sheets"]:
        (layout,) = sheet["Layouts"]
        elements = layout["Configuration"]["GridLayout"]["Elements"]
        assert {element["ElementId"] for element in elements} == set(_all(sheet["Visuals"], "VisualId"))
        cells = Counter(
            (element["RowIndex"] + row, element["ColumnIndex"] + column)
            for element in elements
            for row in range(element["RowSpan"])
            for column in range(element["ColumnSpan"])
        )
        assert set(cells.values()) == {1}, sheet["Name"]
        assert max(column for _, column in cells) == 35


def test_no_total_is_added_to_its_parts(visuals: list[Visual]) -> None:
    for visual in visuals:
        for column in WITH_TOTALS & set(METRICS[visual.table]["grain"]):
            parts = column in visual.groups
            assert visual.unequal.get(column) == ("*" if parts else None), (visual.id, column)
            assert (column in visual.equal) is not parts, (visual.id, column)


def test_a_visual_shows_one_game_and_the_days_that_were_chosen(visuals: list[Visual]) -> None:
    for visual in visuals:
        assert visual.equal["game_id"] == "Game", visual.id
        grain = METRICS[visual.table]["grain"]
        begins = {"cohort_date", "exposure_date"} & set(grain)
        assert visual.days == (begins or {"event_date"}), visual.id


def test_each_figure_is_a_row_of_gold_or_a_sum_of_what_can_be_added(visuals: list[Visual]) -> None:
    """An average, a ratio, a count of unique players stands alone; sums span rows, but never currencies."""
    for visual in visuals:
        rest = set(METRICS[visual.table]["grain"]) - set(visual.groups) - set(visual.equal)
        is_of_one_day = "milestone" in {*visual.groups, *visual.equal}
        for column, aggregation in visual.values.items():
            if aggregation == "SUM":
                summed = rest - {"day_number"} if is_of_one_day else rest
                assert summed <= set(METRICS[visual.table]["columns"][column]["adds_over"]), (
                    visual.id,
                    column,
                )
            if aggregation == "AVERAGE":
                assert not rest, (visual.id, column, rest)
            if aggregation == "SUM" and rest:
                assert "nique" not in METRICS[visual.table]["columns"][column]["description"], (
                    visual.id,
                    column,
                )
        if not {"net_amount", "completion"} & set(visual.values):
            adding = {"campaign", "format", "install_source", "network", "placement"}
            assert rest <= {*DAYS, "day_number", *adding}, (visual.id, rest)
        assert not rest & {"currency", "measure", "game_id"}, (visual.id, rest)


def test_charts_can_be_drawn(visuals: list[Visual]) -> None:
    for visual in visuals:
        if visual.kind == "KPIVisual":
            assert (len(visual.values), visual.groups) == (1, ("event_date",)), visual.id
        elif visual.kind != "TableVisual":
            assert len(visual.groups) == 1 or len(visual.values) == 1, f"{visual.id} splits several values"


def _held(table: Json) -> Json:
    """Return the columns of a data set: all but ratios, which a reader would average."""
    return {name: column for name, column in table["columns"].items() if "formula" not in column}


def _lint(template: Json) -> list[str]:
    """Return what cfn-lint's schemas say against a template."""
    rules = ManualArgs(regions=["eu-west-1"], include_checks=["E"], ignore_checks=["W", "I"])
    return [str(match) for match in lint(json.dumps(template), config=rules)]


def _create_data_set(values: Json) -> Json:
    """Return the request that the provider makes of a data set's arguments."""
    (physical,) = values["physical_table_map"]
    (table,) = physical["relational_table"]
    (rules,) = values["row_level_permission_data_set"]
    return {
        "AwsAccountId": "111122223333",
        "DataSetId": values["data_set_id"],
        "ImportMode": values["import_mode"],
        "Name": values["name"],
        "Permissions": [
            {"Actions": one["actions"], "Principal": one["principal"]} for one in values["permissions"]
        ],
        "PhysicalTableMap": {
            physical["physical_table_map_id"]: {
                "RelationalTable": {
                    "Catalog": table["catalog"],
                    "DataSourceArn": table["data_source_arn"],
                    "InputColumns": [
                        {"Name": one["name"], "Type": one["type"]} for one in table["input_columns"]
                    ],
                    "Name": table["name"],
                    "Schema": table["schema"],
                }
            }
        },
        "RowLevelPermissionDataSet": {
            "Arn": rules["arn"],
            "FormatVersion": rules["format_version"],
            "Namespace": rules["namespace"],
            "PermissionPolicy": rules["permission_policy"],
            "Status": rules["status"],
        },
    }


def _visual(kind: str, visual: Json, definition: Json) -> Visual:
    fields = list(_fields(visual))
    (table,) = {field["Column"]["DataSetIdentifier"] for field in fields}
    values = {
        field["Column"]["ColumnName"]: field.get("AggregationFunction", {}).get("SimpleNumericalAggregation")
        for field in _all(visual, "NumericalMeasureField")
    }
    filters = [
        (name, rule)
        for group in definition["FilterGroups"]
        if visual["VisualId"] in [id_ for ids in _all(group, "VisualIds") for id_ in ids]
        for rules in group["Filters"]
        for name, rule in rules.items()
    ]
    assert {rule["Column"]["DataSetIdentifier"] for _, rule in filters} == {table}
    equal: dict[str, str] = {}
    unequal: dict[str, str] = {}
    for name, rule in filters:
        if name == "CategoryFilter":
            asked = rule["Configuration"]["CustomFilterConfiguration"]
            chosen = equal if asked["MatchOperator"] == "EQUALS" else unequal
            assert rule["Column"]["ColumnName"] not in chosen
            chosen[rule["Column"]["ColumnName"]] = asked.get("ParameterName") or asked["CategoryValue"]
    return Visual(
        id=visual["VisualId"],
        kind=kind,
        table=table,
        groups=tuple(
            field["Column"]["ColumnName"] for field in fields if field["Column"]["ColumnName"] not in values
        ),
        values=values,
        equal=equal,
        unequal=unequal,
        days=frozenset(rule["Column"]["ColumnName"] for name, rule in filters if name == "TimeRangeFilter"),
    )


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _fields(value: Any) -> Iterator[Json]:
    return (found for found in _objects(value) if "FieldId" in found and "Column" in found)


def _all(value: Any, name: str) -> list[Any]:
    return [found[name] for found in _objects(value) if name in found]
