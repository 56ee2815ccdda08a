"""The SQL files: they fit Redshift, the event schemas and the values that Terraform gives."""

import re
from pathlib import Path

import pytest
import sqlglot
from emulated_warehouse import VALUES
from sqlglot import exp
from tools import warehouse as command
from tools.warehouse_lint import VARIABLES, faults
from warehouse.sql_files import HERE, VARIABLE, Migration, load, refresh

REPOSITORY = Path(__file__).parents[2]
SCHEMAS = REPOSITORY / "event-schemas"
TEXTS = {migration.name: migration.text for migration in load()}


def created(text: str, name: str) -> exp.Schema:
    """Return the columns of a table that a text creates."""
    for statement in text.split(";\n"):
        if re.search(rf"CREATE TABLE (IF NOT EXISTS )?{re.escape(name)} ", statement):
            tree = sqlglot.parse_one(statement, read="redshift")
            assert isinstance(tree.this, exp.Schema)
            return tree.this
    raise AssertionError(f"no {name}")


def columns(schema: exp.Schema) -> list[str]:
    """Return the definitions of columns."""
    return [column.sql("redshift") for column in schema.expressions if isinstance(column, exp.ColumnDef)]


def test_there_are_no_faults() -> None:
    assert command.lint() == []


def test_variables_are_those_that_are_filled() -> None:
    text = (REPOSITORY / "infrastructure" / "modules" / "warehouse" / "function.tf").read_text()
    block = re.search(r"values = \{\n(.*?)\n  \}", text, re.DOTALL)
    assert block
    named = {name for migration in load() for name in VARIABLE.findall(migration.text)}
    assert set(re.findall(r"(\w+) +=", block[1])) == VALUES.keys() == VARIABLES == named


def test_events_have_the_columns_of_the_schemas() -> None:
    generated = (SCHEMAS / "generated" / "events.redshift.sql").read_text()
    expected = columns(created(generated, "events"))
    assert len(expected) > 20
    assert sorted(column.sql("redshift") for column in kept()) == sorted(expected)


def kept() -> list[exp.ColumnDef]:
    """Return the columns of fact_events."""
    made = created(TEXTS["0004_facts.sql"], "warehouse.fact_events").expressions
    return [column for column in made if isinstance(column, exp.ColumnDef)]


def test_the_refresh_adds_columns_in_the_tables_order() -> None:
    insert = next(part for part in refresh(VALUES) if "CREATE TEMP TABLE arrivals" in part)
    listed = sqlglot.parse_one(insert, read="redshift").expression.named_selects
    assert listed == [column.name for column in kept()]


def test_the_refresh_reads_each_column_as_it_is_kept() -> None:
    text = (HERE / "refresh.sql").read_text()
    for column in kept():
        name = column.name
        kind = column.args["kind"].sql("redshift").replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
        cast = "" if kind == "SUPER" else f"::(VARCHAR\\(\\d+\\)::)?{re.escape(kind)}"
        assert re.search(rf"s\.event\.{name}{cast} AS {name},", text), name


def test_the_streaming_view_has_the_columns_that_redshift_gives() -> None:
    view = Migration(2, "", TEXTS["0002_stream.sql"]).statements(VALUES)[2]
    tree = sqlglot.parse_one(view, read="redshift")
    assert isinstance(tree, exp.Create)
    read = {column.name for column in tree.find_all(exp.Column)}
    assert read == {
        "approximate_arrival_timestamp", "kinesis_data", "refresh_time", "sequence_number", "shard_id",
    }  # fmt: skip
    assert "AUTO REFRESH YES" in view
    assert tree.expression.named_selects == [
        "arrived_at", "shard_id", "sequence_number", "refresh_time", "event", "unreadable",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("CREATE TABLE a.b (x JSONB) DISTSTYLE ALL", "no type JSONB"),
        ("CREATE TABLE a.b (x UUID) DISTSTYLE ALL", "no type UUID"),
        ("CREATE TABLE a.b (x INTEGER[]) DISTSTYLE ALL", "no type"),
        ("CREATE TABLE a.b (x VARCHAR(70000)) DISTSTYLE ALL", "at most 65535"),
        ("CREATE TABLE a.b (x INTEGER)", "DISTKEY or DISTSTYLE"),
        ("CREATE UNIQUE INDEX i ON a.b (x)", "an index"),
        ("INSERT INTO a.b VALUES (1) ON CONFLICT DO NOTHING", "ON CONFLICT"),
        ("SELECT DISTINCT ON (x) x FROM a.b", "DISTINCT ON"),
        ("SELECT COUNT(*) FILTER (WHERE x = 1) FROM a.b", "FILTER"),
        ("SELECT STRING_AGG(x, ',') FROM a.b", "STRING_AGG is no function"),
        ("SELECT GENERATE_SERIES(1, 2)", "GENERATE_SERIES is no function"),
        ("SELECT NOW()", "NOW is no function"),
        ("SELECT COUNT(DISTINCT x), PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x) FROM a.b", "beside COUNT"),
        ("SELECT x AS tag FROM a.b", "TAG is a reserved word"),
        ("TRUNCATE a.b", "TRUNCATE"),
        ("VACUUM a.b", "cannot hold"),
        ("CREATE EXTERNAL SCHEMA IF NOT EXISTS a FROM KINESIS IAM_ROLE 'x'", "cannot be undone"),
        ("SELECT '{{password}}'", "password is not known"),
        ("SELEC 1", "Redshift could not parse it"),
        ("CREATE EXTERNAL SCHEMA a FROM DATA CATALOG DATABSE 'x'", "Redshift could not parse it"),
        ("LOCK TABEL a.b", "Redshift could not parse it"),
        ("CREATE VIEW a.b AS SELECT x FROM gold.daily", "ends in WITH NO SCHEMA BINDING"),
        ("CREATE VIEW a.b AS SELECT x FROM gold.daily WITH NO BINDING", "Redshift could not parse it"),
        ("CREATE VIEW a.b AS SELECT x FROM daily WITH NO SCHEMA BINDING", "names the schema of each table"),
    ],
)  # fmt: skip
def test_what_redshift_refuses_is_found(sql: str, fault: str) -> None:
    found = faults(Migration(1, "0001_one.sql", f"{sql};\n"))
    assert any(fault in line for line in found), found


def test_too_many_statements_and_a_missing_end_are_found() -> None:
    found = faults(Migration(1, "0001_one.sql", "SELECT 1;\n" * 38 + "SELECT 2"))
    assert ["39 statements" in found[1], "semicolon" in found[0]] == [True, True]
