"""Wait as long as there is progress. A busy machine is slow, and slowness alone is no failure."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil

from tools import CommandError

# A wait fails when nothing has moved for this long, or when it took the longest time without getting there.
STILL_SECONDS = 180.0
LONGEST_SECONDS = 1200.0
# An idle server polls and uses little CPU. A process that works uses more than this share of what it can get.
BUSY_SHARE = 0.05
LOG_TAIL_LINES = 20

Answer = TypeVar("Answer")


class Stuck(CommandError):
    """Nothing moves any more. The message says what was waited for, how long, and where to look."""


def wait_for(
    what: str,
    check: Callable[[], Answer | None],
    *,
    value: Callable[[], object] = lambda: None,
    work: Callable[[], float] = lambda: 0.0,
    process: "subprocess.Popen[bytes] | None" = None,
    log: Path | None = None,
    advice: str = "",
    still_seconds: float | None = None,
    longest_seconds: float | None = None,
    pause_seconds: float = 0.2,
) -> Answer:
    """Return the first true answer of `check`.

    Progress is a `value` that changes, a `log` that grows, or CPU seconds that `work` counts; of a
    `process` its CPU seconds count. Raises Stuck when the process ends, when there was no progress for
    `still_seconds`, or after `longest_seconds`. A look that itself takes long counts for little: whoever
    waits was held up, too.
    """
    still_limit = STILL_SECONDS if still_seconds is None else still_seconds
    longest_limit = LONGEST_SECONDS if longest_seconds is None else longest_seconds
    if process:
        pid, work = process.pid, lambda: cpu_seconds(pid)
    began = moved = last = time.monotonic()
    still = 0.0
    seen, used = (value(), _size(log)), work()

    def stuck(why: str) -> Stuck:
        hints = [advice, f"Log: {log}\n{log_tail(log)}" if log else ""]
        return Stuck("\n".join([f"{what}: {why}.", *filter(None, hints)]))

    while True:
        ended = process.poll() if process else None
        if answer := check():
            return answer
        if ended is not None:
            raise stuck(f"its process ended with status {ended}")
        now, new, spent = time.monotonic(), (value(), _size(log)), work()
        used = min(used, spent)  # what a descendant that ended had used is not counted any more
        still += min(now - last, still_limit / 10)
        if new != seen or spent - used > _busy_share() * max(now - moved, 1):
            moved, seen, used, still = now, new, spent, 0.0
        elif still >= still_limit:
            raise stuck(f"waited {now - began:.0f} s, and nothing moved for {now - moved:.0f} s")
        if now - began > longest_limit:
            raise stuck(f"waited {now - began:.0f} s; it still works, but it takes too long")
        last = now
        time.sleep(pause_seconds)


def cpu_seconds(pid: int, *, itself: bool = True) -> float:
    """Return the CPU seconds that a process and its descendants have used, or the descendants alone."""
    total = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [*([process] if itself else []), *process.children(recursive=True)]:
            with suppress(psutil.Error):
                times = one.cpu_times()
                total += times.user + times.system
    return total


def log_tail(log: Path) -> str:
    """Return the last lines of a log; nothing where there is no log."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-LOG_TAIL_LINES:])


def _busy_share() -> float:
    """Return the share of a core above which a process is busy. The share is lower on a loaded machine."""
    return BUSY_SHARE * min(1.0, (os.cpu_count() or 1) / max(os.getloadavg()[0], 1.0))


def _size(log: Path | None) -> int:
    try:
        return log.stat().st_size if log else 0
    except FileNotFoundError:
        return 0
