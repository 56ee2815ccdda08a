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
    grain = [name.strip() for name in f"{DIMENSIONS}, {GRAINS[table]}".split(",")]
    lacking = " OR ".join(f"{name} IS NULL" for name in grain)
    rules = {f"({lacking})": f"rows lack one of {', '.join(grain)}"}
    rules |= {f"({rule})": f"rows with {rule}" for rule in RULES[table]}
    broken = [f.expr(f"count_if{rule}").alias(str(number)) for number, rule in enumerate(rules)]
    counted = rows.groupBy(*grain).agg(f.count("*").alias("rows"), *broken)
    sums = [f.sum(str(number)) for number, _ in enumerate(rules)]
    found = counted.groupBy("game_id").agg(*sums, f.expr("count_if(rows > 1)")).collect()
    for game, *counts in found:
        for count, words in zip(counts, [*rules.values(), "rows stand more than once"], strict=True):
            if count:
                yield game, f"{table}: {count} {words}"
    if table in ALWAYS:
        there = {row[0] for row in found}
        yield from ((game, f"{table}: no rows of {game}") for game in games if game not in there)
