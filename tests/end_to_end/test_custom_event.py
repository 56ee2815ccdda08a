"""A custom event has figures the day it is first sent: live ones, then those of gold, without any SQL."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import boto3
import orjson
import pytest
from telemetry.enrichment import timestamp
from tools import batch, games, gold, jars
from tools.engine import EngineMissing
from tools.progress import wait_for

pytestmark = pytest.mark.integration
GAME = "first-day"
ALL = {"country": "*", "app_version": "*", "custom_1": "*", "custom_2": "*"}
# Nobody knew these names before: who sends them, where, how many days ago, and their values.
SENT = [
    ("ann", "ios", 0, "boss:dragon:fire:hard:killed", 12.5),
    ("ann", "ios", 0, "boss:dragon:fire:hard:killed", 0.25),
    ("ann", "android", 0, "boss:dragon:fire:hard:killed", None),
    ("bob", "android", 0, "boss:dragon:ice", -3),
    ("bob", "android", 1, "boss:giant", 7),
    ("cat", "ios", 1, "boss:giant", 1),
    ("cat", "ios", 0, "shop", None),
]
Sent = tuple[str, str, int, str, float | None]
Figures = dict[str, tuple[int, int | None, float | None, float | None]]


def figures(events: list[Sent], depth: int) -> Figures:
    """Return events, players, sum and mean of values by the first parts of the name."""
    by_name: dict[str, list[Sent]] = defaultdict(list)
    for one in events:
        parts = one[3].split(":")
        if len(parts) >= depth:
            by_name[":".join(parts[:depth])].append(one)
    found: Figures = {}
    for name, same in by_name.items():
        values = [one[4] for one in same if one[4] is not None]
        mean = sum(values) / len(values) if values else None
        found[name] = len(same), len({one[0] for one in same}), sum(values), mean
    return found


@pytest.fixture(scope="module")
def sent(applied: Any) -> date:
    """Send the events by the REST API; return the day that counts as today."""
    table = boto3.resource("dynamodb").Table(applied.platform.outputs["tables"]["games"])
    key, now = games.add_game(table, GAME, "First day"), datetime.now(UTC)
    lines = [
        applied.event(
            "design",
            game_id=GAME,
            player_id=player,
            session_id=str(uuid4()),
            sequence=number,
            event_time=timestamp(now - timedelta(days=days_ago)),
            client={"platform": platform, "app_version": "1.0.0"},
            payload={"name": name} | ({} if value is None else {"value": value}),
        )
        for number, (player, platform, days_ago, name, value) in enumerate(SENT)
    ]
    answer = applied.post(orjson.dumps(lines), key)
    assert answer.json()["accepted"] == len(SENT), answer.text
    return now.date()


def slices(today: date) -> Iterator[tuple[date, str, int, list[Sent]]]:
    """Yield each day, platform and depth, with the events that count there."""
    for days_ago, platform, depth in product((0, 1), ("*", "ios", "android"), range(1, 6)):
        of_slice = [one for one in SENT if one[2] == days_ago and platform in ("*", one[1])]
        yield today - timedelta(days_ago), platform, depth, of_slice


def test_the_api_has_its_figures_seconds_later(applied: Any, sent: date) -> None:
    read = applied.platform.read
    path = f"/v1/games/{GAME}/design"
    span = {"from": str(sent - timedelta(1)), "to": str(sent)}
    wait_for(
        "the design events",
        lambda: read(path, **span)["totals"]["design_events"] == len(SENT),
        value=lambda: str(read(path, **span)["totals"]),
    )
    for day, platform, depth, events in slices(sent):
        if platform == "*":
            answer = read(path, depth=depth, **{"from": str(day), "to": str(day)})
            found = {
                row["name"]: (row["design_events"], row["value_sum"], row["value_mean"])
                for row in answer["names"]
            }
            expected = {
                name: (n, total, mean) for name, (n, _, total, mean) in figures(events, depth).items()
            }
            assert found == expected


def test_gold_has_players_too_for_any_day_and_slice(
    applied: Any, sent: date, tmp_path_factory: pytest.TempPathFactory
) -> None:
    try:
        batch.install()
    except (EngineMissing, jars.JarsMissing) as missing:
        pytest.skip(str(missing))
    outputs = applied.platform.outputs
    batch.compute(outputs, *batch.hours(outputs["lake_bucket"]), tmp_path_factory.mktemp("spark") / "log")
    gold.use(outputs, local=True)
    for day, platform, depth, events in slices(sent):
        rows = gold.table("design", GAME, event_date=day, platform=platform, depth=str(depth), **ALL)
        found = {
            row["name"]: (row["design_events"], row["players"], row["value_sum"], row["value_mean"])
            for row in rows.astype(object).where(rows.notna(), None).to_dict("records")
        }
        assert found == figures(events, depth), (day, platform, depth)
