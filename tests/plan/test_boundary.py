"""What an apply role can come to at most: itself, and through the roles it makes."""

import json
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data
from plans import Resource
from policies import ACCOUNT, allows
from provider_reads import READS, actions

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
POWER_USER = json.loads(aws_managed_policies_data)["PowerUserAccess"]["Document"]
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


@pytest.fixture
def boundary(planned_by_github: dict[str, Any]) -> str:
    return str(planned_by_github['aws_iam_policy.boundary["dev"]']["policy"])


@pytest.fixture
def apply(planned_by_github: dict[str, Any]) -> list[Any]:
    return [POWER_USER, planned_by_github['aws_iam_role_policy.apply["dev"]']["policy"]]


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


@pytest.mark.parametrize("resources", ["dev", "prod"], indirect=True)
def test_every_role_carries_its_boundary(
    resources: list[dict[str, Any]], planned_by_github: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    most = planned_by_github[f'aws_iam_policy.boundary["{request.node.callspec.params["resources"]}"]']
    roles = [resource["values"] for resource in resources if resource["type"] == "aws_iam_role"]
    assert roles
    assert {role["permissions_boundary"] for role in roles} == {f"{POLICY}/{most['name']}"}


@pytest.mark.parametrize("plan", ["environments/dev/environment", "modules/platform/everything"])
def test_the_platforms_roles_fit(
    plans: dict[str, list[Resource]], planned_by_github: dict[str, Any], plan: str
) -> None:
    """Nothing a role needs lies beyond its boundary, with every optional part."""
    most = planned_by_github['aws_iam_policy.boundary["dev"]']["policy"]
    roles = [resource for resource in plans[plan] if resource.type == "aws_iam_role"]
    policies = [r.values["policy"] for r in plans[plan] if r.type == "aws_iam_role_policy"]
    assert len(policies) == len(roles) > 15
    assert not [beyond for policy in policies for beyond in _beyond(policy, most)]


def test_an_action_beyond_the_boundary_is_noticed(planned_by_github: dict[str, Any]) -> None:
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "ec2:RunInstances"], "Resource": ["*"]}
    most = planned_by_github['aws_iam_policy.boundary["dev"]']["policy"]
    assert _beyond(json.dumps({"Statement": [statement]}), most) == [("ec2:RunInstances", "*")]


def _beyond(policy: str, most: str) -> list[tuple[str, str]]:
    """Return the actions and resources of a policy that a boundary refuses."""
    # Mocked, every bucket and key is the state's. The plan with everything is of the environment `test`.
    apart = policy.replace(STATE, "arn:aws:s3:::lake").replace("key/00000000", "key/11111111")
    apart = apart.replace("player-analytics-test", "player-analytics-dev")
    found = []
    for statement in json.loads(apart)["Statement"]:
        context = {
            key.replace(":", "__"): value
            for pairs in statement.get("Condition", {}).values()
            for key, value in pairs.items()
        }
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                resource = resource.replace(":role/mock", ":role/player-analytics-dev-job")
                if not allows([EVERYTHING], action, resource, most, **context):
                    found.append((action, resource))
    return found


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


# What provider 5.100.0 calls to make, change, tag and delete the resources of an environment that are IAM's.
# With PowerUserAccess an apply role may do everything outside of IAM and the organization.
IAM_WRITES = {
    "aws_iam_role": (
        "CreateRole DeleteRole GetRole ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies "
        "PutRolePermissionsBoundary TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription"
    ),
    "aws_iam_role_policy": "DeleteRolePolicy GetRolePolicy PutRolePolicy",
}
BOOTSTRAPS = {"aws_iam_openid_connect_provider", "aws_iam_policy", "aws_iam_role_policy_attachment"}
# Services make them for the first resource of an account.
SERVICE_LINKED = [
    "aws-service-role/ops.emr-serverless.amazonaws.com/AWSServiceRoleForAmazonEMRServerless",
    "aws-service-role/redshift.amazonaws.com/AWSServiceRoleForRedshift",
    "aws-service-role/wafv2.amazonaws.com/AWSServiceRoleForWAFV2Logging",
]


def test_every_iam_resource_of_an_environment_is_known(plans: dict[str, list[Resource]]) -> None:
    kinds = {r.type for name, found in plans.items() if not name.startswith("bootstrap") for r in found}
    assert {kind for kind in kinds if kind.startswith("aws_iam_")} == set(IAM_WRITES)
    assert {kind for kind in READS if kind.startswith("aws_iam_")} == set(IAM_WRITES) | BOOTSTRAPS


@pytest.mark.parametrize("kind", IAM_WRITES)
def test_an_apply_role_makes_changes_and_deletes_roles(apply: list[Any], kind: str) -> None:
    for name in IAM_WRITES[kind].split():
        boundary = {"iam__PermissionsBoundary": f"{POLICY}/mock"}
        assert allows(apply, f"iam:{name}", f"{ROLE}-ingest", **boundary), name
        assert not allows([POWER_USER], f"iam:{name}", f"{ROLE}-ingest", **boundary), name


@pytest.mark.parametrize("role", SERVICE_LINKED)
def test_an_apply_role_lets_services_make_their_roles(apply: list[Any], role: str) -> None:
    assert allows(apply, "iam:CreateServiceLinkedRole", f"arn:aws:iam::{ACCOUNT}:role/{role}")


@pytest.mark.parametrize("kind", sorted(READS.keys() - IAM_WRITES.keys() - BOOTSTRAPS))
def test_an_apply_role_reads_and_writes_every_other_type(apply: list[Any], kind: str) -> None:
    for action in actions(kind):
        prefix = action.partition(":")[0]
        # PowerUserAccess allows a service without exception, so that one action of a kind stands for all.
        for name in (action, f"{prefix}:CreateX", f"{prefix}:UpdateX", f"{prefix}:TagX", f"{prefix}:DeleteX"):
            assert allows(apply, name, f"arn:aws:{prefix}:eu-west-1:{ACCOUNT}:x/player-analytics-dev-x"), name


def test_what_a_power_user_lacks_is_known() -> None:
    """Whoever adds a resource of these services must give the apply role its actions."""
    lacking = {name for statement in POWER_USER["Statement"] for name in statement.get("NotAction", [])}
    assert lacking == {"account:*", "iam:*", "organizations:*"}


@pytest.mark.parametrize("action", ["GetObject", "PutObject", "DeleteObject"])
def test_an_apply_role_locks_its_own_state_only(apply: list[Any], action: str) -> None:
    for file in ("tfstate", "tfstate.tflock"):
        assert allows(apply, f"s3:{action}", f"{STATE}/player-analytics/dev.{file}")
        assert not allows(apply, f"s3:{action}", f"{STATE}/player-analytics/prod.{file}")
