"""What must hold of staged gold before it is published."""

from collections.abc import Iterator, Mapping, Sequence

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


def faults(table: str, rows: DataFrame | None, games: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the staged rows of games, in words; None stands for no rows."""
    if table in ALWAYS:
        there = {row[0] for row in rows.select("game_id").distinct().collect()} if rows else set()
        yield from (f"{table}: no rows of {game}" for game in games if game not in there)
    if rows is None:
        return
    grain = [name.strip() for name in f"{DIMENSIONS}, {GRAINS[table]}".split(",")]
    lacking = " OR ".join(f"{name} IS NULL" for name in grain)
    nulls, *broken = rows.agg(*(f.expr(f"count_if({rule})") for rule in (lacking, *RULES[table]))).head()
    if nulls:
        yield f"{table}: {nulls} rows lack one of {', '.join(grain)}"
    repeated = rows.groupBy(*grain).count().where("count > 1").count()
    if repeated:
        yield f"{table}: {repeated} rows stand more than once"
    for rule, count in zip(RULES[table], broken, strict=True):
        if count:
            yield f"{table}: {count} rows with {rule}"


def balance(games: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yield where silver does not hold each event of the run's bronze exactly once."""
    for game, counted in games.items():
        lines, new, duplicates = (counted[name] for name in ("lines", "new", "duplicates"))
        if counted["held"] != counted["distinct"]:
            has, holds = counted["distinct"], counted["held"]
            yield f"{game}: bronze has {has} events, but silver holds {holds} rows of them"
        if lines != new + duplicates:
            yield f"{game}: of {lines} lines of bronze silver took {new}, and {duplicates} were duplicates"
