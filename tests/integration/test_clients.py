"""The quick start of each client against the emulated platform, from the REST API to the metrics API."""

from pathlib import Path
from typing import Any

import pytest
import quick_starts
from steps import eventually
from tools import games

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("client", quick_starts.CLIENTS)
def test_the_events_of_the_quick_start_are_seen(applied: Any, client: str, tmp_path: Path) -> None:
    game = f"quick-start-{client}"
    table, plan = games.registry(applied.platform.outputs)
    key = games.add_game(table, game, "Quick start", plan)
    # A busy machine may take longer for a cold start than a client waits at its end.
    assert applied.post(b"{}", key).status_code == 422
    url = applied.platform.events_url.removesuffix("/v1/events")
    answer = quick_starts.run(client, url, key, tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    # `{}` names no game, so that only events of the quick start count.
    eventually(lambda: applied.platform.read(f"/v1/games/{game}/ingestion")["accepted"] == 3)
    path = f"/v1/games/{game}/players/p-42"
    eventually(
        lambda: (seen := applied.platform.api.get(path)).is_success and seen.json()["session_starts"] == 1
    )
