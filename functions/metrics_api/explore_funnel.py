"""Players who take steps in an order: how many come how far, and how long they need.

An attempt begins with an event of the first step on the asked days. It takes the first later event of each
next step. A step counts if it happens within the window since the attempt's first event. A player counts
once: with the attempt that comes furthest, and with the earliest of those.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from telemetry.lake_reader import Query, Result

from metrics_api import explore_models as models
from metrics_api.explore_query import (
    DAY,
    ORDER,
    PERCENTILE,
    REVERSED,
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
    placed,
    sliced,
    within,
)
from metrics_api.history_query import Days

MINUTE_MS = 60_000
MINUTES_A_DAY = 24 * 60


def query(asked: models.FunnelQuestion, game_id: str, days: Days) -> Query:
    """Return the query: slices, step, median of the time since the step before, players. Raises Refused."""
    sql, last = Sql(), len(asked.steps)
    by = chosen(asked.by, known_fields("steps/0/event", asked.steps[0].event))
    names = named(by)
    few_filters("steps", *asked.steps)
    steps = [chosen_events(sql, f"steps/{number}/", step) for number, step in enumerate(asked.steps)]
    # An attempt goes on after the last asked day.
    read = Days(days.first, days.last + timedelta(days=-(-asked.window_minutes // MINUTES_A_DAY)))
    selected = in_order(sql, "player_id")
    selected += [f"{one} AS {name}" for one, name in zip(sql.of(*by), names, strict=True)]
    selected += [f"CASE WHEN {one} THEN 1 ELSE 0 END AS is_{number}" for number, one in enumerate(steps, 1)]
    conditions = [
        *within(sql, game_id, read),
        f"({' OR '.join(steps)})",
        *of_cohort(sql, game_id, asked, days),
    ]
    source = f"SELECT {', '.join(selected)}\nFROM {SILVER}\nWHERE {' AND '.join(conditions)}"
    for step in range(last - 1, 0, -1):
        source = _followed(source, step, last)
    return sql.query(_counted(sql, source, asked, days, names), game_id)


def _followed(source: str, step: int, last: int) -> str:
    """Return rows with when the later steps happen after an event of a step: at_1_2, at_1_3, ...

    The first later event of the next step has the earliest times of all steps after it, so that the least
    time is its own. Rows are in reversed order: engines add rows to a window faster than they remove them.
    """
    window = f"(PARTITION BY player_id ORDER BY {REVERSED} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    times = {later: f"at_{step + 1}_{later}" for later in range(step + 2, last + 1)} | {step + 1: "at_ms"}
    found = [
        f"min(CASE WHEN is_{step + 1} = 1 THEN {times[later]} END) OVER {window} AS at_{step}_{later}"
        for later in range(step + 1, last + 1)
    ]
    return f"SELECT *, {', '.join(found)}\nFROM (\n{source}\n) AS of_{step + 1}"


def _counted(sql: Sql, source: str, asked: models.FunnelQuestion, days: Days, names: list[str]) -> str:
    """Return the players of each step, of the attempts that begin on the asked days."""
    last = len(asked.steps)
    window = sql.bound(asked.window_minutes * MINUTE_MS, "bigint")
    steps = [f"CASE WHEN at_1_{step} - at_ms <= {window} THEN 1 ELSE 0 END" for step in range(2, last + 1)]
    begun = f"is_1 = 1 AND {DAY} <= {sql.bound(days.last.isoformat(), 'date')}"
    attempts = f"SELECT *, 1 + {' + '.join(steps)} AS reached\nFROM (\n{source}\n) AS of_1\nWHERE {begun}"
    best = f"row_number() OVER (PARTITION BY player_id ORDER BY reached DESC, {ORDER}) AS nth"
    players = f"SELECT *, {best}\nFROM (\n{attempts}\n) AS attempts"
    times = ["at_ms", *(f"at_1_{step}" for step in range(2, last + 1))]
    waits = [f"WHEN {step} THEN {now} - {before}" for step, (before, now) in enumerate(pairwise(times), 2)]
    shown = [
        *(f"players.{name}" for name in names),
        "steps.step",
        f"CASE steps.step {' '.join(waits)} END AS value",
    ]
    numbers = ", ".join(f"({step})" for step in range(1, last + 1))
    reached = (
        f"SELECT {', '.join(shown)}\nFROM (\n{players}\n) AS players\n"
        f"CROSS JOIN (VALUES {numbers}) AS steps (step)\n"
        "WHERE players.nth = 1 AND steps.step <= players.reached"
    )
    groups = [*names, "step"]
    figures = [f"{PERCENTILE} AS figure", "count(*) AS players"]
    return grouped(placed(sql, reached, groups, 50), groups, figures)


def rows(asked: models.FunnelQuestion, days: Days, result: Result) -> Iterator[models.FunnelRow]:
    """Yield the rows of an answer: all steps of each slice."""
    by = chosen(asked.by, known_fields("steps/0/event", asked.steps[0].event))
    found: dict[tuple[Any, ...], dict[int, tuple[Any, int]]] = {}
    for *values, step, median, players in result.rows:
        found.setdefault(tuple(values), {})[int(step)] = median, int(players)
    for slices, steps in found.items():
        yield from _steps(asked, sliced(by, slices), steps)


def _steps(
    asked: models.FunnelQuestion, slices: Mapping[str, Any], found: Mapping[int, tuple[Any, int]]
) -> Iterator[models.FunnelRow]:
    first = before = found[1][1]
    for number, step in enumerate(asked.steps, 1):
        median, players = found.get(number, (None, 0))
        yield models.FunnelRow(
            slices=dict(slices),
            step=number,
            event=step.event,
            players=players,
            of_first=players / first,
            of_previous=players / before if before and number > 1 else None,
            median_seconds=None if median is None else float(median) / 1000,
        )
        before = players


def lines(asked: models.FunnelQuestion, rows: list[models.FunnelRow]) -> Iterator[list[Any]]:
    """Yield the lines of a file."""
    yield [*asked.by, "step", "event", "players", "of_first", "of_previous", "median_seconds"]
    for row in rows:
        figures = [row.step, row.event, row.players, row.of_first, row.of_previous, row.median_seconds]
        yield [*row.slices.values(), *figures]
