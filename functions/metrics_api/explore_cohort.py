"""Players with at least so many events of a type: a question of its own, and a filter of other questions."""

from collections.abc import Iterator
from typing import Any

from telemetry.lake_reader import Query, Result

from metrics_api import explore_models as models
from metrics_api.explore_query import Sql, chosen_events, grouped, of_cohort, players_with
from metrics_api.history_query import Days


def query(asked: models.CohortQuestion, game_id: str, days: Days) -> Query:
    """Return the query: players, and the events that they have together. Raises Refused."""
    sql = Sql()
    conditions = [chosen_events(sql, "", asked), *of_cohort(sql, game_id, asked, days)]
    players = players_with(sql, game_id, days, conditions, asked.at_least, "count(*) AS events")
    figures = ["count(*) AS players", "coalesce(sum(events), 0) AS events"]
    return sql.query(grouped(players, [], figures), game_id)


def rows(asked: models.CohortQuestion, days: Days, result: Result) -> Iterator[models.CohortRow]:
    """Yield the row of an answer."""
    for players, events in result.rows:
        yield models.CohortRow(players=int(players), events=int(events))


def lines(asked: models.CohortQuestion, rows: list[models.CohortRow]) -> Iterator[list[Any]]:
    """Yield the lines of a file."""
    yield ["players", "events"]
    for row in rows:
        yield [row.players, row.events]
