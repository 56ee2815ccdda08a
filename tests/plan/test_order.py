"""Terraform makes the platform in an order in which AWS neither refuses a part nor makes a different one."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest

EDGE = re.compile(r'^  "([^"]+)" -> "([^"]+)";$', re.MULTILINE)

LAKE = "module.data_lake.aws_s3_bucket"
SETTINGS = {
    f"{LAKE}_{name}.lake" for name in ("policy", "server_side_encryption_configuration", "versioning")
}

# What writes to the lake's bucket, or reads it. An object that is there before versioning has no version:
# later plans would change what names its version.
USERS_OF_THE_BUCKET = {
    "aws_athena_workgroup",
    "aws_glue_catalog_table",
    "aws_glue_catalog_table_optimizer",
    "aws_kinesis_firehose_delivery_stream",
    "aws_s3_object",
}

# AWS checks the role while it makes these, and the provider does not retry while IAM still spreads a new
# role. A mapping takes longer than that.
NOT_RETRIED = {"aws_pipes_pipe"}
SLOW = "aws_lambda_event_source_mapping"

Graph = dict[str, set[str]]


@pytest.fixture(scope="module")
def graph(run: Callable[..., str]) -> Graph:
    return _graph(run("modules/platform", "graph"))


def test_the_bucket_is_set_up_before_it_is_used(graph: Graph) -> None:
    users = {user for user in graph if _type(user) in USERS_OF_THE_BUCKET}
    assert {_type(user) for user in users} == USERS_OF_THE_BUCKET
    assert {user: missing for user in users if (missing := SETTINGS - _before(graph, user))} == {}


def test_a_role_has_its_permissions_before_it_is_used(graph: Graph) -> None:
    assert list(_hasty_users_of_roles(graph)) == []


def test_what_is_not_retried_comes_late(graph: Graph) -> None:
    users = {user for user in graph if _type(user) in NOT_RETRIED}
    assert {_type(user) for user in users} == NOT_RETRIED
    assert [user for user in users if SLOW not in map(_type, _before(graph, user))] == []


def test_what_comes_too_early_is_found() -> None:
    graph = _graph(
        f'  "aws_s3_object.package" -> "{LAKE}.lake";\n'
        '  "aws_iam_role_policy.this" -> "aws_iam_role.this";\n'
        '  "aws_pipes_pipe.alerts" -> "aws_iam_role.this";\n'
    )
    assert SETTINGS - _before(graph, "aws_s3_object.package") == SETTINGS
    assert list(_hasty_users_of_roles(graph)) == [("aws_pipes_pipe.alerts", "aws_iam_role.this")]
    assert SLOW not in map(_type, _before(graph, "aws_pipes_pipe.alerts"))


def _graph(text: str) -> Graph:
    graph = defaultdict(set)
    for user, used in EDGE.findall(text):
        graph[user].add(used)
    return dict(graph)


def _before(graph: Graph, user: str) -> set[str]:
    """Return all that is made before."""
    found: set[str] = set()
    waiting = [user]
    while waiting:
        new = graph.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _hasty_users_of_roles(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield who needs a role and not its policy."""
    for user, used in graph.items():
        for role in used:
            if _type(role) == "aws_iam_role" and _type(user) != "aws_iam_role_policy":
                policy = role.replace("aws_iam_role.", "aws_iam_role_policy.")
                if policy not in _before(graph, user):
                    yield user, role


def _type(address: str) -> str:
    """Return the type of a resource."""
    return address.split(".")[-2]
