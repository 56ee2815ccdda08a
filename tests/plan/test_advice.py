"""Advice names settings that the platform has: a reader finds the variable and changes it."""

import ast
import json
import re
from pathlib import Path

import hcl2
import pytest
from plans import Resource

REPOSITORY = Path(__file__).parents[2]
# What the advisor adds to the names that it is given.
ADDED = {"consumers": [".batch_size", ".batch_window_seconds"], "streams": [""]}


@pytest.fixture(scope="module")
def types() -> dict[str, str]:
    """Return the type of each variable of the platform."""
    parsed = hcl2.loads((REPOSITORY / "infrastructure/modules/platform/variables.tf").read_text())
    return {name.strip('"'): body["type"] for block in parsed["variable"] for name, body in block.items()}


def exists(setting: str, types: dict[str, str]) -> bool:
    """Tell whether a variable has the attributes that a path names, each inside of the one before."""
    variable, *attributes = setting.split(".")
    inside = ".*?".join(rf"\b{attribute}\b *=" for attribute in attributes)
    return variable in types and bool(re.search(inside, types[variable], re.DOTALL))


def test_what_is_watched_is_named_by_its_setting(
    plans: dict[str, list[Resource]], types: dict[str, str]
) -> None:
    named = set()
    for plan in ("everything", "nothing_optional"):
        (watched,) = [
            json.loads(r.values["environment"][0]["variables"]["WATCHED"])
            for r in plans[f"modules/platform/{plan}"]
            if r.type == "aws_lambda_function" and r.values["function_name"].endswith("performance-advisor")
        ]
        assert {part for part, names in watched.items() if isinstance(names, dict)} == set(ADDED)
        named |= {setting + end for part, ends in ADDED.items() for setting in watched[part] for end in ends}
    assert {"processor.batch_size", "streams.raw_shards"} <= named
    assert not [setting for setting in sorted(named) if not exists(setting, types)]


def test_what_the_advisor_names_by_itself_exists(types: dict[str, str]) -> None:
    source = ast.parse((REPOSITORY / "functions/performance_advisor/advise.py").read_text())
    literals = [node.value for node in ast.walk(source) if isinstance(node, ast.Constant)]
    dotted = [it for it in literals if isinstance(it, str) and re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", it)]
    named = [it for it in dotted if not it.endswith(".json")]
    assert "batch_analytics.job.maximum_executors" in named
    assert not [setting for setting in named if not exists(setting, types)]


@pytest.mark.parametrize(
    "setting", ["batch_analytics.maximum_rpu", "job.maximum_executors", "warehouse.base_rpu.capacity"]
)
def test_a_wrong_setting_is_noticed(setting: str, types: dict[str, str]) -> None:
    assert not exists(setting, types)
