"""An environment's settings as Terraform would see them: its root, over the defaults of the modules."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

from tools import REPOSITORY, CommandError

MODULES = REPOSITORY / "infrastructure" / "modules"
DEFAULT = re.compile(r"(\w+)\s*=\s*optional\(\w+, ?([\d.]+|true|false)\)")


@dataclass(frozen=True, slots=True)
class Consumer:
    """A function behind a stream, of which so many batches of a shard run at once."""

    batch_size: int
    window_seconds: float
    memory_mb: int
    at_once: int = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """What of an environment changes its bill; `shards` are provisioned, None where on demand, and the fewest
    where they are `scaled`."""

    shards: dict[str, int | None]
    scaled: bool
    retention_hours: int
    metrics_retention_hours: int
    processor: Consumer
    player_state: Consumer
    leaderboards: Consumer
    ingest_memory_mb: int
    api_memory_mb: int
    log_retention_days: int
    tracing: bool
    recovery: bool
    dedupe_hours: int
    flink_units: int
    batch: bool
    batch_every_hours: int
    worker_vcpus: int
    worker_memory_gb: int
    named_items: int
    named_versions: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What the keys of one class of a game may send in a day."""

    events_a_day: int
    requests_a_day: int


def quota(environment: str) -> Quota:
    """Return the quota of a game that has none of its own."""
    root = REPOSITORY / "infrastructure" / "environments" / environment
    ingest = _blocks(root, "module")["platform"].get("ingest", {})
    defaults = " ".join(str(_variables("platform")["ingest"]["type"]).split())

    def number(group: str, name: str) -> int:
        default = re.search(rf"{group}.*?[{{\s]{name}['\"]?\s*[=:]\s*(\d+)", defaults)
        return int(ingest.get(group, {}).get(name) or (default[1] if default else 0))

    return Quota(number("quota", "events_a_day"), number("usage_plan", "requests_a_day"))


def read(environment: str) -> Settings:
    """Return the settings of an environment's root. Raises CommandError where it is not on AWS."""
    root = REPOSITORY / "infrastructure" / "environments" / environment
    if environment == "local" or not root.is_dir():
        raise CommandError(f"{environment} is no environment on AWS")
    given = _blocks(root, "module")["platform"]
    platform = {
        name: given.get(name, variable.get("default")) for name, variable in _variables("platform").items()
    }
    streams, batch, realtime = (
        platform["streams"],
        platform["batch_analytics"],
        platform["realtime_analytics"],
    )
    flink = _optional("realtime_analytics", "application") | realtime.get("application", {})
    metrics = _optional("realtime_analytics", "metrics_stream")
    names = _optional("realtime_analytics", "name_limits") | realtime.get("name_limits", {})
    worker = _locals("batch_analytics")["worker"]
    return Settings(
        shards={
            "raw": streams.get("raw_shards"),
            "enriched": streams.get("enriched_shards"),
            "metrics": streams.get("metrics_shards") or int(metrics["shards"]),
        },
        scaled=streams.get("maximum_shards") is not None,
        retention_hours=int((_optional("platform", "streams") | streams)["retention_hours"]),
        metrics_retention_hours=int(metrics["retention_hours"]),
        processor=_consumer(platform["processor"]),
        player_state=_consumer(platform["player_state"]),
        leaderboards=_consumer(
            platform["leaderboards"],
            int(_blocks(MODULES / "leaderboards", "module")["function"]["batches_at_once"]),
        ),
        ingest_memory_mb=platform["ingest"]["sizing"]["memory_mb"],
        api_memory_mb=platform["metrics_api"]["sizing"]["memory_mb"],
        log_retention_days=platform["logging"]["retention_days"],
        tracing=platform["logging"]["tracing"],
        recovery=platform["protection"]["point_in_time_recovery"],
        dedupe_hours=platform["dedupe_window_hours"],
        flink_units=-(-int(flink["parallelism"]) // int(flink["parallelism_per_kpu"])),
        batch=batch.get("enabled", True),
        batch_every_hours=int(
            (_optional("platform", "batch_analytics") | batch.get("schedule", {}))["every_hours"]
        ),
        worker_vcpus=worker["vcpus"],
        worker_memory_gb=worker["memory_gb"],
        named_items=int(names["items"]),
        named_versions=int(names["versions"]),
    )


def resource_types() -> dict[str, int]:
    """Return how often each type of resource stands in the modules and environments."""
    types: dict[str, int] = {}
    for file in sorted((REPOSITORY / "infrastructure").glob("[em]*/**/*.tf")):
        for kind in re.findall(r'^resource "(\w+)"', file.read_text(), re.MULTILINE):
            types[kind] = types.get(kind, 0) + 1
    return types


def _consumer(given: dict[str, Any], at_once: int = 1) -> Consumer:
    return Consumer(given["batch_size"], given["batch_window_seconds"], given["memory_mb"], at_once)


def _variables(module: str) -> dict[str, Any]:
    return _blocks(MODULES / module, "variable")


def _locals(module: str) -> dict[str, Any]:
    return {
        name: value for block in _load(MODULES / module).get("locals", []) for name, value in block.items()
    }


def _optional(module: str, variable: str) -> dict[str, Any]:
    """Return the numbers and truths that a variable's type gives to what is left out of it."""
    found = DEFAULT.findall(_variables(module)[variable]["type"])
    return {name: value == "true" if value in ("true", "false") else float(value) for name, value in found}


def _blocks(directory: Path, kind: str) -> dict[str, Any]:
    return {name: value for block in _load(directory).get(kind, []) for name, value in block.items()}


@cache
def _load(directory: Path) -> dict[str, list[dict[str, Any]]]:
    blocks: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(directory.glob("*.tf")):
        with file.open() as text:
            for kind, found in hcl2.load(text).items():
                if isinstance(found, list):
                    blocks.setdefault(kind, []).extend(_plain(part) for part in found)
    return blocks


def _plain(value: Any) -> Any:
    """Return what the parser found without the quotes it keeps."""
    if isinstance(value, dict):
        return {_plain(name): _plain(part) for name, part in value.items() if name != "__is_block__"}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value[1:-1] if isinstance(value, str) and value[:1] == value[-1:] == '"' else value
