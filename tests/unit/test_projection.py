"""What events mean: plays and pauses, transactions, cohorts, minutes, levels, currencies; in any order."""

import random
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import plain_state
import player_events
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from player_events import NOON
from player_state import buckets, watermarks
from player_state.buckets import Bucket
from player_state.projection import (
    MAX_CURRENCIES,
    REMEMBERED_DAYS,
    REMEMBERED_MINUTES,
    REMEMBERED_PLAYS,
    REMEMBERED_REFUNDS,
    REMEMBERED_TRANSACTIONS,
    Projection,
)
from player_state.watermarks import forget_old
from telemetry.enrichment import timestamp
from telemetry.histogram import bin_of, percentiles
from telemetry.player_item import Player, described, from_item, milliseconds, to_item
from telemetry.raw_position import RawPosition, parse

MIDNIGHT = NOON + timedelta(hours=12)
MINUTE = int(NOON.timestamp()) // 60
DAY = "2026-03-10"
Event = dict[str, Any]


def session_id(name: str) -> str:
    return str(UUID(int=int.from_bytes(name.encode())))


def happen(
    event_type: str = "session_heartbeat",
    at: float = 0,
    session: str = "s-1",
    late: bool = True,
    **payload: Any,
) -> Event:
    """Return what player_state reads of an enriched event, `at` minutes after noon."""
    return player_events.happen(event_type, at, session_id(session), late, **payload)


def pay(at: float, amount: int, currency: str = "EUR", transaction: str = "", store: str = "apple") -> Event:
    paid = {"store": store, "transaction_id": transaction or str(uuid4())}
    return happen("purchase", at, currency=currency, amount_minor=amount, **paid)


def earn(at: float, balance: int, currency: str = "gold") -> Event:
    flow = {"flow": "source", "amount": 1, "reason": "quest"}
    return happen("economy", at, currency=currency, balance_after=balance, **flow)


class Played:
    """A player after some events, and what these add to counters; the item is read anew for each one."""

    def __init__(self, *events: Event) -> None:
        self.player = Player("skyforge", "p-1")
        self.counts: dict[Bucket, Counter[str]] = defaultdict(Counter)
        for number, event in enumerate(events, 1):
            projection = Projection(self.player, lambda event, kind, name: name)
            assert projection.apply(event, RawPosition(0, number, number, 0))
            for bucket, counts in projection.buckets.items():
                for name, count in counts.items():
                    self.counts[bucket][name] += count
            forget_old(self.player)
            read = from_item(to_item(self.player))
            assert read == self.player
            self.player = read

    def counted(self, bucket: Bucket) -> dict[str, int]:
        return {name: count for name, count in self.counts[bucket].items() if count}

    def played(self) -> plain_state.Counts:
        """Return the milliseconds by game and day."""
        return Counter(
            {
                ("skyforge", bucket.period): counts["play_ms"]
                for bucket, counts in self.counts.items()
                if counts["play_ms"]
            }
        )


ORDERS = {"as they happened": 1, "backwards": -1}
PLAY_TIMES = {
    "events 0.4 s apart": ([(n * 0.4 / 60, "session_heartbeat") for n in range(451)], 180_000),
    "events 0.6 s apart": ([(n * 0.6 / 60, "session_heartbeat") for n in range(120)], 71_400),
    "twenty minutes apart": ([(0, "session_start"), (40, "performance"), (20, "performance")], 2_400_000),
    "on after its end": ([(0, "session_start"), (10, "session_end"), (40, "session_heartbeat")], 2_400_000),
    "two ends": ([(0, "session_start"), (10, "session_end"), (5, "session_end")], 600_000),
    "a pause of half an hour": ([(0, "session_start"), (30, "session_heartbeat")], 1_800_000),
    "a longer one": ([(0, "session_start"), (30 + 0.001 / 60, "performance"), (31, "session_end")], 59_999),
}  # fmt: skip


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("case", PLAY_TIMES)
def test_time_is_played_between_events_whatever_an_end_reports(case: str, order: int) -> None:
    moments, expected = PLAY_TIMES[case]
    events = [happen(kind, at, duration_seconds=600_000) for at, kind in moments][::order]
    played = Played(*events)
    assert played.player.play_ms == expected
    assert played.played() == plain_state.play_milliseconds(events)


def test_a_play_about_midnight_counts_on_the_day_on_which_it_begins() -> None:
    beats = [happen(at=720 - 10 + 2 * n) for n in range(5)]
    end = happen("session_end", 725, duration_seconds=1)
    for events in ([*beats, end], [end, *beats]):
        assert Played(*events).played() == {("skyforge", DAY): 15 * 60_000}


MOMENTS = st.lists(
    st.tuples(
        st.integers(-40, 40).map(lambda steps: timedelta(minutes=15) * steps)
        | st.integers(-3 * 3_600_000, 3 * 3_600_000).map(lambda ms: timedelta(milliseconds=ms))
        | st.sampled_from([0, 1_800_000, 1_800_001]).map(lambda ms: timedelta(milliseconds=ms)),
        st.sampled_from("ab"),
        st.sampled_from(["session_heartbeat", "session_start", "session_end", "crash", "purchase"]),
        st.integers(0, 2),
    ),
    max_size=REMEMBERED_PLAYS,
)  # fmt: skip


@settings(max_examples=400, deadline=None, database=None)
@given(MOMENTS, st.randoms(use_true_random=False))
def test_play_time_payments_and_crashes_are_those_of_the_definitions(moments: Any, shuffle: Any) -> None:
    events = []
    for offset, session, kind, number in moments:
        at = (MIDNIGHT + offset - NOON) / timedelta(minutes=1)
        payload: Event = {
            "purchase": {
                "store": "apple", "transaction_id": f"t-{number}", "currency": "EUR",
                "amount_minor": 5 + number,
            },
            "session_end": {"duration_seconds": number * 300_000},
            "crash": {"fatal": number > 0},
        }.get(kind, {})  # fmt: skip
        events.append(happen(kind, at, session, **payload))
    shuffle.shuffle(events)
    played = Played(*events)
    expected = plain_state.days(events)
    found: plain_state.Counts = Counter()
    stability: plain_state.Counts = Counter()
    for bucket, counts in played.counts.items():
        day, _, subject = bucket.period.partition("#")
        if not subject:
            found.update({("skyforge", day, name): count for name, count in counts.items()})
        if subject == "versions":
            stability.update({("skyforge", day, name): count for name, count in counts.items()})
    assert {key: count for key, count in found.items() if count} == expected
    assert +stability == plain_state.stability(events)
    assert all(count >= 0 for count in found.values())
    assert played.player.play_ms == sum(plain_state.play_milliseconds(events).values()) >= 0


def test_what_a_server_confirms_replaces_what_a_client_claimed() -> None:
    claimed = pay(5, 99_900, transaction="t")
    confirmed = pay(3000, 499, transaction="t") | {"verified": True}
    late = pay(2, 77_700, transaction="t")
    for order in permutations([claimed, confirmed, late]):
        played = Played(*order)
        assert played.player.spend == {"EUR": 499}
        days = [played.counts[buckets.of_day(day)] for day in (DAY, "2026-03-12")]
        assert [day["revenue_EUR"] for day in days] == [0, 499]
        assert [day["unverified_revenue_EUR"] for day in days] == [0, 0]
    alone = Played(claimed).counts[buckets.of_day(DAY)]
    assert (alone["revenue_EUR"], alone["unverified_revenue_EUR"]) == (99_900, 99_900)


def test_a_transaction_counts_once_by_its_earliest_report() -> None:
    again = [pay(3000, 499, transaction="t"), pay(5, 499, transaction="t"), pay(9, 499, transaction="t")]
    other = pay(7, 100, "JPY", transaction="t", store="google")
    played = Played(*again, other)
    assert (played.player.spend, played.player.purchases) == ({"EUR": 499, "JPY": 100}, 2)
    day = played.counted(buckets.of_day(DAY))
    assert (day["purchases"], day["revenue_EUR"], day["payers"], day["events_purchase"]) == (2, 499, 1, 3)
    assert played.counted(buckets.of_day("2026-03-12")) == {
        "events": 1,
        "events_purchase": 1,
        "active_players": 1,
    }


def test_every_day_has_its_active_players_and_payers_once() -> None:
    events = [happen(at=at) for at in (0, 5, 1440, 1445)]
    events += [pay(1, 100), pay(2, 50, "USD"), pay(1441, 7), pay(1442, 7)]
    played = Played(*events)
    first, second = (played.counts[buckets.of_day(f"2026-03-{day}")] for day in (10, 11))
    assert (first["active_players"], first["new_players"], first["payers"]) == (1, 1, 1)
    assert (second["active_players"], second["new_players"], second["payers"]) == (1, 0, 1)
    assert (first["revenue_EUR"], first["revenue_USD"], second["revenue_EUR"]) == (100, 50, 14)
    assert played.player.spend == {"EUR": 114, "USD": 50}
    assert played.player.purchases == 4


def test_the_latest_event_tells_the_device_and_the_balances() -> None:
    newest = happen(at=9) | {"platform": "web", "app_version": "2.0.0", "country": None}
    player = Played(newest, happen(at=3), earn(5, 50), earn(2, 20), earn(4, 7, "gems")).player
    assert (player.first_ms, player.last_ms) == tuple(
        milliseconds(timestamp(NOON + timedelta(minutes=minutes))) for minutes in (2, 9)
    )
    assert (player.platform, player.app_version, player.country) == ("web", "2.0.0", None)
    assert player.balances == {"gold": 50, "gems": 7}


def test_the_level_is_the_one_completed_last() -> None:
    done = happen("progression", 5, status="complete", level_1="forest", level_2="2")
    before = happen("progression", 1, status="complete", level_1="meadow")
    failed = happen("progression", 9, status="fail", level_1="castle")
    assert Played(done, before, failed).player.level == "forest/2"


def test_currencies_beyond_the_limit_are_left_out_and_known_ones_go_on() -> None:
    coins = [earn(n, n, f"coin-{n}") for n in range(MAX_CURRENCIES + 9)]
    balances = Played(*coins, earn(99, 7, "coin-0")).player.balances
    assert (len(balances), balances["coin-0"]) == (MAX_CURRENCIES, 7)


def test_a_cohort_counts_who_comes_back_on_which_day() -> None:
    played = Played(*(happen(at=1440 * day) for day in (0, 1, 1.01, 7, 91)))
    assert played.counted(buckets.of_cohort(DAY)) == {"retained_0": 1, "retained_1": 1, "retained_7": 1}


@pytest.mark.parametrize("seed", range(20))
def test_cohorts_and_new_players_are_right_in_any_order(seed: int) -> None:
    events = [happen(at=1440 * day) for day in (0, 1, 3, 3.2, 8)]
    shuffled = random.Random(seed).sample(events, len(events))
    late, right = Played(*shuffled), Played(*events)
    assert {b: +c for b, c in late.counts.items() if +c} == {b: +c for b, c in right.counts.items() if +c}
    assert late.player.first_ms == MINUTE * 60_000


@pytest.mark.parametrize("seed", range(20))
def test_weeks_and_months_hold_a_player_once_in_any_order(seed: int) -> None:
    dice = random.Random(seed)
    offsets = dice.sample(range(70), dice.randint(1, 12))
    played = Played(*(happen(at=1440 * day) for day in offsets))
    for window, length in (("wau", 7), ("mau", 30)):
        for last in range(-5, 110):
            day = (NOON + timedelta(days=last)).date()
            active = any(last - length < offset <= last for offset in offsets)
            assert played.counts[buckets.of_month(day)][f"{window}_{day.day}"] == active


def test_a_player_is_active_once_a_minute_and_concurrent_for_five() -> None:
    played = Played(*(happen(at=at, late=False) for at in (0, 0.5, 1, 3)))
    by_minute = [played.counted(buckets.of_minute(MINUTE + offset)) for offset in range(9)]
    assert [counts.get("active_players", 0) for counts in by_minute] == [1, 1, 0, 1, 0, 0, 0, 0, 0]
    assert [counts.get("concurrent_players", 0) for counts in by_minute] == [1] * 8 + [0]
    assert by_minute[0]["events_session_heartbeat"] == 2


def test_late_events_change_days_and_no_minutes() -> None:
    played = Played(happen(at=0))
    assert not any(bucket.is_live for bucket in played.counts)
    assert played.counted(buckets.of_day(DAY))["events"] == 1


def test_money_is_counted_by_the_minute_and_measurements_by_the_hour_and_device() -> None:
    played = Played(
        pay(0, 499, transaction="t") | {"late": False},
        pay(1, 499, transaction="t") | {"late": False},
        happen("performance", 0, late=False, fps=59.7, latency_ms=40),
        happen("performance", 20, late=False, fps=0),
        happen("performance", 20, late=False, memory_mb=7),
    )
    minute = played.counted(buckets.of_minute(MINUTE))
    assert (minute["reported_revenue_EUR"], minute["events_performance"]) == (499, 1)
    assert "reported_revenue_EUR" not in played.counted(buckets.of_minute(MINUTE + 1))
    assert played.counted(buckets.of_device(MINUTE, "ios#1.0.0")) == {
        "performance_events": 2, f"f_{bin_of(59.7)}": 1, "f_0": 1, f"l_{bin_of(40)}": 1,
    }  # fmt: skip


def test_levels_and_currencies_are_counted_by_name() -> None:
    played = Played(
        happen("progression", 0, status="start", level_1="forest"),
        happen("progression", 1, status="fail", level_1="forest"),
        happen("progression", 2, status="start", level_1="forest"),
        happen("progression", 3, status="complete", level_1="forest"),
        happen("economy", 4, currency="gold", flow="source", amount=50, reason="quest", balance_after=50),
        happen("economy", 5, currency="gold", flow="sink", amount=20, reason="shop", balance_after=30),
    )
    day = played.counted(buckets.of_day(DAY))
    assert (day["players_started"], day["players_completed"]) == (1, 1)
    assert played.counted(buckets.of_level(DAY, "forest")) == {"start": 2, "fail": 1, "complete": 1}
    assert played.counted(buckets.of_flow(DAY, "gold#quest")) == {"source": 50}
    assert played.counted(buckets.of_flow(DAY, "gold#shop")) == {"sink": 20}


def test_a_crash_that_the_process_outlives_lowers_no_share() -> None:
    played = Played(happen("session_start"), happen("crash", 1, fatal=False))
    version = buckets.of_version(DAY, "1.0.0")
    assert played.counted(version) == {"active_sessions": 1, "crash_events": 1}
    played = Played(
        happen("crash", 1, fatal=False), happen("crash", 2, fatal=True), happen("crash", 3, fatal=True)
    )
    assert played.counted(version) == {"active_sessions": 1, "crash_events": 3, "crashed_sessions": 1}


def test_what_a_player_remembers_is_bounded() -> None:
    events = [happen(at=n / 10, session=f"{n}", late=False) for n in range(3000)]
    events += [happen(at=1440 * n) for n in range(REMEMBERED_DAYS + 9)]
    events += [pay(1440 * 100 + n, 5) for n in range(REMEMBERED_TRANSACTIONS + 9)]
    player = Played(*events).player
    assert len(player.plays) == REMEMBERED_PLAYS
    assert max(len(player.active_minutes), len(player.present_minutes)) <= REMEMBERED_MINUTES
    assert len(player.active_days) == REMEMBERED_DAYS
    assert len(player.transactions) == REMEMBERED_TRANSACTIONS


def test_a_shard_that_fell_silent_is_forgotten_and_few_are_remembered() -> None:
    player = Player("skyforge", "p-1")
    for shard in range(30):
        assert watermarks.is_new(player, RawPosition(shard, 5, 5, 0), 739_000)
    forget_old(player)
    assert len(player.watermarks) == watermarks.MAX_SHARDS
    assert watermarks.is_new(player, RawPosition(99, 5, 5, 0), 739_000 + watermarks.KEPT_DAYS + 1)
    forget_old(player)
    assert [mark.shard for mark in player.watermarks] == [99]


@given(st.integers(0, 2**40), st.integers(0, 2**200), st.integers(0, 2**70), st.integers(0, 10_000))
def test_a_position_is_read_as_it_was_written(shard: int, start: int, distance: int, place: int) -> None:
    position = RawPosition(shard, start, start + distance, place)
    assert parse(position.text) == position


def test_an_export_shows_times_and_days_in_plain_form() -> None:
    player = Played(happen("session_start"), pay(2, 100), happen("crash", 3, fatal=True), earn(4, 9)).player
    found = described(to_item(player))
    assert (found["first_seen"], found["playtime_seconds"], found["spend"]) == (
        timestamp(NOON),
        240,
        {"EUR": 100},
    )
    assert (found["active_days"], found["paid_days"]) == ([DAY], [DAY])
    assert found["plays"][0]["crashed"]
    assert found["payments"] == [
        {
            "at": timestamp(NOON + timedelta(minutes=2)),
            "currency": "EUR",
            "amount_minor": 100,
            "kind": "sale",
            "verified": False,
        }
    ]
    assert found["balances_at"] == {"gold": timestamp(NOON + timedelta(minutes=4))}


def test_percentiles_are_within_their_bins() -> None:
    values = [random.Random(1).uniform(5, 500) for _ in range(5000)]
    found = percentiles(Counter(str(bin_of(value)) for value in values))
    assert found
    for percent in (5, 50, 95, 99):
        exact = sorted(values)[int(percent / 100 * len(values))]
        assert found[f"p{percent}"] == pytest.approx(exact, rel=0.05)
    assert percentiles({}) is None
    assert percentiles({"0": 3}) == {"p5": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0}


def give_back(at: float, transaction: str, refund: str, amount: int | None = None) -> Event:
    named = {"store": "apple", "transaction_id": transaction, "refund_id": refund, "refund_kind": "refund"}
    return happen("refund", at, **named | ({} if amount is None else {"amount_minor": amount}))


def test_refunds_pay_back_once_in_parts_and_at_most_the_purchase() -> None:
    events = [
        pay(0, 100, transaction="t-1"),
        give_back(1, "t-1", "r-1", 60),
        give_back(2, "t-1", "r-1", 60),
        give_back(3, "t-1", "r-2", 500),
        give_back(4, "t-1", "r-3"),
        give_back(5, "never", "r-1", 7),
        # Before its purchase by its arrival, and by both clocks: then it counts on the purchase's day.
        give_back(6, "t-2", "r-1"),
        pay(7 + 720, 50, transaction="t-2"),
    ]
    played = Played(*events)
    assert (played.player.spend, played.player.refunded) == ({"EUR": 150}, {"EUR": 150})
    assert played.counted(buckets.of_refunds(DAY)) == {"refunds": 2, "refunded_EUR": 100}
    assert played.counted(buckets.of_refunds("2026-03-11")) == {"refunds": 1, "refunded_EUR": 50}
    assert played.player.purchases == 2
    assert described(to_item(played.player))["refunded"] == {"EUR": 150}


def test_a_transaction_that_is_taken_back_takes_its_refunds_along() -> None:
    trial, sandbox = pay(1, 999, transaction="t-2"), pay(2, 999, transaction="t-3")
    trial["payload"]["purchase_kind"] = "trial"
    sandbox["payload"]["sandbox"] = True
    played = Played(pay(0, 100, transaction="t-1"), give_back(1, "t-1", "r-1", 60), trial, sandbox)
    total = Counter[tuple[buckets.Bucket, str]]()
    for bucket in (buckets.of_day(DAY), buckets.of_refunds(DAY)):
        total.update({(bucket, name): count for name, count in played.counted(bucket).items()})
    projection = Projection(played.player, lambda event, kind, name: name)
    for transaction in ("t-1", "t-2", "t-3"):
        assert projection.void("apple", transaction)
        for bucket, counts in projection.buckets.items():
            total.update({(bucket, name): count for name, count in counts.items()})
        assert projection.void("apple", transaction) is None
    money = (
        "purchases",
        "payers",
        "payers_EUR",
        "revenue_EUR",
        "refunds",
        "refunded_EUR",
        "trials",
        "sandbox_purchases",
    )
    left = {name: sum(n for (_, one), n in total.items() if one == name) for name in money}
    assert left == dict.fromkeys(money, 0)
    assert (played.player.spend, played.player.refunded, played.player.purchases) == (
        {"EUR": 0},
        {"EUR": 0},
        0,
    )
    # A refund of what was taken back pays nothing.
    assert projection.apply(give_back(9, "t-1", "r-2"), RawPosition(0, 99, 99, 0))
    assert not any(projection.buckets[buckets.of_refunds(DAY)].values())


@pytest.mark.parametrize("seed", range(20))
def test_refunds_without_end_pay_back_at_most_what_was_paid(seed: int) -> None:
    chance = random.Random(seed)
    player, counted = Player("skyforge", "p-1"), Counter[tuple[Bucket, str]]()
    projection = Projection(player, lambda event, kind, name: name)
    for number in range(20 * REMEMBERED_REFUNDS):
        transaction, at = f"t-{chance.randrange(6)}", chance.randrange(5_000)
        if chance.random() < 0.25:
            event = pay(at, chance.choice([0, 5, 10, 100]), chance.choice(["EUR", "USD"]), transaction)
            event["verified"] = chance.random() < 0.4
        else:
            amount = chance.choice([None, 1, 3, 50])
            event = give_back(at, transaction, f"r-{chance.randrange(60)}", amount)
        assert projection.apply(event, RawPosition(0, number, number, 0))
        for bucket, counts in projection.buckets.items():
            counted.update({(bucket, name): count for name, count in counts.items()})
        assert min(counted.values()) >= 0
        back = sum(count for (_, name), count in counted.items() if name.startswith("refunded_"))
        # A smaller amount may replace the one that forgotten refunds paid back: 100 in each transaction.
        assert back == sum(player.refunded.values()) <= sum(player.spend.values()) + 600
        read = from_item(to_item(player))
        assert read == player


def test_a_refund_is_no_activity() -> None:
    player = Played(give_back(0, "t-1", "r-1")).player
    assert described(to_item(player))["first_seen"] is None
    played = Played(give_back(0, "t-1", "r-1"), happen(at=10))
    day = played.counted(buckets.of_day(DAY))
    assert (day["events"], day["active_players"], day["new_players"]) == (2, 1, 1)
    assert described(to_item(played.player))["first_seen"] == timestamp(NOON + timedelta(minutes=10))


def test_trials_and_sandbox_purchases_are_no_revenue() -> None:
    tried = pay(0, 999, transaction="t-1")
    tried["payload"]["purchase_kind"] = "trial"
    tested = pay(1, 999, transaction="t-2")
    tested["payload"]["sandbox"] = True
    renewed = pay(2, 999, transaction="t-3")
    renewed["payload"]["purchase_kind"] = "subscription"
    played = Played(tried, tested, renewed, give_back(3, "t-1", "r-1"), give_back(4, "t-2", "r-1"))
    day = played.counted(buckets.of_day(DAY))
    assert (day["trials"], day["sandbox_purchases"], day["purchases"], day["revenue_EUR"]) == (1, 1, 1, 999)
    assert (day["payers"], played.player.spend, played.player.refunded) == (1, {"EUR": 999}, {"EUR": 0})
    assert played.counted(buckets.of_refunds(DAY)) == {}


def test_purchases_alone_are_no_session() -> None:
    version, day = buckets.of_version(DAY, "1.0.0"), buckets.of_day(DAY)
    sent = [pay(0, 5), pay(10, 5)]
    played = Played(*sent)
    assert (played.counted(day).get("play_ms"), played.counted(version)) == (None, {})
    for events in ([*sent, happen(at=20)], [happen(at=20), *sent]):
        played = Played(*events)
        assert (played.counted(day)["play_ms"], played.counted(version)) == (
            1_200_000,
            {"active_sessions": 1},
        )
        assert played.player.play_ms == 1_200_000
