"""Games get keys; the table never holds one."""

from argparse import ArgumentTypeError
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from telemetry.games import live_key, secret_hash
from telemetry.key_classes import ClientLimits
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
    assert set(game["key_hashes"][0]) == {"hash", "created_at", "key_id", "key_class"}
    assert _secret(key) not in str(game)


def test_intended_shares_are_kept_by_experiment(table: Any) -> None:
    games.add_game(table, "space-race", "Space Race")
    assert games.shares_of(table, "space-race") == {}
    games.share_variants(table, "space-race", "gate", {"control": 9, "new": 1})
    games.share_variants(table, "space-race", "shop", {"a": 1, "b": 1, "c": 2})
    games.share_variants(table, "space-race", "gate", {"control": 8, "new": 2})
    assert games.shares_of(table, "space-race") == {
        "gate": {"control": 8, "new": 2},
        "shop": {"a": 1, "b": 1, "c": 2},
    }
    games.share_variants(table, "space-race", "gate", {})
    assert games.shares_of(table, "space-race") == {"shop": {"a": 1, "b": 1, "c": 2}}


@pytest.mark.parametrize(
    ("experiment", "shares", "message"),
    [
        ("a:b", {"x": 1, "y": 1}, "'a:b' cannot be the name of experiment"),
        ("e" * 65, {"x": 1, "y": 1}, "cannot be the name of experiment"),
        ("gate\n", {"x": 1, "y": 1}, "cannot be the name of experiment"),
        ("gate", {"x": 1, "": 1}, "'' cannot be the name of variant"),
        ("gate", {"x": 1}, "1 variants are named: give the shares of 2 to 10"),
        ("gate", {f"v{n}": 1 for n in range(11)}, "11 variants are named"),
    ],
)
def test_shares_that_no_experiment_has_are_refused(
    table: Any, experiment: str, shares: dict[str, int], message: str
) -> None:
    games.add_game(table, "space-race", "Space Race")
    with pytest.raises(CommandError, match=message):
        games.share_variants(table, "space-race", experiment, shares)
    assert "experiment_shares" not in _game(table)


def test_shares_have_a_bound_and_a_registered_game(table: Any) -> None:
    games.add_game(table, "space-race", "Space Race")
    for number in range(games.MAX_EXPERIMENTS):
        games.share_variants(table, "space-race", f"e{number:02}", {"a": 1, "b": 1})
    games.share_variants(table, "space-race", "e07", {"a": 2, "b": 1})
    with pytest.raises(CommandError, match="`scripts/games shares space-race e00`"):
        games.share_variants(table, "space-race", "more", {"a": 1, "b": 1})
    with pytest.raises(CommandError, match="nosuch is not registered"):
        games.share_variants(table, "nosuch", "gate", {"a": 1, "b": 1})


@pytest.mark.parametrize("text", ["x", "x=", "x=0", "x=-1", "x=1.5", "x=2000000", "x=\u0663"])
def test_a_share_is_a_whole_number(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="VARIANT=N"):
        games._share(text)
    assert games._share("gate=3") == ("gate", 3)
    with pytest.raises(CommandError, match="gate has two shares"):
        games._shares_once([("gate", 3), ("b", 1), ("gate", 4)])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["https://play.example.com"], ["https://play.example.com"]),
        (["HTTPS://Play.Example.com/", "https://play.example.com:443"], ["https://play.example.com"]),
        (
            ["https://bücher.example", "http://localhost:8080"],
            ["http://localhost:8080", "https://xn--bcher-kva.example"],
        ),
        (["http://127.0.0.1:80"], ["http://127.0.0.1"]),
        (["*"], ["*"]),
        ([], []),
    ],
)
def test_origins_are_kept_as_browsers_send_them(table: Any, given: list[str], kept: list[str]) -> None:
    games.add_game(table, "space-race", "Space Race")
    games.allow_origins(table, "space-race", given)
    assert _game(table)["origins"] == kept


@pytest.mark.parametrize(
    "origin",
    [
        *("", "null", "example.com", "ftp://a.b", "https://", "https://a.b/game", "https://a.b?x"),
        *("https://u@a.b", "https://a b", "https://a.b:port", "https://*.example.com", "https://a..b"),
    ],
)
def test_what_is_no_origin_is_refused(table: Any, origin: str) -> None:
    games.add_game(table, "space-race", "Space Race")
    with pytest.raises(CommandError, match="is no origin"):
        games.allow_origins(table, "space-race", [origin])
    assert "origins" not in _game(table)


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
    assert live_key(_game(table), _secret(key))


def test_rotation_keeps_the_key_before_for_one_more_round(table: Any) -> None:
    first = games.add_game(table, "space-race", "Space Race")
    second = games.rotate_key(table, "space-race")
    assert [bool(live_key(_game(table), _secret(key))) for key in (first, second)] == [True, True]
    third = games.rotate_key(table, "space-race")
    assert [bool(live_key(_game(table), _secret(key))) for key in (first, second, third)] == [
        False,
        True,
        True,
    ]


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


@pytest.fixture
def plan(aws: None) -> games.UsagePlan:
    client = boto3.client("apigateway")
    ids = [client.create_usage_plan(name=name)["id"] for name in ("games", "unproven")]
    return games.UsagePlan(client, *ids)


def _usage_keys(plan: games.UsagePlan) -> dict[str, str]:
    items = plan.client.get_usage_plan_keys(usagePlanId=plan.plan_id)["items"]
    values = {item["id"]: plan.client.get_api_key(apiKey=item["id"], includeValue=True) for item in items}
    return {key["name"]: key["value"] for key in values.values()}


def test_a_game_gets_a_place_in_the_usage_plan_that_is_no_key(table: Any, plan: games.UsagePlan) -> None:
    key = games.add_game(table, "space-race", "Space Race", plan)
    assert _usage_keys(plan) == {"space-race": _game(table)["usage_key"]}
    assert _game(table)["usage_key"] not in key
    assert not live_key(_game(table), _game(table)["usage_key"])


def test_a_game_that_is_not_registered_leaves_no_place_behind(table: Any, plan: games.UsagePlan) -> None:
    games.add_game(table, "space-race", "Space Race", plan)
    with pytest.raises(CommandError, match="registered already"):
        games.add_game(table, "space-race", "Another", plan)
    assert len(plan.client.get_api_keys()["items"]) == 1


def refusal(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "LimitExceededException", "Message": "x"}}, operation)


@pytest.mark.parametrize("error", [refusal("CreateUsagePlanKey"), ReadTimeoutError(endpoint_url="x")])
@pytest.mark.parametrize("step", ["create_usage_plan_key", "put_item"])
def test_a_step_that_fails_leaves_neither_key_nor_game(
    table: Any, plan: games.UsagePlan, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
) -> None:
    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(table if step == "put_item" else plan.client, step, fail)
    with pytest.raises(type(error)):
        games.add_game(table, "farm", "Farm", plan)
    assert plan.client.get_api_keys()["items"] == games.list_games(table) == []


def test_a_game_without_a_place_in_the_plan_gets_one(table: Any, plan: games.UsagePlan) -> None:
    games.add_game(table, "space-race", "Space Race")
    games.restore_usage(table, "space-race", plan)
    usage_key = _game(table)["usage_key"]
    assert _usage_keys(plan) == {"space-race": usage_key}
    games.restore_usage(table, "space-race", plan)
    assert _game(table)["usage_key"] == usage_key
    (item,) = plan.client.get_usage_plan_keys(usagePlanId=plan.plan_id)["items"]
    plan.client.delete_usage_plan_key(usagePlanId=plan.plan_id, keyId=item["id"])
    games.restore_usage(table, "space-race", plan)
    assert _usage_keys(plan) == {"space-race": _game(table)["usage_key"]}
    assert _game(table)["usage_key"] != usage_key
    with pytest.raises(CommandError, match="farm is not registered"):
        games.restore_usage(table, "farm", plan)


def test_an_imported_key_stands_beside_the_newest_however_often_it_comes(table: Any) -> None:
    key = games.add_game(table, "space-race", "Space Race")
    games.import_key(table, "space-race", "an-old-key-that-clients-have-had-for-years")
    games.import_key(table, "space-race", "an-old-key-that-clients-have-had-for-years")
    assert live_key(_game(table), "an-old-key-that-clients-have-had-for-years")
    assert live_key(_game(table), _secret(key))


@pytest.mark.parametrize("secret", ["", "short", "x" * 31, "ä" * 40, "x" * 40 + "\n"])
def test_a_key_that_could_be_guessed_is_not_imported(table: Any, secret: str) -> None:
    games.add_game(table, "space-race", "Space Race")
    with pytest.raises(CommandError, match="could be guessed"):
        games.import_key(table, "space-race", secret)


def test_signatures_are_demanded_of_registered_games_only(table: Any) -> None:
    games.add_game(table, "space-race", "Space Race")
    games.demand_signatures(table, "space-race", "required")
    assert _game(table)["signature"] == "required"
    with pytest.raises(CommandError, match="farm is not registered"):
        games.demand_signatures(table, "farm", "required")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("o'hara+x@example.com", "o'hara+x@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("Ann@EXAMPLE.com", "Ann@example.com"),
    ],
)
def test_a_reports_recipient_is_kept_as_ses_takes_it(table: Any, given: str, kept: str) -> None:
    games.add_game(table, "space-race", "Space Race")
    games.report_to(table, "space-race", [given])
    assert _game(table)["report_to"] == kept


@pytest.mark.parametrize(
    "given",
    [
        *("jörg@example.com", "ann@", "@example.com", "ann@example", "a b@example.com", "ann@exa_mple.com"),
        *("a@b@c.de", "ann..x@example.com", f"{'a' * 65}@example.com", "ann@-x.com"),
        "ann@example.com,bob@example.com",
    ],
)
def test_what_ses_would_not_send_to_is_refused(table: Any, given: str) -> None:
    games.add_game(table, "space-race", "Space Race")
    with pytest.raises(CommandError, match=r"e-mail address|ASCII"):
        games.report_to(table, "space-race", [given])


def test_a_game_that_demands_signatures_gets_a_small_place_for_its_bare_id(
    table: Any, plan: games.UsagePlan
) -> None:
    games.add_game(table, "space-race", "Space Race", plan)
    for _ in range(2):
        games.demand_signatures(table, "space-race", "required", plan)
    game = _game(table)
    assert _usage_keys(plan) == {"space-race": game["usage_key"]}
    assert _usage_keys(plan.unproven) == {"space-race without a secret": game["unproven_usage_key"]}


def test_two_keys_of_each_class_live(table: Any) -> None:
    client = games.add_game(table, "space-race", "Space Race")
    servers = [games.rotate_key(table, "space-race", "server") for _ in range(3)]
    live = [live_key(_game(table), _secret(key)) for key in (client, *servers)]
    assert [key and key["key_class"] for key in live] == ["client", None, "server", "server"]


def test_limits_of_client_keys_are_kept_and_checked(table: Any) -> None:
    games.add_game(table, "space-race", "Space Race")
    games.limit_clients(table, "space-race", ["player_registered"], {"score_submitted.score": 10**12})
    limits = ClientLimits.of(_game(table))
    assert limits.types >= {"player_registered", "session_start"}
    assert limits.maxima == {"score_submitted.score": 10**12}
    games.limit_clients(table, "space-race", [], {})
    assert ClientLimits.of(_game(table)) == ClientLimits.of({})
    for allowed, maxima in ((["no_such_type"], {}), ([], {"score_submitted.level": 1})):
        with pytest.raises(CommandError, match="no such event type or limited field"):
            games.limit_clients(table, "space-race", allowed, maxima)
    with pytest.raises(CommandError, match="no client key may send identify: use a key of class server"):
        games.limit_clients(table, "space-race", ["identify", "refund"], {})
