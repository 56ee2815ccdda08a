"""Custom dimensions change only figures that ask for them, and each reader of gold tells values apart."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd
import pytest
import sqlglot
from duckdb_nights import DuckDB
from gold_tables import DuckGold
from metrics_api.history_query import Days, Question
from night_lake import Lake
from nights import START, Event, World, exact, valued
from scheduled_reports.figures import Period
from scheduled_reports.sections import Section
from telemetry import metric_model
from telemetry.dimensions import Declared, Dimension
from telemetry.lake_reader import Version
from telemetry.metric_model import CUSTOM
from tools import REPOSITORY, gold, quicksight, report_history

MODULES = REPOSITORY / "infrastructure" / "modules"
QUERIES = sorted((MODULES / "lake_tables" / "queries").glob("*.sql"))
# The tables that tell custom dimensions apart.
TABLES = [name for name, table in metric_model.tables().items() if set(CUSTOM) & set(table.grain)]
# What the saved queries take for today, and a week before it that is over.
LENGTH = 45
TODAY, LAST = START + timedelta(LENGTH), START + timedelta(LENGTH - 2)
DECLARED = Declared(
    {1: Dimension("class", "install", frozenset()), 2: Dimension("shard", "current", frozenset())}
)


class Lakes(NamedTuple):
    """Gold of the events of a game without custom dimensions, and of the same events with them."""

    plain: DuckDB
    told: DuckDB


def played() -> list[Event]:
    """Return the events of a game with custom dimensions."""
    return valued([one for one in World(171, LENGTH, players=9).events if one["game_id"] == "g"], 171)


def made(events: Iterable[Event]) -> DuckDB:
    lake = Lake()
    lake.run(events)
    lake.store.database.execute("USE lake")
    return lake.store


@pytest.fixture(scope="module")
def lakes() -> Lakes:
    events = played()
    return Lakes(made([one | dict.fromkeys(("install_1", "custom_2")) for one in events]), made(events))


def counted(rows: Iterable[Sequence[Any]]) -> Counter[tuple[Any, ...]]:
    """Return how often there is each row: what two engines add up in another order is equal."""
    return Counter(tuple(map(exact, row)) for row in rows)


def asked(store: DuckDB, query: str) -> list[dict[str, Any]]:
    """Return the answer of a saved query on the day after the last."""
    sql = query.replace("current_date", f"DATE '{TODAY}'")
    (translated,) = sqlglot.transpile(sql, read="athena", write="duckdb")
    found = store.database.execute(translated, ["g"])
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def tables_of(query: str) -> set[str]:
    return {table.name for table in sqlglot.parse_one(query, read="athena").find_all(sqlglot.exp.Table)}


# Neither silver nor costs are in this lake. Two queries ask for custom dimensions.
TOTALS = [
    path
    for path in QUERIES
    if not {"events", "ad_spend"} & tables_of(path.read_text()) and not path.stem.endswith("_by_dimension")
]


def test_the_lake_has_rows_of_both_dimensions_in_each_table(lakes: Lakes) -> None:
    for table in TABLES:
        for column in CUSTOM:
            query = f"SELECT count(*) FROM lake.{table} WHERE {column} <> '*'"
            assert (lakes.plain.rows(query), lakes.told.rows(query)[0][0] > 5) == ([(0,)], True)
    assert TABLES == [
        "daily", "revenue", "retention", "lifetime_value", "economy", "progression", "stability",
        "performance", "design", "ads", "tutorial", "matches", "acquisition", "acquisition_value",
        "total_revenue", "performance_bins",
    ]  # fmt: skip


@pytest.mark.parametrize("path", TOTALS, ids=lambda path: path.stem)
def test_a_saved_query_has_the_same_answer(lakes: Lakes, path: Any) -> None:
    before, after = (asked(store, path.read_text()) for store in lakes)
    assert counted(row.values() for row in after) == counted(row.values() for row in before)
    assert after or tables_of(path.read_text()).isdisjoint(TABLES)


def test_a_saved_query_that_adds_values_to_their_total_is_seen(lakes: Lakes) -> None:
    query = (MODULES / "lake_tables/queries/lifetime_value.sql").read_text()
    wrong = query.replace(" AND custom_1 = '*' AND custom_2 = '*'", "")
    assert wrong != query
    before, after = (asked(store, wrong) for store in lakes)
    assert counted(row.values() for row in after) != counted(row.values() for row in before)


def read_from(store: DuckDB, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scripts read a lake."""

    def table(name: str, game: str, **equal: str) -> pd.DataFrame:
        where = " AND ".join(f"{column} = '{value}'" for column, value in {"game_id": game, **equal}.items())
        rows: pd.DataFrame = store.database.execute(f"SELECT * FROM lake.{name} WHERE {where}").df()
        return rows.assign(event_date=rows["event_date"].dt.date)

    monkeypatch.setattr(gold, "sql", lambda query, *values: store.database.execute(query, list(values)).df())
    monkeypatch.setattr(gold, "table", table)
    links = pd.DataFrame({"event_date": []})
    monkeypatch.setattr(gold, "answer", lambda *_: links)


def reported(of: Iterable[Section]) -> list[Any]:
    return [
        (section.title, section.columns, [(name, *map(exact, values)) for name, values in section.rows])
        for section in of
    ]


def test_the_report_has_the_same_figures(lakes: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for store in lakes:
        read_from(store, monkeypatch)
        found.append(
            [
                *(reported(report_history.sections("g", Period(kind, LAST))) for kind in ("day", "week")),
                report_history.days("g", START),
            ]
        )
    before, after = found
    assert after == before
    assert len(before[1]) > 8


def of_api(store: DuckDB) -> DuckGold:
    """Return the tables as the API reads them."""
    found = DuckGold()
    for table in metric_model.tables().values():
        rows = store.database.execute(f"SELECT {', '.join(table.types)} FROM lake.{table.name}")
        found.database.register("rows", rows.fetch_arrow_table())
        found.database.execute(f"INSERT INTO {table.name} SELECT * FROM rows")
        found.database.unregister("rows")
    return found


def questions() -> Iterable[Question]:
    """Yield what the API may be asked of the tables without a custom dimension."""
    for table in (metric_model.tables()[name] for name in TABLES):
        columns = [name for name in table.grain if name not in ("game_id", table.day_column, *CUSTOM)]
        for grain in ("day", "week", "range"):
            for by in ((), *((name,) for name in columns)):
                question = Question(table, "g", Days(START, LAST), grain, by)  # type: ignore[arg-type]
                right = tuple(one for one in table.metrics.values() if not question.refusal(one))
                if right:
                    yield Question(table, "g", question.days, question.grain, by, (), right)


def test_the_api_has_the_same_answers(lakes: Lakes) -> None:
    before, after = map(of_api, lakes)
    found = 0
    for question in questions():
        query = question.query()
        rows = [one.run(query, Version("", "")).rows for one in (before, after)]
        assert counted(rows[1]) == counted(rows[0]), query.sql
        found += len(rows[0])
    assert found > 500


def visuals() -> list[quicksight.Visual]:
    lines = csv.DictReader((MODULES / "quicksight/visuals.csv").read_text().splitlines())
    every = [quicksight._visual(line, metric_model.tables()) for line in lines]
    return [one for one in every if one.table.name in TABLES]


PARAMETERS = {
    "Game": "g", "Platform": "*", "Country": "*", "Version": "*", "Currency": "USD", "Measure": "fps",
}  # fmt: skip


def drawn(store: DuckDB, visual: quicksight.Visual) -> list[dict[str, Any]]:
    """Return the rows of gold that a visual of QuickSight shows."""
    signs = {"EQUALS": "=", "DOES_NOT_EQUAL": "<>"}
    where = " AND ".join(
        f"{one.column} {signs[one.operator]} '{PARAMETERS[one.value] if one.is_parameter else one.value}'"
        for one in quicksight._restrictions(visual)
        if one.column in visual.table.types
    )
    columns = list(visual.table.types)
    rows = store.rows(f"SELECT {', '.join(columns)} FROM lake.{visual.table.name} WHERE {where}")
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.mark.parametrize("visual", visuals(), ids=lambda one: one.id)
def test_a_visual_shows_values_only_where_it_tells_them_apart(
    lakes: Lakes, visual: quicksight.Visual
) -> None:
    before, after = (drawn(store, visual) for store in lakes)
    if apart := set(CUSTOM) & set(visual.dimensions):
        assert {row[name] == "*" for name in apart for row in after} == {False}
        assert before == []
    else:
        assert counted(row.values() for row in after) == counted(row.values() for row in before)
        assert after


# The definition: a player counts for each value of the day's events, but for refunds, which are no activity.
def active() -> dict[tuple[date, str], int]:
    players = defaultdict(set)
    for one in played():
        if one["event_type"] != "refund":
            players[one["event_date"], one["custom_2"]].add(one["player_id"])
    return {place: len(found) for place, found in players.items()}


def test_readers_tell_the_active_players_of_each_value(lakes: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = active()
    assert len({value for _, value in truth}) == 5
    query = (MODULES / "lake_tables/queries/players_by_dimension.sql").read_text()
    saved = {
        (row["event_date"], row["custom_2"]): row["active_players"]
        for row in asked(lakes.told, query)
        if row["custom_2"] != "*"
    }
    first = TODAY - timedelta(30)
    assert saved == {place: count for place, count in truth.items() if place[0] >= first}
    table = metric_model.tables()["daily"]
    of_values = Question(
        table, "g", Days(START, TODAY), "day", ("custom_2",), (), (table.metrics["active_players"],)
    )
    api = of_api(lakes.told).run(of_values.query(), Version("", "")).rows
    assert {(day, value): count for day, value, count in api} == truth
    read_from(lakes.told, monkeypatch)
    for day in sorted({day for day, _ in truth})[-3:]:
        sections = report_history.sections("g", Period("day", day), None, DECLARED)
        (section,) = [one for one in sections if one.title == "Players by shard"]
        place = [label for label, _ in section.columns].index("Active players")
        shown = {name: values[place] for name, values in section.rows}
        assert shown == {value: count for (one, value), count in truth.items() if one == day}


def test_the_report_has_a_section_for_each_declared_dimension(
    lakes: Lakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from(lakes.told, monkeypatch)
    every = [one.title for one in report_history.sections("g", Period("week", LAST), None, DECLARED)]
    assert [title for title in every if " by " in title] == [
        "Players by class", "Revenue by class: EUR", "Revenue by class: USD",
        "Players by shard", "Revenue by shard: EUR", "Revenue by shard: USD",
    ]  # fmt: skip
    read_from(lakes.plain, monkeypatch)
    none = [one.title for one in report_history.sections("g", Period("week", LAST), None, DECLARED)]
    assert not [title for title in none if " by " in title]


def test_revenue_of_all_values_is_the_revenue(lakes: Lakes) -> None:
    """Each purchase has one value of each dimension: sums over values are those over all."""
    query = (MODULES / "lake_tables/queries/revenue_by_dimension.sql").read_text()
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in asked(lakes.told, query):
        for column in CUSTOM:
            if row[column] != "*":
                names = ("purchases", "gross_minor", "refunded_minor", "net_minor")
                sums[row["currency"], column].update({name: int(row[name]) for name in names})
    totals = " AND ".join(f"{name} = '*'" for name in metric_model.tables()["revenue"].with_totals)
    total = lakes.told.rows(
        "SELECT currency, SUM(purchases), SUM(gross_minor), SUM(refunded_minor), SUM(net_minor) "
        f"FROM lake.revenue WHERE {totals} AND event_date >= DATE '{TODAY - timedelta(30)}' "
        "GROUP BY currency"
    )
    assert {(currency, column) for currency, *_ in total for column in CUSTOM} == set(sums)
    assert sum(gross for _, _, gross, *_ in total) > 0
    for currency, *values in total:
        for column in CUSTOM:
            assert list(sums[currency, column].values()) == [int(value) for value in values]
