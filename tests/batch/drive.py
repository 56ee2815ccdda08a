"""Run steps of the job in one Spark session, as long as it is asked; runs in .venv-spark.

Each line it reads is a JSON list of argument lists, answered by a line: each run's exit status, or error.
"""

import json
import sys

from batch_analytics import job
from pyspark.sql import SparkSession
from pyspark.sql import functions as f


def answer(spark: SparkSession, given: list[str]) -> object:
    """Run a step; `spoil <path>` makes a staged table's stickiness impossible, `empty` takes its rows."""
    if given[0] in ("spoil", "empty"):
        rows = spark.read.parquet(given[1]).localCheckpoint()
        rows = rows.where("false") if given[0] == "empty" else rows.withColumn("stickiness", f.lit(2.0))
        rows.write.mode("overwrite").partitionBy("game_id").parquet(given[1])
        return None
    try:
        return job.run(job.arguments(given), spark)
    except ValueError as error:
        return str(error)


def main() -> None:
    """Answer each line; what the job prints goes to stderr."""
    answers, sys.stdout = sys.stdout, sys.stderr
    spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 2).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    for line in sys.stdin:
        found = [answer(spark, given) for given in json.loads(line)]
        print(json.dumps([said for said in found if said is not None]), file=answers, flush=True)


if __name__ == "__main__":
    main()
