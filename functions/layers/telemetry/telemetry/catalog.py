"""The event schemas, read once and compiled: source event-schemas/ (in the layer: telemetry/schemas/).

An event type's schema describes its payload. What is no event type is in the folder `common`: the
envelope, what the pipeline adds, a line of the quarantine, and what several payloads share.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

Schema = dict[str, Any]

COMMON = "/common/"
FILES = ("*/*.json", "common/*/*.json")
# What messages say of the patterns of schemas.
PATTERNS = "patterns.json"
# What names a document and judges nothing.
NAMES = ("$schema", "$id", "$ref")


def schema_directory() -> Path:
    """Return the folder of schemas: packaged beside this module, else the checkout's own."""
    packaged = Path(__file__).parent / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "event-schemas"


def files(directory: Path) -> list[Path]:
    """Return the paths of every schema in a folder like event-schemas, sorted."""
    return sorted(path for pattern in FILES for path in directory.glob(pattern))


def examples(directory: Path, schema_id: str = "") -> list[Path]:
    """Return the paths of the examples of one schema, or of every event type, sorted."""
    if schema_id:
        folder, version = name_of(schema_id), version_of(schema_id)
        return sorted((directory / folder / "examples").glob(f"{Path(folder).name}.{version}.*.json"))
    return sorted(directory.glob("*/examples/*.json"))


@cache
def documents() -> dict[str, Schema]:
    """Return every schema by its `$id`, for example "/purchase/1-0-0.json"."""
    schemas = (json.loads(path.read_bytes()) for path in files(schema_directory()))
    return {schema["$id"]: schema for schema in schemas}


def name_of(schema_id: str) -> str:
    """Return the folder of a schema: "purchase" of "/purchase/1-0-0.json"."""
    return schema_id.rpartition("/")[0].strip("/")


def version_of(schema_id: str) -> str:
    """Return the version of a schema: "1-0-0" of "/purchase/1-0-0.json"."""
    return schema_id.rpartition("/")[2].removesuffix(".json")


def newest(name: str, among: Mapping[str, Schema]) -> Schema:
    """Return the newest version of a document, for example of "common/envelope"."""
    keys = [key for key in among if name_of(key) == name]
    return among[max(keys, key=lambda key: tuple(map(int, version_of(key).split("-"))))]


def payloads(among: Mapping[str, Schema]) -> dict[tuple[str, str], Schema]:
    """Return the schemas of payloads by (event_type, schema_version), references resolved."""
    return {
        (name_of(key), version_of(key)): resolved(schema, among)
        for key, schema in among.items()
        if not key.startswith(COMMON)
    }


@cache
def types() -> frozenset[tuple[str, str]]:
    """Return each (event_type, schema_version) of which there is a schema."""
    return frozenset((name_of(key), version_of(key)) for key in documents() if not key.startswith(COMMON))


@cache
def player_fields() -> frozenset[str]:
    """Return the fields of payloads that hold the id of a player and nothing else."""
    return frozenset(
        name
        for payload in payloads(documents()).values()
        for name in payload["properties"]
        if name.endswith("player_id")
    )


def resolved(schema: Schema, among: Mapping[str, Schema]) -> Schema:
    """Return a schema without names, in which the content of a shared document replaces each reference.

    Keywords beside a reference, such as a description, win over those of the document.
    """
    shared = among[schema["$ref"].removeprefix("..")] if "$ref" in schema else {}
    found = {name: value for name, value in (shared | schema).items() if name not in NAMES}
    if "properties" in found:
        found["properties"] = {name: resolved(field, among) for name, field in found["properties"].items()}
    return found


def whole(event_type: str, version: str, among: Mapping[str, Schema]) -> Schema:
    """Return the schema of whole events of one type and version: the envelope around its payload."""
    envelope = resolved(newest("common/envelope", among), among)
    own = {
        "event_type": {"const": event_type},
        "schema_version": {"const": version},
        "payload": resolved(among[f"/{event_type}/{version}.json"], among),
    }
    return {**envelope, "properties": envelope["properties"] | own}


@cache
def described(event_type: str = "", version: str = "") -> Schema:
    """Return a schema to explain the errors of an event by: of an unknown kind only the envelope's."""
    envelope = resolved(newest("common/envelope", documents()), documents())
    if not event_type:
        return envelope
    payload = resolved(documents()[f"/{event_type}/{version}.json"], documents())
    return {**envelope, "properties": envelope["properties"] | {"payload": payload}}


@cache
def forms() -> dict[str, str]:
    """Return what messages say of each pattern of the schemas."""
    words: dict[str, str] = json.loads((schema_directory() / PATTERNS).read_text())
    return words


def compiled(schema: Schema) -> Any:
    """Return the validator of a schema without references."""
    return jsonschema_rs.validator_for(schema, pattern_options=jsonschema_rs.RegexOptions())


@cache
def validator(schema_id: str) -> Any:
    """Return the validator of a document of the catalogue; an event type's judges whole events."""
    if schema_id.startswith(COMMON):
        return compiled(resolved(documents()[schema_id], documents()))
    return compiled(whole(name_of(schema_id), version_of(schema_id), documents()))


class Validators(dict[tuple[str, str], Any]):
    """The validators of events by (event_type, schema_version).

    Each is compiled when the first event of its kind comes, because a cold start needs few of them.
    A client's string is only ever a key: it never becomes a path.
    """

    def __missing__(self, key: tuple[str, str]) -> Any:
        """Compile a validator. Raises KeyError for a kind that the catalogue does not have."""
        if key not in event_types():
            raise KeyError(key)
        self[key] = found = validator(f"/{key[0]}/{key[1]}.json")
        return found


@cache
def event_types() -> frozenset[tuple[str, str]]:
    """Return every (event_type, schema_version) of the catalogue."""
    return frozenset((name_of(key), version_of(key)) for key in documents() if not key.startswith(COMMON))


@cache
def versions() -> dict[str, tuple[str, ...]]:
    """Return the versions of each event type, the newest last."""
    found: dict[str, list[str]] = {}
    for event_type, version in sorted(event_types(), key=lambda kind: tuple(map(int, kind[1].split("-")))):
        found.setdefault(event_type, []).append(version)
    return {event_type: tuple(known) for event_type, known in sorted(found.items())}


@cache
def validators() -> Validators:
    """Return the validators of events by (event_type, schema_version)."""
    return Validators()
