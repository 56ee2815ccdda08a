"""The statements for Iceberg, whose jars cannot be had here: what they are, not what it makes of them."""

import json
import os
import subprocess

import pytest
from tools import batch
from tools.engine import SPARK

ASK = """
import json, sys
from batch_analytics.tables import Iceberg
said = []
class Spark:
    def sql(self, text):
        said.append(text)
        made = "CREATE TABLE t (game_id STRING) USING iceberg"
        if text.endswith(".daily"):
            made += " PARTITIONED BY (game_id) LOCATION 'x'"
        return type("Answer", (), {"head": lambda _: [made]})()
class Events:
    def writeTo(self, table):
        said.append(f"INTO {table}")
        return self
    def append(self):
        said.append("APPEND")
iceberg = Iceberg(Spark(), "db")
iceberg.prepare(["daily", "revenue"])
iceberg.add(Events(), [])
print(json.dumps([text for text in said if not text.startswith("SHOW")]))
"""


def test_partitions_are_added_once_and_events_appended() -> None:
    if missing := SPARK.why_missing():
        pytest.skip(missing)
    python = SPARK.python
    environment = {**os.environ, **batch.environment()}
    answer = subprocess.run([python, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == [
        "ALTER TABLE lake.db.events ADD PARTITION FIELD game_id",
        "ALTER TABLE lake.db.events ADD PARTITION FIELD event_date",
        "ALTER TABLE lake.db.revenue ADD PARTITION FIELD game_id",
        "INTO lake.db.events", "APPEND",
    ]  # fmt: skip
