"""Names, descriptions and sums are within the limits that AWS documents, with the longest names too."""

import pytest
from limits import LIMITS, Limit
from plans import Resource
from service_mappings import MAPPINGS
from service_models import judge

# What every name starts with in the plan of the longest project and environment.
LONGEST = "abcdefghijklmnopqrstuvwx-abcdefghij"

# API Gateway documents no limit for the names of REST APIs and usage plans.
WITHOUT_LIMIT = {"aws_api_gateway_rest_api.name", "aws_api_gateway_usage_plan.name"}


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


def test_every_name_has_a_limit(planned_resources: list[Resource]) -> None:
    """A name that grows with the project and environment is limited by a service model or in limits.py."""
    documented = {(limit.kind, limit.argument) for limit in LIMITS}
    named, unlimited = set(), set()
    for resource in planned_resources:
        if resource.type not in MAPPINGS or resource.plan != "modules/platform/longest_names":
            continue
        limited = judge(resource.type, resource.arguments, MAPPINGS[resource.type]).limited_arguments
        for argument, value in resource.arguments.items():
            if argument.endswith("name") and str(value).startswith(LONGEST):
                named.add(resource.type)
                if argument not in limited and (resource.type, argument) not in documented:
                    unlimited.add(f"{resource.type}.{argument}")
    assert len(named) > 30
    assert unlimited == WITHOUT_LIMIT
