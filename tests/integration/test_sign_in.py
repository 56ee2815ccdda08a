"""People sign in on the emulator: Cognito's tokens, API Gateway's check of them, and the page in Chromium.

The emulator signs tokens with RS256 and publishes the keys. Its HTTP APIs check signature, issuer, client,
times and scope by a program of its own.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from chromium import in_chromium, launched
from joserfc import jwt
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, Page, Request, Route, expect
from tools import REPOSITORY, games
from tools.progress import STILL_SECONDS

pytestmark = pytest.mark.integration
expect.set_options(timeout=1000 * STILL_SECONDS)

PASSWORD = f"Correct-{secrets.token_hex(8)}-7"
PRODUCER, STRANGER = "ada@example.com", "eve@example.com"
# One is a prefix of the other.
GAMES = ("signed", "signed-2")


@dataclass(frozen=True)
class Studio:
    """The user pool of `local`, with people in it, and the API behind API Gateway."""

    applied: Any
    pool: str
    client: str

    @property
    def issuer(self) -> str:
        """Whose tokens these are."""
        return f"https://cognito-idp.us-east-1.amazonaws.com/{self.pool}"

    @property
    def address(self) -> str:
        """The page as Terraform's output has it, without a slash at its end."""
        return str(self.applied.platform.outputs["sign_in"]["page_url"]).rstrip("/")

    def key(self, pool: str = "") -> RSAKey:
        """Return the key that the emulator signs access tokens of a pool with."""
        name = f"{pool or self.pool}-access.pem"
        path = Path(self.applied.emulator.directory, "state", "cognito-pool-keys", name)
        return RSAKey.import_key(path.read_bytes())

    def get(
        self, path: str, token: str | None = None, method: str = "GET", body: Any = None
    ) -> httpx.Response:
        """Ask API Gateway, with a token where there is one."""
        headers = {"Host": urlsplit(self.address).netloc}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}".rstrip()
        url = f"{self.applied.emulator.endpoint}{path}"
        return httpx.request(method, url, headers=headers, json=body, timeout=STILL_SECONDS)

    def signed_in(self, person: str = PRODUCER) -> dict[str, Any]:
        """Sign in as the page does, and return the answer of the token endpoint."""
        verifier, scope = secrets.token_urlsafe(32), "openid email metrics/use"
        digest = hashlib.sha256(verifier.encode()).digest()
        form = {
            "client_id": self.client,
            "redirect_uri": f"{self.address}/",
            "response_type": "code",
            "scope": scope,
            "state": "state",
            "nonce": "nonce",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = self.applied.emulator.endpoint
        answer = httpx.post(
            f"{endpoint}/login",
            data={**form, "username": person, "password": PASSWORD},
            timeout=STILL_SECONDS,
        )
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        grant = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "client_id": self.client,
            "redirect_uri": f"{self.address}/",
        }
        tokens: dict[str, Any] = httpx.post(
            f"{endpoint}/oauth2/token", data=grant, timeout=STILL_SECONDS
        ).json()
        return tokens


def commands(heading: str) -> list[list[str]]:
    """Return the commands of a chapter of docs/people.md, split into words."""
    text = (
        (REPOSITORY / "docs" / "people.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    )
    return [line.split() for line in text.splitlines() if line.startswith("aws cognito-idp ")]


def run(client: Any, words: list[str], values: dict[str, str], **more: Any) -> None:
    """Call Cognito as the AWS CLI does for a line of the documents, with some arguments more."""
    arguments: dict[str, Any] = {}
    name = ""
    for word in words[3:]:
        found = re.sub(r'"?\$(\w+)"?', lambda one: values[one[1]], word).replace('"', "")
        if word.startswith("--"):
            name = "".join(part.title() for part in word[2:].split("-"))
            arguments[name] = []
        else:
            is_pair = found.startswith("Name=")
            pair = dict(part.split("=", 1) for part in found.split(",")) if is_pair else found
            arguments[name].append(pair)
    lists = {"DesiredDeliveryMediums", "UserAttributes"}
    given = {key: value if key in lists else value[0] for key, value in arguments.items()}
    getattr(client, words[2].replace("-", "_"))(**given, **more)


@pytest.fixture(scope="module")
def studio(applied: Any) -> Studio:
    """Add a producer of the first game as docs/people.md says, and somebody without a group."""
    table, plan = games.registry(applied.platform.outputs)
    for game in GAMES:
        games.add_game(table, game, game.title(), plan)
    cognito = boto3.client("cognito-idp")
    pool = applied.platform.outputs["sign_in"]["user_pool_id"]
    (client,) = cognito.list_user_pool_clients(UserPoolId=pool)["UserPoolClients"]
    values = {"POOL": pool, "GAME": GAMES[0], "PERSON": PRODUCER, "ROLE": "producer"}
    lines = commands("Add a person to a game")
    assert len(lines) == 3
    # The emulator makes up a first password that the pool's own policy refuses.
    first = {"TemporaryPassword": PASSWORD}
    for words in lines:
        run(cognito, words, values, **(first if "admin-create-user" in words else {}))
    run(cognito, lines[1], values | {"PERSON": STRANGER}, **first)
    for person in (PRODUCER, STRANGER):
        cognito.admin_set_user_password(UserPoolId=pool, Username=person, Password=PASSWORD, Permanent=True)
    return Studio(applied, pool, client["ClientId"])


def test_a_token_opens_the_persons_game_and_no_other(studio: Studio) -> None:
    token = studio.signed_in()["access_token"]
    listed = studio.get("/signed-in/v1/games", token)
    assert listed.status_code == 200, listed.text
    assert [game["game_id"] for game in listed.json()["games"]] == [GAMES[0]]
    assert studio.get(f"/signed-in/v1/games/{GAMES[0]}/summary", token).json()["game_id"] == GAMES[0]
    for game in (GAMES[1], studio.applied.game_id, "unknown", "nobodys"):
        assert studio.get(f"/signed-in/v1/games/{game}/summary", token).status_code == 403, game
    without = studio.signed_in(STRANGER)["access_token"]
    assert studio.get("/signed-in/v1/games", without).status_code == 403
    assert studio.get(f"/signed-in/v1/games/{GAMES[0]}/summary", without).status_code == 403


def test_a_producer_saves_and_deletes_a_question_of_the_game_and_no_other(studio: Studio) -> None:
    """Each request passes the route's authorizer, the person's groups, and the policy of the function."""
    token, without = (studio.signed_in(who)["access_token"] for who in (PRODUCER, STRANGER))
    ours, theirs = (f"/signed-in/v1/games/{game}/questions/buyers" for game in GAMES)
    body = {"title": "Buyers", "question": {"kind": "cohort", "event": "purchase"}}
    assert studio.get(ours, None, "PUT", body).status_code == 401
    assert studio.get(ours, without, "PUT", body).status_code == 403
    assert studio.get(theirs, token, "PUT", body).status_code == 403
    created = studio.get(ours, token, "PUT", body)
    assert (created.status_code, created.json()["version"]) == (201, 1), created.text
    assert studio.get(ours, token, "PUT", body).status_code == 409
    assert studio.get(ours, token, "PUT", body | {"version": 1}).json()["version"] == 2
    listed = studio.get(ours.rpartition("/")[0], token).json()["questions"]
    assert [(one["title"], one["may_change"]) for one in listed] == [("Buyers", True)]
    claims = token.split(".")[1]
    assert listed[0]["owner"] == json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"]
    assert studio.get(ours, None, "DELETE").status_code == 401
    assert studio.get(ours, without, "DELETE").status_code == 403
    assert studio.get(ours, token, "DELETE").status_code == 204
    assert studio.get(ours, token).status_code == 404


def test_without_a_token_there_are_pages_and_no_data(studio: Studio) -> None:
    for path in ("/", "/page/session.js", "/page/sign-in.json"):
        assert studio.get(path).status_code == 200, path
    for path in ("/v1/games", "/docs", "/openapi.json", "/page"):
        assert studio.get(path).status_code == 403, path
    for path in ("/signed-in/v1/games", f"/signed-in/v1/games/{GAMES[0]}/live"):
        assert studio.get(path).status_code == 401, path
        assert studio.get(path, "").status_code == 401, path
    for path in ("//v1/games", "/page/../v1/games", "/page/..%2fv1/games", "//page/../v1/games"):
        assert studio.get(path).status_code in (403, 404), path


def test_a_token_is_no_signature(studio: Studio) -> None:
    """Paths for programs take no token, and paths for people no signature."""
    token = studio.signed_in()["access_token"]
    for path in (
        "/docs",
        "/signed-in/docs",
        "/signed-in/openapi.json",
        "/signed-in/health",
        "/signed-in/page/page.js",
    ):
        assert studio.get(path, token).status_code in (403, 404), path
    for method in ("DELETE", "PUT", "PATCH"):
        assert studio.get(f"/signed-in/v1/games/{GAMES[0]}/live", token, method).status_code in (
            403,
            404,
            405,
        )


def encoded(part: dict[str, Any]) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def forge(studio: Studio) -> Callable[..., str]:
    """Return a function that signs the claims of a real access token anew, changed."""
    real = studio.signed_in()["access_token"]
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in real.split(".")[:2])

    def make(key: Any = None, headers: Any = None, **changed: Any) -> str:
        body = {name: value for name, value in (claims | changed).items() if value is not None}
        return str(
            jwt.encode(
                header | (headers or {}),
                body,
                key or studio.key(),
            )
        )

    make.header = header  # type: ignore[attr-defined]
    return make


def test_a_token_that_is_signed_anew_opens_as_much(studio: Studio, forge: Callable[..., str]) -> None:
    """The forger below works: with the pool's key and true claims its tokens are taken."""
    assert studio.get("/signed-in/v1/games", forge()).status_code == 200
    other = studio.get("/signed-in/v1/games", forge(**{"cognito:groups": ["admin"]}))
    assert len(other.json()["games"]) > len(GAMES)


def test_no_other_token_opens_anything(studio: Studio, forge: Callable[..., str]) -> None:
    now = int(time.time())
    strange = RSAKey.generate_key(2048)
    cognito = boto3.client("cognito-idp")
    second = cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
    app = cognito.create_user_pool_client(
        UserPoolId=studio.pool,
        ClientName="another",
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    direct = cognito.admin_initiate_auth(
        UserPoolId=studio.pool,
        ClientId=app,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": PRODUCER, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    real = studio.signed_in()
    head, body, signature = real["access_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["cognito:groups"] = ["admin"]
    changed = encoded(claims)
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    # Whoever believes the algorithm that a token names takes the public key for a shared secret.
    symmetric = f"{encoded(header | {'alg': 'HS256'})}.{changed}"
    digest = hmac.digest(studio.key().as_pem(private=False), symmetric.encode(), "sha256")
    tokens = {
        "expired": forge(exp=now - 1),
        "not valid yet": forge(nbf=now + 600),
        "issued later": forge(iat=now + 600),
        "of another issuer": forge(iss=f"https://cognito-idp.us-east-1.amazonaws.com/{second}"),
        "of another client": forge(client_id=app),
        "without a client": forge(client_id=None),
        "without the scope": forge(scope="openid email"),
        "with a scope that looks alike": forge(scope="metrics/user"),
        "of a kind that is none": forge(token_use="id"),
        "signed by another key": forge(key=strange),
        "signed by a key of another name": forge(key=strange, headers={"kid": "mine"}),
        "signed with the public key": f"{symmetric}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}",
        "not signed": f"{encoded({'alg': 'none'})}.{changed}.",
        "not signed, with a real key's name": f"{encoded(header | {'alg': 'none'})}.{changed}.",
        "with changed claims": f"{head}.{changed}.{signature}",
        "cut off": real["access_token"][:-8],
        "without a signature": f"{head}.{body}.",
        "an ID token": real["id_token"],
        "a refresh token": real["refresh_token"],
        "of a password without the page": direct["AccessToken"],
        "no token": "x.y.z",
        "nothing": "",
    }
    taken = {}
    for name, token in tokens.items():
        for path in ("/signed-in/v1/games", f"/signed-in/v1/games/{GAMES[0]}/summary"):
            answer = studio.get(path, token)
            if answer.status_code not in (401, 403):
                taken[name] = (answer.status_code, answer.text)
    cognito.delete_user_pool(UserPoolId=second)
    cognito.delete_user_pool_client(UserPoolId=studio.pool, ClientId=app)
    assert taken == {}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@dataclass
class Seen:
    """What the page asked for, and what the test lets the token endpoint answer."""

    asked: list[Request]
    wrong: list[str]
    changed: Callable[[dict[str, Any]], dict[str, Any]] = lambda tokens: tokens
    refreshed: Callable[[], dict[str, Any] | None] = lambda: None


@pytest.fixture
def seen() -> Seen:
    return Seen([], [])


@pytest.fixture
def page(browser: Browser, studio: Studio, seen: Seen) -> Iterator[Page]:
    """A page whose requests to the domain of the user pool reach the emulator: the names are those of AWS."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.set_default_timeout(1000 * STILL_SECONDS)
    page.on("pageerror", lambda error: seen.wrong.append(str(error)))
    page.on(
        "console",
        lambda message: seen.wrong.append(message.text) if "Security Policy" in message.text else None,
    )
    page.on("request", lambda request: seen.asked.append(request))

    def lead(route: Route) -> None:
        request = route.request
        url = urlsplit(request.url)
        if url.path == "/oauth2/token" and "grant_type=refresh_token" in (request.post_data or ""):
            # The emulator forgets the groups of a person whose token is renewed.
            tokens = seen.refreshed()
            route.fulfill(
                status=200 if tokens else 400, headers=CORS, json=tokens or {"error": "invalid_grant"}
            )
            return
        target = f"{studio.applied.emulator.endpoint}{url.path}?{url.query}"
        answer = httpx.request(
            request.method,
            target,
            content=request.post_data_buffer,
            headers={"content-type": request.headers.get("content-type", "")},
            timeout=STILL_SECONDS,
        )
        if url.path == "/oauth2/token" and answer.is_success:
            route.fulfill(status=200, headers=CORS, json=seen.changed(answer.json()))
        elif answer.is_redirect:
            # Chromium follows no redirect that a test answers with.
            there = json.dumps(answer.headers["location"])
            script = f"<script>location.replace({there})</script>"
            route.fulfill(status=200, content_type="text/html", body=script)
        else:
            kept = {"content-type": answer.headers.get("content-type", "text/html")}
            route.fulfill(status=answer.status_code, headers=CORS | kept, body=answer.content)

    page.route(re.compile(r"^https://[^/]*\.amazoncognito\.com/"), lead)
    yield page
    context.close()
    assert seen.wrong == []


CORS = {"access-control-allow-origin": "*"}


def sign_in(page: Page) -> None:
    page.get_by_label("Username").fill(PRODUCER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@in_chromium
def test_a_producer_signs_in_and_keeps_the_address(page: Page, studio: Studio, seen: Seen) -> None:
    shown = f"?game={GAMES[0]}&from=2026-01-01&to=2026-01-31"
    page.goto(f"{studio.address}/overview{shown}")
    sign_in(page)
    page.wait_for_url(f"{studio.address}/overview{shown}")
    expect(page.locator("#session")).to_contain_text(PRODUCER)
    options = page.locator("#game option")
    expect(options).to_have_count(1)
    expect(options).to_have_text(GAMES[0].title())
    asked = next(request for request in seen.asked if "/oauth2/authorize?" in request.url)
    query = parse_qs(urlsplit(asked.url).query)
    assert query["redirect_uri"] == [f"{studio.address}/overview"]
    assert (query["response_type"], query["code_challenge_method"]) == (["code"], ["S256"])
    assert len(query["state"][0]) == len(query["nonce"][0]) == len(query["code_challenge"][0]) == 43
    for request in seen.asked:
        sent = request.headers.get("authorization")
        is_data = request.url.startswith(f"{studio.address}/signed-in/v1/")
        assert bool(sent) is is_data, request.url
    stored = "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"
    assert page.evaluate(stored) == '[{},{},""]'


@in_chromium
def test_an_answer_for_another_window_is_not_taken(page: Page, studio: Studio, seen: Seen) -> None:
    """Somebody could send a producer a link that signs in as somebody else."""
    page.goto(f"{studio.address}/?code=stolen&state=made-up")
    expect(page.get_by_role("alert").first).to_contain_text("another window")
    assert page.url == f"{studio.address}/"
    assert not [one for one in seen.asked if "/oauth2/" in one.url or "/signed-in/" in one.url]
    page.get_by_role("button", name="Sign in").click()
    sign_in(page)
    expect(page.locator("#session")).to_contain_text(PRODUCER)


@in_chromium
@pytest.mark.parametrize("changed", [{"nonce": "another"}, {"aud": "another"}, {"iss": "https://other"}])
def test_an_answer_for_another_request_is_not_taken(
    page: Page, studio: Studio, seen: Seen, changed: dict[str, str]
) -> None:
    def spoil(tokens: dict[str, Any]) -> dict[str, Any]:
        head, body, signature = tokens["id_token"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "==")) | changed
        return tokens | {"id_token": f"{head}.{encoded(claims)}.{signature}"}

    seen.changed = spoil
    page.goto(f"{studio.address}/")
    sign_in(page)
    expect(page.get_by_role("alert").first).to_contain_text("answered for another request")
    assert not [one for one in seen.asked if "/signed-in/" in one.url]


@in_chromium
def test_a_refused_sign_in_says_why(page: Page, studio: Studio) -> None:
    page.goto(f"{studio.address}/?game={GAMES[0]}")
    state = page.locator("input[name=state]").input_value()
    reason = "error=access_denied&error_description=Not+in+the+studio"
    page.goto(f"{studio.address}/?{reason}&state={state}")
    expect(page.get_by_role("alert").first).to_contain_text("Not in the studio")
    assert page.url == f"{studio.address}/?game={GAMES[0]}"


@in_chromium
def test_an_expired_session_asks_again_and_keeps_the_filters(page: Page, studio: Studio, seen: Seen) -> None:
    shown = f"{studio.address}/overview?game={GAMES[0]}&grain=week"
    # A token that has almost ended is renewed before it is sent.
    seen.changed = lambda tokens: tokens | {"expires_in": 20}
    tokens = studio.signed_in()
    given: list[str] = []

    def renewed() -> dict[str, Any] | None:
        given.append("renewed")
        return {**tokens, "refresh_token": "next", "expires_in": 20} if len(given) == 1 else None

    seen.refreshed = renewed
    page.goto(shown)
    sign_in(page)
    expect(page.locator("#session-told")).to_contain_text("Your session has ended")
    assert len(given) == 2
    renewals = [
        one.post_data or "" for one in seen.asked if "/oauth2/token" in one.url and one.method == "POST"
    ]
    assert "refresh_token=next" in renewals[-1]
    assert f"game={GAMES[0]}" in page.url
    assert "grain=week" in page.url
    before = page.url
    seen.changed = lambda found: found
    page.locator("#session-told").get_by_role("button", name="Sign in").click()
    sign_in(page)
    page.wait_for_url(before)
    expect(page.locator("#session")).to_contain_text(PRODUCER)


@in_chromium
def test_signing_out_ends_at_the_sign_in_page(page: Page, studio: Studio, seen: Seen) -> None:
    page.goto(f"{studio.address}/")
    sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    (left,) = [one for one in seen.asked if "/logout?" in one.url]
    assert parse_qs(urlsplit(left.url).query)["logout_uri"] == [f"{studio.address}/"]
    assert [one for one in seen.asked if one.url.endswith("/oauth2/revoke")]


@in_chromium
def test_a_file_is_downloaded_with_the_token(page: Page, studio: Studio) -> None:
    page.goto(f"{studio.address}/?game={GAMES[0]}")
    sign_in(page)
    expect(page.locator("#session")).to_contain_text(PRODUCER)
    page.evaluate(
        """path => {
          const link = document.createElement("a");
          link.href = path; link.download = ""; link.textContent = "Get it";
          document.querySelector("header").append(link);
        }""",
        f"/v1/games/{GAMES[0]}/summary",
    )
    with page.expect_download() as download:
        page.get_by_role("link", name="Get it").click()
    assert json.loads(download.value.path().read_text())["game_id"] == GAMES[0]
