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
    grain = TABLES[table]["grain"]
    lacking = " OR ".join(f"{name} IS NULL" for name in grain)
    rules = {f"({lacking})": f"rows lack one of {', '.join(grain)}"}
    rules |= {f"({rule})": f"rows with {rule}" for rule in TABLES[table]["wrong_where"]}
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
