"""The saved queries of Athena name tables and columns that exist."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from telemetry import metric_model

MODULE = Path(__file__).resolve().parents[2] / "infrastructure/modules/lake_tables"
QUERIES = sorted((MODULE / "queries").glob("*.sql"))


@pytest.fixture(scope="module")
def schema() -> dict[str, dict[str, str]]:
    """The type of each column by table."""
    gold: dict[str, Any] = json.loads((MODULE / "tables/gold.json").read_text())
    kept: dict[str, Any] = json.loads((MODULE / "tables/kept.json").read_text())
    tables = {name: table["columns"] for name, table in (gold | kept).items()}
    tables["events"] = json.loads((MODULE / "tables/events.json").read_text())
    tables["ad_spend"] = json.loads((MODULE / "tables/ad_spend.json").read_text())["columns"]
    return {name: {column["name"]: column["type"] for column in columns} for name, columns in tables.items()}


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_saved_query_asks_for_what_there_is(path: Path, schema: dict[str, dict[str, str]]) -> None:
    (query,) = sqlglot.parse(path.read_text(), read="athena")
    assert isinstance(query, exp.Select)
    qualify(query, schema=schema, dialect="athena", validate_qualify_columns=True)
    # A part of a query has the columns that it selects.
    known = schema | {one.alias: dict.fromkeys(one.this.named_selects, "") for one in query.find_all(exp.CTE)}
    tables = {table.alias_or_name: known[table.name] for table in query.find_all(exp.Table)}
    assert tables
    for column in query.find_all(exp.Column):
        if column.table:
            assert column.name in {*tables.get(column.table, ()), *query.named_selects}


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_saved_query_reads_one_game_and_a_bounded_time(path: Path) -> None:
    (query,) = sqlglot.parse(path.read_text(), read="athena")
    assert query is not None
    where = query.args["where"]
    assert len(list(where.find_all(exp.Placeholder))) == 1
    days = ("event_date", "cohort_date", "exposure_date")
    assert any(column.name in days for column in where.find_all(exp.Column))


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_saved_query_adds_no_totals_to_their_parts(path: Path, schema: dict[str, dict[str, str]]) -> None:
    """Gold has a row for * beside those of each platform, country and version: a query names one kind."""
    (query,) = sqlglot.parse(path.read_text(), read="athena")
    assert query is not None
    parts = {one.alias for one in query.find_all(exp.CTE)}
    # Silver, the kept tables and costs have a row for what happened, and none for totals.
    for table in query.find_all(exp.Table):
        if table.name in ("events", "ad_spend", *parts) or table.name.startswith("kept_"):
            continue
        select = table.find_ancestor(exp.Select)
        assert select is not None
        compared = {
            comparison.this.name
            for comparison in select.args["where"].find_all(exp.EQ, exp.NEQ)
            if comparison.expression.name == "*"
        }
        with_totals = {"platform", "country", "app_version", "custom_1", "custom_2", "reason"} & set(
            schema[table.name]
        )
        assert compared == with_totals


def ranked_across_currencies(query: exp.Expression, amounts: set[str]) -> list[str]:
    """Return the amounts that rows of several currencies are ordered by."""
    order = [one.this.name for one in query.args["order"].expressions] if query.args.get("order") else []
    if "currency" not in query.named_selects:
        return []
    return [name for place, name in enumerate(order) if name in amounts and "currency" not in order[:place]]


AMOUNTS = {
    metric.name
    for table in metric_model.tables().values()
    for metric in table.metrics.values()
    if metric.unit in ("micros", "minor", "units")
}


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_saved_query_ranks_amounts_within_a_currency(path: Path) -> None:
    (query,) = sqlglot.parse(path.read_text(), read="athena")
    assert query is not None
    assert ranked_across_currencies(query, AMOUNTS) == []


def test_an_order_across_currencies_is_seen() -> None:
    query = sqlglot.parse_one(
        "SELECT currency, revenue_micros FROM ads ORDER BY revenue_micros DESC, currency"
    )
    assert ranked_across_currencies(query, AMOUNTS) == ["revenue_micros"]


def test_days_of_a_studios_clock() -> None:
    """Worked out by hand: Tokyo is nine hours ahead of UTC all year."""
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    # Functions of Trino that DuckDB has under another name.
    database.execute("CREATE MACRO with_timezone(moment, zone) AS timezone(zone, moment)")
    database.execute("CREATE MACRO at_timezone(moment, zone) AS timezone(zone, moment)")
    database.execute(
        "CREATE TABLE events (game_id text, player_id text, corrected_time timestamp, event_date date)"
    )
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for game, player, hours in (
        ("sky", "a", -9.01),  # 14:59 UTC of yesterday is 23:59 of yesterday in Tokyo
        ("sky", "a", -9), ("sky", "b", -1), ("sky", "b", 14.99),  # all of today in Tokyo, on two UTC days
        ("sky", "b", 15), ("other", "c", 0),
    ):  # fmt: skip
        moment = today + timedelta(hours=hours)
        database.execute("INSERT INTO events VALUES (?, ?, ?, ?)", [game, player, moment, moment.date()])
    sql = sqlglot.transpile((MODULE / "queries/local_days.sql").read_text(), read="athena", write="duckdb")[0]
    day = today.date()
    assert database.execute(sql, ["sky"]).fetchall() == [
        (day - timedelta(1), 1, 1),
        (day, 2, 3),
        (day + timedelta(1), 1, 1),
    ]
