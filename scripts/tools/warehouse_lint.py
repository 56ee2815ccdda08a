"""Find what Redshift refuses although PostgreSQL accepts it, before a deployment does.

Two parsers that know Redshift's grammar read each statement: sqlfluff, which also knows external schemas and
LOCK, and sqlglot, whose tree the other rules inspect.
"""

import logging
import re
from collections.abc import Iterator
from functools import cache

import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp
from sqlglot.errors import ParseError
from warehouse.sql_files import OUTSIDE, VARIABLE, Migration

# docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-datatypes.html
TYPES = {
    "ARRAY", "BIGSERIAL", "BIT", "BYTEA", "CIDR", "ENUM", "HSTORE", "INET", "INT4RANGE", "JSON", "JSONB",
    "MACADDR", "MONEY", "SERIAL", "SMALLSERIAL", "TSQUERY", "TSVECTOR", "UUID", "XML",
}  # fmt: skip
CALL = re.compile(r"\b(\w+(?=\s*\()|CURRENT_TIME(?:STAMP)?|LOCALTIME(?:STAMP)?)\b", re.IGNORECASE)
# docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html, and the functions of the
# leader node, which holds no data: c_SQL_functions_leader_node_only.html
FUNCTIONS = {
    "AGE", "ARRAY_AGG", "CURRENT_TIME", "CURRENT_TIMESTAMP", "EVERY", "GENERATE_SERIES",
    "GENERATE_SUBSCRIPTS", "GEN_RANDOM_UUID", "JSONB_ARRAY_ELEMENTS", "JSON_BUILD_OBJECT", "LOCALTIME",
    "LOCALTIMESTAMP", "MAKE_DATE", "MODE", "NOW", "REGEXP_MATCHES", "STRING_AGG", "TO_JSON", "UNNEST",
    "XMLAGG",
}  # fmt: skip
# docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
RESERVED = frozenset(
    """
    ALL ANALYSE ANALYZE AND ANY ARRAY AS ASC AUTHORIZATION BACKUP BETWEEN BINARY BOTH CASE CAST CHECK
    COLLATE COLUMN CONSTRAINT CREATE CREDENTIALS CROSS DEFAULT DEFERRABLE DEFLATE DEFRAG DELTA DESC DISABLE
    DISTINCT DO ELSE ENABLE ENCODE ENCRYPT ENCRYPTION END EXCEPT EXPLICIT FOR FOREIGN FREEZE FROM FULL GRANT
    GROUP GZIP HAVING IDENTITY IGNORE ILIKE IN INITIALLY INNER INTERSECT INTERVAL INTO IS ISNULL JOIN
    LANGUAGE LEADING LEFT LIKE LIMIT LUN LUNS MINUS NATURAL NEW NOT NOTNULL NULLS OFF OFFLINE OFFSET OID OLD
    ON ONLY OPEN OR ORDER OUTER OVERLAPS PARALLEL PARTITION PERCENT PERMISSIONS PIVOT PLACING PRIMARY RAW
    RECOVER REFERENCES RESORT RESPECT RESTORE RIGHT SELECT SIMILAR SNAPSHOT SOME SYSDATE SYSTEM TABLE TAG
    THEN TO TOP TRAILING UNION UNIQUE UNNEST UNPIVOT USER USING VERBOSE WALLET WHEN WHERE WITH WITHOUT
    """.split()  # noqa: SIM905 - a list of words is read as words
)
# docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html; r_TRUNCATE.html: it commits.
FEATURES = {
    r"\bON\s+CONFLICT\b": "ON CONFLICT",
    r"\bRETURNING\b": "RETURNING",
    r"\bLATERAL\b": "LATERAL",
    r"\bDISTINCT\s+ON\b": "DISTINCT ON",
    r"\bFILTER\s*\(\s*WHERE\b": "FILTER (WHERE …)",
    r"\bCREATE\s+(UNIQUE\s+)?INDEX\b": "an index",
    r"\bCREATE\s+SEQUENCE\b": "a sequence",
    r"\bCREATE\s+TRIGGER\b": "a trigger",
    r"\bCHECK\s*\(": "a CHECK constraint",
    r"\bTRUNCATE\b": "TRUNCATE, which commits",
    r"^\s*(BEGIN|COMMIT|ROLLBACK|VACUUM)\b": "a statement that a transaction cannot hold",
}
VARIABLES = {
    "glue_database", "gold_role_arn", "region", "silver_role_arn", "stream_name", "streaming_role_arn",
}  # fmt: skip
# External schemas on the Glue catalog. A view of their tables must be late-binding:
# docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
EXTERNAL = {"gold", "silver"}
# sqlglot does not parse these statements; sqlfluff does.
UNREAD = re.compile(r"(CREATE EXTERNAL SCHEMA IF NOT EXISTS|LOCK) ")
# A batch of the Data API takes 40 statements, three of which enter the migration.
MAX_STATEMENTS = 37
MAX_VARCHAR = 65535

logging.getLogger("sqlglot").setLevel(logging.ERROR)


def faults(migration: Migration) -> list[str]:
    """Return the faults of a file, each with the file's name."""
    given = set(VARIABLE.findall(migration.text))
    found = [f"the variable {name} is not known" for name in sorted(given - VARIABLES)]
    if not migration.text.endswith(";\n"):
        found.append("the last statement does not end with a semicolon and a new line")
    statements = migration.statements({name: name for name in given})
    if len(statements) > MAX_STATEMENTS:
        found.append(
            f"{len(statements)} statements are more than the {MAX_STATEMENTS} that fit in a transaction"
        )
    for number, statement in enumerate(statements, 1):
        found += [
            f"statement {number}: {fault}" for fault in _of_statement(statement, migration.transactional)
        ]
    return [f"{migration.name}: {fault}" for fault in found]


def _of_statement(statement: str, transactional: bool) -> Iterator[str]:
    bare = re.sub(r"--[^\n]*|'[^']*'", "", statement).strip()
    for pattern, name in FEATURES.items():
        if re.search(pattern, bare, re.IGNORECASE):
            yield f"a migration does not take {name}"
    for called in sorted({name.upper() for name in CALL.findall(bare)} & FUNCTIONS):
        yield f"{called} is no function of Redshift's compute nodes"
    if transactional and re.search(r"\bEXTERNAL SCHEMA\b|\bMATERIALIZED VIEW\b", bare):
        yield f"this cannot be undone: the file begins with {OUTSIDE.strip()!r}"
    for violation in _redshift().parse_string(f"{statement};").violations:
        yield f"Redshift could not parse it: {violation.desc()}"
    try:
        tree = sqlglot.parse_one(statement, read="redshift")
    except ParseError as error:
        yield f"Redshift could not parse it: {error}"
        return
    if isinstance(tree, exp.Command):
        if not UNREAD.match(bare):
            yield "this is no statement that a migration may hold"
        return
    yield from _of_tree(tree)
    yield from _of_view(tree)


@cache
def _redshift() -> Linter:
    return Linter(config=FluffConfig(overrides={"dialect": "redshift"}))


def _of_view(tree: exp.Expr) -> Iterator[str]:
    if not isinstance(tree, exp.Create) or tree.kind != "VIEW" or tree.expression is None:
        return
    tables = list(tree.expression.find_all(exp.Table))
    late = bool(tree.args.get("no_schema_binding"))
    if not late and any(table.db in EXTERNAL for table in tables):
        yield "a view of an external table ends in WITH NO SCHEMA BINDING"
    if late and not all(table.db for table in tables):
        yield "a late-binding view names the schema of each table"


def _of_tree(tree: exp.Expr) -> Iterator[str]:
    for kind in tree.find_all(exp.DataType):
        name = kind.this.value if isinstance(kind.this, exp.DType) else str(kind.this)
        if name.upper() in TYPES or kind.args.get("nested") or name.upper() == "USERDEFINED":
            yield f"Redshift has no type {kind.sql('postgres')}"
        if name == "VARCHAR" and kind.expressions and int(kind.expressions[0].name) > MAX_VARCHAR:
            yield f"VARCHAR is at most {MAX_VARCHAR} bytes"
    for name in sorted(
        {found.name.upper() for found in tree.find_all(exp.Identifier) if not found.quoted} & RESERVED
    ):
        yield f"{name} is a reserved word"
    for query in tree.find_all(exp.Select):
        within = [found for found in query.find_all(exp.WithinGroup) if found.parent_select is query]
        distinct = [
            count for count in query.find_all(exp.Count)
            if count.parent_select is query and isinstance(count.this, exp.Distinct)
        ]  # fmt: skip
        if within and distinct:
            yield "PERCENTILE_CONT does not stand beside COUNT(DISTINCT …)"
    if isinstance(tree, exp.Create) and tree.kind == "TABLE":
        placed = (exp.DistKeyProperty, exp.DistStyleProperty)
        if not any(isinstance(found, placed) for found in tree.find_all(exp.Property)):
            yield "a table says where its rows lie: DISTKEY or DISTSTYLE"
