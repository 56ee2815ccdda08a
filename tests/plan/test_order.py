"""Terraform makes the platform in an order in which AWS neither refuses a part nor makes a different one."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest

EDGE = re.compile(r'^  "([^"]+)" -> "([^"]+)";$', re.MULTILINE)

# What every bucket has before something is put into it. An object that is there before versioning has no
# version: later plans would change what names its version.
SETTINGS = {
    f"aws_s3_bucket_{name}" for name in ("policy", "server_side_encryption_configuration", "versioning")
}

# A policy names the bucket, and puts nothing into it.
NAMES_THE_BUCKET_ONLY = {"aws_iam_role_policy"}

# Some of what is judged: it writes to the lake's bucket, or reads it.
USERS_OF_THE_BUCKET = {
    "aws_athena_workgroup",
    "aws_glue_catalog_table",
    "aws_glue_catalog_table_optimizer",
    "aws_kinesis_firehose_delivery_stream",
    "aws_kinesisanalyticsv2_application",
    "aws_s3_object",
    "aws_sfn_state_machine",
}

Graph = dict[str, set[str]]


@pytest.fixture(scope="module")
def graph(run: Callable[..., str]) -> Graph:
    return _graph(run("modules/platform", "graph"))


def test_a_bucket_is_set_up_before_it_is_used(graph: Graph) -> None:
    missing = _settings_that_users_miss(graph)
    assert {_type(user) for user in missing} >= USERS_OF_THE_BUCKET
    assert {user: settings for user, settings in missing.items() if settings} == {}


def test_a_role_has_its_permissions_before_it_is_used(graph: Graph) -> None:
    assert list(_hasty_users_of_roles(graph)) == []


def test_what_comes_too_early_is_found() -> None:
    graph = _graph(
        '  "aws_s3_object.package" -> "aws_s3_bucket.lake";\n'
        '  "aws_s3_object.package" -> "aws_s3_bucket_policy.lake";\n'
        '  "aws_s3_bucket_policy.lake" -> "aws_s3_bucket.lake";\n'
        '  "aws_s3_bucket_policy.other" -> "aws_s3_bucket.other";\n'
        '  "aws_iam_role_policy.this" -> "aws_iam_role.this";\n'
        '  "aws_lambda_function.this" -> "aws_iam_role.this";\n'
    )
    assert _settings_that_users_miss(graph) == {
        "aws_s3_object.package": SETTINGS - {"aws_s3_bucket_policy"},
    }
    assert list(_hasty_users_of_roles(graph)) == [("aws_lambda_function.this", "aws_iam_role.this")]


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


def _settings_that_users_miss(graph: Graph) -> dict[str, set[str]]:
    """Return all that depends on a bucket, with the bucket's settings that it does not depend on."""
    before = {user: _before(graph, user) for user in graph}
    missing: dict[str, set[str]] = {}
    for bucket in {
        used for all_used in before.values() for used in all_used if _type(used) == "aws_s3_bucket"
    }:
        dependents = {user for user, used in before.items() if bucket in used}
        own = {user for user in dependents if _type(user).startswith("aws_s3_bucket_")}
        for user in dependents - own:
            if _type(user) not in NAMES_THE_BUCKET_ONLY:
                settings = {_type(used) for used in before[user] & own}
                missing[user] = missing.get(user, set()) | SETTINGS - settings
    return missing


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
