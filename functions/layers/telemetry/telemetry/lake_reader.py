"""The lake, asked in SQL: through Athena on AWS. Another reader replaces it on a developer's machine."""

import hashlib
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec
from botocore.exceptions import ClientError

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
# A query that somebody cancelled is started again for whoever asks later, this often within an hour.
CANCELS = 8
# What Athena answers of a query that there is not, or that ran in a workgroup of others.
NOT_OURS = ("AccessDeniedException", "InvalidRequestException")
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
    """Queries go on: to ask the same again answers with their results. `queries` has their ids."""

    def __init__(self, *queries: str) -> None:
        """Name the queries that can be cancelled."""
        super().__init__(*queries)
        self.queries = queries


class TooMuchToScan(Exception):
    """The query was stopped, because it read more than a query may."""


class Unanswered(Exception):
    """The reader gives no answer; the message is for the person who asked."""


# A query that had an answer before it could be stopped has ended.
Stopped = Literal["cancelled", "ended"]


class LakeReader(Protocol):
    """What answers queries of gold and silver."""

    def version(self, table: str) -> Version:
        """Return the newest state of a table. Raises Unanswered where there is none."""

    def run(self, query: Query, version: Version) -> Result:
        """Return the rows. Raises StillRunning, TooMuchToScan or Unanswered."""

    def cancel(self, game_id: str, query_id: str) -> Stopped | None:
        """Stop a query of a game and return what became of it; None where the game has no such query."""


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
        deadline, failures = time.monotonic() + self.wait_seconds, 0
        for attempt in range(ATTEMPTS + CANCELS):
            execution = self._finished(self._start(query, version, attempt), deadline)
            state, reason = execution["Status"]["State"], execution["Status"].get("StateChangeReason", "")
            if state == "SUCCEEDED":
                return self._result(execution)
            if SCAN_LIMIT in reason:
                raise TooMuchToScan
            logger.warning("Athena gave no answer", extra={"reason": reason or state})
            failures += state == "FAILED"
            if failures == ATTEMPTS:
                break
        raise Unanswered("The lake cannot be read at the moment; try again.")

    def cancel(self, game_id: str, query_id: str) -> Stopped | None:
        """Stop a query whose SQL names the game: Athena does not tell the values that were bound."""
        try:
            execution = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_OURS:
                return None
            raise
        is_ours = execution.get("WorkGroup") == self.workgroup
        if not is_ours or not execution.get("Query", "").startswith(_heading(game_id)):
            return None
        state = execution["Status"]["State"]
        if state in ("QUEUED", "RUNNING"):
            self.athena.stop_query_execution(QueryExecutionId=query_id)
            return "cancelled"
        return "cancelled" if state == "CANCELLED" else "ended"

    def _start(self, query: Query, version: Version, attempt: int) -> str:
        """Return the id of the query: Athena starts one a token, whichever process asks."""
        hour = f"{datetime.now(UTC):%Y-%m-%dT%H}"
        # Athena refuses a token that comes with another text.
        text = f"{_heading(query.game_id)}{query.sql}"
        words = (version.id, text, *query.values, hour, str(attempt))
        started = self.athena.start_query_execution(
            ClientRequestToken=hashlib.sha256("\0".join(words).encode()).hexdigest(),
            ExecutionParameters=[literal(value) for value in query.values],
            QueryExecutionContext={"Database": self.database},
            QueryString=text,
            WorkGroup=self.workgroup,
        )
        return started["QueryExecutionId"]

    def _finished(self, execution_id: str, deadline: float) -> "QueryExecutionTypeDef":
        was_running = False
        while True:
            execution = self.athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            status = execution["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                is_cancelled = SCAN_LIMIT not in status.get("StateChangeReason", "")
                if was_running and status["State"] == "CANCELLED" and is_cancelled:
                    # Whoever cancelled it does not ask again. Others do, and their request starts it anew.
                    raise StillRunning
                return execution
            if time.monotonic() > deadline:
                raise StillRunning(execution_id)
            was_running = True
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


def _heading(game_id: str) -> str:
    """Return the first line of a game's queries, which says whose they are. Ids hold no sign that ends it."""
    return f"/* game: {game_id} */\n"


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
