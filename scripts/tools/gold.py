"""Read the lake's tables as data frames: with PyIceberg and DuckDB, or with Athena.

LAKE_DATABASE names the Glue database; without it the tables are those of this checkout's emulator.
ATHENA_WORKGROUP chooses Athena; without it the files of the tables are read, which needs no engine and suits
the emulator and small questions. GAMES_TABLE names the table of games, which has the intended shares of
experiments.

    gold.table("daily", "arena", platform="ios", country="*", app_version="*", custom_1="*", custom_2="*")
    gold.table("experiment_design", game="arena", depth="2", experiment="shop")
    gold.sql("SELECT experiment, variant, exposed_players FROM experiments WHERE game_id = ?", "arena")
    gold.answer("retention_triangle", "arena")
"""

import os
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import boto3
import duckdb
import pandas as pd
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, EqualTo
from pyiceberg.table import Table

from tools import CommandError, emulator, games, infrastructure, lake_tables

QUERIES = infrastructure.INFRASTRUCTURE / "modules" / "lake_tables" / "queries"
POLL_SECONDS = 1.0
# What Athena answers is text.
ATHENA_TYPES: dict[str, Callable[[str], Any]] = {
    "bigint": int,
    "boolean": lambda text: text == "true",
    "date": date.fromisoformat,
    "decimal": Decimal,
    "double": float,
    "integer": int,
    "timestamp": datetime.fromisoformat,
}


def use(outputs: Mapping[str, Any], *, local: bool) -> None:
    """Read the tables of an applied environment from now on."""
    os.environ["LAKE_DATABASE"] = outputs["lake_database"]
    os.environ["GAMES_TABLE"] = outputs["tables"]["games"]
    os.environ["GAME_DAYS_TABLE"] = outputs["tables"]["game_days"]
    if local:
        os.environ.pop("ATHENA_WORKGROUP", None)
    else:
        os.environ["ATHENA_WORKGROUP"] = outputs["athena_workgroup"]


def answer(question: str, game: str) -> pd.DataFrame:
    """Return the answer of a saved query for a game. Raises FileNotFoundError for one that is not saved."""
    return sql((QUERIES / f"{question}.sql").read_text(), game)


def shares(game: str) -> dict[str, dict[str, int]]:
    """Return the intended shares of variants by experiment (scripts/games shares).

    There are none where the lake is named without GAMES_TABLE. Raises CommandError for an unregistered game.
    """
    _database()
    table = os.environ.get("GAMES_TABLE")
    return games.shares_of(boto3.resource("dynamodb").Table(table), game) if table else {}


# Typed as anything: mypy reads the signature that pyiceberg's metaclass makes in two ways, run by run.
equal_to: Any = EqualTo


def table(name: str, /, game: str | None = None, **equal: str | date) -> pd.DataFrame:
    """Return the rows of a table: of all games or one, and with the values of columns that are named.

    A row of "*" stands beside those of each value: name one of both in each column that has it.
    Raises CommandError for a table that is not there.
    """
    wanted = equal if game is None else {"game_id": game, **equal}
    if os.environ.get("ATHENA_WORKGROUP"):
        columns = (
            f'"{_plain(column)}" = {"CAST(? AS date)" if isinstance(value, date) else "?"}'
            for column, value in wanted.items()
        )
        where = f" WHERE {' AND '.join(columns)}" if wanted else ""
        query = f'SELECT * FROM "{_plain(name)}"{where}'  # noqa: S608 - identifiers
        return _athena(query, tuple(map(str, wanted.values())))
    rows: BooleanExpression = AlwaysTrue()
    for column, value in wanted.items():
        rows = And(rows, equal_to(column, value))
    return iceberg(name).scan(row_filter=rows).to_arrow().to_pandas()


def sql(query: str, *values: str) -> pd.DataFrame:
    """Return the answer of a query over the tables; each ? in it stands for a value.

    Raises CommandError where Athena gives no answer.
    """
    if os.environ.get("ATHENA_WORKGROUP"):
        return _athena(query, values)
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        # DuckDB names the tables of whole statements alone: a value that is null does not change them.
        for name in database.get_table_names(query.replace("?", "NULL")):
            database.register(name, iceberg(name).scan().to_arrow())
        return database.execute(query, list(values)).df()


def iceberg(name: str) -> Table:
    """Return an Iceberg table of the lake. Raises CommandError for one that is not there."""
    database = _database()
    try:
        return lake_tables.catalog().load_table((database, _plain(name)))
    except NoSuchTableError:
        raise CommandError(
            f"{database}.{name} is not there, or is no Iceberg table: scripts/batch tables makes it here"
        ) from None


def _database() -> str:
    if "LAKE_DATABASE" not in os.environ:
        os.environ.update(emulator.local_environment())
        use(infrastructure.outputs("local"), local=True)
    return os.environ["LAKE_DATABASE"]


def _plain(name: str) -> str:
    """Return the name of a table. Raises ValueError for a text that is none: it goes into SQL."""
    if not name.isidentifier():
        raise ValueError(f"{name!r} is not the name of a table")
    return name


def _athena(query: str, values: tuple[str, ...]) -> pd.DataFrame:
    athena = boto3.client("athena")
    parameters = ["'" + value.replace("'", "''") + "'" for value in values]
    start = partial(athena.start_query_execution, ExecutionParameters=parameters) if values else None
    started = (start or athena.start_query_execution)(
        QueryString=query,
        QueryExecutionContext={"Database": _database()},
        WorkGroup=os.environ["ATHENA_WORKGROUP"],
    )
    execution_id = started["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(POLL_SECONDS)
    if status["State"] != "SUCCEEDED":
        raise CommandError(f"Athena gave no answer: {status.get('StateChangeReason', status['State'])}")
    pages = list(athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id))
    described = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    header, *rows = (row["Data"] for page in pages for row in page["ResultSet"]["Rows"])
    names = [cell["VarCharValue"] for cell in header]
    types = [ATHENA_TYPES.get(column["Type"], str) for column in described]
    texts = [[cell.get("VarCharValue") for cell in row] for row in rows]
    return pd.DataFrame(
        {
            name: [None if (text := row[index]) is None else types[index](text) for row in texts]
            for index, name in enumerate(names)
        }
    )
