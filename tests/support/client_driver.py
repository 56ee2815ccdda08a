"""A game that uses the Python client as the JSON in its argument says; prints what the client counted."""

import json
import resource
import sys
import time
from typing import Any

from player_analytics import Client, Settings


def main(task: dict[str, Any]) -> None:
    """Play `events` events of some players in turn; print a line whenever events are safe on disk."""
    problems: list[str] = []
    clock_off = task.get("clock_off_seconds", 0)
    settings = Settings(
        on_problem=problems.append,
        clock=lambda: time.time() + clock_off,
        heartbeat_seconds=0,
        **task["settings"],
    )
    client = Client(task["url"], task["key"], {"platform": "linux", "app_version": "1.4.2"}, settings)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sessions = [client.start_session(f"p-{n}") for n in range(task["players"] if task["events"] else 0)]
    padding = {"padding": "x" * 250} | {f"padding_{n}": "x" * 250 for n in range(task.get("padding", 0))}
    for number in range(task["events"]):
        session = sessions[number % len(sessions)]
        session.track("design", {"name": task.get("name", "test:event"), "value": number, "extra": padding})
        if number == task.get("flushes_after"):
            client.flush(task["flush_seconds"])
        if number % 10 == 9 and task.get("tells_stored"):
            if client.pause(timeout=300):
                print(f"stored {number}", flush=True)
            client.resume()
    if task.get("exits"):
        sys.exit()
    is_empty = client.flush(task["flush_seconds"])
    client.close(task.get("close_seconds", 2.0))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    counted = {name: getattr(client.stats, name) for name in client.stats.__dataclass_fields__}
    print(
        json.dumps(
            {"stats": counted, "is_empty": is_empty, "problems": problems, "grown_bytes": grown * 1024}
        )
    )


main(json.loads(sys.argv[1]))
