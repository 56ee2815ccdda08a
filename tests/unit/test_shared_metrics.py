"""A name of several engines gives the same number in each, and no engine uses another's name."""

import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import plain_gold
import pytest
import reference
from metrics_api import ads, design, live_models, models, realtime_models
from nights import World
from player_state import buckets
from player_state.projection import Projection
from pydantic import BaseModel
from telemetry import metric_model
from telemetry.enrichment import timestamp
from telemetry.player_item import Player
from telemetry.raw_position import RawPosition

Event = dict[str, Any]
# By partition, row, name.
Counts = dict[tuple[str, str, str], int]
DAYS = 30
MONEY = {"match_start": "purchase", "match_end": "refund", "tutorial_step": "purchase"}
DATES = ("event_date", "arrival_date")


def events(seed: int) -> list[Event]:
    """Return flat events in order of time. A store gives a transaction to one player, at one price."""
    found = World(seed, DAYS, players=60).events
    for number, event in enumerate(found):
        if event["event_type"] in MONEY:
            # The world has too few of them in so few days.
            event |= {"event_type": MONEY[event["event_type"]], "store": "web", "refund_kind": "refund"}
            event |= {"transaction_id": f"t-{number % 4}", "refund_id": f"r-{number % 5}"}
            event |= {"sandbox": number % 7 == 0, "purchase_kind": "trial" if number % 5 == 0 else None}
        if event["event_type"] in ("purchase", "refund"):
            event["transaction_id"] = f"{event['game_id']}-{event['player_id']}-{event['transaction_id']}"
        if event["event_type"] == "purchase":
            event["amount_minor"] = 100 + sum(event["transaction_id"].encode())
            event["currency"] = "EUR" if event["amount_minor"] % 2 else "USD"
        if event["event_type"] == "design" and int(event["event_id"], 16) % 2:
            event |= {"event_type": "session_end", "duration_seconds": 60}
    return sorted(found, key=lambda event: (event["at_ms"], event["event_id"]))


def enriched(event: Event) -> Event:
    """Return a flat event as player_state and the stream job read it."""
    moment = timestamp(datetime.fromtimestamp(event["at_ms"] / 1000, UTC))
    payload = {name: value for name, value in event.items() if value is not None and name not in DATES}
    return payload | {
        "event_id": str(uuid.UUID(int=int(event["event_id"], 16))),
        "session_id": str(uuid.uuid5(uuid.NAMESPACE_OID, event["session_id"])),
        "event_date": event["event_date"].isoformat(),
        "corrected_time": moment,
        "received_at": moment,
        "late": False,
        "payload": payload,
    }


def live(found: list[Event]) -> Counts:
    """Return what player_state counts of the events, over all rows of a partition, and by row."""
    players: dict[tuple[str, str], Player] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for number, event in enumerate(map(enriched, found), 1):
        key = event["game_id"], event["player_id"]
        projection = Projection(players.setdefault(key, Player(*key)), lambda event, kind, name: name)
        assert projection.apply(event, RawPosition(0, number, number, 0))
        for bucket, added in projection.buckets.items():
            for name, count in added.items():
                counts[f"{key[0]}#{bucket.period}", bucket.row, name] += count
    return counts


@pytest.fixture(scope="module", params=[1, 2])
def played(request: pytest.FixtureRequest) -> tuple[list[Event], Counts, dict[str, plain_gold.Rows]]:
    found = events(request.param)
    return found, live(found), plain_gold.gold(found)


Row = dict[str, Any]
# A fact that the live counters and the history share: its gold table, and the live counter of a row.
LIVE_AND_HISTORY: dict[str, tuple[str, Callable[[Row], tuple[str, str, str]]]] = {
    "active_players": ("daily", lambda row: (f"{row['event_date']}", "", "active_players")),
    "weekly_active_players": ("daily", lambda row: reach(row["event_date"], "wau")),
    "monthly_active_players": ("daily", lambda row: reach(row["event_date"], "mau")),
    "new_players": ("daily", lambda row: (f"{row['event_date']}", "", "new_players")),
    "playtime_seconds": ("daily", lambda row: (f"{row['event_date']}", "", "play_ms")),
    "payers": ("daily", lambda row: (f"{row['event_date']}", "", "payers")),
    "purchases": ("revenue", lambda row: (f"{row['event_date']}", "", "purchases")),
    "refunds": ("revenue", lambda row: (f"{row['event_date']}", "refunds#", "refunds")),
    "trials": ("revenue", lambda row: (f"{row['event_date']}", "", "trials")),
    "sandbox_purchases": ("revenue", lambda row: (f"{row['event_date']}", "", "sandbox_purchases")),
    "currency_payers": ("revenue", lambda row: (f"{row['event_date']}", "", f"payers_{row['currency']}")),
    "active_sessions": ("stability", lambda row: (f"{row['event_date']}#versions", "*", "active_sessions")),
    "crashed_sessions": ("stability", lambda row: (f"{row['event_date']}#versions", "*", "crashed_sessions")),
    "starts": ("progression", lambda row: level(row, "start")),
    "completes": ("progression", lambda row: level(row, "complete")),
    "fails": ("progression", lambda row: level(row, "fail")),
    "cohort_players": ("lifetime_value", lambda row: (f"{row['cohort_date']}#cohort", "", "retained_0")),
    "amount": (
        "economy",
        lambda row: (f"{row['event_date']}#economy", f"{row['currency']}#{row['reason']}#", row["flow"]),
    ),
    "impressions": ("ads", lambda row: advertisement(row, "impressions")),
    "completed_impressions": ("ads", lambda row: advertisement(row, "completed_impressions")),
    "ad_revenue_micros": (
        "total_revenue", lambda row: (f"{row['event_date']}#ads", "*", f"ad_revenue_{row['currency']}"),
    ),
    "design_events": ("design", lambda row: (f"{row['event_date']}#designs", "*", "design_events")),
    "valued_events": ("design", lambda row: (f"{row['event_date']}#designs", "*", "valued_events")),
    "value_sum": ("design", lambda row: (f"{row['event_date']}#designs", "*", "value_millionths")),
    "retained_players": (
        "retention", lambda row: (f"{row['cohort_date']}#cohort", "", f"retained_{row['day_number']}"),
    ),
}  # fmt: skip
# A fact that the live counters of a minute and the stream job's windows share: the counter, and the measure.
LIVE_AND_WINDOW = {
    "active_players": ("active_players", "unique.active_players"),
    "session_starts": ("events_session_start", "events.session_start"),
    "sessions_ended": ("events_session_end", "events.session_end"),
    "crash_events": ("events_crash", "events.crash"),
    "reported_revenue": ("reported_revenue_EUR", "reported_revenue.EUR"),
    "unverified_reported_revenue": ("unverified_reported_revenue_EUR", "unverified_reported_revenue.EUR"),
}
# The same of a day's live counters, which have no minutes, and the sum of the windows.
LIVE_DAY_AND_WINDOW = {
    "impressions": ("impressions", "events.ad_impression"),
    "ad_revenue_micros": ("ad_revenue_USD", "ad_revenue_micros.USD"),
}
SQL = Path(__file__).resolve().parents[2] / "functions" / "realtime_analytics" / "sql"
# The same percentiles as the history's, of a histogram: Percentiles says how far they may be off.
APPROXIMATE = {f"Percentiles.{name}" for name in ("p5", "p50", "p95", "p99")}
# Each of these tables counts players of its own rows.
OF_ITS_ROWS = {"players"}


def reach(day: date, name: str) -> tuple[str, str, str]:
    return buckets.of_month(day).period, "", f"{name}_{day.day}"


def level(row: Row, status: str) -> tuple[str, str, str]:
    return f"{row['event_date']}#levels", f"{row['level_1']}#", status


def advertisement(row: Row, counter: str) -> tuple[str, str, str]:
    return f"{row['event_date']}#ads", f"{row['network']}#{row['placement']}#{row['format']}#", counter


LIVE, WINDOW = metric_model.live(), metric_model.window()
HISTORY = {name: metric for table in metric_model.tables().values() for name, metric in table.metrics.items()}


def is_total(row: Row) -> bool:
    """Tell whether a row of gold adds up over places and names, with one day and currency of a cohort."""
    return (
        all(row[dimension] == "*" for dimension in plain_gold.DIMENSIONS)
        and row.get("reason") != "*"
        and row.get("depth", "1") == "1"
        and ("lifetime_gross_minor" not in row or (row["day_number"], row["currency"]) == (0, "EUR"))
    )


def facts(*engines: dict[str, metric_model.Metric]) -> set[str]:
    """Return the facts that all engines have; a ratio follows from its facts."""
    names = set.intersection(*map(set, engines))
    return {name for name in names if not engines[0][name].is_derived}


def test_every_shared_fact_is_compared() -> None:
    assert set(LIVE_AND_HISTORY) == facts(LIVE, HISTORY)
    assert LIVE_AND_WINDOW.keys() | LIVE_DAY_AND_WINDOW.keys() == facts(LIVE, WINDOW)
    # What a window shares with the history is compared by way of the live counters.
    # Live figures have no results of matches. The nasty game compares them with their definition in both.
    results = {"abandons", "draws", "losses", "wins"}
    assert facts(WINDOW, HISTORY) - results <= set(LIVE_AND_HISTORY) & facts(LIVE, WINDOW)


@pytest.mark.parametrize("name", LIVE_AND_HISTORY)
def test_a_day_is_the_same_live_and_in_the_history(
    played: tuple[list[Event], Counts, dict[str, plain_gold.Rows]], name: str
) -> None:
    _, counts, gold = played
    table, place = LIVE_AND_HISTORY[name]
    history: Counter[tuple[str, str, str]] = Counter()
    for row in gold[table]:
        if is_total(row):
            period, below, counter = place(row)
            unit = LIVE[name].counter_scale * (1000 if counter == "play_ms" else 1)
            history[f"{row['game_id']}#{period}", below, counter] += round(row[name] * unit)
    found = {
        key: sum(n for (period, _, counter), n in counts.items() if (period, counter) == (key[0], key[2]))
        if key[1] == "*"
        else counts[key]
        for key in history
    }
    assert found == history
    assert sum(map(abs, found.values())) > 10


def test_a_name_of_several_gold_tables_is_the_same_number_in_each(
    played: tuple[list[Event], Counts, dict[str, plain_gold.Rows]],
) -> None:
    tables = metric_model.tables()
    places = Counter(
        name for table in tables.values() for name, one in table.metrics.items() if not one.is_derived
    )
    for name in {name for name, number in places.items() if number > 1} - OF_ITS_ROWS:
        having = [one for one in tables.values() if name in one.metrics]
        common = sorted(set.intersection(*(apart(one, name) for one in having)))
        numbers: dict[tuple[Any, ...], set[Any]] = defaultdict(set)
        for table in having:
            for key, number in added(table, name, common, played[2][table.name]).items():
                numbers[key].add(number)
        assert {key: found for key, found in numbers.items() if len(found) > 1} == {}, name


SHARED_DIMENSIONS = ("event_date", "cohort_date", "game_id", *plain_gold.DIMENSIONS)


def apart(table: metric_model.Table, name: str) -> set[str]:
    """Return the dimensions that only some tables have and that a fact does not add over."""
    return set(table.grain) - {*SHARED_DIMENSIONS, *table.metrics[name].adds_over}


def added(
    table: metric_model.Table, name: str, common: list[str], rows: plain_gold.Rows
) -> dict[tuple[Any, ...], Any]:
    """Return a fact by the shared dimensions and the common ones, added over the others where it adds.

    It must be the same for each value of a dimension over which it does not add.
    """
    found: dict[tuple[Any, ...], Counter[tuple[Any, ...]]] = defaultdict(Counter)
    others = sorted(apart(table, name) - set(common))
    for row in rows:
        of_cohort = {"event_date": None} if "cohort_date" in row else {}
        key = tuple((row | of_cohort).get(column) for column in (*SHARED_DIMENSIONS, *common))
        found[tuple(row[column] for column in others)][key] += row[name]
    numbers: dict[tuple[Any, ...], Any] = {}
    for one in found.values():
        for key, number in one.items():
            assert numbers.setdefault(key, number) == number, (table.name, name, key)
    return numbers


@pytest.mark.parametrize("name", LIVE_AND_WINDOW)
def test_a_minute_is_the_same_live_and_in_a_window(
    played: tuple[list[Event], Counts, dict[str, plain_gold.Rows]], tmp_path: Path, name: str
) -> None:
    found, counts, _ = played
    counter, measure = LIVE_AND_WINDOW[name]
    path = reference.write(map(enriched, found), tmp_path / "events.json")
    windows = {
        key: measures[measure]
        for key, measures in reference.windows(reference.load(path)).items()
        if key[0].endswith("#1m#*#*") and measure in measures
    }
    minutes = {}
    for (period, row, one), number in counts.items():
        game, _, hour = period.partition("#hour-")
        if one == counter and hour.isdecimal() and number:
            minute = datetime.fromtimestamp((int(hour) * 60 + int(row.rstrip("#"))) * 60, UTC)
            minutes[f"{game}#1m#*#*", f"{minute:%Y-%m-%dT%H:%M}:00Z"] = number
    assert minutes == windows
    assert len(minutes) > 10


@pytest.mark.parametrize("name", LIVE_DAY_AND_WINDOW)
def test_a_day_is_the_same_live_and_in_the_windows(
    played: tuple[list[Event], Counts, dict[str, plain_gold.Rows]], tmp_path: Path, name: str
) -> None:
    found, counts, _ = played
    counter, measure = LIVE_DAY_AND_WINDOW[name]
    path = reference.write(map(enriched, found), tmp_path / "events.json")
    windows: Counter[str] = Counter()
    for (series, minute), measures in reference.windows(reference.load(path)).items():
        if series.endswith("#1m#*#*") and measures.get(measure):
            windows[f"{series.partition('#')[0]}#{minute[:10]}#ads"] += measures[measure]
    days: Counter[str] = Counter()
    for (period, _, one), number in counts.items():
        if one == counter and period.endswith("#ads") and number:
            days[period] += number
    assert days == windows
    assert len(days) > 1


def misnamed(counters: set[str], engine: dict[str, metric_model.Metric]) -> set[str]:
    """Return counters that have the name of a metric, but are not what the engine counts under it."""
    named = counters & (LIVE.keys() | WINDOW.keys() | HISTORY.keys())
    return named - engine.keys()


def test_a_live_counter_with_the_name_of_a_metric_is_that_metric(
    played: tuple[list[Event], Counts, dict[str, plain_gold.Rows]],
) -> None:
    counters = {name for *_, name in played[1]}
    assert {"active_players", "active_sessions", "crash_events"} <= counters
    assert misnamed(counters, LIVE) == set()


def test_a_measure_of_a_window_with_the_name_of_a_metric_is_that_metric() -> None:
    additions, ids = (SQL / "measures.sql").read_text().split("CREATE TEMPORARY VIEW ids AS")
    families = set(re.findall(r"`minute`,\s+'(\w+)'", additions))
    families |= set(re.findall(r"THEN '(\w+)'", (SQL / "events.sql").read_text()))
    unique = set(re.findall(r"`minute`,\s+'(\w+)'", ids))
    counted = {metric.counter.partition(".")[0] for metric in WINDOW.values()}
    assert {"events", "ended_seconds", "reported_revenue"} <= families
    assert {"active_players", "reported_payers"} <= unique
    assert {f"unique.{name}" for name in unique} <= {metric.counter for metric in WINDOW.values()}
    # `events` are the events of the period by type.
    assert {name for name in families & (LIVE.keys() | HISTORY.keys()) if name not in counted} == set()


def test_a_counter_that_has_the_name_of_another_figure_is_seen() -> None:
    # player_state counted session_start events, and crashes that were not fatal, under names of the history.
    assert misnamed({"events", "sessions", "crashes"}, LIVE) == {"sessions", "crashes"}


def fields_of(module: Any) -> Iterator[tuple[str, str, str]]:
    """Yield model, name and description of each number, or numbers by name, in the answers of a module."""
    for model in vars(module).values():
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__:
            for name, field in model.model_fields.items():
                if numeric(field.annotation):
                    yield f"{model.__name__}", name, field.description or ""


def numeric(annotation: Any) -> bool:
    """Tell whether a field holds numbers, alone, in a list or by name."""
    parts = get_args(annotation) or (annotation,)
    return any(part in (int, float) or (get_args(part) and numeric(part)) for part in parts)


def undescribed(fields: Iterable[tuple[str, str, str]], engine: dict[str, metric_model.Metric]) -> list[str]:
    """Return fields with the name of a metric and the description of something else."""
    every = LIVE | WINDOW | HISTORY
    return [
        f"{model}.{name}"
        for model, name, description in fields
        if name in every and (name not in engine or engine[name].description not in description)
    ]


def test_a_field_of_the_api_with_the_name_of_a_metric_is_that_metric() -> None:
    for module in (models, ads, design):
        assert undescribed(fields_of(module), LIVE) == []
    assert [one for one in undescribed(fields_of(live_models), LIVE) if one not in APPROXIMATE] == []
    assert (
        undescribed(fields_of(realtime_models), WINDOW | {name: LIVE[name] for name in ("source", "sink")})
        == []
    )


def test_a_field_that_means_something_else_is_seen() -> None:
    fields = [("Player", "sessions", "Sessions started."), ("Minute", "purchases", ""), ("Day", "score", "")]
    assert undescribed(fields, LIVE) == ["Player.sessions", "Minute.purchases"]


# Metrics that purchases move, by their names, so that a new metric of money cannot be forgotten.
OF_PURCHASES = re.compile(
    r"purchase|payer|revenue|gross|net_|proceeds|tax|fee|subscription|total|ltv|arpdau|arppu|arpu|conversion|return_on"
)
NOT_OF_PURCHASES = re.compile(r"^(ad_|sandbox_|lifetime_ad)|unverified|refund|match|cohort|^net_amount$")
AD_REVENUE = {("ads", "revenue_micros")}


def test_every_metric_of_purchases_tells_that_clients_reports_count() -> None:
    places = {name: table.metrics for name, table in metric_model.tables().items()}
    places |= {"live": metric_model.live(), "window": metric_model.window()}
    places |= {"ad_spend": metric_model.ad_spend()}
    told, expected = set(), set()
    for place, metrics in places.items():
        for name, metric in metrics.items():
            if metric.description.endswith(metric_model.CLIENT_REPORTS):
                told.add((place, name))
            if OF_PURCHASES.search(name) and not NOT_OF_PURCHASES.search(name):
                expected.add((place, name))
    assert told == expected - AD_REVENUE
    assert len(told) > 40


def test_the_unverified_share_of_revenue_is_told_by_currency() -> None:
    counts = Counter(
        {"revenue_EUR": 2000, "unverified_revenue_EUR": 500, "revenue_USD": 100, "refunded_JPY": 7}
    )
    assert models.money(counts)["unverified_share"] == {"EUR": 0.25, "USD": 0}
    assert metric_model.tables()["revenue"].metrics["unverified_minor_share"].sql() == (
        "CAST(sum(unverified_minor) AS double) / nullif(sum(gross_minor), 0)"
    )
