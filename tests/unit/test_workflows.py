"""The workflows: every action by its commit, no token where none is needed. zizmor is part of make check."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

GITHUB = Path(__file__).parents[2] / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ALL = [*WORKFLOWS, *GITHUB.glob("actions/*/action.yml")]


def load(path: Path) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text())
    return loaded


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.parent.name + "/" + path.name)
def test_actions_are_pinned_by_commit_and_say_their_version(path: Path) -> None:
    for uses in re.findall(r"uses: (\S+.*)", path.read_text()):
        assert re.fullmatch(r"\./\S+|[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", uses), uses


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_have_the_least_rights_and_an_end(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 60
        assert job["permissions"]["contents"] == "read"
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


def test_only_an_environments_own_job_applies() -> None:
    applying = [
        (path.name, name, job.get("environment"))
        for path in WORKFLOWS
        for name, job in load(path)["jobs"].items()
        if any("terraform apply" in step.get("run", "") for step in job["steps"])
    ]
    assert applying == [("apply.yml", "apply-dev", "dev"), ("apply.yml", "apply-prod", "prod")]
    jobs = load(GITHUB / "workflows" / "apply.yml")["jobs"]
    assert [jobs[name].get("needs") for name in jobs] == [None, "plan-dev", "apply-dev", "plan-prod"]
