"""Players who come back: of those who did something first, how many did something again some days later.

A player's start is the first event of `first` on the asked days. A later event of `returning` is on day 1 if
it happens on the next UTC day, or 24 to 48 hours later with the unit 24h. A day counts once it is over.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from telemetry.lake_reader import Query, Result

from metrics_api import explore_models as models
from metrics_api.explore_query import (
    DAY,
    ORDER,
    SILVER,
    Sql,
    chosen,
    chosen_events,
    few_filters,
    grouped,
    in_order,
    known_fields,
    named,
    of_cohort,
    period,
    sliced,
    within,
)
from metrics_api.history_query import Days, period_of
from metrics_api.lake_answers import day, today

# The literal is a double: whole numbers are divided differently by the engines.
DAY_MS = "86400000e0"
OF_PLAYER = "OVER (PARTITION BY player_id)"


def query(asked: models.RetentionQuestion, game_id: str, days: Days) -> Query:
    """Return the query: periods, slices, and for each day players and those who return. Raises Refused."""
    sql = Sql()
    by = chosen(asked.by, known_fields("first/event", asked.first.event))
    names = named(by)
    few_filters("returning/where", asked.first, asked.returning)
    first = chosen_events(sql, "first/", asked.first)
    returning = chosen_events(sql, "returning/", asked.returning)
    # A day of 24 hours ends on the UTC day after.
    after = asked.days if asked.unit == "day" else asked.days + 1
    read = Days(days.first, days.last + timedelta(days=after))
    begins = f"{first} AND {DAY} <= {sql.bound(days.last.isoformat(), 'date')}"
    selected = in_order(sql, "player_id")
    selected += [f"{one} AS {name}" for one, name in zip(sql.of(*by), names, strict=True)]
    selected += [f"CASE WHEN {begins} THEN 1 ELSE 0 END AS is_first"]
    selected += [f"CASE WHEN {returning} THEN 1 ELSE 0 END AS is_returning"]
    conditions = [
        *within(sql, game_id, read),
        f"({first} OR {returning})",
        *of_cohort(sql, game_id, asked, days),
    ]
    source = f"SELECT {', '.join(selected)}\nFROM {SILVER}\nWHERE {' AND '.join(conditions)}"
    return sql.query(_counted(sql, _players(source, names, asked), asked, names), game_id)


def _players(source: str, names: list[str], asked: models.RetentionQuestion) -> str:
    """Return a row for each player: the day of the start, its slices, and on which days there is a return."""
    nth = f"row_number() OVER (PARTITION BY player_id ORDER BY {ORDER}) AS nth"
    numbered = f"SELECT *, {nth}\nFROM (\n{source}\n) AS chosen"
    start = f"min(CASE WHEN is_first = 1 THEN nth END) {OF_PLAYER} AS start_nth"
    started = f"SELECT *, {start}\nFROM (\n{numbered}\n) AS numbered"
    of_start = [
        f"max(CASE WHEN nth = start_nth THEN {column} END) {OF_PLAYER} AS {name}"
        for column, name in (
            (DAY, "start_date"),
            ("at_ms", "start_ms"),
            *((one, f"of_{one}") for one in names),
        )
    ]
    known = f"SELECT *, {', '.join(of_start)}\nFROM (\n{started}\n) AS started\nWHERE start_nth IS NOT NULL"
    elapsed = {
        "day": f"date_diff('day', start_date, {DAY})",
        "24h": f"floor((at_ms - start_ms) / {DAY_MS})",
    }[asked.unit]
    kept = [f"of_{name} AS {name}" for name in names]
    dated = ["player_id", "start_date", *kept, f"{elapsed} AS day_number"]
    dated += ["CASE WHEN nth > start_nth THEN is_returning ELSE 0 END AS is_back"]
    back = f"SELECT {', '.join(dated)}\nFROM (\n{known}\n) AS known"
    flags = [
        f"max(CASE WHEN day_number = {number} THEN is_back ELSE 0 END) AS back_{number}"
        for number in range(asked.days + 1)
    ]
    groups = ", ".join(["player_id", "start_date", *names])
    return f"SELECT {groups}, {', '.join(flags)}\nFROM (\n{back}\n) AS dated\nGROUP BY {groups}"


def _counted(sql: Sql, players: str, asked: models.RetentionQuestion, names: list[str]) -> str:
    """Return the players of each cohort: all, and of each day those whose day is over, and who return."""
    # Of 24 hours that began on a UTC day, the last end on the day after.
    until = today() - timedelta(days=0 if asked.unit == "day" else 1)
    over = f"date_diff('day', start_date, {sql.bound(until.isoformat(), 'date')})"
    source = f"SELECT *, {over} AS days_over\nFROM (\n{players}\n) AS players"
    figures = ["count(*) AS players"]
    for number in range(asked.days + 1):
        figures.append(f"sum(CASE WHEN days_over > {number} THEN 1 ELSE 0 END) AS over_{number}")
        figures.append(f"sum(CASE WHEN days_over > {number} THEN back_{number} ELSE 0 END) AS back_{number}")
    if asked.grain == "range":
        return grouped(source, names, figures)
    first_day = period(asked.grain, "start_date")
    cohorts = f"SELECT *, {first_day} AS first_day\nFROM (\n{source}\n) AS cohorts"
    return grouped(cohorts, ["first_day", *names], figures)


def rows(asked: models.RetentionQuestion, days: Days, result: Result) -> Iterator[models.RetentionRow]:
    """Yield the rows of an answer: a cohort and slice each."""
    by = chosen(asked.by, known_fields("first/event", asked.first.event))
    for row in result.rows:
        values, cohort = list(row), days
        if asked.grain != "range":
            cohort = period_of(day(values.pop(0)), asked.grain, days)
        slices, (players, *counts) = values[: len(by)], values[len(by) :]
        # Without groups SQL has a row of nothing, too.
        if int(players):
            yield models.RetentionRow(
                from_=cohort.first,
                to=cohort.last,
                slices=sliced(by, slices),
                players=int(players),
                days=[
                    models.RetentionDay(
                        day=number,
                        players=int(over),
                        returned=int(back),
                        share=int(back) / int(over) if int(over) else None,
                    )
                    for number, (over, back) in enumerate(zip(counts[::2], counts[1::2], strict=True))
                ],
            )


def lines(asked: models.RetentionQuestion, rows: list[models.RetentionRow]) -> Iterator[list[Any]]:
    """Yield the lines of a file: a cohort, slice and day each."""
    yield ["from", "to", *asked.by, "cohort_players", "day", "players", "returned", "share"]
    for row in rows:
        for one in row.days:
            of = [row.from_, row.to, *row.slices.values(), row.players]
            yield [*of, one.day, one.players, one.returned, one.share]
