"""What follows or precedes an event in a session, step by step: frequent events, the rest as `other`.

A session is a player's events with one session id. Its path begins with the first matching event on the asked
days. Each link says how many sessions went from one event to the next one.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from telemetry.lake_reader import Query, Result

from metrics_api import explore_models as models
from metrics_api.explore_query import (
    DAY,
    ORDER,
    REVERSED,
    SILVER,
    Refused,
    Sql,
    chosen_events,
    grouped,
    in_order,
    known_fields,
    of_cohort,
    within,
)
from metrics_api.history_query import Days

OTHER = "other"
SESSION = "player_id, session_id"


def query(asked: models.PathsQuestion, game_id: str, days: Days) -> Query:
    """Return the query: level, event, next event, sessions. Raises Refused."""
    sql = Sql()
    begins = chosen_events(sql, "", models.Chosen(event=asked.event, where=asked.where))
    # A session may begin before the asked days, or end after them.
    read = Days(days.first - timedelta(days=1), days.last + timedelta(days=1))
    first, last = (sql.bound(day.isoformat(), "date") for day in days)
    selected = in_order(sql, "player_id", "session_id", "event_type")
    selected += [f"CASE WHEN {begins} AND {DAY} BETWEEN {first} AND {last} THEN 1 ELSE 0 END AS is_begin"]
    conditions = [*within(sql, game_id, read), *of_cohort(sql, game_id, asked, days)]
    if asked.leave_out:
        for number, name in enumerate(asked.leave_out):
            known_fields(f"leave_out/{number}", name)
        if asked.event in asked.leave_out:
            raise Refused("leave_out", f"the path begins with {asked.event}: it cannot be left out")
        conditions.append(f"event_type NOT IN ({', '.join(map(sql.bound, asked.leave_out))})")
    source = f"SELECT {', '.join(selected)}\nFROM {SILVER}\nWHERE {' AND '.join(conditions)}"
    return sql.query(_links(source, asked), game_id)


def _links(source: str, asked: models.PathsQuestion) -> str:
    """Return how often sessions go from an event to the next one, at each level."""
    order = ORDER if asked.direction == "after" else REVERSED
    steps = range(1, asked.depth + 1)
    over = f"OVER (PARTITION BY {SESSION} ORDER BY {order})"
    nodes = [f"lead(event_type, {step}) {over} AS node_{step}" for step in steps]
    nth = f"row_number() OVER (PARTITION BY {SESSION}, is_begin ORDER BY {ORDER}) AS nth"
    paths = f"SELECT event_type AS node_0, is_begin, {nth}, {', '.join(nodes)}\nFROM (\n{source}\n) AS chosen"
    source_of, target_of = (
        " ".join(f"WHEN {step} THEN node_{step - back}" for step in steps) for back in (1, 0)
    )
    pairs = [
        f"CASE levels.level {source_of} END AS source",
        f"CASE levels.level {target_of} END AS target",
    ]
    numbers = ", ".join(f"({step})" for step in steps)
    levels = (
        f"SELECT levels.level, {', '.join(pairs)}\nFROM (\n{paths}\n) AS paths\n"
        f"CROSS JOIN (VALUES {numbers}) AS levels (level)\nWHERE is_begin = 1 AND nth = 1"
    )
    followed = f"SELECT *\nFROM (\n{levels}\n) AS pairs\nWHERE source IS NOT NULL"
    return grouped(followed, ["level", "source", "target"], ["count(*) AS sessions"])


def rows(asked: models.PathsQuestion, days: Days, result: Result) -> Iterator[models.PathLink]:
    """Yield the links of an answer; events beyond the width of a level are `other`."""
    found = [(int(level), source, target, int(sessions)) for level, source, target, sessions in result.rows]
    shown: dict[int, set[str]] = {0: {str(asked.event)}}
    for level in range(1, asked.depth + 1):
        counts: Counter[str] = Counter()
        for at, _, target, sessions in found:
            if at == level and target is not None:
                counts[target] += sessions
        largest = sorted(counts, key=lambda name: (-counts[name], name))
        shown[level] = set(largest[: asked.width])

    def node(level: int, name: str | None) -> str | None:
        return name if name is None or name in shown[level] else OTHER

    links: Counter[tuple[int, str, str | None]] = Counter()
    for level, source, target, sessions in found:
        links[level, str(node(level - 1, source)), node(level, target)] += sessions
    for (level, source, target), sessions in sorted(
        links.items(), key=lambda link: (link[0][0], -link[1], link[0][1], link[0][2] or "")
    ):
        yield models.PathLink(level=level, source=source, target=target, sessions=sessions)


def lines(asked: models.PathsQuestion, rows: list[models.PathLink]) -> Iterator[list[Any]]:
    """Yield the lines of a file."""
    yield ["level", "source", "target", "sessions"]
    for row in rows:
        yield [row.level, row.source, row.target, row.sessions]
