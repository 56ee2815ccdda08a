"""A lake in a directory, its history computed by the Spark job, read by DuckDB."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import duckdb
from tools import batch
from tools.engine import SPARK

Event = dict[str, Any]


@dataclass(frozen=True)
class Lake:
    """Bronze by hour of arrival, and what the job makes of it."""

    directory: Path

    @property
    def uri(self) -> str:
        """As Spark takes it."""
        return self.directory.as_uri()

    def arrive(self, hour: str, lines: Sequence[Event | str]) -> None:
        """Write lines that arrived in an hour, 2026-01-31T12."""
        day, _, number = hour.partition("T")
        folder = self.directory / "bronze" / day.replace("-", "/") / number
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        (folder / f"{uuid4().hex}.json").write_text(text)

    def gold(self, table: str) -> list[dict[str, Any]]:
        """Return the published rows of a table."""
        return rows(
            duckdb.connect(), f"SELECT * FROM read_parquet('{self.directory}/gold/{table}/*/*.parquet')"
        )

    def report(self, run: str, name: str) -> dict[str, Any]:
        """Return what a step of a run says."""
        report: dict[str, Any] = json.loads(
            (self.directory / "batch" / "runs" / run / f"{name}.json").read_text()
        )
        return report


def rows(database: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query by column, in one order."""
    result = database.sql(sql)
    found = [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]
    return sorted(({name: row[name] for name in sorted(row)} for row in found), key=str)


class Spark:
    """A Spark session in its own process, which runs steps of the job as long as it is open."""

    def __init__(self, log: Path) -> None:
        """Start it; what it says goes to the log."""
        self._log = log
        with log.open("w") as said:
            self._process = subprocess.Popen(
                [SPARK.python, Path(__file__).with_name("drive.py")],
                env={**os.environ, **batch.environment()},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True,
            )  # fmt: skip

    def drive(self, steps: Sequence[Sequence[str]]) -> list[Any]:
        """Run steps; return each one's exit status or error."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([list(step) for step in steps]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._log.read_text()[-4000:]
        result: list[Any] = json.loads(line)
        return result

    def close(self) -> None:
        """Let it end."""
        self._process.communicate(timeout=60)


def event(number: int, event_type: str, day: str, player: str, **fields: Any) -> Event:
    """Build an enriched event on a day, at noon or the `time` given."""
    moment = f"{day}T{fields.pop('time', '12:00:00')}.000Z"
    made = {
        "event_id": str(UUID(int=number)), "event_type": event_type, "schema_version": "1-0-0",
        "game_id": "g", "player_id": player, "session_id": f"s-{player}-{day}", "sequence": 0,
        "event_time": moment, "sent_at": moment, "client": {"platform": "ios", "app_version": "1.0.0"},
        "payload": {}, "received_at": moment, "processed_at": moment, "corrected_time": moment,
        "event_date": day, "country": "DE", "platform": "ios", "app_version": "1.0.0",
        "ingest_source": "rest", "schema_id": f"/{event_type}/1-0-0.json",
        "late": False, "skewed": False, "bot": False, "masked": False,
    }  # fmt: skip
    return made | fields


def days_after(day: str, count: int) -> str:
    """Return the day so many days later."""
    return f"{datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=count):%Y-%m-%d}"
