"""Write the tables of inputs and outputs in the README of each Terraform module."""

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hcl2

from tools import REPOSITORY, Arguments, CommandError, run

FOLDER = Path("infrastructure", "modules")
BEGIN = "<!-- Written by `scripts/modules generate`. -->"
END = "<!-- End of the written tables. -->"
Block = dict[str, Any]


def readmes(root: Path) -> dict[Path, str]:
    """Return the README that each module should have, by its path.

    Raises CommandError for a README that has no place for the tables.
    """
    return {path: _with_tables(path) for path in sorted((root / FOLDER).glob("*/README.md"))}


def tables(module: Path) -> str:
    """Return the tables of inputs and outputs of a module's directory, in Markdown."""
    inputs = [
        (f"`{name}`", f"`{shown_type(block['type'])}`", _default(block), _text(block["description"]))
        for name, block in _blocks(module / "variables.tf", "variable")
    ]
    outputs = [
        (f"`{name}`", _text(block["description"])) for name, block in _blocks(module / "outputs.tf", "output")
    ]
    return "\n".join(
        [
            *_table(("Input", "Type", "Default", "Description"), inputs),
            *([""] if outputs else []),
            *(_table(("Output", "Description"), outputs) if outputs else []),
        ]
    )


def shown_type(parsed: str) -> str:
    """Return a type with the names of an object's attributes and without their types."""
    text = parsed[2:-1] if parsed.startswith("${") else parsed
    constructor, bracket, rest = text.partition("(")
    inner = rest.removesuffix(")")
    if constructor == "object":
        return f"object({{ {', '.join(hcl2.loads(f'type = {inner}')['type'])} }})"
    return f"{constructor}({shown_type(inner)})" if bracket else text


def drift(root: Path) -> list[str]:
    """Return how the READMEs differ from what the modules declare."""
    found = []
    for path, content in readmes(root).items():
        there = path.read_text()
        if there != content:
            lines = difflib.unified_diff(there.splitlines(), content.splitlines(), lineterm="", n=0)
            shown = "\n    ".join(list(lines)[3:9])
            name = path.relative_to(root)
            found.append(f"{name} is out of date: run `scripts/modules generate`\n    {shown}")
    return found


def _with_tables(path: Path) -> str:
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise CommandError(f"{path}: the lines {BEGIN!r} and {END!r} must enclose the tables")
    return f"{before}{BEGIN}\n\n{tables(path.parent)}\n\n{END}{after}"


def _blocks(file: Path, kind: str) -> list[tuple[str, Block]]:
    if not file.is_file():
        return []
    parsed = hcl2.loads(file.read_text())
    return [(name.strip('"'), block) for one in parsed.get(kind, []) for name, block in one.items()]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *rows)]


def _default(block: Block) -> str:
    return f"`{_value(block['default'])}`" if "default" in block else "required"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{name} = {_value(part)}" for name, part in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


def _text(parsed: str) -> str:
    """Return a quoted string or a heredoc as one line of Markdown."""
    text = parsed.removeprefix('"').removesuffix('"')
    if text.startswith("<<-"):
        text = text.partition("\n")[2].rpartition("\n")[0]
    escaped = text.replace('\\"', '"').replace("|", "\\|").replace("<", "&lt;")
    return " ".join(escaped.split())


def main() -> None:
    """Check or generate; every README that differs is shown."""
    parser = Arguments(
        prog="scripts/modules",
        description=__doc__,
        examples=(
            "scripts/modules check",
            "scripts/modules generate",
        ),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="compare the tables with the modules")
    commands.add_parser("generate", help="write the tables")
    if parser.parse_args().command == "generate":
        for path, content in readmes(REPOSITORY).items():
            path.write_text(content)
    elif found := drift(REPOSITORY):
        raise CommandError(f"{len(found)} READMEs\n  " + "\n  ".join(found))


if __name__ == "__main__":
    run(main)
