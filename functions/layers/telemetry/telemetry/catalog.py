"""The event schemas, read once and compiled: source event-schemas/ (in the layer: telemetry/schemas/)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

BASE_URI = "https://event-schemas"
ENVELOPE = "envelope"


def schema_directory() -> Path:
    """Return the folder of schemas: packaged beside this module, else the checkout's own."""
    packaged = Path(__file__).parent / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "event-schemas"


@cache
def documents() -> dict[str, dict[str, Any]]:
    """Return every schema by its `$id`, for example "/purchase/1-0-0.json"."""
    schemas = (json.loads(path.read_bytes()) for path in sorted(schema_directory().glob("*/*.json")))
    return {schema["$id"]: schema for schema in schemas}


@cache
def validators() -> dict[tuple[str, str], Any]:
    """Return a compiled validator by (event_type, schema_version); a client's string never becomes a path."""
    registry = jsonschema_rs.Registry([(BASE_URI + key, schema) for key, schema in documents().items()])
    return {
        (event_type, version): jsonschema_rs.validator_for(
            documents()[f"/{event_type}/{version}.json"],
            registry=registry,
            base_uri=f"{BASE_URI}/{event_type}/{version}.json",
            pattern_options=jsonschema_rs.RegexOptions(),
        )
        for event_type, version in (key.strip("/").removesuffix(".json").split("/") for key in documents())
    }
