"""The quarantine on the emulator: where rejects lie, what catalogues them, and how they come back."""

import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from aws_kinesis_agg.aggregator import RecordAggregator
from steps import eventually, replay
from telemetry import lake
from tools import games

pytestmark = pytest.mark.integration


def rejects(applied: Any, event_id: str) -> list[str]:
    """Wait for the quarantine to hold an event; return the keys of its objects."""
    s3, bucket = boto3.client("s3"), applied.platform.outputs["lake_bucket"]
    keys: list[str] = eventually(
        lambda: [
            key
            for key in lake.keys(s3, bucket, "rejected/")
            if any(line["event_id"] == event_id for line in lake.lines(s3, bucket, key))
        ]
    )
    return keys


def profile(applied: Any, game: str, player: str) -> dict[str, Any]:
    """Return what the metrics API says of a player once it knows one."""
    path = f"/v1/games/{game}/players/{player}"
    body: dict[str, Any] = eventually(
        lambda: (answer := applied.platform.api.get(path)).status_code == 200 and answer.json()
    )
    return body


def test_rejects_lie_by_day_and_reason(applied: Any) -> None:
    event = applied.event(sequence=-1)
    applied.put(json.dumps(event).encode())
    (key,) = rejects(applied, event["event_id"])
    assert key.startswith(f"rejected/day={datetime.now(UTC).date()}/reason=schema_violation/")


def test_the_catalogue_knows_the_lines_of_the_lake(applied: Any) -> None:
    event = applied.event(sequence=-2)
    applied.put(json.dumps(event).encode())
    (key,) = rejects(applied, event["event_id"])
    glue, database = boto3.client("glue"), applied.platform.outputs["lake_database"]
    table = glue.get_table(DatabaseName=database, Name="rejected")["Table"]
    assert [column["Name"] for column in table["PartitionKeys"]] == ["day", "reason"]
    known = {column["Name"] for column in table["StorageDescriptor"]["Columns"]}
    (line,) = lake.lines(boto3.client("s3"), applied.platform.outputs["lake_bucket"], key)
    assert set(line) - known == {"reason"}
    bronze = glue.get_table(DatabaseName=database, Name="bronze")["Table"]
    columns = {column["Name"]: column["Type"] for column in bronze["StorageDescriptor"]["Columns"]}
    assert columns["client"].startswith("struct<platform:string,")


def test_events_of_a_game_registered_too_late_are_replayed_once(applied: Any) -> None:
    game, player = f"late-{uuid4().hex[:8]}", "p-late"
    events = [applied.event(game_id=game, player_id=player, sequence=n) for n in range(3)]
    for event in events:
        applied.put(json.dumps(event).encode(), f"{game}/{player}")
    for event in events:
        rejects(applied, event["event_id"])
    table = boto3.resource("dynamodb").Table(applied.platform.outputs["tables"]["games"])
    games.add_game(table, game, "Registered too late")
    time.sleep(31)  # the processor remembers for 30 seconds that it does not know the game
    assert replay(applied, game).outcomes["unknown_game"]["replayed"] == 3
    assert profile(applied, game, player)["session_starts"] == 3
    again = replay(applied, game).outcomes["unknown_game"]
    assert (again["replayed"], again["replayed before"]) == (0, 3)
    arrivals = applied.platform.read(f"/v1/games/{game}/ingestion")
    assert (arrivals["accepted"], arrivals["replayed"], arrivals["rejected"]) == (3, 3, {})


def test_a_kpl_aggregate_is_taken_apart(applied: Any) -> None:
    aggregator, player = RecordAggregator(), "p-aggregated"
    for n in range(5):
        event = applied.event(player_id=player, sequence=n)
        aggregator.add_user_record(player, json.dumps(event).encode())
    applied.put(aggregator.clear_and_get().get_contents()[2], player)
    eventually(lambda: profile(applied, applied.game_id, player)["session_starts"] == 5)
