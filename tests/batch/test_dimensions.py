"""Gold by custom dimensions, after any nights, is what plain Python counts over all events, bag for bag."""

import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from night_lake import Lake
from nights import DAY_MS, START, Event, World, by_arrival, identified, make_mistake, valued

OF_EVENTS = (
    "economy", "progression", "stability", "performance", "design", "ads", "tutorial", "matches",
    "total_revenue", "performance_bins", "acquisition", "acquisition_value",
)  # fmt: skip


def months(seed: int = 5) -> Lake:
    """Return a lake of five months of events, whose values change from one to the next."""
    world = World(seed, 150, players=3)
    days, lake = by_arrival(valued(world.events, seed), 150), Lake()
    lake.run([event for day in days[:125] for event in day])
    for first in range(125, len(days), 5):
        lake.run([event for day in days[first : first + 5] for event in day])
    return lake


def test_nights_go_on_from_what_is_kept() -> None:
    lake = months()
    assert lake.differing() == []
    assert lake.said == []
    ((values, others),) = lake.store.rows(
        "SELECT COUNT(DISTINCT custom_2), "
        "SUM(CASE WHEN game_id <> 'g' AND custom_1 <> '*' THEN 1 ELSE 0 END) FROM lake.daily"
    )
    assert (values, others) == (6, 0)


def linked() -> Lake:
    """Return a lake of guests who become accounts; the values of their first days are not the same."""
    events = valued(identified(World(2, 60, players=3).events, 2), 2)
    days, lake = by_arrival(events, 70), Lake()
    lake.run([event for day in days[:40] for event in day])
    for first in range(40, len(days), 6):
        lake.run([event for day in days[first : first + 6] for event in day])
    return lake


def test_a_guest_and_its_account_have_the_value_of_the_first_day_of_both() -> None:
    assert linked().differing() == []


def made(day: int, player: str, first: str | None, second: str | None = None, **fields: Any) -> Event:
    """Return an event of a day that arrives on it; `first` is frozen, `second` the current value."""
    event = World(1, 1)._event("g", player, f"s-{player}-{day}-{fields.get('ms', 0)}", day * DAY_MS)
    told = {"install_1": first, "custom_2": second, "arrival_date": START + timedelta(day)}
    ms, arrival = fields.pop("ms", 0), fields.pop("arrival", day)
    told |= {"platform": "ios", "country": "DE", "app_version": "1.0"}
    told |= {"at_ms": event["at_ms"] + ms, "arrival_date": START + timedelta(arrival)}
    paid = {
        "store": "web",
        "transaction_id": f"t-{player}-{day}-{ms}",
        "currency": "EUR",
        "amount_minor": 100,
    }
    identity = {
        "event_id": f"{zlib.crc32(repr((day, player, ms, arrival, first)).encode()):016x}",
        "event_type": "purchase",
    }
    return event | dict.fromkeys(("tax_minor", "store_fee_minor")) | paid | identity | told | fields


def frozen() -> Lake:
    """Return a lake of players whose first day arrives late, changes, or turns out to be an earlier one."""
    lake = Lake()
    # Within a day: the first value that is told, not that of the first event, nor one of a refund.
    lake.run(
        [
            made(9, "p", "rogue", "ios", event_type="refund", refund_id="r", refund_kind="refund"),
            made(10, "p", "unknown", "a"), made(10, "p", "mage", "b", ms=5),
            made(10, "p", "rogue", "a", ms=9),
            made(40, "q", "unknown"), made(41, "q", "mage", "a"),
            *(made(day, "p", "rogue", "a") for day in range(17, 150, 7)),
        ]
    )  # fmt: skip
    # A year has passed since the first day. A reinstall tells another value, which counts nowhere.
    lake.run([made(150, "p", "rogue", "c"), made(150, "q", "rogue", "c"), made(150, "r", "mage", "c")])
    # Late: an earlier value of the first day, then an earlier first day without a value.
    lake.run([made(150, "r", "rogue", "d", ms=-9, arrival=151), made(151, "r", "mage", "d")])
    lake.run([made(148, "r", "unknown", "d", arrival=152), made(152, "s", "mage", "d", ms=7)])
    lake.run([made(152, "s", "elf", "e", ms=3, arrival=153), made(153, "p", "mage", "a")])
    # A payment is given back long after the value changed: it counts where the payment did.
    back = {"event_type": "refund", "refund_id": "r", "refund_kind": "refund", "amount_minor": 60}
    lake.run([made(154, "p", "mage", "z", transaction_id="t-p-150-0", **back), made(154, "s", None, None)])
    assert lake.said == []
    return lake


def test_the_first_value_of_the_first_day_is_frozen() -> None:
    lake = frozen()
    assert lake.differing() == []
    rows = lake.store.rows(
        "SELECT event_date, custom_1, active_players FROM lake.daily "
        "WHERE custom_1 <> '*' AND event_date >= DATE '2026-05-29' ORDER BY event_date, custom_1"
    )
    assert [((row[0] - START).days, *row[1:]) for row in rows] == [
        (148, "unknown", 1),
        (150, "mage", 1),
        (150, "unknown", 2),
        (151, "unknown", 1),
        (152, "elf", 1),
        (153, "mage", 1),
        (154, "elf", 1),
    ]
    refunded = lake.store.rows(
        "SELECT custom_2, refunded_minor FROM lake.revenue WHERE refunds > 0 AND custom_2 <> '*'"
    )
    assert refunded == [("c", 60)]


def declared() -> Lake:
    """Return a lake of a game that declares a dimension when it has been played for a month."""
    lake = Lake()
    lake.run([made(day, player, None) for day in range(10, 40, 3) for player in "pq"])
    lake.run([made(40, "p", None), made(40, "r", None)])
    assert lake.said == []
    lake.run([made(41, "p", "mage"), made(41, "s", "mage"), made(41, "r", "unknown")])
    lake.run([made(42, "p", "mage", "now"), made(42, "s", "rogue", "then")])
    return lake


def test_a_game_that_declares_a_dimension_has_rows_of_it_on_all_days() -> None:
    lake = declared()
    assert lake.differing() == []
    assert [words.partition("because ")[2] for words in lake.said] == [
        "its events have a custom dimension that they did not have before"
    ] * 2
    days = lake.store.rows("SELECT DISTINCT event_date FROM lake.daily WHERE custom_1 = 'unknown'")
    assert len(days) == 13


def test_a_game_that_declares_a_dimension_before_its_gold_was_published() -> None:
    """What the first run kept without players counts by their first day, once there is a dimension."""
    moved = {"event_type": "economy", "currency": "gold", "flow": "sink", "reason": "r", "amount": 5}
    moved |= {"balance_after": 1}
    lake = Lake()
    lake.gold(lake.add([made(10, "p", None, **moved)]))
    lake.run([made(10, "p", "mage", ms=5, **moved)])
    assert lake.differing() == []
    found = lake.store.rows(
        "SELECT custom_1, amount FROM lake.economy WHERE custom_1 <> '*' AND reason = 'r'"
    )
    assert found == [("mage", 10)]


def of_all_kinds() -> Lake:
    """Return a lake of 25 days with events of all kinds; each of the last nights brings two of them."""
    events = valued(World(57, 25, players=4).events, 57)
    days, lake = by_arrival(events, 25), Lake()
    lake.run([event for day in days[:19] for event in day])
    for first in range(19, len(days), 2):
        lake.run([event for day in days[first : first + 2] for event in day])
    return lake


def test_each_table_tells_the_values_of_its_events_apart() -> None:
    lake = of_all_kinds()
    assert lake.differing() == []
    for table in OF_EVENTS:
        for column in ("custom_1", "custom_2"):
            ((values,),) = lake.store.rows(f"SELECT COUNT(DISTINCT {column}) FROM lake.{table}")
            assert values > 2, (table, column)


def paid_back_without_dimensions() -> Lake:
    """Return a lake of a game without dimensions, whose only event of a day is a refund."""
    lake = Lake()
    back = {"event_type": "refund", "refund_id": "r", "refund_kind": "refund"}
    lake.run([made(10, "p", None), made(12, "p", None, transaction_id="t-p-10-0", **back)])
    return lake


def test_a_game_without_dimensions_has_no_rows_of_them() -> None:
    lake = paid_back_without_dimensions()
    assert lake.differing() == []
    assert not lake.store.rows("SELECT 1 FROM lake.revenue WHERE custom_1 <> '*' OR custom_2 <> '*'")


# What makes it wrong: where it shows, a file, what it says, and a mistake in its place.
MISTAKES = [
    (
        frozen,
        "kept/kept_sources",
        "NULLIF(COALESCE(e.custom_1, e.install_1), 'unknown')",
        "e.install_1",
    ),
    (frozen, "kept/kept_sources", "WHERE e.event_type <> 'refund'", ""),
    (frozen, "kept/kept_sources", "ORDER BY at_ms, event_id", "ORDER BY at_ms DESC, event_id"),
    (frozen, "kept/leaving", "own_2 AS left_custom_2", "custom_1 AS left_custom_2"),
    (frozen, "gold/_views", "AND v.event_date = k.cohort_date", ""),
    (frozen, "gold/_views", "COALESCE(s.custom_2, v.custom_2, 'unknown')", "COALESCE(v.custom_2, 'unknown')"),
    (frozen, "gold/_views", "COALESCE(p.custom_1, v.custom_1, 'unknown')", "COALESCE(p.custom_1, 'unknown')"),
    (frozen, "gold/_views", "s.app_version, s.custom_1, s.custom_2\n", "s.app_version\n"),
    (frozen, "gold/daily", "(custom_1), (custom_2))", "(custom_1), (custom_1, custom_2))"),
    (frozen, "gold/daily", "app_version, custom_1, custom_2 ORDER", "app_version ORDER"),
    (frozen, "gold/revenue", "AND m.custom_1 = s.custom_1", ""),
    (frozen, "gold/retention", "AND p.custom_1 = s.custom_1 AND p.custom_2 = s.custom_2 AND p", "AND p"),
    (frozen, "gold/lifetime_value", "AND p.custom_1 = s.custom_1 AND p.custom_2 = s.custom_2 AND p", "AND p"),
    (paid_back_without_dimensions, "gold/retention", "(f.custom_2 = '*' OR b.slot_2 = 1)", "TRUE"),
    (paid_back_without_dimensions, "gold/revenue", "(c.custom_1 = '*' OR b.slot_1 = 1)", "TRUE"),
    (
        paid_back_without_dimensions,
        "gold/lifetime_value",
        "(s.custom_1 = '*' OR b.slot_1 = 1)",
        "TRUE",
    ),
    (frozen, "gold/total_revenue", "    AND e.custom_1 = c.custom_1 AND e.custom_2 = c.custom_2\n", ""),
    (paid_back_without_dimensions, "gold/total_revenue", "(e.custom_1 = '*' OR b.slot_1 = 1)", "TRUE"),
    (frozen, "gold/stability", "(custom_1), (custom_2))", "(custom_1), (custom_1, custom_2))"),
    (paid_back_without_dimensions, "gold/stability", "(custom_2 = '*' OR slot_2 = 1)", "TRUE"),
    (frozen, "gold/_views", "COALESCE(k.custom_1, v.custom_1, 'unknown')", "COALESCE(k.custom_1, 'unknown')"),
    *(
        (
            of_all_kinds,
            f"kept/{table}",
            "app_version, custom_1, custom_2,",
            "app_version, custom_2 AS custom_1, custom_1 AS custom_2,",
        )
        for table in ("kept_attempts", "kept_designs", "kept_ads", "kept_matches")
    ),
    (of_all_kinds, "gold/acquisition", "AND r.custom_1 = s.custom_1", ""),
    (of_all_kinds, "gold/acquisition_value", "AND p.custom_2 = s.custom_2", ""),
    (of_all_kinds, "gold/economy", "CASE WHEN c.slot = 1 THEN m.custom_1 ELSE '*' END", "m.custom_1"),
    (of_all_kinds, "kept/kept_samples", "CASE WHEN e.by_player THEN e.player_id END", "NULL"),
    (of_all_kinds, "gold/tutorial", "COALESCE(o.custom_2, v.custom_2, ", "COALESCE(v.custom_2, "),
]  # fmt: skip


@pytest.mark.parametrize(("play", "file", "right", "wrong"), MISTAKES)
def test_a_mistake_is_found(
    play: Callable[[], Lake], file: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mistake(monkeypatch, file, right, wrong)
    assert play().differing()
