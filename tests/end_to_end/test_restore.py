"""The disaster, rehearsed: a game's items and the lake's objects are deleted, and all is as before."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from steps import eventually
from stored_state import state
from telemetry import lake
from tools import games, restore
from tools.restore import Consumers, Ledger, Restore, Scope
from tools.simulate import play

pytestmark = pytest.mark.integration

GAME = "moon-race-5"


def test_a_game_that_is_lost_is_restored_to_the_figure(applied: Any) -> None:
    outputs, s3, dynamodb = applied.platform.outputs, boto3.client("s3"), boto3.resource("dynamodb")
    bucket, tables = outputs["lake_bucket"], outputs["tables"]
    key = games.add_game(dynamodb.Table(tables["games"]), GAME, "Moon Race")
    truth = play(applied.platform, GAME, key, players=15, days=2, seed=11)
    before = state(tables, GAME)
    assert len(before) > 40

    started, objects = datetime.now(UTC) - timedelta(seconds=1), list(lake.keys(s3, bucket, "bronze/"))
    for name in objects:
        s3.delete_object(Bucket=bucket, Key=name)
    for table in ("players", "game_days", "leaderboards"):
        restore.clear_counted(dynamodb.Table(tables[table]), GAME, keeps_boards=False)
    assert not list(lake.keys(s3, bucket, "bronze/"))
    # Costs of advertising come from no event: they are uploaded again, or a backup has them.
    assert {row.split("#")[2].split()[0] for row in state(tables, GAME)} == {"spend"}

    # What comes while player_state is stopped is in bronze and in the stream, and counts once.
    second = timedelta(seconds=1)
    consumers = Consumers(boto3.client("lambda"), outputs["state_functions"], s3, bucket, drain=second)
    consumers.stop()
    meanwhile = applied.event(game_id=GAME)
    assert applied.post(json.dumps(meanwhile).encode(), key).status_code == 202
    eventually(lambda: list(lake.keys(s3, bucket, "bronze/")))

    assert sorted(restore.undelete(s3, bucket, "bronze/", started)) == objects
    restoring = Restore(Ledger(s3, bucket), consumers, tables, settle=timedelta(0))
    assert restoring.run(Scope(game=GAME)) == truth.accepted + 1

    afterwards = applied.event(game_id=GAME)
    assert applied.post(json.dumps(afterwards).encode(), key).status_code == 202
    path = f"/v1/games/{GAME}/players"
    eventually(lambda: applied.platform.api.get(f"{path}/{afterwards['player_id']}").status_code == 200)
    assert applied.platform.read(f"{path}/{meanwhile['player_id']}")["session_starts"] == 1
    after = state(tables, GAME)
    for counter in ("events", "new_players", "events_session_start"):
        gained = {
            row: counts[counter] - before.get(row, {}).get(counter, 0) for row, counts in days(after).items()
        }
        assert sum(gained.values()) == 2, counter
    old = {name: value for name, value in before.items() if name.startswith(("players ", "leaderboards "))}
    assert old.items() <= after.items()
    today = afterwards["event_time"][:10], meanwhile["event_time"][:10]
    for row in (row for row in days(before) if not row.startswith(tuple(f"{GAME}#{day}" for day in today))):
        assert after[row] == before[row], row


def days(found: dict[str, Any]) -> dict[str, Any]:
    """Return the counters of whole days, with the rows beside them: levels, economy, cohorts."""
    return {
        row: counts for row, counts in found.items() if row.startswith(f"{GAME}#20") and "#active" not in row
    }
