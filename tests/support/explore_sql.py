"""The judges of SQL about single events: Athena's grammar, silver's columns, and one game."""

from collections.abc import Iterator

import silver_events
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from telemetry.lake_reader import Query, literal


def scans(sql: str) -> list[exp.Select]:
    """Return the parts of a statement that read silver."""
    (statement,) = sqlglot.parse(sql, read="athena")
    assert isinstance(statement, exp.Select)
    return [
        select
        for select in statement.find_all(exp.Select)
        if (source := select.args.get("from_"))
        and isinstance(source.this, exp.Table)
        and source.this.name == "events"
    ]


def games_of(scan: exp.Select) -> list[str]:
    """Return what the condition of a scan demands of game_id: it stands alone beside AND."""
    where = scan.args["where"].this
    conditions = list(where.flatten()) if isinstance(where, exp.And) else [where]
    return [
        one.expression.sql() for one in conditions if isinstance(one, exp.EQ) and one.this.sql() == "game_id"
    ]


def with_literals(query: Query) -> str:
    """Return the SQL that Athena runs: each ? replaced by its parameter, in order."""
    parts = query.sql.split("?")
    assert len(parts) == len(query.values) + 1
    values = [*map(literal, query.values), ""]
    return "".join(part + one for part, one in zip(parts, values, strict=True))


SCHEMA = {"events": silver_events.TYPES}


def judge(query: Query) -> None:
    """Hold a query against Athena's grammar, the columns of silver, and the rule of one game."""
    (statement,) = sqlglot.parse(query.sql, read="athena")
    assert isinstance(statement, exp.Select)
    qualify(statement.copy(), schema=SCHEMA, dialect="athena", validate_qualify_columns=True)
    tables = {table.name for table in statement.find_all(exp.Table)}
    assert tables == {"events"}
    found = scans(query.sql)
    assert found
    assert [games_of(scan) for scan in found] == [["?"]] * len(found)
    bound = [games_of(scan) for scan in scans(with_literals(query))]
    assert bound == [[literal(query.game_id)]] * len(found)
    # A literal of the text is a number of the code, or the unit of a date.
    texts = {one.this for one in statement.find_all(exp.Literal) if one.is_string}
    assert texts <= {"week", "month", "day", "millisecond", "1970-01-01 00:00:00"}
    # A reader without an engine of its own reads these columns alone.
    named = {column.name for scan in found for column in columns_of(scan)}
    assert named <= set(query.columns) <= silver_events.TYPES.keys()


def columns_of(scan: exp.Select) -> Iterator[exp.Column]:
    """Yield the columns of silver that a scan names: of payload."x" it is payload."""
    for column in scan.find_all(exp.Column):
        yield exp.column(column.parts[0].name)
