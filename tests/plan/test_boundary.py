"""What an apply role can come to at most: itself, and through the roles it makes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from policies import ACCOUNT, allows

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# AWS's PowerUserAccess, but for a few reads and service-linked roles.
POWER_USER = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
    ],
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/player-analytics-dev"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy"
STATE = "arn:aws:s3:::mock"  # as terraform test has it

OTHERS = [
    ("dynamodb:DeleteTable", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/player-analytics-prod-players"),
    ("glue:GetTable", f"arn:aws:glue:eu-west-1:{ACCOUNT}:table/player_analytics_prod/events"),
    ("kinesis:GetRecords", f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/player-analytics-prod-raw"),
    ("lambda:InvokeFunction", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:player-analytics-prod-ingest"),
    ("logs:DeleteLogGroup", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/vpc/player-analytics-prod"),
    ("s3:GetObject", f"arn:aws:s3:::player-analytics-prod-lake-{ACCOUNT}/bronze/x"),
    (
        "secretsmanager:GetSecretValue",
        f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:player-analytics-prod-x",
    ),
    ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/player-analytics-prod-ingest"),
]
SILENCE = [("cloudtrail:StopLogging", "*"), ("config:StopConfigurationRecorder", "*")]


@pytest.fixture(scope="session")
def planned(tested: Callable[[str], list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return what bootstrap plans with GitHub, by address."""
    (plan,) = [
        line["test_plan"]
        for line in tested("bootstrap")
        if (line["type"], line.get("@testrun")) == ("test_plan", "github")
    ]
    return {change["address"]: change["change"]["after"] for change in plan["resource_changes"]}


@pytest.fixture
def boundary(planned: dict[str, Any]) -> str:
    return str(planned['aws_iam_policy.boundary["dev"]']["policy"])


@pytest.fixture
def apply(planned: dict[str, Any]) -> list[Any]:
    return [POWER_USER, planned['aws_iam_role_policy.apply["dev"]']["policy"]]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        *OTHERS,
        *SILENCE,
        ("iam:CreateUser", "*"),
        ("iam:CreateRole", f"{ROLE}-x"),
        ("iam:PutRolePolicy", f"{ROLE}-ingest"),
        ("iam:DeleteRolePermissionsBoundary", f"{ROLE}-ingest"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/player-analytics-github-dev"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:player-analytics-dev-x"),
        ("ec2:RunInstances", "*"),
        ("s3:GetObject", f"{STATE}/player-analytics/dev.tfstate"),
        ("kms:Decrypt", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000"),
    ],
)
def test_a_role_with_every_right_is_bounded(boundary: str, action: str, resource: str) -> None:
    assert allows([EVERYTHING], action, resource)
    assert not allows([EVERYTHING], action, resource, boundary)


def test_what_has_no_name_is_told_by_its_tags(boundary: str) -> None:
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-0000-4000-8000-000000000000"
    tags = {"aws__ResourceTag/project": "player-analytics", "aws__ResourceTag/environment": "prod"}
    assert not allows([EVERYTHING], "kms:Decrypt", key, boundary, **tags)
    assert allows(
        [EVERYTHING], "kms:Decrypt", key, boundary, **tags | {"aws__ResourceTag/environment": "dev"}
    )


@pytest.mark.parametrize("resources", ["prod"], indirect=True)
def test_the_platforms_roles_fit(resources: list[dict[str, Any]], planned: dict[str, Any]) -> None:
    """Nothing a role of prod needs lies beyond its boundary, and none is without."""
    roles = [resource["values"] for resource in resources if resource["type"] == "aws_iam_role"]
    names = {role["permissions_boundary"] for role in roles}
    most = planned['aws_iam_policy.boundary["prod"]']
    assert names == {f"{POLICY}/{most['name']}"}
    policies = [r["values"]["policy"] for r in resources if r["type"] == "aws_iam_role_policy"]
    assert len(policies) == len(roles)
    for policy in policies:
        # Mocked, every bucket and key is the state's.
        apart = policy.replace(STATE, "arn:aws:s3:::lake").replace("key/00000000", "key/11111111")
        for statement in json.loads(apart)["Statement"]:
            context = {
                key.replace(":", "__"): value
                for pairs in statement.get("Condition", {}).values()
                for key, value in pairs.items()
            }
            for action in statement["Action"]:
                for resource in statement["Resource"]:
                    resource = resource.replace(":role/mock", ":role/player-analytics-prod-job")
                    assert allows([EVERYTHING], action, resource, most["policy"], **context), (
                        action,
                        resource,
                    )


def test_an_apply_role_makes_bounded_roles_only(apply: list[Any]) -> None:
    own, other = f"{POLICY}/mock", f"{POLICY}/AdministratorAccess"
    for action in (
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:PutRolePermissionsBoundary",
    ):
        assert allows(apply, action, f"{ROLE}-x", iam__PermissionsBoundary=own), action
        assert not allows(apply, action, f"{ROLE}-x", iam__PermissionsBoundary=other), action
        assert not allows(apply, action, f"{ROLE}-x"), action
        foreign = ROLE.replace("-dev", "-prod-x")
        assert not allows(apply, action, foreign, iam__PermissionsBoundary=own), action


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        *OTHERS,
        *SILENCE,
        ("iam:DeleteRolePermissionsBoundary", f"{ROLE}-ingest"),
        ("iam:CreatePolicyVersion", f"{POLICY}/player-analytics-dev-boundary"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/player-analytics-api-gateway-logs"),
        ("s3:GetObject", f"{STATE}/player-analytics/prod.tfstate"),
        ("s3:PutBucketPolicy", STATE),
    ],
)
def test_an_apply_role_is_refused(apply: list[Any], action: str, resource: str) -> None:
    assert not allows(apply, action, resource)


def test_an_apply_role_does_its_work(apply: list[Any]) -> None:
    table = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/player-analytics-dev-players"
    assert allows(apply, "dynamodb:CreateTable", table)
    assert allows(apply, "s3:PutObject", f"{STATE}/player-analytics/dev.tfstate")
    assert allows(apply, "iam:PassRole", f"{ROLE}-ingest")
