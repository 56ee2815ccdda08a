"""Every job that takes a role sends a subject that this role trusts, and no other role does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = Path(__file__).resolve().parents[2] / ".github" / "workflows"
PREFIX = "repo:Studio@1234/analytics@5678"  # of the repository that bootstrap's test "github" names
# What GitHub writes after the repository for a job without an environment, by the event that started it.
CONTEXTS = {
    "pull_request": "pull_request",
    "push": "ref:refs/heads/main",
    "schedule": "ref:refs/heads/main",
    "workflow_dispatch": "ref:refs/heads/main",
}


def jobs() -> Iterator[tuple[str, str, str]]:
    """Yield each job that takes a role, the role, and each subject that GitHub sends for it."""
    for path in sorted(WORKFLOWS.glob("*.yml")):
        workflow = yaml.safe_load(path.read_text())
        events = workflow[True]  # YAML 1.1 reads `on` as a truth value
        for name, job in workflow["jobs"].items():
            for step in job["steps"]:
                arn = step.get("with", {}).get("role-arn")
                if arn:
                    (variable,) = re.findall(r"vars\.(\w+)_ROLE_ARN", arn)
                    environment = job.get("environment")
                    role = environment if variable == "APPLY" else "plan"
                    contexts = (
                        [f"environment:{environment}"] if environment else [CONTEXTS[e] for e in events]
                    )
                    for context in contexts:
                        yield f"{path.name}/{name}", role, f"{PREFIX}:{context}"


@pytest.fixture
def trusted(planned_by_github: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """The subjects that each role trusts."""
    return {
        role: json.loads(planned_by_github[f'aws_iam_role.github["{role}"]']["assume_role_policy"])[
            "Statement"
        ][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
        for role in ("dev", "plan", "prod")
    }


def test_each_role_is_taken() -> None:
    assert {role for _, role, _ in jobs()} == {"dev", "plan", "prod"}


def test_each_job_may_take_its_role_and_no_other(trusted: dict[str, list[str]]) -> None:
    for job, role, subject in jobs():
        assert [name for name, subjects in trusted.items() if subject in subjects] == [role], (job, subject)


def test_no_role_trusts_what_no_job_sends(trusted: dict[str, list[str]]) -> None:
    assert {s for subjects in trusted.values() for s in subjects} == {subject for _, _, subject in jobs()}


def test_names_alone_are_not_trusted(trusted: dict[str, list[str]]) -> None:
    """Whoever registers a name that was given up sends it with other ids."""
    assert all("@1234/" in subject and "@5678:" in subject for s in trusted.values() for subject in s)


def test_the_plan_role_never_takes_a_lock() -> None:
    """It may not write: a plan without -lock=false would fail at the lock's object."""
    plans = [
        line.strip()
        for path in sorted(WORKFLOWS.glob("*.yml"))
        for line in path.read_text().splitlines()
        if "terraform plan" in line
    ]
    assert len(plans) == 4
    assert all(" -lock=false " in line for line in plans), plans
