"""Run the job's own SQL over files once and print its seconds; runs in .venv-flink.

windows.py DIRECTORY PARALLELISM: a directory of NDJSON files, one a task.
"""

import re
import sys
import time

from pyflink.table import EnvironmentSettings, TableEnvironment
from realtime_analytics.settings import parse
from realtime_analytics.statements import options, statements

GROUPS = {"streams": {"enriched.arn": "arn", "metrics.arn": "arn", "region": "eu-west-1"}}
JSON = {"format": "json", "json.timestamp-format.standard": "ISO-8601", "json.ignore-parse-errors": "true"}


def main() -> None:
    """Swap the connectors: files in, nothing out."""
    directory, parallelism = sys.argv[1:]
    source = options({"connector": "filesystem", "path": directory, **JSON})
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    config = environment.get_config()
    config.set("table.local-time-zone", "UTC")
    config.set("parallelism.default", parallelism)
    config.set("taskmanager.memory.managed.size", "1 gb")
    job = environment.create_statement_set()
    for statement in statements(parse(GROUPS)):
        if "TABLE `enriched`" in statement:
            connector = source
        elif "TABLE ticks" in statement:
            connector = options({"connector": "datagen", "number-of-rows": "1"})
        else:
            connector = options({"connector": "blackhole"})
        text = re.sub(r"WITH \(\n.*\n\)", f"WITH (\n{connector}\n)", statement, flags=re.DOTALL)
        if "INSERT INTO" in text:
            job.add_insert_sql(text)
        else:
            environment.execute_sql(text.replace("PARTITIONED BY (`game_id`) ", ""))
    began = time.perf_counter()
    job.execute().wait()
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
