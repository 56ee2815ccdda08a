"""What the job does with a silver that has forgotten a player: it goes on without them."""

from pathlib import Path
from typing import Any

import duckdb
from lake_of_files import Event, Lake, Spark, event, rows
from tools.personal_data import LocalCopy, Subject

FIRST, NIGHT = "2026-01-01", "2026-02-10T00:00:00.000Z"
ANN = Subject("skyforge", "ann")


def played(number: int, player: str, kind: str = "session_start", **fields: Any) -> Event:
    """Build an event of the game."""
    return event(number, kind, FIRST, player, game_id="skyforge", received_at=NIGHT, **fields)


def run(spark: Spark, lake: Lake, name: str, hour: int) -> None:
    """Run all steps over one hour of arrival."""
    span = ["--from", f"2026-02-10T{hour:02}", "--to", f"2026-02-10T{hour + 1:02}"]
    assert spark.drive([["all", "--lake", lake.uri, "--format", "parquet", "--run-id", name, *span]]) == [0]


def test_the_job_goes_on_without_a_forgotten_player(spark: Spark, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    payload = {"fps": 59.5, "extra": {"arena": "ice"}}
    lake.arrive("2026-02-10T00", [played(1, "ann"), played(2, "bob", "performance", payload=payload)])
    run(spark, lake, "first", 0)
    silver = f"SELECT * FROM read_parquet('{lake.directory}/silver/events/*/*/*.parquet')"
    known = rows(duckdb.connect(), f"{silver} WHERE player_id = 'bob'")

    place = LocalCopy(lake.directory)
    assert place.forget(ANN) == 2, "the row of silver and the line it was made of"
    assert not list(place.find(ANN))

    child = {"analytics_storage": "granted", "age_group": "child"}
    lake.arrive("2026-02-10T01", [played(3, "cat", privacy=child)])
    run(spark, lake, "second", 1)
    found = rows(duckdb.connect(), silver)
    assert {row["player_id"]: row["privacy"] for row in found} == {"bob": None, "cat": child}
    assert [row for row in found if row["player_id"] == "bob"] == known
    everyone = {"game_id": "skyforge", "platform": "*", "country": "*", "app_version": "*"}
    (day,) = [row for row in lake.gold("daily") if everyone.items() <= row.items()]
    assert day["active_players"] == 2
