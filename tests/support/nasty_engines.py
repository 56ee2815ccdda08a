"""What each engine says of the nasty game, in the form of nasty_truth."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import nasty_truth
import plain_gold
from batch_analytics.kept import PAYLOAD
from fake_aws import SHARD, Games, Streams, encode, processor, records
from nasty_game import GAME, LEAP, Sent
from nasty_truth import LAST_DAY_NUMBER, STEPS, Figures
from telemetry import metric_model
from telemetry.enrichment import timestamp
from telemetry.ingest_batch import IngestBatch, pack
from telemetry.store import Store, by_name
from tools.tables import make_tables

Event = dict[str, Any]
BATCH = 40
TABLES = (
    "boards", "game_days", "games", "ingest_stats", "leaderboards", "players", "quality", "realtime",
    "recent_events",
)  # fmt: skip
# Counters that have no rows of their own: of a day, of a day and currency.
OF_A_DAY = (
    "events", "active_players", "new_players", "session_starts", "sessions_ended", "purchases", "payers",
    "payer_conversion", "refunds", "trials", "sandbox_purchases", "purchase_events", "crash_events", "errors",
)  # fmt: skip
OF_A_CURRENCY = (
    "revenue", "unverified_revenue", "unverified_share", "refunded", "net_revenue", "currency_payers",
    "arpdau", "arppu",
)  # fmt: skip
OF_A_VERSION = ("active_sessions", "crashed_sessions", "crash_free_sessions")
OF_AN_AD = ("impressions", "completed_impressions", "completed_share")
OF_PRICED_ADS = ("currency_impressions", "ad_revenue_micros", "ad_ecpm_micros", "ad_arpdau_micros")
OF_A_DESIGN = ("design_events", "valued_events", "value_sum", "value_mean")
OF_A_LEVEL = ("starts", "completes", "fails", "completion")


def processed(sent: list[Sent], dynamodb: Any) -> Streams:
    """Let the processor read what the platform receives; return what it writes."""
    streams = Streams()
    pipeline = processor(Games((GAME,)), dynamodb, streams)
    for first in range(0, len(sent), BATCH):
        batch = sent[first : first + BATCH]
        handed = records(*map(_record, batch), first=first + 1)
        for record, one in zip(handed, batch, strict=True):
            record["kinesis"]["approximateArrivalTimestamp"] = one.received.timestamp()
        done, again = pipeline.process(handed)
        assert (len(done), again) == (len(batch), None)
    return streams


def _record(one: Sent) -> bytes:
    """Return what a server puts on the stream, or the REST API for a client."""
    data = encode(one.event)
    if one.key_class == "server":
        return data
    return pack(IngestBatch(GAME, timestamp(one.received), None, [data], key_class=one.key_class))


def count_live(streams: Streams) -> None:
    """Let player_state read the enriched stream."""
    from player_state.handler import lambda_handler, store

    store.cache_clear()
    lines = [data for _, data in streams.taken["enriched"]]
    for first in range(0, len(lines), BATCH):
        batch = records(*lines[first : first + BATCH], first=first + 1, shard=SHARD)
        assert lambda_handler({"Records": batch}, None) == {"batchItemFailures": []}
    store.cache_clear()


def read_live(store: Store, days: list[date]) -> Figures:
    """Return every metric of the live counters."""
    return {key: value for key, value in _live(store, days) if value}


def _live(store: Store, days: list[date]) -> Iterator[tuple[tuple[str, ...], float]]:
    model, reach = metric_model.live(), store.reach(GAME, days)
    for day, tally in zip(days, store.game_days(GAME, days), strict=True):
        yield from _day(str(day), tally.counts, reach)
    for day, tally in zip(days, store.ingest_stats(GAME, days), strict=True):
        told = Counter({"arrived": tally.counts["arrived"], "rejected": _rejected(tally.counts)})
        for name in ("arrived", "rejected", "rejected_share"):
            yield (name, str(day)), model[name].of(told) or 0
    rows = {
        kind: store.rows(f"{GAME}#{day}#{kind}" for day in days)
        for kind in ("levels", "economy", "versions", "cohort", "ads", "designs")
    }
    for number, day in enumerate(days):
        for kind, names in (("levels", OF_A_LEVEL), ("versions", OF_A_VERSION)):
            for (of,), counts in by_name([rows[kind][number]], 1).items():
                for name in names:
                    yield (name, str(day), of), model[name].of(counts) or 0
        for (currency, reason), counts in by_name([rows["economy"][number]], 2).items():
            for name in ("source", "sink"):
                yield (name, str(day), currency, reason), model[name].of(counts) or 0
                yield ("amount", str(day), currency, reason, name), counts[name]
        active = store.game_days(GAME, [day])[0].counts["active_players"]
        for ad, counts in by_name([rows["ads"][number]], 3).items():
            for name in OF_AN_AD:
                yield (name, str(day), *ad), model[name].of(counts) or 0
            for currency in prefixed(counts, "ad_revenue_"):
                for name in OF_PRICED_ADS:
                    known = {**counts, "active_players": active}
                    yield (name, str(day), *ad, currency), model[name].of(known, currency) or 0
        for of, counts in designs(by_name([rows["designs"][number]], 1)).items():
            for name in OF_A_DESIGN:
                yield (name, str(day), of), model[name].of(counts) or 0
        counts = by_name([rows["cohort"][number]], 0)[()]
        for after in range(LAST_DAY_NUMBER + 1):
            known = {
                "retained_players": counts[f"retained_{after}"], "cohort_players": counts["retained_0"],
            }  # fmt: skip
            for name in ("cohort_players", "retained_players", "retention"):
                yield (name, str(day), str(after)), model[name].of(known) or 0
    played = [day for day, tally in zip(days, store.game_days(GAME, days), strict=True) if tally.counts]
    hours = [(day - date(1970, 1, 1)).days * 24 + hour for day in played for hour in range(24)]
    for hour, found in zip(hours, store.rows(f"{GAME}#hour-{hour}" for hour in hours), strict=True):
        for (minute,), counts in by_name([found], 1).items():
            at = datetime.fromtimestamp(hour * 3600 + int(minute) * 60, UTC)
            yield ("concurrent_players", f"{at:%Y-%m-%dT%H:%M}"), counts["concurrent_players"]
            for name in ("reported_revenue", "unverified_reported_revenue"):
                for currency, minor in prefixed(counts, f"{name}_").items():
                    yield (name, f"{at:%Y-%m-%dT%H:%M}", currency), minor
            share = metric_model.live()["unverified_reported_share"]
            for currency in prefixed(counts, "reported_revenue_"):
                key = ("unverified_reported_share", f"{at:%Y-%m-%dT%H:%M}", currency)
                yield key, share.of(counts, currency) or 0


def _day(day: str, counts: Counter[str], reach: Counter[str]) -> Iterator[tuple[tuple[str, ...], float]]:
    model = metric_model.live()
    month = reach[f"mau_{day}"]
    yield ("weekly_active_players", day), reach[f"wau_{day}"]
    yield ("monthly_active_players", day), month
    yield ("stickiness", day), model["stickiness"].of({**counts, "monthly_active_players": month}) or 0
    yield ("playtime_seconds", day), counts["play_ms"] / 1000
    for name in OF_A_DAY:
        yield (name, day), model[name].of(counts) or 0
    for name in ("players_started", "players_completed"):
        yield (name, day), counts[name]
    for step, name in STEPS.items():
        known = {"step_players": counts[name], "active_players": counts["active_players"]}
        yield ("step_players", day, step), counts[name]
        yield ("step_share", day, step), model["step_share"].of(known) or 0
    for currency in prefixed(counts, "revenue_") | prefixed(counts, "refunded_"):
        for name in OF_A_CURRENCY:
            yield (name, day, currency), model[name].of(counts, currency) or 0


def designs(rows: Mapping[tuple[str, ...], Counter[str]]) -> dict[str, Counter[str]]:
    """Return the counters of names and of the names above them."""
    found: dict[str, Counter[str]] = {}
    for (name,), counts in rows.items():
        parts = name.split(":")
        for depth in range(1, len(parts) + 1):
            found.setdefault(":".join(parts[:depth]), Counter()).update(counts)
    return found


def prefixed(counts: Counter[str], prefix: str) -> dict[str, int]:
    """Return the counters of a prefix without it."""
    return {name.removeprefix(prefix): count for name, count in counts.items() if name.startswith(prefix)}


def _rejected(counts: Counter[str]) -> int:
    return sum(prefixed(counts, "rejected_").values())


def live_days() -> list[date]:
    """Return the days on which the live counters can have something of the game."""
    return [LEAP.date() + timedelta(number) for number in range(-33, 33)]


def read_windows(windows: Mapping[tuple[str, str], Mapping[str, float]]) -> Figures:
    """Return every metric of windows of all platforms and versions, by the keys of the real-time table."""
    found: Figures = {}
    for (series, start), measures in windows.items():
        game, label, *group = series.split("#")
        if game != GAME or group != ["*", "*"] or label not in ("1m", "5m"):
            continue
        for name, metric in metric_model.window().items():
            if metric.formula and any("{currency}" in fact.counter for fact in metric.facts):
                for currency in {measure.partition(".")[2] for measure in measures if "revenue." in measure}:
                    found[name, label, start, currency] = metric.of(Counter(measures), currency) or 0
                continue
            if metric.formula:
                facts = {fact.name: measures.get(fact.counter, 0) for fact in metric.facts}
                found[name, label, start] = metric.of(facts | measures) or 0
                continue
            before, every, _ = metric.counter.partition("{")
            for measure, value in measures.items():
                if every and measure.startswith(before):
                    found[name, label, start, measure.removeprefix(before)] = value
                if measure == metric.counter:
                    found[name, label, start] = value
    return {key: value for key, value in found.items() if value}


def read_gold(tables: Mapping[str, list[dict[str, Any]]]) -> Figures:
    """Return every metric of rows of gold tables: the metric, its table, and the row's place."""
    found: Figures = {}
    for name, rows in tables.items():
        table = metric_model.tables()[name]
        for row in rows:
            place = [f"{column}={row[column]}" for column in table.grain]
            for column in table.types:
                if column not in table.grain and row[column] is not None:
                    found[column, name, *place] = float(row[column])
    return found


def true_gold(sent: list[Sent]) -> Figures:
    """Return the same as the definitions have it."""
    events = (nasty_truth.flat(event, PAYLOAD) for event in nasty_truth.happened(sent))
    return read_gold(plain_gold.gold(events))


# The rows of gold that have a metric of the live counters under the same name.
PLACES: dict[str, Callable[..., tuple[str, ...]]] = {
    "daily": lambda day: (f"event_date={day}", "app_version=*"),
    "revenue": lambda day, *currency: (
        f"event_date={day}", "app_version=*", *(f"currency={one}" for one in currency),
    ),
    "stability": lambda day, version: (f"event_date={day}", f"app_version={version}"),
    "progression": lambda day, level: (f"event_date={day}", "app_version=*", f"level_1={level}"),
    "economy": lambda day, currency, reason, flow: (
        f"event_date={day}", "app_version=*", f"currency={currency}", f"reason={reason}", f"flow={flow}",
    ),
    "retention": lambda day, number: (f"cohort_date={day}", "app_version=*", f"day_number={number}"),
}  # fmt: skip


def shared() -> dict[str, str]:
    """Return the metrics that the live counters and the history have under one name, and a table of each."""
    tables = {name: table for name, table in metric_model.tables().items() if name in PLACES}
    return {
        metric: table
        for metric in metric_model.live()
        for table in [next((name for name, one in tables.items() if metric in one.metrics), "")]
        if table
    }


def in_gold(key: tuple[str, ...], gold: Figures) -> float | None:
    """Return what gold says of a live metric; None where it has no such row, as of a day that is not over."""
    name, *of = key
    table = shared()[name]
    metric, wanted = (
        metric_model.tables()[table].metrics[name],
        {"platform=*", "country=*", *PLACES[table](*of)},
    )
    sums = Counter[str]()
    for (column, of_table, *place), value in gold.items():
        if of_table == table and wanted <= set(place):
            sums[column] += value  # type: ignore[assignment]
    return metric.of(sums) if sums else None


def tables() -> None:
    """Make the tables of DynamoDB."""
    make_tables(boto3.resource("dynamodb"))
