"""Events by the names and types of the schemas in event-schemas/common, which a test holds this to."""

from typing import Any, Literal, NotRequired, TypedDict


class Client(TypedDict):
    """The device and build that sent the event."""

    platform: str
    app_version: str
    build: NotRequired[str]
    os_version: NotRequired[str]
    device_model: NotRequired[str]
    locale: NotRequired[str]
    country: NotRequired[str]
    sdk: NotRequired[str]


class Privacy(TypedDict, total=False):
    """What the player agreed to, and their age group."""

    analytics_storage: Literal["granted", "denied"]
    age_group: Literal["child", "adult"]


class Event(TypedDict):
    """What `validate` returns; the schema of its type describes the payload."""

    event_id: str
    event_type: str
    schema_version: str
    game_id: str
    player_id: str
    session_id: str
    # JSON Schema takes 7.0 for an integer too.
    sequence: int | float
    event_time: str
    sent_at: str
    client: Client
    privacy: NotRequired[Privacy]
    dimensions: NotRequired[dict[str, str]]
    payload: dict[str, Any]


class EnrichedEvent(Event):
    """What `enrich` returns, and what the enriched stream and bronze hold."""

    received_at: str
    processed_at: str
    corrected_time: str
    event_date: str
    country: str | None
    platform: str
    app_version: str
    ingest_source: str
    schema_id: str
    late: bool
    skewed: bool
    bot: bool
    masked: bool
    verified: bool
    custom_1: NotRequired[str]
    install_1: NotRequired[str]
    custom_2: NotRequired[str]
    install_2: NotRequired[str]
    raw_position: NotRequired[str]
