"""Check the event schemas as a registry would, and generate what is derived from them."""

import argparse
import difflib
import json
import re
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
from telemetry.catalog import compiled

from tools import REPOSITORY, CommandError, run
from tools.schema_artefacts import Catalogue, artefacts, type_of, version_of
from tools.schema_compatibility import gaps, misnamed

FOLDER = "event-schemas"
NAME = re.compile(r"[1-9][0-9]*-[0-9]+-[0-9]+\.json")
BASES = ("origin/main", "main")
Schema = dict[str, Any]
Documents = dict[str, Schema]


def load(root: Path) -> dict[str, Schema]:
    """Return the documents of a repository by their path below event-schemas: "/purchase/1-0-0.json".

    Raises CommandError for a file that is no JSON object.
    """
    documents = {}
    for path in sorted((root / FOLDER).glob("*/*.json")):
        try:
            schema = json.loads(path.read_text())
        except ValueError as error:
            raise CommandError(f"{path.relative_to(root)}: {error}") from None
        if not isinstance(schema, dict):
            raise CommandError(f"{path.relative_to(root)}: a schema is a JSON object")
        documents[f"/{path.parent.name}/{path.name}"] = schema
    return documents


def metrics(root: Path) -> Schema:
    """Return the definition of the gold tables."""
    definition: Schema = json.loads((root / FOLDER / "metrics.json").read_text())
    return definition


def findings(root: Path) -> list[str]:
    """Return what is wrong with the schemas, each with its file."""
    documents = load(root)
    found = [f"{FOLDER}{key}: {text}" for key, schema in documents.items() for text in _form(key, schema)]
    if found:
        return found
    found += [f"{FOLDER}{key}: {text}" for key, text in _examples(root, documents)]
    found += [f"{FOLDER}{key}: {text}" for key, text in _versions(root, documents)]
    try:
        catalogue = Catalogue(documents)
        catalogue.payload()
        for name in {type_of(key) for key in documents} & {"envelope", "enriched"}:
            catalogue.columns(name)
    except CommandError as error:
        found.append(str(error))
    return found


def _form(key: str, schema: Schema) -> Iterator[str]:
    if not NAME.fullmatch(key.split("/")[2]):
        yield "is not named MODEL-REVISION-ADDITION.json"
        return
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        yield f"/{'/'.join(map(str, error.absolute_path))}: {error.message}"
        return
    if schema.get("$id") != key:
        yield f"$id is {schema.get('$id')}, its path {key}"
    if not schema.get("title"):
        yield "has no title"
    yield from _described(schema, "")


def _described(schema: Schema, at: str) -> Iterator[str]:
    if not schema.get("description"):
        yield f"{at or '/'}: has no description"
    if "properties" in schema and "$ref" not in schema and schema.get("additionalProperties") is not False:
        yield f"{at or '/'}: is open: additionalProperties must be false"
    for name, field in schema.get("properties", {}).items():
        yield from _described(field, f"{at}/properties/{name}")


def _examples(root: Path, documents: Documents) -> Iterator[tuple[str, str]]:
    for key in documents:
        validator, kinds = compiled(key, documents), set()
        for path, expected in _examples_of(root, key):
            kinds.add(expected)
            error = next(validator.iter_errors(json.loads(path.read_text())), None)
            if (error is None) is not (expected == "pass"):
                yield key, f"example {path.name} " + (f"fails: {error.message}" if error else "passes")
        for missing in sorted({"pass", "fail"} - kinds):
            yield key, f"has no example that must {missing}"


def _examples_of(root: Path, key: str) -> Iterator[tuple[Path, str]]:
    name, version = type_of(key), key.split("/")[2].removesuffix(".json")
    for path in sorted((root / FOLDER / name / "examples").glob(f"{name}.{version}.*.json")):
        yield path, path.name.split(".")[-2]


def _versions(root: Path, documents: Documents) -> Iterator[tuple[str, str]]:
    by_name: dict[str, list[str]] = {}
    for key in sorted(documents, key=version_of):
        by_name.setdefault(type_of(key), []).append(key)
    for keys in by_name.values():
        for text in gaps([version_of(key) for key in keys]):
            yield keys[-1], text
        for old, new in pairwise(keys):
            before, after = (_whole(documents[key], documents) for key in (old, new))
            for at, text in misnamed(version_of(old), version_of(new), before, after):
                yield new, f"{at or '/'}: {text}"
            if version_of(old)[:2] == version_of(new)[:2]:
                for text in _old_examples_fail(root, documents, old, documents[new]):
                    yield new, text


def _whole(schema: Schema, documents: Documents) -> Schema:
    """Return an event's schema with the envelope it refers to: a new one is a change like any other."""
    base = documents.get(schema.get("$ref", "").removeprefix(".."), {})
    own = {name: part for name, part in schema.items() if name != "$ref"} if base else schema
    required = sorted({*base.get("required", ()), *own.get("required", ())})
    properties = base.get("properties", {}) | own.get("properties", {})
    return {**base, **own, "required": required, "properties": properties}


def _old_examples_fail(root: Path, documents: Documents, old: str, new: Schema) -> Iterator[str]:
    """Judge the examples of the old version by an ADDITION: each that passed must pass."""
    validator = compiled(new["$id"], documents)
    version = new["$id"].split("/")[2].removesuffix(".json")
    for path, expected in _examples_of(root, old):
        example = json.loads(path.read_text())
        if "schema_version" in example:
            example["schema_version"] = version
        if expected == "pass" and not validator.is_valid(example):
            yield f"example {path.name} of the version before fails: this is no ADDITION"


def edited(root: Path, against: str | None) -> list[str]:
    """Return the published files that differ from a git revision: a change is a new file.

    Without one it is where this branch left main, or on main the commit before.
    Raises CommandError where git cannot tell.
    """
    base = _base(root, against)
    changes = _git(root, "diff", "--name-status", "--no-renames", base, "--", f"{FOLDER}/")
    lines = (line.split("\t") for line in changes.splitlines())
    words = {"M": "was edited", "D": "was deleted", "T": "was replaced"}
    return [
        f"{path}: is published and {words.get(status, 'changed')} since {base[:10]}: publish a new version"
        for status, path in lines
        if status != "A" and path.count("/") == 2 and NAME.fullmatch(Path(path).name)
    ]


def _base(root: Path, against: str | None) -> str:
    try:
        head = _git(root, "rev-parse", "HEAD").strip()
    except CommandError:
        raise CommandError("this is no git checkout: published schemas cannot be compared") from None
    named = [against] if against else [name for name in BASES if _exists(root, name)]
    base = _git(root, "merge-base", "HEAD", named[0]).strip() if named else head
    if base != head or against:
        return base
    if _exists(root, "HEAD^"):
        return _git(root, "rev-parse", "HEAD^").strip()
    if _git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
        raise CommandError(
            "this checkout is shallow: fetch main's history (fetch-depth: 0) to compare schemas"
        )
    return head


def _exists(root: Path, revision: str) -> bool:
    try:
        return bool(_git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"))
    except CommandError:
        return False


def _git(root: Path, *arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise CommandError("git is needed to compare with what was published") from None
    if answer.returncode:
        raise CommandError(f"git {arguments[0]}: {answer.stderr.strip()}")
    return answer.stdout


def drift(root: Path) -> list[str]:
    """Return how the generated files differ from what the schemas give."""
    found = []
    for name, content in artefacts(load(root), metrics(root)).items():
        path = root / name
        there = path.read_text() if path.is_file() else ""
        if there != content:
            lines = difflib.unified_diff(
                there.splitlines(), content.splitlines(), "is", "should be", lineterm="", n=0
            )
            shown = "\n    ".join(list(lines)[2:8])
            found.append(f"{name}: is out of date: run `scripts/schemas generate`\n    {shown}")
    return found


def generate(root: Path) -> list[str]:
    """Write the generated files; return the names of those that changed."""
    changed = []
    for name, content in artefacts(load(root), metrics(root)).items():
        path = root / name
        if not path.is_file() or path.read_text() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            changed.append(name)
    return changed


def main() -> None:
    """Check or generate; every finding is told, not only the first."""
    parser = argparse.ArgumentParser(prog="scripts/schemas", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check", help="names, descriptions, examples, versions, published files, drift"
    )
    check.add_argument("--against", metavar="REVISION", help="git revision (default: where main is or was)")
    commands.add_parser("generate", help="write Glue columns, Flink and Redshift tables, docs/events.md")
    options = parser.parse_args()
    if options.command == "generate":
        for name in generate(REPOSITORY):
            print(name)
        return
    found = findings(REPOSITORY) or [*edited(REPOSITORY, options.against), *drift(REPOSITORY)]
    if found:
        raise CommandError(f"{len(found)} findings\n  " + "\n  ".join(found))
    documents = load(REPOSITORY)
    print(f"{len(documents)} schemas are in order")


if __name__ == "__main__":
    run(main)
