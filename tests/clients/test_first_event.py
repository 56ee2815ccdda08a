"""From the package of each client to the first event seen, with nothing but what the READMEs name."""

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import quick_starts
from tools import REPOSITORY
from tools.emulator import free_port
from tools.progress import STILL_SECONDS

# What a page promises, less what a person takes to read it.
SECONDS = 300


@pytest.fixture(scope="module")
def micro() -> Iterator[tuple[str, str]]:
    """The URL and the key that `scripts/micro` prints."""
    command = [str(REPOSITORY / "scripts" / "micro"), "--port", str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        printed = "".join(process.stdout.readline() for _ in range(3))
        url = re.search(r"POST (http://\S+)/v1/events", printed)
        key = re.search(r"x-api-key +(\S+)", printed)
        assert url, printed
        assert key, printed
        yield url[1], key[1]
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=STILL_SECONDS)


@pytest.mark.parametrize("client", quick_starts.CLIENTS)
def test_the_first_event_is_seen_within_minutes(micro: tuple[str, str], client: str, tmp_path: Path) -> None:
    url, key = micro
    httpx.post(f"{url}/micro/reset", timeout=STILL_SECONDS)
    began = time.monotonic()
    patient = quick_starts.patient(client, STILL_SECONDS)
    answer = quick_starts.run(client, url, key, tmp_path, patient)
    assert (answer.returncode, answer.stderr) == (0, "")
    seen = httpx.get(f"{url}/micro/good", timeout=STILL_SECONDS).json()
    assert [line["event_type"] for line in seen] == ["session_start", "score_submitted", "session_end"]
    assert {line["player_id"] for line in seen} == {"p-42"}
    assert time.monotonic() - began < SECONDS
