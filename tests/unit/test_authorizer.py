"""Authentication: live keys open their own game, and nothing else does."""

import hashlib
import hmac
from typing import Any

import boto3
import pytest
from authorizer import handler
from authorizer.identity import Unauthorized, identify
from botocore.exceptions import ClientError
from telemetry.games import GameRegistry, secret_hash
from telemetry.quotas import Quotas
from tools import games

METHOD = "arn:aws:execute-api:eu-west-1:111122223333:abc/live/POST/v1/events"


@pytest.fixture
def table(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GAMES_TABLE", "games")
    monkeypatch.setattr(handler, "registry", lambda: GameRegistry(dynamodb, "games"))
    monkeypatch.setattr(handler, "quotas", lambda: Quotas(boto3.client("dynamodb"), "quotas"))
    return dynamodb.Table("games")


@pytest.fixture
def key(table: Any) -> str:
    return games.add_game(table, "skyforge", "Skyforge")


def ask(key: str | None, application_id: str | None = None) -> dict[str, Any]:
    header = "Authorization" if application_id else "X-API-Key"
    parameters = {"application_id": application_id} if application_id else None
    event = {"headers": {header: key} if key is not None else None, "pathParameters": parameters}
    return handler.lambda_handler(event | {"methodArn": METHOD}, None)


def test_a_live_key_opens_every_method_of_the_stage(key: str) -> None:
    answer = ask(key)
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == (
        "Allow",
        "arn:aws:execute-api:eu-west-1:111122223333:abc/live/POST/*",
    )
    (kept,) = GameRegistry(boto3.resource("dynamodb"), "games").get("skyforge")["key_hashes"]  # type: ignore[index]
    assert answer["context"] == {
        "game_id": "skyforge",
        "key_id": kept["key_id"],
        "key_class": "client",
        "must_sign": "false",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "",
        "skyforge",
        "skyforge.",
        ".x",
        "skyforge.guess",
        "SKYFORGE.x",
        "nobodys.x",
        "x" * 100 + ".y",
        ".",
    ],
)
def test_anything_else_is_unauthorized_without_a_reason(key: str, wrong: str | None) -> None:
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        ask(wrong)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [("skyforge.guess", "skyforge"), ("nobodys.x", ""), ("x" * 99, ""), ("skyforge", "skyforge")],
)
def test_a_refused_key_is_logged_with_the_game_it_names(
    key: str, monkeypatch: pytest.MonkeyPatch, wrong: str, named: str
) -> None:
    logged: list[Any] = []
    monkeypatch.setattr(handler.logger, "info", lambda *given, **more: logged.append((given, more)))
    with pytest.raises(Unauthorized):
        ask(wrong)
    assert logged == [(("Key refused",), {"extra": {"game_id": named, "request_id": None}})]


def test_the_class_of_a_key_comes_with_it(table: Any, key: str) -> None:
    server = games.rotate_key(table, "skyforge", "server")
    assert [ask(one)["context"]["key_class"] for one in (key, server)] == ["client", "server"]


def test_a_key_without_a_class_is_a_client_key(table: Any) -> None:
    kept = [{"key_id": "1", "hash": secret_hash("s" * 40)}]
    table.put_item(Item={"game_id": "farm", "status": "active", "key_hashes": kept})
    assert ask("farm." + "s" * 40)["context"]["key_class"] == "client"


def test_a_key_opens_its_own_game_only(table: Any, key: str) -> None:
    games.add_game(table, "farm", "Farm")
    with pytest.raises(Unauthorized):
        ask("farm." + key.partition(".")[2])


def test_two_keys_live_at_a_time(table: Any, key: str) -> None:
    second = games.rotate_key(table, "skyforge")
    assert [ask(live)["principalId"] for live in (key, second)] == ["skyforge", "skyforge"]
    third = games.rotate_key(table, "skyforge")
    assert [ask(live)["principalId"] for live in (second, third)] == ["skyforge", "skyforge"]
    with pytest.raises(Unauthorized):
        ask(key)


def test_a_disabled_game_is_denied(table: Any, key: str) -> None:
    games.set_status(table, "skyforge", "disabled")
    assert ask(key)["policyDocument"]["Statement"][0]["Effect"] == "Deny"


def test_an_imported_key_opens_the_guidances_route_as_its_clients_send_it(table: Any, key: str) -> None:
    old = "legacy-key-of-the-old-pipeline-0123456789.with-a-dot"
    games.import_key(table, "skyforge", old)
    kept = table.get_item(Key={"game_id": "skyforge"})["Item"]["key_hashes"]
    ids = {each["hash"]: each["key_id"] for each in kept}
    for given, secret in ((old, old), (key, key.partition(".")[2])):
        known = {"game_id": "skyforge", "key_id": ids[secret_hash(secret)], "must_sign": "false"}
        known["key_class"] = "client"
        assert ask(given, "skyforge")["context"] == known
    for wrong, application in ((old, "farm"), ("guess", "skyforge"), ("", "skyforge")):
        with pytest.raises(Unauthorized):
            ask(wrong, application)


def test_a_whole_key_in_the_path_of_another_game_is_told_apart_from_a_wrong_one(table: Any, key: str) -> None:
    games.add_game(table, "farm", "Farm")
    for path in ("farm", "nobodys-game"):
        assert ask(key, path)["context"]["game_id"] == "skyforge"


def test_a_game_that_demands_signatures_need_not_send_its_secret(table: Any, key: str) -> None:
    games.demand_signatures(table, "skyforge", "required")
    for path in (None, "skyforge"):
        assert ask("skyforge", path)["context"] == {
            "game_id": "skyforge",
            "key_id": "",
            "key_class": "client",
            "must_sign": "true",
        }
    assert ask(key)["context"]["must_sign"] == "false"
    with pytest.raises(Unauthorized):
        ask("skyforge.guess")
    games.demand_signatures(table, "skyforge", "optional")
    with pytest.raises(Unauthorized):
        ask("skyforge")


def named(key: str) -> str:
    """Return what docs/adr/0007 lets a client show in place of its key."""
    game_id, _, secret = key.partition(".")
    signing_key = hashlib.sha256(secret.encode()).hexdigest().encode()
    return f"{game_id}.{hmac.new(signing_key, b'name', 'sha256').hexdigest()}"


def test_a_key_is_named_without_its_secret_and_counts_as_the_games(table: Any) -> None:
    kept = [
        {"key_id": str(n), "hash": secret_hash(each * 40), "key_class": "server"}
        for n, each in enumerate("ab")
    ]
    item = {"game_id": "farm", "status": "active", "key_hashes": kept, "signature": "required"}
    table.put_item(Item=item | {"usage_key": "u-1", "unproven_usage_key": "u-2"})
    answer = ask(named("farm." + "b" * 40))
    assert answer["usageIdentifierKey"] == "u-1"
    assert answer["context"] == {
        "game_id": "farm",
        "key_id": "1",
        "key_class": "server",
        "must_sign": "true",
    }
    boto3.client("dynamodb").put_item(TableName="quotas", Item={"quota": {"S": "farm#server"}})
    assert ask(named("farm." + "a" * 40))["policyDocument"]["Statement"][0]["Effect"] == "Deny"


@pytest.mark.parametrize("wrong", ["é", "x", "0" * 64])
def test_a_name_of_no_live_key_opens_nothing(table: Any, key: str, wrong: str) -> None:
    games.demand_signatures(table, "skyforge", "required")
    with pytest.raises(Unauthorized):
        ask(f"skyforge.{wrong}")
    games.demand_signatures(table, "skyforge", "optional")
    with pytest.raises(Unauthorized):
        ask(named(key))


def test_what_shows_no_secret_never_counts_as_the_games_usage(table: Any) -> None:
    kept = [{"key_id": "1", "hash": secret_hash("s" * 40)}]
    item = {"game_id": "farm", "status": "active", "key_hashes": kept, "signature": "required"}
    table.put_item(Item=item | {"usage_key": "u-1"})
    assert ask("farm." + "s" * 40)["usageIdentifierKey"] == "u-1"
    assert "usageIdentifierKey" not in ask("farm")


def test_what_shows_no_secret_has_a_place_of_its_own(table: Any) -> None:
    kept = [{"key_id": "1", "hash": secret_hash("s" * 40)}]
    item = {"game_id": "farm", "status": "active", "key_hashes": kept, "signature": "required"}
    table.put_item(Item=item | {"usage_key": "u-1", "unproven_usage_key": "u-2"})
    assert [ask(key)["usageIdentifierKey"] for key in ("farm." + "s" * 40, "farm")] == ["u-1", "u-2"]


def test_a_table_that_does_not_answer_is_no_wrong_key() -> None:
    class Registry:
        def get(self, game_id: str) -> None:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, "BatchGetItem")

    with pytest.raises(ClientError):
        identify("skyforge.secret", None, Registry())  # type: ignore[arg-type]
