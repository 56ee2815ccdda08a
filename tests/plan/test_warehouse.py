"""The warehouse on AWS: what it reads of the lake, how it reaches it, and a second plan that is clean."""

import fnmatch
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from redshift_on_postgres import declared

Resource = dict[str, Any]
Run = Callable[..., str]

# EC2's API reference: what the description of a group or rule may hold, up to 255 characters.
DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")

# The configuration of the module, with what its workgroup names on AWS written out.
ROOT = """
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  access_key                  = "x"
  region                      = "eu-west-1"
  secret_key                  = "x"
  skip_credentials_validation = true
  skip_requesting_account_id  = true

  endpoints {
    redshiftserverless = "%s"
  }
}
"""
# As AWS answered in autumn 2026: the last one is none that the provider accepts.
DEFAULTS = {
    "auto_mv": "true",
    "datestyle": "ISO, MDY",
    "enable_case_sensitive_identifier": "false",
    "enable_user_activity_logging": "true",
    "max_query_execution_time": "14400",
    "query_group": "default",
    "require_ssl": "true",
    "search_path": "$user, public",
    "use_fips_ssl": "false",
    "enable_large_strings_opt_in": "false",
}


@pytest.fixture
def prod(applied: Callable[[str], list[Resource]]) -> list[Resource]:
    """Return the resources of prod, which has a warehouse."""
    return applied("prod")


def _of(resources: list[Resource], kind: str) -> list[Resource]:
    return [resource["values"] for resource in resources if resource["type"] == kind]


def _tables(prod: list[Resource], layer: str) -> dict[str, Resource]:
    """Return the storage of a layer's tables in the Glue catalog, by name."""
    storage = {it["name"]: it["storage_descriptor"][0] for it in _of(prod, "aws_glue_catalog_table")}
    return {name: it for name, it in storage.items() if f"/{layer}/" in it["location"]}


def _statements(prod: list[Resource], role: str) -> dict[str, Any]:
    (policy,) = [
        resource["values"]["policy"]
        for resource in prod
        if resource["type"] == "aws_iam_role_policy" and f'redshift_role["{role}"]' in resource["address"]
    ]
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


@pytest.mark.parametrize("layer", ["gold", "silver"])
def test_external_tables_have_the_columns_of_the_glue_catalog(prod: list[Resource], layer: str) -> None:
    """The warehouse's SQL is tried on tables with the columns of `declared`."""
    catalog = {
        name: {column["name"]: column["type"] for column in storage["columns"]}
        for name, storage in _tables(prod, layer).items()
    }
    assert catalog == declared(layer)


@pytest.mark.parametrize("layer", ["gold", "silver"])
def test_a_role_reads_the_tables_of_its_layer_and_their_files(prod: list[Resource], layer: str) -> None:
    tables, statements = _tables(prod, layer), _statements(prod, layer)
    named = statements["ReadCatalog"]["Resource"]
    assert {arn.rpartition("/")[2] for arn in named if ":table/" in arn} == tables.keys()
    keys = [f"{storage['location'].split('/', 3)[3]}/data/x.parquet" for storage in tables.values()]
    (files,) = statements["ReadLake"]["Resource"]
    assert keys == fnmatch.filter([*keys, "kept/kept_players/data/x.parquet"], files.partition("/")[2])


def _unreached(prod: list[Resource]) -> set[str]:
    """Return what a workgroup with enhanced VPC routing reads and its subnets have no way to."""
    (workgroup,) = _of(prod, "aws_redshiftserverless_workgroup")
    assert workgroup["enhanced_vpc_routing"]
    subnets = set(workgroup["subnet_ids"])
    routed = {
        it["route_table_id"] for it in _of(prod, "aws_route_table_association") if it["subnet_id"] in subnets
    }
    reached = {
        it["service_name"].rpartition(".")[2]
        for it in _of(prod, "aws_vpc_endpoint")
        if (it["private_dns_enabled"] and it["vpc_endpoint_type"] == "Interface")
        or (it["vpc_endpoint_type"] == "Gateway" and routed <= set(it["route_table_ids"] or ()))
    }
    return {"glue", "kinesis-streams", "s3"} - reached


def test_the_warehouse_reaches_the_catalog_the_files_and_the_stream(prod: list[Resource]) -> None:
    """With enhanced VPC routing, external tables need endpoints of S3 and Glue, says Redshift's guide."""
    assert not _unreached(prod)
    without = [it for it in prod if not str(it["values"].get("service_name", "")).endswith((".glue", ".s3"))]
    assert _unreached(without) == {"glue", "s3"}


def test_descriptions_are_ones_that_ec2_takes(applied: Callable[[str], list[Resource]]) -> None:
    described = {
        (environment, resource["address"]): resource["values"]["description"]
        for environment in ("local", "dev", "prod")
        for resource in applied(environment)
        if resource["type"].startswith(("aws_security_group", "aws_vpc_security_group"))
    }
    assert len(described) >= 5
    assert not {where: text for where, text in described.items() if not DESCRIPTION.fullmatch(text)}


def test_a_wrong_description_would_be_seen() -> None:
    assert not DESCRIPTION.fullmatch("Kinesis and Glue, by the VPC's endpoints.")
    assert not DESCRIPTION.fullmatch("x" * 256)


class Redshift:
    """Redshift Serverless with one workgroup, which answers with more parameters than it was given."""

    def __init__(self) -> None:
        self.parameters = dict(DEFAULTS)
        self.workgroup: dict[str, Any] = {}
        self.calls: list[str] = []

    def answer(self, operation: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Carry out a call that the service's model allows; return its status and answer."""
        shape = get_session().get_service_model("redshift-serverless").operation_model(operation).input_shape
        report = ParamValidator().validate(given, shape)
        assert not report.has_errors(), report.generate_report()
        self.calls.append(operation)
        if operation == "ListTagsForResource":
            return 200, {"tags": []}
        set_ = {one["parameterKey"]: one["parameterValue"] for one in given.get("configParameters", [])}
        if operation == "UpdateWorkgroup" and set_ and set_.items() <= self.parameters.items():
            return 400, {"__type": "ValidationException", "message": "You didn't specify any changes"}
        self.parameters |= set_
        self.workgroup |= given
        return 200, {"workgroup": self._described()}

    def _described(self) -> dict[str, Any]:
        arn = "arn:aws:redshift-serverless:eu-west-1:111122223333:workgroup/0a1b"
        parameters = [
            {"parameterKey": key, "parameterValue": self.parameters[key]} for key in self.parameters
        ]
        return {
            **{key: value for key, value in self.workgroup.items() if key != "tags"},
            "configParameters": parameters,
            "endpoint": {"address": "demo.eu-west-1.redshift-serverless.amazonaws.com", "port": 5439},
            "status": "AVAILABLE",
            "trackName": "current",
            "workgroupArn": arn,
            "workgroupId": "0a1b",
        }


@pytest.fixture
def redshift() -> Iterator[tuple[Redshift, str]]:
    """Serve Redshift, by its protocol, until the test is over."""
    service = Redshift()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
            status, answer = service.answer(operation, given)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield service, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_second_plan_is_clean_whatever_parameters_redshift_adds(
    infrastructure: Path, run: Run, redshift: tuple[Redshift, str]
) -> None:
    service, endpoint = redshift
    _root(infrastructure / "second_plan", endpoint, _workgroup(infrastructure))
    run("second_plan", "apply", "-auto-approve", "-input=false", "-no-color")
    assert service.parameters["max_query_execution_time"] == "900"
    run("second_plan", "plan", "-detailed-exitcode", "-input=false", "-no-color")


def test_parameters_that_terraform_compares_would_differ_for_ever(
    infrastructure: Path, run: Run, redshift: tuple[Redshift, str]
) -> None:
    """Without the module's rule the plan differs, and AWS refuses what it would change."""
    service, endpoint = redshift
    compared = re.sub(r"  lifecycle \{.*?\n  \}\n", "", _workgroup(infrastructure), flags=re.DOTALL)
    _root(infrastructure / "compared", endpoint, compared)
    run("compared", "apply", "-auto-approve", "-input=false", "-no-color")
    with pytest.raises(AssertionError, match="config_parameter"):
        run("compared", "plan", "-detailed-exitcode", "-input=false", "-no-color")
    with pytest.raises(AssertionError, match="You didn't specify any changes"):
        run("compared", "apply", "-auto-approve", "-input=false", "-no-color")
    assert service.calls[-1] == "UpdateWorkgroup"


def _root(directory: Path, endpoint: str, workgroup: str) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    (directory / "main.tf").write_text(ROOT % endpoint + workgroup)


def _workgroup(infrastructure: Path) -> str:
    """Return the module's workgroup with values for what it refers to."""
    text = (infrastructure / "modules" / "warehouse" / "main.tf").read_text()
    (block,) = re.findall(
        r'^resource "aws_redshiftserverless_workgroup" "this" \{\n.*?^\}\n', text, re.M | re.DOTALL
    )
    values = {
        "aws_redshiftserverless_namespace.this.namespace_name": '"demo"',
        "aws_security_group.this.id": '"sg-1"',
        "local.name": '"demo"',
        "local.parameters": '{ max_query_execution_time = "900", require_ssl = "true" }',
        "var.capacity.base_rpu": "8",
        "var.capacity.max_rpu": "32",
        "var.network.subnet_ids": '["subnet-1", "subnet-2", "subnet-3"]',
    }
    for name, value in values.items():
        assert name in block, name
        block = block.replace(name, value)
    return block
