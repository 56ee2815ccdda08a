"""The metrics API of this machine: the lake is read from its files, which needs no Athena."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from metrics_api.app import app
from metrics_api.lake_answers import lake_reader
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual, LessThanOrEqual
from telemetry.enrichment import timestamp
from telemetry.lake_reader import Query, Result, Stopped, Unanswered, Version

from tools import CommandError, gold
from tools.local_jobs import Job, Jobs

# Nothing here limits how long a request takes. A longer question can be cancelled.
WAIT_SECONDS = 5.0
JOBS = Jobs()

# Typed as anything: mypy reads the signature that pyiceberg's metaclass makes in two ways, run by run.
_equal_to: Any = EqualTo
_since: Any = GreaterThanOrEqual
_until: Any = LessThanOrEqual


@dataclass(frozen=True, slots=True)
class LocalLake:
    """PyIceberg finds the rows of a game and its days; DuckDB answers the SQL that Athena gets on AWS."""

    wait_seconds: float = WAIT_SECONDS

    def version(self, table: str) -> Version:
        """Return the newest metadata of a table. Raises Unanswered where there is no table."""
        try:
            found = gold.iceberg(table)
        except CommandError as error:
            raise Unanswered(str(error)) from error
        written = datetime.fromtimestamp(found.metadata.last_updated_ms / 1000, UTC)
        return Version(found.metadata_location, timestamp(written))

    def run(self, query: Query, version: Version) -> Result:
        """Return the rows. Nothing is billed, and nobody counts the bytes. Raises StillRunning."""
        return JOBS.result(
            query.game_id, (version, query), lambda job: _answer(job, query), self.wait_seconds
        )

    def cancel(self, game_id: str, query_id: str) -> Stopped | None:
        """Stop a query of a game and return what became of it; None where the game has no such query."""
        return JOBS.cancel(game_id, query_id)


def _answer(job: Job, query: Query) -> Result:
    game = _equal_to("game_id", query.game_id)
    days = And(
        _since(query.day_column, query.first.isoformat()),
        _until(query.day_column, query.last.isoformat()),
    )
    job.check()
    table = gold.iceberg(query.table)
    rows = table.scan(row_filter=And(game, days), selected_fields=query.columns).to_arrow()
    job.check()
    with job.database as database:
        database.execute("SET TimeZone = 'UTC'")
        database.register(query.table, rows)
        return Result(database.execute(query.sql, list(query.values)).fetchall())


def local_lake() -> LocalLake:
    """Return the reader. FastAPI would take the fields of a class for parameters of each request."""
    return LocalLake()


def make() -> FastAPI:
    """Return the API that Lambda runs, with this reader in the place of Athena's."""
    app.dependency_overrides[lake_reader] = local_lake
    return app
