"""Answers of the lake's gold tables: from Parquet files with DuckDB, or from AWS with Athena.

GOLD_DIRECTORY names a directory with <table>/**/*.parquet; without one ATHENA_WORKGROUP and
LAKE_DATABASE name where to ask on AWS (`scripts/terraform prod output`).
"""

import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import duckdb

QUERIES = Path(__file__).resolve().parents[1] / "infrastructure" / "modules" / "lake_tables" / "queries"
POLL_SECONDS = 1.0

Columns = dict[str, list[Any]]

# What Athena answers is text.
ATHENA_TYPES: dict[str, Callable[[str], Any]] = {
    "bigint": int,
    "boolean": lambda text: text == "true",
    "date": date.fromisoformat,
    "double": float,
    "integer": int,
}


def answer(question: str, game_id: str) -> Columns:
    """Return the columns of a saved query's answer for a game, each a list of a value a row.

    Raises FileNotFoundError for a question that is not saved, RuntimeError where the lake gives no answer.
    """
    sql = (QUERIES / f"{question}.sql").read_text()
    if directory := os.environ.get("GOLD_DIRECTORY"):
        return _of_files(Path(directory), sql, game_id)
    return _of_athena(sql, game_id)


def _of_files(directory: Path, sql: str, game_id: str) -> Columns:
    with duckdb.connect() as connection:
        for table in sorted(path.name for path in directory.iterdir() if path.is_dir()):
            files = str(directory / table / "**" / "*.parquet").replace("'", "''")
            connection.execute(f"CREATE VIEW \"{table}\" AS FROM read_parquet('{files}')")
        found = connection.execute(sql, [game_id])
        names = [column[0] for column in found.description or ()]
        rows = found.fetchall()
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}


def _of_athena(sql: str, game_id: str) -> Columns:
    athena = boto3.client("athena")
    started = athena.start_query_execution(
        QueryString=sql,
        ExecutionParameters=["'" + game_id.replace("'", "''") + "'"],
        QueryExecutionContext={"Database": os.environ["LAKE_DATABASE"]},
        WorkGroup=os.environ["ATHENA_WORKGROUP"],
    )
    execution_id = started["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(POLL_SECONDS)
    if status["State"] != "SUCCEEDED":
        raise RuntimeError(f"Athena gave no answer: {status.get('StateChangeReason', status['State'])}")
    pages = list(athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id))
    described = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    header, *rows = (row["Data"] for page in pages for row in page["ResultSet"]["Rows"])
    names = [cell["VarCharValue"] for cell in header]
    types = [ATHENA_TYPES.get(column["Type"], str) for column in described]
    texts = {name: [row[index].get("VarCharValue") for row in rows] for index, name in enumerate(names)}
    return {
        name: [None if text is None else parse(text) for text in texts[name]]
        for name, parse in zip(names, types, strict=True)
    }
