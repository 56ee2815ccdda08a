"""AWS for functions in other processes: moto's server, and the calls that moto has no behaviour for."""

import base64
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import boto3
import httpx
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from lambda_runtime import ACCOUNT, REGION
from planned import Plan
from tools.emulator import free_port

Item = dict[str, Any]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/mock"
# What boto3 calls the services that the doubles answer for.
DOUBLED = ("KINESIS_ANALYTICS_V2", "LAMBDA", "REDSHIFT_DATA", "SESV2")
JSON_SERVICES = {
    "KinesisAnalytics_20180523": "kinesisanalyticsv2",
    "RedshiftData": "redshift-data",
}
SHARD = "shardId-000000000000"


@contextmanager
def moto_server(directory: Path) -> Iterator[str]:
    """Run moto's server with the account of the plan in a process of its own; yield its address."""
    port = free_port()
    environment = {**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT}
    with (directory / "moto.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        while not _answers(address):
            assert process.poll() is None, (directory / "moto.log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/moto-api/data.json", timeout=300).is_success
    except httpx.HTTPError:
        return False


class Doubles(ThreadingHTTPServer):
    """What moto has no behaviour for: Redshift, SES's SendEmail, Flink applications, and Lambda.

    The warehouse takes every statement; `results` makes the rows of those that begin in some way.
    """

    daemon_threads = True

    def __init__(self, plan: Plan) -> None:
        """Serve what is planned, on a free port."""
        self.plan = plan
        super().__init__(("127.0.0.1", 0), _DoublesHandler)
        self.reset()
        Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Return where it serves."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def reset(self) -> None:
        """Begin anew."""
        self.statements: list[str] = []
        self.results: dict[str, Callable[[], list[list[str | int]]]] = {}
        self.mails: list[EmailMessage] = []
        self.functions: dict[str, Callable[[Any], Any]] = {}
        self._asked: dict[str, list[str]] = {}

    def answer(self, target: str, url: str, request: Item) -> Item:
        """Answer a call: of the JSON protocol by its target, of the REST protocol by its path."""
        path, _, query = url.partition("?")
        if target:
            _validate(target, request)
        match target or path.rstrip("/").rpartition("/")[2]:
            case "RedshiftData.ExecuteStatement" | "RedshiftData.BatchExecuteStatement":
                statements = request.get("Sqls") or [request["Sql"]]
                self.statements += statements
                identifier = f"5d4c2b1a-0000-4000-8000-{len(self._asked):012}"
                self._asked[identifier] = statements
                return {"Id": identifier}
            case "RedshiftData.DescribeStatement":
                return {"Id": request["Id"], "Status": "FINISHED"}
            case "RedshiftData.GetStatementResult":
                (statement,) = self._asked[request["Id"]]
                rows = [
                    row
                    for start, make in self.results.items()
                    if statement.startswith(start)
                    for row in make()
                ]
                return {"Records": [[_cell(value) for value in row] for row in rows]}
            case "RedshiftData.ListStatements":
                return {"Statements": []}
            case "KinesisAnalytics_20180523.DescribeApplication":
                parallelism = {"ConfigurationType": "CUSTOM", "Parallelism": 2, "ParallelismPerKPU": 1}
                flink = {"ParallelismConfigurationDescription": parallelism}
                described = {"FlinkApplicationConfigurationDescription": flink}
                return {"ApplicationDetail": {"ApplicationConfigurationDescription": described}}
            case "outbound-emails":
                raw = base64.b64decode(request["Content"]["Raw"]["Data"])
                self.mails.append(message_from_bytes(raw, policy=policy.default))
                return {"MessageId": str(len(self.mails))}
            case "invocations":
                answer: Item = self.functions[path.split("/")[-2]](request)
                return answer
            case "configuration":
                return self._function(path.split("/")[-2])
            case "event-source-mappings":
                return {"EventSourceMappings": self._mappings(dict(parse_qsl(query))["FunctionName"])}
        raise AssertionError(f"nothing answers {target or path}")

    def _function(self, name: str) -> Item:
        (found,) = (one for one in self.plan.functions().values() if one["function_name"] == name)
        return {"FunctionName": name, "MemorySize": found["memory_size"], "Timeout": found["timeout"]}

    def _mappings(self, function: str) -> list[Item]:
        """Return the mapping of a function, which its module plans beside it."""
        package = function.removeprefix("player-analytics-prod-").replace("-", "_")
        return [
            {
                "BatchSize": mapping["values"]["batch_size"],
                "EventSourceArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/player-analytics-prod-raw",
                "MaximumBatchingWindowInSeconds": mapping["values"]["maximum_batching_window_in_seconds"],
            }
            for mapping in self.plan.of("aws_lambda_event_source_mapping")
            if f".{package}." in mapping["address"]
        ]


def _validate(target: str, request: Item) -> None:
    """Check a request against the service's model, for the functions' clients do not."""
    prefix, _, operation = target.partition(".")
    model = ServiceModel(Loader().load_service_model(JSON_SERVICES[prefix], "service-2"))
    report = ParamValidator().validate(request, model.operation_model(operation).input_shape)
    assert not report.has_errors(), f"{target}: {report.generate_report()}"


def _cell(value: str | int) -> Item:
    return {"stringValue": value} if isinstance(value, str) else {"longValue": value}


class _DoublesHandler(BaseHTTPRequestHandler):
    server: Doubles

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        body = json.dumps(
            self.server.answer(self.headers.get("X-Amz-Target", ""), self.path, request)
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Aws:
    """An account that holds what the plan creates, and nothing else."""

    plan: Plan
    address: str
    doubles: Doubles
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that tell a function where AWS is."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            **{f"AWS_ENDPOINT_URL_{service}": self.doubles.address for service in DOUBLED},
        }

    def client(self, service: str) -> Any:
        """Return a client of the test."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service, endpoint_url=self.address, region_name=REGION,
                aws_access_key_id="testing", aws_secret_access_key="testing",
            )  # fmt: skip
        return self._clients[service]

    def table(self, name: str) -> Any:
        """Return a table by the last part of its name."""
        return boto3.resource(
            "dynamodb", endpoint_url=self.address, region_name=REGION,
            aws_access_key_id="testing", aws_secret_access_key="testing",
        ).Table(f"player-analytics-prod-{name}")  # fmt: skip

    @property
    def bucket(self) -> str:
        """Return the lake's bucket."""
        (bucket,) = self.plan.of("aws_s3_bucket")
        return str(bucket["values"]["bucket"])

    def create(self) -> None:
        """Delete everything, and create what the plan has."""
        httpx.post(f"{self.address}/moto-api/reset", timeout=300).raise_for_status()
        self.doubles.reset()
        for table in self.plan.of("aws_dynamodb_table"):
            self.client("dynamodb").create_table(**_table(table["values"]))
        for stream in self.plan.of("aws_kinesis_stream"):
            self.client("kinesis").create_stream(StreamName=stream["values"]["name"], ShardCount=1)
        s3 = self.client("s3")
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        for delivery in self.plan.of("aws_kinesis_firehose_delivery_stream"):
            name = delivery["values"]["name"]
            destination = {
                "BucketARN": f"arn:aws:s3:::{self.bucket}",
                "BufferingHints": {"IntervalInSeconds": 300, "SizeInMBs": 128},
                "Prefix": f"{name.rpartition('-')[2]}/",
                "RoleARN": ROLE,
            }
            self.client("firehose").create_delivery_stream(
                DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination
            )
        # ARNs of the plan end so.
        self.client("sns").create_topic(Name="mock")
        for workgroup in self.plan.of("aws_athena_workgroup"):
            self.client("athena").create_work_group(Name=workgroup["values"]["name"])

    def records(self, stream: str) -> list[bytes]:
        """Return what a stream holds."""
        kinesis, name = self.client("kinesis"), f"player-analytics-prod-{stream}"
        iterator = kinesis.get_shard_iterator(
            StreamName=name, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return [record["Data"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]]

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Return the objects of the lake below a prefix, unzipped."""
        s3 = self.client("s3")
        keys = [
            item["Key"] for item in s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        ]
        bodies = {key: s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}
        return {
            key: gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
            for key, body in bodies.items()
        }

    def answer_athena(self, *columns: list[str]) -> None:
        """Let the next queries of Athena answer with these columns: a name, and its values."""
        results = [
            {"rows": [{"Data": [{"VarCharValue": value}]} for value in column], "column_info": []}
            for column in columns
        ]
        answers = {"account_id": ACCOUNT, "region": REGION, "results": results}
        path = f"{self.address}/moto-api/static/athena/query-results"
        httpx.post(path, json=answers, timeout=300).raise_for_status()

    def lines(self, prefix: str) -> list[Item]:
        """Return the NDJSON of the lake below a prefix."""
        return [json.loads(line) for body in self.objects(prefix).values() for line in body.splitlines()]


def _table(values: Item) -> Item:
    """Return the call that creates a table as Terraform's provider makes it."""
    keys = [(values["hash_key"], "HASH"), (values["range_key"], "RANGE")]
    call = {
        "TableName": values["name"],
        "AttributeDefinitions": [
            {"AttributeName": one["name"], "AttributeType": one["type"]} for one in values["attribute"]
        ],
        "KeySchema": _schema(keys),
        "BillingMode": values["billing_mode"],
    }
    indexes = [
        {
            "IndexName": index["name"],
            "KeySchema": _schema([(index["hash_key"], "HASH"), (index["range_key"], "RANGE")]),
            "Projection": {"ProjectionType": index["projection_type"]},
        }
        for index in values["global_secondary_index"]
    ]
    return call | ({"GlobalSecondaryIndexes": indexes} if indexes else {})


def _schema(keys: list[tuple[str | None, str]]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in keys if name]
