"""The event schemas, read once and compiled: source event-schemas/ (in the layer: telemetry/schemas/)."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

BASE_URI = "https://event-schemas"
ANNOTATIONS = {"$schema", "$id", "title", "description"}


def schema_directory() -> Path:
    """Return the folder of schemas: packaged beside this module, else the checkout's own."""
    packaged = Path(__file__).parent / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "event-schemas"


@cache
def documents() -> dict[str, dict[str, Any]]:
    """Return every schema by its `$id`, for example "/purchase/1-0-0.json"."""
    schemas = (json.loads(path.read_bytes()) for path in sorted(schema_directory().glob("*/*.json")))
    return {schema["$id"]: schema for schema in schemas}


def event_schemas() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the schemas of events, those that refer to the envelope, by (event_type, schema_version)."""
    return {
        (event_type, version): schema
        for key, schema in documents().items()
        if schema.get("$ref", "").startswith("../envelope/")
        for event_type, version in [key.strip("/").removesuffix(".json").split("/")]
    }


def compiled(schema_id: str, among: dict[str, dict[str, Any]]) -> Any:
    """Return the validator of a document, which may refer to others, by its `$id`."""
    return _compiled(among[schema_id], _registry(among))


def _registry(among: dict[str, dict[str, Any]]) -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([(BASE_URI + key, document) for key, document in among.items()])


def _compiled(schema: dict[str, Any], registry: jsonschema_rs.Registry) -> Any:
    return jsonschema_rs.validator_for(
        schema,
        registry=registry,
        base_uri=BASE_URI + schema["$id"],
        pattern_options=jsonschema_rs.RegexOptions(),
    )


@cache
def validator(schema_id: str) -> Any:
    """Return the validator of a document of the catalogue."""
    return compiled(schema_id, documents())


def flat(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an event's schema with the envelope's written into it: judges the same in a fifth less time."""
    envelope = documents()[schema["$ref"].removeprefix("..")]
    own, common = schema["properties"], envelope["properties"]
    if schema.keys() - ANNOTATIONS - {"$ref", "properties", "required"} or own.keys() - common.keys():
        return schema
    stricter = {
        name: part if _implies(part, common[name]) else {"allOf": [part, common[name]]}
        for name, part in own.items()
    }
    required = sorted({*envelope["required"], *schema.get("required", ())})
    return {**envelope, "properties": common | stricter, "required": required}


def _implies(part: dict[str, Any], common: dict[str, Any]) -> bool:
    if "const" in part:
        return jsonschema_rs.is_valid(common, part["const"])
    return all(part.get(name) == value for name, value in common.items() if name not in ANNOTATIONS)


@cache
def validators() -> dict[tuple[str, str], Any]:
    """Return the validators of events by (event_type, version); a client's string never becomes a path."""
    return {key: validator(schema["$id"]) for key, schema in event_schemas().items()}


class Checks(dict[tuple[str, str], Callable[[Any], bool]]):
    """Each is compiled when the first event of its kind comes: a cold start needs few."""

    def __init__(self) -> None:
        """Know the catalogue, and no check yet."""
        super().__init__()
        self._schemas, self._registry = event_schemas(), _registry(documents())

    def __missing__(self, key: tuple[str, str]) -> Callable[[Any], bool]:
        """Compile a check. Raises KeyError for a kind that the catalogue does not have."""
        check: Callable[[Any], bool] = _compiled(flat(self._schemas[key]), self._registry).is_valid
        self[key] = check
        return check


@cache
def checks() -> Checks:
    """Return what tells a valid event, by (event_type, version); why another is not, `validators` say."""
    return Checks()
