"""Recognises what other analytics products send, so that a refusal says what to change: docs/moving-over.md.

Only what was refused anyway comes here. The cost is bounded: only the names of the fields of a value and of
the first event in it are read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

GUIDE = "docs/moving-over.md"
# Members that hold the events of a batch, in all products.
BATCHES = ("events", "eventList", "batch", "Events", "data")
SEGMENT_CALLS = ("alias", "group", "identify", "page", "screen", "track")
CLIENT = f"Send events of this platform with one of its clients: {GUIDE}."
ROUTE = f"Send it to POST /v1/compat/{{}}, with the key in x-api-key: {GUIDE}."

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Product:
    """A product's name, what to do instead, and how to tell its batches and its events."""

    name: str
    advice: str
    is_batch: Callable[[Fields], bool]
    is_event: Callable[[Fields], bool]

    @property
    def message(self) -> str:
        """What a refusal says."""
        return f"This looks like a body of {self.name}. {self.advice}"


def _has(*names: str) -> Callable[[Fields], bool]:
    """Return whether all of these fields are there."""
    return lambda fields: all(name in fields for name in names)


def _any(*tests: Callable[[Fields], bool]) -> Callable[[Fields], bool]:
    return lambda fields: any(test(fields) for test in tests)


def _in_properties(*names: str) -> Callable[[Fields], bool]:
    def test(fields: Fields) -> bool:
        properties = fields.get("properties")
        return isinstance(properties, dict) and all(name in properties for name in names)

    return test


def _is_segment_call(fields: Fields) -> bool:
    kind = fields.get("type")
    named = "userId" in fields or "anonymousId" in fields or "messageId" in fields
    return named and isinstance(kind, str) and kind in SEGMENT_CALLS


def _is_iglu(fields: Fields) -> bool:
    schema = fields.get("schema")
    return isinstance(schema, str) and schema.startswith("iglu:") and "data" in fields


# The first that fits counts: those with the more telling names come first.
PRODUCTS = (
    Product("Snowplow", CLIENT, _is_iglu, _has("e", "tv", "p")),
    Product(
        "PlayFab",
        CLIENT,
        lambda _: False,
        _any(
            _has("EventNamespace", "Name"),
            *(_has("EventName", name) for name in ("Body", "CustomTags", "PlayFabId", "Timestamp")),
        ),
    ),
    Product(
        "Unity Analytics",
        ROUTE.format("unity/api/analytics/collect/v1/projects/{project}/environments/{environment}"),
        _has("eventList"),
        _any(_has("eventName", "eventParams"), _has("eventName", "userID")),
    ),
    Product(
        "GameAnalytics",
        ROUTE.format("gameanalytics/v2/{game_key}/events"),
        lambda _: False,
        _any(_has("category", "client_ts"), _has("category", "user_id", "session_num")),
    ),
    Product(
        "the AWS guidance",
        "Send it to POST /applications/{application_id}/events: docs/guidance-envelope.md.",
        _has("event", "application_id"),
        _any(_has("event_type", "event_timestamp"), _has("event", "application_id")),
    ),
    Product(
        "PostHog",
        CLIENT,
        _has("api_key", "batch"),
        _any(_has("event", "distinct_id"), _in_properties("$lib", "distinct_id")),
    ),
    Product(
        "Amplitude",
        ROUTE.format("amplitude/2/httpapi"),
        _has("api_key", "events"),
        _any(*(_has("event_type", name) for name in ("event_properties", "user_properties", "insert_id"))),
    ),
    Product(
        "Segment",
        CLIENT,
        _has("batch", "writeKey"),
        _any(
            _is_segment_call,
            *(_has(user, name) for user in ("userId", "anonymousId") for name in ("event", "traits")),
            *(_has(user, name) for user in ("userId", "anonymousId") for name in ("groupId", "previousId")),
        ),
    ),
)


def recognised(value: object) -> Product | None:
    """Return the product whose batch, list of events or event a JSON value is; None for any other value."""
    outer = value[0] if isinstance(value, list) and value else value
    if not isinstance(outer, dict):
        return None
    held = (outer[name] for name in BATCHES if isinstance(outer.get(name), list))
    first = next((items[0] for items in held if items and isinstance(items[0], dict)), {})
    for product in PRODUCTS:
        if product.is_batch(outer) or product.is_event(outer) or product.is_event(first):
            return product
    return None


def advice(value: object) -> str:
    """Return what to do with a value that is refused: "" where nothing is known of it."""
    product = recognised(value)
    if product:
        return product.message
    # Events of ours in an object of their own.
    members = value.values() if isinstance(value, dict) and len(value) == 1 else ()
    for held in members:
        if isinstance(held, list) and held and isinstance(held[0], dict) and "event_type" in held[0]:
            return "Several events are sent as a JSON array, or one a line, with nothing around them."
    return ""
