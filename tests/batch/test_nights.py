"""Nights that go on from kept tables give the gold that plain Python counts over all events, bag for bag."""

import random
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from batch_analytics import kept
from batch_analytics.kept import PAYLOAD
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from night_lake import Lake
from nights import DAY_MS, START, Event, World, by_arrival, make_mistake, valued


def test_all_at_once_is_what_the_definitions_say() -> None:
    lake = Lake()
    lake.run(World(1, 130).events)
    assert lake.differing() == []
    assert all(lake.store.rows(f"SELECT 1 FROM {lake.store.name(table)}") for table in kept.GOLD)


def quiet(seed: int = 3) -> Lake:
    """Return a lake after nights of four days each, from the 115th day on."""
    days, lake = by_arrival(World(seed, 150).events, 150), Lake()
    lake.run([event for day in days[:115] for event in day])
    for first in range(115, len(days), 4):
        lake.run([event for day in days[first : first + 4] for event in day])
    return lake


def test_nights_go_on_from_what_is_kept() -> None:
    lake = quiet()
    assert lake.differing() == []
    assert lake.said == [], "no night had to compute everything again"


def over_midnights() -> Lake:
    """Return a lake with a session of four days, which ends on a later night than it began."""
    world, lake = World(1, 1), Lake()
    world.late = (0,)
    events = [world._event("g", "p", "s", 50 * DAY_MS + number * 1_700_000) for number in range(200)]
    days = by_arrival(events, 54)
    lake.run([event for day in days[:53] for event in day])
    lake.run(days[53])
    return lake


def long_ago() -> Lake:
    """Return a lake with a payment sent again after a hundred days, and a first event that comes late."""
    world, lake = World(1, 1), Lake()

    def made(day: int, player: str, arrival: int, **fields: Any) -> Event:
        event = world._event("g", player, f"s-{day}", day * DAY_MS)
        return event | {"arrival_date": START + timedelta(arrival), "event_type": "session_start"} | fields

    paid = {"event_type": "purchase", "store": "web", "transaction_id": "t", "currency": "EUR"}
    lake.run(
        [
            made(10, "p", 10, **paid, amount_minor=100),
            *(made(day, "p", day) for day in range(20, 114, 7)),
            made(112, "q", 112),
        ]
    )
    lake.run([made(115, "p", 115, **paid, amount_minor=100), made(100, "q", 115), made(116, "p", 116)])
    return lake


def confirmed() -> Lake:
    """Return a lake of purchases that clients report and a server confirms days later."""
    world, lake = World(1, 1), Lake()

    def sold(day: int, player: str, arrival: int, amount: int, verified: bool) -> Event:
        event = world._event("g", player, f"s-{player}-{day}", day * DAY_MS)
        paid = {"store": "web", "transaction_id": f"t-{player}", "currency": "EUR", "verified": verified}
        came = {"arrival_date": START + timedelta(arrival), "event_type": "purchase"}
        return event | came | paid | {"amount_minor": amount}

    first = [sold(day, f"p-{day}", day, 900, verified=False) for day in range(10, 115, 7)]
    lake.run([*first, sold(10, "r", 10, 500, verified=True)])
    again = sold(115, "r", 115, 500, verified=False)
    lake.run([again, sold(114, "q", 115, 900, verified=False), sold(115, "p-108", 115, 100, verified=True)])
    lake.run([sold(116, "q", 116, 100, verified=True), sold(116, "q", 116, 700, verified=False)])
    return lake


def confirmed_and_paid_back() -> Lake:
    """Return the same lake with refunds of what the server's reports say, not the clients'."""
    lake = confirmed()
    for day, transaction in ((114, "t-p-108"), (117, "t-q")):
        (paid,) = (e for e in lake.silver.values() if e["transaction_id"] == transaction and e["verified"])
        refund = {
            "event_type": "refund",
            "event_id": f"{day:016x}",
            "refund_id": "r",
            "refund_kind": "refund",
        }
        arrived = {"event_date": START + timedelta(day), "arrival_date": START + timedelta(117)}
        lake.run([paid | refund | arrived | {"at_ms": paid["at_ms"] + 1, "amount_minor": None}])
    return lake


def test_what_a_server_confirms_replaces_what_a_client_reported_on_an_earlier_day() -> None:
    for lake in (confirmed(), confirmed_and_paid_back()):
        assert lake.differing() == []
        assert lake.said == []


def another_currency() -> Lake:
    """Return a lake of a game that sells in a second currency from one night on."""
    world, lake = World(1, 1), Lake()

    def sold(day: int, player: str, currency: str) -> Event:
        event = world._event("g", player, f"s-{player}-{day}", day * DAY_MS)
        paid = {"store": "web", "transaction_id": f"t-{player}-{day}", "currency": currency}
        arrival = {"arrival_date": START + timedelta(day), "event_type": "purchase"}
        return event | arrival | paid | {"amount_minor": 100}

    lake.run([sold(day, "p", "EUR") for day in range(10, 115, 7)])
    lake.run([sold(115, "q", "EUR")])
    assert lake.said == []
    lake.run([sold(116, "q", "USD")])
    return lake


def taught() -> Lake:
    """Return a lake with steps of a tutorial that are taken again, late, and on either side of midnight."""
    world, lake = World(1, 1), Lake()

    def step(day: int, number: int, ms: int = 0, arrival: int = 0, status: str = "start") -> Event:
        event = world._event("g", "p", f"s-{day}", day * DAY_MS + ms)
        arrived = {"arrival_date": START + timedelta(arrival or day), "event_type": "tutorial_step"}
        return event | arrived | {"step": number, "status": status}

    lake.run([step(10, 1), *(step(day, 9) for day in range(20, 114, 7))])
    lake.run([step(115, 1), step(115, 2), step(115, 3, DAY_MS - 1), step(116, 9)])
    lake.run([step(116, 4, 1), step(117, 5, 2), step(117, 4, 3, status="complete")])
    lake.run([step(114, 3, 5, 118), step(118, 6), step(118, 4, status="skip")])
    assert lake.said == []
    return lake


def acquired() -> Lake:
    """Return a lake with a player whose source and campaign come on later nights than the first event."""
    world, lake = World(1, 1), Lake()

    def told(kind: str, ms: int, arrival: int, **fields: str) -> Event:
        event = world._event("g", "p", "s-1", 10 * DAY_MS + ms)
        return event | {"arrival_date": START + timedelta(arrival), "event_type": kind} | fields

    lake.run([told("session_start", 5, 10, install_source="north"), told("session_end", 9, 10)])
    lake.run([told("session_start", 3, 11, install_source="south")])
    lake.run([told("player_registered", 7, 12, campaign="spring")])
    return lake


def matched() -> Lake:
    """Return a lake with a match of two players, one of them on two platforms."""
    world, lake = World(1, 1), Lake()

    def start(player: str, platform: str) -> Event:
        event = world._event("g", player, f"s-{player}", 10 * DAY_MS)
        arrived = {"arrival_date": START + timedelta(10), "event_type": "match_start", "platform": platform}
        return event | arrived | {"match_id": "m", "mode": "duel"}

    lake.run([start("p", "ios"), start("p", "web"), start("q", "ios")])
    return lake


@pytest.mark.parametrize("play", [taught, acquired, matched])
def test_steps_sources_and_matches_count_once(play: Callable[[], Lake]) -> None:
    assert play().differing() == []


def exposed() -> Lake:
    """Return a lake with exposures again, late, in another variant, and with money before and after them."""
    world, lake = World(1, 1), Lake()

    def met(day: int, player: str, variant: str, arrival: int | None = None, **fields: Any) -> Event:
        event = world._event("g", player, f"s-{player}-{day}", day * DAY_MS)
        came = {"arrival_date": START + timedelta(day if arrival is None else arrival)}
        kind = {"event_type": "experiment_exposure", "experiment": "gate", "variant": variant}
        return event | dict.fromkeys(PAYLOAD) | came | kind | fields

    def paid(day: int, player: str, amount: int, arrival: int | None = None) -> Event:
        sale = {"store": "web", "transaction_id": f"t-{player}-{day}", "currency": "EUR"}
        # A server of the game confirms the sales of one player.
        sale |= {"verified": player == "p"}
        money = {"amount_minor": amount, "purchase_kind": "one_off", "sandbox": False}
        return met(day, player, "", arrival, event_type="purchase", experiment=None, **sale, **money)

    def back(day: int, player: str, of: int, amount: int) -> Event:
        refund = {"refund_id": "r", "refund_kind": "refund", "amount_minor": amount, "store": "web"}
        named = {"transaction_id": f"t-{player}-{of}"}
        return met(day, player, "", event_type="refund", experiment=None, **named, **refund)

    # Half a year before: the first exposure counts for ever.
    lake.run([met(1, "old", "a"), paid(1, "old", 1), *(met(day, "keeper", "a") for day in range(2, 190, 7))])
    lake.run([met(190, "old", "b"), met(190, "p", "a"), met(190, "q", "a"), paid(190, "p", 100)])
    lake.run([met(191, "p", "b"), met(191, "q", "a"), paid(191, "p", 50), paid(191, "q", 7)])
    # The earlier exposure of the other variant comes late, and moves the player to another cohort.
    lake.run([met(187, "q", "b", 192), met(192, "r", "b"), back(192, "p", 190, 60)])
    # An earlier payment of a payer, a day without anybody, and the last day that is counted.
    lake.run([paid(189, "q", 9, 195), met(220, "p", "a"), met(221, "p", "a"), met(222, "q", "a")])
    lake.run([paid(220, "p", 11, 225), met(225, "s", "a")])
    assert lake.said == []
    return lake


def test_the_first_exposure_decides_whenever_it_comes() -> None:
    lake = exposed()
    assert lake.differing() == []
    rows = lake.store.rows(
        "SELECT exposure_date, variant, exposed_players, returned_players, exposed_payers "
        "FROM lake.experiments WHERE day_number = 30 AND exposure_date >= DATE '2026-07-05' "
        "ORDER BY exposure_date, variant"
    )
    assert [((row[0] - START).days, *row[1:]) for row in rows] == [
        (187, "b", 1, 0, 1),
        (190, "a", 1, 1, 1),
        (192, "b", 1, 0, 0),
    ]


def many_names() -> Lake:
    """Return a lake of a game that sends more experiments and variants than gold shows."""
    world, lake = World(1, 1), Lake()

    def met(player: str, experiment: str, variant: str, night: int = 10) -> Event:
        event = world._event("g", player, f"s-{player}", 10 * DAY_MS)
        kind = {"event_type": "experiment_exposure", "experiment": experiment, "variant": variant}
        return event | dict.fromkeys(PAYLOAD) | {"arrival_date": START + timedelta(night)} | kind

    lake.run([met(f"p{n}", f"e{n % 52:02}", f"v{n % 13:02}") for n in range(60)])
    lake.run([met(f"q{n}", "e51", f"v{n % 12:02}", 11) for n in range(30)])
    lake.run([met("z", "e50", "v", 12)])
    return lake


def test_a_day_shows_fifty_experiments_and_ten_variants_of_each() -> None:
    lake = many_names()
    assert lake.differing() == []
    ((experiments, variants),) = lake.store.rows(
        "SELECT count(DISTINCT experiment), count(DISTINCT CASE WHEN experiment = 'e51' THEN variant END) "
        "FROM lake.experiments"
    )
    assert (experiments, variants) == (50, 10)


def many_designs() -> Lake:
    """Return a lake of an experiment whose players send more names than gold shows, other ones each night."""
    world, lake = World(1, 1), Lake()

    def made(day: int, player: str, kind: str, arrival: int | None = None, **fields: Any) -> Event:
        event = world._event("g", player, f"s-{player}-{day}", day * DAY_MS)
        came = {"arrival_date": START + timedelta(day if arrival is None else arrival), "event_type": kind}
        return event | dict.fromkeys(PAYLOAD) | came | fields

    def met(day: int, player: str, variant: str) -> Event:
        return made(day, player, "experiment_exposure", experiment="gate", variant=variant)

    def sent(
        day: int, player: str, name: str, value: float | None = None, arrival: int | None = None
    ) -> Event:
        return made(day, player, "design", arrival, name=name, value=value)

    players = [f"p{n}" for n in range(6)]
    first = [met(10 + n % 3, player, "ab"[n % 2]) for n, player in enumerate(players)]
    # Before the exposure, of somebody without one, and of the name that all others have.
    first += [
        sent(9, "p1", "early"),
        sent(11, "p1", "other"),
        sent(12, "stranger", "shop:buy"),
        *(sent(12, p, "other", 1.5) for p in players),
    ]
    first += [sent(12, players[n % 6], f"n{n:02}:x:{n % 2}", n / 4 if n % 3 else None) for n in range(24)]
    lake.run([*first, made(13, "p0", "session_start")])
    # A name of the rest becomes one of the largest, and one that was shown becomes one of the rest.
    lake.run([sent(14, player, f"n23:x:{n}", -2.0) for n, player in enumerate(players)])
    lake.run(
        [
            *(sent(15, player, f"m{n}") for n in range(9) for player in players[:3]),
            sent(15, "p5", "n00:x:0", 8),
        ]
    )
    # Two days late, and again by a player who had sent the name before.
    lake.run(
        [
            sent(13, "p4", "n01:x:1", 3.5, 16),
            sent(16, "p5", "n05:x:1", 2.0),
            sent(16, "p1", "other:deep:down", 2),
        ]
    )
    lake.run(
        [made(30, "q", "session_start"), *(sent(30, player, f"z{n}") for n in range(3) for player in players)]
    )
    lake.run([sent(42, player, "late", 1.0) for player in players] + [made(45, "q", "session_start")])
    assert lake.said == []
    return lake


def test_design_events_by_variant_show_twenty_names_and_count_the_rest() -> None:
    lake = many_designs()
    assert lake.differing() == []
    rows = lake.store.rows(
        "SELECT variant, name, exposed_players, exposed_senders, exposed_design_events, exposed_value_sum "
        "FROM lake.experiment_design WHERE depth = '1' AND exposure_date = DATE '2026-01-11' "
        "AND day_number = 4 AND name IN ('n23', 'other', 'early') ORDER BY variant, name"
    )
    # Of 24 names, n19 to n22 and other itself are the rest: the player of b sent n21 too.
    assert rows == [
        ("a", "n23", 1, 1, 1, -2.0),
        ("a", "other", 1, 1, 1, 1.5),
        ("b", "n23", 1, 1, 1, -2.0),
        ("b", "other", 1, 1, 2, 1.5),
    ]
    ((names, shown),) = lake.store.rows(
        "SELECT count(DISTINCT name), count(DISTINCT CASE WHEN event_date = DATE '2026-01-15' THEN name END) "
        "FROM lake.experiment_design WHERE depth = '1'"
    )
    assert (names > 30, shown) == (True, 21)


def test_a_new_currency_has_a_row_on_every_day_of_the_past() -> None:
    lake = another_currency()
    assert lake.differing() == []
    (said,) = lake.said
    assert "because amounts in USD are new" in said


def test_what_happened_long_ago_is_known() -> None:
    lake = long_ago()
    assert lake.differing() == []
    assert lake.said == []


def test_a_session_over_midnights_counts_on_the_day_it_began() -> None:
    assert over_midnights().differing() == []


def paid_back(lake: Lake | None = None) -> Lake:
    """Return a lake of refunds: early, long after, twice, in parts, too large, of nothing known."""
    world, lake = World(1, 1), lake or Lake()

    def made(day: int, player: str, kind: str, arrival: int | None = None, **fields: Any) -> Event:
        event = world._event("g", player, f"s-{player}-{day}", day * DAY_MS)
        event = event | dict.fromkeys(PAYLOAD) | {"store": "web", "event_type": kind} | fields
        return event | {"arrival_date": START + timedelta(day if arrival is None else arrival)}

    def paid(day: int, transaction: str, player: str = "p", **fields: Any) -> Event:
        sale = {"transaction_id": transaction, "currency": "EUR", "amount_minor": 101, "tax_minor": 19}
        return made(day, player, "purchase", **sale | {"store_fee_minor": 15} | fields)

    def back(day: int, transaction: str, refund: str, amount: int | None = None, **fields: Any) -> Event:
        named = {"transaction_id": transaction, "refund_id": refund, "refund_kind": "refund"}
        return made(day, "p", "refund", **named | {"amount_minor": amount} | fields)

    lake.run([paid(10, "old"), *(made(day, "p", "session_start") for day in range(17, 150, 7))])
    # Half a year after, in parts, of which the last one asks for more than is left.
    lake.run([back(150, "old", "r-1", 50)])
    lake.run([back(151, "old", "r-2", 10), back(152, "old", "r-1", 50)])
    lake.run([back(152, "old", "r-3", 5000), back(153, "old", "r-4"), back(153, "never", "r-1", 7)])
    # Before its purchase: by its arrival, and by both clocks.
    lake.run([back(154, "late", "r-1"), back(154, "ahead", "r-1", refund_kind="chargeback")])
    lake.run([paid(140, "late", arrival=155), paid(156, "ahead", player="q")])
    # An earlier report of a refund changes what those after it find left.
    lake.run([paid(157, "parts"), back(158, "parts", "r-2", 100)])
    lake.run([back(157, "parts", "r-1", 90, arrival=159), back(159, "never", "r-2")])
    lake.run(
        [paid(160, "test", sandbox=True), paid(160, "try", purchase_kind="trial"), back(160, "test", "r-1")]
    )
    lake.run([paid(160, "again", purchase_kind="subscription"), back(161, "try", "r-1")])
    return lake


def test_refunds_count_once_and_never_more_than_was_paid() -> None:
    lake = paid_back()
    assert lake.differing() == []
    assert lake.said == []
    rows = lake.store.rows(
        "SELECT event_date, purchases, gross_minor, refunds, chargebacks, refunded_minor, proceeds_minor, "
        "sandbox_purchases, trials FROM lake.revenue WHERE platform = '*' AND country = '*' "
        "AND app_version = '*' AND (purchases + refunds + sandbox_purchases + trials > 0) ORDER BY event_date"
    )
    assert [((row[0] - START).days, *row[1:]) for row in rows] == [
        (10, 1, 101, 0, 0, 0, 67, 0, 0),
        # Of 101 are 19 tax and 15 fee: 50 of it take 9 and 7 with them, 60 take 11 and 9.
        (140, 1, 101, 0, 0, 0, 67, 0, 0),
        (150, 0, 0, 1, 0, 50, -34, 0, 0),
        (151, 0, 0, 1, 0, 10, -6, 0, 0),
        (152, 0, 0, 1, 0, 41, -27, 0, 0),
        (154, 0, 0, 1, 0, 101, -67, 0, 0),
        (156, 1, 101, 1, 1, 101, 0, 0, 0),
        (157, 1, 101, 1, 0, 90, 7, 0, 0),
        (158, 0, 0, 1, 0, 11, -7, 0, 0),
        (160, 1, 101, 0, 0, 0, 67, 1, 1),
    ]


def test_refunds_whose_purchase_nobody_reported_are_counted_until_it_comes() -> None:
    seen: list[int] = []

    class Watched(Lake):
        def run(self, events: Iterable[Event]) -> None:
            super().run(events)
            key = lambda event: (event["store"], event["transaction_id"])  # noqa: E731
            paid = {key(e) for e in self.silver.values() if e["event_type"] == "purchase"}
            refunds = {(*key(e), e["refund_id"]) for e in self.silver.values() if e["event_type"] == "refund"}
            unmatched = sum(refund[:2] not in paid for refund in refunds)
            wanted = {"g": {"refunds": len(refunds), "unmatched_refunds": unmatched}} if refunds else {}
            assert kept.refunds(self.store, ["g", "h"]) == wanted
            seen.append(unmatched)

    lake = paid_back(Watched())
    assert seen == [0, 0, 0, 1, 3, 1, 1, 2, 2, 2]
    (known,) = (e for e in lake.silver.values() if (e["transaction_id"], e["refund_id"]) == ("never", "r-1"))
    # An earlier report of the same refund, and one of a transaction that another store has.
    lake.run([known | {"event_id": "f" * 16, "at_ms": known["at_ms"] - 1}])
    lake.run([known | {"event_id": "e" * 16, "store": "apple", "transaction_id": "old"}])
    assert seen[-2:] == [2, 3]
    assert lake.differing() == []


# What makes a night wrong: where it shows, a file, what it says, and a mistake in its place.
MISTAKES = [
    (quiet, "gold/_views", "DATE_SUB(b.since, 30)", "DATE_SUB(b.since, 20)"),
    (quiet, "gold/_views", "DATEDIFF(d.previous_date, k.cohort_date) < 90", "FALSE"),
    (another_currency, "kept/kept_currencies", "'purchase'", "'purchase' AND currency <> 'USD'"),
    (confirmed, "gold/_views", "WHERE played > 0", "WHERE TRUE"),
    (quiet, "gold/daily", "ORDER BY p.at_ms, p.event_id", "ORDER BY p.at_ms DESC, p.event_id"),
    (quiet, "gold/lifetime_value", "DATE_SUB(b.since, 1)", "DATE_SUB(b.since, 1) AND FALSE"),
    (paid_back, "kept/since", "MIN(r.event_date)", "MAX(r.event_date)"),
    (paid_back, "kept/kept_presence", "<> 'refund'", "<> 'none'"),
    (paid_back, "gold/_views", "GREATEST(r.event_date, p.event_date)", "r.event_date"),
    (paid_back, "gold/_views", "COALESCE(r.amount_minor, p.amount_minor)", "COALESCE(r.amount_minor, 0)"),
    (paid_back, "gold/_views", "WHERE r.nth = 1 AND p.nth = 1 AND NOT p.sandbox", "WHERE p.nth = 1"),
    (paid_back, "gold/revenue", "FROM paid WHERE refunds > 0", "FROM paid WHERE FALSE"),
    (paid_back, "gold/lifetime_value", "0, amount_minor, 0 FROM refunds", "0, 0, 0 FROM refunds"),
    (confirmed, "gold/lifetime_value", "p.lifetime_unverified_minor", "0"),
    (
        confirmed,
        "gold/acquisition_value",
        "lifetime_ad_micros, lifetime_unverified_minor",
        "lifetime_ad_micros, 0",
    ),
    (paid_back, "gold/total_revenue", "WHERE e.refunded_minor > 0", "WHERE FALSE"),
    (paid_back, "gold/total_revenue", "purchase_micros - refunded_micros", "purchase_micros"),
    (paid_back, "gold/acquisition_value", "0, amount_minor, 0, 0 FROM refunds", "0, 0, 0, 0 FROM refunds"),
    (quiet, "kept/kept_purchases", "COALESCE(n.sandbox, FALSE)", "FALSE"),
    (long_ago, "kept/kept_players", "o.player_id IS NULL OR", "o.player_id IS NULL OR FALSE AND"),
    (long_ago, "kept/kept_purchases", "o.at_ms < n.at_ms", "FALSE"),
    (confirmed, "kept/kept_purchases", "o.verified AND NOT n.verified", "FALSE"),
    (confirmed, "kept/confirmed", "MIN(o.event_date)", "MAX(n.event_date)"),
    (confirmed, "gold/_views", "ORDER BY verified DESC, ", "ORDER BY "),
    (confirmed_and_paid_back, "gold/_views", "ORDER BY a.verified DESC, ", "ORDER BY "),
    (taught, "kept/kept_steps", "o.at_ms < n.at_ms", "FALSE"),
    (exposed, "kept/kept_exposures", "o.at_ms < n.at_ms", "FALSE"),
    (
        exposed,
        "gold/_views",
        "experiment, game_id ORDER BY at_ms, event_id",
        "experiment, game_id ORDER BY at_ms DESC, event_id",
    ),
    (
        exposed,
        "gold/_views",
        "o.event_date >= DATE_SUB(b.since, 30)",
        "o.event_date >= DATE_SUB(b.since, 29)",
    ),
    (exposed, "gold/experiments", "sales = sales_so_far", "sales > 0"),
    (quiet, "gold/experiments", "2 * sessions_so_far - sessions", "sessions"),
    (exposed, "gold/experiments", "WHERE day_number >= since_number", "WHERE day_number > since_number"),
    (exposed, "gold/experiment_revenue", "0, 0, amount_minor FROM refunds", "0, 0, 0 FROM refunds"),
    (exposed, "gold/experiment_revenue", "CASE WHEN verified THEN 0 ELSE amount_minor END", "amount_minor"),
    (exposed, "gold/experiment_revenue", "COALESCE(c.unverified_minor, 0)", "0"),
    (exposed, "gold/experiment_revenue", "2 * net_so_far - net_minor", "net_minor"),
    (many_designs, "gold/experiment_design", "2 * events_so_far - events", "events"),
    (many_designs, "gold/experiment_design", "2 * value_so_far - value_sum", "value_sum"),
    (many_designs, "gold/design", "WHERE touched", "WHERE TRUE"),
    (many_designs, "gold/experiment_design", "<= 20 AS is_shown", "<= 21 AS is_shown"),
    (many_designs, "gold/experiment_design", "senders DESC, name", "name"),
    (many_designs, "gold/experiment_design", "name <> 'other' AND ROW_NUMBER", "ROW_NUMBER"),
    (many_designs, "gold/experiment_design", "AND NOT r.is_shown", ""),
    (
        many_designs,
        "gold/experiment_design",
        "BETWEEN DATE_ADD(s.exposure_date, s.day_number)",
        "BETWEEN s.exposure_date",
    ),
    (many_names, "gold/_views", "experiment_players DESC, experiment", "experiment_players, experiment"),
    (many_names, "gold/_views", "nth_variant <= 10", "TRUE"),
    (taught, "gold/tutorial", "f.event_date >= b.since", "f.event_date > b.since"),
    (taught, "gold/tutorial", "ORDER BY at_ms, event_id", "ORDER BY at_ms DESC, event_id"),
    (taught, "gold/tutorial", "BETWEEN 0 AND 86400000", "> 0"),
    (acquired, "kept/kept_sources", "o.first_date < n.event_date", "o.first_date <= n.event_date"),
    (quiet, "gold/acquisition_value", "BETWEEN s.since_number - 1", "BETWEEN s.since_number"),
    (quiet, "gold/acquisition_value", "SUM(COALESCE(p.ad_micros, 0)) OVER w", "SUM(p.ad_micros) OVER w"),
    (quiet, "gold/performance_bins", "1.05e0", "1.06e0"),
    (quiet, "gold/total_revenue", "SUM(ad_micros)", "MAX(ad_micros)"),
    (quiet, "gold/acquisition", "AND d.event_date >= b.since", "AND d.event_date > b.since"),
    (matched, "gold/matches", "'entry', CONCAT(player_id, ' ', match_id)", "'entry', match_id"),
    (matched, "gold/matches", "CASE WHEN slices > 1 THEN id END AS who", "NULL AS who"),
    (quiet, "kept/leaving", "next_date IS NULL OR", "FALSE AND"),
    (over_midnights, "kept/since", "CASE WHEN begins = 1 THEN event_date END", "event_date"),
]


@pytest.mark.parametrize(("play", "file", "right", "wrong"), MISTAKES)
def test_a_mistake_is_found(
    play: Callable[[], Lake], file: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mistake(monkeypatch, file, right, wrong)
    assert play().differing()


def troubled(seed: int) -> Lake:
    """Return a lake after months of nights in which all that may happen happens."""
    chance, lake = random.Random(seed), Lake()
    days = by_arrival(valued(World(seed, 150).events, seed, declared=chance.randrange(150)), 182)
    first = chance.randrange(20, 100)
    lake.run([event for day in days[:first] for event in day])
    withheld: list[Event] = []
    while first < len(days):
        last = min(first + chance.choice((1, 2, 5, 9)), len(days))
        arrived = [event for day in days[first:last] for event in day]
        first = last
        what = chance.choice(
            3 * ("fine", "twice", "copies", "died", "refused") + 2 * ("withheld", "backfill") + ("erased",)
        )
        if what == "withheld":
            withheld += arrived
            continue
        if what == "copies":
            arrived += chance.sample(list(lake.silver.values()), min(9, len(lake.silver)))
        if what == "backfill":
            lake.run(withheld)
            withheld = []
        if what == "erased":
            lake.erase(chance.choice("gk"), f"p-{chance.randrange(5)}")
        if what in ("died", "refused"):
            # Silver has the events, and gold is not published: the games may have no new ones in a later run.
            games, tables = lake.add(arrived), len(kept.GOLD)
            if games:
                lake.gold(games, chance.randrange(tables) if what == "died" else tables)
            arrived = chance.choice((arrived, arrived[:1]))
        lake.run(arrived)
        if what == "twice":
            lake.run(arrived)
    lake.run([*withheld, *lake.silver.values()])
    return lake


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1_000_000))
def test_months_of_troubled_nights(seed: int) -> None:
    assert troubled(seed).differing() == []
