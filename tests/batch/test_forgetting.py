"""What the job does with a silver that has forgotten a player: it goes on without them."""

from pathlib import Path

import duckdb
from lake_of_files import Lake, drive, event, rows
from tools.personal_data import LocalCopy, Subject

FIRST, NIGHT = "2026-01-01", "2026-02-10T00:00:00.000Z"
ANN = Subject("g", "ann")


def run(lake: Lake, name: str, hour: int) -> None:
    """Run all steps over one hour of arrival."""
    span = ["--from", f"2026-02-10T{hour:02}", "--to", f"2026-02-10T{hour + 1:02}"]
    assert drive([["all", "--lake", lake.uri, "--format", "parquet", "--run-id", name, *span]]) == [0]


def test_the_job_goes_on_without_a_forgotten_player(spark: None, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    payload = {"fps": 59.5, "extra": {"arena": "ice"}}
    bob = event(2, "performance", FIRST, "bob", time="12:00:00", payload=payload, received_at=NIGHT)
    lake.arrive("2026-02-10T00", [event(1, "session_start", FIRST, "ann", received_at=NIGHT), bob])
    run(lake, "first", 0)
    silver = f"SELECT * FROM read_parquet('{lake.directory}/silver/events/*/*/*.parquet')"
    known = rows(duckdb.connect(), f"{silver} WHERE player_id = 'bob'")

    place = LocalCopy(lake.directory)
    assert place.forget(ANN) == 3, "a row of silver, one left aside by the job, and the line it was made of"
    assert not list(place.find(ANN))

    lake.arrive("2026-02-10T01", [event(3, "session_start", FIRST, "cat", received_at=NIGHT)])
    run(lake, "second", 1)
    found = rows(duckdb.connect(), silver)
    assert {row["player_id"] for row in found} == {"bob", "cat"}
    assert [row for row in found if row["player_id"] == "bob"] == known
    everyone = {"game_id": "g", "platform": "*", "country": "*", "app_version": "*"}
    (day,) = [row for row in lake.gold("daily") if everyone.items() <= row.items()]
    assert day["active_players"] == 2
