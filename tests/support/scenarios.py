"""Each function with something to do, on AWS in memory: what its caller hears, and what it leaves behind."""

import importlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import boto3
from authorizer.identity import Unauthorized
from emulated_warehouse import VALUES
from fake_aws import encode, outcomes, records, register
from fastapi.testclient import TestClient
from faults import Answer
from httpx import Response
from ingest_requests import post, sign
from lake_audit import leave_audit
from lambda_context import Context
from moto.athena.models import athena_backends
from moto.s3.models import s3_backends
from moto.sesv2.models import ses_backends
from player_events import happen, pay, write
from telemetry import ad_spend, lake
from telemetry.ad_spend import Spend
from telemetry.enrichment import enrich, timestamp
from telemetry.ingest_batch import unpack
from telemetry.origin import Origin
from telemetry.player_item import Player, milliseconds, to_item
from telemetry.validation import validate
from tools import games
from window_rows import row

ORDER = {"period": "day", "scheduled": "2026-03-11T05:00:00Z"}
WEEKLY = {"period": "week", "scheduled": "2026-03-16T06:00:00Z"}
NOW, ACCOUNT, REGION = datetime.now(UTC), "123456789012", "us-east-1"
# Of a game, the same in each scenario: pseudonyms can be compared.
KEY = b"k" * 32
MakeEvent = Callable[..., dict[str, Any]]

STATE_EVENTS = ("session_start", "purchase", "score_submitted", "score_submitted")

WATCHED = {
    "consumers": {"batch": "consumer"},
    "flink": "f",
    "spark": "arn:s",
    "streams": {"shards": "raw"},
    "tables": ["players"],
}
ENVIRONMENT = {
    "ALERTS_SOURCE": "player-analytics",
    "ATHENA_WORKGROUP": "analysts",
    "BRONZE_DELIVERY_STREAM": "bronze",
    "CONFIGURATION_SET": "reports",
    "DATABASE": "d",
    "DEDUPE_WINDOW_HOURS": "24",
    "ENRICHED_STREAM": "enriched",
    "HISTORY_EVERY_HOURS": "24",
    "LAKE_BUCKET": "lake",
    "LAKE_DATABASE": "silver",
    "METRICS_FUNCTION": "metrics-api",
    "LIMITS": json.dumps({"events_a_day": 1_000_000, "events_a_minute": 100_000}),
    "RAW_STREAM": "raw",
    "REJECTED_DELIVERY_STREAM": "rejected",
    "RETENTION_HOURS": "48",
    "SECRET_ARN": "arn:secret",
    "SENDER": "reports@example.com",
    "STREAMS": json.dumps({"raw": {"minimum": 1, "maximum": 2, "readers": 1}}),
    "TOPIC_ARN": "arn:topic",
    "VALUES": json.dumps(VALUES),
    "WAREHOUSE_FUNCTION": "warehouse",
    "WATCHED": json.dumps(WATCHED),
    "WEBHOOKS_SECRET": "webhooks",
    "WORKGROUP": "warehouse",
}


def counted(body: bytes) -> dict[str, Any]:
    """Answer a query of Athena's: one row of silver is the player's, or one player has one event."""
    asked = athena().executions[json.loads(body)["QueryExecutionId"]].query
    values = ["held", "1"] if "count(*)" in asked else ["event_id"]
    return {"ResultSet": {"Rows": [{"Data": [{"VarCharValue": value}] * 2} for value in values]}}


# What moto does not answer as AWS does.
POINT = {"Timestamp": NOW, "Sum": 9e6, "Average": 40.0, "Maximum": 90.0}
CANNED: dict[str, Answer] = {
    "athena.GetQueryResults": counted,
    "glue.GetTable": {"Table": {"Parameters": {"metadata_location": "s3://lake/1.json"}, "UpdateTime": NOW}},
    "cloudwatch.GetMetricData": {
        "MetricDataResults": [{"Id": "incomingrecords", "Timestamps": [NOW], "Values": [9e6]}]
    },
    "cloudwatch.GetMetricStatistics": {"Datapoints": [POINT]},
    "kinesisanalyticsv2.DescribeApplication": {
        "ApplicationDetail": {
            "ApplicationConfigurationDescription": {
                "FlinkApplicationConfigurationDescription": {
                    "ParallelismConfigurationDescription": {"Parallelism": 2, "ParallelismPerKPU": 1}
                }
            }
        }
    },
    "lambda.GetFunctionConfiguration": {"MemorySize": 512},
    "lambda.Invoke": lambda body: {"Payload": BytesIO(b"{}")},
    "lambda.ListEventSourceMappings": {
        "EventSourceMappings": [
            {"EventSourceArn": "arn:stream/raw", "BatchSize": 100, "MaximumBatchingWindowInSeconds": 2}
        ]
    },
    "redshift-data.BatchExecuteStatement": {"Id": "b"},
    "redshift-data.DescribeStatement": {"Status": "FINISHED"},
    "redshift-data.ExecuteStatement": {"Id": "e"},
    "redshift-data.GetStatementResult": {"Records": []},
    "redshift-data.ListStatements": {"Statements": [{"Id": "x", "Status": "FINISHED"}]},
    "sns.Publish": {"MessageId": "m"},
}


@dataclass(frozen=True)
class Scenario:
    """A function with something to do: `invoke` says what its caller hears, `state` what it left behind."""

    invoke: Callable[[], str]
    state: Callable[[], Any] = lambda: None


def authorizer(make_event: MakeEvent) -> Scenario:
    from authorizer.handler import lambda_handler

    key = games.add_game(boto3.resource("dynamodb").Table("games"), "skyforge", "Skyforge")
    request = {"headers": {"x-api-key": key}, "methodArn": "arn:a:b:c:d:api/live/POST/v1/events"}

    def invoke() -> str:
        try:
            return "done" if lambda_handler(request, None)["policyDocument"] else "denied"
        except Unauthorized:
            return "refused for ever"

    return Scenario(invoke)


def ingest(make_event: MakeEvent) -> Scenario:
    boto3.client("kinesis").create_stream(StreamName="raw", ShardCount=1)
    key = games.add_game(boto3.resource("dynamodb").Table("games"), "skyforge", "Skyforge")
    body = encode([make_event("purchase", player_id=f"p-{n % 3}") for n in range(6)])  # type: ignore[arg-type]

    def invoke() -> str:
        status, answer, headers = post(body, key, x_signature=sign(key, body))
        if answer.get("accepted") == 6:
            return "done"
        return "503" if status == 503 and headers["retry-after"] else str(answer)

    def state() -> set[str]:
        batches = [unpack(data) for data in kept("raw")]
        return {json.loads(event)["event_id"] for batch in batches if batch for event in batch.events}

    return Scenario(invoke, state)


def processor(make_event: MakeEvent) -> Scenario:
    from processor.handler import lambda_handler

    boto3.client("kinesis").create_stream(StreamName="enriched", ShardCount=1)
    for name in ("bronze", "rejected"):
        deliver(name)
    game = {"game_id": "skyforge", "status": "active", "pseudonyms": "on", "privacy_key": KEY}
    boto3.resource("dynamodb").Table("games").put_item(Item=game)
    good = [encode(make_event("purchase", player_id=f"p-{n % 3}", sequence=40 * n)) for n in range(4)]
    denied = make_event("purchase", privacy={"analytics_storage": "denied"})
    batch = records(*good[:2], b"{no", good[0], encode(denied), b"\n".join(good[2:]))
    for record in batch:
        record["kinesis"]["approximateArrivalTimestamp"] = NOW.timestamp()

    def invoke() -> str:
        return listen(batch, lambda left: lambda_handler({"Records": left}, None))

    def state() -> Any:
        rejected = {(line["reject_id"], line["reason"]) for line in delivered("rejected/")}
        bronze, enriched = (
            {(event["event_id"], event["player_id"]) for event in events}
            for events in (delivered("bronze/"), map(json.loads, kept("enriched")))
        )
        return bronze, enriched, rejected, outcomes(rows("ingest_stats"))

    return Scenario(invoke, state)


def player_state(make_event: MakeEvent) -> Scenario:
    from player_state.handler import lambda_handler

    batch = of_enriched(make_event(kind, player_id=f"p-{n}") for n in range(3) for kind in STATE_EVENTS)

    def invoke() -> str:
        return listen(batch, lambda left: lambda_handler({"Records": left}, None))

    return Scenario(invoke, lambda: stored("players", "game_days"))


def leaderboards(make_event: MakeEvent) -> Scenario:
    from leaderboards.handler import lambda_handler

    events = [make_event("score_submitted", player_id=f"p-{n % 3}") for n in range(6)]
    board = {"game_id": "skyforge", "board_id": "sum", "title": "Sum", "operator": "increment"}
    boards = boto3.resource("dynamodb").Table("boards")
    boards.put_item(Item=board | {"source": events[0]["payload"]["leaderboard"]})
    batch = of_enriched(events)

    def invoke() -> str:
        return listen(batch, lambda left: lambda_handler({"Records": left}, None))

    return Scenario(invoke, lambda: stored("game_days", "leaderboards"))


def of_enriched(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records of the enriched stream that the processor makes of events."""
    return records(*(encode(enrich(validate(event), Origin(NOW, "rest"))) for event in events))


def stored(*tables: str) -> list[list[str]]:
    """Return what tables hold, but for what each write changes."""
    changing = ("updated_at", "expires_at", "version", "applied")
    return [
        sorted(str(sorted((k, v) for k, v in item.items() if k not in changing)) for item in rows(table))
        for table in tables
    ]


def realtime_windows(make_event: MakeEvent) -> Scenario:
    from realtime_windows.handler import lambda_handler

    alert = {"game_id": "skyforge", "alert": "crash_spike", "subject": "", "observed": 9.0, "reference": 1.0}
    # Old alerts are not sent, and a test may run long after it was collected.
    alert |= {"kind": "alert", "window_end": timestamp(datetime.now(UTC))}
    batch = records(*map(encode, [*(row(n, {"events": n}) for n in range(30)), alert]))
    invoke = lambda: listen(batch, lambda left: lambda_handler({"Records": left}, None))  # noqa: E731

    def state() -> Any:
        # What remembers an alert says whether it is still to be sent, and until when alerts were told.
        changing = ("expires_at", "quiet_until", "told", "window", "window_end")
        return sorted(
            str([*sorted((k, v) for k, v in item.items() if k not in changing), "told" in item])
            for item in rows("realtime")
        )

    return Scenario(invoke, state)


def scheduled_reports(make_event: MakeEvent) -> Scenario:
    from scheduled_reports.handler import lambda_handler

    boto3.client("sesv2").create_email_identity(EmailIdentity="reports@example.com")
    boto3.client("sesv2").create_configuration_set(ConfigurationSetName="reports")
    boto3.client("secretsmanager").create_secret(Name="webhooks", SecretString="{}")
    register(boto3.resource("dynamodb"), "skyforge")
    write(happen(), pay(1, 300))
    boto3.client("athena").create_work_group(Name="analysts")
    cost = ad_spend.item("skyforge", Spend(date(2026, 3, 9), "north", "", "EUR", 5_000_000))
    boto3.resource("dynamodb").Table("game_days").put_item(Item=cost)

    def invoke() -> str:
        # The schedules come twice: the second finds that all is sent.
        failures = []
        for order in (ORDER, WEEKLY, ORDER, WEEKLY):
            try:
                lambda_handler(order, Context())
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return "done"

    def state() -> Any:
        files = boto3.client("s3").list_objects_v2(Bucket="lake").get("Contents", [])
        mails = ses_backends[ACCOUNT][REGION].sent_messages
        return {item["Key"] for item in files}, len(mails)

    return Scenario(invoke, state)


def data_quality(make_event: MakeEvent) -> Scenario:
    from data_quality.handler import lambda_handler

    register(boto3.resource("dynamodb"), "skyforge")
    leave_audit("good")

    def invoke() -> str:
        lambda_handler({}, Context())
        return "done"

    def state() -> set[str]:
        found = [json.loads(item["checks"]) for item in rows("quality")]
        return {str([(check["name"], check["verdict"]) for check in checks]) for checks in found}

    return Scenario(invoke, state)


def performance_advisor(make_event: MakeEvent) -> Scenario:
    from performance_advisor.handler import lambda_handler

    s3 = boto3.client("s3")
    boto3.client("kinesis").create_stream(StreamName="raw", ShardCount=1)

    def invoke() -> str:
        lambda_handler({}, Context())
        # Read beside boto3: only the function's own calls count here.
        newest = json.loads(s3_backends[ACCOUNT]["aws"].get_object("lake", "advice/newest.json").value)
        return "told" if newest["observations"]["unreadable"] else "done"

    def state() -> Any:
        return {item["Key"] for item in s3.list_objects_v2(Bucket="lake").get("Contents", [])}

    return Scenario(invoke, state)


def privacy(make_event: MakeEvent) -> Scenario:
    from privacy.erasure import Game, Receipts, signed
    from privacy.handler import lambda_handler

    s3, dynamodb = boto3.client("s3"), boto3.resource("dynamodb")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    boto3.client("athena").create_work_group(Name="analysts")
    game = {"game_id": "skyforge", "privacy_key": KEY}
    dynamodb.Table("games").put_item(Item=game)
    moment = timestamp(NOW - timedelta(minutes=1))
    receipt = {"game_id": "skyforge", "pseudonym": Game.of(game).name("ann"), "started_at": moment}
    Receipts(s3, "lake").keep(signed(receipt))
    # Both came before ann was erased, and were on their way.
    earlier = {"game_id": "skyforge", "corrected_time": timestamp(NOW - timedelta(minutes=2))}
    events = [earlier | {"player_id": player} for player in ("ann", "bob")]
    for key in ("bronze/1", "bronze/2"):
        s3.put_object(Bucket="lake", Key=key, Body=b"\n".join(map(encode, events)))
    for player in ("ann", "bob"):
        profile = to_item(Player("skyforge", player, milliseconds(moment)))
        boto3.client("dynamodb").put_item(TableName="players", Item=profile)
        dynamodb.Table("leaderboards").put_item(Item={"board": "skyforge#sum", "player_id": player})

    def invoke() -> str:
        lambda_handler({}, Context())
        return "done"

    def state() -> Any:
        versions = s3.list_object_versions(Bucket="lake", Prefix="bronze/")["Versions"]
        held = [
            sorted(lake.raw_lines(s3, "lake", version["Key"], version["VersionId"])) for version in versions
        ]
        asked = {run.query for run in athena().executions.values()}
        return held, asked, [sorted(map(str, rows(table))) for table in ("players", "leaderboards")]

    return Scenario(invoke, state)


def stream_scaling(make_event: MakeEvent) -> Scenario:
    from stream_scaling.handler import lambda_handler

    kinesis = boto3.client("kinesis")
    kinesis.create_stream(StreamName="raw", ShardCount=1)

    def invoke() -> str:
        for _ in range(2):
            lambda_handler({}, Context())
        return "done"

    def state() -> Any:
        return kinesis.describe_stream_summary(StreamName="raw")["StreamDescriptionSummary"]["OpenShardCount"]

    return Scenario(invoke, state)


def metrics_api(make_event: MakeEvent) -> Scenario:
    from metrics_api.app import app

    register(boto3.resource("dynamodb"), "skyforge")
    boto3.client("athena").create_work_group(Name="analysts")
    player_state(make_event).invoke()
    leaderboards(make_event).invoke()
    importlib.import_module("telemetry.store").store.cache_clear()
    asked = {"game_id": "skyforge", "player_id": "p-2", "board_id": "sum", "table": "daily", "name": "kept"}
    asked |= {"event_type": "purchase", "schema_version": "1-0-0"}
    # Pages and documents read nothing.
    paths = [
        path.format(**asked)
        for path, operations in app.openapi()["paths"].items()
        if re.match("/v1|/ready", path) and "get" in operations
    ]
    query = f"/v1/games/skyforge/queries/{go_on('skyforge')}"
    more = {"friends": {"player_ids": "p-2,p-0"}, "verdicts": {"experiment": "gate"}}
    document = {"kind": "cohort", "event": "purchase"}
    questions = "/v1/games/skyforge/questions"
    of_questions = [path for path in paths if path.startswith(questions)]

    def save(client: TestClient) -> Iterator[Response]:
        """Save two questions, read one, and delete the other."""
        yield (listed := client.get(questions))
        versions = {one["name"]: one["version"] for one in listed.json()["questions"]}
        for name in ("gone", "kept"):
            body = {"title": name, "question": document, "version": versions.get(name, 0)}
            yield client.put(f"{questions}/{name}", json=body)
        for path in of_questions:
            yield client.get(path)
        yield client.delete(f"{questions}/gone")

    def requests(client: TestClient) -> Iterator[Response]:
        for path in paths:
            if path not in of_questions:
                yield client.get(path, params=more.get(path.rpartition("/")[2], {}))
        yield client.delete(query)
        # Each step needs the one before it: whoever is refused begins again.
        for answer in save(client):
            yield answer
            if not answer.is_success:
                return

    def invoke() -> str:
        heard = set()
        with TestClient(app, raise_server_exceptions=False) as client:
            for answer in requests(client):
                is_503 = answer.status_code == 503 and answer.headers["retry-after"]
                heard.add("503" if is_503 else "done" if answer.is_success else f"{answer.url} {answer.text}")
        return max(heard - {"done"}, default="done")

    return Scenario(invoke, lambda: {row["name"]: row["title"] for row in rows("saved_questions")})


def warehouse(make_event: MakeEvent) -> Scenario:
    from warehouse.handler import lambda_handler

    def invoke() -> str:
        for action in ("status", "migrate", "refresh", "find", "erase"):
            player = {"game_id": "skyforge", "player_ids": ["ann"]}
            lambda_handler({"action": action} | player, Context())  # type: ignore[arg-type]
        return "done"

    return Scenario(invoke)


def listen(batch: list[Any], handle: Callable[[list[Any]], Any]) -> str:
    """Hand a batch in twice, as happens; where it is handed back from a record on, that is heard."""
    for _ in range(2):
        if handle(batch)["batchItemFailures"]:
            return "again"
    return "done"


def athena() -> Any:
    return athena_backends[ACCOUNT][REGION]


def go_on(game: str) -> str:
    """Return the id of a game's query that runs until somebody stops it."""
    started = boto3.client("athena").start_query_execution(
        QueryString=f"/* game: {game} */\nSELECT 1",
        ResultConfiguration={"OutputLocation": "s3://lake/results"},
        WorkGroup="analysts",
    )
    execution = athena().executions[started["QueryExecutionId"]]
    execution._transitions, execution._status = [], "RUNNING"
    return str(execution.id)


def rows(table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = boto3.resource("dynamodb").Table(table).scan()["Items"]
    return found


def kept(stream: str) -> list[bytes]:
    """Return what a stream of one shard holds."""
    kinesis = boto3.client("kinesis")
    shard = {"StreamName": stream, "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    found = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**shard)["ShardIterator"])["Records"]
    return [record["Data"] for record in found]


def deliver(name: str) -> None:
    """Make a delivery stream into the lake."""
    to = {
        "RoleARN": "arn:aws:iam::123456789012:role/r",
        "BucketARN": "arn:aws:s3:::lake",
        "Prefix": f"{name}/",
    }
    boto3.client("firehose").create_delivery_stream(
        DeliveryStreamName=name, ExtendedS3DestinationConfiguration=to
    )


def delivered(prefix: str) -> list[dict[str, Any]]:
    s3 = boto3.client("s3")
    return [line for key in lake.keys(s3, "lake", prefix) for line in lake.lines(s3, "lake", key)]


MAKERS: dict[str, Callable[[MakeEvent], Scenario]] = {
    maker.__name__: maker
    for maker in (
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


def reset() -> None:
    """Begin new execution environments: what they keep is dropped."""
    modules = [f"{function}.handler" for function in MAKERS]
    for name in (*modules, "telemetry.lake_reader", "metrics_api.lake_answers", "telemetry.store"):
        for value in vars(importlib.import_module(name)).values():
            if hasattr(value, "cache_clear") and not isinstance(value, type):
                value.cache_clear()
