"""Send one event to an environment's REST API, and wait until the metrics API tells of its player."""

import os
import re
import time
from queue import Queue
from typing import Any
from uuid import uuid4

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from player_analytics import Client, Settings

from tools import CommandError, Parser, emulator, infrastructure, metrics_api, run
from tools.simulate import Platform

WAIT_SECONDS = 120
PAUSE_SECONDS, POLL_SECONDS = 1.0, 0.05
# For one request, so that a cold start has time.
ANSWER_SECONDS = 30


class Signed(httpx.Auth):
    """Signs requests to the metrics API with one's own credentials."""

    def auth_flow(self, request: httpx.Request) -> Any:
        """Add the headers of signature version 4."""
        session = boto3.Session()
        if (credentials := session.get_credentials()) is None:
            raise CommandError("the metrics API wants signed requests, and there are no AWS credentials")
        named = re.search(r"\.execute-api\.([a-z0-9-]+)\.", request.url.host)
        region = named[1] if named else session.region_name or "us-east-1"
        signed = AWSRequest(request.method, str(request.url), data=request.content)
        SigV4Auth(credentials, "execute-api", region).add_auth(signed)
        request.headers.update(dict(signed.headers))
        yield request


def smoke(platform: Platform, game_id: str, key: str, wait_seconds: float = WAIT_SECONDS) -> float:
    """Return the seconds from sending to seeing. Raises CommandError where nothing comes to be seen."""
    if (owner := key.partition(".")[0]) != game_id:
        raise CommandError(f"the key is one of {owner}, not of {game_id}")
    player, began = f"smoke-{uuid4()}", time.monotonic()
    _send(platform.ingest_url, key, player, wait_seconds)
    while time.monotonic() - began < wait_seconds:
        seen = platform.api.get(f"/v1/games/{game_id}/players/{player}")
        if seen.status_code == httpx.codes.OK:
            return time.monotonic() - began
        if seen.status_code != httpx.codes.NOT_FOUND:
            raise CommandError(f"the metrics API answered {seen.status_code}: {seen.text[:300]}")
        time.sleep(PAUSE_SECONDS)
    raise CommandError(f"the player of the event was not seen within {wait_seconds:.0f} seconds")


def _send(url: str, key: str, player: str, wait_seconds: float) -> None:
    """Begin a session of a player; raises CommandError with the first answer that says no."""
    problems: Queue[str] = Queue()
    settings = Settings(
        batch_seconds=0,
        heartbeat_seconds=0,
        signature="beside_key",
        timeout_seconds=ANSWER_SECONDS,
        longest_retry_seconds=PAUSE_SECONDS,
        on_problem=problems.put,
    )
    client = Client(url, key, {"platform": "linux", "app_version": "0.0.0"}, settings)
    until = time.monotonic() + wait_seconds
    try:
        client.start_session(player)
        is_sent = False
        while not is_sent:
            is_sent = client.flush(POLL_SECONDS)
            while not problems.empty():
                problem = problems.get()
                # API Gateway takes up to minutes to know the usage plan of a game that was just registered.
                if "no_usage_plan" not in problem or time.monotonic() >= until:
                    raise CommandError(_explained(url, problem))
    finally:
        client.close(0)


def _explained(url: str, problem: str) -> str:
    """Say where nothing answers, and what to do."""
    is_away = "cannot be reached" in problem
    return f"{url}: {problem}. `make demo` starts what this machine serves" if is_away else problem


def main() -> None:
    """Smoke-test an environment with a game of its own."""
    parser = Parser(
        prog="scripts/smoke", description=__doc__, examples=("GAME_KEY=the-key scripts/smoke --game my-game",)
    )
    parser.add_argument("--api", help="address of the metrics API (default: Terraform's output, signed)")
    parser.add_argument("--game", default=os.environ.get("GAME"), help="a registered game (default: GAME)")
    options = parser.parse_args()
    key = os.environ.get("GAME_KEY")
    if not (options.game and key):
        parser.error("GAME_KEY in the environment and --game, or GAME, name a game to send as")
    if options.environment == "local":
        os.environ.update(emulator.local_environment())
    outputs = infrastructure.outputs(options.environment)
    local = options.environment == "local"
    address = options.api or (metrics_api.current().address if local else outputs["metrics_api"]["url"])
    with httpx.Client(base_url=address, auth=None if local else Signed(), timeout=30) as api:
        seconds = smoke(Platform(outputs, api), options.game, key)
    print(f"An event was seen {seconds:.1f} s after it was sent.")


if __name__ == "__main__":
    run(main)
