"""A short load by REST API and stream: every event sent is accepted, rejected or was reported back."""

from typing import Any

import boto3
import pytest
from tools import games, load

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("shape", ["spike", "hot"])
def test_no_event_of_a_load_is_lost(applied: Any, shape: str) -> None:
    game_id = f"load-{shape}"
    table = boto3.resource("dynamodb").Table(applied.platform.outputs["tables"]["games"])
    key = games.add_game(table, game_id, "Load")
    result = load.play(applied.platform, game_id, key, shape, rate=60, seconds=5)
    assert result.is_exact
    assert result.accepted > 200
    assert result.rejected > 0
