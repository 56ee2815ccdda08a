"""Terraform runs in a copy of infrastructure/: the checkout stays clean, no credentials are in reach."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import plans as complete_plans
import pytest
from plans import Resource
from tools.infrastructure import environment as terraform_environment
from tools.infrastructure import provider_mirror

SOURCE = Path(__file__).resolve().parents[2] / "infrastructure"
NOT_COPIED = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars", "backend.hcl")

Run = Callable[..., str]


@pytest.fixture(scope="session")
def infrastructure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy infrastructure/ once a session."""
    return shutil.copytree(SOURCE, tmp_path_factory.mktemp("terraform") / "infrastructure", ignore=NOT_COPIED)


@pytest.fixture(scope="session")
def run(infrastructure: Path) -> Run:
    """Return a function that runs terraform in a directory of the copy, initialised on first use."""
    plugins = infrastructure.parent / "plugins"
    plugins.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))},
        **terraform_environment(),
        "TF_PLUGIN_CACHE_DIR": str(plugins),
    }
    mirror = provider_mirror()
    from_mirror = [f"-plugin-dir={mirror}"] if mirror else []

    def execute(directory: str, *arguments: str) -> str:
        command = ["terraform", *arguments]
        answer = subprocess.run(
            command,
            cwd=infrastructure / directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )
        # A line of JSON that holds a whole plan hides what went wrong.
        told = "\n".join(line for line in answer.stdout.splitlines() if len(line) < 10_000)
        assert answer.returncode == 0, f"{' '.join(command)} in {directory}\n{told}\n{answer.stderr}"
        return answer.stdout

    @cache
    def initialise(directory: str) -> None:
        execute(directory, "init", "-backend=false", "-input=false", "-no-color", *from_mirror)

    def run_initialised(directory: str, *arguments: str) -> str:
        initialise(directory)
        return execute(directory, *arguments)

    return run_initialised


@pytest.fixture(scope="session")
def tested(run: Run) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that gives what the tests of a root tell, with plans and states: they run once."""

    schemas: dict[str, Any] = {}

    def parse(line: str) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(line)
        body = parsed.get("test_plan") or parsed.get("test_state")
        if body:
            # Each plan repeats the provider's schemas, which take 100 MB of memory: keep them once.
            body["provider_schemas"] = schemas.setdefault("provider", body["provider_schemas"])
        return parsed

    @cache
    def test(root: str) -> list[dict[str, Any]]:
        return [parse(line) for line in run(root, "test", "-json", "-verbose").splitlines()]

    return test


@pytest.fixture(scope="session")
def applied(tested: Callable[[str], list[dict[str, Any]]]) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that gives the resources of an environment as its tests have them on mocked AWS."""

    @cache
    def apply(environment: str) -> list[dict[str, Any]]:
        for line in tested(f"environments/{environment}"):
            if line["type"] == "test_state":
                resources = complete_plans.state_resources(line["test_state"]["root_module"])
                return [one for one in resources if one["mode"] == "managed"]
            if line["type"] == "test_plan":
                changes = line["test_plan"]["resource_changes"]
                return [change | {"values": change["change"]["after"]} for change in changes]
        raise AssertionError(f"the tests of {environment} have neither state nor plan")

    return apply


@pytest.fixture(scope="session")
def plans(tested: Callable[[str], list[dict[str, Any]]], infrastructure: Path) -> dict[str, list[Resource]]:
    """Return the resources of each run of every root and of the platform, by "<root>/<run>"."""
    found: dict[str, list[Resource]] = {}
    for root in complete_plans.ROOTS:
        found |= complete_plans.collect(tested(root), infrastructure / root, root)
    return found


@pytest.fixture(scope="session")
def planned_by_github(tested: Callable[[str], list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return what bootstrap plans with GitHub's roles, by address."""
    (plan,) = [
        line["test_plan"]
        for line in tested("bootstrap")
        if (line["type"], line.get("@testrun")) == ("test_plan", "github")
    ]
    return {change["address"]: change["change"]["after"] for change in plan["resource_changes"]}


@pytest.fixture(scope="session")
def planned_resources(plans: dict[str, list[Resource]]) -> list[Resource]:
    """Return every resource of every plan."""
    return [resource for resources in plans.values() for resource in resources]


@pytest.fixture
def resources(
    applied: Callable[[str], list[dict[str, Any]]], request: pytest.FixtureRequest
) -> list[dict[str, Any]]:
    """Every managed resource of the environment that the test is for."""
    return applied(request.param)
