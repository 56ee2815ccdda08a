"""Holds answers of the REST API to its OpenAPI document."""

import json
from typing import Any

import jsonschema
from ingest import openapi

DOCUMENT = openapi.document()


def check(answer: dict[str, Any], path: str) -> None:
    """Validate a proxy response by the schema its status has on a route; KeyError where it has none."""
    found = DOCUMENT["paths"][path]["post"]["responses"][str(answer["statusCode"])]
    if "content" not in found:
        if answer["body"]:
            raise jsonschema.ValidationError("the document has no body for this status")
        return
    content = found["content"]
    schema = content["application/json"]["schema"] | {"components": DOCUMENT["components"]}
    jsonschema.validate(json.loads(answer["body"] or "null"), schema)
