"""Run the Flink job over files once and print the CPU seconds of planning and running; runs in .venv-flink.

windows.py DIRECTORY OUTPUT [OPTION=VALUE...]: a directory of NDJSON files, one a task and each in order of
time; the directory that takes the windows; options of Flink.
"""

import os
import re
import sys
from pathlib import Path

from realtime_analytics import job, statements
from realtime_analytics.settings import parse

JSON = {"format": "json", "json.timestamp-format.standard": "ISO-8601"}


def main() -> None:
    """Run the job from files to files."""
    source, output, *options = sys.argv[1:]
    tasks = len(list(Path(source).glob("*.ndjson")))
    Path(output).mkdir(parents=True)

    def adapt(statement: str) -> str:
        """Return the statement with files in place of streams, and one tick in place of the clock."""
        if "TABLE `enriched`" in statement:
            connector = {"connector": "filesystem", "path": Path(source).as_uri(), **JSON}
        elif "TABLE ticks" in statement:
            connector = {"connector": "datagen", "number-of-rows": "1"}
        elif table := re.search(r"TABLE (metrics|raised) ", statement):
            connector = {"connector": "filesystem", "path": (Path(output) / table[1]).as_uri(), **JSON}
        else:
            return statement
        text = statement.replace("PARTITIONED BY (`game_id`) ", "")
        return re.sub(
            r"WITH \(\n.*\n\)", f"WITH (\n{statements.options(connector)}\n)", text, flags=re.DOTALL
        )

    groups = {
        "streams": {"enriched.arn": "arn", "metrics.arn": "arn", "region": "eu-west-1"},
        "flink": {
            "parallelism.default": str(tasks),
            "taskmanager.memory.managed.size": "1 gb",
            # The service stores state there, whatever the job asks for.
            "state.backend.type": "rocksdb",
            "io.tmp.dirs": output,
            "state.backend.rocksdb.log.dir": output,
            **dict(option.split("=", 1) for option in options),
        },
    }
    job.statements = lambda settings: map(adapt, statements.statements(settings))
    inserts = job.build(parse(groups))
    began = java_seconds()
    running = inserts.execute()
    planned = java_seconds()
    running.wait()
    print(planned - began, java_seconds() - planned)


def java_seconds() -> float:
    """Return the CPU seconds of the Java machine that PyFlink started."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, values = stat.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        fields = values.split()
        if name == "java" and int(fields[1]) == os.getpid():
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


if __name__ == "__main__":
    main()
