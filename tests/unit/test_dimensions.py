"""Custom dimensions: what a game declares, what counts of an event, and what the API answers."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import boto3
import orjson
import pytest
from fake_aws import Streams, encode, processor, records
from fastapi.testclient import TestClient
from gold_tables import DuckGold
from privacy.data_stores import Subject, cut_event
from telemetry import metric_model
from telemetry.dimensions import MAX_VALUES, Declared
from telemetry.enrichment import enrich
from telemetry.origin import Origin
from tools import CommandError, games

MakeEvent = Callable[..., dict[str, Any]]
CAFE = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
CLASS = {
    "name": "class",
    "rule": "install",
    "values": ["mage", "rogue", CAFE],
}
SHARD = {"name": "shard", "rule": "current", "values": ["eu", "us"]}
COLUMNS = ("install_1", "custom_1", "install_2", "custom_2")


@pytest.fixture
def table(dynamodb: Any) -> Any:
    """The table of games with a game that declares nothing."""
    table = dynamodb.Table("games")
    games.add_game(table, "skyforge", "Skyforge")
    return table


def declare(table: Any, slot: int, dimension: dict[str, Any]) -> None:
    games.declare_dimension(table, "skyforge", slot, *dimension.values())


def processed(dynamodb: Any, *events: dict[str, Any]) -> Streams:
    streams = Streams()
    processor(dynamodb, boto3.client("dynamodb"), streams).process(records(*map(encode, events)))
    return streams


def counted(streams: Streams) -> list[tuple[Any, ...]]:
    return [tuple(line.get(name) for name in COLUMNS) for line in streams.lines("enriched")]


def test_values_count_as_they_are_declared(table: Any, dynamodb: Any, make_event: MakeEvent) -> None:
    declare(table, 1, CLASS)
    declare(table, 2, SHARD)
    told: list[Any] = [
        {"class": "mage", "shard": "us"},
        {"class": "Mage", "shard": "x" * 128},
        {"class": "cafe\N{COMBINING ACUTE ACCENT}"},
        {"class": "", "shard": None},
        {"guild": "night", "custom_1": "mage", "other": "mage"},
        {"class": "unknown", "shard": "*"},
        {},
    ]
    streams = processed(dynamodb, *(make_event(dimensions=one) for one in told), make_event())
    assert counted(streams) == [
        ("mage", None, None, "us"),
        ("other", None, None, "other"),
        (CAFE, None, None, "unknown"),
        ("unknown", None, None, "unknown"),
        ("unknown", None, None, "unknown"),
        ("other", None, None, "other"),
        ("unknown", None, None, "unknown"),
        ("unknown", None, None, "unknown"),
    ]
    kept = [line.get("dimensions") for line in streams.lines("enriched")]
    assert kept == [*told[:3], {}, *told[4:], None]


@pytest.mark.parametrize(
    "told", [{"class": 7}, {"class": ["mage"]}, {"Class": "mage"}, {"class": "x" * 129}, ["mage"], "mage"]
)
def test_what_is_no_dimension_is_refused_and_kept(
    table: Any, dynamodb: Any, make_event: MakeEvent, told: Any
) -> None:
    streams = processed(dynamodb, make_event(dimensions=told))
    (line,) = streams.lines("rejected")
    assert (line["reason"], line["pointer"].split("/")[1]) == ("schema_violation", "dimensions")


def test_a_game_that_declares_nothing_counts_nothing(
    table: Any, dynamodb: Any, make_event: MakeEvent
) -> None:
    streams = processed(dynamodb, make_event(dimensions={"class": "mage"}))
    assert counted(streams) == [(None,) * 4]
    assert streams.lines("enriched")[0]["dimensions"] == {"class": "mage"}


def test_an_address_is_masked_and_a_child_has_no_dimension(
    table: Any, dynamodb: Any, make_event: MakeEvent
) -> None:
    declare(table, 1, CLASS)
    child = {"analytics_storage": "granted", "age_group": "child"}
    streams = processed(
        dynamodb,
        make_event(dimensions={"class": "mage", "mail": "ann@example.com"}),
        make_event(dimensions={"class": "mage"}, privacy=child),
    )
    assert counted(streams) == [("mage", None, None, None), ("unknown", None, None, None)]
    first, second = streams.lines("enriched")
    assert "ann@example.com" not in str(first)
    assert first["masked"] is True
    assert "dimensions" not in second


def test_no_value_keeps_the_id_of_a_player(table: Any, dynamodb: Any, make_event: MakeEvent) -> None:
    raw = "ann-of-the-hills-9"
    other = make_event(dimensions={"owner": raw, "class": "mage", "long": f"{'x ' * 50}{raw}"})
    line = orjson.dumps(enrich(other, Origin(datetime.now(UTC), "rest")))
    cut = cut_event(line, Subject("skyforge", raw))
    assert cut is not None
    assert cut.kept is not None
    assert raw.encode() not in cut.kept
    assert orjson.loads(cut.kept)["dimensions"]["class"] == "mage"
    games.use_pseudonyms(table, "skyforge", "on")
    declare(table, 1, CLASS)
    streams = processed(dynamodb, make_event(player_id=raw, dimensions=other["dimensions"]))
    assert raw not in str(streams.taken)
    assert counted(streams) == [("mage", None, None, None)]
    assert all(len(value) <= 128 for value in streams.lines("enriched")[0]["dimensions"].values())


def test_a_dimension_is_declared_again_and_taken_back(table: Any) -> None:
    declare(table, 1, CLASS)
    declare(table, 2, SHARD)
    declare(table, 1, CLASS | {"values": ["elf", "elf"]})
    game = table.get_item(Key={"game_id": "skyforge"})["Item"]
    assert {slot: sorted(one.values) for slot, one in Declared.of(game).slots.items()} == {
        1: ["elf"],
        2: ["eu", "us"],
    }
    games.declare_dimension(table, "skyforge", 1, "", "current", [])
    game = table.get_item(Key={"game_id": "skyforge"})["Item"]
    assert list(Declared.of(game).slots) == [2]
    assert Declared.of(None).slots == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "Class"}, "cannot be a dimension's name"),
        ({"name": "c" * 33}, "cannot be a dimension's name"),
        ({"name": "shard"}, "the game's other dimension already"),
        ({"values": []}, "1 to 20 values, not 0"),
        ({"values": [str(n) for n in range(MAX_VALUES + 1)]}, "1 to 20 values, not 21"),
        ({"values": ["other"]}, "a meaning of its own"),
        ({"values": ["*"]}, "a meaning of its own"),
        ({"values": [""]}, "1 to 64 characters"),
        ({"values": ["x" * 65]}, "1 to 64 characters"),
        ({"values": ["a\nb"]}, "1 to 64 characters"),
    ],
)
def test_what_cannot_be_declared_is_refused(table: Any, wrong: dict[str, Any], said: str) -> None:
    declare(table, 2, SHARD)
    with pytest.raises(CommandError, match=said):
        declare(table, 1, CLASS | wrong)
    assert list(table.get_item(Key={"game_id": "skyforge"})["Item"]["dimensions"]) == ["2"]


def test_a_game_that_is_not_registered_declares_nothing(dynamodb: Any) -> None:
    with pytest.raises(CommandError, match="not registered"):
        games.declare_dimension(dynamodb.Table("games"), "nobodys", 1, "class", "current", ["mage"])


@pytest.fixture
def client(metrics_app: Any, table: Any) -> TestClient:
    """The metrics API of a game with two dimensions."""
    declare(table, 1, CLASS)
    declare(table, 2, SHARD)
    games.add_game(table, "plain", "Plain")
    return TestClient(metrics_app)


def fill(gold: DuckGold) -> None:
    types = metric_model.tables()["daily"].types
    for players, first, second in ((9, "*", "*"), (5, "mage", "*"), (4, "other", "*"), (9, "*", "eu")):
        totals = dict.fromkeys(metric_model.WITH_TOTALS, "*") | {"custom_1": first, "custom_2": second}
        row = dict.fromkeys(types, 1) | totals
        row |= {"event_date": date(2026, 1, 31), "game_id": "skyforge", "active_players": players}
        gold.fill("daily", [[row[name] for name in types]])


def test_a_dimension_is_a_slice_of_the_history(client: TestClient, gold: DuckGold) -> None:
    fill(gold)
    ask = "/v1/games/skyforge/history/daily?from=2026-01-31&to=2026-01-31&metrics=active_players"

    def answer(more: str) -> list[tuple[Any, Any]]:
        answered = client.get(ask + more)
        assert answered.status_code == 200, answered.text
        return [(row["slices"], row["figures"]["active_players"]) for row in answered.json()["rows"]]

    assert answer("") == [({}, 9)]
    assert answer("&custom_1=mage") == [({}, 5)]
    assert answer("&custom_1=*&platform=*") == [({}, 9)]
    assert answer("&by=custom_1") == [({"custom_1": "mage"}, 5), ({"custom_1": "other"}, 4)]
    assert answer("&by=custom_2") == [({"custom_2": "eu"}, 9)]
    assert answer("&by=custom_1&custom_1=mage") == [({"custom_1": "mage"}, 5)]
    for more in ("&by=custom_1,platform", "&by=custom_1&country=DE", "&custom_1=mage&custom_2=eu"):
        refused = client.get(ask + more)
        assert refused.status_code == 422
        assert "custom_1 is not told apart by" in refused.text


def test_the_tables_name_the_dimensions_that_the_game_declares(client: TestClient) -> None:
    def shown(game: str, table: str) -> list[tuple[str, str, Any]]:
        listed = client.get(f"/v1/games/{game}/history").json()["tables"]
        (one,) = (one for one in listed if one["name"] == table)
        return [
            (d["name"], d["label"], d["values"]) for d in one["dimensions"] if d["name"].startswith("custom")
        ]

    mine = [
        ("custom_1", "class", [CAFE, "mage", "rogue", "other", "unknown"]),
        ("custom_2", "shard", ["eu", "us", "other", "unknown"]),
    ]
    for table in ("daily", "revenue", "retention", "lifetime_value", "economy", "acquisition_value"):
        assert shown("skyforge", table) == mine
        assert shown("plain", table) == []
    assert shown("skyforge", "experiments") == []
