"""A player is erased from silver for real, by the command here and as Athena and Glue do it on AWS."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest
from emulated_lake import Event, Lake, Spark, event
from privacy.data_stores import SILVER, Lines, cut_event
from tools import gold, privacy
from tools.personal_data import LocalSilver, Subject, data_files
from tools.restore import undelete

FIRST, NIGHT = "2026-01-01", "2026-02-10T00:00:00.000Z"
GAME, ANN, BOB = "skyforge", Subject("skyforge", "ann"), Subject("skyforge", "bob")
BRONZE = "bronze"
TABLES = {
    "players": ["player"], "leaderboards": ["board", "player_id"], "games": ["game_id"],
    "recent_events": ["game_id", "batch"], "game_days": ["game_day", "shard"],
}  # fmt: skip


def played(number: int, player: str, kind: str = "session_start", **fields: Any) -> Event:
    """Build an event of the game."""
    return event(number, kind, FIRST, player, game_id=GAME, received_at=NIGHT, **fields)


def run(spark: Spark, lake: Lake, name: str, hour: int) -> None:
    """Run all steps over one hour of arrival."""
    span = (f"2026-02-10T{hour:02}", f"2026-02-10T{hour + 1:02}")
    assert spark.drive(lake.steps("all", name, *span)) == [0]


def named(lake: Lake, player: str) -> int:
    """Return the rows of a player in all data files that any snapshot of silver still names."""
    s3, rows = boto3.client("s3"), 0
    for path in data_files(lake.iceberg("events")):
        body = s3.get_object(Bucket=lake.bucket, Key=path.partition(f"{lake.bucket}/")[2])["Body"].read()
        rows += pq.read_table(BytesIO(body), columns=["player_id"])["player_id"].to_pylist().count(player)
    return rows


@pytest.fixture(scope="module")
def lake(spark: Spark) -> Iterator[Lake]:
    """A lake of two players of a game, computed."""
    lake = spark.lake("erasure")
    boto3.client("s3").put_bucket_versioning(
        Bucket=lake.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    payload = {"fps": 59.5, "extra": {"arena": "ice"}}
    lake.arrive("2026-02-10T00", [played(1, "ann"), played(2, "bob", "performance", payload=payload)])
    with spark.computing():
        run(spark, lake, "first", 0)
        yield lake


@pytest.fixture(scope="module")
def platform(lake: Lake) -> privacy.Platform:
    """What the command has of the environment."""
    dynamodb = boto3.client("dynamodb")
    for name, parts in TABLES.items():
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": part, "AttributeType": "S"} for part in parts],
            KeySchema=[
                {"AttributeName": part, "KeyType": kind}
                for part, kind in zip(parts, ("HASH", "RANGE"), strict=False)
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    boto3.resource("dynamodb").Table("games").put_item(
        Item={"game_id": GAME, "status": "active", "key_hashes": []}
    )
    outputs = {"tables": {name: name for name in TABLES}, "lake_bucket": lake.bucket}
    return privacy.Platform(outputs | {"lake_database": lake.database}, local=True)


def test_the_command_leaves_no_file_with_the_player(
    lake: Lake, platform: privacy.Platform, tmp_path: Path
) -> None:
    before = [row for row in lake.table("events") if row["player_id"] == "bob"]
    assert named(lake, "ann") > 0
    manifest = platform.export(GAME, "ann", tmp_path / "ann.zip")
    assert manifest["files"]["silver.ndjson"]["records"] == 1
    receipt = platform.erase(GAME, "ann", "asked")
    deleted = {step["store"]: step["deleted"] for step in receipt["steps"]}
    assert (deleted["silver"], deleted[BRONZE], receipt["nothing_left"]) == (1, 1, True)
    assert named(lake, "ann") == 0
    assert [row for row in lake.table("events") if row["player_id"] == "bob"] == before


def test_the_job_goes_on_and_who_comes_again_is_erased_again(
    spark: Spark, lake: Lake, platform: privacy.Platform
) -> None:
    child = {"analytics_storage": "granted", "age_group": "child"}
    lake.arrive("2026-02-10T01", [played(3, "cat", privacy=child), played(4, "ann")])
    run(spark, lake, "second", 1)
    assert named(lake, "ann") == 1
    assert platform.again() == 1
    assert named(lake, "ann") == 0
    assert not list(Lines(boto3.client("s3"), lake.bucket, BRONZE, cut_event).find(ANN))
    run(spark, lake, "third", 1)
    found = {row["player_id"]: row["privacy"] for row in lake.table("events")}
    assert found == {"bob": None, "cat": child}
    everyone = {"game_id": GAME, "platform": "*", "country": "*", "app_version": "*"}
    (day,) = [row for row in lake.table("daily") if everyone.items() <= row.items()]
    assert day["active_players"] == 2


def test_deletes_as_athena_does_them_leave_no_file_once_snapshots_expire(spark: Spark, lake: Lake) -> None:
    """Athena marks rows as deleted; OPTIMIZE rewrites the files, and Glue lets the snapshots expire."""
    name = f"`{lake.database}`.`events`"
    lake.arrive("2026-02-10T02", [played(5, "bob"), played(6, "dan")])
    assert spark.drive(lake.steps("silver", "marked", "2026-02-10T02", "2026-02-10T03")) == [0]
    spark.sql(f"ALTER TABLE lake.{name} SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')")
    spark.sql(f"DELETE FROM lake.{name} WHERE {BOB.condition(SILVER)}")
    tables = {"games": "games", "game_days": "game_days"}
    gold.use({"lake_database": lake.database, "tables": tables}, local=True)
    assert not list(LocalSilver().find(BOB))
    assert named(lake, "bob") == 2, "marked as deleted, and still in the files"
    rewrite = (
        f"CALL lake.system.rewrite_data_files(table => '{name}', options => "
        "map('delete-file-threshold', '1', 'remove-dangling-deletes', 'true'))"
    )
    (done,) = spark.sql(rewrite)
    assert done["rewritten_data_files_count"] > 0
    spark.sql(
        f"CALL lake.system.expire_snapshots(table => '{name}', retain_last => 1,"
        " older_than => TIMESTAMP '2100-01-01 00:00:00')"
    )
    assert named(lake, "bob") == 0
    assert {row["player_id"] for row in lake.table("events")} == {"cat", "dan"}


def test_deleted_files_of_a_table_are_brought_back(spark: Spark, lake: Lake) -> None:
    """`scripts/restore objects` removes the delete markers: the table reads as before."""
    s3, held = boto3.client("s3"), lake.table("events")
    since = datetime.now(UTC) - timedelta(seconds=1)
    path = min(data_files(lake.iceberg("events")))
    s3.delete_object(Bucket=lake.bucket, Key=path.partition(f"{lake.bucket}/")[2])
    with pytest.raises(FileNotFoundError):
        lake.table("events")
    assert list(undelete(s3, lake.bucket, "silver/", since))
    assert lake.table("events") == held
    run(spark, lake, "fourth", 1)
