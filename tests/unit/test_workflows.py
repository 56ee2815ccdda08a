"""The workflows: every action by its commit, no token where none is needed. zizmor is part of make check."""

import json
import os
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools import build

GITHUB = Path(__file__).parents[2] / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
# What GitHub makes of `shell: bash`.
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
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
    for name in ("apply-dev", "apply-prod"):
        (command,) = [step["run"] for step in jobs[name]["steps"] if "terraform apply" in step.get("run", "")]
        assert command.index("scripts/stop-spark --plan -") < command.index("terraform apply")
    assert [jobs[name].get("needs") for name in jobs] == [None, "plan-dev", "apply-dev", "plan-prod"]


def test_ci_runs_everything_on_its_own_emulator_and_on_localstack() -> None:
    jobs = load(GITHUB / "workflows" / "ci.yml")["jobs"]
    said = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert [run for run in said["check"] if "make" in run] == ["make check unit", "make site"]
    assert said["test"][-1] == 'make test PYTHON="python$VERSION"'
    assert said["localstack"][:2] == ["docker compose --profile localstack up --wait", "make integration"]
    # A fork's pull request has no secrets, and a repository without an account no such variable.
    assert jobs["localstack"]["if"] == "vars.LOCALSTACK == 'true' && github.event_name == 'push'"
    (port,) = (step["env"] for step in jobs["localstack"]["steps"] if step.get("run") == "make integration")
    assert f'os.environ.get("{next(iter(port))}")' in (GITHUB.parent / "tests" / "conftest.py").read_text()


@pytest.mark.parametrize("name", ["apply", "plan"])
def test_every_file_of_a_package_is_planned_and_applied(name: str) -> None:
    """The packages hold more than functions/: a workflow that ignored an event schema would never ship it."""
    (event,) = load(GITHUB / "workflows" / f"{name}.yml")[True].values()
    files = {
        file.relative_to(GITHUB.parent).as_posix()
        for package in build.packages()
        for file in package.inputs("aws").values()
    }
    assert any(file.startswith("event-schemas/") for file in files)
    assert _ignored(files, event["paths"]) == set()
    assert _ignored({"schemas/new.json"}, event["paths"]) == {"schemas/new.json"}


def _ignored(files: set[str], paths: list[str]) -> set[str]:
    return {file for file in files if not any(fnmatch(file, path) for path in paths)}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_pipe_fails_with_its_first_command(path: Path) -> None:
    # Without a name GitHub takes `bash -e`, and `plan-summary | tee` would pass whatever a plan loses.
    assert load(path)["defaults"] == {"run": {"shell": "bash"}}


@pytest.mark.parametrize(("name", "codes"), [("apply", [1, 1]), ("drift", [0]), ("plan", [1])])
def test_a_plan_that_loses_data_is_told_and_stops_all_but_drift(
    name: str, codes: list[int], tmp_path: Path
) -> None:
    lost = {"address": "aws_dynamodb_table.p", "type": "aws_dynamodb_table", "mode": "managed"}
    plan = {"resource_changes": [{**lost, "change": {"actions": ["delete"]}}]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    told = tmp_path / "summary.md"
    environment = {**os.environ, "TARGET": "dev", "ALLOWED": "", "GITHUB_STEP_SUMMARY": str(told)}
    jobs = load(GITHUB / "workflows" / f"{name}.yml")["jobs"].values()
    lines = [line for job in jobs for step in job["steps"] for line in step.get("run", "").splitlines()]
    found = []
    for line in lines:
        if "plan-summary" in line:
            words = line.replace("../../..", str(GITHUB.parent))
            answer = subprocess.run([*BASH, words], cwd=tmp_path, env=environment, capture_output=True)
            found.append(answer.returncode)
            assert "Data would be lost with: `aws_dynamodb_table.p`" in told.read_text()
            told.unlink()
    assert found == codes


def test_whoever_silences_a_scanner_says_why() -> None:
    """Beside each skip of checkov and trivy stands a reason; they leave out the same directories."""
    repository = GITHUB.parent
    infrastructure = [
        path for path in (repository / "infrastructure").rglob("*.tf") if ".terraform" not in path.parts
    ]
    skips = [
        skip for path in infrastructure for skip in re.findall(r"checkov:skip=(\w+)(.*)", path.read_text())
    ]
    assert len(skips) > 10
    for check, reason in skips:
        assert re.fullmatch(r": ?\w.{10,}\.", reason), check
    settings = (repository / ".checkov.yaml").read_text()
    assert all(re.search(r"- CKV\w+ # .{20,}", line) for line in settings.splitlines() if "- CKV" in line)
    silenced = (repository / ".trivyignore").read_text().strip().split("\n\n")[1:]
    assert silenced
    for entry in silenced:
        assert re.fullmatch(r"# .{20,}\nAVD-[A-Z]+-\d{4}", entry), entry
    (step,) = [
        step
        for step in load(GITHUB / "workflows/ci.yml")["jobs"]["trivy"]["steps"]
        if "scan-type" in step.get("with", {})
    ]
    left_out = {path for path in yaml.safe_load(settings)["skip-path"] if path.startswith("infrastructure")}
    assert set(step["with"]["skip-dirs"].split(",")) == left_out
    assert step["with"]["exit-code"] == "1"
