"""What Athena reads of an Iceberg table for a query: the columns of the files that are left for its days.

Athena bills the compressed bytes of the column chunks that it reads. A game and its days leave out files by
their partition, and by the least and greatest values that Iceberg keeps of each file. Of the files that are
left, each scan in the SQL reads the columns that it names, and of a struct the fields that it names. Footers
of files and Iceberg's own metadata are not counted: some kilobytes each.
"""

from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlglot
from pyarrow import parquet
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual, LessThanOrEqual
from pyiceberg.table import Table
from sqlglot import exp
from telemetry.lake_reader import Query

# Typed as anything: mypy reads the signature that pyiceberg's metaclass makes in two ways, run by run.
_equal_to: Any = EqualTo
_since: Any = GreaterThanOrEqual
_until: Any = LessThanOrEqual


def scanned(table: Table, query: Query) -> int:
    """Return the bytes that a query reads. Raises AssertionError for a column that no file has."""
    days = And(
        _since(query.day_column, query.first.isoformat()),
        _until(query.day_column, query.last.isoformat()),
    )
    rows = And(_equal_to("game_id", query.game_id), days)
    files = [_chunks(task.file.file_path) for task in table.scan(row_filter=rows).plan_files()]
    total = 0
    for names in scans(query.sql, query.table):
        for chunks in files:
            read = {name: [path for path in chunks if _is_part(path, name)] for name in names}
            missing = [name for name, paths in read.items() if not paths]
            assert not missing, f"{query.table} has no {missing}"
            total += sum(chunks[path] for path in {path for paths in read.values() for path in paths})
    return total


def scans(sql: str, table: str) -> list[set[str]]:
    """Return what each scan of a table reads: names of columns, and of fields of structs as payload.step.

    An empty name stands for all columns.
    """
    found = []
    for scan in sqlglot.parse_one(sql, read="athena").find_all(exp.Table):
        if scan.name != table:
            continue
        select = scan.find_ancestor(exp.Select)
        assert select
        nodes = list(
            select.walk(prune=lambda node, of=select: isinstance(node, exp.Select) and node is not of)
        )
        names = {".".join(part.name for part in node.parts) for node in nodes if isinstance(node, exp.Column)}
        found.append({""} if any(isinstance(one, exp.Star) for one in select.expressions) else names)
    return found


def _is_part(path: str, name: str) -> bool:
    """Whether a column of a file belongs to what a scan names."""
    return not name or path == name or path.startswith(f"{name}.")


@cache
def _chunks(path: str) -> dict[str, int]:
    """Return the compressed bytes of a file by the path of each column."""
    metadata = parquet.read_metadata(unquote(urlsplit(path).path))
    found: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            found[column.path_in_schema] = found.get(column.path_in_schema, 0) + column.total_compressed_size
    return found
