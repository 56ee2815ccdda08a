"""Every module and root is formatted, valid, tested and within the project's bounds."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hcl2
import plans
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "infrastructure"
DIRECTORIES = sorted(str(path.parent.relative_to(SOURCE)) for path in SOURCE.glob("**/terraform.tf"))
COLUMNS = 120
PROSE = re.compile(r"\s*(#|error_message\s*=|description\s*=)")
UNBREAKABLE = re.compile(r'(?:"[^"]*"|[^\s"])+')
ROOTS = [directory for directory in DIRECTORIES if not directory.startswith("modules/")]

each_directory = pytest.mark.parametrize("directory", DIRECTORIES)

Run = Callable[..., str]


def test_files_are_formatted(run: Run) -> None:
    run("bootstrap", "fmt", "-check", "-diff", "-recursive", "-no-color", "..")


# The roots call every module; each module's own tests plan it as well.
@pytest.mark.parametrize("root", ROOTS)
def test_root_is_valid(run: Run, root: str) -> None:
    run(root, "validate", "-no-color")


@each_directory
def test_directory_passes_its_tests(
    run: Run, tested: Callable[[str], list[dict[str, Any]]], directory: str
) -> None:
    if directory in plans.ROOTS:
        (summary,) = [line["test_summary"] for line in tested(directory) if line["type"] == "test_summary"]
        assert summary["status"] == "pass"
        assert summary["passed"] > 0
    else:
        assert "Success! " in run(directory, "test", "-no-color")
    assert list((SOURCE / directory / "tests").glob("*.tftest.hcl")), "there are no tests"


@pytest.mark.parametrize("root", ROOTS)
def test_lock_file_is_complete(run: Run, infrastructure: Path, root: str) -> None:
    run(root, "version")
    assert _lock(infrastructure / root) == _lock(SOURCE / root), (
        "terraform init changes the lock file: commit it"
    )


@pytest.mark.parametrize("environment", ["dev", "local", "prod"])
def test_environments_differ_in_values_only(environment: str) -> None:
    """A root is one call of the platform, without a condition or a resource of its own."""
    blocks: dict[str, list[Any]] = {}
    for file in sorted((SOURCE / "environments" / environment).glob("*.tf")):
        for kind, found in hcl2.loads(file.read_text()).items():
            blocks.setdefault(kind, []).extend(found)
    blocks.pop("__comments__", None)
    assert set(blocks) <= {"check", "module", "output", "provider", "terraform", "variable"}
    ((name, call),) = [item for block in blocks["module"] for item in block.items()]
    assert (name, call["source"]) == ('"platform"', '"../../modules/platform"')
    assert not {"count", "for_each"} & set(call)


@each_directory
def test_variables_are_described_and_in_order(directory: str) -> None:
    variables = _variables(directory)
    assert list(variables) == sorted(variables), "variables are in alphabetical order"
    for name, block in variables.items():
        for attribute in ("type", "description"):
            assert re.search(rf"^  {attribute}\s+= ", block, re.MULTILINE), f"{name} has no {attribute}"
        assert re.search(r"^  nullable\s+= false$", block, re.MULTILINE), f"{name} may be null"
        assert not re.search(r"\bany\b", block.partition("description")[0]), f"{name} is of any type"


@each_directory
def test_each_validation_has_a_failing_run(directory: str) -> None:
    tests = "".join(path.read_text() for path in (SOURCE / directory / "tests").glob("*.tftest.hcl"))
    for name, block in _variables(directory).items():
        validations = block.count("  validation {")
        runs = len(re.findall(rf"expect_failures = \[.*\bvar\.{name}\b", tests))
        assert runs >= validations, f"{name} has {validations} validations and {runs} failing runs"


def test_no_line_of_terraform_is_longer_than_120_columns() -> None:
    files = [
        path
        for pattern in ("*.tf", "*.tftest.hcl")
        for path in sorted(SOURCE.glob(f"**/{pattern}"))
        if ".terraform" not in path.parts
    ]
    assert len(files) > 130
    assert not [
        f"{file.relative_to(SOURCE)}:{number}" for file in files for number in _long_lines(file.read_text())
    ]


def test_a_long_line_is_noticed() -> None:
    assert _long_lines(f"{'x ' * 60}\n  # {'é ' * 58}y\n") == [2]
    assert _long_lines(f'  a = "{"x " * 60}"\n  && {"x" * 120} ==\n  && {"x" * 60} == {"y" * 60}\n') == [3]


def test_checkov_finds_nothing() -> None:
    own = REPOSITORY / ".venv-checkov" / "bin" / "checkov"
    checkov = str(own) if own.exists() else shutil.which("checkov")
    assert checkov, "checkov is neither in .venv-checkov nor on PATH"
    answer = subprocess.run(
        [checkov, "--config-file", ".checkov.yaml"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"Passed checks: [1-9]\d*, Failed checks: 0,", answer.stdout), answer.stdout


def _long_lines(text: str) -> list[int]:
    """Return the numbers of lines that are too long, but for one text or reference that cannot be broken."""
    return [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > COLUMNS
        and (PROSE.match(line) or max(map(len, UNBREAKABLE.findall(line)), default=0) < COLUMNS - 30)
    ]


def _lock(directory: Path) -> str:
    return (directory / ".terraform.lock.hcl").read_text()


def _variables(directory: str) -> dict[str, str]:
    text = (SOURCE / directory / "variables.tf").read_text()
    return dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}$', text, re.MULTILINE | re.DOTALL))
