"""Questions about single events as SQL: one text in what Athena (Trino) and DuckDB have in common.

Names come from the whitelist of fields alone. Values are bound: each has a ? where it stands in the text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from telemetry.lake_reader import Query

from metrics_api import explore_fields
from metrics_api.explore_fields import NUMBERS, Field
from metrics_api.explore_models import MAX_FILTERS, Asked, Chosen, Filter, Value
from metrics_api.history_models import Slice
from metrics_api.history_query import MAX_ROWS, Days
from metrics_api.lake_answers import days_of

# Silver has a row for each event: a day costs more than a day of gold.
MAX_DAYS = 92
SILVER, DAY = "events", "event_date"
WORDS = {"string": "texts", "bigint": "whole numbers", "double": "numbers", "boolean": "true or false"}
# The order of a player's events. A client numbers those of a session; the id decides where nothing else does.
AT = "date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', corrected_time) AS at_ms"
ORDER = "at_ms, sequence, event_id"
REVERSED = "at_ms DESC, sequence DESC, event_id DESC"
# Places are counted from 0. A percentile between two values is on the line that joins them.
PERCENTILE = (
    "max(CASE WHEN nth = floor(place) + 1 THEN value END)\n"
    "    + (max(place) - floor(max(place))) * (max(CASE WHEN nth = ceil(place) + 1 THEN value END)\n"
    "    - max(CASE WHEN nth = floor(place) + 1 THEN value END))"
)


class Refused(Exception):
    """A question has no answer: where in the document, and why."""

    def __init__(self, at: str, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.at, self.reason = at, reason


@dataclass(slots=True)
class Sql:
    """The values of a text, and the columns and days of silver that it names.

    A value has a number in the text until the text is whole: $0, $1, ...
    """

    values: list[str] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    days: list[Days] = field(default_factory=list)

    def of(self, *fields: Field) -> list[str]:
        """Return the SQL of fields."""
        self.columns.update(column for one in fields for column in one.columns)
        return [one.sql for one in fields]

    def bound(self, value: Value, kind: str = "string") -> str:
        """Return the place of a value, which is text until SQL makes it what the field holds."""
        self.values.append(value if isinstance(value, str) else str(value).lower())
        place = f"${len(self.values) - 1}"
        return place if kind == "string" else f"CAST({place} AS {kind})"

    def query(self, text: str, game_id: str) -> Query:
        """Return the text with a ? in each place, and the values in the order of the places."""
        values = tuple(self.values[int(found)] for found in re.findall(r"\$(\d+)", text))
        columns = tuple(sorted({"game_id", DAY, *self.columns}))
        first, last = min(days.first for days in self.days), max(days.last for days in self.days)
        return Query(re.sub(r"\$\d+", "?", text), values, SILVER, DAY, game_id, first, last, columns)


def known_fields(at: str, event: str | None) -> Mapping[str, Field]:
    """Return the fields of an event type, or of all events. Raises Refused for an unknown type."""
    if event and event not in explore_fields.events():
        raise Refused(at, f"there is no event {event}; there are {', '.join(explore_fields.events())}")
    return explore_fields.of(event)


def chosen(names: Sequence[str], known: Mapping[str, Field]) -> tuple[Field, ...]:
    """Return the fields of `by`: each row holds one value of each. Raises Refused."""
    if len(set(names)) < len(names):
        raise Refused("by", "a field is named twice")
    found = tuple(_field("by", name, known) for name in names)
    for one in found:
        if one.kind == "double":
            raise Refused("by", f"{one.name} is a measured number: rows cannot be told apart by it")
    return found


def period(grain: str, column: str) -> str:
    """Return the SQL of a day, or of the first day of its week or month."""
    return column if grain == "day" else f"date_trunc('{grain}', {column})"


def named(by: Sequence[Field]) -> list[str]:
    """Return the names that the SQL has for the fields of `by`."""
    return [f"by_{number}" for number in range(1, len(by) + 1)]


def sliced(by: Sequence[Field], values: Sequence[Any]) -> dict[str, Slice]:
    """Return the values of the fields of `by`: Athena answers text, DuckDB values."""
    return {one.name: _value(value, one.kind) for one, value in zip(by, values, strict=True)}


def within(sql: Sql, game_id: str, days: Days) -> list[str]:
    """Return the conditions of every scan: the game, and the days."""
    sql.days.append(days)
    first, last = (sql.bound(day.isoformat(), "date") for day in days)
    return [f"game_id = {sql.bound(game_id)}", f"{DAY} BETWEEN {first} AND {last}"]


def players_with(
    sql: Sql, game_id: str, days: Days, conditions: Sequence[str], at_least: int, *figures: str
) -> str:
    """Return the players who have at least so many of the events of some days, and figures of each player."""
    sql.columns.add("player_id")
    found = " AND ".join([*within(sql, game_id, days), *conditions])
    times = sql.bound(at_least, "bigint")
    return (
        f"SELECT {', '.join(['player_id', *figures])}\nFROM {SILVER}\nWHERE {found}\n"
        f"GROUP BY player_id\nHAVING count(*) >= {times}"
    )


def of_cohort(sql: Sql, game_id: str, asked: Asked, days: Days) -> list[str]:
    """Return the condition of events whose players are in the question's cohort. Raises Refused."""
    cohort = asked.cohort
    if cohort is None:
        return []
    of = days_of(cohort.from_ or days.first, cohort.to or days.last, MAX_DAYS, _refused_in_cohort)
    chosen = [chosen_events(sql, "cohort/", cohort)]
    return [f"player_id IN (\n{players_with(sql, game_id, of, chosen, cohort.at_least)}\n)"]


def _refused_in_cohort(at: str, reason: str) -> Refused:
    return Refused(f"cohort/{at}", reason)


def in_order(sql: Sql, *columns: str) -> list[str]:
    """Return what a scan selects so that its events can be ordered, and further columns."""
    sql.columns.update(("corrected_time", "event_id", "sequence", *columns))
    return [*columns, DAY, AT, "sequence", "event_id"]


def chosen_events(sql: Sql, at: str, asked: Chosen) -> str:
    """Return the condition of events of a type that pass filters. Raises Refused."""
    known = known_fields(f"{at}event", asked.event)
    found = [*of_type(sql, asked.event), *filtered(sql, f"{at}where", asked.where, known)]
    return f"({' AND '.join(found)})" if found else "TRUE"


def few_filters(at: str, *chosen: Chosen) -> None:
    """Hold the filters of all parts of a question to the limit of one. Raises Refused."""
    count = sum(len(one.where) for one in chosen)
    if count > MAX_FILTERS:
        raise Refused(at, f"the question has {count} filters together, at most {MAX_FILTERS} are answered")


def of_type(sql: Sql, event: str | None) -> list[str]:
    """Return the condition of events of a type."""
    sql.columns.add("event_type")
    return [f"event_type = {sql.bound(event)}"] if event else []


def filtered(sql: Sql, at: str, filters: Sequence[Filter], known: Mapping[str, Field]) -> list[str]:
    """Return the conditions of filters. Raises Refused."""
    return [_condition(sql, f"{at}/{number}", one, known) for number, one in enumerate(filters)]


def placed(sql: Sql, source: str, names: Sequence[str], percentile: int) -> str:
    """Return the rows of a source with their place by value, and where the percentile of their group is."""
    partition = f"PARTITION BY {', '.join(names)}" if names else ""
    return (
        f"SELECT *, row_number() OVER ({partition} ORDER BY value) AS nth,\n"
        f"    (count(*) OVER ({partition}) - 1) * {sql.bound(str(percentile / 100), 'double')} AS place\n"
        f"FROM (\n{source}\n) AS valued"
    )


def grouped(source: str, names: Sequence[str], figures: Sequence[str]) -> str:
    """Return the figures of the groups of a source, at most one row more than an answer may have."""
    by = ", ".join(names)
    groups = f"GROUP BY {by}\nORDER BY {by}\n" if names else ""
    shown = ",\n    ".join([*names, *figures])
    return f"SELECT {shown}\nFROM (\n{source}\n) AS asked\n{groups}LIMIT {MAX_ROWS + 1}"


def _field(at: str, name: str, known: Mapping[str, Field]) -> Field:
    if name not in known:
        raise Refused(at, f"these events have no {name}; they have {', '.join(known)}")
    return known[name]


def _condition(sql: Sql, at: str, asked: Filter, known: Mapping[str, Field]) -> str:
    one = _field(f"{at}/field", asked.field, known)
    (column,) = sql.of(one)
    if asked.op in ("is_set", "is_not_set"):
        if asked.values:
            raise Refused(f"{at}/values", f"{asked.op} takes no values")
        return f"{column} IS {'NOT ' if asked.op == 'is_set' else ''}NULL"
    if not asked.values:
        raise Refused(f"{at}/values", f"{asked.op} takes at least one value")
    if not all(_fits(value, one.kind) for value in asked.values):
        raise Refused(f"{at}/values", f"the values of {one.name} are {WORDS[one.kind]}")
    places = [sql.bound(value, one.kind) for value in asked.values]
    if asked.op in ("at_least", "at_most"):
        if one.kind not in NUMBERS or len(places) > 1:
            raise Refused(f"{at}/values", f"{asked.op} compares a number with one value")
        return f"{column} {'>=' if asked.op == 'at_least' else '<='} {places[0]}"
    found = f"{column} IN ({', '.join(places)})"
    return found if asked.op == "is" else f"({column} IS NULL OR NOT {found})"


def _value(value: Any, kind: str) -> Slice:
    if value is None:
        return None
    text = str(value)
    return int(text) if kind == "bigint" else text.lower() if kind == "boolean" else text


def _fits(value: Value, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, str):
        return kind == "string"
    return kind == "double" or (kind == "bigint" and isinstance(value, int))
