"""The Flink job for real: events into one stream, windows out of another, each figure known beforehand."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import emulated_lake
import pytest
import reference
from emulated_lake import Lake
from flink_harness import NOON, Event, FlinkHarness, Key, event
from reference import Windows, timely, write
from telemetry.dimensions import Declared
from tools.emulator import Emulator

HOUR = 3600
LATENESS = timedelta(seconds=60)
# Minute and second after noon at which each alert must be raised, with what it is about.
ALERTS = (
    "32:00Z#crash_spike#",
    "31:00Z#economy_inflation#gold",
    "34:00Z#players_drop#",
    "35:00Z#revenue_stop#",
)


def golden() -> list[Event]:
    """Return events of two minutes whose windows are worked out by hand below."""
    paid = {"store": "web", "transaction_id": "t-1", "currency": "USD", "amount_minor": 499}
    yen = {"store": "web", "transaction_id": "t-2", "currency": "JPY", "amount_minor": 120}
    start = event("session_start", 5, "ann", game_id="golden", custom_1="mage", custom_2="eu")
    return [
        start,
        event("session_heartbeat", 10, "ann", game_id="golden", custom_1="rogue", custom_2="eu"),
        event("session_heartbeat", 11, "bob", game_id="golden", platform="android", custom_1="mage"),
        event("economy", 20, "ann", game_id="golden",
              payload={"flow": "source", "currency": "gold", "amount": 70}),
        event("economy", 21, "bob", game_id="golden", platform="android",
              payload={"flow": "sink", "currency": "gold", "amount": 30}),
        event("purchase", 30, "ann", game_id="golden", payload=paid, custom_1="mage", custom_2="eu"),
        start,
        event("purchase", 40, "ann", game_id="golden", payload=paid, custom_1="rogue"),
        event("performance", 50, "ann", game_id="golden", payload={"fps": 60.0, "latency_ms": 0.4}),
        event("session_heartbeat", 59.999, "ann", game_id="golden"),
        event("session_heartbeat", 60, "ann", game_id="golden"),
        event("purchase", 61, "ann", game_id="golden", payload=paid, custom_1="unknown"),
        event("purchase", 62, "bob", game_id="golden", platform="android", payload=yen, verified=True,
              custom_1="mage", custom_2="other"),
        event("progression", 63, "ann", game_id="golden", payload={"status": "complete"}),
        event("session_end", 64, "ann", game_id="golden", payload={"duration_seconds": 59}),
        event("crash", 65, "bob", game_id="golden", platform="android", custom_2="other"),
        event("refund", 65, "eve", game_id="golden", custom_2="us"),
        event("score_submitted", 66, "bob", game_id="golden", platform="android"),
        event("design", 67, "ann", game_id="golden", payload={"name": "boss:dragon"}),
        event("design", 68, "bob", game_id="golden", platform="android", payload={"name": "boss:dragon"}),
        event("design", 69, "ann", game_id="golden", payload={"name": "boss"}),
        event("match_end", 70, "ann", game_id="golden", payload={"mode": "duel", "result": "win"}),
        event("match_end", 71, "bob", game_id="golden", platform="android",
              payload={"mode": "duel", "result": "loss"}),
        event("ad_impression", 72, "ann", game_id="golden",
              payload={"currency": "USD", "revenue_micros": 12_500}),
        event("ad_impression", 73, "ann", game_id="golden"),
    ]  # fmt: skip


def random_play(seed: int, players: int, seconds: int) -> list[list[Event]]:
    """Return two shards of arrivals: out of order, repeated, some too late, some of a clock that is ahead."""
    chance, told = random.Random(seed), random.Random(seed)
    shards: list[list[Event]] = [[], []]
    for second in range(0, seconds, 2):
        for _ in range(3):
            player = f"p-{chance.randrange(players)}"
            at = second - chance.choice([0, 0, 0, 1, 5, 20, 55, 90, 240])
            made = event(
                chance.choice(list(PAYLOADS)),
                at,
                player,
                game_id="random",
                platform=chance.choice(["ios", "android", "web"]),
                app_version=chance.choice(["1.0.0", "1.1.0"]),
            )
            made["payload"] = PAYLOADS[made["event_type"]](chance)
            if chance.random() < 0.4:
                made["verified"] = chance.random() < 0.6
            # The game has a dimension from some time on, and its other one is of the rule install.
            if second > 600:
                made["custom_1"] = told.choice(["mage", "Żuk#1", "other", "unknown"])
            made["install_2"] = "eu"
            if chance.random() < 0.03:
                made["corrected_time"] = event(at=at + 1800)["corrected_time"]
            shard = shards[int(player[2:]) % 2]
            shard.append(made)
            if chance.random() < 0.1:
                shard.append(chance.choice(shard[-20:]))
            if second % 40 == 0:
                # Ids are the games' own: another game may have the same.
                shard.append(made | {"game_id": "other"})
    return shards


PAYLOADS: dict[str, Any] = {
    "session_start": lambda chance: {},
    "session_heartbeat": lambda chance: {},
    "session_end": lambda chance: {"duration_seconds": chance.randrange(4000)},
    "economy": lambda chance: {
        "flow": chance.choice(["source", "sink"]),
        "currency": chance.choice(["gold", "gems"]),
        "amount": chance.randrange(1, 2**40),
    },
    "progression": lambda chance: {"status": chance.choice(["start", "complete", "fail"])},
    "performance": lambda chance: {"fps": chance.uniform(5, 144), "latency_ms": chance.uniform(0, 900)},
    "purchase": lambda chance: {
        "store": chance.choice(["apple", "google"]),
        "transaction_id": f"t-{chance.randrange(60)}",
        "currency": "EUR",
        "amount_minor": 999,
    },
    "crash": lambda chance: {},
    "design": lambda chance: {"name": f"{chance.choice(['boss', 'shop'])}:{chance.randrange(4)}"},
    "match_end": lambda chance: {
        "mode": chance.choice(["duel", "1.v.1"]),
        "result": chance.choice(["win", "loss", "draw", "abandoned"]),
    },
    "ad_impression": lambda chance: chance.choice(
        [{}, {"currency": chance.choice(["USD", "JPY"]), "revenue_micros": chance.randrange(10**12)}]
    ),
}


def incident() -> list[Event]:
    """Return 30 calm minutes of 40 players, then five in which all goes wrong at once."""
    events = []
    for minute in range(35):
        bad = minute >= 30
        for number in range(10 if bad else 40):
            events.append(event("session_heartbeat", minute * 60 + 1, f"p-{number}", game_id="incident"))
        for number in range(0 if bad else 2):
            bought = {
                "store": "web",
                "transaction_id": f"{minute}-{number}",
                "currency": "USD",
                "amount_minor": 99,
            }
            events.append(event("purchase", minute * 60 + 2, "p-1", game_id="incident", payload=bought))
        for flow, amount in (("source", 5000 if bad else 100), ("sink", 100)):
            moved = {"flow": flow, "currency": "gold", "amount": amount}
            events.append(event("economy", minute * 60 + 3, "p-2", game_id="incident", payload=moved))
        for _ in range(5 if bad else 1):
            events.append(event("crash", minute * 60 + 4, "p-3", game_id="incident"))
    return events


def gone() -> list[Event]:
    """Return half an hour of 40 players, and then nothing."""
    return [
        event("session_heartbeat", minute * 60 + 1, f"p-{number}", game_id="gone")
        for minute in range(30)
        for number in range(40)
    ]


PLATFORMS = (
    "ios", "android", "windows", "macos", "linux", "playstation", "xbox", "switch", "web", "other"
)  # fmt: skip


# What the flooded game declares: two dimensions with as many values as there can be.
DECLARED = Declared.of(
    {
        "dimensions": {
            slot: {"name": name, "rule": "current", "values": [f"{name} {n}" for n in range(20)]}
            for slot, name in (("1", "class"), ("2", "shard"))
        }
    }
)


def counted_by(**told: str) -> dict[str, str]:
    """Return the fields that the processor adds to an event of the flooded game which tells these values."""
    fields: dict[str, str] = json.loads(f"{{{DECLARED.fields(told).removesuffix(',')}}}")
    return fields


def flood() -> list[Event]:
    """Return two minutes in which a client makes up 4,000 virtual currencies and 2,000 versions.

    Its amounts are large, and each of its players has many versions. It makes up 500 design events, 500
    modes and thousands of values of custom dimensions too. Others use three versions, gold, one name of the
    others, and the values that the game declares.
    """
    events = []
    for number in range(4000):
        at, version = number / 50, f"9.{number % 2000}.0"
        platform, player = PLATFORMS[number % 10], f"bot-{number % 30}"
        moved = {"flow": "source", "currency": f"c{'x' * 50}{number:05}", "amount": 2**40}
        made = {"game_id": "flood", "platform": platform, "app_version": version}
        made |= counted_by(**{"class": f"made up {number}", f"name-{number}": "x"})
        events.append(event("economy", at, player, payload=moved, **made))
        if number % 8 == 0:
            named = {"name": f"{'x' * 100}{number}"}
            events.append(event("design", at, player, payload=named, **made))
            fought = {"mode": f"m{number}", "result": ("win", "loss", "draw", "abandoned")[number // 8 % 4]}
            events.append(event("match_end", at, player, payload=fought, **made))
        if number % 20 == 0:
            paid = {"store": "web", "transaction_id": f"b-{number}", "currency": "EUR", "amount_minor": 5}
            events.append(event("purchase", at, player, payload=paid, **made))
        if number % 40 == 0:
            real = {"game_id": "flood", "app_version": f"1.{number // 40 % 3}.0"}
            value = number // 40 % 20
            real |= counted_by(**{"class": f"class {value}", "shard": f"shard {value or 20}"})
            moved = {"flow": "sink", "currency": "gold", "amount": 3}
            events.append(event("economy", at, f"p-{number % 7}", payload=moved, **real))
            events.append(event("session_heartbeat", at, f"p-{number % 7}", **real))
            events.append(event("design", at, f"p-{number % 7}", payload={"name": "shop:open"}, **real))
            duel = {"mode": "duel", "result": "win"}
            events.append(event("match_end", at, f"p-{number % 7}", payload=duel, **real))
    return events


def five_minutes(seed: int) -> list[Event]:
    """Return all of a game that fits one window: no two moments alike, some events repeated."""
    chance = random.Random(seed)
    events: list[Event] = []
    for number in range(600):
        made = event(
            chance.choice(list(PAYLOADS)),
            number * 0.4,
            f"p-{chance.randrange(40)}",
            game_id="both",
            platform=chance.choice(["ios", "android"]),
            app_version=chance.choice(["1.0.0", "1.1.0"]),
        )
        made["payload"] = PAYLOADS[made["event_type"]](chance)
        events += [made, chance.choice(events[-20:])] if number % 10 == 9 else [made]
    return events


HOSTILE = [
    b"not json",
    b"[]",
    b'{"event_id": 7, "payload": "text"}',
    b"\xff\xfe",
    b'{"corrected_time": "yesterday"}',
]


@pytest.fixture(scope="module")
def played(flink_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkHarness]:
    """Play all games at once through one job."""
    harness = FlinkHarness("windows", flink_emulator, tmp_path_factory.mktemp("windows"))
    shards = random_play(1, 30, HOUR)
    for shard, events in enumerate(shards):
        others = golden() + flood() + five_minutes(2) if shard == 0 else incident() + gone()
        arrivals = sorted(others, key=lambda made: str(made["received_at"]))
        harness.send(merged(arrivals, events), shard)
        harness.send(HOSTILE, shard)
    harness.start()
    try:
        yield harness
    finally:
        harness.job.kill()


def merged(one: list[Event], other: list[Event]) -> list[Event]:
    """Return two sequences as one: each keeps its order, and neither runs far ahead of the other."""
    result, rest, latest = [], list(one), ""
    for made in other:
        latest = max(latest, made["received_at"])
        while rest and rest[0]["received_at"] <= latest:
            result.append(rest.pop(0))
        result.append(made)
    return result + rest


@pytest.fixture(scope="module")
def expected(played: FlinkHarness, tmp_path_factory: pytest.TempPathFactory) -> Windows:
    """Return every window of what was sent, by DuckDB."""
    kept, _ = timely(played.sent, LATENESS)
    events = [made for made in kept if made["game_id"] != "clock"]
    return reference.windows(
        reference.load(write(events, tmp_path_factory.mktemp("duckdb") / "events.ndjson"))
    )


@pytest.fixture(scope="module")
def found(played: FlinkHarness, expected: Windows) -> Windows:
    """Return every window of the job."""
    items = played.windows(*expected)
    return {
        key: measures for key, measures in items.items() if is_window(key) and not key[0].startswith("clock#")
    }


def is_window(key: Key) -> bool:
    """Tell windows from alerts and what was dropped."""
    return key[0].split("#")[1] in reference.SIZES


def test_golden_minutes_are_exact(found: Windows) -> None:
    assert found["golden#1m#*#*", "2026-01-31T12:00:00Z"] == {
        "events.session_start": 1,
        "events.session_heartbeat": 3,
        "events.economy": 2,
        "events.purchase": 2,
        "events.performance": 1,
        "unique.active_players": 2,
        "unique.heartbeat_sessions": 2,
        "unique.reported_payers": 1,
        "reported_purchases.USD": 1,
        "reported_revenue.USD": 499,
        "unverified_reported_revenue.USD": 499,
        "source.gold": 70,
        "sink.gold": 30,
        "fps.84": 1,
        "latency_ms.0": 1,
    }
    assert found["golden#1m#android#1.0.0", "2026-01-31T12:01:00Z"] == {
        "events.purchase": 1,
        "events.crash": 1,
        "events.score_submitted": 1,
        "unique.active_players": 1,
        "unique.reported_payers": 1,
        "reported_purchases.JPY": 1,
        "reported_revenue.JPY": 120,
        "events.design": 1,
        "design.boss:dragon": 1,
        "events.match_end": 1,
        "match_loss.duel": 1,
    }
    minute = found["golden#1m#*#*", "2026-01-31T12:01:00Z"]
    assert {
        name: amount for name, amount in minute.items() if name.startswith(("design.", "match_", "ad_"))
    } == {
        "design.boss:dragon": 2,
        "design.boss": 1,
        "match_win.duel": 1,
        "match_loss.duel": 1,
        "ad_revenue_micros.USD": 12_500,
    }
    assert minute["events.ad_impression"] == 2


def test_golden_minutes_by_the_values_of_custom_dimensions(found: Windows) -> None:
    assert {
        (series.removeprefix("golden#1m#"), window.removeprefix("2026-01-31T12:0")): measures
        for (series, window), measures in found.items()
        if series.startswith("golden#") and "#custom_" in series
    } == {
        ("custom_1", "0:00Z#mage"): {
            "unique.active_players": 2, "reported_revenue.USD": 499, "unverified_reported_revenue.USD": 499,
        },
        ("custom_1", "0:00Z#rogue"): {"unique.active_players": 1},
        ("custom_2", "0:00Z#eu"): {
            "unique.active_players": 1, "reported_revenue.USD": 499, "unverified_reported_revenue.USD": 499,
        },
        ("custom_1", "1:00Z#unknown"): {"unique.active_players": 1},
        ("custom_1", "1:00Z#mage"): {"unique.active_players": 1, "reported_revenue.JPY": 120},
        ("custom_2", "1:00Z#other"): {
            "unique.active_players": 1, "events.crash": 1, "reported_revenue.JPY": 120,
        },
    }  # fmt: skip


def test_rocksdb_has_buffers_that_fit_a_processing_units_memory(played: FlinkHarness, found: Windows) -> None:
    options = [file.read_text() for file in played.directory.glob("tmp/**/OPTIONS-*")]
    sizes = {size for text in options for size in re.findall(r"^  write_buffer_size=(\d+)$", text, re.M)}
    assert sizes == {str(2 * 2**20)}


def test_golden_five_minutes_count_players_and_transactions_once(
    found: Windows,
) -> None:
    window = found["golden#5m#*#*", "2026-01-31T12:00:00Z"]
    assert window["unique.active_players"] == 2
    assert window["unique.heartbeat_sessions"] == 2
    assert window["unique.reported_payers"] == 2
    assert window["reported_revenue.USD"] == 499
    assert window["ended_seconds.sum"] == 59
    assert window["progression.complete"] == 1


def test_all_windows_equal_duckdb_to_the_last_unit(found: Windows, expected: Windows) -> None:
    assert len(expected) > 1000
    assert found == expected


def test_windows_with_one_name_more_would_be_seen(
    played: FlinkHarness, expected: Windows, tmp_path: Path
) -> None:
    kept, _ = timely(played.sent, LATENESS)
    path = write([made for made in kept if made["game_id"] != "clock"], tmp_path / "events.ndjson")
    for kind, limit in reference.NAMES.items():
        assert reference.windows(reference.load(path, **{kind: limit + 1})) != expected


def test_what_comes_too_late_is_counted(played: FlinkHarness) -> None:
    _, dropped = timely(played.sent, LATENESS)
    assert dropped["random"] > 50
    assert played.total("random#dropped#*#*", "dropped.events", dropped["random"]) == dropped["random"]


def test_records_that_are_no_events_stop_nothing_and_are_counted(played: FlinkHarness) -> None:
    assert played.total("?#dropped#*#*", "dropped.events", 4) == 4


def test_a_flood_of_names_keeps_those_that_players_use(found: Windows) -> None:
    first = "2026-01-31T12:00:00Z"
    series = {key[0].split("#", 2)[2] for key in found if key[0].startswith("flood#1m#") and key[1] == first}
    versions = {name.partition("#")[2] for name in series}
    assert len(versions) == 1 + 20 + 1
    assert {"*", "1.0.0", "1.1.0", "1.2.0", "other"} <= versions
    assert len(series) <= (len(PLATFORMS) + 1) * 22
    everything, rest = found["flood#1m#*#*", first], found["flood#1m#*#other", first]
    currencies = {name.partition(".")[2] for name in everything if name.startswith(("source.", "sink."))}
    assert len(currencies) == 50 + 1
    assert everything["sink.gold"] == 75 * 3
    assert everything["source.*"] == (3000 - 49) * 2**40
    assert everything["events.economy"] == 3000 + 75
    designs = {name: amount for name, amount in everything.items() if name.startswith("design.")}
    assert len(designs) == 50 + 1
    assert (designs["design.shop:open"], designs["design.*"]) == (75, 375 - 49)
    modes = {name.partition(".")[2] for name in everything if name.startswith("match_")}
    assert len(modes) == 50 + 1
    assert everything["match_win.duel"] == 75
    assert sum(everything[f"match_{ending}.*"] for ending in ("win", "loss", "draw", "abandoned")) == 375 - 49
    assert rest["events.economy"] >= 3000 - 2 * 20
    assert rest["unique.active_players"] == 30


def test_a_flood_of_names_publishes_a_bounded_number_of_rows(played: FlinkHarness, found: Windows) -> None:
    rows, values = Counter[tuple[str, str, str]](), Counter[str]()
    for row in played.published():
        if row.get("platform", "").startswith("custom_"):
            values[f"{row['game_id']} {row['kind']} {row['window_start']} {row['platform']}"] += 1
        elif row["kind"] in reference.SIZES:
            rows[row["game_id"], row["kind"], row["window_start"]] += 1
    # The values that the game declares, `other` for those that the client made up, and `unknown`.
    assert values["flood 1m 2026-01-31T12:00:00Z custom_1"] == 20 + 1
    assert values["flood 1m 2026-01-31T12:00:00Z custom_2"] == 19 + 2
    assert max(values.values()) <= 22
    groups = len(PLATFORMS) + 1
    assert 40 < rows["flood", "1m", "2026-01-31T12:00:00Z"] <= groups * (20 + 2)
    assert 80 < rows["flood", "5m", "2026-01-31T12:00:00Z"] <= groups * (5 * 20 + 2)
    assert not [row for row in played.published() if row["kind"] == "alert" and row.get("subject") == "*"]


def test_each_alert_is_raised_once(played: FlinkHarness) -> None:
    raised = played.windows(*(("incident#alerts", f"2026-01-31T12:{alert}") for alert in ALERTS))
    assert sorted(window[17:] for series, window in raised if series == "incident#alerts") == sorted(
        alert[3:] for alert in ALERTS
    )
    assert raised["incident#alerts", "2026-01-31T12:35:00Z#revenue_stop#"] == {
        "observed": 0.0,
        "reference": 50.0,
    }
    published = [row for row in played.published() if row["kind"] == "alert" and row["game_id"] == "incident"]
    assert len(published) == len(ALERTS)


def test_a_game_that_stops_is_told(played: FlinkHarness) -> None:
    key = ("gone#alerts", "2026-01-31T12:33:00Z#players_drop#")
    assert played.windows(key)[key] == {"observed": 16.0, "reference": 40.0}


def test_the_metrics_stream_carries_the_same_windows(played: FlinkHarness, found: Windows) -> None:
    rows = [row for row in played.published() if row["kind"] in reference.SIZES and row["game_id"] != "clock"]
    assert {
        (f"{row['game_id']}#{row['kind']}#{row['platform']}#{row['app_version']}", row["window_start"])
        if not row["platform"].startswith("custom_")
        else (f"{row['game_id']}#1m#{row['platform']}", f"{row['window_start']}#{row['app_version']}")
        for row in rows
    } == set(found)


def test_the_history_of_a_game_that_fits_one_window_is_that_window(
    played: FlinkHarness, found: Windows, tmp_path: Path
) -> None:
    sent = [made for made in played.sent[0] if made["game_id"] == "both"]
    with emulated_lake.started(tmp_path) as spark:
        lake = spark.lake("windows")
        lake.arrive(f"{NOON:%Y-%m-%dT%H}", [as_enriched(made) for made in sent])
        hours = (f"{NOON + timedelta(hours=after):%Y-%m-%dT%H}" for after in (0, 1))
        with spark.computing("economy", "matches", "progression", "stability"):
            assert spark.drive(lake.steps("all", "r", *hours)) == [0]
        measures = sorted(as_measures(lake))
    windows = [
        ((series, measure), amount)
        for (series, start), measures in found.items()
        if series.startswith("both#5m#") and start == "2026-01-31T12:00:00Z"
        for measure, amount in measures.items()
        if measure.startswith(IN_BOTH)
    ]
    assert len(windows) > 100
    assert measures == sorted(windows)


def as_enriched(made: Event) -> Event:
    """Return the event with what the lake asks besides what windows are made of."""
    whole = emulated_lake.event(0, "", f"{NOON:%Y-%m-%d}", "") | made
    required = emulated_lake.REQUIRED.get(made["event_type"], {}) | {
        "match_id": "m", "duration_seconds": 0, "network": "n", "placement": "p", "format": "banner",
    }  # fmt: skip
    return whole | {
        "payload": required | {"level_1": "1", "reason": "quest", "balance_after": 0} | made["payload"]
    }


# What a window and a day define alike.
IN_BOTH = (
    "unique.active_players", "unique.reported_payers", "reported_purchases.", "reported_revenue.",
    "source.", "sink.", "progression.", "events.crash", "design.", "match_", "ad_revenue_micros.",
)  # fmt: skip


def as_measures(lake: Lake) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield gold's figures as a window of five minutes has them: series and measure, amount."""
    named = {
        "daily": lambda row: {
            "unique.active_players": row["active_players"],
            "unique.reported_payers": row["payers"],
        },
        "revenue": lambda row: {
            f"reported_purchases.{row['currency']}": row["purchases"],
            f"reported_revenue.{row['currency']}": row["gross_minor"],
        },
        "economy": lambda row: {f"{row['flow']}.{row['currency']}": row["amount"]},
        "progression": lambda row: {
            f"progression.{status}": row[column]
            for status, column in (("start", "starts"), ("complete", "completes"), ("fail", "fails"))
        },
        "stability": lambda row: {"events.crash": row["crashes"]},
        # The history counts an event for the names above its own too.
        "design": lambda row: {f"design.{row['name']}": row["design_events"] if ":" in row["name"] else 0},
        "matches": lambda row: {
            f"match_{result}.{row['mode']}": row[column]
            for result, column in (
                ("win", "wins"),
                ("loss", "losses"),
                ("draw", "draws"),
                ("abandoned", "abandons"),
            )
        },
        "ads": lambda row: {f"ad_revenue_micros.{row['currency']}": int(row["revenue_micros"] or 0)},
    }
    for table, measures in named.items():
        for row in lake.table(table):
            if row["country"] == "*" and row.get("reason", "*") == "*":
                series = f"{row['game_id']}#5m#{row['platform']}#{row['app_version']}"
                yield from (((series, name), amount) for name, amount in measures(row).items() if amount)
