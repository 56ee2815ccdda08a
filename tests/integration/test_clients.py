"""The quick start of each client against the emulated platform, from the REST API to the metrics API."""

from pathlib import Path
from typing import Any

import pytest
import quick_starts
from tools.progress import wait_for

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("client", quick_starts.CLIENTS)
def test_the_events_of_the_quick_start_are_seen(applied: Any, client: str, tmp_path: Path) -> None:
    url = applied.platform.events_url.removesuffix("/v1/events")
    ingestion = f"/v1/games/{applied.game_id}/ingestion"

    def accepted() -> int:
        return sum(day["accepted"] for day in applied.platform.api.get(ingestion).json()["days"])

    before = accepted()
    answer = quick_starts.run(client, url, applied.key, tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    wait_for("three events more", lambda: accepted() == before + 3)
