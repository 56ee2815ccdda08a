"""A figure of events over time: how many, of how many players, or of the values of a property."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from telemetry.lake_reader import Query, Result

from metrics_api import explore_models as models
from metrics_api.explore_fields import CURRENCY, NUMBERS, Field
from metrics_api.explore_query import (
    DAY,
    PERCENTILE,
    SILVER,
    Refused,
    Sql,
    chosen,
    filtered,
    grouped,
    known_fields,
    named,
    of_cohort,
    of_type,
    period,
    placed,
    sliced,
    within,
)
from metrics_api.history_query import Days, period_of
from metrics_api.lake_answers import day

FIGURES = {
    "count": "count(*)",
    "players": "count(DISTINCT player_id)",
    "sum": "sum(value)",
    "mean": "avg(value)",
    "percentile": PERCENTILE,
}
# Whole numbers are added up exactly: Trino's sum of bigint fails where it does not fit into one.
EXACT = "decimal(38, 0)"


def query(asked: models.EventsQuestion, game_id: str, days: Days) -> Query:
    """Return the query: periods, slices, the figure, and the events behind it. Raises Refused."""
    known = known_fields("event", asked.event)
    sql, by = Sql(), chosen(asked.by, known)
    names = named(by)
    selected = [f"{one} AS {name}" for one, name in zip(sql.of(*by), names, strict=True)]
    if asked.grain != "range":
        selected = [f"{period(asked.grain, DAY)} AS first_day", *selected]
        names = ["first_day", *names]
    conditions = [
        *within(sql, game_id, days),
        *of_type(sql, asked.event),
        *filtered(sql, "where", asked.where, known),
        *of_cohort(sql, game_id, asked, days),
    ]
    if asked.measure.of == "players":
        sql.columns.add("player_id")
        selected.append("player_id")
    if measured := _measured(asked, known):
        kind = EXACT if (asked.measure.of, measured.kind) == ("sum", "bigint") else "double"
        (value,) = sql.of(measured)
        selected.append(f"CAST({value} AS {kind}) AS value")
        conditions.append(f"{value} IS NOT NULL")
    source = f"SELECT {', '.join(selected) or DAY}\nFROM {SILVER}\nWHERE {' AND '.join(conditions)}"
    if asked.measure.percentile is not None:
        source = placed(sql, source, names, asked.measure.percentile)
    figure = FIGURES[asked.measure.of]
    return sql.query(grouped(source, names, [f"{figure} AS figure", "count(*) AS events"]), game_id)


def _measured(asked: models.EventsQuestion, known: Mapping[str, Field]) -> Field | None:
    """Return the field that is measured. Raises Refused where the measure and its parts do not fit."""
    measure = asked.measure
    if (measure.of == "percentile") != (measure.percentile is not None):
        raise Refused("measure/percentile", "give a percentile with the measure percentile, and only there")
    if measure.of in ("count", "players"):
        if measure.field is not None:
            raise Refused("measure/field", f"{measure.of} is of events, not of a field: leave it out")
        return None
    numbers = [name for name, one in known.items() if one.kind in NUMBERS]
    if measure.field not in numbers:
        has = f"there are {', '.join(numbers)}" if numbers else "these events have none"
        raise Refused("measure/field", f"{measure.of} is of a number of the event; {has}")
    found = known[measure.field]
    if found.is_money:
        _of_one_currency(asked, found, known)
    return found


def _of_one_currency(asked: models.EventsQuestion, measured: Field, known: Mapping[str, Field]) -> None:
    if CURRENCY not in known:
        raise Refused(
            "measure/field",
            f"{measured.name} is in the currency of another event, so that it cannot be added up here:"
            " ask the history, which knows both events",
        )
    one = (one for one in asked.where if one.field == CURRENCY and one.op == "is")
    if CURRENCY not in asked.by and not any(len(filter_.values) == 1 for filter_ in one):
        raise Refused(
            "measure/field",
            f"{measured.name} must not be added up over currencies: choose one {CURRENCY} under where,"
            " or tell them apart with by",
        )


def rows(asked: models.EventsQuestion, days: Days, result: Result) -> Iterator[models.EventsRow]:
    """Yield the rows of an answer."""
    known = known_fields("event", asked.event)
    by = chosen(asked.by, known)
    whole = asked.measure.of in ("count", "players") or (
        asked.measure.of == "sum" and known[str(asked.measure.field)].kind == "bigint"
    )
    for row in result.rows:
        *first, figure, events = row
        shown = days
        if asked.grain != "range":
            shown, first = period_of(day(first[0]), asked.grain, days), first[1:]
        # Without groups SQL has a row of nothing, too.
        if int(events):
            yield models.EventsRow(
                from_=shown.first,
                to=shown.last,
                slices=sliced(by, first),
                figure=_figure(figure, whole),
                events=int(events),
            )


def lines(asked: models.EventsQuestion, rows: list[models.EventsRow]) -> Iterator[list[Any]]:
    """Yield the lines of a file."""
    yield ["from", "to", *asked.by, asked.measure.of, "events"]
    for row in rows:
        yield [row.from_, row.to, *row.slices.values(), row.figure, row.events]


def _figure(value: Any, whole: bool) -> int | float:
    return int(Decimal(str(value))) if whole else float(value)
