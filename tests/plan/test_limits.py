"""Names, descriptions and sums are within the limits that AWS documents, with the longest names too."""

import pytest
from limits import LIMITS, Limit
from plans import Json, Resource

# What every name starts with in the plan of the longest project and environment.
LONGEST = "abcdefghijklmnopqrstuvwx-abcdefghij"


def test_every_resource_is_within_the_documented_limits(planned_resources: list[Resource]) -> None:
    findings = {
        f"{resource.plan} {resource.address}: {finding}"
        for resource in planned_resources
        for limit in LIMITS
        for finding in limit.findings(resource.type, resource.arguments)
    }
    assert not findings, "\n".join(sorted(findings))


def test_each_limit_has_something_to_judge(planned_resources: list[Resource]) -> None:
    types = {resource.type for resource in planned_resources} | {"*"}
    assert {limit.kind for limit in LIMITS} <= types


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.kind}.{limit.argument}")
def test_a_mistake_is_refused(limit: Limit) -> None:
    arguments = limit.refused
    for name in reversed(limit.argument.split(".") if limit.argument else []):
        arguments = {name: arguments}
    assert list(limit.findings(limit.kind, arguments)), limit.refused


def test_the_longest_names_are_planned(planned_resources: list[Resource]) -> None:
    names = {
        resource.type
        for resource in planned_resources
        if resource.plan == "modules/platform/longest_names" and _named(resource.arguments)
    }
    assert len(names) > 30


def _named(arguments: Json) -> bool:
    return any(str(value).startswith(LONGEST) for value in arguments.values())
