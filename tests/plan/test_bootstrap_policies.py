"""IAM takes the policies of bootstrap: their grammar, their sizes and their number, for the longest names."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator
from plans import Resource, collect

Plans = dict[str, list[Resource]]

# Characters without white space: a managed policy, all inline policies of a role, a trust policy.
MANAGED, INLINE, TRUST = 6144, 10240, 2048
ATTACHED = 10


@pytest.fixture(scope="session")
def bootstrap(tested: Callable[[str], list[dict[str, Any]]], infrastructure: Path) -> Plans:
    found = collect(tested("bootstrap"), infrastructure / "bootstrap", "bootstrap")
    assert {"bootstrap/github", "bootstrap/longest_names", "bootstrap/ids_and_names"} <= set(found)
    return found


def test_iam_takes_every_policy(bootstrap: Plans) -> None:
    for name, resources in bootstrap.items():
        for resource in resources:
            if resource.type in ("aws_iam_policy", "aws_iam_role_policy"):
                IAMPolicyDocumentValidator(resource.values["policy"]).validate()
            if resource.type == "aws_iam_role":
                IAMTrustPolicyDocumentValidator(resource.values["assume_role_policy"]).validate()
        assert any(resource.type == "aws_iam_policy" for resource in resources), name


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam:*:*:*player-analytics-prod*",
        "arn:aws:iam::*:*player-analytics-prod*",
        "arn:aws:s3:*:*:*player-analytics-prod*",
    ],
)
def test_iam_refuses_arns_of_no_service(arn: str) -> None:
    statement = {"Effect": "Deny", "Action": "*", "Resource": arn}
    with pytest.raises(MalformedPolicyDocument):
        IAMPolicyDocumentValidator(json.dumps({"Version": "2012-10-17", "Statement": [statement]})).validate()


def test_policies_fit(bootstrap: Plans) -> None:
    """The longest partition is that of GovCloud."""
    for name, resources in bootstrap.items():
        inline: dict[str, int] = {}
        attached: dict[str, int] = {}
        for resource in resources:
            values = resource.values
            role = resource.address.partition(".")[2]
            if resource.type == "aws_iam_policy":
                assert _size(values["policy"]) <= MANAGED, (name, resource.address)
            elif resource.type == "aws_iam_role":
                assert _size(values["assume_role_policy"]) <= TRUST, (name, resource.address)
                assert len(values["name"]) <= 64
            elif resource.type == "aws_iam_role_policy":
                inline[role] = inline.get(role, 0) + _size(values["policy"])
            elif resource.type == "aws_iam_role_policy_attachment":
                attached[role] = attached.get(role, 0) + 1
            elif resource.type == "aws_s3_bucket":
                assert len(values["bucket"]) <= 63
        assert all(size <= INLINE for size in inline.values()), (name, inline)
        assert all(number <= ATTACHED for number in attached.values()), (name, attached)


def test_a_policy_that_is_too_long_is_noticed(bootstrap: Plans) -> None:
    (policy, *_) = [r for r in bootstrap["bootstrap/longest_names"] if r.type == "aws_iam_policy"]
    assert 0 < _size(policy.values["policy"]) <= MANAGED
    assert _size(policy.values["policy"] * 3) > MANAGED


def _size(policy: Any) -> int:
    return len("".join(policy.split()).replace("arn:aws:", "arn:aws-us-gov:"))
