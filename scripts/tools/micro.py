"""Run the way of an event in one process, for a game developer's machine and a game's own CI.

The REST API, the processor, player state, recent events, the metrics API and the page run on tables and
streams in memory. Nothing is kept when the process ends. `GET /micro/good` and `GET /micro/bad` show what
became of the events, `GET /micro/all` how many they are, and `POST /micro/reset` forgets them.
"""

import argparse
import base64
import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from telemetry import catalog
from telemetry.decoding import decompress
from telemetry.key_classes import KeyClass
from telemetry.lake_reader import Query, Result, Unanswered, Version

from tools import Arguments, CommandError, emulator, games, port, progress, run
from tools.tables import KEYS, make_tables
from tools.tail import printable

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

PORT = 9090
GAME = "my-game"
# Known to everybody, and valid nowhere else.
SECRETS: dict[KeyClass, str] = {
    "client": "micro-client-key-for-development",
    "server": "micro-server-key-for-development",
}
KEPT = 10_000
PAUSE_SECONDS = 0.1
STREAMS = ("raw", "enriched")
# As in infrastructure/modules/ingest/responses.tf.
REFUSALS = {
    "ACCESS_DENIED": (
        403, "game_disabled", "the game is disabled, or its keys are: a day's events are used up",
    ),
    "UNAUTHORIZED": (
        401, "bad_key", "no live key of a registered game, <game_id>.<secret> in x-api-key",
    ),
}  # fmt: skip
SETTINGS = {
    **{f"{name.upper()}_TABLE": name for name in KEYS},
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "test",
    "BRONZE_DELIVERY_STREAM": "bronze",
    "DEDUPE_WINDOW_HOURS": "24",
    "ENRICHED_STREAM": "enriched",
    # The emulator's MQTT and SFTP would listen on ports that another copy wants too.
    "IOT_MTLS_ENABLED": "0",
    "LIMITS": json.dumps({"events_a_day": 20_000_000, "events_a_minute": 200_000}),
    "POWERTOOLS_LOG_LEVEL": "ERROR",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "micro",
    "POWERTOOLS_SERVICE_NAME": "micro",
    "RAW_STREAM": "raw",
    "REJECTED_DELIVERY_STREAM": "rejected",
    "SFTP_ENABLED": "0",
    "TEST_STREAM": "raw",
}

Line = dict[str, Any]
Message = MutableMapping[str, Any]
Handler = Callable[[dict[str, Any], object], dict[str, Any]]


@dataclass(slots=True)
class Outcomes:
    """What became of the events: the latest, and how many there were."""

    say: Callable[[str], None] = print
    kept: dict[str, deque[Line]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Begin with none."""
        self.reset()

    def reset(self) -> None:
        """Forget them."""
        self.kept = {"good": deque(maxlen=KEPT), "bad": deque(maxlen=KEPT)}
        self.counts.clear()

    def take(self, stream: str, data: bytes) -> None:
        """Keep what the processor gives to one of the delivery streams."""
        kind = "good" if stream == SETTINGS["BRONZE_DELIVERY_STREAM"] else "bad"
        for text in decompress(data).splitlines():
            line = json.loads(text)
            self.kept[kind].append(line)
            self.counts[kind] += 1
            self.say(described(kind, line))

    def shown(self, kind: str, wanted: dict[str, str]) -> list[Line]:
        """Return the latest of a kind, oldest first, whose fields have the wanted values."""
        return [
            line for line in self.kept[kind] if all(str(line.get(name)) == wanted[name] for name in wanted)
        ]


def described(kind: str, line: Line) -> str:
    """Return a line for people."""
    if kind == "good":
        return printable(f"accepted  {line['event_type']}  {line['player_id']}  {line['event_id']}")
    return printable(f"rejected  {line['reason']}  at {line.get('pointer') or '/'}: {line['message']}")


@dataclass(slots=True)
class Delivery:
    """An ASGI application before the emulator: it takes what goes to Firehose, and passes all else on."""

    app: Callable[..., Any]
    outcomes: Outcomes

    async def __call__(
        self, scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]
    ) -> None:
        """Answer a call of the AWS API."""
        headers = dict(scope.get("headers", ()))
        if headers.get(b"x-amz-target") != b"Firehose_20150804.PutRecordBatch":
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        call = json.loads(body)
        for record in call["Records"]:
            self.outcomes.take(call["DeliveryStreamName"], base64.b64decode(record["Data"]))
        answer = {
            "FailedPutCount": 0,
            "RequestResponses": [{"RecordId": str(uuid4())}] * len(call["Records"]),
        }
        kind = {"Content-Type": "application/x-amz-json-1.1"}
        await JSONResponse(answer, headers=kind)(scope, receive, send)


@dataclass(slots=True)
class Consumer:
    """Gives the records of a stream to a function, as Lambda does, from the first one on."""

    kinesis: "KinesisClient"
    stream: str
    handler: Handler
    _iterator: str = ""

    def read(self) -> int:
        """Hand over what has come; return how many records the function took."""
        if not self._iterator:
            self._iterator = self._from(ShardIteratorType="TRIM_HORIZON")
        answer = self.kinesis.get_records(ShardIterator=self._iterator, Limit=1000)
        self._iterator = answer["NextShardIterator"]
        if not answer["Records"]:
            return 0
        records = [
            {
                "eventID": f"shardId-000000000000:{record['SequenceNumber']}",
                "kinesis": {
                    "sequenceNumber": record["SequenceNumber"],
                    "partitionKey": record["PartitionKey"],
                    "data": base64.b64encode(record["Data"]).decode(),
                    "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
                },
            }
            for record in answer["Records"]
        ]
        failures = self.handler({"Records": records}, None)["batchItemFailures"]
        if failures:
            first = failures[0]["itemIdentifier"]
            self._iterator = self._from(ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=first)
            return [record["SequenceNumber"] for record in answer["Records"]].index(first)
        return len(records)

    def _from(self, **place: Any) -> str:
        (shard,) = self.kinesis.list_shards(StreamName=self.stream)["Shards"]
        return self.kinesis.get_shard_iterator(StreamName=self.stream, ShardId=shard["ShardId"], **place)[
            "ShardIterator"
        ]


@dataclass(slots=True)
class Micro:
    """The functions on their tables. One call of a function runs at a time, as in one copy of it."""

    outcomes: Outcomes
    authorize: Handler
    ingest: Handler
    consumers: list[Consumer]
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def post(self, request: Line) -> Line:
        """Answer what API Gateway would hand over: the authorizer first, then ingest."""
        with self._lock:
            try:
                found = self.authorize(
                    {**request, "methodArn": "arn:aws:execute-api:local:0:micro/v1/POST/events"}, None
                )
            except Exception:
                return refusal("UNAUTHORIZED")
            (statement,) = found["policyDocument"]["Statement"]
            if statement["Effect"] != "Allow":
                return refusal("ACCESS_DENIED")
            context = {"requestId": str(uuid4()), "authorizer": found["context"]}
            return self.ingest({**request, "requestContext": context}, None)

    def drain(self) -> None:
        """Process all that was sent until now."""
        with self._lock:
            while sum([consumer.read() for consumer in self.consumers]):
                pass

    def reset(self) -> None:
        """Forget all events; the game and its keys stay."""
        with self._lock:
            self.drain()
            self.outcomes.reset()
            dynamodb = boto3.resource("dynamodb")
            for name in KEYS.keys() - {"games"}:
                table = dynamodb.Table(name)
                with table.batch_writer() as batch:
                    for item in table.scan()["Items"]:
                        batch.delete_item(
                            Key={key["AttributeName"]: item[key["AttributeName"]] for key in table.key_schema}
                        )


def refusal(kind: str) -> Line:
    """Return what API Gateway answers for the authorizer."""
    status, code, message = REFUSALS[kind]
    body = json.dumps({"error": {"code": code, "message": message}})
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body}


class NoLake:
    """Stands for the lake, which micro does not have."""

    def version(self, table: str) -> Version:
        """Raise Unanswered."""
        raise Unanswered(f"micro computes no history, so there is no {table}: `make demo` does")

    def run(self, query: Query, version: Version) -> Result:
        """Raise Unanswered."""
        raise Unanswered("micro computes no history: `make demo` does")


class OwnPages:
    """Answers no page of another site: neither by a name of its own that leads here, nor by a link to /micro.

    An address, or a name without a dot such as `localhost`, is nobody's domain. A page of any origin may send
    events, as a web game does.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to other sites."""
        if scope["type"] == "http":
            request = Request(scope)
            name = request.url.hostname or ""
            is_foreign = "." in name and not _is_address(name)
            is_linked = request.url.path.startswith("/micro") and (
                request.headers.get("sec-fetch-site") == "cross-site"
            )
            if is_foreign or is_linked:
                told = f"micro answers by address or localhost, not to pages of other sites: {name}"
                await JSONResponse({"error": told}, 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def app(micro: Micro, metrics_api: Any) -> Starlette:
    """Return the web application: the REST API, /micro, and the metrics API with its page."""

    async def take(request: Request) -> Response:
        body = base64.b64encode(await request.body()).decode()
        given = {
            "body": body,
            "headers": dict(request.headers),
            "isBase64Encoded": True,
            "pathParameters": request.path_params or None,
        }
        answer = await run_in_threadpool(micro.post, given)
        return Response(answer["body"], answer["statusCode"], answer["headers"])

    async def preflight(request: Request) -> Response:
        names = {
            "Access-Control-Allow-Headers": request.headers.get("access-control-request-headers", "*"),
            "Access-Control-Allow-Methods": "OPTIONS,POST",
            "Access-Control-Allow-Origin": "*",
        }
        return Response(status_code=204, headers=names)

    def show(kind: str) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            await run_in_threadpool(micro.drain)
            return JSONResponse(micro.outcomes.shown(kind, dict(request.query_params)))

        return answer

    async def count(request: Request) -> Response:
        await run_in_threadpool(micro.drain)
        return JSONResponse(_counted(micro.outcomes))

    async def reset(request: Request) -> Response:
        await run_in_threadpool(micro.reset)
        return JSONResponse(_counted(micro.outcomes))

    doors = ("/v1/events", "/applications/{application_id}/events", "/v1/compat/{vendor}/{proxy:path}")
    return Starlette(
        routes=[
            *(Route(path, take, methods=["POST"]) for path in doors),
            *(Route(path, preflight, methods=["OPTIONS"]) for path in doors),
            *(Route(f"/micro/{kind}", show(kind)) for kind in ("good", "bad")),
            Route("/micro/all", count),
            Route("/micro/reset", reset, methods=["GET", "POST"]),
            Mount("/", metrics_api),
        ],
        middleware=[Middleware(OwnPages)],
    )


def _counted(outcomes: Outcomes) -> dict[str, int]:
    return {"total": outcomes.counts.total(), "good": outcomes.counts["good"], "bad": outcomes.counts["bad"]}


def build(game: str, address: str, outcomes: Outcomes) -> Starlette:
    """Start what holds tables and streams, register the game, and return the application.

    Sets the variables that Terraform sets on AWS. The functions' modules read them when they are used first.
    """
    at = emulator.free_port()
    os.environ.update(SETTINGS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{at}", "INGEST_URL": address})
    logging.disable(logging.INFO)
    from ministack import app as ministack  # type: ignore[import-untyped]

    _serve(Delivery(ministack.app, outcomes), at)
    dynamodb, kinesis = boto3.resource("dynamodb"), boto3.client("kinesis")
    make_tables(dynamodb)
    for stream in STREAMS:
        kinesis.create_stream(StreamName=stream, ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 0})
    games.add_game(dynamodb.Table("games"), game, game)
    for key_class, secret in SECRETS.items():
        games.import_key(dynamodb.Table("games"), game, secret, key_class)
    # These read the environment when they are imported or used first.
    from authorizer import handler as authorizer
    from ingest import handler as ingest
    from leaderboards import handler as leaderboards
    from metrics_api.app import app as metrics_api
    from metrics_api.lake_answers import lake_reader
    from player_state import handler as player_state
    from processor import handler as processor

    metrics_api.dependency_overrides[lake_reader] = NoLake
    consumers = [
        Consumer(kinesis, "raw", processor.lambda_handler),
        Consumer(kinesis, "enriched", player_state.lambda_handler),
        Consumer(kinesis, "enriched", leaderboards.lambda_handler),
    ]
    micro = Micro(outcomes, authorizer.lambda_handler, ingest.lambda_handler, consumers)
    threading.Thread(target=_follow, args=(micro,), daemon=True).start()
    return app(micro, metrics_api)


def _follow(micro: Micro) -> None:
    while True:
        micro.drain()
        time.sleep(PAUSE_SECONDS)


def _serve(application: Any, at: int, host: str = "127.0.0.1") -> uvicorn.Server:
    """Serve an application on a local port from a thread; return when it answers."""
    server = uvicorn.Server(uvicorn.Config(application, host, at, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    progress.wait_for(f"a server on port {at}", lambda: server.started)
    return server


def _watch(state: Callable[[], object], say: Callable[[str], None]) -> None:
    """Begin anew, with nothing kept, whenever a schema changes."""
    known = state()
    while state() == known:
        time.sleep(PAUSE_SECONDS)
    say("A schema has changed: micro begins anew.")
    os.execv(sys.executable, [sys.executable, "-P", "-m", "tools.micro", *sys.argv[1:]])


def _schemas() -> list[tuple[str, int]]:
    return [(str(path), path.stat().st_mtime_ns) for path in catalog.files(catalog.schema_directory())]


def _expectation(text: str) -> tuple[str, int]:
    kind, _, number = text.partition("=")
    if kind not in ("good", "bad") or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither good=N nor bad=N")
    return kind, int(number)


def judged(outcomes: Outcomes, expected: Iterable[tuple[str, int]]) -> list[str]:
    """Return how the events differ from what is expected, and what was refused for which reason."""
    wrong = [
        f"{outcomes.counts[kind]} {kind} events, expected {number}"
        for kind, number in expected
        if outcomes.counts[kind] != number
    ]
    return wrong + [described("bad", line) for line in outcomes.kept["bad"]] if wrong else []


def main() -> None:
    """Serve until stopped, or as long as a command runs; then hold the events against what was expected."""
    parser = Arguments(
        prog="scripts/micro",
        description=__doc__,
        examples=(
            "scripts/micro --game my-game",
            "scripts/micro --expect good=12 --expect bad=0 -- npm test",
        ),
    )
    parser.add_argument("--game", default=GAME, help=f"id of the game (default: {GAME})")
    parser.add_argument("--port", type=port, default=PORT, help=f"where it listens (default: {PORT})")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container (default: 127.0.0.1)")
    parser.add_argument("--watch", action="store_true", help="begin anew when a schema changes")
    parser.add_argument(
        "--expect",
        type=_expectation,
        action="append",
        default=[],
        metavar="KIND=N",
        help="good=N or bad=N: exit with 1 unless the command's events are so many",
    )
    parser.add_argument("command", nargs="*", help="a command to run against it; micro ends with it")
    options = parser.parse_args()
    if options.expect and not options.command:
        raise CommandError("--expect needs a command: scripts/micro --expect bad=0 -- npm test")
    if emulator.is_taken(options.port):
        raise CommandError(f"port {options.port} is taken: choose another with --port {options.port + 1}")
    began = time.monotonic()
    # The functions write their logs and metrics to standard output.
    screen, sys.stdout = sys.stdout, Path(os.devnull).open("w")  # noqa: SIM115 - open until the end

    def say(text: str) -> None:
        print(text, file=screen, flush=True)

    outcomes = Outcomes(say)
    address = f"http://127.0.0.1:{options.port}"
    _serve(build(options.game, address, outcomes), options.port, options.host)
    keys = {kind: f"{options.game}.{secret}" for kind, secret in SECRETS.items()}
    say(
        f"Micro took {time.monotonic() - began:.1f} s to start. Nothing is kept when it ends.\n"
        f"  Send events    POST {address}/v1/events\n"
        f"  x-api-key      {keys['client']}   (of a server: {keys['server']})\n"
        f"  See them       {address}/?game={options.game}   and {address}/micro/good, /micro/bad"
    )
    if options.watch:
        threading.Thread(target=_watch, args=(_schemas, say), daemon=True).start()
    if not options.command:
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
        return
    told = {"MICRO_URL": address, "MICRO_KEY": keys["client"], "MICRO_SERVER_KEY": keys["server"]}
    status = subprocess.run(options.command, env={**os.environ, **told}, check=False).returncode
    with httpx.Client(base_url=address) as client:
        client.get("/micro/all").raise_for_status()
    if wrong := judged(outcomes, options.expect):
        raise CommandError("\n".join(wrong))
    sys.exit(status)


if __name__ == "__main__":
    run(main)
