"""What must hold of staged gold before it is published."""

import json
from collections.abc import Iterator, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from batch_analytics.bronze import resource

# The grain of each table, and which rows are wrong. scripts/schemas writes it from the metrics model.
TABLES = json.loads(resource("audit.json"))
# Any event at all gives these a row; the others want a payment, a level, a day that is over.
ALWAYS = ("daily", "stability")


def faults(table: str, rows: DataFrame, games: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the staged rows of games: the game, and words."""
    if table in ALWAYS:
        there = {row[0] for row in rows.select("game_id").distinct().collect()}
        yield from ((game, f"{table}: no rows of {game}") for game in games if game not in there)
    grain, rules = TABLES[table]["grain"], TABLES[table]["wrong_where"]
    lacking = " OR ".join(f"{name} IS NULL" for name in grain)
    counts = [f.expr(f"count_if({rule})") for rule in (lacking, *rules)]
    for game, nulls, *broken in rows.groupBy("game_id").agg(*counts).collect():
        if nulls:
            yield game, f"{table}: {nulls} rows lack one of {', '.join(grain)}"
        for rule, count in zip(rules, broken, strict=True):
            if count:
                yield game, f"{table}: {count} rows with {rule}"
    repeated = rows.groupBy(*grain).count().where("count > 1").groupBy("game_id").count()
    for game, count in repeated.collect():
        yield game, f"{table}: {count} rows stand more than once"
