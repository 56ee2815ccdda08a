"""What the real AWS provider plans for the resources of an environment, without AWS.

Tests of a root mock the provider: it then knows neither the defaults of its arguments nor what a change
replaces.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
Schema = dict[str, Any]

ROOT = "provider"
WORDS = ("alarm_description", "comment", "description", "display_name")
NAME = "registry.terraform.io/hashicorp/aws"
SETTINGS = {
    "access_key": "none",
    "region": "eu-west-1",
    "secret_key": "none",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
    "skip_requesting_account_id": True,
}


class Provider:
    """Plans resources from the values that an environment gives them."""

    def __init__(self, infrastructure: Path, run: Callable[..., str]) -> None:
        self._directory = infrastructure / ROOT
        self._directory.mkdir(exist_ok=True)
        self._run = run
        required = {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}
        self._write({"terraform": {"required_providers": required}}, [])
        schemas = json.loads(run(ROOT, "providers", "schema", "-json"))
        self.schemas: dict[str, Schema] = schemas["provider_schemas"][NAME]["resource_schemas"]

    def plan(self, resources: list[Resource], before: list[Resource] | None = None) -> list[dict[str, Any]]:
        """Plan the resources, from an empty state or one that holds `before`. Return the planned changes."""
        configured: dict[str, dict[str, Any]] = {}
        for index, resource in enumerate(resources):
            values = _configuration(self.schemas[resource["type"]]["block"], resource["values"])
            values |= {word: resource["values"][word] for word in self.words(resource)}
            configured.setdefault(resource["type"], {})[f"r{index}"] = _literal(values)
        state = [
            {
                "mode": "managed",
                "type": resource["type"],
                "name": f"r{index}",
                "provider": f'provider["{NAME}"]',
                "instances": [
                    {
                        "schema_version": self.schemas[resource["type"]]["version"],
                        "attributes": resource["values"],
                    }
                ],
            }
            for index, resource in enumerate(before or [])
        ]
        self._write({"provider": {"aws": SETTINGS}, "resource": configured}, state)
        self._run(ROOT, "plan", "-refresh=false", "-input=false", "-no-color", "-out=plan")
        changes: list[dict[str, Any]] = json.loads(self._run(ROOT, "show", "-json", "plan"))[
            "resource_changes"
        ]
        return changes

    def words(self, resource: Resource) -> list[str]:
        """Name the arguments whose values are words for people."""
        arguments = self.schemas[resource["type"]]["block"]["attributes"]
        return [
            word
            for word in WORDS
            if arguments.get(word, {}).get("optional") and isinstance(resource["values"].get(word), str)
        ]

    def unset_numbers(self, resource: Resource) -> set[str]:
        """Name the optional numbers that have neither a value nor a default, as `block.argument`."""
        return set(_unset_numbers(self.schemas[resource["type"]]["block"], resource["values"], ""))

    def _write(self, root: dict[str, Any], state: list[dict[str, Any]]) -> None:
        path = self._directory / "main.tf.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        # One value a line: an error of Terraform quotes its line.
        path.write_text(json.dumps(kept | root, indent=1))
        document = {
            "version": 4,
            "terraform_version": "1.11.0",
            "serial": 1,
            "lineage": "test",
            "resources": state,
        }
        (self._directory / "terraform.tfstate").write_text(json.dumps(document))


def _configuration(block: Schema, values: dict[str, Any]) -> dict[str, Any]:
    """Keep what was configured; what the provider may compute is a mock's invention."""
    kept = {
        name: values[name]
        for name, attribute in block.get("attributes", {}).items()
        if values.get(name) is not None
        and (attribute.get("required") or (attribute.get("optional") and not attribute.get("computed")))
    }
    for name, nested in block.get("block_types", {}).items():
        if name != "timeouts" and (found := _blocks(values.get(name))):
            kept[name] = [_configuration(nested["block"], one) for one in found]
    return kept


def _unset_numbers(block: Schema, values: dict[str, Any], path: str) -> Iterator[str]:
    for name, attribute in block.get("attributes", {}).items():
        optional = attribute.get("optional") and not attribute.get("computed")
        if optional and attribute.get("type") == "number" and values.get(name) is None:
            yield path + name
    for name, nested in block.get("block_types", {}).items():
        for one in _blocks(values.get(name)):
            yield from _unset_numbers(nested["block"], one, f"{path}{name}.")


def _blocks(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else [value] if value else []


def _literal(value: Any) -> Any:
    """Escape what Terraform would take for a template."""
    match value:
        case str():
            return value.replace("${", "$${").replace("%{", "%%{")
        case list():
            return [_literal(one) for one in value]
        case dict():
            return {name: _literal(one) for name, one in value.items()}
    return value
