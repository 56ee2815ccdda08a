"""Try options of the connector, or copy a stream into another one until it is killed; runs in .venv-flink.

connector_program.py JAR TABLES: the URI of the connector's jar; JSON of the options of one table, which is
copied, or of several by name, of which it prints why Flink refuses each one.
"""

import json
import sys

from pyflink.table import EnvironmentSettings, TableEnvironment

COLUMNS = "(`shard` STRING, `number` BIGINT)"


def main() -> None:
    """Do what the arguments say."""
    jar, given = sys.argv[1], json.loads(sys.argv[2])
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for key, value in {"pipeline.jars": jar, "parallelism.default": "1"}.items():
        environment.get_config().set(key, value)
    if "connector" in given:
        copy(environment, given)
    else:
        print(json.dumps({name: refusal(environment, options) for name, options in given.items()}))


def refusal(environment: TableEnvironment, options: dict[str, str]) -> str:
    """Return why a table with these options cannot be read, or nothing."""
    environment.execute_sql("DROP TEMPORARY TABLE IF EXISTS tried")
    try:
        environment.execute_sql(f"CREATE TEMPORARY TABLE tried {COLUMNS} WITH ({with_options(options)})")
        environment.sql_query("SELECT * FROM tried").explain()
    except Exception as error:
        causes = [line for line in str(error).splitlines() if "ValidationException" in line]
        return (causes or [str(error)])[-1]
    return ""


def copy(environment: TableEnvironment, options: dict[str, str]) -> None:
    """Copy a table into one that differs by its name alone."""
    environment.execute_sql(f"CREATE TEMPORARY TABLE enriched {COLUMNS} WITH ({with_options(options)})")
    sink = {key: value for key, value in options.items() if not key.startswith("source.")}
    environment.execute_sql(
        f"CREATE TEMPORARY TABLE copied {COLUMNS} PARTITIONED BY (`shard`) WITH ({with_options(sink)})"
    )
    environment.execute_sql("INSERT INTO copied SELECT * FROM enriched").wait()


def with_options(options: dict[str, str]) -> str:
    """Return the options of a WITH clause."""
    return ", ".join("'{}' = '{}'".format(key, value.replace("'", "''")) for key, value in options.items())


if __name__ == "__main__":
    main()
