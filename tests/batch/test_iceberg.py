"""The statements for Iceberg, whose jars cannot be had here: what they are, not what it makes of them."""

import json
import os
import subprocess

from tools import batch
from tools.engine import SPARK

ASK = """
import json
from batch_analytics.tables import Iceberg
from pyspark.sql.types import StringType, StructType
said = []
class Spark:
    def table(self, name):
        return type("Table", (), {"schema": StructType().add("game_id", StringType())})
    def sql(self, text):
        said.append(text)
        made = "CREATE TABLE t (game_id STRING) USING iceberg"
        if text.endswith(".daily"):
            made += " PARTITIONED BY (game_id) LOCATION 'x'"
        return type("Answer", (), {"head": lambda _: [made]})()
class Events:
    schema = StructType().add("game_id", StringType()).add("bot", StringType())
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
WIDEN = """
import json
from batch_analytics.tables import lacking
from pyspark.sql.types import BooleanType, LongType, MapType, StringType, StructType
text = StringType()
has = StructType().add("game_id", text).add("payload", StructType().add("score", LongType()))
fields = StructType().add("extra", MapType(text, text)).add("score", LongType()).add("guild_id", text)
wanted = StructType().add("bot", BooleanType()).add("payload", fields).add("game_id", text)
print(json.dumps([list(lacking(wanted, has)), list(lacking(has, wanted))]))
"""


def ask(program: str) -> object:
    """Return what a program says in Spark's environment, without a session."""
    environment = {**os.environ, **batch.environment()}
    command = [SPARK.python, "-c", program]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


def test_partitions_are_added_once_and_events_appended(spark: object) -> None:
    assert ask(ASK) == [
        "ALTER TABLE lake.db.events ADD PARTITION FIELD game_id",
        "ALTER TABLE lake.db.events ADD PARTITION FIELD event_date",
        "ALTER TABLE lake.db.revenue ADD PARTITION FIELD game_id",
        "ALTER TABLE lake.db.events ADD COLUMN `bot` string",
        "INTO lake.db.events",
        "APPEND",
    ]


def test_columns_of_new_events_and_metrics_are_added(spark: object) -> None:
    added = ["`bot` boolean", "`payload`.`extra` map<string,string>", "`payload`.`guild_id` string"]
    assert ask(WIDEN) == [added, []]
