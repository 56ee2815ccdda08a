"""Who asks, as API Gateway found: an IAM principal, a person who signed in, or anybody (docs/adr/0032).

A person's token was checked before the function runs: signature, issuer, client, expiry and scope. Here it is
decided what the person may ask. Groups of the user pool say so: `reader:GAME`, `producer:GAME` and `admin`.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import Depends, HTTPException, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from telemetry import environment, ids

from metrics_api.problems import problem

# What the pages are made of. It holds no data.
ASSETS = "/page/"
# The routes whose tokens API Gateway checks begin with this, because a path has one authorizer.
SIGNED_IN = "/signed-in"
ADMIN = "admin"
# Who asks where nobody signs in, on a developer's machine.
DEVELOPER = "developer"
GROUP = re.compile(rf"(reader|producer):({ids.GAME.strip('^$')})")
ALL_GAMES = "/v1/games"
OF_GAME = "/v1/games/{game_id}"
# What a reader may read: figures of a game, but nothing about single players and events. A reader changes
# nothing, and asks saved questions only. A new route is for producers until somebody adds it here.
FOR_READERS = frozenset(
    OF_GAME + path
    for path in (
        "/ad-spend",
        "/ads",
        "/annotations",
        "/dashboard",
        "/design",
        "/economy",
        "/explore",
        "/funnel",
        "/history",
        "/history/{table}",
        "/ingestion",
        "/live",
        "/live/stream",
        "/quality",
        "/questions",
        "/questions/{name}",
        "/questions/{name}/answer",
        "/realtime",
        "/realtime/dimensions",
        "/retention",
        "/summary",
        "/verdicts",
    )
)


class SignIn(msgspec.Struct, frozen=True):
    """The user pool's client, which Terraform sets in the environment; empty where nobody signs in."""

    sign_in_client_id: str = ""
    sign_in_issuer: str = ""
    sign_in_scope: str = ""
    sign_in_url: str = ""


class Person(NamedTuple):
    """Somebody who signed in, and their games: those of a producer, and those of a reader."""

    subject: str
    is_admin: bool
    producer_of: frozenset[str]
    reader_of: frozenset[str]

    def sees(self, game_id: str) -> bool:
        """Whether some answers about the game are for this person."""
        return self.is_admin or game_id in self.producer_of | self.reader_of

    def produces(self, game_id: str) -> bool:
        """Whether all routes of the game are for this person."""
        return self.is_admin or game_id in self.producer_of

    def may_ask(self, method: str, route: str, game_id: str) -> bool:
        """Whether a route of the game is for this person."""
        if self.produces(game_id):
            return True
        return game_id in self.reader_of and method == "GET" and route in FOR_READERS


class Caller(NamedTuple):
    """Who asks about a game: the name of the owner of what is saved, and what the caller may change."""

    name: str
    may_save: bool
    may_change_all: bool


def person(claims: Mapping[str, Any], client: SignIn) -> Person | None:
    """Return whom an access token names; None where it is of another client, issuer or kind.

    API Gateway takes an ID token in the place of an access token, and the token of any grant of the client.
    """
    expected = {
        "client_id": client.sign_in_client_id,
        "iss": client.sign_in_issuer,
        "token_use": "access",
    }
    if not client.sign_in_client_id or any(claims.get(name) != value for name, value in expected.items()):
        return None
    if client.sign_in_scope not in str(claims.get("scope", "")).split():
        return None
    if not isinstance(subject := claims.get("sub"), str) or not subject:
        return None
    groups = _groups(claims.get("cognito:groups"))
    named = [found.groups() for group in groups if (found := GROUP.fullmatch(group))]
    return Person(
        subject,
        ADMIN in groups,
        frozenset(game for role, game in named if role == "producer"),
        frozenset(game for role, game in named if role == "reader"),
    )


def _groups(claim: object) -> list[str]:
    """Return the names of groups. API Gateway writes a list as "[one two]"; names hold no spaces."""
    if isinstance(claim, list):
        return [group for group in claim if isinstance(group, str)]
    return claim[1:-1].split(" ") if isinstance(claim, str) and claim[:1] + claim[-1:] == "[]" else []


class Gate:
    """Lets a request from API Gateway as far as its authorizer let it; others come from this machine."""

    def __init__(self, app: ASGIApp, pages: Collection[str]) -> None:
        """Wrap the app, of which anybody opens these paths."""
        self.app, self.pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what no authorizer let in, and name the person of a token to the routes."""
        # Mangum adds the event. A client cannot write into what API Gateway says in it.
        if "aws.event" not in scope:
            await self.app(scope, receive, send)
            return
        path, found = scope["path"], scope["aws.event"].get("requestContext", {}).get("authorizer") or {}
        if found.get("iam") or (not found and (path in self.pages or path.startswith(ASSETS))):
            await self.app(scope, receive, send)
        elif "jwt" in found and path.startswith(f"{SIGNED_IN}{ALL_GAMES}"):
            asks = person(found["jwt"].get("claims") or {}, environment.parse(SignIn))
            if asks:
                path = path.removeprefix(SIGNED_IN)
                scope = {**scope, "path": path, "raw_path": path.encode(), "person": asks}
                await self.app(scope, receive, send)
            else:
                await problem(path, 403, "This token is not for the metrics.")(scope, receive, send)
        else:
            await problem(path, 404, "Not Found")(scope, receive, send)


def admitted(request: Request) -> None:
    """Refuse a person what their groups do not name, before anything of the game is read.

    The route has taken the game out of the path, so nothing is refused and answered by two readings of it.
    """
    asks: Person | None = request.scope.get("person")
    if asks is None or (path := request.scope["route"].path) == ALL_GAMES:
        return
    game_id = request.path_params.get("game_id", "")
    if not path.startswith(f"{OF_GAME}/") or not asks.may_ask(request.method, path, game_id):
        raise HTTPException(403, "Your account may not do this: ask who runs the platform for a group.")


def caller(request: Request) -> Caller:
    """Return who asks about the game in the path.

    IAM has judged the path and the method of a principal, so that its policy says what it may change.
    """
    asks: Person | None = request.scope.get("person")
    if asks:
        return Caller(asks.subject, asks.produces(request.path_params["game_id"]), asks.is_admin)
    found = request.scope.get("aws.event", {}).get("requestContext", {}).get("authorizer") or {}
    return Caller(found.get("iam", {}).get("userArn") or DEVELOPER, True, True)


Asks = Annotated[Caller, Depends(caller)]


def visible(request: Request) -> Callable[[str], bool]:
    """Return which games are listed. Raises HTTPException 403 for a person without any."""
    asks: Person | None = request.scope.get("person")
    if asks is None:
        return lambda game_id: True
    if not (asks.is_admin or asks.producer_of or asks.reader_of):
        raise HTTPException(403, "Your account is in no game's group: ask who runs the platform for one.")
    return asks.sees


Visible = Annotated[Callable[[str], bool], Depends(visible)]
