"""A simulated game, played twice: every figure of the platform is what was sent."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from tools import CommandError, batch, games, gold, history, jars, simulate, simulation
from tools.engine import EngineMissing
from tools.simulate import Platform, play

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("game_id", ["moon-race", "moon-race-2"])
def test_every_figure_is_what_the_simulator_sent(applied: Any, game_id: str) -> None:
    platform: Platform = applied.platform
    table = boto3.resource("dynamodb").Table(platform.outputs["tables"]["games"])
    key = games.add_game(table, game_id, "Moon Race")
    play(platform, game_id, key, players=80, days=3, seed=7)


def test_the_lakes_history_is_what_the_simulator_sent(
    applied: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    try:
        batch.install()
    except (EngineMissing, jars.JarsMissing) as missing:
        pytest.skip(str(missing))
    table = boto3.resource("dynamodb").Table(applied.platform.outputs["tables"]["games"])
    key = games.add_game(table, "moon-race-4", "Moon Race")
    simulate.declare(table, "moon-race-4")
    truth = play(applied.platform, "moon-race-4", key, players=60, days=3, seed=9)
    outputs = applied.platform.outputs
    log = tmp_path_factory.mktemp("spark") / "log"
    batch.compute(outputs, *batch.hours(outputs["lake_bucket"]), log)
    gold.use(outputs, local=True)
    assert history.figures("moon-race-4", truth.costs) == history.expected_figures(
        truth, datetime.now(UTC).date()
    )
    first, last = min(one.day for one in truth.costs), max(one.day for one in truth.costs)
    answer = applied.platform.read(f"/v1/games/moon-race-4/ad-spend?from={first}&to={last}")
    told: dict[str, float] = {}
    for row in answer["rows"]:
        name = f"{row['install_source']} {row['currency']}"
        told |= {f"{name} players": row["cohort_players"]}
        told |= {f"{name} {day}": share for day, share in row["returns"].items() if share is not None}
    assert told == pytest.approx(truth.returned(datetime.now(UTC).date()))


def test_a_difference_is_an_error(applied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(*arguments: Any) -> Any:
        sessions, truth = simulation.simulate(*arguments)
        truth.revenue["EUR"] += 1
        return sessions, truth

    monkeypatch.setattr(simulate, "simulate", lie)
    monkeypatch.setattr(simulate, "SETTLE_SECONDS", 10)
    table = boto3.resource("dynamodb").Table(applied.platform.outputs["tables"]["games"])
    key = games.add_game(table, "moon-race-3", "Moon Race")
    with pytest.raises(CommandError, match=r"differ: revenue in minor units$"):
        play(applied.platform, "moon-race-3", key, players=10, days=2, seed=7)
