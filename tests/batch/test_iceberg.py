"""The statements for Iceberg, whose jars cannot be had here: what they are, not what it makes of them."""

import json
import os
import subprocess

from tools import batch
from tools.engine import SPARK

ASK = """
import json, sys
from batch_analytics.bronze import declared
from batch_analytics.tables import Iceberg
said = []
class Spark:
    def table(self, name):
        return type("Table", (), {"columns": [known for known in declared() if known != "privacy"]})
    def sql(self, text):
        said.append(text)
        made = "CREATE TABLE t (game_id STRING) USING iceberg"
        if text.endswith(".daily"):
            made += " PARTITIONED BY (game_id) LOCATION 'x'"
        return type("Answer", (), {"head": lambda _: [made]})()
Iceberg(Spark(), "db").prepare(["daily", "revenue"])
print(json.dumps([text for text in said if text.startswith("ALTER")]))
"""


def test_columns_and_partitions_are_added_once(spark: None) -> None:
    python = SPARK.python
    environment = {**os.environ, **batch.environment()}
    answer = subprocess.run([python, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == [
        "ALTER TABLE lake.db.events ADD COLUMN privacy struct<analytics_storage:string,age_group:string>",
        "ALTER TABLE lake.db.events ADD PARTITION FIELD game_id",
        "ALTER TABLE lake.db.events ADD PARTITION FIELD event_date",
        "ALTER TABLE lake.db.revenue ADD PARTITION FIELD game_id",
    ]
