"""Explore on a developer's machine: PyIceberg finds the events, whatever type their times have."""

from functools import partial
from pathlib import Path
from typing import Any

import made_events
import pytest
import silver_events
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from metrics_api.lake_answers import lake_reader
from tools import lake_tables
from tools.local_lake import LocalLake
from tools.progress import STILL_SECONDS

QUESTIONS: list[dict[str, Any]] = [
    {
        "kind": "events",
        "event": "purchase",
        "measure": {"of": "percentile", "field": "payload.quantity", "percentile": 90},
        "by": ["client.device_model"],
        "grain": "week",
    },
    {"kind": "events", "grain": "range", "measure": {"of": "players"}, "by": ["event_type"]},
    {"kind": "funnel", "steps": [{}, {"event": "purchase"}], "window_minutes": 3000, "by": ["platform"]},
    {"kind": "retention", "unit": "24h", "days": 3},
    {"kind": "paths", "event": "purchase"},
    {"kind": "cohort", "event": "purchase", "at_least": 2},
    {"kind": "player", "player_id": "ann", "events": 200},
    # The events of the cohort are older than those of the question.
    {
        "kind": "events",
        "event": "purchase",
        "cohort": {"from": "2026-01-26", "to": "2026-01-26"},
    },
]


def same(reader: Any, /) -> Any:
    return reader


@pytest.mark.parametrize("time", ["timestamp", "timestamptz"])
def test_the_local_reader_answers_as_the_whole_table_does(
    metrics_app: Any,
    dynamodb: Any,
    gold: DuckGold,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    time: str,
) -> None:
    monkeypatch.setenv("LAKE_DATABASE", "lake")
    for game in made_events.GAMES:
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    gold.fill_silver(made_events.events("iceberg", 600))
    catalog = lake_tables.catalog()
    catalog.create_namespace("lake")
    columns = {name: time if kind == "timestamp" else kind for name, kind in silver_events.TYPES.items()}
    schema = lake_tables.schema_of(columns)
    table = catalog.create_table(("lake", "events"), schema, (tmp_path / "silver").as_uri())
    rows = gold.database.sql("SELECT * FROM events").to_arrow_table()
    table.append(rows.cast(table.schema().as_arrow()))
    days = {"from": "2026-01-27", "to": "2026-02-03"}
    for question in QUESTIONS:
        answers = []
        for reader in (gold, LocalLake(STILL_SECONDS)):
            monkeypatch.setitem(metrics_app.dependency_overrides, lake_reader, partial(same, reader))
            answer = TestClient(metrics_app).post("/v1/games/arena/explore", json=question | days)
            assert answer.status_code == 200, answer.text
            answers.append(answer.json())
        assert answers[0]["rows"] == answers[1]["rows"] != []
        assert answers[1]["cost"] == {"scanned_bytes": None, "usd": None, "kept": False}
