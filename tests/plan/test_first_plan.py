"""The real provider plans each root from an empty state, where nothing that AWS computes is known yet.

A mocked provider may know too much. Here `count` and `for_each` see what they see in the first apply.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., str]

# No call of the plan reaches AWS: what the provider would ask it for is overridden.
PROVIDER = """
provider "aws" {
  access_key                  = "none"
  region                      = "eu-west-1"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}
"""
ACCOUNT = """
override_data {{
  target = {module}data.aws_caller_identity.this
  values = {{ account_id = "111122223333" }}
}}
"""
ZONES = """
override_data {{
  target = {module}data.aws_availability_zones.this
  values = {{ names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }}
}}
"""

# The tests of each root whose runs are planned, and what is overridden.
ROOTS = {
    "bootstrap": ("plans.tftest.hcl", ACCOUNT.format(module="")),
    "bootstrap/region": ("*.tftest.hcl", ACCOUNT.format(module="")),
    "environments/dev": ("*.tftest.hcl", (ACCOUNT + ZONES).format(module="module.platform.")),
    "environments/prod": ("*.tftest.hcl", (ACCOUNT + ZONES).format(module="module.platform.")),
    "modules/platform": ("plans.tftest.hcl", (ACCOUNT + ZONES).format(module="")),
}
DIRECTORY = "first_plan"
BLOCK = r"^(?P<indent>{indent}){head} \{{\n.*?^(?P=indent)\}}\n"


@pytest.fixture(scope="module")
def copy(infrastructure: Path) -> str:
    """Copy infrastructure/ without checks: of one that it cannot evaluate yet a plan warns, a test fails."""
    source = Path(__file__).resolve().parents[2] / "infrastructure"
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "backend.hcl")
    copied = shutil.copytree(source, infrastructure / DIRECTORY, ignore=ignored)
    for file in copied.glob("**/*.tf"):
        file.write_text(_without(file.read_text(), r'check "\w+"'))
    return copied.name


@pytest.mark.parametrize("root", ROOTS)
def test_the_real_provider_plans_an_empty_state(run: Run, infrastructure: Path, copy: str, root: str) -> None:
    files, overrides = ROOTS[root]
    tests = {
        file.name: PROVIDER + overrides + _real(file.read_text())
        for file in (infrastructure / root / "tests").glob(files)
    }
    runs = _plan(run, infrastructure, f"{copy}/{root}", tests)
    assert runs
    for changes in runs:
        assert {action for change in changes for action in change["change"]["actions"]} == {"create"}
        assert any(True in change["change"]["after_unknown"].values() for change in changes)


@pytest.mark.parametrize(
    "argument", ["count = length(aws_sqs_queue.first.url)", "for_each = toset([aws_sqs_queue.first.url])"]
)
def test_a_number_that_aws_computes_is_refused(run: Run, infrastructure: Path, argument: str) -> None:
    root = infrastructure / "unknown"
    root.mkdir(exist_ok=True)
    body = 'resource "aws_sqs_queue" "first" {}\n\nresource "aws_sqs_queue" "second" {\n  %s\n}\n'
    (root / "main.tf").write_text(body % argument)
    name = argument.partition(" ")[0]
    with pytest.raises(AssertionError, match=f"Invalid {name} argument"):
        _plan(
            run,
            infrastructure,
            "unknown",
            {"plan.tftest.hcl": PROVIDER + 'run "first" {\n  command = plan\n}\n'},
        )


def _plan(run: Run, infrastructure: Path, root: str, tests: dict[str, str]) -> list[list[dict[str, Any]]]:
    """Return the changes of each run of the tests."""
    directory = infrastructure / root / DIRECTORY
    directory.mkdir(exist_ok=True)
    for name, text in tests.items():
        (directory / name).write_text(text)
    lines = run(root, "test", f"-test-directory={DIRECTORY}", "-json", "-verbose").splitlines()
    plans = [json.loads(line) for line in lines if '"type":"test_plan"' in line]
    return [plan["test_plan"]["resource_changes"] for plan in plans]


def _real(tests: str) -> str:
    """Return a root's tests without mocks and assertions: every run that must not fail is a plan."""
    text = _without(tests, r'mock_provider "\w+"')
    for found in list(
        re.finditer(BLOCK.format(indent="", head=r'run "\w+"'), text, re.MULTILINE | re.DOTALL)
    ):
        body = "" if "expect_failures" in found[0] else _without(found[0], "assert", "  ")
        planned = body if "command" in body else body.replace(" {\n", " {\n  command = plan\n", 1)
        text = text.replace(found[0], planned)
    return text


def _without(text: str, head: str, indent: str = "") -> str:
    return re.sub(BLOCK.format(indent=indent, head=head), "", text, flags=re.MULTILINE | re.DOTALL)
