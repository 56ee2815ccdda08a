"""Do what is asked in one Spark session, as long as it is asked; runs in .venv-spark.

Each line it reads is a JSON list of requests, answered by a line with a list of answers:
- a list of arguments runs steps of the job: 0, or the words of the error that ends it;
- {"sql": ...} returns the rows, or the words of an error;
- {"before_add": [arguments]} runs another run, once, at the moment before the next one adds to silver;
- {"columns": ddl} gives the job the columns of another release, and null its own again;
- {"tables": names} has it compute these gold tables alone, and null all again.
"""

import json
import os
import sys
from typing import Any

from batch_analytics import bronze, gold, job
from batch_analytics.tables import RunError, Tables
from pyspark.sql import SparkSession

add, resource, tables = Tables.add, bronze.resource, gold.TABLES


def answer(spark: SparkSession, request: Any) -> object:
    """Carry out one request."""
    if isinstance(request, dict) and "sql" in request:
        try:
            return [row.asDict(recursive=True) for row in spark.sql(request["sql"]).collect()]
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:4000]
    if isinstance(request, dict) and "columns" in request:
        given = request["columns"]
        bronze.resource = (lambda name: given) if given else resource
        return None
    if isinstance(request, dict) and "tables" in request:
        gold.TABLES = tuple(request["tables"] or tables)
        return None
    if isinstance(request, dict):
        interrupt(spark, request["before_add"])
        return None
    try:
        job.run(job.arguments(request), spark)
    except RunError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:4000]
    return 0


def interrupt(spark: SparkSession, other: list[str]) -> None:
    """Have another run add to silver just before the next one does."""

    def after_another(self: Tables, *given: Any) -> None:
        Tables.add = add
        job.run(job.arguments(other), spark)
        self.add(*given)

    Tables.add = after_another


def main() -> None:
    """Answer each line; what the job and Java print goes to stderr."""
    answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)
    spark = SparkSession.builder.getOrCreate()
    for line in sys.stdin:
        found = [answer(spark, request) for request in json.loads(line)]
        print(json.dumps(found, default=str), file=answers, flush=True)


if __name__ == "__main__":
    main()
