"""A simulated game, played twice: every figure of the platform is what was sent."""

import boto3
import pytest
from tools import games
from tools.simulate import Platform, play

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("game_id", ["moon-race", "moon-race-2"])
def test_every_figure_is_what_the_simulator_sent(applied, game_id: str) -> None:
    platform: Platform = applied.platform
    table = boto3.resource("dynamodb").Table(platform.outputs["tables"]["games"])
    key = games.add_game(table, game_id, "Moon Race")
    play(platform, game_id, key, players=80, days=3, seed=7)
