"""The definitions of state machines are Amazon States Language, as its validator on npm reads it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import npm_packages
import pytest
from plans import Resource

PACKAGE = Path(__file__).with_name("asl")

Validate = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def validate() -> Validate:
    """Return asl-validator, installed at its locked version into .local/ when it is missing there."""
    program = npm_packages.installed(PACKAGE, "asl-validator") / "node_modules" / ".bin" / "asl-validator"

    def run(definition: str) -> subprocess.CompletedProcess[str]:
        command = [str(program), "--json-definition", definition]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)

    return run


@pytest.fixture(scope="session")
def definitions(planned_resources: list[Resource]) -> list[str]:
    machines = [r for r in planned_resources if r.type == "aws_sfn_state_machine"]
    return sorted({machine.arguments["definition"] for machine in machines})


def test_the_validator_takes_every_definition(validate: Validate, definitions: list[str]) -> None:
    assert definitions
    for definition in definitions:
        answer = validate(definition)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def _no_such_state(machine: dict[str, Any]) -> None:
    machine["StartAt"] = "Nowhere"


def _unknown_field(machine: dict[str, Any]) -> None:
    next(iter(machine["States"].values()))["Nxt"] = "Nowhere"


def _bad_path(machine: dict[str, Any]) -> None:
    state = next(state for state in machine["States"].values() if state["Type"] == "Task")
    state["ResultPath"] = "result"


@pytest.mark.parametrize("spoil", [_no_such_state, _unknown_field, _bad_path])
def test_the_validator_refuses_a_mistake(
    validate: Validate, definitions: list[str], spoil: Callable[[dict[str, Any]], None]
) -> None:
    machine = json.loads(definitions[0])
    spoil(machine)
    assert validate(json.dumps(machine)).returncode != 0
