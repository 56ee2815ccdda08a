"""What prod's Terraform plans: its functions, and the tables, streams and topics that they are given."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import infrastructure

Resource = dict[str, Any]
SENDER = "reports@example.com"
# Prod with the warehouse, so that every function is planned. What AWS computes is mocked in the plan already,
# because variables of functions hold it.
TEST = f"""
mock_provider "aws" {{
  override_during = plan
  source          = "../../testing"
}}

variables {{
  alert_emails       = ["ops@example.com"]
  budget_usd_a_month = 5000
  packages_directory = "../../testing/packages"
  report_sender      = "{SENDER}"
  warehouse          = {{ enabled = true }}
}}

run "functions" {{
  command = plan
}}
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """The managed resources of prod, each with its address, type and planned values."""

    resources: list[Resource]

    def of(self, kind: str) -> Iterator[Resource]:
        """Yield the resources of a type."""
        return (resource for resource in self.resources if resource["type"] == kind)

    def functions(self) -> dict[str, dict[str, Any]]:
        """Return the configuration of each function by the name of its Python package."""
        values = [function["values"] for function in self.of("aws_lambda_function")]
        return {Path(configuration["s3_key"]).parent.name: configuration for configuration in values}

    def scheduled(self, function: str, name: str) -> Any:
        """Return the event that a schedule sends to a function, with a time as EventBridge fills it in."""
        (found,) = [
            schedule["values"]["target"][0]["input"]
            for schedule in self.of("aws_scheduler_schedule")
            if re.search(
                rf"\.module\.{function}(\[0\])?\..*\.(this\[\"{name}\"\]|{name})$", schedule["address"]
            )
        ]
        return json.loads(found.replace("<aws.scheduler.scheduled-time>", "2026-03-11T05:00:00Z"))


def plan(directory: Path) -> Plan:
    """Plan prod on mocked AWS in a copy of infrastructure/."""
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tftest.hcl", "backend.hcl")
    copy = shutil.copytree(infrastructure.INFRASTRUCTURE, directory / "infrastructure", ignore=ignored)
    root = copy / "environments" / "prod"
    (root / "tests").mkdir(exist_ok=True)
    (root / "tests" / "functions.tftest.hcl").write_text(TEST)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    environment = {**kept, **infrastructure.environment()}

    def run(*arguments: str) -> str:
        answer = subprocess.run(
            ["terraform", *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        told = [line for line in answer.stdout.splitlines() if len(line) < 10_000]
        assert answer.returncode == 0, "\n".join(told) + answer.stderr
        return answer.stdout

    run("init", "-backend=false", "-no-color", *infrastructure.init_arguments())
    lines = map(json.loads, run("test", "-json", "-verbose").splitlines())
    (changes,) = [line["test_plan"]["resource_changes"] for line in lines if line["type"] == "test_plan"]
    return Plan(
        [change | {"values": change["change"]["after"]} for change in changes if change["mode"] == "managed"]
    )
