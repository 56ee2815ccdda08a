"""A tiny gold: two games, six weeks, two platforms, every table of metrics.json."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

METRICS = Path(__file__).resolve().parents[2] / "event-schemas" / "metrics.json"
DAYS = 42
ALL = {"platform": "*", "country": "*", "app_version": "*"}
PLATFORMS = ("android", "ios")
Row = dict[str, Any]


@pytest.fixture(scope="session")
def gold_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the tables as Parquet, each column in its type; those a question does not need are null."""
    directory = tmp_path_factory.mktemp("gold")
    tables = json.loads(METRICS.read_text())["tables"]
    with duckdb.connect() as connection:
        for name, table in tables.items():
            columns = {column: field["type"] for column, field in table["columns"].items()}
            rows = [row | {"game_id": game} for game in ("arena", "other") for row in _rows(name)]
            (directory / name).mkdir()
            types = {"bigint": "BIGINT", "date": "DATE", "double": "DOUBLE", "string": "VARCHAR"}
            declared = ", ".join(f"{column} {types[kind]}" for column, kind in columns.items())
            connection.execute(f"CREATE TABLE {name} ({declared})")
            values = [[row.get(column) for column in columns] for row in rows]
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", values)
            connection.execute(f"COPY {name} TO '{directory / name / 'part.parquet'}' (FORMAT parquet)")
    return directory


def _days() -> Iterator[tuple[int, date]]:
    today = datetime.now(UTC).date()
    for age in range(DAYS, 0, -1):
        yield age, today - timedelta(age)


def _rows(table: str) -> Iterator[Row]:
    for age, day in _days():
        match table:
            case "daily":
                for dimensions in (ALL, *({**ALL, "platform": name} for name in PLATFORMS)):
                    yield {"event_date": day, **dimensions, "active_players": 100, "new_players": 10}
            case "revenue":
                yield {"event_date": day, **ALL, "currency": "EUR", "purchases": 2, "gross_minor": 998}
            case "retention":
                for number in range(age):
                    share = 1 / (number + 1)
                    players = {"cohort_players": 10 + age % 2 * 10, "retention": share}
                    yield {"cohort_date": day, **ALL, "day_number": number, **players}
            case "lifetime_value":
                for number in range(age):
                    paid = {"cohort_players": 10, "gross_minor": 100 * (number + 1)}
                    yield {"cohort_date": day, **ALL, "day_number": number, "currency": "EUR", **paid}
            case "economy":
                for flow, amount in (("source", 500), ("sink", 300)):
                    for reason in ("*", "quest"):
                        kind = {"currency": "gold", "flow": flow, "reason": reason}
                        yield {"event_date": day, **ALL, **kind, "amount": amount}
            case "progression":
                for level, completes in (("1", 90), ("2", 30)):
                    counts = {"starts": 100, "completes": completes, "fails": 60, "attempts": completes + 60}
                    yield {
                        "event_date": day,
                        **ALL,
                        "level_1": "w",
                        "level_2": level,
                        "level_3": "",
                        **counts,
                    }
            case "stability":
                for version, crashed in (("*", 5), ("1.0.0", 1), ("1.1.0", 4)):
                    counts = {"sessions": 100, "crashes": crashed, "crashed_sessions": crashed}
                    yield {"event_date": day, **ALL, "app_version": version, **counts}
            case "performance":
                for platform in ("*", *PLATFORMS):
                    measured = {"measure": "fps", "samples": 50, "p50": 60.0, "p95": 72.0, "p99": 90.0}
                    yield {"event_date": day, **ALL, "platform": platform, **measured}
