"""A lake that breaks its schemas: the job measures it, data_quality refuses it, gold stays as it was."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from data_quality import checks, facts
from lake_of_files import Event, Lake, Spark, event

DAY, NIGHT = "2026-02-09", "2026-02-10T00:00:00.000Z"
PAID = {
    "store": "web", "transaction_id": "t", "currency": "USD", "amount_minor": 499, "product_id": "p",
    "quantity": 1,
}  # fmt: skip


def sent(number: int, kind: str, sequence: int | None, **fields: Any) -> Event:
    """Build an event of ann's session."""
    return event(number, kind, DAY, "ann", sequence=sequence, received_at=NIGHT, **fields)


GOOD = [
    sent(1, "purchase", 0, payload=PAID),
    sent(2, "performance", 1, payload={"fps": 60.0}),
    sent(3, "session_heartbeat", 3, payload={"elapsed_seconds": 60}),
]
# Wrong as events, though no figure of gold gives it away.
BAD = [
    sent(4, "purchase", 4, payload={**PAID, "product_id": None, "amount_minor": 10**12 + 1}),
    sent(5, "performance", 5, payload={"fps": 1000.1}),
    sent(6, "session_heartbeat", None, payload={"elapsed_seconds": 604801}),
]


@pytest.fixture(scope="module")
def lake(spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Publish an hour of good events, then take an hour of bad ones as far as the audit."""
    lake = Lake(tmp_path_factory.mktemp("lake"))
    lake.arrive("2026-02-10T00", GOOD)
    lake.arrive("2026-02-10T01", BAD)
    common = ["--lake", lake.uri, "--format", "parquet", "--run-id"]
    hours = ["--from", "2026-02-10T01", "--to", "2026-02-10T02"]
    assert spark.drive([
        ["all", *common, "good", "--from", "2026-02-10T00", "--to", "2026-02-10T01"],
        ["silver", *common, "bad", *hours],
        ["gold", *common, "bad"],
        ["audit", *common, "bad"],
    ]) == [0, 0, 0, 0]  # fmt: skip
    return lake


def test_what_breaks_the_schemas_is_counted_by_field(lake: Lake) -> None:
    good, bad = (lake.report(run, "audit")["games"]["g"] for run in ("good", "bad"))
    assert (good["events"], good["nulls"], good["ranges"]) == (3, {}, {})
    assert (bad["events"], bad["sessions"], bad["gapped"]) == (6, 1, 1)
    assert bad["nulls"] == {"sequence": 1, "purchase.product_id": 1}
    assert bad["ranges"] == {
        "performance.fps": 1, "purchase.amount_minor": 1, "session_heartbeat.elapsed_seconds": 1,
    }  # fmt: skip


@pytest.fixture
def s3(lake: Lake, aws: None) -> Any:
    """Put what the job left into a bucket."""
    client = boto3.client("s3")
    client.create_bucket(Bucket="lake")
    for path in lake.directory.glob("batch/runs/*/audit.json"):
        client.upload_file(str(path), "lake", str(path.relative_to(lake.directory)))
    return client


@pytest.mark.parametrize(("run", "refused"), [("good", 0), ("bad", 2)])
def test_gold_of_such_a_run_is_refused(s3: Any, run: str, refused: int) -> None:
    audit = facts.audit_of(s3, "lake", run)
    assert audit.faults == []
    assert len(checks.refused(audit.games["g"])) == refused


def test_old_gold_stays(lake: Lake) -> None:
    assert {row["gross_minor"] for row in lake.gold("revenue")} == {499}
    assert {row["samples"] for row in lake.gold("performance")} == {1}
    staged = Path(lake.directory / "batch/runs/bad/gold/performance")
    assert list(staged.rglob("*.parquet")), "gold of the bad hour was computed, and lies aside"
