"""The history of a game: figures of gold by day, week or month, sliced, compared, as JSON or CSV."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, create_model
from telemetry import metric_model
from telemetry.dimensions import OTHER, UNKNOWN, Declared
from telemetry.lake_reader import Result
from telemetry.metric_model import ALL, CUSTOM, Metric, Table
from telemetry.store import store

from metrics_api import history_models as models
from metrics_api.history_query import Days, Grain, Question, parameter, period_of, previous
from metrics_api.lake_answers import CSV, PENDING, Reader, csv_file, day, days_of, read
from metrics_api.parameters import MAX_DAYS, PLAIN, CalendarDay, GameId, cached, invalid, now
from metrics_api.problems import RESPONSES

MAX_COLUMNS = 2
NAMES = "^[a-z0-9_]+(,[a-z0-9_]+)*$"
TABLES = metric_model.tables()

history = APIRouter(
    prefix="/v1/games/{game_id}", tags=["history"], dependencies=[Depends(cached)], responses=RESPONSES
)

Name = Annotated[str, Field(max_length=200, pattern=NAMES)]
TableName = Annotated[
    str,
    Path(description="The table.", examples=["daily"], json_schema_extra={"enum": list(TABLES)}),
]


class Asked(BaseModel):
    """What every table is asked by; the columns of the tables follow."""

    model_config = ConfigDict(validate_by_name=True)

    from_: Annotated[
        CalendarDay | None,
        Field(alias="from", description="First UTC day; 27 days before `to` where absent."),
    ] = None
    to: Annotated[CalendarDay | None, Field(description="Last UTC day, inclusive; today where absent.")] = (
        None
    )
    grain: Annotated[
        Grain, Field(description="A row for each; weeks begin on Monday. range: one row of all days.")
    ] = "day"
    metrics: Annotated[
        Name | None,
        Field(
            description="Names, separated by commas; where absent, all that have a figure.",
            examples=["active_players,new_players"],
        ),
    ] = None
    by: Annotated[
        Name | None,
        Field(description="Columns to tell rows apart by, at most two.", examples=["platform,country"]),
    ] = None
    compare: Annotated[
        Literal["previous"] | None, Field(description="previous: also answer with the range before.")
    ] = None
    format: Annotated[Literal["json", "csv"], Field(description="csv: a file for a spreadsheet.")] = "json"


def _filters() -> dict[str, Any]:
    """Return a field for each column of the tables that rows can be chosen by."""
    kinds: dict[str, Any] = {
        "string": Annotated[str, Field(min_length=1, max_length=128, pattern=PLAIN)],
        "bigint": Annotated[int, Field(ge=-100_000, le=100_000)],
        "date": CalendarDay,
    }
    columns = {name: table.types[name] for table in TABLES.values() for name in _dimensions(table)}
    text = "Rows of one value of the column, where the table has it{}."
    return {
        parameter(name): (
            kinds[kind] | None,
            Field(None, description=text.format("; * is all" if name in metric_model.WITH_TOTALS else "")),
        )
        for name, kind in columns.items()
    }


def _shown(table: Table, declared: Declared) -> Iterator[models.Dimension]:
    """Yield the columns of a table; custom dimensions have the name that the game gives them."""
    custom = {CUSTOM[slot - 1]: one for slot, one in declared.slots.items()}
    for name in _dimensions(table):
        one = custom.get(name)
        if one or name not in CUSTOM:
            yield models.Dimension(
                name=name,
                label=one.name if one else table.labels[name],
                parameter=parameter(name),
                has_totals=name in table.with_totals,
                values=[*sorted(one.values), OTHER, UNKNOWN] if one else None,
            )


def _dimensions(table: Table) -> list[str]:
    return [name for name in table.grain if name not in ("game_id", table.day_column)]


FILTERS = _filters()
Parameters: Any = create_model("Parameters", __base__=Asked, **FILTERS)


@history.get("/history", summary="What can be asked of the history")
def tables(game_id: GameId) -> models.HistoryTables:
    """List the tables of gold, with the custom dimensions that the game declares."""
    declared = store().dimensions(game_id)
    return models.HistoryTables(
        game_id=game_id,
        tables=[
            models.HistoryTable(
                name=table.name,
                description=table.description,
                day_column=table.day_column,
                dimensions=list(_shown(table, declared)),
                metrics=_described(table.metrics.values()),
            )
            for table in TABLES.values()
        ],
    )


@history.get(
    "/history/{table}",
    summary="Figures of a table by day, week or month",
    response_model=models.History,
    responses={200: CSV, **PENDING},
)
def read_history(
    game_id: GameId, table: TableName, asked: Annotated[Parameters, Query()], lake: Reader
) -> Any:
    """Read gold, which the batch job writes: ratios are sums over sums, unique players are never added.

    A metric that has no right figure for the question is refused if the request names it.
    Otherwise the answer lists it under `not_answered`.
    """
    if table not in TABLES:
        raise HTTPException(404, f"There is no table {table}; the tables are {', '.join(TABLES)}.")
    question, not_answered = _question(TABLES[table], game_id, asked)
    ranges = [question.days]
    if asked.compare:
        ranges.append(previous(question.days, question.grain))
    as_of = now()
    answers = read(lake, [replace(question, days=days).query() for days in ranges], invalid)
    rows = [
        _rows(replace(question, days=days), result)
        for days, result in zip(ranges, answers.results, strict=True)
    ]
    if asked.format == "csv":
        return _csv(question, ranges, rows)
    return models.History(
        game_id=game_id,
        table=table,
        from_=question.days.first,
        to=question.days.last,
        grain=question.grain,
        by=list(question.by),
        filters=dict(question.filters),
        metrics=_described(question.metrics),
        not_answered=not_answered,
        rows=rows[0],
        previous=models.Previous(from_=ranges[1].first, to=ranges[1].last, rows=rows[1])
        if asked.compare
        else None,
        cost=answers.cost,
        as_of=as_of,
        updated_at=answers.version.written_at,
    )


def _question(table: Table, game_id: str, asked: Any) -> tuple[Question, list[models.NotAnswered]]:
    """Return the question, and the metrics that have no figure in it. Raises what refuses a parameter."""
    filters = tuple(_chosen(table, asked))
    by = tuple(_names("by", asked.by, _dimensions(table), table.name))
    if len(by) > MAX_COLUMNS:
        raise invalid("by", f"{len(by)} columns are asked for, at most {MAX_COLUMNS} are answered")
    _refuse_crossed(table, {**dict.fromkeys(by, "by"), **{name: parameter(name) for name, _ in filters}})
    question = Question(
        table, game_id, days_of(asked.from_, asked.to, MAX_DAYS, invalid), asked.grain, by, filters
    )
    named = _names("metrics", asked.metrics, table.metrics, table.name)
    refused = {
        name: reason for name in named or table.metrics if (reason := question.refusal(table.metrics[name]))
    }
    if refused and (named or len(refused) == len(table.metrics)):
        raise RequestValidationError(
            [{"loc": ("query", "metrics"), "msg": reason} for reason in refused.values()]
        )
    metrics = tuple(table.metrics[name] for name in named or table.metrics if name not in refused)
    left_out = [models.NotAnswered(name=name, reason=reason) for name, reason in refused.items()]
    return replace(question, metrics=metrics), left_out


def _refuse_crossed(table: Table, asked: Mapping[str, str]) -> None:
    """Refuse a custom dimension beside another column with totals: gold has no rows of both."""
    apart = [name for name in asked if name in table.with_totals]
    custom = [name for name in apart if name in CUSTOM]
    if custom and len(apart) > 1:
        others = ", ".join(name for name in apart if name != custom[0])
        raise invalid(
            asked[custom[0]],
            f"{custom[0]} is not told apart by {others}: ask for one of them without the other",
        )


def _chosen(table: Table, asked: Any) -> Iterator[tuple[str, str]]:
    """Yield the filters by column; those of other tables are refused."""
    columns = {parameter(name): name for name in _dimensions(table)}
    for name in FILTERS:
        value = getattr(asked, name)
        if value is None:
            continue
        if name not in columns:
            raise invalid(name, f"{table.name} has no such column; it has {', '.join(columns)}")
        # All is the default where the table has a row of it.
        if not (value == ALL and columns[name] in table.with_totals):
            yield columns[name], str(value)


def _names(at: str, asked: str | None, known: Collection[str], table: str) -> list[str]:
    names = list(dict.fromkeys(asked.split(","))) if asked else []
    if unknown := [name for name in names if name not in known]:
        raise invalid(at, f"{table} has no {', '.join(unknown)}; it has {', '.join(known)}")
    return names


def _rows(question: Question, result: Result) -> list[models.HistoryRow]:
    found = []
    for first_day, *values in result.rows:
        slices, figures = values[: len(question.by)], values[len(question.by) :]
        days = period_of(day(first_day), question.grain, question.days)
        found.append(
            models.HistoryRow(
                from_=days.first,
                to=days.last,
                slices={
                    name: _value(value, question.table.types[name])
                    for name, value in zip(question.by, slices, strict=True)
                },
                figures={
                    metric.name: _figure(value, metric, question.table)
                    for metric, value in zip(question.metrics, figures, strict=True)
                },
            )
        )
    return found


def _value(value: Any, kind: str) -> models.Slice:
    if value is None:
        return None
    return day(value) if kind == "date" else int(value) if kind == "bigint" else str(value)


def _figure(value: Any, metric: Metric, table: Table) -> int | float | None:
    if value is None:
        return None
    whole = not metric.formula and table.types.get(metric.name) != "double"
    return int(Decimal(str(value))) if whole else float(value)


def _described(metrics: Iterable[Metric]) -> list[models.HistoryMetric]:
    return [models.HistoryMetric.model_validate(one, from_attributes=True) for one in metrics]


def _csv(question: Question, ranges: list[Days], rows: list[list[models.HistoryRow]]) -> Response:
    """Return a line for each row; with a comparison its first column says of which range."""
    compared = len(ranges) > 1
    names = [metric.name for metric in question.metrics]
    lines: list[list[Any]] = [[*(["range"] if compared else []), "from", "to", *question.by, *names]]
    for name, of_range in zip(("current", "previous"), rows, strict=False):
        of = [name] if compared else []
        lines += [[*of, row.from_, row.to, *row.slices.values(), *row.figures.values()] for row in of_range]
    name = f"{question.game_id}-{question.table.name}-{question.days.first}-{question.days.last}"
    return csv_file(name, lines)
