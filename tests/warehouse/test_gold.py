"""Gold in the warehouse: external tables as the Glue catalog has them, and the views that analysts query.

The rows are gold by the batch job's own SQL, computed in DuckDB. redshift_on_postgres.py says what PostgreSQL
proves about external tables and what it does not.
"""

import re
from pathlib import Path
from typing import Any

import golden_history as lake
import pytest
import sqlglot
from emulated_warehouse import empty
from redshift_on_postgres import Server, declared, execute, redshift_type
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp
from telemetry import metric_model
from tools.warehouse_lint import EXTERNAL, faults
from warehouse.sql_files import Migration, load
from warehouse_history import History

REPOSITORY = Path(__file__).parents[2]
METRICS = metric_model.document()["tables"]
GUIDE = (REPOSITORY / "docs" / "warehouse.md").read_text()
BLOCKS = re.findall(r"```sql\n(.*?;)\n```", GUIDE, re.DOTALL)
EXAMPLES = [block.removesuffix(";") for block in BLOCKS if block.startswith("SELECT")]
# Types of PostgreSQL for the types of metrics.json.
TYPES = {"bigint": "bigint", "date": "date", "decimal(38,0)": "numeric", "double": "double precision"}


def views() -> dict[str, exp.Create]:
    """Return the views that the migrations create, by name."""
    statements = (part for migration in load() for part in migration.text.split(";\n"))
    trees = [sqlglot.parse_one(part, read="redshift") for part in statements if "CREATE VIEW" in part]
    return {tree.this.sql(): tree for tree in trees if isinstance(tree, exp.Create)}


@pytest.mark.parametrize("answers", lake.ANSWERS)
def test_the_lakes_answers_come_through_the_views(history: History, answers: Any) -> None:
    answers(history)


@pytest.mark.parametrize("table", METRICS)
def test_each_row_of_gold_comes_through_its_view(history: History, table: str) -> None:
    found = [lake.rounded(row) for row in history.after[table]]
    assert len(found) > 20
    assert found == [lake.rounded(row) for row in history.gold[table]]


@pytest.mark.parametrize("table", METRICS)
def test_views_have_the_columns_and_types_of_the_metrics(history: History, table: str) -> None:
    columns = history.warehouse.rows(
        "SELECT column_name, data_type FROM information_schema.columns"
        f" WHERE table_schema = 'metrics' AND table_name = '{table}'"
    )
    found = {column["column_name"]: column["data_type"] for column in columns}
    defined = METRICS[table]["columns"].items()
    assert found == {name: TYPES.get(column["type"], "character varying") for name, column in defined}


def test_each_gold_table_has_a_view_and_nothing_else_has_one() -> None:
    sources = {
        name: [table.sql() for table in tree.expression.find_all(exp.Table)] for name, tree in views().items()
    }
    assert sources == {f"metrics.{table}": [f"gold.{table}"] for table in METRICS}


def test_views_compute_nothing() -> None:
    """A metric is defined once, in gold: a view selects all columns of a table, and nothing besides."""
    for name, tree in views().items():
        assert tree.expression.sql("redshift") == f"SELECT * FROM gold.{name.removeprefix('metrics.')}"
        assert tree.args["no_schema_binding"]


def test_redshift_reads_every_declared_column() -> None:
    tables = [*declared("gold").values(), *declared("silver").values()]
    types = {redshift_type(glue) for columns in tables for glue in columns.values()}
    assert types >= {"BIGINT", "DATE", "DECIMAL(38,0)", "SUPER"}


@pytest.mark.parametrize("glue", ["uuid", "time", "fixed(16)", "smallint", "tinyint", "char(3)"])
def test_a_type_that_redshift_does_not_read_is_found(glue: str) -> None:
    with pytest.raises(KeyError):
        redshift_type(glue)


def test_no_string_of_silver_is_longer_than_redshift_reads() -> None:
    """Redshift cuts a string of an Iceberg table to 16,384 bytes; VARCHAR(n) counts bytes as well."""
    text = (REPOSITORY / "event-schemas" / "generated" / "events.redshift.sql").read_text()
    bytes_ = {name: int(n) for name, n in re.findall(r"^  (\w+) VARCHAR\((\d+)\)", text, re.MULTILINE)}
    strings = {name for name, glue in declared("silver")["events"].items() if glue == "string"}
    assert strings == bytes_.keys()
    assert max(bytes_.values()) <= int(redshift_type("string")[8:-1])


def test_external_schemas_are_the_ones_that_the_lint_knows() -> None:
    text = "".join(migration.text for migration in load())
    assert set(re.findall(r"CREATE EXTERNAL SCHEMA IF NOT EXISTS (\w+) FROM DATA CATALOG", text)) == EXTERNAL


@pytest.mark.parametrize("query", EXAMPLES, ids=["history", "today", "both"])
def test_the_guides_queries_answer(history: History, query: str) -> None:
    with history.warehouse.connect() as connection:
        assert len(execute(connection, query)) > 1
    assert faults(Migration(1, "0001_example.sql", f"{query};\n")) == []


def test_redshift_parses_the_guides_grants() -> None:
    (grants,) = (block for block in BLOCKS if block not in {f"{query};" for query in EXAMPLES})
    parser = Linter(config=FluffConfig(overrides={"dialect": "redshift"}))
    assert parser.parse_string(grants).violations == []
    assert parser.parse_string(grants.replace("TO ROLE", "FOR ROLE")).violations


def test_the_guide_names_each_view() -> None:
    assert [table for table in METRICS if f"`{table}`" not in GUIDE] == []


def test_the_guide_has_queries_of_gold_of_facts_and_of_both() -> None:
    used = ["metrics." in query for query in EXAMPLES], ["warehouse." in query for query in EXAMPLES]
    assert {*zip(*used, strict=True)} == {(True, False), (False, True), (True, True)}


def test_an_external_table_takes_no_column_that_is_not_declared(server: Server) -> None:
    row = dict.fromkeys(METRICS["daily"]["columns"])
    warehouse = empty(server)
    warehouse.publish("daily", [row])
    with pytest.raises(Exception, match='column "mistake" of relation "daily" does not exist'):
        warehouse.publish("daily", [row | {"mistake": 1}])
