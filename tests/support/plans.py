"""Complete plans of every root: their resources, and which of their arguments the configuration sets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import hcl2

Json = dict[str, Any]

# Their runs hold the plans that are judged.
ROOTS = [
    "bootstrap",
    "bootstrap/region",
    "environments/dev",
    "environments/local",
    "environments/prod",
    "modules/platform",
]

META_ARGUMENTS = {"count", "depends_on", "for_each", "lifecycle", "provider", "provisioner", "timeouts"}


@dataclass(frozen=True)
class Resource:
    """One resource of a plan, or of a state that a test applied to mocked AWS."""

    plan: str
    address: str
    type: str
    values: Json
    unknown: Json
    configured: Json
    block: Json

    @cached_property
    def arguments(self) -> Json:
        """Return what the configuration sets: no null, nothing that the provider or a mock computes."""
        return _arguments(self.values, self.unknown, self.configured, self.block)

    def missing(self) -> list[str]:
        """Return the arguments that the configuration sets and the plan does not know."""
        return sorted(_missing(self.unknown, self.configured, self.block))


def collect(lines: list[Json], root: Path, name: str) -> dict[str, list[Resource]]:
    """Return the resources of each run of a root's tests by "<root>/<run>", except runs that must fail."""
    failing = _failing_runs(root)
    schemas: Json = {}
    plans: dict[str, list[Resource]] = {}
    for line in lines:
        body = line.get("test_plan") or line.get("test_state")
        if body is None or line["@testrun"] in failing:
            continue
        schemas = schemas or _schemas(body)
        key = f"{name}/{line['@testrun']}"
        assert key not in plans, f"two runs are called {key}"
        plans[key] = [
            Resource(
                plan=key,
                address=found["address"],
                type=found["type"],
                values=values,
                unknown=unknown,
                configured=configuration(root, found["address"]),
                block=schemas[found["type"]]["block"],
            )
            for found, values, unknown in _managed(body)
        ]
    return plans


def configuration(root: Path, address: str) -> Json:
    """Return what the configuration says of a resource: names of arguments, and of blocks what they hold."""
    *modules, resource = re.findall(r"(?:module\.\w+|\w+\.\w+)(?=$|[.\[])", _without_keys(address))
    directory = root
    for module in modules:
        directory = (directory / _directory(directory)["module"][module.partition(".")[2]]).resolve()
    kind, _, name = resource.partition(".")
    found: Json = _directory(directory)["resource"][kind, name]
    return found


def _without_keys(address: str) -> str:
    return re.sub(r'\["(?:[^"\\]|\\.)*"\]|\[\d+\]', "", address)


@cache
def _directory(directory: Path) -> dict[str, Json]:
    """Return the modules' sources and the resources that a directory declares."""
    found: dict[str, Json] = {"module": {}, "resource": {}}
    for file in sorted(directory.glob("*.tf")):
        parsed = hcl2.loads(file.read_text())
        for block in parsed.get("module", []):
            for name, body in block.items():
                found["module"][_bare(name)] = _bare(body["source"])
        for block in parsed.get("resource", []):
            for kind, named in block.items():
                for name, body in named.items():
                    found["resource"][_bare(kind), _bare(name)] = _names(body)
    return found


def _names(body: Json) -> Json:
    """Return the names of the arguments of a block; those of nested and dynamic blocks below their name."""
    names: Json = {}
    for name, value in body.items():
        if name == "dynamic":
            for block in value:
                for kind, inner in block.items():
                    for content in inner["content"]:
                        names[_bare(kind)] = names.get(_bare(kind), {}) | _names(content)
        elif isinstance(value, list) and value and isinstance(value[0], dict) and "__is_block__" in value[0]:
            for inner in value:
                names[name] = names.get(name, {}) | _names(inner)
        elif not name.startswith("__") and name not in META_ARGUMENTS:
            names.setdefault(name, {})
    return names


def _bare(name: str) -> str:
    return name.strip('"')


def _failing_runs(root: Path) -> set[str]:
    text = "\n".join(file.read_text() for file in sorted(root.glob("tests/*.tftest.hcl")))
    runs = re.findall(r'^run "(\w+)" \{\n(.*?)^\}$', text, re.MULTILINE | re.DOTALL)
    return {name for name, body in runs if "expect_failures" in body}


def _schemas(body: Json) -> Json:
    (provider,) = body["provider_schemas"].values()
    schemas: Json = provider["resource_schemas"]
    return schemas


def _managed(body: Json) -> Iterator[tuple[Json, Json, Json]]:
    for change in body.get("resource_changes", []):
        # After another run's apply a plan also destroys: what is left is judged.
        if change["mode"] == "managed" and change["change"]["after"] is not None:
            yield change, change["change"]["after"], change["change"]["after_unknown"]
    for resource in state_resources(body.get("root_module", {})):
        if resource["mode"] == "managed":
            yield resource, resource["values"], {}


def state_resources(module: Json) -> Iterator[Json]:
    """Yield every resource of a state, those of modules too."""
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from state_resources(child)


def _arguments(values: Json, unknown: Json, configured: Json, block: Json) -> Json:
    found = {}
    for name, schema in block.get("attributes", {}).items():
        value = values.get(name)
        made_up = schema.get("computed") and name not in configured
        if value is not None and not made_up and unknown.get(name) is not True:
            found[name] = value
    for name, schema in block.get("block_types", {}).items():
        inner = values.get(name)
        if not inner or name in META_ARGUMENTS:
            continue
        blocks = inner if isinstance(inner, list) else [inner]
        of_blocks = unknown.get(name) or []
        unknowns = of_blocks if isinstance(of_blocks, list) else [of_blocks]
        # Sets are not in the order of what is unknown about them.
        unknowns = (
            unknowns
            if len(unknowns) == len(blocks) and schema["nesting_mode"] != "set"
            else [{}] * len(blocks)
        )
        found[name] = [
            _arguments(one, what if isinstance(what, dict) else {}, configured.get(name, {}), schema["block"])
            for one, what in zip(blocks, unknowns, strict=True)
        ]
    return found


def _missing(unknown: Json, configured: Json, block: Json, path: str = "") -> Iterator[str]:
    for name, schema in block.get("attributes", {}).items():
        # Of several blocks of a kind one may set what the provider computes in another.
        computed = bool(path and schema.get("computed"))
        if name in configured and unknown.get(name) is True and not computed:
            yield path + name
    for name, schema in block.get("block_types", {}).items():
        inner = unknown.get(name) or []
        for one in inner if isinstance(inner, list) else [inner]:
            if one is True:
                yield path + name
            else:
                yield from _missing(one, configured.get(name, {}), schema["block"], f"{path}{name}.")
