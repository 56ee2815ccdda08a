"""What data_quality judges of silver before gold is published; rules.json has the schemas' limits."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as f
from telemetry.lateness import TOO_OLD_AFTER
from telemetry.sequences import UNNUMBERED_SDKS

from batch_analytics.bronze import resource
from batch_analytics.tables import Partition

# The columns of gold that have rows of all values together.
PLACES = ("platform", "country", "app_version", "custom_1", "custom_2")


def counts(rows: DataFrame) -> dict[str, int]:
    """Return the rows of each game."""
    return {row[0]: row[1] for row in rows.groupBy("game_id").count().collect()}


def games(silver: DataFrame, touched: Sequence[Partition]) -> dict[str, dict[str, Any]]:
    """Measure the days that a run touched: fields that are null or out of range, sessions that lack a number.

    A session is judged between the first and the last number it has: what happened before or after may come.
    Sessions whose client counts no events are not judged. Values of custom dimensions are counted too.
    """
    keys = silver.sparkSession.createDataFrame(list(touched), "game_id string, event_date string")
    keys = keys.withColumn("event_date", f.col("event_date").cast("date"))
    rows = silver.join(f.broadcast(keys), ["game_id", "event_date"], "left_semi")
    rules = [
        (kind, *rule) for kind, named in json.loads(resource("rules.json")).items() for rule in named.items()
    ]
    broken = [f.expr(f"count_if({predicate})") for _, _, predicate in rules]
    values = f.sum(f.when(f.col("dimensions").isNotNull(), f.size("dimensions")).otherwise(0))
    declared = [
        f.expr(f"count_if(coalesce({one}) NOT IN ('other', 'unknown'))")
        for one in ("custom_1, install_1", "custom_2, install_2")
    ]
    measured: dict[str, dict[str, Any]] = {}
    sums = rows.groupBy("game_id").agg(f.count("*"), values, *declared, *broken).collect()
    for game, events, told, first, second, *found in sums:
        measured[game] = {"events": events, "nulls": {}, "ranges": {}}
        measured[game] |= {"values": told, "undeclared_values": told - first - second}
        for (kind, name, _), count in zip(rules, found, strict=True):
            if count:
                measured[game][kind][name] = count
    # Distinct within its session's partition: one exchange, where a distinct count takes two.
    unnumbered = f.coalesce(f.col("client.sdk").isin(*UNNUMBERED_SDKS), f.lit(False))
    counted = rows.where(~unnumbered)
    numbers = (
        counted.select("game_id", "session_id", "sequence").repartition("game_id", "session_id").distinct()
    )
    sessions = numbers.groupBy("game_id", "session_id").agg(
        (f.max("sequence") - f.min("sequence") + 1 > f.count("sequence")).alias("gapped")
    )
    for game, number, gapped in (
        sessions.groupBy("game_id").agg(f.count("*"), f.expr("count_if(gapped)")).collect()
    ):
        measured[game] |= {"sequences": number, "gapped": gapped}
    return measured


def days(
    staged: Mapping[str, DataFrame], touched: Sequence[Partition]
) -> dict[str, dict[str, dict[str, int]]]:
    """Return staged gold of the days that a run touched, by game and day, as player_state names figures."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    wanted = {tuple(one) for one in touched}
    for rows, names in (
        (staged["daily"], {name: f.lit(name) for name in ("active_players", "new_players")}),
        (
            staged["revenue"],
            {
                "gross_minor": f.concat(f.lit("revenue_"), "currency"),
                "unverified_minor": f.concat(f.lit("unverified_revenue_"), "currency"),
            },
        ),
        (staged["ads"], {"impressions": f.lit("events_ad_impression")}),
        # An event counts once at the first part of its name.
        (staged["design"].where("depth = '1'"), {"design_events": f.lit("events_design")}),
    ):
        names_of_all = [name for name in PLACES if name in rows.columns]
        total = rows.where(" AND ".join(f"{name} = '*'" for name in names_of_all))
        for column, name in names.items():
            day_of = f.col("event_date").cast("string").alias("day")
            figures = total.groupBy("game_id", day_of, name.alias("figure")).agg(f.sum(column))
            for game, day, figure, value in figures.collect():
                if (game, day) in wanted:
                    found.setdefault(game, {}).setdefault(day, {})[figure] = int(value)
    return found


def arrived(silver: DataFrame, hour: datetime) -> dict[str, int]:
    """Return the events of each game that the platform received in an hour."""
    # By its corrected time, an event happened before it arrived, or an hour after.
    since, until = hour.date() - TOO_OLD_AFTER, hour.date() + timedelta(days=1)
    day = f.col("event_date").between(f.lit(since), f.lit(until))
    at = f.col("received_at")
    return counts(silver.where(day & (at >= _literal(hour)) & (at < _literal(hour + timedelta(hours=1)))))


def _literal(moment: datetime) -> Any:
    return f.lit(f"{moment:%Y-%m-%d %H:%M:%S}").cast("timestamp")
