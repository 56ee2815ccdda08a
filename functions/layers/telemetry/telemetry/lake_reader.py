"""The lake, asked in SQL: through Athena on AWS. Another reader replaces it on a developer's machine."""

import hashlib
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from telemetry import environment, logs
from telemetry.clients import client
from telemetry.enrichment import timestamp

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_athena.type_defs import QueryExecutionTypeDef

# The alarm of the metrics API's latency rings at 3 s. A query that takes longer goes on, and the client asks
# again.
WAIT_SECONDS = 1.5
POLL_SECONDS = 0.15
# A query that failed once is started again; a second failure is answered.
ATTEMPTS = 2
SCAN_LIMIT = "Bytes scanned limit"
MEGABYTE = 1024**2
MINIMUM_MEGABYTES = 10

logger = logs.logger()


@dataclass(frozen=True, slots=True)
class Version:
    """A state of a table: `id` changes with each commit."""

    id: str
    written_at: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """SQL with a ? for each value.

    The table, the columns, the game and the days are those that the SQL asks for. A reader without an engine
    of its own reads no others.
    """

    sql: str
    values: tuple[str, ...]
    table: str
    day_column: str
    game_id: str
    first: date
    last: date
    columns: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Result:
    """Rows as text or as values of Python; bytes are None where the reader does not count them."""

    rows: list[tuple[Any, ...]]
    scanned_bytes: int | None = None
    billed_bytes: int | None = None


class StillRunning(Exception):
    """The query goes on: to ask the same again answers with its result."""


class TooMuchToScan(Exception):
    """The query was stopped, because it read more than a query may."""


class Unanswered(Exception):
    """The reader gives no answer; the message is for the person who asked."""


class LakeReader(Protocol):
    """What answers queries of gold and silver."""

    def version(self, table: str) -> Version:
        """Return the newest state of a table. Raises Unanswered where there is none."""

    def run(self, query: Query, version: Version) -> Result:
        """Return the rows. Raises StillRunning, TooMuchToScan or Unanswered."""


@dataclass(frozen=True, slots=True)
class AthenaLake:
    """Athena in a workgroup that limits what a query may scan."""

    athena: "AthenaClient"
    glue: Any
    database: str
    workgroup: str
    wait_seconds: float = field(default=WAIT_SECONDS, kw_only=True)

    def version(self, table: str) -> Version:
        """Return what Glue knows of the newest commit."""
        found = self.glue.get_table(DatabaseName=self.database, Name=table)["Table"]
        written = found.get("UpdateTime")
        return Version(
            found.get("Parameters", {}).get("metadata_location", ""), timestamp(written) if written else None
        )

    def run(self, query: Query, version: Version) -> Result:
        """Start the query, or find the same one of this hour, and wait a moment for it."""
        deadline = time.monotonic() + self.wait_seconds
        for attempt in range(ATTEMPTS):
            execution = self._finished(self._start(query, version, attempt), deadline)
            status = execution["Status"]
            if status["State"] == "SUCCEEDED":
                return self._result(execution)
            reason = status.get("StateChangeReason", status["State"])
            if SCAN_LIMIT in reason:
                raise TooMuchToScan
            logger.warning("Athena gave no answer", extra={"reason": reason})
        raise Unanswered("The lake cannot be read at the moment; try again.")

    def _start(self, query: Query, version: Version, attempt: int) -> str:
        """Return the id of the query: Athena starts one a token, whichever process asks."""
        hour = f"{datetime.now(UTC):%Y-%m-%dT%H}"
        words = (version.id, query.sql, *query.values, hour, str(attempt))
        started = self.athena.start_query_execution(
            ClientRequestToken=hashlib.sha256("\0".join(words).encode()).hexdigest(),
            ExecutionParameters=[literal(value) for value in query.values],
            QueryExecutionContext={"Database": self.database},
            QueryString=query.sql,
            WorkGroup=self.workgroup,
        )
        return started["QueryExecutionId"]

    def _finished(self, execution_id: str, deadline: float) -> "QueryExecutionTypeDef":
        while True:
            execution = self.athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return execution
            if time.monotonic() > deadline:
                raise StillRunning
            time.sleep(POLL_SECONDS)

    def _result(self, execution: "QueryExecutionTypeDef") -> Result:
        pages = self.athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=execution["QueryExecutionId"]
        )
        _header, *rows = (row["Data"] for page in pages for row in page["ResultSet"]["Rows"])
        scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        return Result(
            [tuple(cell.get("VarCharValue") for cell in row) for row in rows], scanned, billed(scanned)
        )


def literal(value: str) -> str:
    """Return a text as SQL's literal: the one place where a value becomes part of SQL."""
    return "'" + value.replace("'", "''") + "'"


def billed(scanned_bytes: int) -> int:
    """Return the bytes that Athena bills: whole megabytes, at least 10 a query."""
    return max(MINIMUM_MEGABYTES, -(-scanned_bytes // MEGABYTE)) * MEGABYTE


class Settings(msgspec.Struct):
    """Where the lake is; empty where the API runs without a lake."""

    athena_workgroup: str = ""
    lake_database: str = ""


@cache
def reader(wait_seconds: float = WAIT_SECONDS) -> LakeReader:
    """Return Athena as Terraform set it. Raises Unanswered where it set none."""
    settings = environment.parse(Settings)
    if not settings.athena_workgroup:
        raise Unanswered("This API runs without a lake: it has no history of events.")
    return AthenaLake(
        client("athena"),
        client("glue"),
        settings.lake_database,
        settings.athena_workgroup,
        wait_seconds=wait_seconds,
    )
