"""What must hold of staged gold before it is published."""

from collections.abc import Iterator
from typing import Any

from pyspark.sql import DataFrame

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


def faults(table: str, rows: DataFrame) -> Iterator[str]:
    """Yield what is wrong with a staged table, in words."""
    rows = rows.cache()
    grain = [name.strip() for name in f"{DIMENSIONS}, {GRAINS[table]}".split(",")]
    nulls = rows.where(" OR ".join(f"{name} IS NULL" for name in grain)).count()
    if nulls:
        yield f"{table}: {nulls} rows lack one of {', '.join(grain)}"
    repeated = rows.groupBy(*grain).count().where("count > 1").count()
    if repeated:
        yield f"{table}: {repeated} rows stand more than once"
    for rule in RULES[table]:
        broken = rows.where(rule).count()
        if broken:
            yield f"{table}: {broken} rows with {rule}"
    rows.unpersist()


def balance(report: dict[str, Any]) -> Iterator[str]:
    """Yield where bronze is not silver and duplicates and what could not be read."""
    lines, parts = report["lines"], report["new"] + report["duplicates"] + report["malformed"]
    if lines != parts:
        yield f"bronze has {lines} lines, but silver, duplicates and malformed lines are {parts}"
