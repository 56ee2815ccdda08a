"""Each scheduled function has a switch of its own: no other switch stops it."""

import pytest
from plans import Resource

Plans = dict[str, list[Resource]]

# The switch in the platform's variable schedules, and the schedules that it turns on.
SCHEDULES = {
    "advice": {"performance-advisor-week"},
    "erasure": {"privacy-night"},
    "quality": {"data-quality-hour"},
    "reports": {"scheduled-reports-day", "scheduled-reports-week"},
}
OFF = {
    "everything": set(),
    "nothing_optional": set(SCHEDULES),
    "without_advice_and_quality": {"advice", "quality"},
    "without_advice_and_reports": {"advice", "reports"},
}


@pytest.mark.parametrize("name", OFF)
def test_a_switch_stops_its_own_schedules_only(plans: Plans, name: str) -> None:
    states = _states(plans[f"modules/platform/{name}"])
    for switch, schedules in SCHEDULES.items():
        expected = "DISABLED" if switch in OFF[name] else "ENABLED"
        assert {one: states[one] for one in schedules} == dict.fromkeys(schedules, expected), switch


def test_no_two_switches_are_alike_in_these_plans() -> None:
    """Two switches that are on and off together could be crossed without a failing test."""
    patterns = {switch: tuple(switch in off for off in OFF.values()) for switch in SCHEDULES}
    assert len(set(patterns.values())) == len(SCHEDULES)


def test_erasure_goes_on_without_mail(plans: Plans) -> None:
    resources = plans["modules/platform/without_advice_and_reports"]
    (mailer,) = [r for r in resources if _function(r) == "player-analytics-test-scheduled-reports"]
    assert mailer.values["environment"][0]["variables"]["SENDER"] == ""
    states = _states(resources)
    assert states["privacy-night"] == "ENABLED"
    assert states["scheduled-reports-day"] == "DISABLED"


def _states(resources: list[Resource]) -> dict[str, str]:
    """Return the state of each schedule by its name, without the environment's prefix."""
    return {
        r.values["name"].removeprefix("player-analytics-test-"): r.values["state"]
        for r in resources
        if r.type == "aws_scheduler_schedule"
    }


def _function(resource: Resource) -> str | None:
    return resource.values["function_name"] if resource.type == "aws_lambda_function" else None
