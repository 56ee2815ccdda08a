"""The dashboard's definition follows the metrics model, and refuses what the model does not allow."""

import csv
from pathlib import Path
from typing import Any

import pytest
from telemetry import metric_model
from tools import CommandError, quicksight

REPOSITORY = Path(__file__).resolve().parents[2]
VISUALS = REPOSITORY / "infrastructure" / "modules" / "quicksight" / "visuals.csv"
HEADER = "sheet,kind,title,table,category,metrics,split,only\n"
MODEL = metric_model.parse(
    {
        "tables": {
            "revenue": {
                "description": "Money.",
                "grain": ["event_date", "game_id", "platform", "currency"],
                "columns": {
                    "event_date": {"type": "date", "label": "Day"},
                    "game_id": {"type": "string", "label": "Game"},
                    "platform": {"type": "string", "label": "Platform"},
                    "currency": {"type": "string", "label": "Currency"},
                    "gross": {
                        "type": "bigint",
                        "label": "Revenue",
                        "unit": "minor",
                        "description": "Sum.",
                        "adds_over": ["event_date", "platform"],
                    },
                    "payers": {
                        "type": "bigint",
                        "label": "Payers",
                        "unit": "players",
                        "description": "Unique.",
                        "adds_over": [],
                    },
                    "arppu": {
                        "type": "double",
                        "label": "ARPPU",
                        "unit": "minor",
                        "description": "gross / payers.",
                        "formula": {"numerator": "gross", "denominator": "payers"},
                    },
                    "low": {
                        "type": "double",
                        "label": "Share",
                        "unit": "share",
                        "description": "1 - payers / gross.",
                        "formula": {
                            "numerator": "payers",
                            "denominator": "gross",
                            "complement": True,
                            "at_most_one": True,
                        },
                    },
                },
            },
            "shops": {
                "description": "Money of each shop.",
                "grain": ["event_date", "game_id", "shop"],
                "columns": {
                    "event_date": {"type": "date", "label": "Day"},
                    "game_id": {"type": "string", "label": "Game"},
                    "shop": {"type": "string", "label": "Shop"},
                    "gross": {
                        "type": "bigint",
                        "label": "Revenue",
                        "unit": "minor",
                        "description": "Sum.",
                        "adds_over": ["event_date", "shop"],
                    },
                    "payers": {
                        "type": "bigint",
                        "label": "Payers",
                        "unit": "players",
                        "description": "Unique.",
                        "adds_over": [],
                    },
                    "arppu": {
                        "type": "double",
                        "label": "ARPPU",
                        "unit": "minor",
                        "description": "gross / payers.",
                        "formula": {"numerator": "gross", "denominator": "payers"},
                    },
                },
            },
        }
    }
)


def made(line: str) -> dict[str, Any]:
    return quicksight.definition(HEADER + line, MODEL)


def test_a_ratio_is_a_sum_over_a_sum() -> None:
    found = made("Money,line,ARPPU,revenue,event_date,arppu low,,")
    assert {field["Name"]: field["Expression"] for field in found["CalculatedFields"]} == {
        "arppu": "sum({gross}) / sum({payers})",
        "low": "1 - ifelse(sum({payers}) > sum({gross}), 1, sum({payers}) / sum({gross}))",
    }
    assert "AggregationFunction" not in str(found["Sheets"])


def test_a_data_set_holds_no_ratio() -> None:
    assert list(quicksight.data_sets(MODEL)["revenue"]) == [
        "event_date", "game_id", "platform", "currency", "gross", "payers",
    ]  # fmt: skip


def test_what_adds_up_is_summed_and_what_does_not_shows_a_row() -> None:
    (sheet,) = made("Money,line,Both,revenue,event_date,gross payers,,")["Sheets"]
    (visual,) = sheet["Visuals"]
    wells = visual["LineChartVisual"]["ChartConfiguration"]["FieldWells"]["LineChartAggregatedFieldWells"]
    functions = [
        value["NumericalMeasureField"]["AggregationFunction"]["SimpleNumericalAggregation"]
        for value in wells["Values"]
    ]
    assert functions == ["SUM", "AVERAGE"]


def sorting(line: str) -> Any:
    """Return how the only visual of a definition is sorted and limited."""
    ((visual,),) = ([*sheet["Visuals"]] for sheet in made(line)["Sheets"])
    (chart,) = visual.values()
    return chart["ChartConfiguration"]["SortConfiguration"]


def test_the_rest_is_one_item_only_where_it_adds_up() -> None:
    by_shop = sorting("Money,bar,Shops,shops,shop,gross,,")
    assert by_shop["CategoryItemsLimit"] == {"ItemsLimit": 20, "OtherCategories": "INCLUDE"}
    (largest_first,) = by_shop["CategorySort"]
    assert largest_first["FieldSort"] == {"Direction": "DESC", "FieldId": "shops.gross"}
    ratio = sorting("Money,line,Ratio,shops,event_date,arppu,shop,")
    assert ratio["ColorItemsLimitConfiguration"] == {"ItemsLimit": 12, "OtherCategories": "EXCLUDE"}
    both = sorting("Money,line,Both,shops,event_date,gross payers,shop,")
    assert both["ColorItemsLimitConfiguration"]["OtherCategories"] == "EXCLUDE"


def bars(line: str) -> Any:
    """Return the chart of the only visual of a definition."""
    ((visual,),) = ([*sheet["Visuals"]] for sheet in made(line)["Sheets"])
    return visual["BarChartVisual"]["ChartConfiguration"]


def test_amounts_of_two_currencies_stand_side_by_side_and_give_no_order() -> None:
    by_currency = bars("Money,bar,Platforms,revenue,platform,gross,currency,")
    assert by_currency["BarsArrangement"] == "CLUSTERED"
    assert by_currency["SortConfiguration"]["CategorySort"] == [
        {"FieldSort": {"Direction": "ASC", "FieldId": "platforms.platform"}}
    ]
    by_shop = bars("Money,bar,Both,shops,event_date,gross,shop,")
    assert by_shop["BarsArrangement"] == "STACKED"
    # Days stand in their order, and none is left out.
    assert by_shop["SortConfiguration"] == {
        "CategorySort": [{"FieldSort": {"Direction": "ASC", "FieldId": "both.event_date"}}],
        "ColorItemsLimit": {"ItemsLimit": 12, "OtherCategories": "INCLUDE"},
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Money,bar,Days,revenue,platform,payers,,", "payers does not add up over event_date"),
        ("Money,line,All shops,shops,event_date,arppu,,", "arppu does not add up over shop"),
        ("Money,line,X,revenue,event_date,net,,", "the metrics model has no 'net'"),
        ("Money,line,X,income,event_date,gross,,", "the metrics model has no 'income'"),
        ("Money,line,X,revenue,cohort_date,gross,,", "revenue has no dimension cohort_date"),
        ("Money,pie,X,revenue,event_date,gross,,", "there is no kind pie"),
    ],
)
def test_a_visual_that_the_model_does_not_allow_is_refused(line: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        made(line)


def test_new_players_are_the_cohorts_of_day_0() -> None:
    line = "Acquisition,line,New players,acquisition,cohort_date,cohort_players,install_source,"
    found = quicksight.definition(f"{HEADER}{line}milestone=D00", metric_model.tables())
    (field,) = found["CalculatedFields"]
    assert (field["Name"], field["DataSetIdentifier"]) == ("milestone", "acquisition")
    assert field["Expression"].startswith("ifelse({day_number} = 0, 'D00', {day_number} = 1, 'D01', ")
    filters = [kind for group in found["FilterGroups"] for one in group["Filters"] for kind in one.values()]
    (milestone,) = [one for one in filters if one["Column"]["ColumnName"] == "milestone"]
    assert milestone["Configuration"]["CustomFilterConfiguration"] == {
        "CategoryValue": "D00", "MatchOperator": "EQUALS", "NullOption": "NON_NULLS_ONLY",
    }  # fmt: skip
    (days,) = [one for one in filters if "RangeMinimumValue" in one]
    assert days["Column"]["ColumnName"] == "cohort_date"
    with pytest.raises(CommandError, match="cohort_players does not add up over day_number"):
        quicksight.definition(HEADER + line, metric_model.tables())


def test_a_dashboard_shows_each_table_of_gold_but_those_for_queries() -> None:
    shown = {line["table"] for line in csv.DictReader(VISUALS.read_text().splitlines())}
    # Percentiles of any days are read from bins by a query.
    assert metric_model.tables().keys() - shown == {"performance_bins"}
