"""Run the Flink job in a mini-cluster until SIGTERM, then stop it with a savepoint; runs in .venv-flink.

run.py PROPERTIES SAVEPOINTS: a file of property groups, and the URI of a directory.
"""

import signal
import sys
import threading
from pathlib import Path

from pyflink.common import JobClient
from realtime_analytics.job import build
from realtime_analytics.settings import load


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
        print(f"savepoint {job.stop_with_savepoint(False, sys.argv[2]).result()}", flush=True)


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
