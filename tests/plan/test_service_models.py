"""AWS's service models take every argument of every resource: length, pattern, enumeration, range."""

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from plans import Json, Resource
from service_mappings import MAPPINGS, NOT_MAPPED
from service_models import Mapping, Review, count, judge

# A function of CloudFormation, whose answer no plan knows.
INTRINSIC = re.compile(r"^(Ref|Fn::\w+)$")


class Judged(NamedTuple):
    """What the models say of a resource, or of one in the template that it holds."""

    resource: Resource
    values: int
    review: Review


@pytest.fixture(scope="module")
def reviews(planned_resources: list[Resource]) -> list[Judged]:
    return [
        Judged(resource, count(arguments), judge(kind, arguments, MAPPINGS[kind]))
        for resource in planned_resources
        for kind, arguments in _judged(resource)
        if kind in MAPPINGS
    ]


def test_every_type_of_resource_is_judged(planned_resources: list[Resource]) -> None:
    types = {kind for resource in planned_resources for kind, _ in _judged(resource)}
    assert not types - MAPPINGS.keys() - NOT_MAPPED.keys(), (
        "name the call that makes them in service_mappings.py"
    )


def test_the_service_models_take_every_argument(reviews: list[Judged]) -> None:
    findings = {
        f"{resource.plan} {resource.address}: {finding}"
        for resource, _, review in reviews
        for finding in review.findings
    }
    assert not findings, "\n".join(sorted(findings))


def test_every_argument_has_a_member_or_a_reason(reviews: list[Judged]) -> None:
    unmapped = {name for _, _, review in reviews for name in review.unmapped}
    assert not unmapped, "name their members in service_mappings.py"


def test_most_values_are_judged(
    reviews: list[Judged],
) -> None:
    """The mapping cannot rot unseen: 97 % of the values reach a member, and half of those have a limit."""
    total = sum(judged.values for judged in reviews)
    ignored = Counter(name for _, _, review in reviews for name in review.ignored)
    judged = sum(review.judged for _, _, review in reviews)
    limited = sum(review.limited for _, _, review in reviews)
    assert ignored.total() < 0.03 * total, ignored
    assert judged > 20_000
    assert limited > judged / 2
    patterns = {pattern for _, _, review in reviews for pattern in review.unreadable_patterns}
    assert not patterns, "these patterns of the models judge nothing"


def _set(arguments: Json, path: str, value: Any) -> Json:
    changed: Any = copy.deepcopy(arguments)
    *parents, last = path.split(".")
    inner = changed
    for parent in parents:
        inner = inner[int(parent)] if parent.isdigit() else inner[parent]
    if value is None:
        del inner[last]
    else:
        inner[int(last) if last.isdigit() else last] = value
    assert isinstance(changed, dict)
    return changed


@pytest.mark.parametrize(
    ("kind", "path", "value", "why"),
    [
        ("aws_iam_role", "name", "r" * 65, "characters are more than 64"),
        ("aws_iam_role", "description", "\u2019s role", "does not match"),
        ("aws_iam_role", "name", None, "lacks RoleName"),
        ("aws_lambda_function", "runtime", "python2.6", "is none of"),
        ("aws_lambda_function", "memory_size", 64, "are fewer than 128"),
        ("aws_lambda_function", "memory_size", "much", "is no number"),
        ("aws_cloudwatch_metric_alarm", "alarm_actions", ["arn:aws:sns:eu-west-1:1:x"] * 6, "items are more"),
        ("aws_cloudwatch_metric_alarm", "dimensions", {str(n): "x" for n in range(31)}, "items are more"),
        ("aws_quicksight_data_set", "physical_table_map.0.physical_table_map_id", "a_b", "does not match"),
        ("aws_dynamodb_table", "attribute.0.type", "STRING", "is none of S, N, B"),
        ("aws_sqs_queue", "fifo_queue", True, None),
        ("aws_sns_topic", "kms_master_key", "x", None),
    ],
)
def test_a_mistake_is_refused(
    planned_resources: list[Resource], kind: str, path: str, value: Any, why: str | None
) -> None:
    """`why` is None where the argument itself is unknown to the mapping."""
    resource = next(r for r in planned_resources if r.type == kind and _holds(r.arguments, path, value))
    sound = judge(kind, resource.arguments, MAPPINGS[kind])
    review = judge(kind, _set(resource.arguments, path, value), MAPPINGS[kind])
    if why is None:
        assert review.unmapped == [f"{kind}.{path}"]
    else:
        assert any(why in finding for finding in set(review.findings) - set(sound.findings)), review


def _holds(arguments: Json, path: str, value: Any) -> bool:
    """Tell whether there is something to change."""
    try:
        _set(arguments, path, value)
    except (KeyError, IndexError):
        return False
    return True


def test_a_mistake_in_a_template_is_refused() -> None:
    properties = {"DataSourceId": "lake", "Name": "lake", "Type": "ATHENS", "AwsAccountId": "111122223333"}
    kind = "AWS::QuickSight::DataSource"
    template = json.dumps({"Resources": {"Source": {"Type": kind, "Properties": properties}}})
    ((found, arguments),) = _templates(template)
    assert any("is none of" in one for one in judge(found, arguments, MAPPINGS[kind]).findings)


def test_a_pattern_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_models._compile", lambda pattern: None)
    review = judge("aws_iam_role", {"name": "role"}, Mapping("iam", ("CreateRole",), {"name": "RoleName"}))
    assert review.unreadable_patterns == {r"[\w+=,.@-]+"}


def _judged(resource: Resource) -> Iterator[tuple[str, Json]]:
    """Give the resource, and those of the CloudFormation template that it holds."""
    yield resource.type, resource.arguments
    for name in ("content", "template_body"):
        if resource.arguments.get(name):
            yield from _templates(resource.arguments[name])


def _templates(text: str) -> Iterator[tuple[str, Json]]:
    parsed = json.loads(text) if text.startswith("{") else {}
    for body in parsed.get("Resources", {}).values():
        yield body["Type"], _without_intrinsics(body["Properties"])


def _without_intrinsics(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_intrinsics(inner)
            for name, inner in value.items()
            if not (isinstance(inner, dict) and len(inner) == 1 and INTRINSIC.match(next(iter(inner))))
        }
    if isinstance(value, list):
        return [_without_intrinsics(inner) for inner in value]
    return value
