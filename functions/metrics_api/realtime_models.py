"""The answers about real-time windows; with units."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from telemetry import metric_model

from metrics_api.live_models import Percentiles
from metrics_api.models import Answer, Count, Game, Timestamp

WindowName = Literal["1m", "5m"]


class CurrencyFlow(BaseModel):
    """What moved of a virtual currency."""

    source: Annotated[Count, Field(description=metric_model.live()["source"].description)]
    sink: Annotated[Count, Field(description=metric_model.live()["sink"].description)]


class MatchEndings(BaseModel):
    """How matches of a mode ended, once for each of their players."""

    wins: Annotated[Count, Field(description=metric_model.window()["wins"].description)]
    losses: Annotated[Count, Field(description=metric_model.window()["losses"].description)]
    draws: Annotated[Count, Field(description=metric_model.window()["draws"].description)]
    abandons: Annotated[Count, Field(description=metric_model.window()["abandons"].description)]


def metric(name: str) -> FieldInfo:
    """Return a field that has the description of a metric of the windows."""
    found: FieldInfo = Field(description=metric_model.window()[name].description)
    return found


class Window(BaseModel):
    """What happened in one window, by the time of the events; each event and transaction counts once."""

    start: Annotated[Timestamp, Field(description="Its start (UTC).")]
    active_players: Annotated[Count, metric("active_players")]
    heartbeat_sessions: Annotated[Count, metric("heartbeat_sessions")]
    session_starts: Annotated[Count, metric("session_starts")]
    sessions_ended: Annotated[Count, metric("sessions_ended")]
    ended_seconds_mean: Annotated[float | None, metric("ended_seconds_mean")]
    events_by_type: Annotated[dict[str, int], Field(description="Events by event type.")]
    reported_purchases: Annotated[dict[str, int], metric("reported_purchases")]
    reported_revenue: Annotated[dict[str, int], metric("reported_revenue")]
    unverified_reported_revenue: Annotated[dict[str, int], metric("unverified_reported_revenue")]
    unverified_reported_share: Annotated[dict[str, float], metric("unverified_reported_share")]
    reported_payers: Annotated[Count, metric("reported_payers")]
    economy: Annotated[
        dict[str, CurrencyFlow], Field(description="By virtual currency, the rest as `other`.")
    ]
    progression_events: Annotated[dict[str, int], Field(description="Progression events by status.")]
    design_events_by_name: Annotated[dict[str, int], metric("design_events_by_name")]
    matches: Annotated[dict[str, MatchEndings], Field(description="By mode, the rest as `other`.")]
    impressions: Annotated[Count, metric("impressions")]
    ad_revenue_micros: Annotated[dict[str, int], metric("ad_revenue_micros")]
    crash_events: Annotated[Count, metric("crash_events")]
    scores_submitted: Count
    fps: Annotated[Percentiles | None, Field(description="Frames per second.")]
    latency_ms: Annotated[Percentiles | None, Field(description="Round trip to the server, milliseconds.")]


class ValueMinute(BaseModel):
    """What the events of one value of a custom dimension did in a minute."""

    start: Annotated[Timestamp, Field(description="Its start (UTC).")]
    active_players: Annotated[Count, metric("active_players")]
    crash_events: Annotated[Count, metric("crash_events")]
    reported_revenue: Annotated[dict[str, int], metric("reported_revenue")]
    unverified_reported_revenue: Annotated[dict[str, int], metric("unverified_reported_revenue")]


class Value(BaseModel):
    """A value of a custom dimension."""

    value: Annotated[
        str,
        Field(
            description="As the game declares it; `other` is one that it does not declare, `unknown` none.",
            examples=["eu"],
        ),
    ]
    minutes: Annotated[
        list[ValueMinute], Field(description="Oldest first; one in which nothing happened is left out.")
    ]


class CustomDimension(BaseModel):
    """A custom dimension of the game whose rule is `current`."""

    column: Annotated[str, Field(description="Its column in events and gold.", examples=["custom_1"])]
    name: Annotated[str, Field(description="The name that the game gives it.", examples=["shard"])]
    values: Annotated[list[Value], Field(description="Those that events had, by name.")]


class Alert(BaseModel):
    """The last minutes differ too much from those before them."""

    raised_at: Annotated[Timestamp, Field(description="End of the minute that raised it (UTC).")]
    alert: Annotated[str, Field(examples=["players_drop"])]
    subject: Annotated[str, Field(description="The virtual currency of economy_inflation, else empty.")]
    observed: Annotated[
        float,
        Field(
            description="players_drop: sessions with a heartbeat; crash_spike: crashes per 1,000 player "
            "minutes; economy_inflation: amount from sources; revenue_stop: purchases."
        ),
    ]
    reference: Annotated[
        float, Field(description="The same of the minutes before; economy_inflation: the amount to sinks.")
    ]


class Realtime(Answer):
    """A game's windows, published seconds after the window and its allowed lateness are over."""

    game_id: Game
    window: WindowName
    platform: Annotated[str, Field(description="* is all.", examples=["*"])]
    app_version: Annotated[str, Field(description="* is all.", examples=["*"])]
    windows: Annotated[
        list[Window], Field(description="Oldest first; one in which nothing happened is left out.")
    ]
    dropped_events: Annotated[
        Count, Field(description="Events that came too late for their window; history counts them.")
    ]
    alerts: Annotated[list[Alert], Field(description="Newest first.")]
    capped: Annotated[
        bool,
        Field(
            description="True where a minute has more versions, virtual currencies, design events or modes "
            "than it names: the rest is in `other`."
        ),
    ]


class RealtimeDimensions(Answer):
    """A game's minutes by the values of its custom dimensions."""

    game_id: Game
    dimensions: Annotated[
        list[CustomDimension],
        Field(
            description="Those with the rule `current`. What `install` counts by is known from the whole "
            "history of a player, which the stream job does not have."
        ),
    ]
