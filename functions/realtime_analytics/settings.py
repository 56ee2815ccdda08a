"""Runtime properties of the application, in the groups that Managed Service for Apache Flink hands over."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

# Where the service puts them: a list of {"PropertyGroupId": name, "PropertyMap": {key: text}}.
PROPERTIES = Path("/etc/flink/application_properties.json")

Groups = Mapping[str, Mapping[str, str]]


class SettingsError(ValueError):
    """A property is missing or no number; the message names it."""


@dataclass(frozen=True, slots=True)
class Streams:
    """The stream that is read, the one that is written, and where both are."""

    enriched_arn: str
    metrics_arn: str
    region: str
    initial_position: str = "LATEST"
    # An emulator's; on AWS the region has one.
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a minute waits for latecomers, and for a silent shard."""

    allowed_lateness_seconds: int = 60
    idle_timeout_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Names:
    """How many names that clients choose a minute of a game has; the others are counted together."""

    # Of each kind: virtual currencies, design events, modes of matches.
    items: int = 50
    versions: int = 20


@dataclass(frozen=True, slots=True)
class Alerts:
    """From when on the last minutes differ too much from those before them."""

    window_minutes: int = 5
    baseline_minutes: int = 30
    players_drop_percent: float = 50
    players_minimum: float = 20
    crash_spike_factor: float = 3
    crash_minimum: int = 10
    economy_inflation_ratio: float = 3
    economy_minimum: int = 1000
    revenue_minimum_purchases: int = 40


@dataclass(frozen=True, slots=True)
class Settings:
    """All runtime properties; `flink` are further options of Flink itself."""

    streams: Streams
    windows: Windows
    names: Names
    alerts: Alerts
    flink: Mapping[str, str]


def load(path: Path = PROPERTIES) -> Settings:
    """Read the file of the service. Raises SettingsError."""
    try:
        groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in json.loads(path.read_text())}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} does not hold the application's properties: {error}") from None
    return parse(groups)


def parse(groups: Groups) -> Settings:
    """Return the settings of property groups. Raises SettingsError."""
    return Settings(
        streams=_group(Streams, "streams", groups),
        windows=_group(Windows, "windows", groups),
        names=_group(Names, "names", groups),
        alerts=_group(Alerts, "alerts", groups),
        flink=dict(groups.get("flink", {})),
    )


def _group(kind: Any, name: str, groups: Groups) -> Any:
    """Return a group as its dataclass: the property `enriched.arn` is the field enriched_arn."""
    kinds = get_type_hints(kind)
    given = {key.replace(".", "_"): text for key, text in groups.get(name, {}).items()}
    required = {field.name for field in fields(kind) if field.default is MISSING}
    for key in sorted(given.keys() - kinds.keys()):
        raise SettingsError(f"{_property(name, key)} is no property of the application.")
    for key in sorted(required - given.keys()):
        raise SettingsError(f"{_property(name, key)} is missing.")
    values = {}
    for key, text in given.items():
        try:
            values[key] = kinds[key](text)
        except ValueError:
            raise SettingsError(f"{_property(name, key)} is {text!r}, and must be a number.") from None
    return kind(**values)


def _property(group: str, key: str) -> str:
    return f"{group}: {key.replace('_', '.')}"
