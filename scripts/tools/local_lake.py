"""The metrics API of this machine: the lake is read from its files, which needs no Athena."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
from fastapi import FastAPI
from metrics_api.app import app
from metrics_api.lake_answers import lake_reader
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual, LessThanOrEqual
from telemetry.enrichment import timestamp
from telemetry.lake_reader import Query, Result, Unanswered, Version

from tools import CommandError, gold

# Typed as anything: mypy reads the signature that pyiceberg's metaclass makes in two ways, run by run.
_equal_to: Any = EqualTo
_since: Any = GreaterThanOrEqual
_until: Any = LessThanOrEqual


@dataclass(frozen=True, slots=True)
class LocalLake:
    """PyIceberg finds the rows of a game and its days; DuckDB answers the SQL that Athena gets on AWS."""

    def version(self, table: str) -> Version:
        """Return the newest metadata of a table. Raises Unanswered where there is no table."""
        try:
            found = gold.iceberg(table)
        except CommandError as error:
            raise Unanswered(str(error)) from error
        written = datetime.fromtimestamp(found.metadata.last_updated_ms / 1000, UTC)
        return Version(found.metadata_location, timestamp(written))

    def run(self, query: Query, version: Version) -> Result:
        """Return the rows. Nothing is billed, and nobody counts the bytes."""
        game = _equal_to("game_id", query.game_id)
        days = And(
            _since(query.day_column, query.first.isoformat()),
            _until(query.day_column, query.last.isoformat()),
        )
        table = gold.iceberg(query.table)
        rows = table.scan(row_filter=And(game, days), selected_fields=query.columns).to_arrow()
        with duckdb.connect() as database:
            database.execute("SET TimeZone = 'UTC'")
            database.register(query.table, rows)
            return Result(database.execute(query.sql, list(query.values)).fetchall())


def make() -> FastAPI:
    """Return the API that Lambda runs, with this reader in the place of Athena's."""
    app.dependency_overrides[lake_reader] = LocalLake
    return app
