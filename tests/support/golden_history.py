"""Events whose metrics were worked out by hand, and the answers that each engine must give."""

import random
from typing import Any

import pytest
from emulated_lake import Event, days_after, event
from telemetry import metric_model

FIRST, SECOND, THIRD, EIGHTH, LAST = "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-08", "2026-02-09"
NIGHT = "2026-02-10T00:00:00.000Z"
ANDROID = {"platform": "android", "country": "US"}


def paid(transaction: str, amount: int) -> dict[str, Any]:
    """Return the payload of a purchase."""
    return {"store": "web", "transaction_id": transaction, "currency": "USD", "amount_minor": amount}


def returned(transaction: str, refund: str, amount: int | None = None) -> dict[str, Any]:
    """Return the payload of a refund."""
    some = {} if amount is None else {"amount_minor": amount}
    named = {"store": "web", "transaction_id": transaction, "refund_id": refund, "refund_kind": "refund"}
    return named | some


def moved(flow: str, amount: int, reason: str, balance: int) -> dict[str, Any]:
    """Return the payload of an economy event."""
    return {"flow": flow, "currency": "gold", "amount": amount, "reason": reason, "balance_after": balance}


# Ann plays on four days and pays twice, bob comes once, cat comes on the last day and crashes.
GOLDEN = [
    event(1, "session_start", FIRST, "ann"),
    event(2, "purchase", FIRST, "ann", time="12:05:00", payload=paid("t-1", 499)),
    event(3, "purchase", FIRST, "ann", time="12:06:00", payload=paid("t-1", 499)),
    event(4, "session_heartbeat", FIRST, "ann", time="12:10:00"),
    event(5, "session_start", FIRST, "bob", **ANDROID),
    event(6, "session_start", SECOND, "ann"),
    event(7, "economy", SECOND, "ann", time="12:01:00", payload=moved("source", 50, "quest", 50)),
    event(8, "economy", SECOND, "ann", time="12:02:00", payload=moved("sink", 20, "shop", 30)),
    event(9, "session_start", EIGHTH, "ann"),
    event(10, "purchase", EIGHTH, "ann", payload=paid("t-2", 100)),
    event(11, "session_start", LAST, "ann"),
    event(12, "crash", LAST, "cat", payload={"fatal": True}),
    event(13, "progression", LAST, "cat", payload={"status": "start", "level_1": "forest"}),
    event(14, "progression", LAST, "cat", payload={"status": "fail", "level_1": "forest"}),
    event(15, "progression", LAST, "cat", payload={"status": "complete", "level_1": "forest"}),
    event(16, "performance", LAST, "cat", payload={"fps": 30.0}),
    event(17, "performance", LAST, "cat", payload={"fps": 60.0}),
    # Of ann's 100 come 30 back a month later; what bob pays is a test.
    event(21, "refund", LAST, "ann", payload=returned("t-2", "r-1", 30)),
    event(22, "purchase", FIRST, "bob", payload=paid("t-3", 999) | {"sandbox": True}, **ANDROID),
]
# A game on a day that still runs: only the days before are over.
RUNNING = [
    event(19, "session_start", "2026-02-10", "eve", game_id="m"),
    event(20, "session_start", LAST, "fay", game_id="m"),
]
# The id of another game's event, and ann's sixth once more, its clock repaired to another day.
SAME_IDS = [
    event(1, "session_start", FIRST, "dan", game_id="k", received_at=NIGHT),
    event(6, "session_start", THIRD, "ann", received_at=NIGHT),
]


def played(seed: int, count: int) -> list[Event]:
    """Return events of another game over 40 days, some of them repeated."""
    chance, made = random.Random(seed), []
    for number in range(1000, 1000 + count):
        player, day = f"p-{chance.randrange(40)}", chance.randrange(40)
        kind = chance.choice(
            [
                "session_start",
                "purchase",
                "economy",
                "progression",
                "performance",
                "crash",
                "design",
                "ad_impression",
                "refund",
                "tutorial_step",
                "match_start",
                "match_end",
                "experiment_exposure",
            ]
        )
        payload = {
            "purchase": paid(f"t-{chance.randrange(60)}", chance.randrange(1, 5000))
            | {"tax_minor": 3, "purchase_kind": chance.choice(["one_off", "subscription", "trial"])}
            | chance.choice([{}, {"store_fee_minor": 7}, {"sandbox": True}]),
            "refund": returned(f"t-{chance.randrange(60)}", chance.choice("rs"), chance.choice([None, 900])),
            "economy": moved(
                chance.choice(["source", "sink"]),
                chance.randrange(1, 90),
                chance.choice("rs"),
                chance.randrange(99),
            ),
            "progression": {
                "status": chance.choice(["start", "fail", "complete"]),
                "level_1": chance.choice("ab"),
            },
            "performance": {"fps": chance.uniform(5, 144), "memory_mb": chance.uniform(100, 900)},
            "crash": {"fatal": number % 4 > 0},
            "design": {"name": f"boss:{chance.choice('xyz')}", "value": chance.choice([None, 0.5, -2.0])},
            "ad_impression": {
                "network": chance.choice("mn"),
                "placement": "shop",
                "format": "banner",
                "currency": "USD",
                "revenue_micros": chance.randrange(9000),
                "completed": chance.random() < 0.5,
            },
            "tutorial_step": {
                "step": chance.randrange(1, 4),
                "status": chance.choice(["start", "complete", "skip"]),
            },
            "experiment_exposure": {"experiment": chance.choice("xy"), "variant": chance.choice("ab")},
            "match_start": {"match_id": f"m-{chance.randrange(40)}", "mode": chance.choice("dt")},
            "match_end": {
                "match_id": f"m-{chance.randrange(40)}",
                "mode": chance.choice("dt"),
                "result": chance.choice(["win", "loss", "draw", "abandoned"]),
                "duration_seconds": chance.randrange(900),
            },
        }.get(kind, {})
        made.append(
            event(
                number, kind, days_after(FIRST, day), player, game_id="h", payload=payload,
                session_id=f"s-{player}-{day // 2}",
                time=f"{chance.choice((0, 12, 23)):02}:{chance.randrange(60):02}:00",
                platform=chance.choice(["ios", "web"]), country=chance.choice(["DE", None]),
                app_version=chance.choice(["1.0.0", "1.1.0"]),
                custom_1=chance.choice(["mage", "Żuk", "other", "unknown"]),
                install_2=chance.choice(["eu", "us", "unknown", "unknown"]),
            )
        )  # fmt: skip
    return made + chance.choices(made, k=count // 10)


def one(found: list[dict[str, Any]], **where: Any) -> dict[str, Any]:
    """Return the row of the golden game and all dimensions that fits, with dates as text."""
    places = {name: "*" for name in metric_model.PLACES if name in found[0]}
    wanted = {"game_id": "g"} | places | where
    (row,) = [row for row in found if all(str(row[name]) == str(value) for name, value in wanted.items())]
    return {name: value for name, value in row.items() if name not in wanted}


def daily(history: Any) -> None:
    assert one(history.before["daily"], event_date=FIRST) == {
        "active_players": 2, "weekly_active_players": 2, "monthly_active_players": 2, "stickiness": 1.0,
        "new_players": 2, "returning_players": 0, "resurrected_players": 0, "dormant_players": 0,
        "sessions": 2, "playtime_seconds": 600.0, "session_seconds_mean": 300.0,
        "session_seconds_median": 300.0,
        "payers": 1, "first_time_payers": 1, "payer_conversion": 0.5, "first_purchase_conversion": 0.5,
    }  # fmt: skip
    second = one(history.before["daily"], event_date=SECOND)
    assert (second["active_players"], second["weekly_active_players"], second["stickiness"]) == (1, 2, 0.5)
    assert (second["returning_players"], second["playtime_seconds"]) == (1, 120.0)
    eighth = one(history.before["daily"], event_date=EIGHTH)
    # Bob's only day is the seventh before: out of the week, in the month.
    assert (eighth["weekly_active_players"], eighth["monthly_active_players"]) == (1, 2)
    assert (eighth["payers"], eighth["first_time_payers"]) == (1, 0)
    last = one(history.before["daily"], event_date=LAST)
    assert (last["new_players"], last["resurrected_players"], last["dormant_players"]) == (1, 1, 1)
    assert (
        one(history.before["daily"], event_date=FIRST, platform="android", country="US")["active_players"]
        == 1
    )


# What nobody bought, sold, gave back or tried.
NO_MONEY = {
    "purchases": 0, "currency_payers": 0, "gross_minor": 0, "unverified_minor": 0, "refunds": 0,
    "chargebacks": 0, "refunded_minor": 0, "net_minor": 0, "tax_minor": 0, "store_fee_minor": 0,
    "proceeds_minor": 0, "purchases_with_fee": 0, "subscription_purchases": 0, "subscription_minor": 0,
    "trials": 0, "sandbox_purchases": 0, "sandbox_minor": 0, "arpdau_minor": 0.0, "net_arpdau_minor": 0.0,
    "arppu_minor": None, "net_arppu_minor": None,
}  # fmt: skip


def revenue(history: Any) -> None:
    first = one(history.before["revenue"], event_date=FIRST, currency="USD")
    of_month = {"month_gross_minor": 499, "month_net_minor": 499, "monthly_active_players": 2}
    of_month |= {"arpu_minor": 249.5, "net_arpu_minor": 249.5}
    assert first == NO_MONEY | of_month | {
        "purchases": 1, "currency_payers": 1, "gross_minor": 499, "net_minor": 499, "proceeds_minor": 499,
        "sandbox_purchases": 1, "sandbox_minor": 999, "active_players": 2, "arpdau_minor": 249.5,
        "net_arpdau_minor": 249.5, "arppu_minor": 499.0, "net_arppu_minor": 499.0,
    }  # fmt: skip
    # Nobody pays on the second day, which counts all the same: ann is there.
    second = one(history.before["revenue"], event_date=SECOND, currency="USD")
    assert second == NO_MONEY | of_month | {"active_players": 1}
    eighth = one(history.before["revenue"], event_date=EIGHTH, currency="USD")
    assert (eighth["gross_minor"], eighth["arpdau_minor"], eighth["arpu_minor"]) == (100, 100.0, 299.5)
    # The purchase of the eighth day is more than 30 days ago, its refund is not.
    last = one(history.before["revenue"], event_date=LAST, currency="USD")
    back = {"refunds": 1, "refunded_minor": 30, "net_minor": -30, "proceeds_minor": -30, "active_players": 2}
    of_month = {"month_gross_minor": 0, "month_net_minor": -30, "monthly_active_players": 2}
    assert last == NO_MONEY | of_month | back | {
        "net_arpdau_minor": -15.0, "arpu_minor": 0.0, "net_arpu_minor": -15.0,
    }  # fmt: skip


def retention(history: Any) -> None:
    cohort = {
        number: one(history.before["retention"], cohort_date=FIRST, day_number=number)
        for number in (0, 1, 2, 7, 39)
    }
    assert {n: (row["retained_players"], row["rolling_players"]) for n, row in cohort.items()} == {
        0: (2, 2), 1: (1, 1), 2: (0, 1), 7: (1, 1), 39: (1, 1),
    }  # fmt: skip
    assert cohort[7]["retention"] == 0.5
    numbers = [
        row["day_number"]
        for row in history.before["retention"]
        if (str(row["cohort_date"]), row["game_id"], row["platform"]) == (FIRST, "g", "*")
    ]
    assert max(numbers) == 39, "only days that are over"


def lifetime_value(history: Any) -> None:
    value = {
        number: one(history.before["lifetime_value"], cohort_date=FIRST, day_number=number, currency="USD")
        for number in (0, 6, 7, 39)
    }
    assert [row["lifetime_gross_minor"] for row in value.values()] == [499, 499, 599, 599]
    assert value[39]["ltv_minor"] == 299.5
    assert [row["lifetime_net_minor"] for row in value.values()] == [499, 499, 599, 569]
    assert (value[39]["lifetime_refunded_minor"], value[39]["net_ltv_minor"]) == (30, 284.5)
    # Cat has paid nothing, and is a cohort of the game all the same.
    cat = one(history.before["lifetime_value"], cohort_date=LAST, day_number=0, currency="USD")
    assert cat == {
        "cohort_players": 1, "lifetime_gross_minor": 0, "lifetime_unverified_minor": 0,
        "lifetime_refunded_minor": 0, "lifetime_net_minor": 0,
        "ltv_minor": 0.0, "net_ltv_minor": 0.0,
    }  # fmt: skip


def economy(history: Any) -> None:
    where = {"event_date": SECOND, "currency": "gold"}
    assert one(history.before["economy"], **where, flow="source", reason="*") == {
        "economy_events": 1, "players": 1, "amount": 50, "balance_after_median": 50.0,
    }  # fmt: skip
    assert one(history.before["economy"], **where, flow="sink", reason="shop")["amount"] == 20


def progression_stability_performance(history: Any) -> None:
    where = {"event_date": LAST, "level_1": "forest", "level_2": "", "level_3": ""}
    assert one(history.before["progression"], **where) == {
        "starts": 1, "completes": 1, "fails": 1, "attempts": 2, "completion": 1.0, "players": 1,
    }  # fmt: skip
    assert one(history.before["stability"], event_date=LAST) == {
        "active_sessions": 2, "crashes": 1, "nonfatal_crashes": 0, "crashed_sessions": 1,
        "crash_free_sessions": 0.5,
        "active_players": 2, "crashed_players": 1, "crash_free_players": 0.5,
    }  # fmt: skip
    fps = one(history.before["performance"], event_date=LAST, measure="fps")
    assert fps["samples"] == 2
    assert [fps[name] for name in ("p1", "p5", "p50", "p95", "p99")] == pytest.approx(
        [30.3, 31.5, 45, 58.5, 59.7]
    )
    assert (fps["slow_5"], fps["slow_1"]) == (fps["p5"], fps["p1"])


def retention_leaves_out_the_day_that_still_runs(history: Any) -> None:
    played = {
        (str(row["cohort_date"]), row["day_number"])
        for row in history.after["retention"]
        if row["game_id"] == "m"
    }
    assert played == {(LAST, 0)}
    assert one(history.after["daily"], event_date="2026-02-10", game_id="m")["new_players"] == 1


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose floats are told to twelve digits: two engines add in another order."""
    return {
        name: float(f"{value:.12g}") if isinstance(value, float) else str(value)
        for name, value in row.items()
    }


# Each takes what has tables of gold before and after late events: `before` and `after`.
ANSWERS = (
    daily,
    revenue,
    retention,
    lifetime_value,
    economy,
    progression_stability_performance,
    retention_leaves_out_the_day_that_still_runs,
)
