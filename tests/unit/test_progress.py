"""A wait lasts as long as something moves, and says what it waited for where nothing does."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tools import progress
from tools.background import Background
from tools.progress import Stuck, wait_for

# Far shorter than the work below, and longer than a scheduler's pause.
STILL = 1.0


def never() -> None:
    """Stand for what does not come."""


@pytest.fixture
def start() -> Iterator[object]:
    """Start Python programs; kill them afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def run(program: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", program]))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def test_the_first_true_answer_is_returned() -> None:
    answers = iter([None, 0, "here"])
    assert wait_for("an answer", lambda: next(answers), pause_seconds=0) == "here"


def test_a_value_that_changes_is_progress() -> None:
    steps = iter(range(100))
    seen: list[int] = []

    def value() -> int:
        seen.append(next(steps))
        return seen[-1]

    assert wait_for(
        "15 steps", lambda: len(seen) > 15, value=value, still_seconds=STILL, pause_seconds=STILL / 5
    )


def test_a_log_that_grows_is_progress(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def grow() -> bool:
        with log.open("a") as file:
            file.write("a line\n")
        return log.stat().st_size > 15 * 7

    assert wait_for("15 lines", grow, log=log, still_seconds=STILL, pause_seconds=STILL / 5)


def test_a_process_that_computes_is_progress(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = tmp_path / "done"
    program = f"""
import pathlib, time
while time.process_time() < {2 * STILL}: pass
pathlib.Path({str(done)!r}).touch()
time.sleep(60)
"""
    assert wait_for("the end of the work", done.exists, process=start(program), still_seconds=STILL)


def test_a_process_that_idles_is_none(start) -> None:  # type: ignore[no-untyped-def]
    polls = start("import time\nwhile True: time.sleep(1)")
    began = time.monotonic()
    with pytest.raises(Stuck, match=r"^the day: waited \d+ s, and nothing moved for \d+ s\.$"):
        wait_for("the day", never, process=polls, still_seconds=2 * STILL)
    assert time.monotonic() - began >= 2 * STILL


def test_a_process_that_ends_is_told_at_once_with_its_log(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    with pytest.raises(Stuck) as told:
        wait_for("the start", never, process=start("exit(3)"), log=log, advice="Install Java.")
    text = str(told.value)
    assert text.startswith("the start: its process ended with status 3.\nInstall Java.\n")
    assert f"Log: {log}\nline 80\n" in text
    assert text.endswith("line 99")


def test_an_answer_of_a_process_that_has_ended_counts(start) -> None:  # type: ignore[no-untyped-def]
    ended = start("")
    ended.wait()
    assert wait_for("its answer", lambda: "42", process=ended) == "42"


def test_progress_that_leads_nowhere_ends() -> None:
    with pytest.raises(Stuck, match="it still works, but it takes too long"):
        wait_for("the end", never, value=time.monotonic, longest_seconds=0.5, pause_seconds=0.05)


def test_a_look_that_takes_long_is_not_stillness() -> None:
    looks: list[float] = []

    def look() -> bool:
        time.sleep(0.2)
        looks.append(0)
        return len(looks) == 6

    assert wait_for("six slow looks", look, still_seconds=0.5, pause_seconds=0)


def test_work_counts_anew_once_a_descendant_has_ended() -> None:
    used = iter([100.0, *range(100)])
    looks = iter([False] * 10 + [True])
    assert wait_for(
        "the work", lambda: next(looks), work=lambda: next(used), still_seconds=0.5, pause_seconds=0.1
    )


def test_what_descendants_compute_counts_too(start) -> None:  # type: ignore[no-untyped-def]
    child = "import time\nwhile time.process_time() < 0.5: pass\ntime.sleep(60)"
    parent = start(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])")
    assert wait_for("the child's work", lambda: progress.cpu_seconds(parent.pid, itself=False) > 0.4)


def test_a_background_process_may_take_long_to_finish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STILL_SECONDS", STILL)
    program = f"""
import signal, sys, time
def end(*_):
    while time.process_time() < {2 * STILL}: pass
    print("saved", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""
    background = Background(tmp_path)
    child = background.start("-c", program)
    wait_for("its start", lambda: "ready" in background.log.read_text(), process=child)
    background.finish("its end")
    assert "saved" in background.log.read_text()
    assert background.process() is None


def test_a_background_process_that_ignores_the_end_is_killed_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STILL_SECONDS", STILL)
    ignores = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)"
    background = Background(tmp_path)
    child = background.start("-c", f"{ignores}\ntime.sleep(60)")
    wait_for("its start", lambda: "ready" in background.log.read_text(), process=child)
    with pytest.raises(Stuck, match="its end: waited"):
        background.finish("its end")
    assert not psutil.pid_exists(child.pid)
    assert background.process() is None
