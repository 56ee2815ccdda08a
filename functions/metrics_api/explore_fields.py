"""The fields that a question may name: those of the event schemas, and what every event has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from telemetry import catalog

Kind = Literal["string", "bigint", "double", "boolean"]
KINDS: dict[str, Kind] = {"string": "string", "integer": "bigint", "number": "double", "boolean": "boolean"}
NUMBERS: tuple[Kind, ...] = ("bigint", "double")
PAYLOAD = "payload."
# Columns of silver that tell events apart; the event's own properties follow under `payload.`.
ENVELOPE = ("event_type", "schema_version")
ENRICHED = ("app_version", "bot", "country", "ingest_source", "late", "platform", "skewed", "verified")
# An event has one of the two columns, by the rule of the game's dimension.
CUSTOM = {"custom_1": "install_1", "custom_2": "install_2"}
CLIENT = ("build", "device_model", "locale", "os_version", "sdk")
# Amounts of different currencies must not be added up.
MONEY = ("_minor", "_micros")
AMOUNTS = (f"{PAYLOAD}amount", f"{PAYLOAD}balance_after")
CURRENCY = f"{PAYLOAD}currency"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of events: its name in questions, its SQL, and what its values are."""

    name: str
    sql: str
    kind: Kind
    description: str
    values: tuple[str, ...] = ()

    @property
    def is_money(self) -> bool:
        """Whether its values are amounts of a currency, real or virtual."""
        return self.kind in NUMBERS and (self.name.endswith(MONEY) or self.name in AMOUNTS)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns of silver that hold it."""
        column = self.name.partition(".")[0]
        return (column, CUSTOM[column]) if column in CUSTOM else (column,)


@cache
def dimensions() -> Mapping[str, Field]:
    """Return the fields that events of every type have."""
    schemas = catalog.documents()
    envelope = catalog.newest("common/envelope", schemas)["properties"]
    enriched = catalog.newest("common/enriched", schemas)["properties"]
    found = [_field(name, name, envelope[name]) for name in ENVELOPE]
    found += [_field(name, name, enriched[name]) for name in ENRICHED]
    for name, other in CUSTOM.items():
        told = {"type": "string", "description": "What the event itself says of the game's custom dimension."}
        found.append(_field(name, f"COALESCE({name}, {other})", told))
    client = envelope["client"]["properties"]
    found += [_field(f"client.{name}", f'client."{name}"', client[name]) for name in CLIENT]
    return _by_name(found)


@cache
def events() -> Mapping[str, Mapping[str, Field]]:
    """Return the properties of each event type, over all versions of its schema, but for ids of players."""
    given: dict[str, dict[str, Mapping[str, Any]]] = {}
    for (event_type, _), schema in sorted(catalog.payloads(catalog.documents()).items()):
        scalars = {
            name: one
            for name, one in schema["properties"].items()
            if _scalar(one) in KINDS and name not in catalog.player_fields()
        }
        given.setdefault(event_type, {}).update(scalars)
    kinds: dict[str, set[str]] = {}
    for properties in given.values():
        for name, one in properties.items():
            kinds.setdefault(name, set()).add(_scalar(one))
    return {
        event_type: _by_name(
            _field(f"{PAYLOAD}{name}", _typed(name, one, kinds[name]), one)
            for name, one in properties.items()
        )
        for event_type, properties in given.items()
    }


def _typed(name: str, schema: Mapping[str, Any], kinds: set[str]) -> str:
    """Return the SQL of a property: silver holds text where one event has text under the same name."""
    stored, kind = f'payload."{name}"', KINDS[_scalar(schema)]
    return f"TRY_CAST({stored} AS {kind})" if "string" in kinds and kind != "string" else stored


def of(event_type: str | None) -> Mapping[str, Field]:
    """Return the fields of an event type, or those of all events. Raises KeyError for an unknown type."""
    return {**dimensions(), **(events()[event_type] if event_type else {})}


def _field(name: str, sql: str, schema: Mapping[str, Any]) -> Field:
    described = schema.get("description", "")
    return Field(name, sql, KINDS[_scalar(schema)], described, tuple(schema.get("enum", ())))


def _scalar(schema: Mapping[str, Any]) -> str:
    """Return the JSON type of a value that is there."""
    given = schema["type"]
    return str(given if isinstance(given, str) else next(one for one in given if one != "null"))


def _by_name(fields: Iterable[Field]) -> dict[str, Field]:
    return {field.name: field for field in fields}
