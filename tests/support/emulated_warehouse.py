"""A warehouse whose stream and external tables the tests fill."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from redshift_on_postgres import DataApi, Server
from warehouse import data_api, deployment
from warehouse.sql_files import load

VALUES = {
    "glue_database": "lake",
    "gold_role_arn": "arn:aws:iam::123456789012:role/gold",
    "region": "eu-west-1",
    "silver_role_arn": "arn:aws:iam::123456789012:role/silver",
    "stream_name": "enriched",
    "streaming_role_arn": "arn:aws:iam::123456789012:role/streaming",
}
TARGET = data_api.Target(WorkgroupName="test", Database="warehouse", SecretArn="arn:secret")


def api(client: DataApi, seconds: float = 60) -> data_api.DataApi:
    """Return what the Lambda has, with so many seconds left."""
    return data_api.DataApi(client, TARGET, lambda: seconds, pause=0.01)


@dataclass
class Warehouse:
    """A migrated database, and the refreshes of its streaming view."""

    server: Server
    client: DataApi
    refreshed: datetime = field(default=datetime(2026, 1, 1, tzinfo=UTC))

    def receive(self, records: Sequence[dict[str, Any] | str]) -> None:
        """Have the streaming view refreshed with records: events, or text as it came."""
        self.refreshed += timedelta(seconds=10)
        moment = self.refreshed.replace(tzinfo=None)
        with (
            self.connect() as connection,
            connection.cursor() as cursor,
            cursor.copy(
                "COPY staging.enriched_events (arrived_at, shard_id, sequence_number, refresh_time, event,"
                " unreadable) FROM STDIN"
            ) as copy,
        ):
            for number, record in enumerate(records):
                readable = not isinstance(record, str)
                event = json.dumps(record) if readable else None
                unreadable = None if readable else str(record).encode()
                copy.write_row((moment, "shard-0", f"{moment:%s}{number:06}", moment, event, unreadable))

    def publish(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        """Replace the rows of an external table of gold, as a run of the batch job does."""
        columns = list(rows[0])
        with self.connect() as connection, connection.transaction(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM gold.{table}")  # type: ignore[arg-type]
            with cursor.copy(f"COPY gold.{table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row([row[column] for column in columns])

    def refresh(self) -> None:
        """Bring the facts up to date, as the schedule does."""
        assert deployment.bring_up_to_date(api(self.client), VALUES).state == "current"

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query by column, in one order."""
        with self.connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(query).fetchall()  # type: ignore[arg-type]
        return sorted(({name: row[name] for name in sorted(row)} for row in found), key=str)

    def connect(self) -> psycopg.Connection[Any]:
        """Connect to its database."""
        return self.server.connect(self.client.database)


def empty(server: Server) -> Warehouse:
    """Return a warehouse with every migration and no event."""
    client = DataApi(server, server.database())
    assert deployment.migrate(api(client), load(), VALUES).state == "current"
    return Warehouse(server, client)
