"""Who may read what: every route, asked through the function by people, strangers and IAM principals.

A reader reads figures. A producer also reads single players, and asks and saves questions. An admin may do so
in all games.
"""

import json
from typing import Any

import pytest
from metrics_api import callers, live_page
from metrics_api.callers import Person, person
from signed_in import CLAIMS, CLIENT, IAM, Ask, groups

# Each is a prefix of the next.
GAMES = ("sky", "sky-2", "sky-2-eu")
# What docs/security.md says that a reader is not shown: single players, and single events.
OF_PRODUCERS = ("/players/", "/events/", "/leaderboards")
VALUES = {
    "{game_id}": "sky", "{player_id}": "ann", "{board_id}": "weekly", "{table}": "daily", "{name}": "buyers",
    "{query_id}": "q-1",
}  # fmt: skip
# Names of groups that look like those of the game sky.
OTHER_NAMES = [
    "",
    "sky",
    "reader",
    "reader:",
    "reader:*",
    "reader:.*",
    "reader:sk",
    "reader:sky-",
    "reader:sky-2",
    "reader:SKY",
    "Reader:sky",
    "readers:sky",
    "xreader:sky",
    "reader:sky:producer",
    "reader:sky,",
    "reader:sky\n",
    "\nreader:sky",
    "[reader:sky]",
    '"reader:sky"',
    "admins",
    "Admin",
    "admin:sky",
    "producer:sky/../sky-2",
    "owner:sky",
    "eu-west-1_AbC_Okta",
]
# What makes a token one that was not made for this API.
OTHER_TOKENS: list[dict[str, Any]] = [
    {"token_use": "id"},
    {"token_use": None},
    {"client_id": "another-client"},
    {"client_id": ""},
    {"client_id": None, "aud": "the-client"},
    {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"},
    {"scope": "openid email"},
    {"scope": "aws.cognito.signin.user.admin"},
    {"scope": "metrics/user xmetrics/use"},
    {"scope": None},
    {"sub": None},
    {"sub": ""},
    {"sub": ["ann"]},
]
# Paths that need a signature or a token, and ways to name them otherwise.
CLOSED_PATHS = [
    "/v1/games",
    "/v1/games/sky/live",
    "/signed-in/v1/games",
    "/signed-in/v1/games/sky/live",
    "/health",
    "/ready",
    "/docs",
    "/openapi.json",
    "/assets/swagger-ui.css",
    "/page/../v1/games",
    "/page/%2e%2e/v1/games",
    "/page/..%2fv1/games",
    "//v1/games",
    "//page/page.js",
    "/history/../v1/games",
    "/page",
]
# Paths that no token opens.
OTHER_PATHS = [
    "/signed-in",
    "/signed-in/",
    "/signed-in/v1",
    "/signed-in/health",
    "/signed-in/ready",
    "/signed-in/docs",
    "/signed-in/openapi.json",
    "/signed-in/page/page.js",
    "/signed-in/v1/gamesx",
    "/signed-in/v1/games/",
    "/signed-in/v1/games/sky",
    "/signed-in/v1/games/sky/",
    "/signed-in/v1/games/sky/live/",
    "/signed-in//v1/games/sky/live",
    "//signed-in/v1/games/sky/live",
    "/v1/games/sky-2/live",
    "/v1/games",
    "/signed-in/signed-in/v1/games",
    "/signed-in/v1/games/../../docs",
    "/signed-in/v1/games/../../openapi.json",
    "/signed-in/v1/games/sky/../sky-2/live",
    "/signed-in/v1/games/sky%2F..%2Fsky-2/live",
    "/signed-in/v1/games/a%2Fb",
    "/signed-in/v1/games/sky%00/live",
    "/signed-in/v1/games/sky-2%2Flive",
]
# Other spellings of the path /v1/games/sky/live.
SPELLINGS = ["/signed-in/v1/games/sky%2Flive", "/signed-in/v1/games/%73ky/live"]
METHODS = ["DELETE", "OPTIONS", "PATCH", "POST", "PUT"]


@pytest.fixture
def ask(ask: Ask, dynamodb: Any) -> Ask:
    """Ask the function about the games."""
    for game in GAMES:
        item = {"game_id": game, "name": game, "status": "active", "key_hashes": []}
        dynamodb.Table("games").put_item(Item=item)
    return ask


def routes(app: Any) -> list[tuple[str, str, str]]:
    """Return every documented route of a game: its method, its name, and a path of the game sky."""
    found = []
    for path, operations in app.openapi()["paths"].items():
        asked = path
        for name, value in VALUES.items():
            asked = asked.replace(name, value)
        found += [(method.upper(), path, asked) for method in operations if "{game_id}" in path]
    return found


def status(ask: Ask, route: tuple[str, str, str], *names: str, game: str = "sky") -> int:
    method, _, path = route
    body = json.dumps({"kind": "events"}) if method == "POST" else ""
    return ask(f"/signed-in{path.replace('/sky', f'/{game}')}", groups(*names), method, body)[0]


def test_each_role_reads_its_own_game_and_no_other(ask: Ask, metrics_app: Any) -> None:
    found = routes(metrics_app)
    assert len(found) > 20
    for route in found:
        is_for_producers = route[0] != "GET" or any(part in route[1] for part in OF_PRODUCERS)
        refused = {name: status(ask, route, name) == 403 for name in ("reader:sky", "producer:sky", "admin")}
        assert refused == {"reader:sky": is_for_producers, "producer:sky": False, "admin": False}, route
        for other in ("sky-2", "sky-2-eu", "nobodys"):
            assert status(ask, route, "reader:sky", "producer:sky", game=other) == 403, (route, other)
            assert status(ask, route, f"producer:{other}") == 403, (route, other)


def test_a_reader_is_shown_routes_that_exist(metrics_app: Any) -> None:
    documented = {path for _, path, _ in routes(metrics_app)}
    assert callers.FOR_READERS - documented == {"/v1/games/{game_id}/live/stream"}


def test_events_of_no_game_are_for_admins(ask: Ask) -> None:
    """The game `unknown` holds events whose game could not be told: they may be anybody's."""
    for path in ("/v1/games/unknown/events/recent", "/v1/games/unknown/ingestion"):
        assert ask(f"/signed-in{path}", groups("admin"))[0] == 200
        assert ask(f"/signed-in{path}", groups(*(f"producer:{game}" for game in GAMES)))[0] == 403


def test_the_list_has_the_persons_games(ask: Ask) -> None:
    def listed(*names: str) -> list[str]:
        code, answer = ask("/signed-in/v1/games", groups(*names))
        assert code == 200
        return [game["game_id"] for game in answer["games"]]

    assert listed("reader:sky") == ["sky"]
    assert listed("producer:sky-2", "reader:sky-2-eu", "producer:gone") == ["sky-2", "sky-2-eu"]
    assert listed("admin") == list(GAMES)
    code, answer = ask("/signed-in/v1/games", groups())
    assert (code, "group" in answer["detail"]) == (403, True)


def test_a_group_of_another_name_opens_nothing(ask: Ask) -> None:
    for name in OTHER_NAMES:
        for asked in (groups(name), {"jwt": {"claims": CLAIMS | {"cognito:groups": [name]}, "scopes": None}}):
            assert ask("/signed-in/v1/games/sky/live", asked)[0] == 403


@pytest.mark.parametrize(
    "claim", [None, 7, {}, "", "[", "]", "admin", "[admin", "admin]", ["x", 7], [["admin"]]]
)
def test_a_claim_of_another_form_opens_nothing(claim: Any) -> None:
    assert person(CLAIMS | {"cognito:groups": claim}, CLIENT) == Person(
        CLAIMS["sub"], False, frozenset(), frozenset()
    )


def test_another_token_opens_nothing(ask: Ask) -> None:
    for changed in OTHER_TOKENS:
        claims = CLAIMS | {"cognito:groups": "[admin]"} | changed
        for path in ("/v1/games", "/v1/games/sky/live"):
            assert ask(f"/signed-in{path}", {"jwt": {"claims": claims}})[0] == 403, changed
    assert ask("/signed-in/v1/games", groups("admin"))[0] == 200


def test_without_settings_no_token_opens_anything(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CLIENT.__struct_fields__:
        monkeypatch.delenv(name.upper())
    empty = {"client_id": "", "iss": "", "scope": "", "token_use": "access", "cognito:groups": "[admin]"}
    for claims in (empty, CLAIMS | {"cognito:groups": "[admin]"}):
        assert ask("/signed-in/v1/games", {"jwt": {"claims": claims}})[0] == 403


def test_without_signature_and_token_there_are_pages_and_no_data(ask: Ask) -> None:
    for path in CLOSED_PATHS:
        for authorizer in (None, {}, {"iam": None}, {"lambda": {"iam": "x"}}, {"principalId": "x"}):
            code, answer = ask(path, authorizer)
            assert code == 404, (path, authorizer)
            assert "games" not in answer


def test_anybody_opens_the_pages(ask: Ask) -> None:
    for path in (*live_page.PAGES, "/page/session.js", "/page/page.css"):
        assert ask(path)[0] == 200, path
    code, told = ask("/page/sign-in.json")
    assert (code, told) == (200, {
        "client_id": "the-client",
        "issuer": CLIENT.sign_in_issuer,
        "scope": "metrics/use",
        "url": "https://x",
    })  # fmt: skip
    assert ask("/page/none.js")[0] == 404


def test_a_token_opens_no_path_but_a_games(ask: Ask) -> None:
    for path in OTHER_PATHS:
        code, answer = ask(path, groups("reader:sky", "producer:sky"))
        assert code in (403, 404), path
        assert "minutes" not in answer


def test_another_spelling_of_the_same_path_is_judged_as_it_is_answered(ask: Ask) -> None:
    for path in SPELLINGS:
        code, answer = ask(path, groups("reader:sky"))
        assert (code, answer["game_id"]) == (200, "sky")
        assert ask(path, groups("reader:sky-2"))[0] == 403


def test_whoever_is_refused_learns_nothing_of_a_game(ask: Ask) -> None:
    """A game that is not registered is refused as one that is."""
    there, gone = (
        ask(f"/signed-in/v1/games/{game}/live", groups("producer:sky"))[1] for game in ("sky-2", "nobodys")
    )
    assert there | {"instance": ""} == gone | {"instance": ""}


def test_a_head_is_judged_as_a_get(ask: Ask) -> None:
    assert ask("/signed-in/v1/games/sky-2/live", groups("reader:sky"), "HEAD")[0] == 403
    assert ask("/signed-in/v1/games/sky/live", groups("reader:sky"), "HEAD")[0] == 200


def test_a_token_changes_saved_questions_alone(ask: Ask) -> None:
    for method in METHODS:
        assert ask("/signed-in/v1/games/sky/live", groups("admin"), method)[0] == 405
        assert ask("/signed-in/v1/games/sky/events/test", groups("admin"), method, "{}")[0] in (404, 405)


def test_a_question_is_judged_before_it_is_read(ask: Ask) -> None:
    question = json.dumps({"kind": "player", "player_id": "ann"})
    for names in (("reader:sky",), ("producer:sky-2",), ()):
        assert ask("/signed-in/v1/games/sky/explore", groups(*names), "POST", question)[0] == 403
        assert ask("/signed-in/v1/games/sky/explore", groups(*names), "POST", "{}")[0] == 403
    assert ask("/signed-in/v1/games/sky/explore", groups("producer:sky"), "POST", "{}")[0] == 422


def test_a_signed_request_is_answered_as_ever(ask: Ask) -> None:
    """IAM has judged its path already (docs/security.md)."""
    for path in ("/v1/games", "/v1/games/sky-2/live", "/docs", "/openapi.json", "/", "/health"):
        assert ask(path, IAM)[0] == 200, path
    assert ask("/signed-in/v1/games", IAM)[0] == 404


def test_on_a_persons_own_machine_nobody_signs_in(metrics_app: Any) -> None:
    from fastapi.testclient import TestClient

    client = TestClient(metrics_app)
    assert client.get("/v1/games").status_code == 200
    assert client.get("/signed-in/v1/games").status_code == 404
    assert set(client.get("/page/sign-in.json").json().values()) == {None}
