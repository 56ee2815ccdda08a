"""Nights of the real job on real Iceberg tables: gold is what plain Python counts over all of silver."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import plain_gold
import pytest
from batch_analytics.kept import PAYLOAD
from emulated_lake import Lake, Spark
from emulated_lake import event as enriched
from nights import START, Event, World, by_arrival, exact, identified
from privacy.data_stores import KEPT

FIRST = 90
# What schemas ask of events and gold does not read.
REQUIRED: dict[str, dict[str, Any]] = {
    "crash": {"fatal": True, "signature": "a"},
    "economy": {"item": "sword"},
    "player_registered": {"method": "guest"},
    "purchase": {"product_id": "gems", "quantity": 1},
}


def sent(number: int, made: Event) -> dict[str, Any]:
    """Return an event of a world as bronze has it."""
    moment = datetime.fromtimestamp(made["at_ms"] / 1000, UTC)
    payload = REQUIRED.get(made["event_type"], {}) | {
        name: made[name] for name in PAYLOAD if made[name] is not None
    }
    received = max(moment, datetime.combine(made["arrival_date"], datetime.min.time(), UTC))
    same = {name: made[name] for name in ("game_id", "session_id", "platform", "country", "app_version")}
    return enriched(
        number, made["event_type"], str(made["event_date"]), made["player_id"], payload=payload, **same,
        corrected_time=f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
        received_at=f"{received:%Y-%m-%dT%H:%M:%S}.000Z",
    )  # fmt: skip


def silver(lake: Lake) -> list[Event]:
    """Return silver's events as plain Python counts them."""
    found = []
    for row in lake.table("events"):
        at = row["corrected_time"].replace(tzinfo=UTC)
        found.append(
            row | (row["payload"] or {}) | {
                "at_ms": round(at.timestamp() * 1000), "arrival_date": row["received_at"].date(),
            }
        )  # fmt: skip
    return found


def differing(lake: Lake) -> list[str]:
    """Return the rows that published gold and plain Python do not share."""
    found: list[str] = []
    for table, rows in plain_gold.gold(silver(lake)).items():
        names = sorted({name for row in rows for name in row})
        ours = Counter(tuple(exact(row[name]) for name in names) for row in lake.table(table))
        theirs = Counter(tuple(exact(row[name]) for name in names) for row in rows)
        found += [f"{table}: gold has {dict(zip(names, row, strict=True))}" for row in ours - theirs]
        found += [f"{table}: gold lacks {dict(zip(names, row, strict=True))}" for row in theirs - ours]
    return found


class Nights:
    """A lake whose job runs again and again; what arrives on a day is run the next."""

    def __init__(self, spark: Spark, name: str) -> None:
        self.spark, self.lake = spark, spark.lake(name)
        self.days = by_arrival(identified(World(3, FIRST + 28).events, 3), FIRST + 60)
        self.numbers = iter(range(1, 10**6))

    def arrive(self, first: int, last: int) -> list[str]:
        """Let the events of days of arrival come in the night after; return the run's arguments."""
        hour = f"{START + timedelta(last)}T00"
        lines = [sent(next(self.numbers), made) for day in self.days[first:last] for made in day]
        # A night computes the games that have new events: each test needs both.
        assert {made["game_id"] for day in self.days[first:last] for made in day} == {"g", "k"}
        # The first ones twice: a client sends them again.
        self.lake.arrive(hour, [*lines, *lines[:3]])
        return self.lake.steps("all", f"night-{last}", hour, f"{START + timedelta(last)}T01")

    def run(self, *arguments: list[str]) -> list[Any]:
        return self.spark.drive(*arguments)


@pytest.fixture(scope="module")
def nights(spark: Spark) -> Nights:
    """Run the first night, of all the days until then."""
    made = Nights(spark, "nights")
    assert made.run(made.arrive(0, FIRST)) == [0]
    return made


def test_the_first_night_is_what_the_definitions_say(nights: Nights) -> None:
    assert differing(nights.lake) == []


def test_a_night_later_with_late_events_and_again(nights: Nights) -> None:
    with nights.spark.saying() as said:
        night = nights.arrive(FIRST, FIRST + 12)
        assert nights.run(night, night) == [0, 0]
    assert differing(nights.lake) == []
    assert not [line for line in said if "computed again" in line]


def test_a_night_that_was_not_published_and_an_erasure(nights: Nights) -> None:
    lake, first = nights.lake, nights.arrive(FIRST + 12, FIRST + 22)
    span = first[first.index("--from") :][1::2]
    steps = lake.steps("silver", "unpublished", *span), lake.steps("gold", "unpublished")
    assert nights.run(*steps) == [0, 0]
    for table in ("events", *KEPT):
        name = f"`lake`.`{lake.database}`.`{table}`"
        nights.spark.sql(f"DELETE FROM {name} WHERE game_id = 'g' AND player_id = 'p-0'")
    with nights.spark.saying() as said:
        assert nights.run(nights.arrive(FIRST + 22, FIRST + 60)) == [0]
    again = [line for line in said if "computed again" in line]
    assert [line.partition("g: ")[2][:16] for line in again] == ["everything is co"]
    assert "erased" in again[0]
    assert differing(lake) == []


def test_a_game_is_rebuilt_by_command(nights: Nights) -> None:
    assert nights.run([*nights.lake.steps("rebuild", "repair"), "--game", "k"]) == [0]
    assert differing(nights.lake) == []
