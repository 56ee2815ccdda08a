"""A component has one name: its folder in functions/, its Terraform module, its function, its alarms."""

import re

from plans import Resource
from tools import REPOSITORY

MODULES = {path.name for path in (REPOSITORY / "infrastructure" / "modules").iterdir()}
# Functions that are a part of another component.
PARTS = {
    "authorizer": "ingest",
    "realtime_windows": "realtime_analytics",
    "warehouse_migrations": "warehouse",
}
PREFIX = "player-analytics-prod-"


def test_each_folder_of_functions_has_a_module() -> None:
    folders = {path.name for path in (REPOSITORY / "functions").iterdir() if path.is_dir()}
    folders -= {"layers", "__pycache__"}
    assert len(folders) > 10
    assert not {PARTS.get(folder, folder) for folder in folders} - MODULES


def test_each_function_is_made_by_the_module_of_its_folder(plans: dict[str, list[Resource]]) -> None:
    made = {
        r.values["function_name"].removeprefix(PREFIX).replace("-", "_"): r.address
        for r in plans["environments/prod/environment"]
        if r.type == "aws_lambda_function"
    }
    assert len(made) > 10
    for function, address in made.items():
        assert (REPOSITORY / "functions" / function / "handler.py").is_file(), function
        assert _component(address) == PARTS.get(function, function), address


def test_alarms_of_a_function_begin_with_its_name_or_its_component(plans: dict[str, list[Resource]]) -> None:
    alarms = [
        r
        for r in plans["environments/prod/environment"]
        if r.type == "aws_cloudwatch_metric_alarm" and "FunctionName" in (r.values["dimensions"] or {})
    ]
    assert len(alarms) > 30
    for alarm in alarms:
        component = PREFIX + _component(alarm.address).replace("_", "-")
        names = (f"{alarm.values['dimensions']['FunctionName']}-", f"{component}-")
        assert alarm.values["alarm_name"].startswith(names), alarm.address


def _component(address: str) -> str:
    """Return the module of the platform that an address is in."""
    found = re.match(r"module\.platform\.module\.(\w+)", address)
    assert found, address
    return found[1]
