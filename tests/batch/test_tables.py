"""What happens to the tables themselves: repeated and interrupted steps, other writers, other schemas."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from emulated_lake import TABLES, Event, Lake, Spark, event
from tools import batch, lake_tables

DAY, NIGHT = "2026-02-09", "2026-02-10T00:00:00.000Z"
H = [f"2026-02-10T{hour:02}" for hour in range(24)]


def started(number: int, player: str = "ann", **fields: Any) -> Event:
    """Build an event of the game g."""
    return event(number, "session_start", DAY, player, received_at=NIGHT, **fields)


def active(lake: Lake) -> int:
    """Return the players of the day in gold."""
    (row,) = [
        row for row in lake.table("daily")
        if (row["game_id"], row["platform"], row["country"], row["app_version"]) == ("g", "*", "*", "*")
    ]  # fmt: skip
    players: int = row["active_players"]
    return players


@pytest.fixture(scope="module")
def lake(spark: Spark) -> Iterator[Lake]:
    """A lake whose silver has times without a zone and no partitions, as Glue makes it for Terraform."""
    lake = spark.lake("tables")
    columns = json.loads((TABLES / "events.json").read_text())
    schema = lake_tables.schema_of({column["name"]: column["type"] for column in columns})
    catalog = lake_tables.catalog()
    catalog.drop_table((lake.database, "events"))
    catalog.create_table((lake.database, "events"), schema, f"s3://{lake.bucket}/silver/events")
    # Few tables stand for all: one of each way to write, and the one whose name is a keyword.
    with spark.computing("retention"):
        yield lake


@pytest.fixture(scope="module")
def first(spark: Spark, lake: Lake) -> None:
    """Publish a first hour, its gold step interrupted and repeated while the tables are still empty."""
    lake.arrive(H[0], [started(1), started(1), "not json"])
    answers = spark.drive(
        lake.steps("silver", "first", H[0], H[1]),
        lake.steps("gold", "first"),
        lake.steps("silver", "first", H[0], H[1]),
        lake.steps("gold", "first"),
        lake.steps("audit", "first"),
        lake.steps("publish", "first"),
        lake.steps("publish", "first"),
    )
    assert answers == [0] * 7


def test_repeated_steps_change_nothing(lake: Lake, first: None) -> None:
    assert [row["event_id"] for row in lake.table("events")] == [started(1)["event_id"]]
    assert active(lake) == 1
    assert all(list(lake.iceberg(table).refs()) == ["main"] for table in ("daily", "retention"))


def test_partitions_are_added_to_what_glue_made(lake: Lake, first: None) -> None:
    fields = [field.name for field in lake.iceberg("events").spec().fields]
    assert fields == ["game_id", "event_date"]


def test_an_audit_before_gold_names_what_to_run(spark: Spark, lake: Lake, first: None) -> None:
    lake.arrive(H[1], [started(2, "bob")])
    silver, audit, publish = spark.drive(
        lake.steps("silver", "half", H[1], H[2]), lake.steps("audit", "half"), lake.steps("publish", "half")
    )
    assert silver == 0
    assert audit.startswith("run half: its step gold has not ended")
    assert "run the step gold of this run again" in audit
    assert publish.startswith("run half: its step audit has not ended")
    assert active(lake) == 1
    assert spark.drive(lake.steps("all", "half", H[1], H[2])) == [0]
    assert active(lake) == 2


def test_an_hour_without_objects_is_named_and_publishes_nothing(
    spark: Spark, lake: Lake, first: None
) -> None:
    before = lake.iceberg("daily").current_snapshot()
    with spark.saying() as said:
        assert spark.drive(lake.steps("all", "empty", H[20], H[22])) == [0]
    assert any(f"run empty: bronze has no objects of 2 hours: {H[20]}, {H[21]}" in line for line in said)
    assert lake.report("empty", "silver")["empty_hours"] == [H[20], H[21]]
    assert lake.iceberg("daily").current_snapshot() == before


def test_a_malformed_line_is_named_with_its_object(spark: Spark, lake: Lake, first: None) -> None:
    key = lake.arrive(H[2], [started(3, "cat"), '{"event_id": 7'])
    with spark.saying() as said:
        assert spark.drive(lake.steps("silver", "torn", H[2], H[3])) == [0]
    (line,) = [line for line in said if "are no events" in line]
    assert "run torn: 1 lines of bronze" in line
    assert key in line
    assert lake.report("torn", "silver")["malformed"] == 1


def test_two_runs_at_once_add_each_event_once(spark: Spark, lake: Lake, first: None) -> None:
    lake.arrive(H[4], [started(4, "dan"), started(5, "eve")])
    one, other = (lake.steps("silver", name, H[4], H[5]) for name in ("one", "other"))
    with spark.saying() as said:
        assert spark.drive({"before_add": other}, one) == [None, 0]
    assert any("run one: another writer added to silver meanwhile" in line for line in said)
    ids = [row["event_id"] for row in lake.table("events")]
    assert len(ids) == len(set(ids))
    news = [lake.report(name, "silver")["games"]["g"]["new"] for name in ("one", "other")]
    assert news == [0, 2]


def test_the_older_of_two_runs_does_not_replace_the_newer(spark: Spark, lake: Lake, first: None) -> None:
    lake.arrive(H[6], [started(6, "fay")])
    assert spark.drive(
        lake.steps("silver", "older", H[4], H[5]), lake.steps("gold", "older"), lake.steps("audit", "older")
    ) == [0, 0, 0]
    assert spark.drive(lake.steps("all", "newer", H[6], H[7])) == [0]
    players = active(lake)
    (refused,) = spark.drive(lake.steps("publish", "older"))
    assert f"run older: another run has published {lake.database}.daily since" in refused
    assert active(lake) == players
    again = [lake.steps(step, "older") for step in ("gold", "audit", "publish")]
    assert spark.drive(*again) == [0, 0, 0]
    assert active(lake) == players


def test_gold_is_published_after_the_table_was_compacted(spark: Spark, lake: Lake, first: None) -> None:
    lake.arrive(H[8], [started(7, "gus")])
    assert spark.drive(
        lake.steps("silver", "compacted", H[8], H[9]),
        lake.steps("gold", "compacted"),
        lake.steps("audit", "compacted"),
    ) == [0, 0, 0]
    (done,) = spark.sql(
        f"CALL lake.system.rewrite_data_files(table => '`{lake.database}`.`daily`',"
        " options => map('rewrite-all', 'true'))"
    )
    assert done["rewritten_data_files_count"] > 0
    players = active(lake)
    assert spark.drive(lake.steps("publish", "compacted")) == [0]
    assert active(lake) == players + 1


def test_time_travel_and_expiry(spark: Spark, lake: Lake, first: None) -> None:
    """Silver's first snapshot with rows can be read until it expires."""
    name = f"lake.`{lake.database}`"
    snapshots = spark.sql(f"SELECT snapshot_id FROM {name}.events.snapshots ORDER BY committed_at")
    old = next(
        one["snapshot_id"] for one in snapshots
        if spark.sql(f"SELECT event_id FROM {name}.events VERSION AS OF {one['snapshot_id']}")
        == [{"event_id": started(1)["event_id"]}]
    )  # fmt: skip
    for table in ("events", "daily"):
        spark.sql(
            f"CALL lake.system.expire_snapshots(table => '`{lake.database}`.`{table}`', retain_last => 1,"
            " older_than => TIMESTAMP '2100-01-01 00:00:00')"
        )
    left = spark.sql(f"SELECT snapshot_id FROM {name}.events.snapshots")
    assert old not in [row["snapshot_id"] for row in left]
    assert len(left) == 1
    assert active(lake) > 0


def test_a_dropped_table_is_named_and_loses_nothing(spark: Spark, lake: Lake, first: None) -> None:
    lake_tables.catalog().drop_table((lake.database, "retention"))
    lake.arrive(H[10], [started(8, "hal")])
    held = len(lake.table("events"))
    (refused,) = spark.drive(lake.steps("all", "dropped", H[10], H[11]))
    assert refused.startswith(f"run dropped: {lake.database}.retention is not there")
    assert "docs/runbooks/batch-analytics.md" in refused
    assert len(lake.table("events")) == held
    columns = json.loads((TABLES / "gold.json").read_text())["retention"]["columns"]
    lake.declare("retention", columns)
    assert list(lake_tables.create(lake.database)) == ["retention"]
    assert spark.drive(lake.steps("all", "dropped", H[10], H[11])) == [0]
    assert len(lake.table("events")) == held + 1
    assert {row["game_id"] for row in lake.table("retention")} == {"g"}


def test_columns_come_and_go(spark: Spark, lake: Lake, first: None) -> None:
    """A release that is rolled back leaves columns that the job does not know, also within the payload."""
    name = f"lake.`{lake.database}`"
    spark.sql(f"ALTER TABLE {name}.events ADD COLUMNS (`newer` string, `payload`.`newer` bigint)")
    spark.sql(f"ALTER TABLE {name}.daily ADD COLUMN `newer` double")
    spark.sql(f"ALTER TABLE {name}.events DROP COLUMN `payload`.`queue_seconds`")
    spark.sql(f"ALTER TABLE {name}.daily DROP COLUMN `dormant_players`")
    lake.arrive(H[12], [started(9, "ida", payload={"queue_seconds": 5})])
    assert spark.drive(lake.steps("all", "rolled-back", H[12], H[13])) == [0]
    (row,) = [row for row in lake.table("events") if row["player_id"] == "ida"]
    assert (row["newer"], row["payload"]["newer"], row["payload"]["queue_seconds"]) == (None, None, 5)
    (old,) = [row for row in lake.table("events") if row["player_id"] == "ann"]
    assert old["payload"]["queue_seconds"] is None
    assert {row["newer"] for row in lake.table("daily")} == {None}
    assert {row["dormant_players"] for row in lake.table("daily")} == {0}


def test_both_kinds_of_time_are_read(spark: Spark, lake: Lake, first: None) -> None:
    """Glue may make a time with a zone or one without: the figures are the same."""
    other = spark.lake("zoned")
    columns = json.loads((TABLES / "events.json").read_text())
    types = {column["name"]: column["type"] for column in columns}
    zoned = lake_tables.schema_of(types, zoned=True)
    catalog = lake_tables.catalog()
    catalog.drop_table((other.database, "events"))
    catalog.create_table((other.database, "events"), zoned, f"s3://{other.bucket}/silver/events")
    for one in (lake, other):
        kinds = {str(field.field_type) for field in one.iceberg("events").schema().fields}
        assert ("timestamptz" in kinds, "timestamp" in kinds) == (one is other, one is lake)
    other.arrive(H[0], [started(1)])
    assert spark.drive(other.steps("all", "first", H[0], H[1])) == [0]
    assert active(other) == 1
    (row,) = other.table("events")
    (same,) = [row for row in lake.table("events") if row["player_id"] == "ann"]
    assert row["corrected_time"].replace(tzinfo=None) == same["corrected_time"]


def test_the_job_understands_what_the_state_machine_tells_it(spark: Spark, lake: Lake, first: None) -> None:
    """The run of the schedule is this one, but for names and endpoints."""
    told = spark.role.submitted
    known = {"run_id": "scheduled", "from": H[20], "to": H[22]}
    given = [
        re.sub(r"{% \$states.input.(\w+) %}", lambda m: known[m[1]], one)
        for one in told["EntryPointArguments"]
    ]
    given = [
        one.replace("s3://lake", f"s3://{lake.bucket}").replace("demo_test", lake.database) for one in given
    ]
    assert given == lake.steps("all", "scheduled", H[20], H[22])
    assert spark.drive(given) == [0]
    settings = dict(re.findall(r"--conf ([^= ]+)=(\S+)", told["SparkSubmitParameters"]))
    here = json.loads(batch.SHARED.read_text())
    assert {name: settings.get(name) for name in here} == here


@pytest.fixture
def without(spark: Spark, lake: Lake, request: pytest.FixtureRequest) -> Iterator[str]:
    """Take one action out of the job's policy as long as the test takes."""
    iam = boto3.client("iam")
    policy = iam.get_role_policy(RoleName="batch-analytics-job", PolicyName=lake.bucket)["PolicyDocument"]
    text = json.dumps(policy)
    assert f'"{request.param}"' in text
    iam.put_role_policy(
        RoleName="batch-analytics-job", PolicyName=lake.bucket,
        PolicyDocument=text.replace(f'"{request.param}"', '"s3:GetBucketAcl"'),
    )  # fmt: skip
    try:
        yield request.param
    finally:
        iam.put_role_policy(RoleName="batch-analytics-job", PolicyName=lake.bucket, PolicyDocument=text)


@pytest.fixture(scope="module")
def reported(spark: Spark, lake: Lake, first: None) -> None:
    """Leave reports of a run, which its next attempt deletes; and an event that silver lacks."""
    assert spark.drive(lake.steps("silver", "denied", H[14], H[15])) == [0]
    lake.arrive(H[14], [started(10, "joe")])


@pytest.mark.parametrize(
    "without",
    # The first finds reports to delete.
    ["s3:DeleteObject", "glue:GetTable", "glue:UpdateTable", "s3:GetObject", "s3:ListBucket", "s3:PutObject"],
    indirect=True,
)
def test_the_job_needs_each_action_of_its_role(
    spark: Spark, lake: Lake, reported: None, without: str
) -> None:
    (answer,) = spark.drive(lake.steps("silver", "denied", H[14], H[15]))
    assert re.search(r"AccessDenied|not authorized|Access Denied|Forbidden|403", str(answer)), answer
