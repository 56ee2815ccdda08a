"""PostgreSQL in the place of Redshift: translated SQL, and a Data API that answers later.

The streaming view is a table with the view's columns. An external schema on the Glue catalog is a schema with
a table for each Iceberg table that Terraform declares, in the types that Redshift gives its columns. Tests
fill the tables.

This proves that views, facts and analysts' queries fit the declared columns and types, and that gold's rows
pass through unchanged. It does not prove that Redshift reads Iceberg, assumes the roles, reaches Glue and S3,
or resolves a late-binding view at each query: PostgreSQL fixes the columns of a view when it is created.
"""

import json
import logging
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlglot
from sqlglot import exp

SUPER = {"event", "payload", "client", "privacy"}
PLACEMENT = (exp.DistKeyProperty, exp.DistStyleProperty, exp.SortKeyProperty)
STREAM = (
    "CREATE TABLE staging.enriched_events (arrived_at TIMESTAMP, shard_id TEXT, sequence_number TEXT,"
    " refresh_time TIMESTAMP, event JSONB, unreadable BYTEA)"
)
TABLES = Path(__file__).parents[2] / "infrastructure" / "modules" / "lake_tables" / "tables"
# docs.aws.amazon.com/redshift/latest/dg/querying-iceberg-supported-data-types.html, by Glue's names. Redshift
# cuts a longer string. It reads no time, uuid or fixed, and Iceberg has no smaller integer.
ICEBERG = {
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "double": "DOUBLE PRECISION",
    "float": "REAL",
    "int": "INTEGER",
    "string": "VARCHAR(16384)",
    "timestamp": "TIMESTAMP",
}
NESTED = ("array<", "map<", "struct<")
CATALOG_SCHEMA = re.compile(r"CREATE EXTERNAL SCHEMA IF NOT EXISTS (\w+) FROM DATA CATALOG")
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def declared(layer: str) -> dict[str, dict[str, str]]:
    """Return the Glue types of each table of silver or gold by column, as Terraform declares them.

    The warehouse reads costs of advertising with gold.
    """
    if layer == "silver":
        tables = {"events": {"columns": _declared("events")}}
    else:
        tables = _declared("gold") | {"ad_spend": _declared("ad_spend")}
    return {
        name: {column["name"]: column["type"] for column in table["columns"]}
        for name, table in tables.items()
    }


def _declared(name: str) -> Any:
    return json.loads((TABLES / f"{name}.json").read_text())


def redshift_type(glue: str) -> str:
    """Return the type that Redshift gives a column of an Iceberg table; a KeyError where it reads none."""
    if re.fullmatch(r"decimal\(\d+, ?\d+\)", glue):
        return glue.upper()
    return "SUPER" if glue.startswith(NESTED) else ICEBERG[glue]


def _external_schema(name: str) -> str:
    tables = (
        f"CREATE TABLE {name}.{table} ({', '.join(f'{c} {redshift_type(t)}' for c, t in columns.items())})"
        for table, columns in declared(name).items()
    )
    # A statement that is repeated must find the tables of the first time.
    return f"CREATE SCHEMA IF NOT EXISTS {name};" + ";".join(
        table.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS").replace("SUPER", "JSONB")
        for table in tables
    )


def translate(statement: str) -> str | None:
    """Return a statement of Redshift for PostgreSQL, None where there is nothing to do."""
    tree = sqlglot.parse_one(statement, read="redshift")
    if isinstance(tree, exp.Command):
        catalog = CATALOG_SCHEMA.search(statement)
        if catalog:
            return _external_schema(catalog[1])
        return None if "EXTERNAL SCHEMA" in statement else statement
    if isinstance(tree, exp.Create):
        tree.set("no_schema_binding", None)
    if tree.args.get("kind") == "VIEW" and "MATERIALIZED" in statement:
        return STREAM if isinstance(tree, exp.Create) else "DROP TABLE IF EXISTS staging.enriched_events"
    for properties in tree.find_all(exp.Properties):
        properties.set("expressions", [p for p in properties.expressions if not isinstance(p, PLACEMENT)])
    return tree.transform(_navigate).transform(_type).sql("postgres")


def _navigate(node: exp.Expression) -> exp.Expression:
    """Turn a path into a SUPER column into a path into JSON: as text where a value is asked for."""
    if not isinstance(node, exp.Column):
        return node
    table, *path = [part.name for part in node.parts]
    if len(path) < 2 or path[0] not in SUPER:
        return node
    value = isinstance(node.parent, exp.Cast | exp.Is)
    operator = exp.JSONBExtractScalar if value else exp.JSONBExtract
    return operator(
        this=exp.column(path[0], table), expression=exp.Literal.string("{" + ",".join(path[1:]) + "}")
    )


def _type(node: exp.Expression) -> exp.Expression:
    return (
        exp.DataType.build("jsonb")
        if isinstance(node, exp.DataType) and node.this is exp.DType.SUPER
        else node
    )


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of the tests' own, reached by a socket in its directory."""

    directory: Path

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Connect in UTC, as Redshift's sessions are."""
        return psycopg.connect(
            host=str(self.directory),
            user="postgres",
            dbname=database,
            autocommit=True,
            options="-c timezone=UTC",
        )

    def database(self) -> str:
        """Make an empty database and return its name."""
        name = f"d{uuid4().hex}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return name


@contextmanager
def postgres() -> Iterator[Server]:
    """Run a server; skip where there is no PostgreSQL, or no user to run it: it refuses root."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(binaries[-1]) if binaries else shutil.which("initdb")
    if not initdb:
        pytest.skip("PostgreSQL is not installed: no initdb")
    user = "postgres" if os.geteuid() == 0 else None
    directory = Path(mkdtemp(prefix="pg"))
    if user:
        try:
            shutil.chown(directory, user)
        except LookupError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")

    def run(command: str, *arguments: str) -> None:
        subprocess.run(
            [Path(initdb).with_name(command), "-D", directory / "data", *arguments],
            check=True, stdout=subprocess.DEVNULL, user=user, cwd=directory,
        )  # fmt: skip

    try:
        run("initdb", "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={directory} -c fsync=off"
        run("pg_ctl", "start", "-w", "-o", options, "-l", str(directory / "log"))
        try:
            yield Server(directory)
        finally:
            run("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@dataclass
class Statement:
    """What the Data API remembers of one."""

    name: str
    status: str = "SUBMITTED"
    errors: list[str | None] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)


class DataApi:
    """Answers as boto3's client does: at once, while another thread runs the statements in their session."""

    def __init__(self, server: Server, database: str) -> None:
        """Take the database that stands for the workgroup's."""
        self.server, self.database = server, database
        self.statements: dict[str, Statement] = {}
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.fail_at, self.fail_with = "", "planted"

    def execute_statement(self, Sql: str, StatementName: str, **target: str) -> dict[str, str]:  # noqa: N803
        """Take one statement, which runs outside a transaction."""
        return self._start([Sql], StatementName)

    def batch_execute_statement(self, **given: Any) -> dict[str, str]:
        """Take at most 40 statements, which run in one transaction."""
        assert 0 < len(given["Sqls"]) <= 40
        return self._start(given["Sqls"], given["StatementName"])

    def describe_statement(self, Id: str) -> dict[str, Any]:  # noqa: N803
        """Say how far a statement is."""
        found = self.statements[Id]
        parts = [{"Status": "FAILED" if error else "FINISHED", "Error": error} for error in found.errors]
        return {"Status": found.status, "SubStatements": parts}

    def get_paginator(self, operation: str) -> Any:
        """Return an object whose `paginate` gives pages."""
        return self

    def paginate(self, Id: str = "", StatementName: str = "", **scope: str) -> list[dict[str, Any]]:  # noqa: N803
        """Return a statement's rows on two pages, or the statements whose name begins so."""
        if Id:
            records = [[_cell(value) for value in row] for row in self.statements[Id].rows]
            return [{"Records": records[:1]}, {"Records": records[1:]}]
        listed = [
            {"Id": key, "Status": found.status}
            for key, found in self.statements.items()
            if found.name.startswith(StatementName)
        ]
        return [{"Statements": listed}]

    def _start(self, sqls: Sequence[str], name: str) -> dict[str, str]:
        key, statement = uuid4().hex, Statement(name)
        self.statements[key] = statement
        threading.Thread(target=self._run, args=(statement, list(sqls)), daemon=True).start()
        return {"Id": key}

    def _run(self, statement: Statement, sqls: list[str]) -> None:
        statement.status = "STARTED"
        self.may_go_on.wait()
        with self.server.connect(self.database) as connection:
            connection.autocommit = len(sqls) == 1
            for sql in sqls:
                try:
                    if self.fail_at and self.fail_at in sql:
                        raise psycopg.Error(self.fail_with)
                    statement.rows = execute(connection, sql)
                    statement.errors.append(None)
                except psycopg.Error as error:
                    connection.rollback()
                    statement.errors.append(str(error))
                    statement.status = "FAILED"
                    return
            connection.commit()
            statement.status = "FINISHED"


def execute(connection: psycopg.Connection[Any], sql: str) -> list[tuple[Any, ...]]:
    """Run a statement of Redshift's; return its rows, if it has any."""
    translated = translate(sql)
    if translated is None:
        return []
    cursor = connection.execute(translated)  # type: ignore[arg-type]
    return cursor.fetchall() if cursor.description else []


def _cell(value: object) -> dict[str, object]:
    return {"longValue" if isinstance(value, int) else "stringValue": value}
