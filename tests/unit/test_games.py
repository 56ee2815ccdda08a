"""Games get keys; the table never holds one."""

from typing import Any

import pytest
from telemetry.games import matches, secret_hash
from tools import CommandError, games


@pytest.fixture
def table(dynamodb: Any) -> Any:
    return dynamodb.Table("games")


def _game(table: Any) -> dict[str, Any]:
    item: dict[str, Any] = table.get_item(Key={"game_id": "space-race"})["Item"]
    return item


def _secret(key: str) -> str:
    return key.partition(".")[2]


def test_key_is_returned_and_only_its_hash_is_kept(table: Any) -> None:
    key = games.add_game(table, "space-race", "Space Race")
    game = _game(table)
    assert key.startswith("space-race.")
    assert len(_secret(key)) == 43
    assert (game["name"], game["status"]) == ("Space Race", "active")
    assert [kept["hash"] for kept in game["key_hashes"]] == [secret_hash(_secret(key))]
    assert set(game["key_hashes"][0]) == {"hash", "created_at", "key_id"}
    assert _secret(key) not in str(game)


@pytest.mark.parametrize(
    "game_id", ["", "a", "Space", "-space", "space_race", "a" * 64, "space\n", "unknown"]
)
def test_malformed_and_reserved_ids_are_refused(table: Any, game_id: str) -> None:
    with pytest.raises(CommandError, match="cannot be a game's id"):
        games.add_game(table, game_id, "Space Race")


def test_registered_game_keeps_its_key(table: Any) -> None:
    key = games.add_game(table, "space-race", "Space Race")
    with pytest.raises(CommandError, match="space-race is registered already"):
        games.add_game(table, "space-race", "Another")
    assert matches(_game(table), _secret(key))


def test_rotation_keeps_the_key_before_for_one_more_round(table: Any) -> None:
    first = games.add_game(table, "space-race", "Space Race")
    second = games.rotate_key(table, "space-race")
    assert [matches(_game(table), _secret(key)) for key in (first, second)] == [True, True]
    third = games.rotate_key(table, "space-race")
    assert [matches(_game(table), _secret(key)) for key in (first, second, third)] == [False, True, True]


def test_rotation_notices_another_one(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    games.add_game(table, "space-race", "Space Race")
    before = _game(table)
    games.rotate_key(table, "space-race")
    monkeypatch.setattr(games, "_get", lambda *_: before)
    with pytest.raises(CommandError, match="changed meanwhile"):
        games.rotate_key(table, "space-race")


def test_game_is_disabled_and_enabled(table: Any) -> None:
    games.add_game(table, "space-race", "Space Race")
    games.set_status(table, "space-race", "disabled")
    assert _game(table)["status"] == "disabled"
    games.set_status(table, "space-race", "active")
    assert _game(table)["status"] == "active"


def test_unregistered_game_is_told(table: Any) -> None:
    with pytest.raises(CommandError, match="space-race is not registered"):
        games.rotate_key(table, "space-race")
    with pytest.raises(CommandError, match="space-race is not registered"):
        games.set_status(table, "space-race", "disabled")
    assert "Item" not in table.get_item(Key={"game_id": "space-race"})


def test_games_are_listed_by_id(table: Any) -> None:
    for game_id in ("space-race", "farm"):
        games.add_game(table, game_id, game_id.title())
    assert [game["game_id"] for game in games.list_games(table)] == ["farm", "space-race"]
