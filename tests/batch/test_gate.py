"""A game that breaks its schemas or its audit is set aside; the others are published."""

from typing import Any

import boto3
import pytest
from data_quality import facts
from emulated_lake import Event, Spark, event
from telemetry.sequences import UNNUMBERED_SDKS

DAY, NIGHT = "2026-02-09", "2026-02-10T00:00:00.000Z"
PAID = {"store": "web", "transaction_id": "t", "currency": "USD", "amount_minor": 499}
# As much as a schema lets through: a thousand of them are more than 64 bits hold.
MOST = 2**53 - 1
HOURS = ("2026-02-10T00", "2026-02-10T01", "2026-02-10T02", "2026-02-10T03")


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
    sent(5, "performance", 6, payload={"fps": 1000.1}),
    sent(6, "session_heartbeat", None, payload={"elapsed_seconds": 604801}),
]
# Right, and with no payment: no row of gold may say that there was one.
OTHER = [event(7, "session_start", DAY, "bob", game_id="other", received_at=NIGHT)]
# Clients of other products give their events no numbers: gaps between them mean nothing.
MOVED = [
    event(10 + n, "session_start", DAY, "dan", game_id="moved", received_at=NIGHT, sequence=1000 * n,
          client={"platform": "ios", "app_version": "1.0.0", "sdk": sdk})
    for n, sdk in enumerate(UNNUMBERED_SDKS)
]  # fmt: skip
# Each amount is allowed; gold that computes with 64 bits would be wrong, and negative.
RICH = [
    event(
        100 + n, "economy", DAY, "cat", game_id="rich", received_at=NIGHT, sequence=n,
        payload={
            "flow": "source", "currency": "gold", "amount": MOST, "reason": "quest", "balance_after": MOST,
        },
    )
    for n in range(1100)
]  # fmt: skip


class Gate:
    """A lake after two hours: all games send good events, then one game sends bad ones."""

    def __init__(self, spark: Spark) -> None:
        self.lake = lake = spark.lake("gate")
        lake.arrive(HOURS[0], GOOD)
        self.first = spark.drive(lake.steps("all", "good", HOURS[0], HOURS[1]))
        lake.arrive(HOURS[1], [*BAD, *MOVED, *OTHER, *RICH])
        with spark.saying() as self.said:
            self.second = spark.drive(
                lake.steps("silver", "bad", HOURS[1], HOURS[2]),
                lake.steps("gold", "bad"),
                # What the steps before could not have written: a share above one.
                {
                    "sql": f"UPDATE lake.`{lake.database}`.daily.`branch_bad`"
                    " SET stickiness = 2 WHERE game_id = 'g'"
                },
                lake.steps("audit", "bad"),
                lake.steps("publish", "bad"),
            )


@pytest.fixture(scope="module")
def gate(spark: Spark) -> Gate:
    with spark.computing("economy", "performance"):
        return Gate(spark)


def test_what_breaks_the_schemas_is_counted_by_field(gate: Gate) -> None:
    good, bad = (gate.lake.report(run, "audit")["games"]["g"] for run in ("good", "bad"))
    assert (good["events"], good["nulls"], good["ranges"]) == (3, {}, {})
    assert (bad["events"], bad["sequences"], bad["gapped"]) == (3, 1, 1)
    assert bad["nulls"] == {"sequence": 1, "purchase.product_id": 1}
    assert bad["ranges"] == {
        "performance.fps": 1, "purchase.amount_minor": 1, "session_heartbeat.elapsed_seconds": 1,
    }  # fmt: skip


def test_sessions_whose_client_counts_no_events_are_not_judged_by_gaps(gate: Gate) -> None:
    moved, other = (gate.lake.report("bad", "audit")["games"][name] for name in ("moved", "other"))
    assert (moved["events"], moved.get("sequences", 0), moved.get("gapped", 0)) == (4, 0, 0)
    assert (other["sequences"], other["gapped"]) == (1, 0)


def test_a_game_with_faults_is_set_aside_and_the_others_are_published(gate: Gate) -> None:
    assert gate.first == [0]
    assert [answer for answer in gate.second if answer != []] == [0, 0, 0, 0]
    report = gate.lake.report("bad", "publish")
    assert report["published"] == ["moved", "other", "rich"]
    assert list(report["set_aside"]) == ["g"]
    assert [words.partition(":")[0] for words in report["set_aside"]["g"]][-1] == "daily"
    assert {row["game_id"] for row in gate.lake.table("daily")} == {"g", "moved", "other", "rich"}
    # The game keeps what it had.
    assert {row["gross_minor"] for row in gate.lake.table("revenue")} == {499}
    assert {row["samples"] for row in gate.lake.table("performance")} == {1}
    assert max(row["stickiness"] for row in gate.lake.table("daily")) == 1


def test_the_job_says_which_game_and_what_to_do(gate: Gate) -> None:
    (said,) = [line for line in gate.said if "SET ASIDE g" in line]
    assert "run bad: SET ASIDE g: " in said
    assert "rows with stickiness NOT BETWEEN 0 AND 1" in said
    assert "docs/runbooks/batch-analytics-set-aside.md" in said


def test_data_quality_fails_that_game_alone(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = facts.newest_audit(boto3.client("s3"), gate.lake.bucket)
    assert newest is not None
    assert list(newest.faults) == ["g"]


def test_sums_do_not_wrap(gate: Gate) -> None:
    totals = [row["amount"] for row in gate.lake.table("economy") if row["reason"] == "*"]
    assert set(totals) == {1100 * MOST}
    assert 1100 * MOST > 2**63


def test_nothing_is_left_of_a_published_run(gate: Gate) -> None:
    for table in ("daily", "economy"):
        assert list(gate.lake.iceberg(table).refs()) == ["main"]
