"""Check the event schemas as a registry would, and generate what is derived from them."""

import difflib
import json
import math
import re
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
from ingest import openapi
from telemetry import catalog, metric_model
from telemetry.key_classes import CLIENT_MAXIMUM, SENDERS, SENT_BY

from tools import REPOSITORY, Arguments, CommandError, client_artefacts, metric_artefacts, run
from tools.schema_artefacts import Catalogue, artefacts, as_json, shape
from tools.schema_compatibility import gaps, misnamed, parse, unknown_keywords

FOLDER = "event-schemas"
NAME = re.compile(r"[1-9][0-9]*-[0-9]+-[0-9]+\.json")
RELEASES = "v[0-9]*"
# A payload's number of a greater maximum needs one for client keys: it would outweigh what all others send.
MAX_UNLIMITED = 10**9
# JavaScript and JSON tools keep integers exact up to here.
MAX_INTEGER = 2**53 - 1
Schema = dict[str, Any]
Documents = dict[str, Schema]


def load(root: Path) -> dict[str, Schema]:
    """Return the documents of a repository by their path below event-schemas: "/purchase/1-0-0.json".

    Raises CommandError for a file that is no JSON object.
    """
    documents = {}
    for path in catalog.files(root / FOLDER):
        try:
            schema = json.loads(path.read_text())
        except ValueError as error:
            raise CommandError(f"{path.relative_to(root)}: {error}") from None
        if not isinstance(schema, dict):
            raise CommandError(f"{path.relative_to(root)}: a schema is a JSON object")
        documents[f"/{path.relative_to(root / FOLDER)}"] = schema
    return documents


def metrics(root: Path) -> Schema:
    """Return the metrics model, shared definitions filled in."""
    return metric_model.resolve(json.loads((root / FOLDER / "metrics.json").read_text()))


def forms(root: Path) -> dict[str, str]:
    """Return the words that messages use for each pattern."""
    words: dict[str, str] = json.loads((root / FOLDER / catalog.PATTERNS).read_text())
    return words


def generated(root: Path) -> dict[str, str]:
    """Return the content of every generated file by its path in the repository."""
    documents, defined = load(root), metrics(root)
    return (
        artefacts(documents, defined)
        | client_artefacts.artefacts(documents, forms(root))
        | metric_artefacts.artefacts(root, defined)
    )


def findings(root: Path) -> list[str]:
    """Return what is wrong with the schemas, each with its file."""
    documents = load(root)
    found = [
        f"{FOLDER}{key}: {text}"
        for key, schema in documents.items()
        for text in _form(key, schema, documents)
    ]
    if found:
        return found
    found += [f"{FOLDER}/{catalog.PATTERNS}: {text}" for text in _unspoken(root, documents)]
    found += [f"{FOLDER}{key}: {text}" for key, text in _examples(root, documents)]
    found += [f"{FOLDER}{key}: {text}" for key, text in _versions(root, documents)]
    try:
        catalogue = Catalogue(documents)
        catalogue.payload()
        for name in ("envelope", "enriched"):
            if any(catalog.name_of(key) == f"common/{name}" for key in documents):
                catalogue.columns(name)
    except CommandError as error:
        found.append(str(error))
    return found


def _form(key: str, schema: Schema, documents: Documents) -> Iterator[str]:
    if not NAME.fullmatch(key.rpartition("/")[2]):
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
    unknown = [
        f"{at}/{keyword}: event schemas do not use this keyword" for at, keyword in unknown_keywords(schema)
    ]
    if unknown:
        yield from unknown
        return
    for at, reference in _references(schema, ""):
        if reference.removeprefix("..") not in documents or not reference.startswith("../common/"):
            yield f"{at}/$ref: {reference} is no document of common"
            return
    if not key.startswith(catalog.COMMON) and schema.get("type") != "object":
        yield "describes no object: a payload is one"
        return
    yield from _described(catalog.resolved(schema, documents), "")
    if not key.startswith(catalog.COMMON):
        yield from _sent_by(catalog.resolved(schema, documents))
        yield from _unreadable(catalog.resolved(schema, documents), "")


def _sent_by(schema: Schema) -> Iterator[str]:
    """Yield what a payload does not say of client keys: whether they may send it, and its maxima."""
    if schema.get(SENT_BY) not in SENDERS:
        yield (
            f"{SENT_BY}: must be client, server where clients may not send it, or server-only where no game "
            "may allow it"
        )
    for name, field in schema["properties"].items():
        is_number = field.get("type") in ("integer", "number")
        is_great = is_number and field.get("maximum", math.inf) > MAX_UNLIMITED
        if is_great and CLIENT_MAXIMUM not in field:
            yield f"/properties/{name}: needs {CLIENT_MAXIMUM}, what a client key may send at most"


def _unreadable(schema: Schema, at: str) -> Iterator[str]:
    """Yield the fields of a payload with values that a table of the lake cannot hold."""
    if at and schema.get("properties") == {}:
        yield f"{at}: is an object without fields, which no file of the lake can hold"
    for name, field in schema.get("properties", {}).items():
        here, kind = f"{at}/properties/{name}", shape(field)
        greatest = max(-field.get("minimum", -math.inf), field.get("maximum", math.inf))
        if kind == "integer" and greatest > MAX_INTEGER:
            yield f"{here}: needs minimum and maximum within ±(2^53 - 1), what JSON keeps exact"
        if kind in ("date", "time"):
            yield f"{here}: is typed as a {kind} in the lake, and its pattern takes other texts too"
        yield from _unreadable(field, here)


def _unspoken(root: Path, documents: Documents) -> Iterator[str]:
    """Yield the patterns of events without words for messages, and the words without a pattern."""
    judging = [catalog.newest("common/envelope", documents), *catalog.payloads(documents).values()]
    used, words = set(client_artefacts.patterns(judging)), forms(root)
    for pattern in sorted(used - words.keys()):
        yield f"has no words for {pattern}, which messages would otherwise not explain"
    for pattern in sorted(words.keys() - used):
        yield f"{pattern} is no pattern of an event's schema"


def _references(schema: Schema, at: str) -> Iterator[tuple[str, str]]:
    if "$ref" in schema:
        yield at, str(schema["$ref"])
    if isinstance(schema.get("additionalProperties"), dict):
        for below, _ in _references(schema["additionalProperties"], f"{at}/additionalProperties"):
            yield below, "in additionalProperties"
    for name, field in schema.get("properties", {}).items():
        yield from _references(field, f"{at}/properties/{name}")


def _described(schema: Schema, at: str) -> Iterator[str]:
    if not schema.get("description"):
        yield f"{at or '/'}: has no description"
    if "properties" in schema and schema.get("additionalProperties") is not False:
        yield f"{at or '/'}: is open: additionalProperties must be false"
    for name, field in schema.get("properties", {}).items():
        yield from _described(field, f"{at}/properties/{name}")


def _judged_by(key: str, documents: Documents) -> Schema:
    """Return the schema that judges the examples of a document: those of an event type are whole events."""
    if key.startswith(catalog.COMMON):
        return catalog.resolved(documents[key], documents)
    return catalog.whole(catalog.name_of(key), catalog.version_of(key), documents)


def _examples(root: Path, documents: Documents) -> Iterator[tuple[str, str]]:
    for key in documents:
        validator, kinds = catalog.compiled(_judged_by(key, documents)), set()
        for path in catalog.examples(root / FOLDER, key):
            expected = path.name.split(".")[-2]
            kinds.add(expected)
            error = next(validator.iter_errors(json.loads(path.read_text())), None)
            if (error is None) is not (expected == "pass"):
                yield key, f"example {path.name} " + (f"fails: {error.message}" if error else "passes")
        for missing in sorted({"pass", "fail"} - kinds):
            yield key, f"has no example that must {missing}"


def _versions(root: Path, documents: Documents) -> Iterator[tuple[str, str]]:
    by_name: dict[str, list[str]] = {}
    for key in sorted(documents, key=_version):
        by_name.setdefault(catalog.name_of(key), []).append(key)
    for name, keys in by_name.items():
        for text in gaps([_version(key) for key in keys]):
            yield keys[-1], text
        for old, new in pairwise(keys):
            before, after = (catalog.resolved(documents[key], documents) for key in (old, new))
            for at, text in misnamed(_version(old), _version(new), before, after):
                yield new, f"{at or '/'}: {text}"
            is_addition = _version(old)[:2] == _version(new)[:2]
            if name == "common/envelope" and not is_addition:
                yield new, "the newest envelope judges the events of every client: it may only grow"
            if is_addition:
                for text in _old_examples_fail(root, documents, old, new):
                    yield new, text


def _version(key: str) -> tuple[int, int, int]:
    return parse(catalog.version_of(key))


def _old_examples_fail(root: Path, documents: Documents, old: str, new: str) -> Iterator[str]:
    """Judge the examples of the old version by an ADDITION: each that passed must pass."""
    validator = catalog.compiled(_judged_by(new, documents))
    for path in catalog.examples(root / FOLDER, old):
        example = json.loads(path.read_text())
        if isinstance(example, dict) and "schema_version" in example:
            example["schema_version"] = catalog.version_of(new)
        if path.name.endswith(".pass.json") and not validator.is_valid(example):
            yield f"example {path.name} of the version before fails: this is no ADDITION"


def edited(root: Path, against: str | None) -> list[str]:
    """Return the published schemas that differ from a git revision: a change is a new file.

    A release publishes: without a revision the newest release (tag vX.Y.Z) counts. Before the first one
    every schema may change. Raises CommandError where git cannot tell.
    """
    base = against or _newest_release(root)
    if base is None:
        return []
    changes = _git(root, "diff", "--name-status", "--no-renames", base, "--", f"{FOLDER}/")
    lines = (line.split("\t") for line in changes.splitlines())
    words = {"M": "was edited", "D": "was deleted", "T": "was replaced"}
    return [
        f"{path}: is published and {words.get(status, 'changed')} since {base}: publish a new version"
        for status, path in lines
        if status != "A" and NAME.fullmatch(Path(path).name)
    ]


def _newest_release(root: Path) -> str | None:
    try:
        releases = _git(root, "tag", "--list", RELEASES, "--sort=-version:refname", "--merged").split()
    except CommandError:
        raise CommandError("this is no git checkout: published schemas cannot be compared") from None
    return releases[0] if releases else None


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
    for name, content in generated(root).items():
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
    for name, content in generated(root).items():
        path = root / name
        if not path.is_file() or path.read_text() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            changed.append(name)
    return changed


def main() -> None:
    """Check or generate; every finding is told, not only the first."""
    parser = Arguments(
        prog="scripts/schemas",
        description=__doc__,
        examples=(
            "scripts/schemas check",
            "scripts/schemas generate",
            "scripts/schemas openapi > openapi.json",
        ),
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check", help="names, descriptions, examples, versions, published files, drift"
    )
    check.add_argument("--against", metavar="REVISION", help="git revision (default: the newest release)")
    commands.add_parser("generate", help="write Glue columns, Flink and Redshift tables, docs/events.md")
    commands.add_parser("openapi", help="print the OpenAPI document of the REST API")
    options = parser.parse_args()
    if options.command == "openapi":
        print(as_json(openapi.document()), end="")
        return
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
