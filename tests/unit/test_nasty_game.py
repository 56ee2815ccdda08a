"""The nasty game through each engine: every metric is what its definition says.

Spark and Flink count the same game in tests/batch and tests/realtime.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import duckdb_nights
import nasty_engines
import nasty_game
import nasty_truth
import player_state.projection
import pytest
import reference
from batch_analytics import kept
from batch_analytics.kept import PAYLOAD
from moto import mock_aws
from nasty_game import GAME, Sent
from nasty_truth import Answer, alike
from telemetry import environment, metric_model
from telemetry.store import Store, Tables

LATENESS = timedelta(seconds=60)


@pytest.fixture(scope="module")
def sent() -> list[Sent]:
    return nasty_game.sent()


@pytest.fixture(scope="module")
def world(sent: list[Sent]) -> Iterator[Any]:
    """Yield what the processor writes of the game, with the tables of DynamoDB in memory."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for table in nasty_engines.TABLES:
            patch.setenv(f"{table.upper()}_TABLE", table)
        nasty_engines.tables()
        yield nasty_engines.processed(sent, boto3.client("dynamodb"))


def live(world: Any, sent: list[Sent]) -> Answer:
    """Return what the live counters say."""
    dynamodb = boto3.client("dynamodb")
    for table in ("players", "game_days"):
        keys = [
            key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
        ]
        for item in dynamodb.scan(TableName=table)["Items"]:
            dynamodb.delete_item(TableName=table, Key={key: item[key] for key in keys})
    nasty_engines.count_live(world)
    days = nasty_engines.live_days()
    said = nasty_engines.read_live(Store(dynamodb, environment.parse(Tables)), days)
    shown = {str(day) for day in days}
    true = {key: value for key, value in nasty_truth.live(sent).items() if key[1][:10] in shown}
    return Answer(said, true)


def gold(world: Any, sent: list[Sent]) -> Answer:
    """Return what the job's SQL makes of bronze, night by night."""
    store, added = duckdb_nights.DuckDB(), set[str]()
    arrivals: dict[date, list[dict[str, Any]]] = {}
    for event in nasty_truth.happened(sent):
        arrivals.setdefault(event["received"].date(), []).append(event)
    lines = world.lines("bronze")
    for number, night in enumerate(sorted(arrivals), start=1):
        new = [line for line in lines if line["received_at"][:10] == str(night)]
        for line in new:
            row = silver(line) | {"added_ms": 1000 * number}
            marks = ", ".join("?" * len(row))
            store.database.execute(
                f"INSERT INTO lake.silver ({', '.join(row)}) VALUES ({marks})", list(row.values())
            )
            added.add(line["event_id"])
        run = kept.Night(store, f"run-{number}", lambda words: None)
        for table, change in run.changes([GAME]):
            store.change(table, change)
        run.end()
        kept.published(store, run.run_id, [GAME])
    assert added == {event["id"] for event in nasty_truth.happened(sent)}
    rows = {}
    for table in kept.GOLD:
        found = store.database.execute(f"SELECT * FROM lake.{table}")
        names = [column[0] for column in found.description or ()]
        rows[table] = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return Answer(nasty_engines.read_gold(rows), nasty_engines.true_gold(sent))


def silver(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line of bronze as gold reads it of silver."""
    own = ("event_id", "event_type", "game_id", "player_id", "session_id", "event_date", "verified")
    named = {name: line[name] or "unknown" for name in ("platform", "country", "app_version")}
    moment = date.fromisoformat(line["received_at"][:10])
    payload = {name: line["payload"].get(name) for name in PAYLOAD}
    at_ms = player_state.projection.milliseconds(line["corrected_time"])
    return {name: line[name] for name in own} | named | payload | {"arrival_date": moment, "at_ms": at_ms}


def windows(world: Any, sent: list[Sent], directory: Path) -> Answer:
    """Return what the judge of the stream job says, by DuckDB over the enriched stream."""
    shard = [json.loads(data) for _, data in world.taken["enriched"]]
    timely, _ = reference.timely([shard], LATENESS)
    path = reference.write(timely, directory / "events.ndjson")
    said = nasty_engines.read_windows(reference.windows(reference.load(path)))
    return Answer(said, nasty_truth.window_of(sent, timely))


@pytest.fixture(scope="module")
def answers(world: Any, sent: list[Sent], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """Return what each engine says."""
    directory = tmp_path_factory.mktemp("nasty")
    return {
        "live": live(world, sent),
        "history": gold(world, sent),
        "window": windows(world, sent, directory),
    }


def of_gold() -> set[str]:
    """Return the metrics that gold tables hold."""
    tables = metric_model.tables().values()
    return {name for table in tables for name in table.types if name not in table.grain}


METRICS = {"live": set(metric_model.live()), "history": of_gold(), "window": set(metric_model.window())}


@pytest.mark.parametrize("engine", METRICS)
def test_every_metric_is_what_its_definition_says(answers: dict[str, Answer], engine: str) -> None:
    assert answers[engine].differing() == {}
    assert answers[engine].names() == METRICS[engine]


@pytest.mark.parametrize("engine", METRICS)
def test_a_wrong_figure_of_any_metric_is_found(answers: dict[str, Answer], engine: str) -> None:
    said, true = answers[engine]
    for name in METRICS[engine]:
        key = next(key for key in said if key[0] == name)
        assert set(Answer(said | {key: said[key] + 1}, true).differing()) == {key}
        assert set(Answer({k: v for k, v in said.items() if k != key}, true).differing()) == {key}


LIVE_MISTAKES = [("PAUSE_MS", 30 * 60 * 1000 - 1), ("CONCURRENT_MINUTES", 4)]


@pytest.mark.parametrize(("name", "wrong"), LIVE_MISTAKES)
def test_a_mistake_of_the_live_counters_is_found(
    world: Any, sent: list[Sent], name: str, wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player_state.projection, name, wrong)
    assert live(world, sent).differing()


GOLD_MISTAKES = [
    ("kept/kept_currencies", "'ad_impression'", "'no_impression'"),
    ("gold/_views", "> 1800000", ">= 1800000"),
    ("gold/_views", "WHERE played > 0", "WHERE TRUE"),
    ("gold/_views", "ORDER BY verified DESC, at_ms, event_id", "ORDER BY at_ms, event_id"),
    (
        "gold/_views",
        "ORDER BY verified DESC, at_ms, event_id",
        "ORDER BY verified DESC, at_ms DESC, event_id",
    ),
    ("gold/stability", "CONCAT(player_id, ' ', session_id)", "session_id"),
    ("kept/kept_presence", "AND NOT fatal", "AND TRUE"),
]


@pytest.mark.parametrize(("file", "right", "wrong"), GOLD_MISTAKES)
def test_a_mistake_of_gold_is_found(
    world: Any, sent: list[Sent], file: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = kept.sql
    assert right in read(file)
    monkeypatch.setattr(
        kept, "sql", lambda name: read(name).replace(right, wrong) if name == file else read(name)
    )
    assert gold(world, sent).differing()


# Two players who report one transaction are known to be two only where all purchases are compared.
OF_TRANSACTIONS = {"purchases", "payers", "payer_conversion", "currency_payers"}


def test_live_and_history_agree_where_a_metric_has_one_name(answers: dict[str, Answer]) -> None:
    compared, differing = set(), set()
    for key, value in answers["live"].said.items():
        if key[0] in nasty_engines.shared():
            other = nasty_engines.in_gold(key, answers["history"].said)
            if other is not None:
                compared.add(key[0])
                if not alike(other, value):
                    differing.add(key[:2])
    assert compared == set(nasty_engines.shared())
    assert differing == {(name, f"{nasty_game.FAMILY_DAY:%Y-%m-%d}") for name in OF_TRANSACTIONS}
