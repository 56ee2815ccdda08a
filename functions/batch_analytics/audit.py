"""What must hold of staged gold before it is published."""

from collections.abc import Iterator, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

GRAINS = {
    "daily": "event_date",
    "revenue": "event_date, currency",
    "retention": "cohort_date, day_number",
    "lifetime_value": "cohort_date, day_number, currency",
    "economy": "event_date, currency, flow, reason",
    "progression": "event_date, level_1, level_2, level_3",
    "stability": "event_date",
    "performance": "event_date, measure",
}
DIMENSIONS = "game_id, platform, country, app_version"
# Any event at all gives these a row; the others want a payment, a level, a day that is over.
ALWAYS = ("daily", "stability")
RULES = {
    "daily": [
        "weekly_active_players < active_players",
        "monthly_active_players < weekly_active_players",
        "new_players + returning_players + resurrected_players <> active_players",
        "stickiness NOT BETWEEN 0 AND 1",
        "payers > active_players OR first_time_payers > payers",
        "playtime_seconds < 0",
    ],
    "revenue": ["payers > purchases", "gross_minor < purchases"],
    "retention": [
        "retained_players > cohort_players",
        "rolling_players NOT BETWEEN retained_players AND cohort_players",
        "day_number = 0 AND retained_players <> cohort_players",
    ],
    "lifetime_value": ["gross_minor < 0", "cohort_players <= 0"],
    "economy": ["amount < events", "flow NOT IN ('source', 'sink')"],
    "progression": ["attempts <> completes + fails"],
    "stability": ["crash_free_sessions NOT BETWEEN 0 AND 1", "crash_free_players NOT BETWEEN 0 AND 1"],
    "performance": ["NOT (p50 <= p95 AND p95 <= p99)", "samples <= 0"],
}


def faults(table: str, rows: DataFrame, games: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the staged rows of games: the game, and words."""
    if table in ALWAYS:
        there = {row[0] for row in rows.select("game_id").distinct().collect()}
        yield from ((game, f"{table}: no rows of {game}") for game in games if game not in there)
    grain = [name.strip() for name in f"{DIMENSIONS}, {GRAINS[table]}".split(",")]
    lacking = " OR ".join(f"{name} IS NULL" for name in grain)
    counts = [f.expr(f"count_if({rule})") for rule in (lacking, *RULES[table])]
    for game, nulls, *broken in rows.groupBy("game_id").agg(*counts).collect():
        if nulls:
            yield game, f"{table}: {nulls} rows lack one of {', '.join(grain)}"
        for rule, count in zip(RULES[table], broken, strict=True):
            if count:
                yield game, f"{table}: {count} rows with {rule}"
    repeated = rows.groupBy(*grain).count().where("count > 1").groupBy("game_id").count()
    for game, count in repeated.collect():
        yield game, f"{table}: {count} rows stand more than once"
