"""The REST API on a local port, and the network in front of it: a relay that fails as networks do."""

import base64
import contextlib
import gzip
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from authorizer.identity import Unauthorized, identify
from ingest import handler
from ingest.publisher import Publisher
from ingest_requests import rest_api_settings
from telemetry import delivery
from telemetry.decoding import decode
from telemetry.games import GameRegistry
from telemetry.ingest_batch import unpack
from tools import games

GAME = "skyforge"
Event = dict[str, Any]


class Stream:
    """Kinesis that keeps what it takes, and refuses the records whose partition key `refuses` names."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.refuses: Callable[[str], bool] = lambda key: False

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        answers: list[dict[str, Any]] = []
        for record in Records:
            if self.refuses(record["PartitionKey"]):
                answers.append({"ErrorCode": "ProvisionedThroughputExceededException"})
            else:
                self.records.append(record["Data"])
                answers.append({})
        return {"Records": answers}

    def events(self) -> list[Event]:
        """Return what arrived, in its order, repetitions included."""
        batches = [batch for data in self.records if (batch := unpack(data))]
        return [json.loads(raw) for batch in batches if not batch.refusal for raw in batch.events]


@dataclass
class RestApi:
    """The functions authorizer and ingest as API Gateway puts them together; `requests` counts answers."""

    key: str
    stream: Stream
    registry: GameRegistry
    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: Counter[int] = field(default_factory=Counter)
    # Those that the authorizer found; it counts a request without one against the small plan.
    key_ids: list[str] = field(default_factory=list)

    def post(
        self, headers: dict[str, str], body: bytes, refuses: Callable[[str], bool] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Return the answer to POST /v1/events. Tables in memory are not safe among threads."""
        with self.lock:
            self.stream.refuses = refuses or (lambda key: False)
            try:
                found = identify(headers.get("x-api-key", ""), None, self.registry)
            except Unauthorized:
                return 401, {}, b'{"error": {"code": "bad_key", "message": "no live key"}}'
            self.key_ids.append(found.key_id)
            context = {"game_id": found.game["game_id"], "must_sign": str(found.must_sign).lower()}
            request = {
                "headers": headers,
                "body": base64.b64encode(body).decode(),
                "isBase64Encoded": True,
                "pathParameters": None,
                "requestContext": {"authorizer": context},
            }
            answer = handler.lambda_handler(request, None)
            self.answers[answer["statusCode"]] += 1
            return answer["statusCode"], answer["headers"], answer["body"].encode()


@contextmanager
def rest_api(monkeypatch: pytest.MonkeyPatch, dynamodb: Any) -> Iterator[RestApi]:
    """Run the function ingest on tables in memory, with one registered game."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    rest_api_settings(monkeypatch)
    stream = Stream()
    monkeypatch.setattr(handler, "publisher", lambda: Publisher(stream, "raw"))
    key = games.add_game(boto3.resource("dynamodb").Table("games"), GAME, "Skyforge")
    yield RestApi(key, stream, GameRegistry(dynamodb, "games"))
    handler.registry.cache_clear()
    handler.settings.cache_clear()


# What can happen to a request. Each is one request's; "none" is a good network.
FAULTS = (
    "none",
    "refuse",  # the connection ends before the request arrives
    "lose_answer",  # the request arrives, its answer does not
    "delay",
    "repeat",  # the request arrives twice
    "throttle",  # 429 with Retry-After
    "unavailable",  # 503 from API Gateway
    "partly",  # 207: the stream does not take every record
    "none_stored",  # 503: the stream takes no record
    "garbage",  # 202 from something that is not the REST API
)


# A cold start, which "slow" stands for. Storms do without it.
SLOW_SECONDS = 4.0


@dataclass
class Seen:
    """A request at the relay: when it came, what it held, what it met, and the status of the answer."""

    at: datetime
    events: list[Event]
    headers: dict[str, str]
    fault: str
    size: int
    status: int = 0


class Relay:
    """An HTTP server before the REST API, whose faults `plan` chooses by the number of the request."""

    def __init__(self, api: RestApi, plan: Callable[[int], str] = lambda number: "none") -> None:
        self.api, self.plan = api, plan
        self.requests: list[Seen] = []
        self.retry_after = "1"
        # How far the platform's clock is ahead of this machine's, in seconds.
        self.clock_ahead = 0.0
        self._lock = threading.Lock()
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                relay.answer(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a request, or do to it what the plan says."""
        body = request.rfile.read(int(request.headers["content-length"]))
        headers = {name.lower(): value for name, value in request.headers.items()}
        text = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        with self._lock:
            fault = self.plan(len(self.requests))
            found = [each.value for each in decode(text)]
            seen = Seen(datetime.now(UTC), found, headers, fault, len(body))
            self.requests.append(seen)
        request.close_connection = True
        if fault == "refuse":
            return
        status, answered, answer = self._forward(fault, headers, body)
        seen.status = status
        if fault == "lose_answer":
            return
        with contextlib.suppress(OSError):
            request.send_response_only(status)
            now = datetime.fromtimestamp(time.time() + self.clock_ahead, UTC)
            request.send_header("date", format_datetime(now, usegmt=True))
            for name, value in (
                answered | {"content-length": str(len(answer)), "connection": "close"}
            ).items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(answer)

    def _forward(self, fault: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        match fault:
            case "throttle":
                answer = b'{"error": {"code": "throttled", "message": "too many requests"}}'
                return 429, {"retry-after": self.retry_after}, answer
            case "unavailable":
                return 503, {"retry-after": "0"}, b'{"error": {"code": "unavailable", "message": "again"}}'
            case "garbage":
                return 202, {}, b"<html>Welcome to our hotel</html>"
            case "delay":
                time.sleep(0.1)
            case "slow":
                time.sleep(SLOW_SECONDS)
            case "repeat":
                self.api.post(headers, body)
        # Of "p-0", "p-1" and so on every second player.
        refuses = {"partly": lambda key: int(key[-1]) % 2 == 1, "none_stored": lambda key: True}.get(fault)
        status, answered, answer = self.api.post(headers, body, refuses)
        return status, answered | ({"retry-after": "0"} if status == 503 else {}), answer


def storm(seed: int, calm_after: int, faults: Sequence[str] = FAULTS) -> Callable[[int], str]:
    """Return a plan of every fault, in a random order that `seed` names, and then of a good network."""
    dice = random.Random(seed)
    # Each fault comes before one comes twice.
    order: list[str] = []
    while len(order) < calm_after:
        order += dice.sample(list(faults), len(faults))
    return lambda number: order[number] if number < calm_after else "none"
