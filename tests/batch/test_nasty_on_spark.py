"""The nasty game through the Spark job: every metric is what its definition says."""

import nasty_engines
import nasty_game
from batch_analytics import kept
from emulated_lake import Spark
from fake_aws import Tables
from nasty_truth import Answer

HOURS = ("2024-03-05T00", "2024-03-05T01")


def test_gold_of_spark_is_what_the_definitions_say(spark: Spark) -> None:
    sent, lake = nasty_game.sent(), spark.lake("nasty")
    lines = nasty_engines.processed(sent, Tables()).lines("bronze")
    # Delivery may write a line twice.
    lake.arrive(HOURS[0], [*lines, *lines[::7]])
    assert spark.drive(lake.steps("all", "nasty", *HOURS)) == [0]
    said = nasty_engines.read_gold({table: lake.table(table) for table in kept.GOLD})
    assert Answer(said, nasty_engines.true_gold(sent)).differing() == {}
