"""Each function's package and layer, started by awslambdaric on CPython 3.13, answers a real event."""

import base64
import gzip
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import fake_account
import lambda_runtime
import pytest
from lambda_runtime import ACCOUNT, REGION, Function, FunctionError, Package
from planned import SENDER, Plan
from privacy.data_stores import KEPT
from privacy.erasure import Game, Receipts
from telemetry import catalog
from telemetry.enrichment import timestamp
from telemetry.ingest_batch import IngestBatch, pack, unpack
from telemetry.player_item import Player, from_item, milliseconds, to_item
from tools import bytecode, games

GAME = "skyforge"
DAY = "2026-03-10"
FIRST = 49545115243490985018280067714973144582180062593244200961
# What Lambda's runtime brings and the functions import, by the top-level names of its modules.
FROM_THE_RUNTIME = {
    "awslambdaric",
    "boto3",
    "botocore",
    "dateutil",
    "runtime_client",
    "simplejson",
    "six",
    "urllib3",
}
Item = dict[str, Any]


@dataclass(slots=True)
class Cloud:
    """AWS that holds what prod plans, and the functions that were started in it."""

    aws: fake_account.Aws
    packages: dict[str, Package]
    directory: Path
    stack: ExitStack
    started: list[Function]

    def start(self, name: str, package: Package | None = None) -> Function:
        """Start a function in an execution environment of its own."""
        directory = self.directory / f"{name}-{len(self.started)}"
        running = lambda_runtime.running(package or self.packages[name], directory, self.aws.environment)
        function = self.stack.enter_context(running)
        self.started.append(function)
        return function

    def scheduled(self, name: str, schedule: str) -> Any:
        """Return the event of a schedule in the plan."""
        return self.aws.plan.scheduled(name, schedule)

    def measure(self, namespace: str, metric: str, dimensions: dict[str, str], value: float) -> None:
        """Let CloudWatch have a value of a metric, two minutes old."""
        point = {
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": text} for name, text in dimensions.items()],
            "Timestamp": datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2),
            "Value": value,
        }
        self.aws.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[point])

    def register(self) -> str:
        """Register the game, and return its key."""
        return games.add_game(self.aws.table("games"), GAME, "Skyforge")


@pytest.fixture
def cloud(functions: dict[str, Package], account: fake_account.Aws, tmp_path: Path) -> Iterator[Cloud]:
    account.create()
    started: list[Function] = []
    with ExitStack() as stack:
        yield Cloud(account, functions, tmp_path, stack, started)


def event_of(event_type: str, **fields: Any) -> Item:
    """Return the schema's example of an event, as it happens now."""
    folder = catalog.schema_directory() / event_type / "examples"
    event: Item = json.loads((folder / f"{event_type}.1-0-0.typical.pass.json").read_text())
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
    return event | {"event_id": str(uuid4()), "event_time": now, "sent_at": now} | fields


def rest_request(body: str, key: str, **authorizer: str) -> Item:
    """Return the event of a REST API with Lambda proxy integration."""
    headers = {"content-type": "application/json", "user-agent": "unity-2.3.0", "x-api-key": key}
    identity = {"sourceIp": "203.0.113.7", "userAgent": "unity-2.3.0", "apiKey": None}
    return {
        "resource": "/v1/events",
        "path": "/v1/events",
        "httpMethod": "POST",
        "headers": headers | {"CloudFront-Viewer-Country": "DE"},
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "abcdef1234",
            "authorizer": authorizer,
            "httpMethod": "POST",
            "identity": identity,
            "path": "/live/v1/events",
            "requestId": str(uuid4()),
            "resourceId": "a1b2c3",
            "resourcePath": "/v1/events",
            "stage": "live",
        },
        "body": body,
        "isBase64Encoded": False,
    }


def http_request(path: str, query: str = "") -> Item:
    """Return the event of an HTTP API, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"accept": "*/*", "host": f"abcdef1234.execute-api.{REGION}.amazonaws.com"},
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "abcdef1234",
            "authorizer": {"iam": {"accountId": ACCOUNT, "userArn": f"arn:aws:iam::{ACCOUNT}:user/ops"}},
            "domainName": f"abcdef1234.execute-api.{REGION}.amazonaws.com",
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "test",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "10/Mar/2026:12:00:00 +0000",
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }


def bytes_of(answer: Item) -> bytes:
    """Return the body that API Gateway sends on."""
    text: str = answer["body"]
    return base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()


def kinesis_batch(stream: str, *data: bytes) -> Item:
    """Return the event of a mapping from a stream."""
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "skyforge/p-000042",
                    "sequenceNumber": f"{FIRST + number}",
                    "data": base64.b64encode(record).decode(),
                    "approximateArrivalTimestamp": time.time(),
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{fake_account.SHARD}:{FIRST + number}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/mock",
                "awsRegion": REGION,
                "eventSourceARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/player-analytics-prod-{stream}",
            }
            for number, record in enumerate(data)
        ]
    }


def authorizer(cloud: Cloud) -> None:
    key = cloud.register()
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abcdef1234/live/POST/v1/events"
    request = {"type": "REQUEST", "methodArn": arn, "headers": {"X-Api-Key": key}, "pathParameters": {}}
    function = cloud.start("authorizer")
    answer = function.invoke(request)
    (statement,) = answer["policyDocument"]["Statement"]
    assert (answer["principalId"], statement["Effect"]) == (GAME, "Allow")
    assert statement["Resource"] == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abcdef1234/live/POST/*"
    (game,) = cloud.aws.table("games").scan()["Items"]
    (kept,) = game["key_hashes"]
    told = {"game_id": GAME, "key_class": "client", "key_id": kept["key_id"], "must_sign": "false"}
    assert answer["context"] == told
    # API Gateway answers 401 to exactly this message.
    with pytest.raises(FunctionError, match=r"^Unauthorized$"):
        function.invoke(request | {"headers": {"x-api-key": f"{GAME}.wrong"}})


def ingest(cloud: Cloud) -> None:
    key = cloud.register()
    good, bad = event_of("purchase"), event_of("purchase")
    del bad["player_id"]
    request = rest_request(json.dumps([good, bad]), key, game_id=GAME, must_sign="false", principalId=GAME)
    function = cloud.start("ingest")
    answer = function.invoke(request)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["accepted"], body["rejected"]) == (207, 1, 1)
    assert body["results"][0]["event_id"] == bad["event_id"]
    batches = [unpack(data) for data in cloud.aws.records("raw")]
    kept = {json.loads(raw)["event_id"]: batch for batch in batches if batch for raw in batch.events}
    assert kept.keys() == {good["event_id"], bad["event_id"]}
    assert (kept[good["event_id"]].game_id, kept[good["event_id"]].country) == (GAME, "DE")
    # API Gateway hands on a compressed body in base64.
    body = gzip.compress(json.dumps([event_of("session_start")]).encode())
    request |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    assert function.invoke(request)["statusCode"] == 202


def processor(cloud: Cloud) -> None:
    cloud.register()
    bought, came, nobody = event_of("purchase"), event_of("session_start"), event_of("session_start")
    del nobody["player_id"]
    arrived = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
    batch = pack(IngestBatch(GAME, arrived, "DE", [json.dumps(one).encode() for one in (bought, nobody)]))
    event = kinesis_batch("raw", batch, json.dumps(came).encode(), b"{no JSON")
    assert cloud.start("processor").invoke(event) == {"batchItemFailures": []}
    good = {bought["event_id"], came["event_id"]}
    assert {line["event_id"] for line in cloud.aws.lines("bronze/")} == good
    enriched = [json.loads(data) for data in cloud.aws.records("enriched")]
    assert {line["event_id"] for line in enriched} == good
    assert {line["country"] for line in enriched if line["event_id"] == bought["event_id"]} == {"DE"}
    reasons = sorted(line["reason"] for line in cloud.aws.lines("rejected/"))
    assert reasons == ["malformed_json", "schema_violation"]
    (counted,) = (
        row
        for row in cloud.aws.table("ingest-stats").scan()["Items"]
        if row["game_day"].startswith(f"{GAME}#")
    )
    assert (counted["arrived"], counted["accepted"]) == (3, 2)


def player_state(cloud: Cloud) -> None:
    read_twice(cloud, "player_state", "session_start", "purchase")
    scanned = cloud.aws.client("dynamodb").scan(TableName=cloud.aws.table("players").name)
    (player,) = map(from_item, scanned["Items"])
    assert (player.key, player.purchases, player.spend) == (f"{GAME}#p-000042", 1, {"EUR": 499})
    today = f"{GAME}#{datetime.now(UTC):%Y-%m-%d}"
    days = [row for row in cloud.aws.table("game-days").scan()["Items"] if row["game_day"] == today]
    assert sum(row.get("revenue_EUR", 0) for row in days) == 499


def leaderboards(cloud: Cloud) -> None:
    cloud.aws.table("boards").put_item(
        Item={"game_id": GAME, "board_id": "best", "title": "Best", "source": "weekly", "operator": "maximum"}
    )
    read_twice(cloud, "leaderboards", "score_submitted")
    (entry,) = cloud.aws.table("leaderboards").scan()["Items"]
    assert (entry["player_id"], entry["score"]) == ("p-000042", 15200)


def read_twice(cloud: Cloud, reader: str, *event_types: str) -> None:
    """Have a package read twice what the processor's package writes of events."""
    cloud.register()
    raw = kinesis_batch("raw", *(json.dumps(event_of(kind)).encode() for kind in event_types))
    assert cloud.start("processor").invoke(raw) == {"batchItemFailures": []}
    batch = kinesis_batch("enriched", *cloud.aws.records("enriched"))
    function = cloud.start(reader)
    for _ in range(2):
        assert function.invoke(batch) == {"batchItemFailures": []}


def metrics_api(cloud: Cloud) -> None:
    cloud.register()
    counted = {"active_players": 3, "events_session_start": 4, "purchases": 2, "revenue_EUR": 998}
    cloud.aws.table("game-days").put_item(
        Item={"game_day": f"{GAME}#{DAY}", "shard": "s", "updated_at": f"{DAY}T12:00:00.000Z", **counted}
    )
    function = cloud.start("metrics_api")
    answer = function.invoke(http_request(f"/v1/games/{GAME}/summary", f"from={DAY}&to={DAY}"))
    assert answer["statusCode"] == 200, answer
    (day,) = json.loads(answer["body"])["days"]
    assert (day["date"], day["active_players"], day["session_starts"], day["purchases"]) == (DAY, 3, 4, 2)
    assert function.invoke(http_request("/v1/games/other/summary"))["statusCode"] == 404
    assert function.invoke(http_request("/ready"))["statusCode"] == 200
    page = function.invoke(http_request("/"))
    assert (page["statusCode"], page["isBase64Encoded"]) == (200, False)
    assert page["headers"]["content-type"].startswith("text/html")
    files = re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css))"', page["body"])
    assert files
    for path in [*files, "/openapi.json", "/docs"]:
        request = http_request(path)
        plain = function.invoke(request)
        assert plain["statusCode"] == 200, path
        small = function.invoke(request | {"headers": request["headers"] | {"accept-encoding": "gzip"}})
        is_gzip = small["headers"].get("content-encoding") == "gzip"
        assert is_gzip == (len(bytes_of(plain)) >= 1024), path
        assert (gzip.decompress if is_gzip else bytes)(bytes_of(small)) == bytes_of(plain), path
    # Behind an HTTP API nothing streams: the page asks again and again.
    assert function.invoke(http_request(f"/v1/games/{GAME}/live/stream"))["statusCode"] == 501


def realtime_windows(cloud: Cloud) -> None:
    row = {
        "kind": "1m",
        "game_id": GAME,
        "platform": "*",
        "app_version": "*",
        "window_start": "2026-03-10T12:00:00Z",
        "window_end": "2026-03-10T12:01:00Z",
        "measures": '{"events.purchase":7}',
    }
    function = cloud.start("realtime_windows")
    assert function.invoke(kinesis_batch("metrics", json.dumps(row).encode())) == {"batchItemFailures": []}
    (item,) = cloud.aws.table("realtime").scan()["Items"]
    ends = int(datetime(2026, 3, 10, 12, 1, tzinfo=UTC).timestamp())
    assert item == {
        "series": f"{GAME}#1m#*#*",
        "window": "2026-03-10T12:00:00Z",
        "measures": '{"events.purchase":7}',
        "expires_at": ends + 48 * 3600,
    }


def scheduled_reports(cloud: Cloud) -> None:
    cloud.register()
    games.report_to(cloud.aws.table("games"), GAME, ["lead@example.com"])
    counted = {"active_players": 3, "events_session_start": 4, "purchases": 2, "revenue_EUR": 998}
    cloud.aws.table("game-days").put_item(
        Item={"game_day": f"{GAME}#{DAY}", "shard": "s", "updated_at": f"{DAY}T12:00:00.000Z", **counted}
    )
    function = cloud.start("scheduled_reports")
    for _ in range(2):
        assert function.invoke(cloud.scheduled("scheduled_reports", "day")) is None
    reports = cloud.aws.objects("reports/")
    assert reports.keys() == {f"reports/{GAME}/day/{DAY}.{form}" for form in ("csv", "html")}
    assert b"9.98" in reports[f"reports/{GAME}/day/{DAY}.csv"]
    (mail,) = cloud.aws.doubles.mails
    assert (mail["From"], mail["To"]) == (SENDER, "lead@example.com")
    pictures = [part.get_content() for part in mail.walk() if part.get_content_type() == "image/png"]
    assert pictures
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


def data_quality(cloud: Cloud) -> None:
    cloud.register()
    today = f"{GAME}#{datetime.now(UTC):%Y-%m-%d}"
    cloud.aws.table("ingest-stats").put_item(
        Item={"game_day": today, "shard": "1", "arrived": 1000, "accepted": 500, "rejected_future": 500}
    )
    function = cloud.start("data_quality")
    verdicts = function.invoke(cloud.scheduled("data_quality", "hour"))
    (kept,) = cloud.aws.table("quality").scan()["Items"]
    checks = {check["name"]: check["verdict"] for check in json.loads(kept["checks"])}
    assert kept["game_id"] == GAME
    assert {verdict: list(checks.values()).count(verdict) for verdict in checks.values()} == verdicts
    assert "fail" in verdicts
    # A batch run set the game aside.
    audit = {"faults": {GAME: ["daily: no rows"]}, "hour": f"{DAY}T00", "arrived": {}, "games": {}}
    cloud.aws.client("s3").put_object(
        Bucket=cloud.aws.bucket, Key="batch/runs/r-1/audit.json", Body=json.dumps(audit).encode()
    )
    function.invoke(cloud.scheduled("data_quality", "hour"))
    newest = max(cloud.aws.table("quality").scan()["Items"], key=lambda item: item["checked_at"])
    assert "daily: no rows" in newest["checks"]


def performance_advisor(cloud: Cloud) -> None:
    aws = cloud.aws
    queue = aws.client("sqs").create_queue(QueueName="mails")["QueueUrl"]
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:mock"
    aws.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:mails"
    )
    measured = {
        "AWS/Kinesis": ("StreamName", "player-analytics-prod-raw", "IncomingRecords", 7e6),
        "AWS/Lambda": ("FunctionName", "player-analytics-prod-processor", "Invocations", 5e4),
    }
    for namespace, (dimension, name, metric, value) in measured.items():
        cloud.measure(namespace, metric, {dimension: name}, value)
    answer = cloud.start("performance_advisor").invoke(cloud.scheduled("performance_advisor", "week"))
    newest = json.loads(aws.objects("advice/")["advice/newest.json"])
    assert answer["changes"] == len(newest["advice"])
    observations = newest["observations"]
    assert observations["unreadable"] == []
    tables = {table["name"]: table["on_demand"] for table in observations["tables"]}
    assert tables["player-analytics-prod-players"] is True
    (consumer,) = observations["consumers"]
    planned = aws.plan.functions()["processor"]
    assert (consumer["batch_size"], consumer["invocations_a_week"]) == (2000, 50_000)
    assert consumer["memory_mb"] == planned["memory_size"]
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["Subject"] == "Advice of the week"


def stream_scaling(cloud: Cloud) -> None:
    name = "player-analytics-prod-raw"
    # A shard takes a megabyte a second: 60 MB a minute.
    cloud.measure("AWS/Kinesis", "IncomingBytes", {"StreamName": name}, 55e6)
    function = cloud.start("stream_scaling")
    assert function.invoke(cloud.scheduled("stream_scaling", "minute")) == {name: 2}
    found = cloud.aws.client("kinesis").describe_stream_summary(StreamName=name)
    assert found["StreamDescriptionSummary"]["OpenShardCount"] == 2


def warehouse(cloud: Cloud) -> None:
    doubles = cloud.aws.doubles
    function = cloud.start("warehouse")
    (invocation,) = cloud.aws.plan.of("aws_lambda_invocation")
    outcome = function.invoke(json.loads(invocation["values"]["input"]))
    shipped = sorted(path.name for path in (function.package.task / "warehouse/migrations").iterdir())
    assert (outcome["state"], outcome["applied"]) == ("current", shipped)
    entered = [sql for sql in doubles.statements if sql.startswith("INSERT INTO warehouse.migrations")]
    assert len(entered) == len(shipped) >= 6
    # Values of the environment stand where the files have placeholders.
    assert any("player-analytics-prod-enriched" in sql for sql in doubles.statements)
    assert not any("{{" in sql for sql in doubles.statements)
    refresh = cloud.scheduled("warehouse", "refresh")
    assert function.invoke(refresh)["state"] == "current"


def privacy(cloud: Cloud) -> None:
    """The warehouse's function, which this one invokes, is the packaged one as well."""
    aws, doubles = cloud.aws, cloud.aws.doubles
    cloud.register()
    game = Game(GAME, games.privacy_key(aws.table("games"), GAME))
    before, erased = (datetime.now(UTC) - timedelta(minutes=age) for age in (2, 1))
    receipt = {"game_id": GAME, "pseudonym": game.name("ann"), "started_at": timestamp(erased)}
    first = Receipts(aws.client("s3"), aws.bucket).keep(receipt)
    # An earlier event of ann arrives late; the event of bob stays.
    lines = [
        json.dumps({"game_id": GAME, "player_id": player, "corrected_time": timestamp(before)})
        for player in ("ann", "bob")
    ]
    aws.client("s3").put_object(Bucket=aws.bucket, Key="bronze/1", Body="\n".join(lines).encode())
    for player in ("ann", "bob"):
        profile = to_item(Player(GAME, player, milliseconds(timestamp(before))))
        aws.client("dynamodb").put_item(TableName=aws.table("players").name, Item=profile)
    # Silver holds one row of the player, and none after it was deleted; the kept tables hold none. Each
    # statement takes an answer: count, DELETE where there are rows, ALTER, OPTIMIZE, and the search again.
    none: list[str] = ["event_id"]
    aws.answer_athena(["held", "1"], *[none] * 4, *[["held", "0"], *[none] * 3] * len(KEPT))

    def rows() -> list[list[str | int]]:
        deleted = any(sql.startswith("DELETE FROM warehouse.fact_events") for sql in doubles.statements)
        return [] if deleted else [["fact_events", 2]]

    doubles.results["SELECT 'dim_player'"] = rows
    warehouse = cloud.start("warehouse")
    doubles.functions[warehouse.package.name] = warehouse.invoke
    assert cloud.start("privacy").invoke(cloud.scheduled("privacy", "night")) == {"erased": 1}
    assert [line["player_id"] for line in aws.lines("bronze/")] == ["bob"]
    versions = aws.client("s3").list_object_versions(Bucket=aws.bucket, Prefix="bronze/")["Versions"]
    assert len(versions) == 1, "an older version still holds the player"
    assert [item["player"] for item in aws.table("players").scan()["Items"]] == [f"{GAME}#bob"]
    (kept,) = (json.loads(body) for key, body in aws.objects("privacy/erased/").items() if key != first)
    deleted = {step["store"]: step["deleted"] for step in kept["steps"]}
    assert deleted == {
        "bronze": 1, "errors": 0, "leaderboards": 0, "profile": 1, "recent events": 0, "rejected": 0,
        "silver": 1, "warehouse": 2,
    } | dict.fromkeys(KEPT, 0)  # fmt: skip


EVENTS: dict[str, Callable[[Cloud], None]] = {
    scenario.__name__: scenario
    for scenario in (
        authorizer,
        data_quality,
        ingest,
        leaderboards,
        metrics_api,
        performance_advisor,
        player_state,
        privacy,
        processor,
        realtime_windows,
        scheduled_reports,
        stream_scaling,
        warehouse,
    )
}


def test_every_planned_function_has_an_event(plan: Plan) -> None:
    assert plan.functions().keys() == EVENTS.keys()


@pytest.mark.parametrize("name", EVENTS)
def test_the_package_answers_a_real_event(
    name: str, cloud: Cloud, record_property: Callable[[str, object], None]
) -> None:
    EVENTS[name](cloud)
    for function in cloud.started:
        report = function.report()
        memory = f"{report['peak_mb']:.0f} of {function.package.configuration['memory_size']} MB"
        start = f"started with {report['init_cpu_ms']:.0f} ms of CPU"
        record_property("summary", f"{function.package.name}: {start}, used {memory}")
        judge(function, report)


def judge(function: Function, report: Item) -> None:
    """The function used what Lambda gives it, and no more."""
    places = (function.package.task, function.package.opt, lambda_runtime.ENVIRONMENT)
    homes = {f"{place.resolve()}/": place for place in places}
    found: dict[Path | None, set[str]] = {}
    for name, file in report["modules"].items():
        home = next((place for path, place in homes.items() if file.startswith(path)), None)
        standard = re.search(r"/lib/python3\.13/(?!site-packages/)", file)
        if home or not (standard or file.endswith("/runtime/bootstrap.py")):
            found.setdefault(home, set()).add(name.partition(".")[0])
    assert None not in found, "modules that Lambda has not"
    # boto3 imports s3transfer for S3 alone. setuptools, which builds packages here, starts by a hook.
    assert found[lambda_runtime.ENVIRONMENT] - {"s3transfer", "_distutils_hack"} == FROM_THE_RUNTIME
    assert report["peak_mb"] < function.package.configuration["memory_size"]
    assert report["temporary"] == [], "files are left in the temporary directory"
    for line in function.log.splitlines():
        json.loads(line)
    assert not re.search(rf"{GAME}\.[\w-]{{43}}|@example\.com", function.log), "a key or an address is logged"


@pytest.mark.parametrize(
    ("system", "message"), [("darwin", "run tests/packages on Linux"), ("linux", "pyenv install 3.13")]
)
def test_a_machine_that_cannot_run_them_says_what_it_lacks(
    system: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr(bytecode, "interpreter", lambda: None)
    assert message in lambda_runtime.missing()


def made(package: Package, directory: Path, code: str, **configuration: Any) -> Package:
    """Return a package whose handler is this code, in the place of a function's own."""
    (directory / "made").mkdir(parents=True)
    (directory / "made" / "handler.py").write_text(code)
    found = {**package.configuration, "handler": "made.handler.lambda_handler", **configuration}
    return replace(package, configuration=found, task=directory)


@pytest.fixture
def authorizer_copy(functions: dict[str, Package], tmp_path: Path) -> Package:
    """A copy of a package for a mistake to be made in."""
    package = functions["authorizer"]
    return replace(package, task=Path(shutil.copytree(package.task, tmp_path / "copy")))


def test_a_package_without_one_of_its_modules_does_not_start(cloud: Cloud, authorizer_copy: Package) -> None:
    (authorizer_copy.task / "authorizer" / "identity.py").unlink()
    with pytest.raises(FunctionError, match=r"No module named 'authorizer\.identity'") as failure:
        cloud.start("authorizer", authorizer_copy).invoke({})
    assert (failure.value.kind, failure.value.initialised) == ("Runtime.ImportModuleError", False)


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("authorizer.handler.main", "Runtime.HandlerNotFound"),
        ("authorizer.main.lambda_handler", "Runtime.ImportModuleError"),
        ("handler", "Runtime.MalformedHandlerName"),
    ],
)
def test_a_wrong_handler_does_not_start(
    handler: str, kind: str, cloud: Cloud, functions: dict[str, Package]
) -> None:
    package = functions["authorizer"]
    wrong = replace(package, configuration={**package.configuration, "handler": handler})
    with pytest.raises(FunctionError) as failure:
        cloud.start("authorizer", wrong).invoke({})
    assert (failure.value.kind, failure.value.initialised) == (kind, False)


def test_a_variable_that_is_not_planned_is_missed(cloud: Cloud, functions: dict[str, Package]) -> None:
    package = functions["authorizer"]
    variables = {**package.configuration["environment"][0]["variables"]}
    del variables["GAMES_TABLE"]
    lacking = replace(
        package, configuration={**package.configuration, "environment": [{"variables": variables}]}
    )
    request = {
        "methodArn": "arn:aws:execute-api:r:a:api/live/POST/v1/events",
        "headers": {"x-api-key": "a.b"},
    }
    with pytest.raises(FunctionError, match="games_table"):
        cloud.start("authorizer", lacking).invoke(request)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("open(__file__ + '.cache', 'w')", "Read-only file system"),
        ("import os; os.mkdir(os.environ['LAMBDA_TASK_ROOT'] + '/cache')", "Read-only file system"),
        (f"open({str(Path(__file__))!r})", "Not there on Lambda"),
        ("import moto", "No module named 'moto'"),
        ("import tools", "No module named 'tools'"),
        ("return 'x' * 7_000_000", "more than Lambda takes"),
    ],
)
def test_what_lambda_refuses_is_refused_here(
    code: str, message: str, cloud: Cloud, functions: dict[str, Package], tmp_path: Path
) -> None:
    package = made(
        functions["authorizer"], tmp_path / "task", f"def lambda_handler(event, context):\n    {code}\n"
    )
    with pytest.raises(FunctionError, match=message):
        cloud.start("authorizer", package).invoke({})
