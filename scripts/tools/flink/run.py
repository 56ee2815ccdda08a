"""Run the Flink job in a mini-cluster until SIGTERM, then stop it with a savepoint; runs in .venv-flink.

run.py PROPERTIES SAVEPOINTS: a file of property groups, and the URI of a directory.
"""

import signal
import sys
import threading
import time
from pathlib import Path

from pyflink.common import JobClient
from realtime_analytics.job import build
from realtime_analytics.settings import load

PAUSE_SECONDS = 1


def main() -> None:
    """Start the job, wait for a signal or the job's end."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    job = build(load(Path(sys.argv[1]))).execute().get_job_client()
    print(f"running {job.get_job_id()}", flush=True)
    failed = threading.Event()
    threading.Thread(target=_watch, args=(job, failed, stopped), daemon=True).start()
    stopped.wait()
    if not failed.is_set():
        print(f"savepoint {_stop(job, sys.argv[2])}", flush=True)


def _stop(job: JobClient, directory: str) -> str:
    """Stop the job with a savepoint and return its place.

    Flink refuses a savepoint until every task runs, which takes a while after a start or a restart: try
    again as long as the job lives. The process that asked for the stop ends this one when it takes too long.
    """
    printed = ""
    while True:
        try:
            return str(job.stop_with_savepoint(False, directory).result())
        except Exception as refused:
            if job.get_job_status().result().is_globally_terminal_state():
                raise
            if (reason := _reason(refused)) != printed:
                print(f"savepoint refused, trying again: {reason}", file=sys.stderr, flush=True)
                printed = reason
            time.sleep(PAUSE_SECONDS)


def _reason(error: Exception) -> str:
    """Return the last cause that a Java exception names."""
    lines = str(error).splitlines()
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return causes[-1] if causes else lines[0]


def _watch(job: JobClient, failed: threading.Event, stopped: threading.Event) -> None:
    """Say why the job ended where nobody stopped it."""
    try:
        job.get_job_execution_result().result()
    except Exception as error:
        if not stopped.is_set():
            print(f"failed: {error}", file=sys.stderr, flush=True)
            failed.set()
            stopped.set()


if __name__ == "__main__":
    main()
