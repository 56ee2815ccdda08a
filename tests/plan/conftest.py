"""Terraform runs in a copy of infrastructure/: the checkout stays clean, no credentials are in reach."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tools import terraform

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
        **terraform.environment(),
        "TF_IN_AUTOMATION": "1",
        "TF_PLUGIN_CACHE_DIR": str(plugins),
    }
    mirror = terraform.provider_mirror()
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
            timeout=300,
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

    @cache
    def test(root: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in run(root, "test", "-json", "-verbose").splitlines()]

    return test


@pytest.fixture(scope="session")
def applied(tested: Callable[[str], list[dict[str, Any]]]) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that gives the resources of an environment as its tests have them on mocked AWS."""

    @cache
    def apply(environment: str) -> list[dict[str, Any]]:
        for line in tested(f"environments/{environment}"):
            if line["type"] == "test_state":
                return [
                    one for one in _resources(line["test_state"]["root_module"]) if one["mode"] == "managed"
                ]
            if line["type"] == "test_plan":
                changes = line["test_plan"]["resource_changes"]
                return [change | {"values": change["change"]["after"]} for change in changes]
        raise AssertionError(f"the tests of {environment} have neither state nor plan")

    return apply


@pytest.fixture
def resources(
    applied: Callable[[str], list[dict[str, Any]]], request: pytest.FixtureRequest
) -> list[dict[str, Any]]:
    """Every managed resource of the environment that the test is for."""
    return applied(request.param)


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)
