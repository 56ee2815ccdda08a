"""The Redshift Data API: hand over statements, then poll until they are done or the time is up."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from mypy_boto3_redshift_data import RedshiftDataAPIServiceClient
    from mypy_boto3_redshift_data.type_defs import DescribeStatementResponseTypeDef

IN_FLIGHT = ("SUBMITTED", "PICKED", "STARTED")
POLL_SECONDS = 1.0

Remaining = Callable[[], float]


class Target(TypedDict):
    """Where statements run, and the secret that they run with."""

    WorkgroupName: str
    Database: str
    SecretArn: str


class StatementError(Exception):
    """Redshift refused a statement; the message is Redshift's own."""


class StillRunning(Exception):
    """The time is up and the statement still runs."""

    def __init__(self, statement_id: str) -> None:
        """Keep the statement's id."""
        super().__init__(f"statement {statement_id} still runs")
        self.statement_id = statement_id


class DataApi:
    """One database of a workgroup, accessed with a secret."""

    def __init__(
        self,
        client: "RedshiftDataAPIServiceClient",
        target: Target,
        remaining: Remaining,
        pause: float = POLL_SECONDS,
    ) -> None:
        """Take the client, the target, the seconds left, and the poll interval."""
        self._client, self._target, self._remaining, self._pause = client, target, remaining, pause

    def run(self, statements: Sequence[str], name: str) -> None:
        """Run statements in one transaction.

        Raises StatementError where one fails, which undoes all, and StillRunning.
        """
        answer = self._client.batch_execute_statement(
            Sqls=list(statements), StatementName=name, **self._target
        )
        self.wait(answer["Id"])

    def run_alone(self, statement: str, name: str) -> None:
        """Run one statement outside a transaction; raises as `run` does."""
        self.wait(self._client.execute_statement(Sql=statement, StatementName=name, **self._target)["Id"])

    def rows(self, query: str, name: str) -> list[tuple[str | int, ...]]:
        """Return the rows of a query: strings and whole numbers only."""
        statement_id = self._client.execute_statement(Sql=query, StatementName=name, **self._target)["Id"]
        self.wait(statement_id)
        pages = self._client.get_paginator("get_statement_result").paginate(Id=statement_id)
        return [
            tuple(cell["longValue"] if "longValue" in cell else cell["stringValue"] for cell in record)
            for page in pages
            for record in page["Records"]
        ]

    def wait(self, statement_id: str) -> None:
        """Wait until a statement is done; raises as `run` does."""
        while True:
            answer = self._client.describe_statement(Id=statement_id)
            status = answer["Status"]
            if status == "FINISHED":
                return
            if status not in IN_FLIGHT:
                raise StatementError(_reason(answer))
            if self._remaining() < self._pause:
                raise StillRunning(statement_id)
            time.sleep(self._pause)

    def running(self, name: str) -> list[str]:
        """Return the ids of this role's unfinished statements whose name begins with `name`."""
        pages = self._client.get_paginator("list_statements").paginate(
            StatementName=name, WorkgroupName=self._target["WorkgroupName"], Database=self._target["Database"]
        )
        return [found["Id"] for page in pages for found in page["Statements"] if found["Status"] in IN_FLIGHT]


def _reason(answer: "DescribeStatementResponseTypeDef") -> str:
    parts = answer.get("SubStatements", [])
    for number, part in enumerate(parts, 1):
        if part["Status"] in ("FAILED", "ABORTED") and part.get("Error"):
            return f"statement {number} of {len(parts)}: {part['Error']}"
    return str(answer.get("Error") or answer["Status"])
