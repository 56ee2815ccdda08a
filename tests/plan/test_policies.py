"""AWS takes every policy document of every plan, and each of its statements can apply."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from authorization import IDENTITY, RESOURCE, TRUST, documents, judge, kind_of, overlap
from plans import Resource

ROLE, TRUSTS, KEY = "aws_iam_role_policy.policy", "aws_iam_role.assume_role_policy", "aws_kms_key.policy"
TOPIC = "aws_sns_topic_policy.policy"

STREAM = "arn:aws:kinesis:eu-west-1:111122223333:stream/raw"
BUCKET = "arn:aws:s3:::lake"


@pytest.fixture(scope="module")
def found(planned_resources: list[Resource]) -> dict[tuple[str, str], str]:
    """Return the addresses of all documents, by the argument and the document itself."""
    return {
        (path, document): f"{resource.plan} {resource.address}"
        for resource in planned_resources
        for path, document in documents(resource.arguments, resource.type)
    }


def test_aws_takes_every_policy(found: dict[tuple[str, str], str]) -> None:
    findings: dict[str, set[str]] = {}
    for (path, document), address in found.items():
        for finding in judge(path, document):
            findings.setdefault(finding, set()).add(address)
    assert not findings, "\n".join(f"{min(findings[one])}: {one}" for one in sorted(findings))


def test_there_are_documents_of_each_kind(found: dict[tuple[str, str], str]) -> None:
    assert len(found) > 100
    assert {kind_of(path) for path, _ in found} == {IDENTITY, RESOURCE, TRUST}


def test_every_argument_that_holds_a_policy_is_found(planned_resources: list[Resource]) -> None:
    """A document is found by what it says, so that no type of resource is forgotten."""
    for resource in planned_resources:
        named = [name for name in resource.arguments if "policy" in name and "arn" not in name]
        texts = {name for name in named if str(resource.arguments[name]).startswith("{")}
        paths = {path for path, _ in documents(resource.arguments, resource.type)}
        assert {f"{resource.type}.{name}" for name in texts} <= paths


def _statement(**changes: Any) -> dict[str, Any]:
    sound = {"Sid": "Read", "Effect": "Allow", "Action": ["kinesis:GetRecords"], "Resource": [STREAM]}
    return {name: value for name, value in (sound | changes).items() if value is not None}


def _all(condition: dict[str, str]) -> dict[str, Any]:
    return _statement(Effect="Deny", Action="*", Resource="*", Condition={"StringEquals": condition})


def _trust(**changes: Any) -> dict[str, Any]:
    sound = {"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}, "Resource": None}
    return _statement(**sound | changes)


def _events(**changes: Any) -> dict[str, Any]:
    topic = "arn:aws:sns:eu-west-1:111122223333:alerts"
    sound = {"Action": "sns:Publish", "Principal": {"Service": "events.amazonaws.com"}, "Resource": topic}
    return _statement(**sound | changes)


SOUND = [
    (ROLE, _statement()),
    (ROLE, _statement(Action=["s3:ListBucket", "s3:GetObject"], Resource=[BUCKET, f"{BUCKET}/gold/*"])),
    (ROLE, _statement(Action=["xray:PutTraceSegments"], Resource="*")),
    (ROLE, _statement(Action="s3:Get*", Resource=f"{BUCKET}/*")),
    (
        ROLE,
        _statement(
            Action="logs:CreateLogStream", Resource="arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x:*"
        ),
    ),
    (ROLE, _statement(Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}})),
    (ROLE, _all({"aws:ResourceTag/environment": "prod"})),
    (TRUSTS, _trust()),
    (TRUSTS, _trust(Condition={"StringEquals": {"sts:ExternalId": "111122223333"}})),
    (KEY, _trust(Action="kms:Decrypt", Resource="*", Principal={"Service": "logs.eu-west-1.amazonaws.com"})),
    (TOPIC, _events()),
]

MISTAKES = [
    (ROLE, _statement(Action=["kinesis:ReadRecords"]), "there is no action kinesis:ReadRecords"),
    (ROLE, _statement(Action=["kinesys:GetRecords"]), "there is no action kinesys:GetRecords"),
    (ROLE, _statement(Resource=["arn:aws:kinesis:eu-west-1:111122223333:raw"]), "takes none of"),
    (ROLE, _statement(Action="s3:ListBucket", Resource=f"{BUCKET}/gold/*"), "takes none of"),
    (ROLE, _statement(Resource=[STREAM, BUCKET]), f"none of ['kinesis:GetRecords'] takes {BUCKET}"),
    (ROLE, _statement(Action=["xray:PutTraceSegments"]), "it takes only *"),
    (ROLE, _statement(Action=["redshift-serverless:ListUsageLimits"]), "it takes only *"),
    (ROLE, _statement(Action=["kinesis:SubscribeToShard"]), "takes ['consumer']"),
    (
        ROLE,
        _statement(Action="glue:GetTable", Resource="arn:aws:glue:eu-west-1:111122223333:table/lake/events"),
        "needs a resource of the type database",
    ),
    (ROLE, _statement(Resource="arn:aws:s3:eu-west-1:111122223333:lake"), "grammar: "),
    (ROLE, _statement(Action="iam:GetRole", Resource="arn:aws:iam:*:*:*player*"), "grammar: IAM resource"),
    (ROLE, _statement(Action="s3:GetObject", Resource="arn:aws:s3:*:*:*lake*"), "grammar: "),
    (ROLE, _statement(Effect="allow"), "grammar: "),
    (ROLE, _statement(Sid="Read it"), "letters and digits"),
    (ROLE, _statement(Principal={"Service": "lambda.amazonaws.com"}), "an identity policy has no principal"),
    (ROLE, _statement(Condition={"StringEquals": {"kinesis:Shard": "1"}}), "condition key kinesis:Shard"),
    (ROLE, _statement(Condition={"StringEquals": {"aws:SourceAcount": "1"}}), "aws:SourceAcount"),
    (ROLE, _all({"aws:ResouceTag/environment": "prod"}), "aws:ResouceTag/environment"),
    (ROLE, _statement(Condition={"StringIs": {"aws:SourceAccount": "1"}}), "grammar: "),
    (ROLE, _statement(Sid="x" * 10_240), "characters are more than 10240"),
    (
        KEY,
        _trust(
            Action=["kms:Decrypt", "kms:DescribeKey"],
            Resource="*",
            Condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:*"}},
        ),
        "do not take the condition key",
    ),
    (KEY, _statement(Action="kms:Decrypt", Resource="*"), "every other statement has one"),
    (TRUSTS, _trust(Resource="*"), "grammar: Has prohibited field Resource"),
    (TRUSTS, _trust(Action="lambda:InvokeFunction"), "grammar: Trust Policy statement actions"),
    (TRUSTS, _trust(Principal={"Service": "kinesis-analytics.amazonaws.com"}), "there is no service"),
    (
        TRUSTS,
        _trust(
            Action="sts:AssumeRoleWithWebIdentity",
            Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/token.example.com"},
            Condition={"StringEquals": {"token.example.org:sub": "repo"}},
        ),
        "condition key token.example.org:sub",
    ),
]


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(("path", "statement"), SOUND)
def test_a_sound_statement_is_taken(path: str, statement: dict[str, Any]) -> None:
    assert not judge(path, _document(statement))


@pytest.mark.parametrize(("path", "statement", "why"), MISTAKES)
def test_a_mistake_is_refused(path: str, statement: dict[str, Any], why: str) -> None:
    findings = judge(path, _document(statement))
    assert any(why in finding for finding in findings), findings


def _arns() -> Iterator[tuple[str, str, bool]]:
    table = "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}"
    index = f"{table}/index/${{IndexName}}"
    ours = "arn:aws:dynamodb:eu-west-1:111122223333:table/players"
    yield ours, table, True
    yield ours, index, False
    yield f"{ours}/index/*", index, True
    yield f"{ours}/index/*", table, False
    yield "arn:aws:dynamodb:*:*:table/play*", index, True
    yield "*", index, True
    yield "arn:aws:iam::1:role/path/x-*", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", True


@pytest.mark.parametrize(("given", "known", "common"), list(_arns()))
def test_arns_are_matched_as_iam_does(given: str, known: str, common: bool) -> None:
    assert overlap(given, known) is common


def test_a_document_in_a_template_is_found() -> None:
    template = json.dumps({"Resources": {"Queue": {"Properties": {"Policy": _document(_events())}}}})
    ((path, document),) = documents({"template_body": template}, "aws_cloudformation_stack")
    assert json.loads(document)["Statement"]
    assert path == "aws_cloudformation_stack.template_body.Resources.Queue.Properties.Policy"
