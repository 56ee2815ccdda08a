"""A component has one name: folder, Terraform module, function, variable, alarms and runbooks."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytest
from plans import Resource
from tools import REPOSITORY

MODULES = {path.name for path in (REPOSITORY / "infrastructure" / "modules").iterdir()}
# Functions that are a part of another component.
PARTS = {
    "authorizer": "ingest",
    "realtime_windows": "realtime_analytics",
}
# Settings of the platform that are for several components.
COMMON_SETTINGS = {
    "dedupe_window_hours", "environment", "lake", "logging", "name_limits", "packages_directory", "project",
    "protection", "report_sender", "schedules", "streams",
}  # fmt: skip
# Runbooks of several components that share no module.
COMMON_RUNBOOKS = {"apis": {"ingest", "metrics_api"}, "names-capped": {"leaderboards", "player_state"}}
# Watches the account and the objectives of all components.
WATCHES_ALL = "observability"
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


class Alarm(NamedTuple):
    """An alarm of prod: names without the prefix."""

    component: str
    name: str
    runbook: str
    watched: tuple[str, ...]


@pytest.fixture(scope="module")
def alarms(plans: dict[str, list[Resource]]) -> list[Alarm]:
    functions = {
        one.address.removesuffix(".module.function.aws_lambda_function.this"): one.values["function_name"]
        for one in plans["environments/prod/environment"]
        if one.type == "aws_lambda_function"
    }

    def watched(one: Resource) -> Iterator[str]:
        """Yield the values of dimensions. A mapping has an id, and reads for the function beside it."""
        for name, value in _dimensions(one.values).items():
            is_mapping = name == "EventSourceMappingUUID"
            yield str(functions.get(one.address.rpartition(".aws_")[0], value) if is_mapping else value)

    found = [
        Alarm(
            _component(one.address).replace("_", "-"),
            one.values["alarm_name"].removeprefix(PREFIX),
            one.values["alarm_description"].rpartition("docs/runbooks/")[2].removesuffix(".md"),
            tuple(name.removeprefix(PREFIX) for name in watched(one)),
        )
        for one in plans["environments/prod/environment"]
        if one.type in ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
    ]
    assert len(found) > 100
    return found


def misnamed(alarms: Iterable[Alarm]) -> list[str]:
    """Return alarms that begin neither with their component's name nor with that of what they watch."""
    return [
        alarm.name
        for alarm in alarms
        if alarm.component != WATCHES_ALL
        and not f"{alarm.name}-".startswith(tuple(f"{name}-" for name in (alarm.component, *alarm.watched)))
    ]


def strange_runbooks(alarms: Iterable[Alarm]) -> list[str]:
    """Return runbooks that have the name of no module and do not begin with their component's name."""
    components: dict[str, set[str]] = {}
    for alarm in alarms:
        components.setdefault(alarm.runbook, set()).add(alarm.component)
    return [
        runbook
        for runbook, found in components.items()
        if runbook.replace("-", "_") not in MODULES
        and not (len(found) == 1 and runbook.startswith(f"{min(found)}-"))
        and {name.replace("-", "_") for name in found} != COMMON_RUNBOOKS.get(runbook)
    ]


def test_each_alarm_begins_with_its_component_or_with_what_it_watches(alarms: list[Alarm]) -> None:
    assert misnamed(alarms) == []


def test_each_runbook_has_the_name_of_its_component(alarms: list[Alarm]) -> None:
    assert strange_runbooks(alarms) == []
    written = {path.stem for path in (REPOSITORY / "docs" / "runbooks").glob("*.md")}
    assert written - {"README"} == {alarm.runbook for alarm in alarms}
    listed = re.findall(r"\]\((.+)\.md\)", (REPOSITORY / "docs" / "runbooks" / "README.md").read_text())
    assert sorted(listed) == sorted(written - {"README"})


def test_other_names_are_seen() -> None:
    wrong = Alarm("processor", "reject-rate", "advice", ())
    right = Alarm("player-state", "games-read-throttles", "dynamodb-table", ("games",))
    assert misnamed([wrong, right]) == ["reject-rate"]
    assert strange_runbooks([wrong, right]) == ["advice"]


def test_each_variable_of_the_platform_has_the_name_of_a_module() -> None:
    text = (REPOSITORY / "infrastructure" / "modules" / "platform" / "variables.tf").read_text()
    variables = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    assert variables - MODULES == COMMON_SETTINGS


def test_documents_name_folders_of_functions() -> None:
    """A function that a document calls by another name leads nowhere: `functions/<name>` must exist."""
    folders = {path.name for path in (REPOSITORY / "functions").iterdir()}
    for path in (*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")):
        named = set(re.findall(r"functions/([a-z_]+)", path.read_text()))
        assert named <= folders, path


def _dimensions(values: dict[str, Any]) -> dict[str, str]:
    queried = [one for query in values.get("metric_query") or () for one in query["metric"] or ()]
    found: dict[str, str] = dict(values.get("dimensions") or {})
    for metric in queried:
        found |= metric["dimensions"] or {}
    return found


def _component(address: str) -> str:
    """Return the module of the platform that an address is in."""
    found = re.match(r"module\.platform\.module\.(\w+)", address)
    assert found, address
    return found[1]
