"""The answers about history: its tables, and their figures by period."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from metrics_api.models import Answer, Game, Range, Timestamp

Slice = str | int | dt.date | None


class HistoryMetric(BaseModel):
    """A metric: what its figures mean."""

    name: Annotated[str, Field(description="Its name in figures.", examples=["active_players"])]
    label: Annotated[str, Field(examples=["Active players"])]
    unit: Annotated[str, Field(description="minor and micros are money.", examples=["players"])]
    description: str


class Dimension(BaseModel):
    """A column by which rows can be grouped or filtered."""

    name: Annotated[str, Field(description="Its name in `by`.", examples=["platform"])]
    label: Annotated[str, Field(examples=["Platform"])]
    parameter: Annotated[str, Field(description="The query parameter that chooses one value.")]
    has_totals: Annotated[
        bool,
        Field(
            description="Whether all values together are the default; else they are added up where allowed."
        ),
    ]
    values: Annotated[
        list[str] | None,
        Field(description="What a custom dimension of the game counts by; null for other columns."),
    ] = None


class HistoryTable(BaseModel):
    """A table of the history."""

    name: Annotated[str, Field(examples=["daily"])]
    description: str
    day_column: Annotated[
        str,
        Field(
            examples=["event_date"],
            description="What `from` and `to` choose: the day of the events, or the install day.",
        ),
    ]
    dimensions: list[Dimension]
    metrics: list[HistoryMetric]


class HistoryTables(BaseModel):
    """What can be asked."""

    game_id: Game
    tables: list[HistoryTable]


class Period(BaseModel):
    """The days of a row, within the range."""

    model_config = ConfigDict(validate_by_name=True)

    from_: Annotated[dt.date, Field(alias="from", description="First UTC day, inclusive.")]
    to: Annotated[dt.date, Field(description="Last UTC day, inclusive.")]


class HistoryRow(Period):
    """The figures of a period and slice."""

    slices: Annotated[
        dict[str, Slice],
        Field(description="The value of each column in `by`.", examples=[{"platform": "ios"}]),
    ]
    figures: Annotated[
        dict[str, int | float | None],
        Field(description="By metric; null without a denominator.", examples=[{"active_players": 1250}]),
    ]


class NotAnswered(BaseModel):
    """A metric that has no figure for this question."""

    name: Annotated[str, Field(examples=["active_players"])]
    reason: Annotated[str, Field(description="Why, and what to ask instead.")]


class Cost(BaseModel):
    """What the queries behind an answer took. A kept answer costs nothing."""

    scanned_bytes: Annotated[
        int | None, Field(ge=0, description="null where the reader does not count them.")
    ]
    usd: Annotated[
        float | None,
        Field(ge=0, description="At $5 a TB, at least 10 MB a query; null where nothing is billed."),
    ]
    kept: Annotated[bool, Field(description="Whether the answer was kept: the table has not changed since.")]


class Previous(Period):
    """The range before, for comparison."""

    rows: list[HistoryRow]


class History(Answer, Range):
    """Figures of a table over a range."""

    table: Annotated[str, Field(examples=["daily"])]
    grain: Literal["day", "week", "month", "range"]
    by: Annotated[list[str], Field(description="Columns by which rows are grouped.")]
    filters: Annotated[dict[str, str], Field(description="The chosen value of each column.")]
    metrics: Annotated[list[HistoryMetric], Field(description="What the rows have figures of.")]
    not_answered: Annotated[
        list[NotAnswered],
        Field(description="Metrics of the table without a figure here, where none were asked for by name."),
    ]
    rows: Annotated[
        list[HistoryRow],
        Field(description="By first day; a period or slice without any row in gold is left out."),
    ]
    previous: Annotated[Previous | None, Field(description="With `compare=previous`.")]
    cost: Cost


class ReturnRow(BaseModel):
    """What a source or a campaign cost in a currency, and what its players brought in this currency."""

    install_source: Annotated[str, Field(examples=["north"])]
    campaign: Annotated[
        str | None, Field(description="null: all campaigns of the source.", examples=["spring"])
    ]
    currency: Annotated[str, Field(description="ISO 4217 code.", examples=["EUR"])]
    spend_micros: Annotated[int, Field(ge=0, description="Cost, in millionths of the currency's unit.")]
    cohort_players: Annotated[int, Field(ge=0, description="Players who installed on days with a cost.")]
    cost_per_player_micros: Annotated[
        float | None, Field(description="Cost of a player, in millionths; null without players.")
    ]
    returns: Annotated[
        dict[str, float | None],
        Field(
            description="Return on ad spend by day N: net revenue of purchases and ads by day N, over the "
            "cost of the install days whose day N is over; null where none is.",
            examples=[{"D0": 0.11, "D7": 0.42, "D30": None}],
        ),
    ]


class Returns(Answer, Range):
    """What advertising for players cost, and its return."""

    by: Literal["source", "campaign"]
    metrics: Annotated[list[HistoryMetric], Field(description="What the figures mean.")]
    rows: Annotated[list[ReturnRow], Field(description="By currency, the largest cost of each first.")]
    cost: Annotated[Cost | None, Field(description="null where no costs are kept.")] = None


class Pending(BaseModel):
    """The query goes on: ask the same again."""

    status: Literal["running"] = "running"
    detail: str = (
        "The history is being read. Ask the same again: the answer takes up where this one left off."
    )
    queries: Annotated[
        list[str], Field(description="Ids of the queries that run: `DELETE /queries/{query_id}` cancels one.")
    ]
    as_of: Timestamp
