"""Each module's README shows a usage that applies, and tables of what the module declares."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tools import REPOSITORY, CommandError, modules

INFRASTRUCTURE = REPOSITORY / "infrastructure"
MODULES = sorted(path.name for path in (INFRASTRUCTURE / "modules").iterdir() if path.is_dir())
# What a root adds to the blocks of the READMEs.
ROOT = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "packages_directory" {
  type = string
}
"""
TEST = """
mock_provider "aws" {
  source = "../../testing"
}

run "usage" {
  variables {
    packages_directory = "../../testing/packages"
  }
}
"""

Run = Callable[..., str]


def blocks(readme: Path) -> list[str]:
    """Return the blocks of HCL in a README."""
    return re.findall(r"^```hcl\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)


def usage(module: str) -> str:
    """Return the one call of a module that its README shows."""
    (block,) = blocks(INFRASTRUCTURE / "modules" / module / "README.md")
    assert block.startswith(f'module "{module}" {{\n  source = "../../modules/{module}"\n')
    return block


def test_usages_apply_together(run: Run, infrastructure: Path) -> None:
    """One root holds all of them, and what they share: infrastructure/README.md shows it."""
    root = infrastructure / "environments" / "usage"
    (root / "tests").mkdir(parents=True)
    (shared,) = blocks(INFRASTRUCTURE / "README.md")
    (root / "main.tf").write_text("\n".join([ROOT.lstrip(), shared, *map(usage, MODULES)]))
    (root / "tests" / "usage.tftest.hcl").write_text(TEST.lstrip())
    name = str(root.relative_to(infrastructure))
    run(name, "fmt", "-check", "-diff", "-no-color")
    assert "1 passed, 0 failed" in run(name, "test", "-no-color")
    shutil.rmtree(root)


def test_tables_are_up_to_date() -> None:
    assert modules.drift(REPOSITORY) == []


def test_the_list_of_modules_is_complete() -> None:
    """infrastructure/README.md has a row for each module, with a link to its README."""
    text = (INFRASTRUCTURE / "README.md").read_text()
    listed = re.findall(r"^\| \[`modules/(\w+)`\]\(modules/(\w+)/README\.md\) \|", text, re.MULTILINE)
    assert [name for name, _ in listed] == [folder for _, folder in listed] == MODULES


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Return the directory of a module with an up-to-date README, below a repository of its own."""
    module = tmp_path / "infrastructure" / "modules" / "example"
    module.mkdir(parents=True)
    (module / "variables.tf").write_text(
        """
        variable "tables" {
          type = map(object({
            name    = string
            expires = optional(object({ days = number }), { days = 3 })
          }))
          description = <<-TEXT
            Tables, and whether "they" | <expire>.
            Left out: none.
          TEXT
          default     = { games = { name = "games", expires = null } }
        }
        variable "zones" {
          type        = list(string)
          description = "Zones."
        }
        """
    )
    (module / "outputs.tf").write_text('output "arn" {\n  description = "Its ARN."\n  value = "arn"\n}\n')
    (module / "README.md").write_text(f"# example\n\n{modules.BEGIN}\n{modules.END}\n\nThe end.\n")
    for path, content in modules.readmes(tmp_path).items():
        path.write_text(content)
    return module


def test_a_readme_has_types_defaults_and_descriptions(example: Path) -> None:
    assert (example / "README.md").read_text() == (
        f"# example\n\n{modules.BEGIN}\n\n"
        "| Input | Type | Default | Description |\n"
        "| --- | --- | --- | --- |\n"
        '| `tables` | `map(object({ name, expires }))` | `{ games = { name = "games", expires = null } }` '
        '| Tables, and whether "they" \\| &lt;expire>. Left out: none. |\n'
        "| `zones` | `list(string)` | required | Zones. |\n\n"
        "| Output | Description |\n"
        "| --- | --- |\n"
        "| `arn` | Its ARN. |\n\n"
        f"{modules.END}\n\nThe end.\n"
    )


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("variables.tf", "Zones.", "Letters of zones."),
        ("variables.tf", "list(string)", "set(string)"),
        ("variables.tf", 'variable "zones"', 'variable "letters"'),
        ("outputs.tf", '"arn"', '"name"'),
    ],
)
def test_a_change_of_a_module_is_noticed(example: Path, file: str, before: str, after: str) -> None:
    repository = example.parents[2]
    assert modules.drift(repository) == []
    (example / file).write_text((example / file).read_text().replace(before, after))
    (found,) = modules.drift(repository)
    assert found.startswith("infrastructure/modules/example/README.md is out of date: run `scripts/modules")


def test_a_readme_without_a_place_for_the_tables_is_an_error(example: Path) -> None:
    (example / "README.md").write_text("# example\n")
    with pytest.raises(CommandError, match="must enclose the tables"):
        modules.drift(example.parents[2])
