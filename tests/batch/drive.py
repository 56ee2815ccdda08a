"""Run many steps of the job in one Spark session; runs in .venv-spark.

drive.py reads a JSON list of argument lists and prints a JSON list: each one's exit status, or error.
"""

import json
import sys

from batch_analytics import job
from pyspark.sql import SparkSession
from pyspark.sql import functions as f


def main() -> None:
    """Run each; `spoil <path>` makes a staged table's stickiness impossible, `empty` takes its rows."""
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    answers: list[object] = []
    for given in json.load(sys.stdin):
        if given[0] in ("spoil", "empty"):
            rows = spark.read.parquet(given[1]).localCheckpoint()
            rows = rows.where("false") if given[0] == "empty" else rows.withColumn("stickiness", f.lit(2.0))
            rows.write.mode("overwrite").partitionBy("game_id").parquet(given[1])
            continue
        try:
            answers.append(job.run(job.arguments(given), spark))
        except ValueError as error:
            answers.append(str(error))
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
